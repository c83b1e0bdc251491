/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "answer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "modules/json/json.h"

#define NUMBER_MAX (INT64_MAX - 9) /* what is larger becomes this at least */

static struct json_object *
member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &value) ||
		!json_object_is_type(value, type))
		return NULL;
	return value;
}

bool
rbr_etcd_number(struct json_object *object, const char *name, int64_t *ret_number)
{
	int64_t number = 0;

	if (rbr_json_has(object, name) &&
		(!rbr_json_number(object, name, &number) || number < 0 || number >= NUMBER_MAX))
		return false;
	*ret_number = number;
	return true;
}

/* What a range has found, or the last one of a transaction. */
static struct json_object *
find_pairs(struct json_object *object)
{
	struct json_object *responses = member(object, "responses", json_type_array), *range = NULL;
	size_t i;

	if (!responses)
		return member(object, "kvs", json_type_array);
	for (i = 0; i < json_object_array_length(responses); i++) {
		struct json_object *found =
			member(json_object_array_get_idx(responses, i), "response_range", json_type_object);

		if (found)
			range = found;
	}
	return range ? member(range, "kvs", json_type_array) : NULL;
}

bool
rbr_etcd_answer_part(const struct rbr_etcd_answer *answer, size_t index, struct rbr_etcd_answer *ret_part)
{
	struct json_object *responses = member(answer->object, "responses", json_type_array), *range;

	memset(ret_part, 0, sizeof *ret_part);
	range = responses && index < json_object_array_length(responses)
		? member(json_object_array_get_idx(responses, index), "response_range", json_type_object)
		: NULL;
	ret_part->pairs = range ? member(range, "kvs", json_type_array) : NULL;
	return range && rbr_etcd_pair_count(ret_part) <= RBR_ETCD_KEYS_MAX;
}

bool
rbr_etcd_answer_read(const char *text, size_t size, struct rbr_etcd_answer *ret_answer)
{
	struct json_object *object = rbr_json_parse(text, size), *header, *succeeded;

	memset(ret_answer, 0, sizeof *ret_answer);
	if (!object)
		return false;
	header = member(object, "header", json_type_object);
	succeeded = member(object, "succeeded", json_type_boolean);
	ret_answer->object = object;
	ret_answer->succeeded = succeeded && json_object_get_boolean(succeeded);
	ret_answer->pairs = find_pairs(object);
	if ((!header || rbr_etcd_number(header, "revision", &ret_answer->revision)) &&
		rbr_etcd_pair_count(ret_answer) <= RBR_ETCD_KEYS_MAX)
		return true;
	rbr_etcd_answer_wipe(ret_answer);
	return false;
}

void
rbr_etcd_answer_wipe(struct rbr_etcd_answer *answer)
{
	json_object_put(answer->object);
	memset(answer, 0, sizeof *answer);
}

size_t
rbr_etcd_pair_count(const struct rbr_etcd_answer *answer)
{
	return answer->pairs ? json_object_array_length(answer->pairs) : 0;
}

/* Base64 to the letter, with its padding; a NUL is put behind what it was. */
static bool
take_bytes(struct json_object *pair, const char *name, unsigned char **ret_bytes, size_t *ret_size)
{
	const char *text = rbr_json_has(pair, name) ? rbr_json_text(pair, name) : "", *end = NULL;
	size_t size = text ? strlen(text) : 0;
	unsigned char *bytes = text ? malloc(size / 4 * 3 + 4) : NULL;

	if (!bytes)
		return false;
	if (sodium_base642bin(
		    bytes, size / 4 * 3 + 3, text, size, NULL, ret_size, &end, sodium_base64_VARIANT_ORIGINAL) < 0 ||
		end != text + size) {
		free(bytes);
		return false;
	}
	bytes[*ret_size] = '\0';
	*ret_bytes = bytes;
	return true;
}

bool
rbr_etcd_pair_read(const struct rbr_etcd_answer *answer, size_t index, struct rbr_etcd_pair *ret_pair)
{
	struct json_object *pair = json_object_array_get_idx(answer->pairs, index);
	size_t key_size = 0;

	memset(ret_pair, 0, sizeof *ret_pair);
	if (!json_object_is_type(pair, json_type_object))
		return false;
	if (rbr_etcd_number(pair, "mod_revision", &ret_pair->changed) && ret_pair->changed > 0 &&
		rbr_etcd_number(pair, "lease", &ret_pair->lease) &&
		take_bytes(pair, "key", (unsigned char **)&ret_pair->key, &key_size) && key_size > 0 &&
		strlen(ret_pair->key) == key_size && take_bytes(pair, "value", &ret_pair->value, &ret_pair->value_size))
		return true;
	rbr_etcd_pair_wipe(ret_pair);
	return false;
}

void
rbr_etcd_pair_wipe(struct rbr_etcd_pair *pair)
{
	free(pair->key);
	free(pair->value);
	memset(pair, 0, sizeof *pair);
}

enum rbr_etcd_news
rbr_etcd_news_read(const char *line, size_t size)
{
	struct json_object *object = rbr_json_parse(line, size), *result, *events, *canceled;
	enum rbr_etcd_news news = RBR_ETCD_NEWS_NONE;
	const char *reason;

	if (!object)
		return RBR_ETCD_NEWS_NONSENSE;
	result = member(object, "result", json_type_object);
	events = result ? member(result, "events", json_type_array) : NULL;
	canceled = result ? member(result, "canceled", json_type_boolean) : NULL;
	reason = result ? rbr_json_text(result, "cancel_reason") : NULL;
	if (!result)
		news = rbr_json_has(object, "error") ? RBR_ETCD_NEWS_OVER : RBR_ETCD_NEWS_NONSENSE;
	else if (canceled && json_object_get_boolean(canceled))
		news = reason && strstr(reason, "permission denied") ? RBR_ETCD_NEWS_DENIED : RBR_ETCD_NEWS_OVER;
	else if (events && json_object_array_length(events) > 0)
		news = RBR_ETCD_NEWS_CHANGE;
	json_object_put(object);
	return news;
}
