# in words.c: only the words of the command are counted, not the address that comes last
s/^\tif (words->count >= RBR_WORDS_MAX)/\tif (words->count > RBR_WORDS_MAX)/
