#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh CLANG SRCDIR SECONDS SOURCE …: builds every fuzz-*.c with libFuzzer, the sanitizers and the sources (relative
# to SRCDIR) in tests/logs/fuzz below the current folder, and runs each for SECONDS. FUZZ_FLAGS has further options for
# the compiler and FUZZ_LIBS libraries. What a fuzzer found stays there as crash-NAME-…
# shellcheck disable=SC2089,SC2090 # the quotes in $places are the preprocessor's
set -u

clang=$1
srcdir=$2
seconds=$3
shift 3
folder=tests/logs/fuzz
sanitizers=address,undefined,float-cast-overflow
flags="-std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -DHAVE_CONFIG_H
  -I. -I$srcdir -I$srcdir/protocol -I$srcdir/helper -I$srcdir/tests/unit
  -I$srcdir/tests/fuzz ${FUZZ_FLAGS-}"
places='-DRBR_SYSCONFDIR="etc" -DRBR_DATADIR="share" -DRBR_MODULEDIR="modules" -DRBR_BINDIR="bin" -DRBR_LIBEXECDIR="libexec"'

rm -rf "$folder/objects" "$folder/code.a"
mkdir -p "$folder/objects"
export clang srcdir flags places sanitizers folder

# The program's main() and headers are left out; a folder becomes part of an object's name.
# shellcheck disable=SC2016 # for the inner shell
for source; do
  case $source in
  */main.c) ;;
  *.c) echo "$source" ;;
  esac
done | xargs -P 2 -n 1 sh -c '
  exec $clang $flags $places -fsanitize=fuzzer-no-link,$sanitizers -c "$srcdir/$1" \
    -o "$folder/objects/$(echo "$1" | tr / -).o"' sh || exit 1
ar rcs "$folder/code.a" "$folder"/objects/*.o || exit 1

run() { # NAME LINKER_OPTION …
  name=$1
  shift
  mkdir -p "$folder/corpus/$name"
  # shellcheck disable=SC2086 # lists of options
  $clang $flags $places -fsanitize=fuzzer,$sanitizers "$@" "$srcdir/tests/fuzz/$name.c" "$folder/code.a" \
    ${FUZZ_LIBS-} -o "$folder/$name" || return 1
  "./$folder/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$folder/crash-$name-" "$folder/corpus/$name" "$srcdir/tests/fuzz/seeds/$name" \
    >"$folder/$name.log" 2>&1 && return 0
  tail -n 60 "$folder/$name.log"
  return 1
}

status=0
number=0
for program in "$srcdir"/tests/fuzz/fuzz-*.c; do
  name=$(basename "$program" .c)
  number=$((number + 1))
  options=
  [ "$name" != fuzz-account ] || options=-Wl,--wrap=rbr_provider_load
  # shellcheck disable=SC2086 # none or one
  if run "$name" $options; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$name.log")
    echo "ok $number - $name: $runs inputs in $seconds s"
  else
    echo "not ok $number - $name"
    status=1
  fi
done
echo "1..$number"
exit "$status"
