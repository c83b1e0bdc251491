# in url.c: `..` goes up beyond the root
s/while (out > path && \*--out/while (*--out/
