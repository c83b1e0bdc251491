# SPDX-License-Identifier: MIT
# fill.awk: a manual page, with what the tables of commands and of formats say in the place of these:
#   @SUMMARY@     what the page's command does, in a line
#   @SYNOPSIS@    how it is used
#   @OPTION --X@  the tag of its option X, and what the help says of that
#   @FORMS@       the forms of an answer, a list
#   @COMMANDS@    all the commands, a list
# awk -v command=NAME -f fill.awk COMMAND.C FORMATS.C PAGE

function complain(text) {
  print "fill.awk: " text > "/dev/stderr"
  failed = 1
  exit 1
}

# Text that roff reads as it stands. What stands between ` is bold.
function plain(text,    parts, count, i, out) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/\047/, "\\(aq", text)
  gsub(/~/, "\\(ti", text)
  gsub(/\^/, "\\(ha", text)
  gsub(/…/, "...", text)
  count = split(text, parts, "`")
  for (i = 1; i <= count; i++)
    out = out (i % 2 ? parts[i] : "\\fB" parts[i] "\\fR")
  return out
}

function sentence(text) { return plain(toupper(substr(text, 1, 1)) substr(text, 2)) "." }

# Usage as help has it: options and words that are typed are bold, what somebody puts in is in italics.
function usage(text,    out, at, word) {
  while (text != "") {
    if (match(text, /^(--)?[a-z][a-z-]*/) || match(text, /^--/)) {
      out = out "\\fB" plain(substr(text, 1, RLENGTH)) "\\fR"
    } else if (match(text, /^[A-Z]+/)) {
      out = out "\\fI" tolower(substr(text, 1, RLENGTH)) "\\fR"
    } else {
      at = match(text, /^ …/)
      RLENGTH = at ? RLENGTH : 1
      out = out (at ? "\\ ..." : substr(text, 1, 1))
    }
    text = substr(text, RLENGTH + 1)
  }
  return out
}

# The options in ABOUT, as help has them ("  --name=VALUE  what it does"): their tags and what they do.
function read_options(about,    lines, count, i, line, name) {
  count = split(about, lines, "\n")
  for (i = 1; i <= count; i++) {
    line = lines[i]
    if (line !~ /^  --[a-z-]+(=[A-Z]+)?  +[^ ]/)
      continue
    sub(/^ +/, "", line)
    name = line
    sub(/[= ].*/, "", name)
    order[++options] = name
    tag[name] = substr(line, 1, index(line, " ") - 1)
    sub(/^[^ ]+ +/, "", line)
    does[name] = line
  }
}

# An entry of a table in C: the strings in its fields.
function entry(file, field) {
  if (file == 1) {
    names[++commands] = field[1]
    summary[field[1]] = field[4]
    if (field[1] == command) {
      arguments = field[3]
      read_options(field[5])
    }
  } else {
    forms[++formats] = field[1]
    form[field[1]] = field[2]
  }
}

function read_table(file, text,    field, at, depth, part) {
  while (match(text, /"([^"\\]|\\.)*"|[{},]/)) {
    part = substr(text, RSTART, RLENGTH)
    text = substr(text, RSTART + RLENGTH)
    if (part == "{" && ++depth) {
      at = 1
      split("", field)
    } else if (part == ",") {
      at++
    } else if (part != "}") {
      part = substr(part, 2, length(part) - 2)
      gsub(/\\n/, "\n", part)
      gsub(/\\"/, "\"", part)
      field[at] = field[at] part
    } else if (depth-- && field[1] != "") {
      entry(file, field)
    }
  }
}

# One line for each way to use it: they stand with | between them, outside of brackets.
function print_synopsis(    text, i, depth, all, char, line) {
  for (i = 1; i <= options; i++)
    if (index(arguments, order[i]) == 0)
      all = all (all ? " " : "") "[" tag[order[i]] "]"
  text = arguments
  if (!sub(/\[OPTION …\]/, all, text) && all)
    text = text (text ? " " : "") all
  print ".nh\n.ad l"
  for (i = 1; i <= length(text) + 1; i++) {
    char = i > length(text) ? "|" : substr(text, i, 1)
    depth += (char == "[") - (char == "]")
    if (char != "|" || depth > 0 || (i <= length(text) && substr(text, i - 1, 3) != " | ")) {
      line = line char
      continue
    }
    gsub(/^ +| +$/, "", line)
    print ".HP\n\\fBringbearer " plain(command) "\\fR" (line ? " " usage(line) : "")
    line = ""
  }
  print ".ad b\n.hy"
}

FNR == 1 { files++ }

files < 3 {
  if ($0 ~ /\[\] = \{$/)
    inside = 1
  if (inside)
    table[files] = table[files] $0 "\n"
  if ($0 == "};")
    inside = 0
  next
}

files == 3 && FNR == 1 {
  sub(/^[^{]*\{/, "", table[1])
  sub(/^[^{]*\{/, "", table[2])
  read_table(1, table[1])
  read_table(2, table[2])
  if (commands < 5 || formats < 5)
    complain("the tables cannot be read")
  if (command != "" && !(command in summary))
    complain("there is no command " command)
}

/^@SYNOPSIS@$/ { print_synopsis(); next }

/^@OPTION --[a-z-]+@$/ {
  name = substr($2, 1, length($2) - 1)
  if (!(name in tag))
    complain(command " has no option " name)
  print ".TP\n" usage(tag[name])
  if (does[name] !~ /@/)
    print sentence(does[name])
  told[name] = 1
  next
}

/^@FORMS@$/ {
  print ".RS"
  for (i = 1; i <= formats; i++)
    print ".TP\n.B " plain(forms[i]) "\n" sentence(form[forms[i]])
  print ".RE"
  next
}

/^@COMMANDS@$/ {
  for (i = 1; i <= commands; i++)
    print ".TP\n.BR ringbearer\\-" plain(names[i]) " (1)\n" sentence(summary[names[i]])
  next
}

{
  at = index($0, "@SUMMARY@")
  print at ? substr($0, 1, at - 1) plain(summary[command]) substr($0, at + 9) : $0
}

END {
  for (i = 1; i <= options && !failed; i++)
    if (!(order[i] in told))
      complain("the page of " command " does not tell of " order[i])
}
