#!/bin/sh
# SPDX-License-Identifier: MIT
# parsers.sh SRCDIR: does every parser that a stranger feeds have a fuzzer, and every fuzzer what it needs? See parsers.awk.
set -u

cd "$1" || exit 1
words=$(mktemp -d)
trap 'rm -rf "$words"' EXIT
for program in tests/fuzz/fuzz-*.c; do basename "$program" .c; done >"$words/names"
cat tests/fuzz/fuzz-*.c | grep -oE '[A-Za-z_0-9]+' | sort -u >"$words/calls"

status=0
# shellcheck disable=SC2046 # our own names
awk -v calls="$words/calls" -v names="$words/names" -f tests/fuzz/parsers.awk $(find protocol helper -name '*.h' | sort) || status=1
while read -r name; do
  grep -q '^FUZZ_UP_TO(' "tests/fuzz/$name.c" || { echo "tests/fuzz/$name.c does not say FUZZ_UP_TO()"; status=1; }
  [ -n "$(ls "tests/fuzz/seeds/$name" 2>/dev/null)" ] || { echo "there are no seeds in tests/fuzz/seeds/$name"; status=1; }
  [ -n "$(find tests/fuzz/faults -name "$name.sed" -o -name "$name.*.sed")" ] ||
    { echo "tests/fuzz/faults has no fault that $name was seen to find"; status=1; }
done <"$words/names"
exit "$status"
