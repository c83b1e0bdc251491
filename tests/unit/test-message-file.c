/* SPDX-License-Identifier: MIT */
/* The codec's other ends: the dialect of files, and reading a request from a descriptor. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "protocol/message.h"

static int
parse(struct rbr_message *message, const char *text, size_t size, struct rbr_error *error)
{
	return rbr_message_parse(message, text, size, RBR_DIALECT_FILE, "/etc/some file", RINGBEARER_E_CONFIG, error);
}

static void
take(struct rbr_message *message, const char *text)
{
	struct rbr_error error = {0};

	assert_int_equal(parse(message, text, strlen(text), &error), 0);
}

static void
refuse(const char *text, size_t size, const char *detail)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	assert_int_equal(parse(&message, text, size, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, detail);
	rbr_message_wipe(&message);
}

/* -- files -- */

static void
comments_and_blank_lines_are_skipped(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	take(&message, "# a comment\n\n \t \n  # another = one\na=1\n#\n\nb=2");
	assert_int_equal(message.count, 2);
	assert_string_equal(rbr_message_get(&message, "a"), "1");
	assert_int_equal(message.entries[0].line, 5);
	assert_string_equal(rbr_message_get(&message, "b"), "2");
	assert_int_equal(message.entries[1].line, 8);
	rbr_message_wipe(&message);
}

static void
blanks_around_key_and_value_are_cut(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	take(&message, " \ta\t = \t1 2\t \nb=3\nc =\nd= # no comment\ne==f\ng h=i\n");
	assert_int_equal(message.count, 6);
	assert_string_equal(rbr_message_get(&message, "a"), "1 2");
	assert_string_equal(rbr_message_get(&message, "b"), "3");
	assert_string_equal(rbr_message_get(&message, "c"), "");
	assert_string_equal(rbr_message_get(&message, "d"), "# no comment");
	assert_string_equal(rbr_message_get(&message, "e"), "=f");
	assert_string_equal(rbr_message_get(&message, "g h"), "i");
	rbr_message_wipe(&message);
}

static void
files_are_refused_as_the_wire_is(void **state)
{
	(void)state;
	refuse(UNIT_BYTES("a=1\nb=\0\n"), "/etc/some file, line 2: holds a NUL");
	refuse(UNIT_BYTES("# \0\n"), "line 1: holds a NUL");
	refuse(UNIT_BYTES("a=1\r\n"), "line 1: holds a carriage return");
	refuse(UNIT_BYTES("# x\r\n"), "line 1: holds a carriage return");
	refuse(UNIT_BYTES("\n\nnothing\n"), "line 3: has no `=`");
	refuse(UNIT_BYTES(" = 1\n"), "line 1: has an empty key");
}

static void
a_file_has_64_kibibytes_at_most(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	char *text = malloc(RBR_MESSAGE_FILE_MAX + 1);
	struct rbr_error error = {0};

	(void)state;
	assert_non_null(text);
	memset(text, '#', RBR_MESSAGE_FILE_MAX + 1);
	text[1000] = text[RBR_MESSAGE_FILE_MAX - 1] = text[RBR_MESSAGE_FILE_MAX] = '\n';
	assert_int_equal(parse(&message, text, RBR_MESSAGE_FILE_MAX, &error), 0);
	refuse(text, RBR_MESSAGE_FILE_MAX + 1, "/etc/some file: is longer than 65536 bytes");
	/* the wire takes more */
	memset(text, 'a', 1000);
	memcpy(text, "a=", 2);
	memcpy(text + 1001, "b=", 2);
	assert_int_equal(rbr_message_parse(&message, text, RBR_MESSAGE_FILE_MAX + 1, RBR_DIALECT_WIRE, "it",
				 RINGBEARER_E_CONFIG, &error),
		0);
	rbr_message_wipe(&message);
	free(text);
}

static void
a_line_of_a_file_has_its_limit_too(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	char *text = malloc(RBR_LINE_MAX + 1);
	struct rbr_error error = {0};

	(void)state;
	assert_non_null(text);
	memset(text, ' ', RBR_LINE_MAX + 1);
	text[RBR_LINE_MAX] = '\n';
	refuse(text, RBR_LINE_MAX + 1, "line 1: is longer than 65535 bytes");
	text[RBR_LINE_MAX - 1] = '\n';
	assert_int_equal(parse(&message, text, RBR_LINE_MAX, &error), 0);
	rbr_message_wipe(&message);
	free(text);
}

/* -- reading -- */

/* A socket that hands out what was written to the other end piece by piece, one in each read(). */
static void
open_pieces(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	(void)alarm(60); /* for a read() that waits for more than it needs */
}

