# SPDX-License-Identifier: MIT
# parsers.awk: who reads what strangers send, and which fuzzer tries it? Reads headers, and first the file CALLS, which has all
# the words in the fuzzers, and NAMES, their names. A function whose name says that it reads (READERS) is called by a
# fuzzer, or its contract says
#
#    Bytes of a stranger: fuzz-NAME.      another one, that gets there through something else
#    Bytes of our own.                    nobody else can write what it reads
#
# The first is for any other function, too. Says what is not so, and then exits with 1.
BEGIN {
	readers = "_(parse|understand|unpack|decode|unescape|parameter|salvage|read|read_again|from_record|response)$"
	while ((getline word <calls) > 0)
		called[word] = 1
	while ((getline word <names) > 0)
		fuzzer[word] = 1
}
FNR == 1 { contract = ""; inside = 0 }
/^[ \t]*\/\*/ && !inside { contract = ""; inside = 1 }
inside {
	line = $0
	gsub(/^[ \t]*\/?\*+\/?|\*\/[ \t]*$/, "", line)
	contract = contract " " line
	if (/\*\//)
		inside = 0
	next
}
/^$/ { contract = "" }
# A prototype, whole or its first line.
/^[a-z].*[ *][a-z_0-9]+\(/ && !/^(static|typedef|#)/ {
	name = $0
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	gsub(/[ \t]+/, " ", contract)
	if (match(contract, /[Bb]ytes of a stranger: [a-z-]+/)) {
		marked = substr(contract, RSTART, RLENGTH)
		sub(/.*: /, "", marked)
		if (!(marked in fuzzer))
			wrong[++count] = FILENAME ": " name "() names " marked ", which is not in tests/fuzz"
	} else if (name ~ readers && !(name in called) && contract !~ /[Bb]ytes of our own/)
		wrong[++count] = FILENAME ": " name "() reads, and no fuzzer calls it; write one, or see tests/fuzz/parsers.awk"
}
END {
	for (i = 1; i <= count; i++)
		print wrong[i]
	exit count > 0
}
