# in text.c: overlong sequences are characters
s/(size == 3 \&\& code < 0x800) || //
