# in head.c: a question mark is looked for behind the target as well
s/memchr(target, '?', (size_t)(end - target))/strchr(target, '?')/
