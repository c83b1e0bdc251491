#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh CLANG SRCDIR [NAME …]: builds the fuzzers (or those named) with libFuzzer and the sanitizers in tests/logs/fuzz below
# the current folder (a build tree), and runs each for FUZZ_SECONDS (20), FUZZ_JOBS (one for each processor) at a time. FUZZ:
# only those with this in their names. FUZZ_FLAGS has options for the compiler and FUZZ_LIBS libraries. What was found stays
# there as NAME-crash-…
#
# A fuzzer is fuzz-NAME.c, with FUZZ_UP_TO() for its longest input and seeds/fuzz-NAME/ with inputs to start from. It is
# linked with what it calls: any file of protocol/ and helper/ but those that have a main() or are the entry of a module.
# For these, and for options to the linker, there are lines in its head comment:
#
#    with: inputs/json.c
#    link: -Wl,--wrap=rbr_provider_load
#
# shellcheck disable=SC2089,SC2090 # the quotes in $places are the preprocessor's
set -u

# The script calls itself for one file and for one fuzzer, which find all they need in their environment.
case ${1-} in
--compile)
  object=$folder/objects/$(echo "${2#"$srcdir"/}" | tr / -).o
  if [ -n "$(find "$object" -newer "$2" -newer "$newest" 2>/dev/null)" ]; then exit 0; fi
  # shellcheck disable=SC2086 # lists of options
  exec $clang $flags $places -fsanitize=fuzzer-no-link,$sanitizers -c "$2" -o "$object"
  ;;
--run)
  name=$(basename "$2" .c)
  seeds=$srcdir/tests/fuzz/seeds/$name
  log=$folder/$name.log
  objects=
  entries=$(sed -n 's/^ \* *with: *//p' "$2")
  for with in $entries; do
    objects="$objects $(find "$folder/objects" -name "*-$(echo "$with" | tr / -).o")"
  done
  mkdir -p "$folder/corpus/$name"
  # shellcheck disable=SC2046,SC2086 # lists of options
  if [ ! -d "$seeds" ]; then
    echo "there are no seeds in tests/fuzz/seeds/$name" >"$log"
  elif $clang $flags $places -fsanitize=fuzzer,$sanitizers $(sed -n 's/^ \* *link: *//p' "$2") "$2" $objects \
    "$folder/code.a" -Wl,--as-needed ${FUZZ_LIBS-} -o "$folder/$name" >"$log" 2>&1 &&
    "./$folder/$name" -max_total_time="$seconds" -len_control=0 -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="$folder/$name-" "$folder/corpus/$name" "$seeds" >"$log" 2>&1; then
    echo "ok - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
    exit 0
  fi
  { echo "not ok - $name"; tail -n 60 "$log" | cut -c -400 | sed 's/^/# /'; } >"$log.report"
  cat "$log.report" # in one piece
  exit 1
  ;;
esac

clang=$1
srcdir=$2
shift 2
seconds=${FUZZ_SECONDS:-20}
jobs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN)}
folder=tests/logs/fuzz
sanitizers=address,undefined,float-cast-overflow
flags="-std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -DHAVE_CONFIG_H -I. -I$srcdir
  -I$srcdir/tests/unit -I$srcdir/tests/fuzz ${FUZZ_FLAGS-}"
places='-DRBR_SYSCONFDIR="etc" -DRBR_DATADIR="share" -DRBR_MODULEDIR="modules" -DRBR_BINDIR="bin" -DRBR_LIBEXECDIR="libexec"'
mkdir -p "$folder/objects"
# What is older than a header, or was built with other options, is built anew.
built="$clang $flags $places $sanitizers"
[ "$(cat "$folder/built" 2>/dev/null)" = "$built" ] || printf '%s\n' "$built" >"$folder/built"
newest=$(find "$folder/built" config.h "$srcdir/protocol" "$srcdir/helper" "$srcdir/tests/unit" -type f \
  '(' -name built -o -name '*.h' -o -name '*.def' ')' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
export clang srcdir seconds folder sanitizers flags places newest

sources=$(find "$srcdir/protocol" "$srcdir/helper" -name '*.c'; echo "$srcdir/tests/unit/fake-host.c")
for object in "$folder"/objects/*.o; do # of a file that is gone
  echo "$sources" | tr / - | grep -qxF -- "$(echo "$srcdir/$(basename "$object" .o)" | tr / -)" || rm -f "$object"
done
echo "$sources" | xargs -P "$jobs" -n 1 sh "$0" --compile || exit 1
rm -f "$folder/code.a"
for object in "$folder"/objects/*.o; do
  nm --defined-only "$object" | grep -qE ' T (main|ringbearer_module_init)$' || echo "$object"
done | xargs ar rcs "$folder/code.a" || exit 1

if [ $# -eq 0 ]; then
  for program in "$srcdir"/tests/fuzz/fuzz-*"${FUZZ-}"*.c; do
    [ ! -f "$program" ] || set -- "$@" "$(basename "$program" .c)"
  done
fi
[ $# -gt 0 ] || { echo "there is no fuzzer with ${FUZZ-} in its name" >&2; exit 1; }
status=0
printf "$srcdir/tests/fuzz/%s.c\n" "$@" | xargs -P "$jobs" -n 1 sh "$0" --run || status=1
echo "1..$#"
exit "$status"
