/* SPDX-License-Identifier: MIT */
/* A host for the OAuth code: the function table of module.h, played by the test. */
#ifndef RBR_FAKE_HOST_H
#define RBR_FAKE_HOST_H

#include "modules/oauth/oauth.h"

#define FAKE_CONFIG_MAX 32
#define FAKE_DETAIL_MAX 4096

struct ringbearer_call {
	int code; /* of the last fail(); 0: none */
	char detail[FAKE_DETAIL_MAX]; /* its text, as the module wrote it: not cleaned */
	int failures; /* how often it was called */
	int logs;
	long retry_after; /* -1: not said */
	struct {
		const char *key;
		const char *value;
	} config[FAKE_CONFIG_MAX];
};

/* The table, and a call with the values every account has. */
const struct ringbearer_host *fake_host(void);
void fake_call_start(struct ringbearer_call *call);

/* Setup and teardown of a test that has one call: it starts anew, and every secret must be freed at the end. */
extern struct ringbearer_call fake_call;
extern struct rbr_oauth fake_oauth;
int fake_enter(void **state);
int fake_leave(void **state);

/* Puts VALUE under KEY, in the place of the first that is there; NULL takes it away. fake_add() puts one more. */
void fake_set(struct ringbearer_call *call, const char *key, const char *value);
void fake_add(struct ringbearer_call *call, const char *key, const char *value);

/* How many secrets were made and not freed since fake_call_start(). */
int fake_secrets(void);

/* The secret number COUNT from now on (0: the next one) is the last that cannot be made; negative: all can. */
void fake_fail_secret(int count);

#endif
