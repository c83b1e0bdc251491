# in headers.c: a host is kept that is one byte longer than there is room for
s/(size_t)(p - host) < sizeof headers->location_host/(size_t)(p - host) <= sizeof headers->location_host/
