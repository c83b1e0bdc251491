# in oauth/discovery.c: a document about another issuer whose name begins alike is believed
s/return said_size == size && memcmp(said, issuer, size) == 0/return memcmp(said, issuer, said_size < size ? said_size : size) == 0/
