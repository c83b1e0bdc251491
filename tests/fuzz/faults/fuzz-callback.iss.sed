# in authorization-code/answer.c: an error is believed whoever sends it
s/explicit_bzero(callback, sizeof \*callback)/callback->code = NULL/
