# in secret-service/value.c: base64 that somebody else wrote otherwise is taken
s/same = decoded_size > 0 \&\& again_size == size \&\& memcmp/same = decoded_size > 0 \&\& again_size <= size || !memcmp/
