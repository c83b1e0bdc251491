/* SPDX-License-Identifier: MIT */
/*
 * What an answer is: an access token (or an API key) with what is known about it, and whether it is still good.
 *
 * Lifetimes are kept on two clocks. CLOCK_REALTIME is what callers compare with; CLOCK_BOOTTIME goes on during suspend
 * and cannot be set. A token is alive only if both say so, and a wall clock that stands before the moment
 * at which the token was obtained is not believed (RFC 6749 section 5.1: expires_in counts from the answer; here it
 * counts from the moment the request was sent, which is earlier).
 */
#ifndef RBR_CREDENTIAL_H
#define RBR_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "secret.h"

/* Seconds that a token must still live where the caller does not say (`min_valid`). */
#define RBR_MIN_VALID_DEFAULT 30

struct rbr_clock {
	int64_t real; /* CLOCK_REALTIME, seconds */
	int64_t boot; /* CLOCK_BOOTTIME, seconds */
};

struct rbr_credential {
	struct rbr_message record; /* owns every string below */
	const char *token;
	const char *type; /* "Bearer" */
	const char *account;
	const char *username; /* NULL if the account names none */
	const char *scope; /* as granted; NULL if not known */
	int64_t obtained; /* clock.real when the request was sent */
	int64_t expires; /* clock.real; 0: not known, and never made up */
	int64_t boot_expires; /* clock.boot; where the expiry is not known, when to stop believing in the token */
	int64_t renew_at; /* clock.real from which a renewal ahead of time is due; 0: never */
	bool unfinished; /* the next refresh token is not in the store yet: whoever can should finish that */
	const char *id_token; /* what some forms hand out in the token's place; NULL: none */
	int64_t id_expires; /* its own end, clock.real; 0: not known */
	int64_t obtained_ms; /* CLOCK_BOOTTIME in milliseconds: which of two events came first */
};

#define RBR_CREDENTIAL_EMPTY ((struct rbr_credential){.record = {RBR_SECRET_EMPTY, NULL, 0, 0}})

void rbr_credential_wipe(struct rbr_credential *credential);

/* Both clocks, now. */
struct rbr_clock rbr_clock_now(void);

/* Fills CREDENTIAL from its record (which the caller has put there). False if the record lacks a token or holds one
 * with bytes that no token may have (outside 0x21-0x7E, RFC 6750 section 2.1). */
bool rbr_credential_from_record(struct rbr_credential *credential);

/* Bytes 0x21 to 0x7E, at least one: nothing that could break out of a line or a header. */
bool rbr_token_is_clean(const char *token, size_t size);

/* Seconds that are left on the nearer of the two clocks; 0 if it is over or the wall clock is not believable.
 * INT64_MAX if the expiry is not known. */
int64_t rbr_credential_remaining(const struct rbr_credential *credential, struct rbr_clock now);

/* May it be handed out to a caller who wants MIN_VALID more seconds (negative: the default)? A token that was never
 * good for so long is good for the first half of its life, so that short-lived ones can be cached at all. */
bool rbr_credential_usable(const struct rbr_credential *credential, struct rbr_clock now, int64_t min_valid);

/* Is a renewal ahead of time due? */
bool rbr_credential_ageing(const struct rbr_credential *credential, struct rbr_clock now);

#endif
