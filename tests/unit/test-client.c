/* SPDX-License-Identifier: MIT */
/* libringbearer as C programs see it: requests, answers from the real kernel keyring, and programs that misbehave. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/fastpath/hit.h"
#include "protocol/ringbearer.h"

#define NOBODY 65534
#define LONG 20000 /* milliseconds: more than any of these programs takes */

static struct ringbearer_request *request;
static struct ringbearer_credential *credential;
static struct ringbearer_failure *failure;
static struct rbr_cache_key token_key;

static int
enter(void **state)
{
	int rc = unit_enter(state);

	request = ringbearer_request_new();
	credential = NULL;
	failure = NULL;
	unit_write("config/ringbearer/accounts/acme", "grant = api_key\nmatch = https://a.test/\n", 0600);
	return request ? rc : -1;
}

static int
leave(void **state)
{
	if (token_key.text.size > 0)
		rbr_cache_drop(&token_key);
	rbr_cache_key_wipe(&token_key);
	ringbearer_request_free(request);
	ringbearer_credential_free(credential);
	ringbearer_failure_free(failure);
	return unit_leave(state);
}

/* Kernels before 5.3 have no pidfd, and some versions of valgrind neither that nor a posix_spawn() that fails. */
static bool
has_pidfd(void)
{
	int handle = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return handle >= 0 && close(handle) == 0;
}

static void
set(const char *key, const char *value)
{
	assert_int_equal(ringbearer_request_set(request, key, value), 0);
}

static int
get(int timeout_ms)
{
	ringbearer_credential_free(credential);
	ringbearer_failure_free(failure);
	credential = NULL;
	failure = NULL;
	return ringbearer_get(request, timeout_ms, &credential, &failure);
}

static void
assert_fails(int rc, int code, const char *part)
{
	assert_string_equal(ringbearer_error_name(rc), ringbearer_error_name(code));
	assert_null(credential);
	assert_non_null(failure);
	unit_assert_contains(ringbearer_failure_detail(failure), part);
}

/* A program of the test's: SCRIPT for the shell. Requests of this test run it. */
static void
use_program(const char *script)
{
	char path[UNIT_PATH_MAX], text[4096];

	(void)snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
	unit_write("program", text, 0700);
	(void)snprintf(path, sizeof path, "%s/program", unit_folder());
	assert_int_equal(ringbearer_request_set_program(request, path), 0);
}

/* Keeps a token as the program would: LEFT seconds of an hour, RENEW_AT seconds from now. */
static void
keep(const char *token, int64_t left, int64_t renew_at)
{
	struct rbr_context context;
	struct rbr_request wanted = RBR_REQUEST_EMPTY;
	struct rbr_wish wish = RBR_WISH_EMPTY;
	struct rbr_credential none = RBR_CREDENTIAL_EMPTY;
	struct rbr_message record = RBR_MESSAGE_EMPTY;
	struct rbr_clock now = rbr_clock_now();

	if (!unit_has_keyring())
		skip();
	rbr_context_start(&context);
	assert_int_equal(rbr_message_add(&wanted.message, "account", "acme"), 0);
	assert_int_equal(rbr_request_understand(&wanted, NULL), 0);
	(void)rbr_hit(&context, &wanted, RBR_IF_NEEDED, &wish, &none);
	assert_int_equal(rbr_message_add(&record, "token", token), 0);
	assert_int_equal(rbr_message_add(&record, "type", "Bearer"), 0);
	assert_int_equal(rbr_message_add(&record, "account", "acme"), 0);
	assert_int_equal(rbr_message_add(&record, "username", "somebody"), 0);
	assert_int_equal(rbr_message_add(&record, "scope", "read write"), 0);
	assert_int_equal(rbr_message_add_number(&record, "obtained", now.real + left - 3600), 0);
	assert_int_equal(rbr_message_add_number(&record, "expires", now.real + left), 0);
	assert_int_equal(rbr_message_add_number(&record, "boot_expires", now.boot + left), 0);
	if (renew_at != 0)
		assert_int_equal(rbr_message_add_number(&record, "renew_at", now.real + renew_at), 0);
	assert_true(rbr_cache_write(&wish.token_key, &record, 60));
	rbr_cache_key_wipe(&token_key);
	token_key = wish.token_key;
	wish.token_key = RBR_CACHE_KEY_EMPTY;
	rbr_message_wipe(&record);
	rbr_credential_wipe(&none);
	rbr_wish_wipe(&wish);
	rbr_request_wipe(&wanted);
}

