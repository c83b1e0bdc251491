# in unwrap.c: escapes are read in upper case alone
s/c |= 0x20;/c |= 0;/; s/c >= 'a' \&\& c <= 'f' ? (int)(c - 'a')/c >= 'A' \&\& c <= 'F' ? (int)(c - 'A')/
