/* SPDX-License-Identifier: MIT */
/*
 * JSON from a server or a caller, read strictly. json-c alone takes single quotes, NaN, control characters in strings, repeated
 * members (the last wins) and text after a NUL, even in its strict mode; all of these are refused here. A byte order mark before
 * it is skipped (RFC 8259 section 8.1).
 */
#ifndef RBR_JSON_H
#define RBR_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBR_JSON_DEPTH_MAX 8

/* The object in TEXT, or NULL if TEXT is not one JSON object. Release it with json_object_put(). Bytes of
 * a stranger: fuzz-input-json. */
struct json_object *rbr_json_parse(const char *text, size_t size);

/* The same with a question mark in the place of each byte beyond ASCII, for words that may be in any encoding. */
struct json_object *rbr_json_parse_loose(const char *text, size_t size);

/* The member NAME of OBJECT as a whole number, what is behind its point cut off: a JSON number, or a decimal one in a string
 * with blanks around it, as some servers have it. What is out of range becomes the nearest that is in it. False if it is
 * neither. */
bool rbr_json_number(struct json_object *object, const char *name, int64_t *ret_number);

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
