# in account.c: what is too long for a value of the provider is cut
s/length < 0 || length >= EXPANSION_MAX/length < 0/
