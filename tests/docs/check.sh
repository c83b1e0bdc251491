#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh SRCDIR BUILDDIR: the manual pages say what the code does, where a machine can tell. Writes TAP.
set -u

srcdir=$1
builddir=$2
pages=$builddir/helper/manual
manual=$pages/ringbearer.1
protocol=$srcdir/protocol/ringbearer-protocol.7
module=$srcdir/protocol/ringbearer-module.7
library=$srcdir/protocol/libringbearer.3
program=$srcdir/protocol/ringbearer-store.7
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ringbearer-docs.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
number=0
failures=0

report() { # STATUS NAME: what is in $scratch/why goes with a failure
  number=$((number + 1))
  if [ "$1" = 0 ]; then
    echo "ok $number - $2"
  else
    failures=$((failures + 1))
    echo "not ok $number - $2"
    sed 's/^/# /' "$scratch/why"
  fi
}

check() { # NAME FUNCTION ARGUMENT …
  name=$1
  shift
  status=0
  "$@" >"$scratch/why" 2>&1 || status=$?
  report "$status" "$name"
}

skip() { # NAME REASON
  number=$((number + 1))
  echo "ok $number - $1 # SKIP $2"
}

same() { # CODE MANUAL: two lists, one word a line; empty ones prove nothing
  sort -u "$1" >"$1.sorted"
  sort -u "$2" >"$2.sorted"
  [ -s "$1.sorted" ] || { echo "nothing was found in the code"; return 1; }
  diff "$1.sorted" "$2.sorted" | sed -n -e 's/^</only in the code:/p' -e 's/^>/only in the manual:/p'
  cmp -s "$1.sorted" "$2.sorted"
}

mentioned() { # LIST PAGE: every word of LIST stands in PAGE as a word
  [ -s "$1" ] || { echo "nothing was found in the code"; return 1; }
  missing=0
  # Fonts and escapes gone, the page's words remain.
  sed -e 's/\\f[A-Z]//g' -e 's/\\-/-/g' "$2" >"$scratch/words"
  while read -r word; do
    if ! awk -v word="$word" '
      {
        text = $0
        while ((at = index(text, word)) > 0) {
          before = at > 1 ? substr(text, at - 1, 1) : " "
          after = substr(text, at + length(word), 1)
          if (before !~ /[A-Za-z0-9_-]/ && after !~ /[A-Za-z0-9_-]/) found = 1
          text = substr(text, at + length(word))
        }
      }
      END { exit !found }' "$scratch/words"; then
      echo "$word is not mentioned in ${2##*/}"
      missing=1
    fi
  done <"$1"
  return "$missing"
}

section() { # NAME PAGE: the lines of one section
  sed -n "/^\\.SH $1\$/,/^\\.SH /p" "$2"
}

