#!/bin/sh
# SPDX-License-Identifier: MIT
# prove.sh CLANG SRCDIR: do the fuzzers find anything? Puts one fault at a time into a copy of the source and expects its
# fuzzer to stop within FUZZ_SECONDS. The rest is as for run.sh, whose options and folders these are. A fault is
# faults/fuzz-NAME.sed, or faults/fuzz-NAME.WORD.sed for a further one; its first line names the file that it changes:
#
#    # in callback.c: of two NULs one is not counted
#
# One that no longer changes anything, or no longer compiles, proves nothing and fails.
set -u

clang=$1
srcdir=$(cd "$2" && pwd)
scratch=$PWD/tests/logs/fuzz-faults
copy=$scratch/source
build=$scratch/build
rm -rf "$copy"
mkdir -p "$copy" "$build"
cp -p config.h folders.h "$build" || exit 1
(cd "$srcdir" && cp -Rp --parents -t "$copy" protocol helper tests/unit tests/fuzz) || exit 1

number=0
status=0
for fault in "$srcdir"/tests/fuzz/faults/fuzz-*"${FUZZ-}"*.sed; do
  [ -f "$fault" ] || continue
  number=$((number + 1))
  what=$(basename "$fault" .sed)
  name=${what%%.*}
  file=$(find "$copy/protocol" "$copy/helper" -path "*/$(sed -n '1s/^# in \([^:]*\):.*/\1/p' "$fault")")
  log=$build/tests/logs/fuzz/$name.log
  rm -f "$log"
  if [ ! -f "$file" ] || [ ! -f "$copy/tests/fuzz/$name.c" ]; then
    echo "not ok - $what: no such file, or no such fuzzer"
    status=1
    continue
  fi
  cp -p "$file" "$scratch/kept"
  sed -i -f "$fault" "$file"
  if cmp -s "$file" "$scratch/kept"; then
    echo "not ok - $what: it changes nothing"
    status=1
  elif (cd "$build" && FUZZ_FLAGS="-I$copy -I$copy/protocol -I$copy/helper ${FUZZ_FLAGS-}" \
    sh "$copy/tests/fuzz/run.sh" "$clang" "$copy" "$name") >"$scratch/$what.log" 2>&1; then
    echo "not ok - $what: not found: $(grep "^ok - $name:" "$scratch/$what.log")"
    status=1
  elif grep -qE '^SUMMARY: (AddressSanitizer|UndefinedBehaviorSanitizer|libFuzzer)' "$log" 2>/dev/null; then
    found=$(sed -n 's/^SUMMARY: *//p' "$log" | head -n 1 | sed -E "s|$copy/||g; s| \(.*\)||")
    echo "ok - $what: $found after $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
  else
    echo "not ok - $what: it does not build; see $scratch/$what.log"
    status=1
  fi
  cp "$scratch/kept" "$file" # with a new time
done
echo "1..$number"
exit "$status"