static void
test_keys(void **state)
{
	static const char *const known[] = {
		"account", "url", "username", "scope", "resource", "min_valid", "interactive"};
	static const char *const unknown[] = {"", "Account", "account ", "accounts", "password", "credential", "format",
		"capability[]", "resource[]", "wwwauth[]", "a=b", "a\nb"};
	static const char *const hostile[] = {"a\nb", "\n", "a\r", "a\r\nhost=evil.test"};
	size_t i, j;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(unknown); i++)
		assert_int_equal(ringbearer_request_set(request, unknown[i], "x"), RINGBEARER_E_USAGE);
	for (i = 0; i < RBR_ARRAY_SIZE(known); i++) {
		for (j = 0; j < RBR_ARRAY_SIZE(hostile); j++)
			assert_int_equal(ringbearer_request_set(request, known[i], hostile[j]), RINGBEARER_E_USAGE);
		set(known[i], "x");
		set(known[i], NULL);
		set(known[i], NULL);
	}
	assert_int_equal(ringbearer_request_set(request, "resource", ""), RINGBEARER_E_USAGE);
	assert_int_equal(ringbearer_request_set_program(request, "ringbearer"), RINGBEARER_E_USAGE);
	assert_int_equal(ringbearer_request_set_program(request, ""), RINGBEARER_E_USAGE);
}

static void
test_limits(void **state)
{
	char *value = malloc(70000);
	int i;

	(void)state;
	assert_non_null(value);
	memset(value, 'a', 70000);
	value[65535 - sizeof "scope="] = '\0';
	set("scope", value);
	value[65535 - sizeof "scope="] = 'a';
	value[65535 - sizeof "scope=" + 1] = '\0';
	assert_int_equal(ringbearer_request_set(request, "scope", value), RINGBEARER_E_USAGE);
	free(value);
	set("scope", NULL);
	set("account", "acme");
	for (i = 0; i < 200; i++)
		set("min_valid", "60"); /* replaces, does not pile up */
	for (i = 0; i < 200 && ringbearer_request_set(request, "resource", "https://r.test/") == 0; i++)
		;
	assert_in_range(i, 90, 100);
	set("resource", NULL);
	set("resource", "https://r.test/");
}

/* What the program reads is what was set, and a key that failed left it as it was. */
static void
test_text(void **state)
{
	(void)state;
	use_program("cat >\"${0%/*}/seen\"; echo \"$*\" >>\"${0%/*}/seen\"; echo error=busy");
	set("account", "first");
	set("url", "https://a.test/x");
	set("account", "acme");
	set("resource", "https://r.test/1");
	set("resource", "https://r.test/2");
	set("interactive", "auto");
	set("url", NULL);
	assert_int_equal(ringbearer_request_set(request, "scope", "a\nb"), RINGBEARER_E_USAGE);
	assert_fails(get(LONG), RINGBEARER_E_BUSY, "try again later");
	assert_int_equal(
		system("printf 'capability[]=authtype\\ncapability[]=error\\naccount=acme\\nresource[]=https://r.test/1\\n"
		       "resource[]=https://r.test/2\\ninteractive=auto\\nget\\n' | cmp - seen"),
		0);
}

static void
test_malformed(void **state)
{
	(void)state;
	use_program("echo ran >\"${0%/*}/ran\"");
	assert_fails(get(LONG), RINGBEARER_E_MALFORMED_REQUEST, "neither an account nor a URL");
	set("account", "acme");
	set("min_valid", "soon");
	assert_fails(get(LONG), RINGBEARER_E_MALFORMED_REQUEST, "min_valid");
	set("min_valid", "5");
	set("interactive", "yes");
	assert_fails(get(LONG), RINGBEARER_E_MALFORMED_REQUEST, "interactive");
	set("interactive", NULL);
	set("url", "not a url");
	assert_fails(get(LONG), RINGBEARER_E_MALFORMED_REQUEST, "url");
	assert_int_equal(access("ran", F_OK), -1);
}

static void
test_hit(void **state)
{
	(void)state;
	keep("cached-token", 1800, 0);
	set("account", "acme");
	assert_int_equal(ringbearer_request_set_program(request, "/nonexistent"), 0);
	assert_int_equal(get(LONG), 0);
	assert_string_equal(ringbearer_credential_token(credential), "cached-token");
	assert_string_equal(ringbearer_credential_type(credential), "Bearer");
	assert_string_equal(ringbearer_credential_account(credential), "acme");
	assert_string_equal(ringbearer_credential_username(credential), "somebody");
	assert_string_equal(ringbearer_credential_scope(credential), "read write");
	assert_in_range(ringbearer_credential_expires(credential), time(NULL) + 1795, time(NULL) + 1800);
	assert_null(ringbearer_credential_notice(credential));
	set("min_valid", "3000");
	assert_fails(get(0), RINGBEARER_E_BUSY, "cached");
	if (has_pidfd())
		assert_fails(get(LONG), RINGBEARER_E_CONFIG, "/nonexistent cannot be run: No such file");
	assert_int_equal(ringbearer_get(request, 0, &credential, NULL), RINGBEARER_E_BUSY);
}

