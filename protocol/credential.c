/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "credential.h"

#include <string.h>
#include <time.h>

void
rbr_credential_wipe(struct rbr_credential *credential)
{
	rbr_message_wipe(&credential->record);
	*credential = RBR_CREDENTIAL_EMPTY;
}

struct rbr_clock
rbr_clock_now(void)
{
	struct timespec real = {0}, boot = {0};

	(void)clock_gettime(CLOCK_REALTIME, &real);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	return (struct rbr_clock){.real = real.tv_sec, .boot = boot.tv_sec};
}

bool
rbr_token_is_clean(const char *token, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (token[i] < 0x21 || token[i] > 0x7e)
			return false;
	return size > 0;
}

bool
rbr_credential_from_record(struct rbr_credential *credential)
{
	const struct rbr_message *record = &credential->record;

	credential->token = rbr_message_get(record, "token");
	credential->type = rbr_message_get(record, "type");
	credential->account = rbr_message_get(record, "account");
	credential->username = rbr_message_get(record, "username");
	credential->scope = rbr_message_get(record, "scope");
	credential->obtained = rbr_message_get_number(record, "obtained", 0);
	credential->expires = rbr_message_get_number(record, "expires", 0);
	credential->boot_expires = rbr_message_get_number(record, "boot_expires", 0);
	credential->renew_at = rbr_message_get_number(record, "renew_at", 0);
	credential->unfinished = rbr_message_get(record, "unfinished") != NULL;
	credential->id_token = rbr_message_get(record, "id_token");
	credential->id_expires = credential->id_token ? rbr_message_get_number(record, "id_expires", 0) : 0;
	credential->obtained_ms = rbr_message_get_number(record, "obtained_ms", 0);
	return credential->token && credential->type && credential->account &&
		rbr_token_is_clean(credential->token, strlen(credential->token)) &&
		(!credential->id_token || rbr_token_is_clean(credential->id_token, strlen(credential->id_token)));
}

/* When the first of the tokens ends, clock.real; 0: not known. */
static int64_t
end_of(const struct rbr_credential *credential)
{
	bool sooner = credential->expires == 0 || credential->id_expires < credential->expires;

	return credential->id_expires != 0 && sooner ? credential->id_expires : credential->expires;
}

int64_t
rbr_credential_remaining(const struct rbr_credential *credential, struct rbr_clock now)
{
	int64_t real_left, boot_left;

	if (now.real < credential->obtained || (credential->boot_expires != 0 && now.boot >= credential->boot_expires))
		return 0;
	if (end_of(credential) == 0)
		return INT64_MAX;
	real_left = end_of(credential) - now.real;
	boot_left = credential->boot_expires - now.boot;
	if (boot_left < real_left)
		real_left = boot_left;
	return real_left > 0 ? real_left : 0;
}

bool
rbr_credential_usable(const struct rbr_credential *credential, struct rbr_clock now, int64_t min_valid)
{
	int64_t end = end_of(credential), lifetime = end - credential->obtained;
	int64_t wanted = min_valid < 0 ? RBR_MIN_VALID_DEFAULT : min_valid;

	if (end != 0 && lifetime <= wanted)
		wanted = lifetime > 0 ? lifetime / 2 : 0;
	return rbr_credential_remaining(credential, now) > wanted;
}

bool
rbr_credential_ageing(const struct rbr_credential *credential, struct rbr_clock now)
{
	return credential->renew_at != 0 && now.real >= credential->renew_at;
}
