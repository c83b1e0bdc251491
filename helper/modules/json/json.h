/* SPDX-License-Identifier: MIT */
/*
 * JSON from a server or a caller, read strictly. json-c alone takes single quotes, NaN, control characters in strings, repeated
 * members (the last wins) and text after a NUL, even in its strict mode; all of these are refused here.
 */
#ifndef RBR_JSON_H
#define RBR_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#define RBR_JSON_DEPTH_MAX 8

/* The object in TEXT, or NULL if TEXT is not one JSON object. Release it with json_object_put(). Bytes of
 * a stranger: fuzz-input-json. */
struct json_object *rbr_json_parse(const char *text, size_t size);

/* The string member NAME of OBJECT: NULL if there is none, if it is no string, or if it holds a NUL. */
const char *rbr_json_text(struct json_object *object, const char *name);

/* Is the member NAME there (and not null)? */
bool rbr_json_has(struct json_object *object, const char *name);

/* Where a string member stands in a text. */
struct rbr_json_span {
	const char *text; /* from the name's quote to the value's closing one */
	size_t size;
	const char *value; /* between its quotes */
	size_t value_size;
};

/* Finds the string member NAME in a TEXT that may be no JSON, or not yet. False if it is not there to its end, or twice,
 * or has more in it than printable ASCII without escapes. */
bool rbr_json_find(const char *text, size_t size, const char *name, struct rbr_json_span *ret_span);

#endif
