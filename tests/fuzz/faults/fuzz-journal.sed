# in index.c: a part of a line may be one byte longer than its room
s/(size_t)(end - line) >= room/(size_t)(end - line) > room/
