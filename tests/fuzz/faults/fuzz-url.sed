# in url.c: a user name may be longer than its room
s/used + 1 >= room)/used + 1 >= room + 8)/
