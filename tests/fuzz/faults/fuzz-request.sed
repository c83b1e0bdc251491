# in challenge.c: a quoted value is written to its end, whatever the room
s/if (value && used + 1 < size)/if (value \&\& (used + 1 < size || (quoted \&\& used > 30)))/
