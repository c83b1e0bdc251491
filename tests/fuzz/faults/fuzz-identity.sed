# in oauth/identity.c: the part that is handed on is one byte larger than its room
s/to.used == sizeof octets - 1 || i + 1 == size/to.used == sizeof octets || i + 1 == size/
