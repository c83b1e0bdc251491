/* SPDX-License-Identifier: MIT */
/* What the cache has of an account, for the person's commands. */
#ifndef RBR_CACHED_H
#define RBR_CACHED_H

#include "accounts/account.h"
#include "protocol/fastpath/context.h"
#include "protocol/secret.h"

/* Drops what is cached for the account NAME: every token and verdict if TOKEN is NULL, else that one token alone. What a
 * rotation has left behind stays. */
void rbr_cached_forget(const char *name, const char *token);

/* Drops everything that is cached for ACCOUNT, a rotation that is not finished included. */
void rbr_cached_forget_all(struct rbr_context *context, const struct rbr_account *account);

/* Drops all records of the account NAME, whatever they are bound to: an answer that is parked would bring its token back. */
void rbr_cached_forget_named(const char *name);

/* Calls VISIT with every access token that is cached for the account NAME; with an ISSUER (a token endpoint), only with what came
 * from there. */
typedef void (*rbr_token_visitor)(const struct ringbearer_secret *token, void *data);
void rbr_cached_tokens(const char *name, const char *issuer, rbr_token_visitor visit, void *data);

/* Somebody is to be told that the account NAME needs a login: false if that has been done, or cannot be remembered. */
bool rbr_cached_note_notice(const char *name) RBR_MUST_CHECK;

/* There was a login, or nobody could be told. */
void rbr_cached_forget_notice(const char *name);

#endif
