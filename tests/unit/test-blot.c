/* SPDX-License-Identifier: MIT */
/* Secrets in text that somebody else wrote, in whatever form they come. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "person/blot.h"

static void
blotted(const char *text, const char *secret, size_t secret_size, const char *expected)
{
	struct ringbearer_secret *hidden = rbr_secret_new(secret, secret_size);
	const struct ringbearer_secret *const secrets[] = {NULL, hidden};
	char line[512];

	assert_non_null(hidden);
	strcpy(line, text);
	rbr_blot(line, secrets, 2);
	assert_string_equal(line, expected);
	rbr_secret_free(hidden);
}

static void
the_secret_itself(void **state)
{
	char text[] = "stays";
	const struct ringbearer_secret *const none[] = {NULL, NULL};

	(void)state;
	blotted("the hunter2 is out", UNIT_BYTES("hunter2"), "the ******* is out");
	blotted("hunter2", UNIT_BYTES("hunter2"), "*******");
	blotted("hunter2hunter2 hunter2", UNIT_BYTES("hunter2"), "************** *******");
	blotted("hunter", UNIT_BYTES("hunter2"), "hunter");
	blotted("", UNIT_BYTES("hunter2"), "");
	blotted("Hunter2", UNIT_BYTES("hunter2"), "Hunter2");
	blotted("abcd", UNIT_BYTES("abcd"), "****");
	/* too short to be looked for: it would blot out words */
	blotted("abc", UNIT_BYTES("abc"), "abc");
	blotted("a", UNIT_BYTES(""), "a");
	rbr_blot(text, none, 2);
	assert_string_equal(text, "stays");
	/* every occurrence, also where two share bytes */
	blotted("aaaaaa", UNIT_BYTES("aaaa"), "******");
	blotted("xabcabcabcx", UNIT_BYTES("abcabc"), "x*********x");
}

static void
its_escapes(void **state)
{
	(void)state;
	/* a form's, with needless ones and in lower case */
	blotted("s=p%40ss%2Fw%2B1;", UNIT_BYTES("p@ss/w+1"), "s=**************;");
	blotted("s=p%40ss%2fw%2b1;", UNIT_BYTES("p@ss/w+1"), "s=**************;");
	blotted("s=%70@s%73/w+1;", UNIT_BYTES("p@ss/w+1"), "s=************;");
	blotted("s=a+long+secret%21;", UNIT_BYTES("a long secret!"), "s=****************;");
	blotted("s=a%20long%20secret!;", UNIT_BYTES("a long secret!"), "s=******************;");
	/* twice, and of a secret that looks like an escape */
	blotted("s=p%2540ss;", UNIT_BYTES("p@ss"), "s=********;");
	blotted("s=a%41%;", UNIT_BYTES("a%41%"), "s=*****;");
	blotted("s=a%2541%25;", UNIT_BYTES("a%41%"), "s=*********;");
	/* JSON's */
	blotted("\"p\\\"w\\\\d\\/\"", UNIT_BYTES("p\"w\\d/"), "\"*********\"");
	blotted("p\\u0040s\\u0073", UNIT_BYTES("p@ss"), "**************");
	blotted("p\\u00e4ss\\ud83d\\udd11", UNIT_BYTES("p\xc3\xa4ss\xf0\x9f\x94\x91"), "*********************");
	/* HTML's */
	blotted("<p>a&amp;b&#60;c&#x3E;</p>", UNIT_BYTES("a&b<c>"), "<p>*******************</p>");
	/* broken ones stand for themselves */
	blotted("p%4ss p%zzs p\\u00zz p&#; p&#x; p%", UNIT_BYTES("p@ss"), "p%4ss p%zzs p\\u00zz p&#; p&#x; p%");
}

static void
its_digits(void **state)
{
	(void)state;
	/* base64 of poc:p@ss/word+4711!, as Basic has it, raw and with each part form-encoded; of its neighbours all goes */
	blotted("Basic cG9jOnBAc3Mvd29yZCs0NzExIQ==", UNIT_BYTES("p@ss/word+4711!"),
		"Basic ****************************");
	blotted("Basic cG9jOnAlNDBzcyUyRndvcmQlMkI0NzExJTIx.", UNIT_BYTES("p@ss/word+4711!"),
		"Basic ************************************.");
	/* the same in an escaped form, and in base64url */
	blotted("h=cG9jOnBAc3Mvd29yZCs0NzExIQ%3D%3D", UNIT_BYTES("p@ss/word+4711!"),
		"h=********************************");
	blotted("-_8-cEBzcy93b3Jk", UNIT_BYTES("p@ss/word"), "****************");
	/* behind something that could be digits as well: every alignment */
	blotted("x/cEBzcy93b3Jk", UNIT_BYTES("p@ss/word"), "**************");
	blotted("xx/cEBzcy93b3Jk", UNIT_BYTES("p@ss/word"), "***************");
	blotted("xyz/cEBzcy93b3Jk", UNIT_BYTES("p@ss/word"), "****************");
	/* hexadecimal, both cases */
	blotted("is 7040737321 or 704073732F.", UNIT_BYTES("p@ss"), "is ********** or **********.");
	blotted("f7040737321", UNIT_BYTES("p@ss"), "***********");
	/* other digits stay */
	blotted("aGVsbG8gd29ybGQ= 68656c6c6f", UNIT_BYTES("p@ss/word"), "aGVsbG8gd29ybGQ= 68656c6c6f");
}

/* Somebody cut it, here or there. */
static void
its_beginning(void **state)
{
	(void)state;
	blotted("got abcdefghijkl.", UNIT_BYTES("abcdefghijklmnopqrstuvwxyz"), "got ************.");
	blotted("got abcdefghijk.", UNIT_BYTES("abcdefghijklmnopqrstuvwxyz"), "got abcdefghijk.");
	blotted("got abcdefgh", UNIT_BYTES("abcdefghijklmnopqrstuvwxyz"), "got ********");
	blotted("got abcdefg", UNIT_BYTES("abcdefghijklmnopqrstuvwxyz"), "got abcdefg");
	blotted("got YWJjZGVmZ2hpamts", UNIT_BYTES("abcdefghijklmnopqrstuvwxyz"), "got ****************");
}

/* A page of nothing but what could be digits and escapes takes no time to speak of, and a secret at its end is found. */
static void
much_text(void **state)
{
	static const char secret[] = "p@ss/word+4711!";
	struct ringbearer_secret *hidden = rbr_secret_new(secret, sizeof secret - 1);
	const struct ringbearer_secret *const secrets[] = {hidden};
	char *text = malloc(8192);
	size_t i;

	(void)state;
	assert_non_null(hidden);
	assert_non_null(text);
	for (i = 0; i < 8191; i++)
		text[i] = "%\\&ab+/41x"[i % 10];
	memcpy(text + 8191 - (sizeof secret - 1), secret, sizeof secret - 1);
	text[8191] = '\0';
	rbr_blot(text, secrets, 1);
	assert_null(strstr(text, "word"));
	assert_string_equal(text + 8191 - (sizeof secret - 1), "***************");
	free(text);
	rbr_secret_free(hidden);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_secret_itself),
		cmocka_unit_test(its_escapes),
		cmocka_unit_test(its_digits),
		cmocka_unit_test(its_beginning),
		cmocka_unit_test(much_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