example() { # NAME PAGE: the program between the markers, as a compiler wants it
  sed -n "/^\\.\\\\\" BEGIN $1\$/,/^\\.\\\\\" END $1\$/p" "$2" |
    sed -e '/^\.\\"/d' -e '/^\.E[XE]$/d' -e 's/^\\&//' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\(ga/`/g' \
      -e 's/\\(ha/^/g' -e 's/\\(ti/~/g' -e 's/\\e/\\/g'
}

check_built() {
  if [ ! -s "$manual" ]; then
    echo "$manual was not built"
    return 1
  fi
  ! grep -nE '@[A-Z]+( [^ ]*)?@|@[a-z]+dir@' "$pages"/*.1
}

check_keys() {
  sed -n 's/^KEY([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$srcdir/helper/accounts/keys.def" >"$scratch/code"
  section 'ACCOUNT KEYS' "$manual" | sed -n 's/^\\fB\([a-z_]*\)\\fR = .*/\1/p' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

table_of_commands() {
  sed -n '/rbr_commands\[\] = {/,/^};/p' "$srcdir/helper/commands/command.c"
}

check_commands() { # a page each, and a line in ringbearer(1)
  table_of_commands | sed -n 's/^	{"\([a-z-]*\)", rbr_command_.*/\1/p' >"$scratch/code"
  section COMMANDS "$manual" | sed -n 's/^\.BR ringbearer\\-\([a-z-]*\) (1)$/\1/p' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual" || return 1
  for page in "$srcdir"/helper/manual/ringbearer-*.in; do basename "$page" .in | sed 's/^ringbearer-//'; done >"$scratch/manual"
  same "$scratch/code" "$scratch/manual" || return 1
  while read -r command; do
    [ -s "$pages/ringbearer-$command.1" ] || { echo "ringbearer-$command.1 was not built"; return 1; }
  done <"$scratch/code"
}

check_options() { # what help says of a command is in its page, and what is an option in the page is one in the help
  for page in "$pages"/ringbearer-*.1; do
    command=$(basename "$page" .1 | sed 's/^ringbearer-//')
    table_of_commands | awk -v head="	{\"$command\"," 'index($0, "	{\"") == 1 { its = index($0, head) == 1 } its' | grep -o -e '--[a-z][a-z-]*' | sort -u >"$scratch/code"
    [ ! -s "$scratch/code" ] || mentioned "$scratch/code" "$page" || return 1
    section OPTIONS "$page" | sed -n '/^\.TP$/{n;p;}' | sed -e 's/\\-/-/g' | grep -o -e '--[a-z][a-z-]*' | sort -u >"$scratch/manual"
    comm -13 "$scratch/code" "$scratch/manual" >"$scratch/made-up"
    [ ! -s "$scratch/made-up" ] || { echo "only in $page:"; cat "$scratch/made-up"; return 1; }
  done
}

# Pages that other pages name are there.
check_references() {
  for page in "$pages"/*.1 "$protocol" "$module" "$library" "$program"; do
    sed 's/\\f[A-Z]//g; s/\\-/-/g' "$page" | grep -oE 'ringbearer-[a-z]+ \(1\)' | sed 's/ (1)$//' | sort -u | while read -r name; do
      [ -s "$pages/$name.1" ] || echo "${page##*/} names $name(1)"
    done
  done >"$scratch/lost"
  cat "$scratch/lost"
  [ ! -s "$scratch/lost" ]
}

vocabulary() { # "name exit_status", without ok
  sed -n 's/^	{RINGBEARER_E_[A-Z_]*, \([0-9]*\), "\([a-z_]*\)",.*/\2 \1/p' "$srcdir/protocol/error.c"
}

check_errors() {
  vocabulary >"$scratch/code"
  section ERRORS "$protocol" | sed -n 's/^\.BR \([a-z_]*\) " (\([0-9]*\))"$/\1 \2/p' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

check_diagnostics() {
  vocabulary | sed 's/ .*//' >"$scratch/code"
  section DIAGNOSTICS "$manual" | sed -n '/^\.TP$/{n;s/^\.B \([a-z_]*\)$/\1/p;}' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

check_exit_statuses() {
  { echo 0; vocabulary | sed 's/.* //'; } >"$scratch/code"
  section 'EXIT STATUS' "$manual" | sed -n '/^\.TP$/{n;s/^\.B \([0-9]*\)$/\1/p;}' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

# libringbearer(3) says so of the constants.
check_constants() {
  vocabulary | sed 's/ .*//' | tr '[:lower:]' '[:upper:]' >"$scratch/code"
  sed -n 's/^	RINGBEARER_E_\([A-Z_]*\) = .*/\1/p' "$srcdir/protocol/ringbearer.h" >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

check_formats() {
  sed -n 's/^	{"\([a-z-]*\)", ".*", rbr_format_.*/\1/p' "$srcdir/protocol/formats/formats.c" >"$scratch/code"
  section FORMATS "$protocol" | sed -n '/^\.TP$/{n;s/^\.B \([a-z-]*\)$/\1/p;}' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual" && mentioned "$scratch/code" "$pages/ringbearer-get.1"
}

check_request_keys() {
  cat "$srcdir/protocol/fastpath/request.c" "$srcdir/helper/commands/store.c" "$srcdir/helper/commands/erase.c" |
    grep -o 'rbr_message_[a-z_]*([^,"]*, "[a-z_]*[][]*"' | sed 's/.*"\(.*\)"/\1/' | sort -u >"$scratch/code"
  mentioned "$scratch/code" "$protocol"
}

check_environment() {
  find "$srcdir/helper" "$srcdir/protocol" -name '*.c' -exec cat {} + |
    grep -oE '(getenv|environment_path)\("[A-Z_]+"\)' | sed 's/.*"\(.*\)".*/\1/' | sort -u >"$scratch/code"
  mentioned "$scratch/code" "$manual"
}

check_states() { # of `list`, as JSON has them and as a person reads them
  {
    grep -oE 'state = "[a-z_]+"|\? "[a-z_]+" : "[a-z_]+"' "$srcdir/helper/commands/list.c" | grep -oE '"[a-z_]+"' | tr -d '"'
    grep -oE '\{"[a-z_]+", "[a-z ]+"\}' "$srcdir/helper/commands/list.c" | sed 's/.*, "\(.*\)"}/\1/'
  } | sort -u >"$scratch/code"
  mentioned "$scratch/code" "$pages/ringbearer-list.1"
}

check_provider_files() {
  (cd "$srcdir" && ls helper/providers) | sort >"$scratch/there"
  sed -n 's|^[[:blank:]]*%D%/providers/\([^ ]*\).*|\1|p' "$srcdir/helper/Makefile.am" | sort >"$scratch/installed"
  diff "$scratch/there" "$scratch/installed"
}

check_provider_keys() {
  sed -n '/^rbr_provider_has_key/,/^}/p' "$srcdir/helper/accounts/provider.c" | tr '\n' ' ' |
    sed 's/.*own\[\] = {\([^}]*\)}.*/\1/' | grep -oE '[a-z_]+' >"$scratch/code"
  mentioned "$scratch/code" "$manual"
}

operations() {
  for family in grant store input notice; do members "ringbearer_$family" || return 1; done
}

members() { # STRUCT: the functions in a struct of module.h
  sed -n "/^struct $1 {/,/^};/p" "$srcdir/protocol/module.h" | sed -n 's/.*(\*\([a-z_]*\))(.*/\1/p' >"$scratch/code"
  mentioned "$scratch/code" "$module"
}

# Words that a module can ask `config` for and that are no account keys.
check_config() {
  sed -n '/^host_config(/,/^}/p' "$srcdir/helper/host/host.c" |
    sed -n 's/.*strcmp(key, "\([a-z_]*\)").*/\1/p' >"$scratch/code"
  mentioned "$scratch/code" "$module"
}

# What a program that is a store is told, and may answer.
check_store_words() {
  sed -n -e 's/.*{"\([a-z_]*\)", item->.*/\1/p' -e 's/.*add_line(&\{0,1\}work, "\([a-z_]*\)".*/\1/p' \
    -e 's/.*said(&\{0,1\}work, "\([a-z_]*\)").*/\1/p' "$srcdir/helper/modules/stores/command.c" | sort -u >"$scratch/code"
  mentioned "$scratch/code" "$program"
}

check_exports() {
  sed -n '/^global:/,/^local:/s/^	\(ringbearer_[a-z_]*\);.*/\1/p' "$srcdir/protocol/libringbearer.map" >"$scratch/code"
  section SYNOPSIS "$library" | grep -o 'ringbearer_[a-z_]*(' | tr -d '(' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

check_prototypes() {
  sed -n '/^global:/,/^local:/s/^	\(ringbearer_[a-z_]*\);.*/\1/p' "$srcdir/protocol/libringbearer.map" >"$scratch/code"
  sed -n 's/^RINGBEARER_EXPORT .*[ *]\(ringbearer_[a-z_]*\)(.*/\1/p' "$srcdir/protocol/ringbearer.h" >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

# The prototypes in full, one a line, without what is there for compilers or for roff alone.
check_synopsis() {
  grep -v '^#' "$srcdir/protocol/ringbearer.h" | tr '\n' ' ' | sed -e 's/;/;\n/g' | sed -n 's/.*RINGBEARER_EXPORT \(.*\)/\1/p' |
    sed -e 's/RINGBEARER_MUST_CHECK//' -e 's/[[:space:]][[:space:]]*/ /g' -e 's/( /(/' -e 's/ *;/;/' >"$scratch/code"
  section SYNOPSIS "$library" | sed -n -e 's/^\.BI* //p' | grep -v '^#include' | tr '\n' ' ' |
    sed -e 's/;/;\n/g' | sed -e 's/"//g' -e 's/[[:space:]][[:space:]]*/ /g' -e 's/\* /*/g' -e 's/ \([,)]\)/\1/g' -e 's/^ //' \
      -e '/^$/d' >"$scratch/manual"
  same "$scratch/code" "$scratch/manual"
}

compile() { # NAME PAGE OPTION …
  file=$scratch/$1
  example "$1" "$2" >"$file"
  shift 2
  [ -s "$file" ] || { echo "there is no example between its markers"; return 1; }
  mkdir -p "$scratch/include/ringbearer"
  cp "$srcdir/protocol/ringbearer.h" "$srcdir/protocol/module.h" "$scratch/include/ringbearer/" &&
    "${CC:-cc}" -Wall -Wextra -Werror -I"$scratch/include" "$@" "$file"
}

check_lint() {
  mandoc -Tlint -Wwarning "$@"
}

check_groff() {
  for page in "$@"; do
    groff -k -man -Tutf8 -ww -Wbreak -P-c "$page" 2>&1 >"$scratch/page" | sed "s|^|${page##*/}: |"
    [ -s "$scratch/page" ] || echo "${page##*/} is empty"
  done >"$scratch/warnings"
  cat "$scratch/warnings"
  [ ! -s "$scratch/warnings" ]
}

# man(1) joins its words with a dash; what an apropos shows is the name line.
check_man() {
  mkdir -p "$scratch/man/man1"
  cp "$pages"/*.1 "$scratch/man/man1/"
  for page in "$pages"/ringbearer-*.1; do
    command=$(basename "$page" .1 | sed 's/^ringbearer-//')
    MANPAGER=cat MANWIDTH=100 man -M "$scratch/man" ringbearer "$command" >"$scratch/page" || return 1
    grep -q "^ *ringbearer-$command - [a-z]" "$scratch/page" || { echo "ringbearer $command:"; head "$scratch/page"; return 1; }
  done
}

check 'the pages were built, with nothing left to fill in' check_built
check 'keys.def and the account keys in ringbearer(1)' check_keys
check 'command.c and the pages of its commands' check_commands
check 'the options in command.c and those in the pages' check_options
check 'the pages that are named are there' check_references
check 'error.c and the errors in ringbearer-protocol(7), with their exit status' check_errors
check 'error.c and the diagnostics in ringbearer(1)' check_diagnostics
check 'error.c and the exit status in ringbearer(1)' check_exit_statuses
check 'the names in error.c and the constants in ringbearer.h' check_constants
check 'formats.c and the formats in the manual' check_formats
check 'the keys of a request are in ringbearer-protocol(7)' check_request_keys
check 'the environment variables are in ringbearer(1)' check_environment
check 'the states of list are in ringbearer-list(1)' check_states
check 'the keys that only provider files have are in ringbearer(1)' check_provider_keys
check 'the provider files and those that are installed' check_provider_files
check 'the functions of the host are in ringbearer-module(7)' members ringbearer_host
check 'the operations of modules are in ringbearer-module(7)' operations
check 'the words of config are in ringbearer-module(7)' check_config
check 'the words of store = command are in ringbearer-store(7)' check_store_words
check 'libringbearer.map and the functions in libringbearer(3)' check_exports
check 'libringbearer.map and the prototypes in ringbearer.h' check_prototypes
check 'the prototypes in ringbearer.h and the synopsis of libringbearer(3)' check_synopsis
if command -v "${CC:-cc}" >/dev/null 2>&1; then
  check 'the example in ringbearer-module(7) compiles' \
    compile store-credentials-directory.c "$module" -fPIC -shared -o "$scratch/example.so"
  check 'the example in libringbearer(3) compiles' compile call.c "$library" -c -o "$scratch/example.o"
else
  skip 'the example in ringbearer-module(7) compiles' 'no C compiler'
  skip 'the example in libringbearer(3) compiles' 'no C compiler'
fi
set -- "$pages"/*.1 "$protocol" "$module" "$library" "$program"
if command -v mandoc >/dev/null 2>&1; then
  check 'mandoc finds nothing wrong with the pages' check_lint "$@"
else
  skip 'mandoc finds nothing wrong with the pages' 'mandoc is missing'
fi
if command -v groff >/dev/null 2>&1; then
  check 'groff finds nothing wrong with the pages' check_groff "$@"
else
  skip 'groff finds nothing wrong with the pages' 'groff is missing'
fi
if man --version 2>/dev/null | grep -q '^man 2'; then
  check 'man finds the page of each command' check_man
else
  skip 'man finds the page of each command' 'man-db is missing'
fi
echo "1..$number"
[ "$failures" = 0 ]
