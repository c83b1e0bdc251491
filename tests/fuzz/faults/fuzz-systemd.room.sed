# in systemd.c: an address that is one byte too long is taken
s/size > sizeof text || /size > sizeof text + 1 || /
