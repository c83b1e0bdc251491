# SPDX-License-Identifier: MIT
# awk -f rooms.awk rooms FILE …: which includes run up, or into another room's inside? FILEs are named from the top of the
# tree, where it runs. Exit status 1 if there are any, or if a file is in no room.
BEGIN { stair = 0 }
function fail(text) {
  print FILENAME ":" FNR ": " text
  failed = 1
}
function folder(file) { return file ~ /\// ? substr(file, 1, match(file, /\/[^\/]*$/) - 1) : "." }
function exists(file, line, status) {
  if (!(file in there)) {
    status = (getline line < file)
    close(file)
    there[file] = status >= 0
  }
  return there[file]
}
# From the file's own folder, then from those that the compiler is told.
function find(name, i, count, places, file) {
  count = split(folder(FILENAME) " . helper protocol", places, " ")
  for (i = 1; i <= count; i++) {
    file = places[i] == "." ? name : places[i] "/" name
    if (exists(file))
      return file
  }
  return ""
}
FNR == NR {
  if (/^(#|$)/)
    next
  if (/^---/) {
    stair++
    next
  }
  room = $1
  sub(/:$/, "", room)
  floor[stair, room] = ++floors
  if (!(room in stair_of))
    stair_of[room] = stair
  for (i = 2; i <= NF; i++)
    offers[stair, room, $i] = 1
  next
}
FNR == 1 {
  here = folder(FILENAME)
  if (!(here in stair_of))
    fail("the folder " here " is no room: give it a line in tests/rooms")
}
/^#include "/ && !/"(config|folders)\.h"/ {
  name = $2
  gsub(/"/, "", name)
  file = find(name)
  there_room = folder(file)
  if (file == "" || there_room == here)
    next
  header = file
  sub(/.*\//, "", header)
  at = stair_of[here]
  if (!((at, there_room) in floor))
    fail(here " is on another stair than " there_room)
  else if (floor[at, there_room] > floor[at, here])
    fail(here " looks up to " there_room)
  else if (!((at, there_room, header) in offers))
    fail(header " is " there_room "'s own")
}
END { exit failed }