static void
test_reject(void **state)
{
	struct ringbearer_credential *old;
	char token[32]; /* a refusal goes by it, in whichever process it is kept */

	(void)state;
	(void)snprintf(token, sizeof token, "refused-%ld", (long)getpid());
	keep(token, 1800, 0);
	set("account", "acme");
	assert_int_equal(get(0), 0);
	old = credential;
	credential = NULL;
	assert_int_equal(ringbearer_reject(old), 0);
	assert_fails(get(0), RINGBEARER_E_BUSY, "cached");
	keep("renewed", 1800, 0);
	assert_int_equal(ringbearer_reject(old), 0);
	assert_int_equal(get(0), 0);
	assert_string_equal(ringbearer_credential_token(credential), "renewed");
	ringbearer_credential_free(old);
}

/* Before anything is kept: it is kept for the file as it is. */
static void
open_to_all(void)
{
	static const char *const folders[] = {
		"", "/config", "/config/ringbearer", "/config/ringbearer/accounts", "/config/ringbearer/accounts/acme"};
	char path[UNIT_PATH_MAX + 64];
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof path, "%s%s", unit_folder(), folders[i]);
		assert_int_equal(chmod(path, 0755), 0);
	}
}

/* A session's keyring outlives a change of user: what was answered before it is not to be read after it. */
static bool
another_user_is_not_answered(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 ||
		syscall(SYS_keyctl, KEYCTL_LINK, (long)KEY_SPEC_USER_KEYRING, (long)KEY_SPEC_SESSION_KEYRING, 0, 0) < 0)
		return false;
	return get(0) == 0 && get(0) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0 && get(0) == RINGBEARER_E_BUSY;
}

static void
test_change_of_user(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	open_to_all();
	keep("of-root", 1800, 0);
	set("account", "acme");
	assert_true(unit_passes_elsewhere(another_user_is_not_answered));
}

/* One that is to be renewed is handed out at once, and one program is sent, in ten seconds, however many ask. */
static void
test_ageing(void **state)
{
	int i;

	(void)state;
	keep("ageing", 1800, -10);
	use_program("cat >/dev/null; echo ran >>\"${0%/*}/ran\"");
	set("account", "acme");
	assert_int_equal(get(0), 0); /* nobody is sent */
	assert_int_equal(access("ran", F_OK), -1);
	for (i = 0; i < 20; i++) {
		assert_int_equal(get(LONG), 0);
		assert_string_equal(ringbearer_credential_token(credential), "ageing");
	}
	assert_int_equal(
		system("i=0; until [ -s ran ] || [ $i = 100 ]; do sleep 0.1; i=$((i + 1)); done; [ \"$(wc -l <ran)\" = 1 ]"),
		0);
}

#define ANSWER "echo authtype=Bearer; echo credential=T; echo account=acme"

static void
test_answers(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *part;
	} cases[] = {
		{"cat >/dev/null; echo error=login_required; echo 'error_description=log in; do it'",
			RINGBEARER_E_LOGIN_REQUIRED, "log in; do it"},
		{"echo error=not_known_yet", RINGBEARER_E_SYSTEM, ""},
		{"echo error=ok", RINGBEARER_E_SYSTEM, ""},
		{"printf 'error=config\\nerror_description=\\033]0;x'", RINGBEARER_E_CONFIG, "?]0;x"},
		{":", RINGBEARER_E_SYSTEM, "no answer"},
		{"kill -9 $$", RINGBEARER_E_SYSTEM, "no answer"},
		{"echo 'ringbearer: acme: it broke; mend it' >&2; exit 7", RINGBEARER_E_SYSTEM,
			"acme: it broke; mend it"},
		{"echo nonsense", RINGBEARER_E_SYSTEM, "its answer, line 1"},
		{"echo authtype=Bearer; echo account=acme", RINGBEARER_E_SYSTEM, "no answer"},
		{"echo authtype=Bearer; echo account=acme; printf 'credential=a\\033b\\n'", RINGBEARER_E_SYSTEM,
			"no answer"},
		{"echo authtype=Bearer; echo account=acme; echo 'credential=a b'", RINGBEARER_E_SYSTEM, "no answer"},
		{"yes key=value", RINGBEARER_E_SYSTEM, "longer than"},
	};
	size_t i;

	(void)state;
	set("account", "acme");
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		use_program(cases[i].script);
		assert_fails(get(LONG), cases[i].code, cases[i].part);
		assert_int_equal(ringbearer_failure_retry_after(failure), 0);
	}
	use_program("echo error=temporarily_unavailable; echo retry_after=17");
	assert_fails(get(LONG), RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	assert_int_equal(ringbearer_failure_retry_after(failure), 17);
	use_program(ANSWER);
	assert_int_equal(get(LONG), 0);
	assert_string_equal(ringbearer_credential_token(credential), "T");
	assert_int_equal(ringbearer_credential_expires(credential), 0);
	assert_null(ringbearer_credential_username(credential));
	assert_null(ringbearer_credential_scope(credential));
	assert_null(ringbearer_credential_notice(credential));
	use_program(ANSWER
		"; echo '(a library says something)' >&2; echo 'ringbearer: acme: open the keyring' >&2; exit 4");
	assert_int_equal(get(-1), 0);
	assert_string_equal(ringbearer_credential_notice(credential), "acme: open the keyring");
	use_program(ANSWER "; yes >&2"); /* nobody has to read all that */
	assert_int_equal(get(LONG), 0);
}

