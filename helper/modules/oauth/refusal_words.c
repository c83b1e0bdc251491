/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "refusal_words.h"

#include <stdio.h>
#include <string.h>

#include "modules/json/json.h"

#define RAW_MAX 8192 /* bytes of the server's text that are looked at */
#define HEAD_SHOWN 200 /* of a text that is too long */

void
rbr_clean_text(const struct rbr_oauth *oauth, const char *text, char ret_text[RBR_CLEAN_TEXT_MAX])
{
	char raw[RAW_MAX];
	size_t used = 0, i;

	(void)snprintf(raw, sizeof raw, "%s", text ? text : "");
	/* What is to be blotted out is looked for before anything is dropped, and afterwards again. */
	oauth->host->blot(oauth->call, raw);
	for (i = 0; raw[i]; i++)
		if (raw[i] >= 0x20 && raw[i] <= 0x7e && raw[i] != '"' && raw[i] != '\\')
			raw[used++] = raw[i];
	raw[used] = '\0';
	oauth->host->blot(oauth->call, raw);
	used = strlen(raw);
	if (used < RBR_CLEAN_TEXT_MAX)
		memcpy(ret_text, raw, used + 1);
	else
		(void)snprintf(ret_text, RBR_CLEAN_TEXT_MAX, "%.*s ... %s", HEAD_SHOWN, raw,
			raw + used - (RBR_CLEAN_TEXT_MAX - HEAD_SHOWN - sizeof " ... "));
	explicit_bzero(raw, sizeof raw);
}

static struct json_object *
member_of(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, name, &member)
		? member
		: NULL;
}

bool
rbr_token_has_error(struct json_object *object)
{
	struct json_object *error = member_of(object, "error");

	switch (json_object_get_type(error)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(error);
	case json_type_int:
		return json_object_get_int64(error) != 0;
	case json_type_string:
		return json_object_get_string_len(error) > 0;
	case json_type_object:
		return json_object_object_length(error) > 0;
	case json_type_array:
		return json_object_array_length(error) > 0;
	default:
		return true;
	}
}

/* The first member of OBJECT among NAMES that is a text with something in it. */
static const char *
first_text(struct json_object *object, const char *const *names)
{
	for (; *names; names++) {
		const char *text = json_object_is_type(object, json_type_object) ? rbr_json_text(object, *names) : NULL;

		if (text && *text)
			return text;
	}
	return NULL;
}

/* Name and text, wherever a service has put them: as the standard says, in an object of their own, or beside no `error` at
 * all. */
static void
read_words(const struct rbr_oauth *oauth, struct json_object *object, struct rbr_refusal *refusal)
{
	static const char *const names[] = {"code", "errorCode", "error_code", "error", "type", "status", NULL};
	static const char *const texts[] = {"error_description", "message", "error_message", "errorSummary",
		"description", "detail", "reason", NULL};
	static const char *const hints[] = {"error_hint", "hint", NULL};
	struct json_object *error = member_of(object, "error"), *inner = NULL;
	const char *name = NULL, *text = NULL, *hint = first_text(object, hints);
	char both[RAW_MAX];

	refusal->has_error = rbr_token_has_error(object);
	if (json_object_is_type(error, json_type_array))
		error = json_object_array_get_idx(error, 0);
	if (json_object_is_type(error, json_type_object))
		inner = error;
	else if (json_object_is_type(error, json_type_string))
		name = refusal->has_error ? json_object_get_string(error) : NULL;
	if (inner) {
		name = first_text(inner, names);
		text = first_text(inner, texts);
	} else if (!refusal->has_error) {
		name = first_text(object, names);
	}
	if (!text)
		text = first_text(object, texts);
	(void)snprintf(both, sizeof both, "%s%s%s", text ? text : "", text && hint ? " " : "", hint ? hint : "");
	rbr_clean_text(oauth, name, refusal->error);
	rbr_clean_text(oauth, both, refusal->text);
	explicit_bzero(both, sizeof both);
}

static void
make_reason(struct rbr_refusal *refusal)
{
	bool named = refusal->error[0] != '\0', told = refusal->text[0] != '\0';

	(void)snprintf(refusal->reason, sizeof refusal->reason, "(%.*s%s%s%sstatus %ld)",
		told ? RBR_ERROR_NAME_SHOWN : RBR_CLEAN_TEXT_MAX - 1, refusal->error, named && told ? ": " : "",
		refusal->text, named || told ? ", " : "", refusal->status);
}

void
rbr_refusal_read(
	const struct rbr_oauth *oauth, struct json_object *object, long status, struct rbr_refusal *ret_refusal)
{
	ret_refusal->status = status;
	read_words(oauth, object, ret_refusal);
	make_reason(ret_refusal);
}
