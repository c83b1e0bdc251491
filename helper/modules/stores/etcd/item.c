/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "item.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "protocol/url-characters.h"
#include "protocol/writer.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@:"

/* -- keys -- */

static void
write_member(struct rbr_writer *writer, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		if (strchr(LETTERS, *text)) {
			rbr_write_char(writer, *text);
		} else {
			rbr_write_char(writer, '%');
			rbr_write_char(writer, digits[(unsigned char)*text >> 4]);
			rbr_write_char(writer, digits[(unsigned char)*text & 15]);
		}
	}
	rbr_write_char(writer, '/');
}

int
rbr_etcd_item_start(const struct rbr_etcd *etcd, const struct ringbearer_item *item, struct rbr_etcd_item *ret_item)
{
	struct rbr_writer writer = rbr_writer_start(ret_item->base, sizeof ret_item->base - RBR_ETCD_NAME_MAX);

	rbr_write_text(&writer, etcd->prefix);
	write_member(&writer, item->account);
	write_member(&writer, item->kind);
	write_member(&writer, item->client_id);
	write_member(&writer, item->endpoint);
	if (!rbr_writer_fits(&writer))
		return etcd->host->fail(etcd->call, RINGBEARER_E_CONFIG,
			"what the secret is bound to is too long; use fewer or shorter `match` values");
	ret_item->item = item;
	ret_item->size = writer.used;
	return 0;
}

int
rbr_etcd_account_key(const struct rbr_etcd *etcd, const char *account, char key[RBR_ETCD_KEY_MAX])
{
	struct rbr_writer writer = rbr_writer_start(key, RBR_ETCD_KEY_MAX);

	rbr_write_text(&writer, etcd->prefix);
	if (account)
		write_member(&writer, account);
	if (!rbr_writer_fits(&writer))
		return etcd->host->fail(etcd->call, RINGBEARER_E_CONFIG, "the account's name is too long");
	return 0;
}

/* The key as a whole; the base has room for it. */
static size_t
write_key(const struct rbr_etcd_item *item, const char *name, char key[RBR_ETCD_KEY_MAX])
{
	struct rbr_writer writer = rbr_writer_start(key, RBR_ETCD_KEY_MAX);

	rbr_write(&writer, item->base, item->size);
	rbr_write_text(&writer, name);
	return writer.used;
}

void
rbr_etcd_add_key(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name)
{
	char key[RBR_ETCD_KEY_MAX];
	size_t size = write_key(item, name, key);

	rbr_etcd_add(body, "\"key\":");
	rbr_etcd_add_bytes(body, key, size);
}

void
rbr_etcd_add_prefix(struct rbr_etcd_body *body, const char *text)
{
	char end[RBR_ETCD_KEY_MAX];
	struct rbr_writer writer = rbr_writer_start(end, sizeof end);

	/* The first key behind all that begin with it: '/' has '0' behind it. */
	rbr_write(&writer, text, strlen(text) - 1);
	rbr_write_char(&writer, '/' + 1);
	rbr_etcd_add(body, "\"key\":");
	rbr_etcd_add_bytes(body, text, strlen(text));
	rbr_etcd_add(body, ",\"range_end\":");
	rbr_etcd_add_bytes(body, end, writer.used);
}

void
rbr_etcd_add_range(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name)
{
	char key[RBR_ETCD_KEY_MAX];

	(void)write_key(item, name, key);
	rbr_etcd_add_prefix(body, key);
}

/* More than 15: it is none. */
static unsigned
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* Ends the member at TEXT, a slash behind it, and decodes it in place. Returns what follows; NULL if it was not encoded by us. */
static char *
take_member(char *text)
{
	char *end = strchr(text, '/'), *to = text;

	if (!end || end == text)
		return NULL;
	for (; text < end; to++) {
		if (*text != '%') {
			if (!strchr(LETTERS, *text))
				return NULL;
			*to = *text++;
			continue;
		}
		if (end - text < 3 || digit(text[1]) > 15 || digit(text[2]) > 15)
			return NULL;
		*to = (char)(digit(text[1]) << 4 | digit(text[2]));
		if (*to == '\0' || strchr(LETTERS, *to))
			return NULL;
		text += 3;
	}
	*to = '\0';
	return end + 1;
}

bool
rbr_etcd_item_unpack(const struct rbr_etcd *etcd, char *key, struct ringbearer_item *ret_item)
{
	size_t size = strlen(etcd->prefix);
	char *members[4], *text = key + size;
	size_t i;

	if (strncmp(key, etcd->prefix, size) != 0)
		return false;
	for (i = 0; text && i < 4; i++) {
		members[i] = text;
		text = take_member(text);
	}
	if (!text || strcmp(text, RBR_ETCD_VALUE) != 0)
		return false;
	*ret_item = (struct ringbearer_item){.size = sizeof *ret_item,
		.account = members[0],
		.kind = members[1],
		.client_id = members[2],
		.endpoint = members[3]};
	return true;
}

/* -- values -- */

static int
take_key(const struct rbr_etcd *etcd, const struct ringbearer_secret *text, struct rbr_etcd_kept *kept)
{
	unsigned char bytes[RBR_SEAL_KEY_SIZE];
	const char *hex = etcd->host->secret_data(text);
	size_t size = 0;

	if (etcd->host->secret_size(text) != 2 * sizeof bytes ||
		sodium_hex2bin(bytes, sizeof bytes, hex, 2 * sizeof bytes, NULL, &size, NULL) < 0 ||
		size != sizeof bytes) {
		explicit_bzero(bytes, sizeof bytes);
		return etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the key that this machine seals with is not one; bring the right one in with `ringbearer seal import --replace`");
	}
	rbr_seal_take_key(bytes, &kept->key);
	explicit_bzero(bytes, sizeof bytes);
	kept->has_key = true;
	return 0;
}

