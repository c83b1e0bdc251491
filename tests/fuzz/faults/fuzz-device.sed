# in device-code/device-answer.c: what is typed may have anything in it
s/if (\*p < 0x21 || \*p > 0x7e)/if (*p < 0)/