static void
wait_for_children(void)
{
	siginfo_t info;
	int i;

	for (i = 0; i < 500 && (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD); i++)
		(void)usleep(20000);
	assert_in_range(i, 0, 499);
}

/* Late programs: one that obeys, one that must not be cut off, and one that said all and stays. */
static void
test_deadline(void **state)
{
	(void)state;
	if (!has_pidfd())
		skip();
	set("account", "acme");
	use_program("exec sleep 60");
	assert_fails(get(50), RINGBEARER_E_BUSY, "in time");
	wait_for_children();
	use_program(
		"trap 'echo told >\"${0%/*}/told\"' TERM; echo >\"${0%/*}/up\"; i=0; until [ -e told ]; do sleep 0.1; done; "
		"sleep 0.3; echo >\"${0%/*}/finished\"");
	assert_fails(get(2000), RINGBEARER_E_BUSY, "in time");
	assert_int_equal(access("up", F_OK), 0);
	assert_int_equal(access("finished", F_OK), -1);
	wait_for_children();
	assert_int_equal(access("finished", F_OK), 0);
	use_program(ANSWER "; exec >&- 2>&-; exec sleep 60");
	assert_int_equal(get(1000), 0);
	assert_string_equal(ringbearer_credential_token(credential), "T");
	wait_for_children();
}

/* A process that another thread started keeps the pipes open: the child's own end counts. */
static void
test_strangers(void **state)
{
	(void)state;
	if (!has_pidfd())
		skip();
	set("account", "acme");
	use_program(ANSWER "; (sleep 60 & echo $! >\"${0%/*}/stranger\")");
	assert_int_equal(get(LONG), 0);
	assert_int_equal(system("kill $(cat stranger)"), 0);
}

static void *
ask_many(void *data)
{
	long failed = 0;
	int i;

	(void)data;
	for (i = 0; i < 20; i++) {
		struct ringbearer_credential *mine;
		struct ringbearer_failure *why;

		if (ringbearer_get(request, LONG, &mine, &why) < 0) {
			failed++;
			ringbearer_failure_free(why);
		} else {
			ringbearer_credential_free(mine);
		}
	}
	return (void *)failed; /* NOLINT(performance-no-int-to-ptr) */
}

static void
test_threads(void **state)
{
	pthread_t threads[8];
	void *failed;
	size_t i;

	(void)state;
	set("account", "acme");
	use_program("cat >/dev/null; " ANSWER);
	for (i = 0; i < RBR_ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_many, NULL), 0);
	for (i = 0; i < RBR_ARRAY_SIZE(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	wait_for_children();
}

static void
test_nothing(void **state)
{
	(void)state;
	ringbearer_request_free(NULL);
	ringbearer_credential_free(NULL);
	ringbearer_failure_free(NULL);
	assert_string_equal(ringbearer_failure_detail(NULL), "");
	assert_int_equal(ringbearer_failure_retry_after(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, enter, leave),
		cmocka_unit_test_setup_teardown(test_limits, enter, leave),
		cmocka_unit_test_setup_teardown(test_text, enter, leave),
		cmocka_unit_test_setup_teardown(test_malformed, enter, leave),
		cmocka_unit_test_setup_teardown(test_hit, enter, leave),
		cmocka_unit_test_setup_teardown(test_reject, enter, leave),
		cmocka_unit_test_setup_teardown(test_change_of_user, enter, leave),
		cmocka_unit_test_setup_teardown(test_ageing, enter, leave),
		cmocka_unit_test_setup_teardown(test_answers, enter, leave),
		cmocka_unit_test_setup_teardown(test_deadline, enter, leave),
		cmocka_unit_test_setup_teardown(test_strangers, enter, leave),
		cmocka_unit_test_setup_teardown(test_threads, enter, leave),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
