/* SPDX-License-Identifier: MIT */
/* The listener that a browser sets out from and comes back to. */
#include "config.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-host.h"
#include "modules/grants/authorization-code/loopback.h"

#define STATE "the-state"
#define DESTINATION "https://login.example.com/auth?client_id=x&state=" STATE
#define PATIENCE_MS 10000

static struct rbr_loopback loopback;

static int
enter(void **state)
{
	int rc = fake_enter(state);

	loopback = RBR_LOOPBACK_CLOSED;
	return rc;
}

static int
leave(void **state)
{
	rbr_loopback_close(&loopback);
	return fake_leave(state);
}

static int
option(int level, int name)
{
	int value = -1;
	socklen_t size = sizeof value;

	assert_int_equal(getsockopt(loopback.sockets[0], level, name, &value, &size), 0);
	return value;
}

static void
a_free_port_is_shared_with_nobody(void **state)
{
	char registered[RBR_REDIRECT_MAX + 16];

	(void)state;
	assert_int_equal(rbr_loopback_open(&fake_oauth, NULL, &loopback), 0);
	assert_int_equal(option(SOL_SOCKET, SO_REUSEADDR), 0);
	(void)snprintf(registered, sizeof registered, "http://%s/cb", loopback.host);
	rbr_loopback_close(&loopback);
	assert_int_equal(rbr_loopback_open(&fake_oauth, "http://127.0.0.1/cb", &loopback), 0);
	assert_int_equal(option(SOL_SOCKET, SO_REUSEADDR), 0);
	rbr_loopback_close(&loopback);
	/* One that is registered must be had again at once, whatever an earlier login has left. */
	assert_int_equal(rbr_loopback_open(&fake_oauth, registered, &loopback), 0);
	assert_int_equal(option(SOL_SOCKET, SO_REUSEADDR), 1);
	assert_string_equal(loopback.redirect_uri, registered);
}

static void
a_path_of_the_accounts_own(void **state)
{
	(void)state;
	assert_int_equal(rbr_loopback_open(&fake_oauth, NULL, &loopback), 0);
	assert_string_equal(loopback.path, "/callback/acme");
	unit_assert_contains(loopback.redirect_uri, "http://127.0.0.1:");
	unit_assert_contains(loopback.redirect_uri, "/callback/acme");
}

static void
a_redirect_uri_that_is_too_long_is_refused(void **state)
{
	char registered[RBR_REDIRECT_MAX];

	(void)state;
	memset(registered, 'a', sizeof registered);
	memcpy(registered, "http://127.0.0.1/", 17);
	registered[sizeof registered - 1] = '\0';
	assert_int_equal(rbr_loopback_open(&fake_oauth, registered, &loopback), RINGBEARER_E_CONFIG);
	assert_int_equal(loopback.sockets[0], -1);
}

/* -- visits -- */

/* The answer's first line and its Location, cut at the size. */
static void
visit(const char *target, char *answer, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t address_size = sizeof address;
	char request[1024];
	ssize_t got;
	size_t used = 0;

	assert_int_equal(getsockname(loopback.sockets[0], (struct sockaddr *)&address, &address_size), 0);
	assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
	(void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, loopback.host);
	assert_int_equal(send(client, request, strlen(request), 0), strlen(request));
	while (used < size - 1 && (got = recv(client, answer + used, size - 1 - used, 0)) > 0)
		used += (size_t)got;
	answer[used] = '\0';
	(void)close(client);
}

static void
answers(const char *target, const char *status)
{
	char answer[4096];

	visit(target, answer, sizeof answer);
	answer[strcspn(answer, "\r")] = '\0';
	unit_assert_contains(answer, status);
}

/* Waits for the state in another process, which ends with 0 if it has come with the code. */
static pid_t
wait_elsewhere(void)
{
	static struct rbr_callback callback;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		int rc = rbr_loopback_wait(&fake_oauth, &loopback, STATE, PATIENCE_MS, &callback);

		_exit(rc == 0 && callback.code && strcmp(callback.code, "c") == 0 ? 0 : 1);
	}
	return child;
}

static void
has_ended_well(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* qemu-user runs programs whose bytes stand the other way round than the kernel's, which writes the table of connections. */
static bool
the_kernel_has_another_order(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	FILE *table = fopen("/proc/net/tcp", "re");
	char line[512], swapped[32];
	bool found = false;

	assert_int_equal(bind(listening, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(swapped, sizeof swapped, "%08X:%04X", __builtin_bswap32(address.sin_addr.s_addr),
		ntohs(address.sin_port));
	while (table && !found && fgets(line, sizeof line, table))
		found = strstr(line, swapped) != NULL;
	if (table)
		(void)fclose(table);
	(void)close(listening);
	return found;
}

static void
nobody_comes_back_who_has_not_set_out(void **state)
{
	char answer[4096], location[256];
	pid_t child;

	(void)state;
	if (the_kernel_has_another_order())
		skip();
	assert_int_equal(rbr_loopback_open(&fake_oauth, "http://127.0.0.1/callback", &loopback), 0);
	assert_int_equal(rbr_loopback_lead(&fake_oauth, &loopback, DESTINATION), 0);
	unit_assert_lacks(loopback.start, STATE);
	loopback.guarded = true;
	child = wait_elsewhere();
	answers("/callback?code=c&state=" STATE, " 400 ");
	answers("/start/", " 404 ");
	answers("/start/0123456789012345678901234567890123456789012", " 404 ");
	visit(loopback.start_path, answer, sizeof answer);
	unit_assert_contains(answer, " 303 ");
	(void)snprintf(location, sizeof location, "\r\nLocation: %s\r\n", DESTINATION);
	unit_assert_contains(answer, location);
	answers(loopback.start_path, " 410 "); /* once */
	answers("/callback?code=c&state=guessed", " 400 ");
	answers("/callback?code=c&state=" STATE, " 303 ");
	has_ended_well(child);
}

static void
who_was_shown_the_request_need_not_come_by_us(void **state)
{
	pid_t child;

	(void)state;
	assert_int_equal(rbr_loopback_open(&fake_oauth, "http://127.0.0.1/callback", &loopback), 0);
	assert_int_equal(rbr_loopback_lead(&fake_oauth, &loopback, DESTINATION), 0);
	child = wait_elsewhere();
	answers("/callback?code=c&state=" STATE, " 303 ");
	has_ended_well(child);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_free_port_is_shared_with_nobody),
		TEST(a_path_of_the_accounts_own),
		TEST(a_redirect_uri_that_is_too_long_is_refused),
		TEST(nobody_comes_back_who_has_not_set_out),
		TEST(who_was_shown_the_request_need_not_come_by_us),
	};

	return cmocka_run_group_tests_name("loopback", tests, NULL, NULL);
}
