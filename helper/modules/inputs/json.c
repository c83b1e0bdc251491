/* SPDX-License-Identifier: MIT */
/* JSON from a caller, as lines `name=value`. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "modules/json/json.h"
#include "protocol/module.h"

#define DOCUMENT_MAX (128 * 1024) /* bytes */
#define MEMBERS_MAX 512 /* values that are handed over */
#define NAME_MAX_SIZE 256 /* of a name with those around it, with its NUL */

static const struct ringbearer_host *host;

struct flat {
	struct ringbearer_call *call;
	struct ringbearer_secret *message;
	char name[NAME_MAX_SIZE]; /* of the value at hand */
	unsigned members;
};

static int
refuse(struct flat *flat, const char *what, const char *advice)
{
	return host->fail(flat->call, RINGBEARER_E_MALFORMED_REQUEST, "%s%s%s; %s", flat->name,
		flat->name[0] != '\0' ? " " : "", what, advice);
}

static int
add_line(struct flat *flat, const char *value, size_t size)
{
	size_t i;

	if (size == 0 && strchr(flat->name, '[') != NULL)
		return 0; /* it would empty the list so far */
	for (i = 0; i < size; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return refuse(flat, "has a control character", "take it out");
	if (++flat->members > MEMBERS_MAX)
		return refuse(flat, "is one value too many", "send fewer");
	if (host->secret_append(flat->message, flat->name, strlen(flat->name)) < 0 ||
		host->secret_append(flat->message, "=", 1) < 0 || host->secret_append(flat->message, value, size) < 0 ||
		host->secret_append(flat->message, "\n", 1) < 0)
		return host->fail(flat->call, RINGBEARER_E_SYSTEM, "out of memory");
	return 0;
}

/* Appends TEXT to the name of the value at hand. False if that is no name that a message can have. */
static bool
go_down(struct flat *flat, const char *text)
{
	size_t used = strlen(flat->name), size = strlen(text), dot = used > 0 && strcmp(text, "[]") != 0;

	if (used + dot + size >= sizeof flat->name)
		return false;
	if (dot)
		flat->name[used] = '.';
	(void)memcpy(flat->name + used + dot, text, size + 1);
	return true;
}

static bool
is_sound(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return size > 0 && name[size] == '\0';
}

static int flatten_value(struct flat *flat, struct json_object *value);

static int
flatten_object(struct flat *flat, struct json_object *object)
{
	size_t above = strlen(flat->name);
	int rc = 0;

	json_object_object_foreach(object, name, member)
	{
		if (is_sound(name) && go_down(flat, name))
			rc = flatten_value(flat, member);
		if (rc < 0)
			break;
		flat->name[above] = '\0';
	}
	return rc;
}

static int
flatten_list(struct flat *flat, struct json_object *list)
{
	size_t above = strlen(flat->name), i;
	int rc = 0;

	if (!go_down(flat, "[]"))
		return 0;
	for (i = 0; rc == 0 && i < json_object_array_length(list); i++)
		rc = flatten_value(flat, json_object_array_get_idx(list, i));
	if (rc == 0)
		flat->name[above] = '\0';
	return rc;
}

static int
flatten_value(struct flat *flat, struct json_object *value)
{
	const char *text;

	switch (json_object_get_type(value)) {
	case json_type_null:
		return 0;
	case json_type_object:
		return flatten_object(flat, value);
	case json_type_array:
		return flatten_list(flat, value);
	case json_type_string:
		return add_line(flat, json_object_get_string(value), (size_t)json_object_get_string_len(value));
	default:
		text = json_object_get_string(value);
		return text ? add_line(flat, text, strlen(text))
			    : host->fail(flat->call, RINGBEARER_E_SYSTEM, "out of memory");
	}
}

static int
flatten(struct ringbearer_call *call, const char *text, size_t size, struct ringbearer_secret **ret_message)
{
	struct flat flat = {.call = call, .message = host->secret_new("", 0)};
	struct json_object *object = size <= DOCUMENT_MAX ? rbr_json_parse(text, size) : NULL;
	int rc;

	if (!flat.message)
		rc = host->fail(call, RINGBEARER_E_SYSTEM, "out of memory");
	else if (!object)
		rc = refuse(&flat, "it is no JSON object, or has a member twice, or is too deep or too long",
			"send one object as RFC 8259 says");
	else
		rc = flatten_value(&flat, object);
	json_object_put(object);
	if (rc < 0)
		host->secret_free(flat.message);
	else
		*ret_message = flat.message;
	return rc;
}

static const struct ringbearer_input operations = {
	.size = sizeof operations,
	.flatten = flatten,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "input-json",
	.family = "input",
	.operations = &operations,
};

RINGBEARER_EXPORT const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
