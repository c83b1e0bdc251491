# in protocol/cache.c: a component's length is left out
s/rc = rbr_secret_append(&key->text, length, (size_t)(end - length));/rc = rbr_secret_append(\&key->text, ":", 1);/
