# in grants/device-code.c: what is typed may have anything in it
s/if (\*text < 0x21 || \*text > 0x7e)/if (*text < 0)/
