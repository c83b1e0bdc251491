/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "kept.h"

#include <stdlib.h>
#include <string.h>

#include "http.h"

/* A login that goes from one etcd, or prefix, to another has a lease at the one while it is kept at the other. */
static struct rbr_etcd_kept all[2], *last = all;

static size_t
put(char *text, size_t at, const char *value)
{
	size_t size = value ? strlen(value) : 0;

	if (text) {
		memcpy(text + at, value ? value : "", size);
		text[at + size] = '\n';
	}
	return at + size + 1;
}

/* All that decides who is asked, and as whom. Returns its size, also if TEXT is NULL. */
static size_t
describe(const struct rbr_etcd *etcd, char *text)
{
	static const char *const keys[] = {"account", "store", "store_local", "store_user", "store_ca_file",
		"store_certificate", "store_certificate_key", "proxy", "ip_version"};
	size_t size = put(text, 0, etcd->prefix), i;

	for (i = 0; i < etcd->endpoint_count; i++)
		size = put(text, size, etcd->endpoints[i]);
	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		size = put(text, size, etcd->host->config(etcd->call, keys[i], 0));
	return size;
}

struct rbr_etcd_kept *
rbr_etcd_kept(const struct rbr_etcd *etcd)
{
	size_t size = describe(etcd, NULL), i;
	char *about = malloc(size + 1);

	if (!about)
		return NULL;
	(void)describe(etcd, about);
	about[size] = '\0';
	if (last->about && strcmp(last->about, about) == 0) {
		free(about);
		return last;
	}
	rbr_etcd_http_end();
	if (last->about)
		last = last == all ? all + 1 : all;
	if (last->about && strcmp(last->about, about) == 0) {
		free(about);
		return last;
	}
	for (i = 0; i < RBR_ETCD_BROUGHT_MAX; i++) {
		rbr_etcd_pair_wipe(&last->brought[i].pair);
		free(last->brought[i].base);
	}
	etcd->host->secret_free(last->token);
	free(last->about);
	explicit_bzero(last, sizeof *last);
	last->about = about;
	return last;
}