int
rbr_etcd_find_key(const struct rbr_etcd *etcd)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	struct ringbearer_secret *text = NULL;
	int rc;

	if (!kept)
		return rbr_etcd_no_memory(etcd);
	if (kept->has_key)
		return 0;
	if (!rbr_seal_start())
		return etcd->host->fail(etcd->call, RINGBEARER_E_SYSTEM, "there is no randomness to be had");
	rc = etcd->host->local_secret(etcd->call, RINGBEARER_LOCAL_SEAL, &text);
	if (rc == 0)
		rc = take_key(etcd, text, kept);
	etcd->host->secret_free(text);
	return rc;
}

/* What a value is bound to. BOUND is the writer's. */
static int
bind(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const char *name, char bound[RBR_SEAL_BINDING_MAX],
	struct rbr_writer *ret_binding)
{
	*ret_binding = rbr_writer_start(bound, RBR_SEAL_BINDING_MAX);
	rbr_seal_bind(item->item, ret_binding);
	rbr_write(ret_binding, name, strlen(name) + 1);
	rbr_write(ret_binding, etcd->prefix, strlen(etcd->prefix) + 1);
	if (!rbr_writer_fits(ret_binding))
		return etcd->host->fail(etcd->call, RINGBEARER_E_CONFIG,
			"what the secret is bound to is too long; use fewer or shorter `match` values");
	return 0;
}

int
rbr_etcd_seal(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const char *name, const void *value,
	size_t size, struct rbr_etcd_sealed *ret_sealed)
{
	char bound[RBR_SEAL_BINDING_MAX];
	struct rbr_writer binding;
	int rc = rbr_etcd_find_key(etcd);

	if (rc == 0)
		rc = bind(etcd, item, name, bound, &binding);
	if (rc < 0)
		return rc;
	ret_sealed->size = size + RBR_SEAL_OVERHEAD;
	ret_sealed->bytes = malloc(ret_sealed->size);
	if (!ret_sealed->bytes)
		return rbr_etcd_no_memory(etcd);
	rbr_seal(&rbr_etcd_kept(etcd)->key, &binding, value, size, ret_sealed->bytes);
	return 0;
}

void
rbr_etcd_sealed_wipe(struct rbr_etcd_sealed *sealed)
{
	free(sealed->bytes); /* nothing in there is in the clear */
	*sealed = (struct rbr_etcd_sealed){NULL, 0};
}

static int
explain(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const char *name, enum rbr_seal_state state)
{
	const char *what = strcmp(name, RBR_ETCD_VALUE) == 0 ? item->item->kind : name, *wrong;

	switch (state) {
	case RBR_SEAL_OTHER_KEY:
		wrong = "was sealed with another key than this machine has; bring in the one of the machine that wrote it, with "
			"`ringbearer seal export` there and `ringbearer seal import --replace` here";
		break;
	case RBR_SEAL_LATER:
		wrong = "was written by a later version of ringbearer; install that one";
		break;
	case RBR_SEAL_MOVED:
		wrong = "is not what was kept in this place; have etcd's operators say who writes there, and give the secret again";
		break;
	case RBR_SEAL_SOUND:
	case RBR_SEAL_DAMAGED:
	default:
		wrong = "is damaged; have etcd's operators say who writes there, and give the secret again";
	}
	return etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE, "what etcd has as %s of `%.200s` %s", what,
		item->item->account, wrong);
}

int
rbr_etcd_open(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const char *name,
	const unsigned char *sealed, size_t size, struct ringbearer_secret **ret_value)
{
	char bound[RBR_SEAL_BINDING_MAX];
	struct rbr_writer binding;
	enum rbr_seal_state state = rbr_seal_open(NULL, NULL, sealed, size, NULL);
	unsigned char *value;
	int rc;

	/* Damage first: it is damage with any key. */
	if (state != RBR_SEAL_SOUND)
		return explain(etcd, item, name, state);
	rc = rbr_etcd_find_key(etcd);
	if (rc == 0)
		rc = bind(etcd, item, name, bound, &binding);
	if (rc < 0)
		return rc;
	value = malloc(size - RBR_SEAL_OVERHEAD + 1);
	if (!value)
		return rbr_etcd_no_memory(etcd);
	state = rbr_seal_open(&rbr_etcd_kept(etcd)->key, &binding, sealed, size, value);
	if (state != RBR_SEAL_SOUND)
		rc = explain(etcd, item, name, state);
	else if (!(*ret_value = etcd->host->secret_new(value, size - RBR_SEAL_OVERHEAD)))
		rc = rbr_etcd_no_memory(etcd);
	explicit_bzero(value, size - RBR_SEAL_OVERHEAD + 1);
	free(value);
	return rc;
}

int
rbr_etcd_spare(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const unsigned char *sealed, size_t size)
{
	enum rbr_seal_state state = rbr_seal_open(NULL, NULL, sealed, size, NULL);

	if (state == RBR_SEAL_SOUND && !rbr_seal_is_of(&rbr_etcd_kept(etcd)->key, sealed))
		state = RBR_SEAL_OTHER_KEY;
	if (state == RBR_SEAL_OTHER_KEY || state == RBR_SEAL_LATER)
		return explain(etcd, item, RBR_ETCD_VALUE, state);
	return 0;
}
