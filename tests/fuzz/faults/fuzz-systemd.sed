# in systemd.c: a unit's name may have a slash in it
s/strchr(address + unit + 1, '\/')/0/
