# in message.c: the table of entries grows up to half of what may be in it
s/message->count < message->capacity/message->count < message->capacity || message->count >= RBR_MESSAGE_ENTRIES_MAX \/ 2/
