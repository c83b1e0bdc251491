#!/bin/sh
# SPDX-License-Identifier: MIT
# Do the public headers compile alone, as C11 and as C++? Prints TAP.
# usage: headers.sh [TOP_OF_THE_SOURCE]; CC and CXX name the compilers (cc, g++).
set -u

top=${1:-$(dirname "$0")/../..}
cc=${CC:-cc}
cxx=${CXX:-g++}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
number=0
failed=0

# try DESCRIPTION COMMAND [ARGUMENT ...]
try() {
  description=$1
  shift
  number=$((number + 1))
  if "$@" >"$folder/log" 2>&1; then
    echo "ok $number - $description"
  else
    echo "not ok $number - $description"
    sed 's/^/# /' "$folder/log"
    failed=1
  fi
}

skip() {
  number=$((number + 1))
  echo "ok $number - $1 # SKIP $2"
}

# The header twice, for its guard, and a use of it.
for header in ringbearer module; do
  for suffix in c cc; do
    {
      echo "#include \"$header.h\""
      echo "#include \"$header.h\""
      echo 'int use(void);'
      echo 'int use(void) { return RINGBEARER_E_SYSTEM; }'
    } >"$folder/$header.$suffix"
  done
done
# shellcheck disable=SC2016
printf '%s\n' '#include "module.h"' \
  'static const struct ringbearer_store operations = { .size = sizeof(struct ringbearer_store) };' \
  'static const struct ringbearer_module module = {' \
  '  .abi = RINGBEARER_MODULE_ABI, .size = sizeof(struct ringbearer_module), .name = "store-nothing",' \
  '  .family = "store", .operations = &operations,' \
  '};' \
  'const struct ringbearer_module *' \
  'ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *host)' \
  '{' \
  '  return host_abi >> 16 == RINGBEARER_MODULE_ABI_MAJOR && host ? &module : 0;' \
  '}' >"$folder/example.c"

warnings='-Wall -Wextra -Wpedantic -Wconversion -Wstrict-prototypes -Werror'
for header in ringbearer module; do
  # shellcheck disable=SC2086
  try "$header.h as C11" $cc -std=c11 $warnings -I"$top/protocol" -fsyntax-only "$folder/$header.c"
  # shellcheck disable=SC2086
  try "$header.h as C17" $cc -std=c17 $warnings -I"$top/protocol" -fsyntax-only "$folder/$header.c"
done
# shellcheck disable=SC2086
try "a module needs module.h alone" $cc -std=c11 $warnings -I"$top/protocol" -fsyntax-only "$folder/example.c"

for header in ringbearer module; do
  # shellcheck disable=SC2086
  if command -v ${cxx%% *} >/dev/null 2>&1; then
    try "$header.h as C++11" $cxx -std=c++11 -Wall -Wextra -Wpedantic -Werror -I"$top/protocol" -fsyntax-only \
      "$folder/$header.cc"
  else
    skip "$header.h as C++11" "there is no C++ compiler"
  fi
done
echo "1..$number"
exit "$failed"
