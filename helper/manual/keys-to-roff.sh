#!/bin/sh
# SPDX-License-Identifier: MIT
# keys-to-roff.sh roff|table KEYS.DEF: the account keys for other texts, on stdout, in the order of the file.
#   roff   a tagged list for ringbearer(1)
#   table  one key a line for scripts, tabs between: name, kind, repeats, default, placeholder, help
# Needs sed and awk. A line of KEYS.DEF that begins with KEY( and cannot be read is an error.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: keys-to-roff.sh roff|table KEYS.DEF" >&2
  exit 2
fi
form=$1
tab=$(printf '\t')

# KEY(IDENTIFIER, "name", "kind", repeats, "default" or NULL, "placeholder", "help"): no value holds a quote or a tab.
sed -n -e '/^KEY(/!d' -e 's/, NULL, "/, "NULL", "/' \
  -e "s/^KEY([A-Z_]*, \"\([^\"]*\)\", \"\([^\"]*\)\", \([a-z]*\), \"\([^\"]*\)\", \"\([^\"]*\)\", \"\([^\"]*\)\")\$/\1$tab\2$tab\3$tab\4$tab\5$tab\6/" \
  -e p "$2" |
  awk -F '\t' -v form="$form" '
  # Text that roff reads as it stands: a backslash, a hyphen and what begins a line have meanings of their own.
  function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/\047/, "\\(aq", text)
    gsub(/~/, "\\(ti", text)
    gsub(/\^/, "\\(ha", text)
    return text
  }
  # `word` becomes bold.
  function marked(text,    parts, count, i, out) {
    count = split(text, parts, "`")
    for (i = 1; i <= count; i++)
      out = out (i % 2 ? plain(parts[i]) : "\\fB" plain(parts[i]) "\\fR")
    return out
  }
  NF != 6 {
    print "keys-to-roff.sh: this line is not understood: " $0 > "/dev/stderr"
    failed = 1
    exit 1
  }
  form == "table" { print; next }
  form == "roff" {
    help = toupper(substr($6, 1, 1)) substr($6, 2)
    print ".TP"
    print "\\fB" plain($1) "\\fR = \\fI" plain($5) "\\fR"
    print marked(help) "."
    if ($4 != "NULL")
      print "Default: \\fB" plain($4) "\\fR."
    next
  }
  {
    print "keys-to-roff.sh: there is no form " form > "/dev/stderr"
    failed = 1
    exit 2
  }
  END { if (!failed && NR == 0) { print "keys-to-roff.sh: no keys found" > "/dev/stderr"; exit 1 } }
'
