# in refusal_words.c: a description is looked at beyond what is copied of it
s/(void)snprintf(raw, sizeof raw, "%s", text ? text : "");/strcpy(raw, text ? text : "");/
