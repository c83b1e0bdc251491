/* SPDX-License-Identifier: MIT */
/* The address that a service manager binds, and the names of units: who asks for what. */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "callers/systemd.h"
#include "fuzz.h"

FUZZ_UP_TO(2 * sizeof(struct sockaddr_un))

/* The address that would say the same. */
static void
check_again(const struct rbr_unit_request *request, const char *address, size_t size)
{
	struct rbr_unit_request again;
	char text[2 * sizeof(struct sockaddr_un)];
	const char *slash = memchr(address + 1, '/', size - 1);
	int length;

	FUZZ_EXPECT(slash && slash > address + 1);
	length = snprintf(text, sizeof text, "%c%.*s/unit/%s/%s", '\0', (int)(slash - address - 1), address + 1,
		request->unit, request->credential);
	FUZZ_EXPECT(length >= 0 && (size_t)length == size && memcmp(text, address, size) == 0);
	FUZZ_EXPECT(rbr_unit_request_parse(text, size, &again));
	FUZZ_EXPECT(strcmp(again.unit, request->unit) == 0 && strcmp(again.credential, request->credential) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1), *allowed = fuzz_string(data, size);
	struct rbr_unit_request request;
	char *instance;

	FUZZ_EXPECT(text);
	memcpy(text, data, size);
	memset(&request, 'x', sizeof request);
	if (rbr_unit_request_parse(text, size, &request)) {
		FUZZ_EXPECT(size <= sizeof(struct sockaddr_un) && size > 0 && text[0] == '\0');
		FUZZ_EXPECT(
			request.unit[0] != '\0' && !strpbrk(request.unit, "/ \n*?") && fuzz_is_printable(request.unit));
		FUZZ_EXPECT(request.credential[0] != '\0' && !strchr(request.credential, '/'));
		check_again(&request, text, size);
		FUZZ_EXPECT(rbr_unit_is_allowed(request.unit, request.unit));
		/* What is allowed is the unit itself, or its template, and nothing beside. */
		if (rbr_unit_is_allowed(allowed, request.unit) && strcmp(allowed, request.unit) != 0) {
			instance = strchr(request.unit, '@');
			FUZZ_EXPECT(
				instance && strncmp(allowed, request.unit, (size_t)(instance + 1 - request.unit)) == 0);
			FUZZ_EXPECT(strcmp(strrchr(allowed, '.'), strrchr(request.unit, '.')) == 0);
		}
	}
	/* Two names in one input, at its first newline. */
	instance = strchr(allowed, '\n');
	if (instance) {
		*instance++ = '\0';
		if (rbr_unit_is_allowed(allowed, instance) && strcmp(allowed, instance) != 0)
			FUZZ_EXPECT(strchr(allowed, '@') && strchr(instance, '@') &&
				strlen(instance) >= strlen(allowed) &&
				strncmp(allowed, instance, (size_t)(strchr(allowed, '@') + 1 - allowed)) == 0);
	}
	free(text);
	free(allowed);
	return 0;
}