static void
close_both(int ends[2])
{
	(void)alarm(0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
send_bytes(int descriptor, const char *text)
{
	for (; *text; text++)
		assert_int_equal(write(descriptor, text, 1), 1);
}

static void
reading_stops_at_the_blank_line(void **state)
{
	static const char *const requests[] = {"host=a\n\n", "host=a\nwwwauth[]=\n\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct rbr_message message = RBR_MESSAGE_EMPTY;
		struct rbr_error error = {0};
		int ends[2];

		open_pieces(ends); /* nobody closes it: only the blank line ends the request */
		send_bytes(ends[1], requests[i]);
		send_bytes(ends[1], "later");
		assert_int_equal(rbr_message_read(&message, ends[0], &error), 0);
		assert_string_equal(rbr_message_get(&message, "host"), "a");
		rbr_message_wipe(&message);
		close_both(ends);
	}
}

static void
a_blank_line_alone_is_an_empty_request(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};
	int ends[2];

	(void)state;
	open_pieces(ends);
	send_bytes(ends[1], "\n");
	assert_int_equal(rbr_message_read(&message, ends[0], &error), 0);
	assert_int_equal(message.count, 0);
	rbr_message_wipe(&message);
	close_both(ends);
}

static void
the_end_of_the_input_ends_the_request(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};
	int ends[2];

	(void)state;
	open_pieces(ends);
	send_bytes(ends[1], "host=a\npath=b");
	(void)shutdown(ends[1], SHUT_WR);
	assert_int_equal(rbr_message_read(&message, ends[0], &error), 0);
	assert_string_equal(rbr_message_get(&message, "path"), "b");
	rbr_message_wipe(&message);
	close_both(ends);
}

static int
read_file(struct rbr_message *message, size_t size, char filler, const char *head, struct rbr_error *error)
{
	int file = memfd_create("request", MFD_CLOEXEC), rc;
	char *text = malloc(size);
	size_t i;

	assert_non_null(text);
	memset(text, filler, size);
	for (i = 0; i < size; i += 1024) {
		memcpy(text + i, head, i + strlen(head) <= size ? strlen(head) : size - i);
		if (i + 1023 < size)
			text[i + 1023] = '\n';
	}
	assert_int_equal(write(file, text, size), (ssize_t)size);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	rc = rbr_message_read(message, file, error);
	(void)close(file);
	free(text);
	return rc;
}

static void
long_requests_are_read_in_full_or_refused(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	assert_int_equal(read_file(&message, RBR_MESSAGE_MAX, 'v', "k=", &error), 0);
	assert_int_equal(message.count, 1024);
	rbr_message_wipe(&message);
	assert_int_equal(read_file(&message, RBR_MESSAGE_MAX + 1, 'v', "k=", &error), RINGBEARER_E_MALFORMED_REQUEST);
	unit_assert_contains(error.detail, "the request: is longer than 1048576 bytes");
	rbr_message_wipe(&message);
	assert_int_equal(
		read_file(&message, RBR_MESSAGE_MAX + 100000, 'v', "k=", &error), RINGBEARER_E_MALFORMED_REQUEST);
	unit_assert_contains(error.detail, "the request: is longer than 1048576 bytes");
	rbr_message_wipe(&message);
}

static void
bytes_that_are_refused_are_refused_here_too(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	assert_int_equal(read_file(&message, 4096, '\0', "k=", &error), RINGBEARER_E_MALFORMED_REQUEST);
	unit_assert_contains(error.detail, "NUL");
	rbr_message_wipe(&message);
	assert_int_equal(read_file(&message, 4096, '\r', "k=", &error), RINGBEARER_E_MALFORMED_REQUEST);
	unit_assert_contains(error.detail, "carriage return");
	rbr_message_wipe(&message);
}

static void
a_descriptor_that_cannot_be_read_is_an_error(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	assert_int_equal(rbr_message_read(&message, -1, &error), RINGBEARER_E_SYSTEM);
	unit_assert_contains(error.detail, "cannot be read");
	rbr_message_wipe(&message);
}

static int late_write = -1;

/* Every tick interrupts read(); the third one writes what it waits for. */
static void
tick(int number)
{
	static volatile sig_atomic_t ticks;

	(void)number;
	if (++ticks == 3 && write(late_write, "host=a\n\n", 8) != 8)
		abort();
}

static void
signals_do_not_disturb_reading(void **state)
{
	struct sigaction action = {.sa_handler = tick}, before;
	struct itimerval timer = {{0, 20000}, {0, 20000}}, none = {{0, 0}, {0, 0}};
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	late_write = ends[1];
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
	assert_int_equal(rbr_message_read(&message, ends[0], &error), 0);
	(void)setitimer(ITIMER_REAL, &none, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	assert_string_equal(rbr_message_get(&message, "host"), "a");
	rbr_message_wipe(&message);
	close_both(ends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_and_blank_lines_are_skipped),
		cmocka_unit_test(blanks_around_key_and_value_are_cut),
		cmocka_unit_test(files_are_refused_as_the_wire_is),
		cmocka_unit_test(a_file_has_64_kibibytes_at_most),
		cmocka_unit_test(a_line_of_a_file_has_its_limit_too),
		cmocka_unit_test(reading_stops_at_the_blank_line),
		cmocka_unit_test(a_blank_line_alone_is_an_empty_request),
		cmocka_unit_test(the_end_of_the_input_ends_the_request),
		cmocka_unit_test(long_requests_are_read_in_full_or_refused),
		cmocka_unit_test(bytes_that_are_refused_are_refused_here_too),
		cmocka_unit_test(a_descriptor_that_cannot_be_read_is_an_error),
		cmocka_unit_test(signals_do_not_disturb_reading),
	};

	return cmocka_run_group_tests_name("message-file", tests, NULL, NULL);
}
