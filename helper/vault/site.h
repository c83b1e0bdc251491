/* SPDX-License-Identifier: MIT */
/* The place that a password is for, as a request names it, as an item has it (storage.h) and as a person reads it. */
#ifndef RBR_SITE_H
#define RBR_SITE_H

#include "protocol/fastpath/context.h"
#include "protocol/fastpath/request.h"
#include "protocol/fastpath/url.h"
#include "protocol/module.h"
#include "vault.h"

#define RBR_SITE_LABEL_MAX 400

struct rbr_site {
	char origin[RBR_BINDING_MAX];
	char endpoint[RBR_BINDING_MAX];
	bool has_path;
	const char *username; /* the request's; NULL: anybody's */
};

/* RINGBEARER_E_MALFORMED_REQUEST if nothing can be stored for such a place. */
int rbr_site_locate(struct rbr_context *context, const struct rbr_request *request, struct rbr_site *ret_site)
	RBR_MUST_CHECK;

/* Is ITEM a password that fits SITE? */
bool rbr_site_has(const struct rbr_site *site, const struct ringbearer_item *item);

/* The attribute that stands for USERNAME (may be NULL), and the name that it stands for ("" for none). */
const char *rbr_site_client_id(const char *username);
const char *rbr_site_username(const char *client_id);

/* For the keyring's viewer; a slash would make folders in one of them. */
void rbr_site_label(const struct rbr_request *request, const char *username, char ret_label[RBR_SITE_LABEL_MAX]);

/* ENDPOINT has a port always; a person need not see the one that its scheme has anyway, nor the 0 of a scheme without one. */
void rbr_site_show(const char *endpoint, char ret_url[RBR_URL_MAX]);

#endif
