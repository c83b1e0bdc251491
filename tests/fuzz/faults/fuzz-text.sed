# in text.c: a character on an edge is on the wrong side of it
s/if (edges\[middle\] <= code)/if (edges[middle] < code)/
