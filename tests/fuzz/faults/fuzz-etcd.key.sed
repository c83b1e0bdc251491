# in stores/etcd/item.c: what need not be encoded is decoded all the same, so that two keys are one item
s/ || strchr(LETTERS, \*to))$/)/
