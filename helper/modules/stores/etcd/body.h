/* SPDX-License-Identifier: MIT */
/* What is said to etcd: JSON, put together from literals, base64 and numbers. */
#ifndef RBR_ETCD_BODY_H
#define RBR_ETCD_BODY_H

#include "etcd.h"

struct rbr_etcd_body {
	const struct rbr_etcd *etcd;
	struct ringbearer_secret *text;
	bool failed; /* memory is short, or it is too long */
};

struct rbr_etcd_body rbr_etcd_body_start(const struct rbr_etcd *etcd);
void rbr_etcd_body_wipe(struct rbr_etcd_body *body);

/* Is it whole? RINGBEARER_E_SYSTEM if not. */
int rbr_etcd_body_check(const struct rbr_etcd_body *body) __attribute__((warn_unused_result));

/* As it is; TEXT is a piece of JSON. */
void rbr_etcd_add(struct rbr_etcd_body *body, const char *text);
/* In base64, between quotes. */
void rbr_etcd_add_bytes(struct rbr_etcd_body *body, const void *bytes, size_t size);
/* Text of others, between quotes, escaped. */
void rbr_etcd_add_text(struct rbr_etcd_body *body, const char *text, size_t size);
/* Between quotes, as etcd has them. */
void rbr_etcd_add_number(struct rbr_etcd_body *body, int64_t number);

#endif
