/* SPDX-License-Identifier: MIT */
/* Secrets in text: whatever stands around it, and in whichever form it is put there, nothing of a secret is left that node or a
 * shell could make it of. The first bytes choose the form, the secret and where it goes. */
#include "config.h"

#include "fuzz.h"
#include "person/blot.h"

#define TEXT_MAX 700 /* there is no limit to pass */
#define SECRET_MIN 4
#define SECRET_MAX 64

FUZZ_UP_TO(TEXT_MAX)

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct buffer {
	char text[6 * 6 * 4 * SECRET_MAX];
	size_t size;
};

static void
add(struct buffer *out, const char *text, size_t size)
{
	FUZZ_EXPECT(out->size + size < sizeof out->text);
	memcpy(out->text + out->size, text, size);
	out->size += size;
	out->text[out->size] = '\0';
}

/* IN in one of the forms; CHOICE has bits that the forms use as they like. */
static void
wrap(unsigned form, unsigned choice, const struct buffer *in, struct buffer *out)
{
	char piece[16];
	size_t i;

	out->size = 0;
	out->text[0] = '\0';
	if (form == 4)
		add(out, "xyz", choice % 4); /* digits of something else: every alignment */
	for (i = 0; i < in->size; i++) {
		unsigned char c = (unsigned char)in->text[i];
		int needless = (choice >> i % 13) & 1;

		if (form == 1 && (needless || c == '%' || c == '+' || c <= ' ' || c == '&'))
			add(out, piece, (size_t)snprintf(piece, sizeof piece, choice & 1 ? "%%%02x" : "%%%02X", c));
		else if (form == 2 && (needless || c == '"' || c == '\\' || c < ' ') && c < 0x80)
			add(out, piece, (size_t)snprintf(piece, sizeof piece, "\\u%04x", c));
		else if (form == 3 && (c == '&' || c == '<' || (needless && c < 0x80)))
			add(out, piece, (size_t)snprintf(piece, sizeof piece, choice & 2 ? "&#x%x;" : "&#%02u;", c));
		else if (form == 5)
			add(out, piece, (size_t)snprintf(piece, sizeof piece, choice & 1 ? "%02x" : "%02X", c));
		else if (form != 4)
			add(out, in->text + i, 1);
	}
	for (i = 0; form == 4 && i < in->size; i += 3) {
		size_t left = in->size - i < 3 ? in->size - i : 3;
		uint32_t bits = (uint32_t)(unsigned char)in->text[i] << 16 |
			(left > 1 ? (uint32_t)(unsigned char)in->text[i + 1] << 8 : 0) |
			(left > 2 ? (unsigned char)in->text[i + 2] : 0);
		char four[4] = {
			digits64[bits >> 18], digits64[bits >> 12 & 63], digits64[bits >> 6 & 63], digits64[bits & 63]};

		add(out, four, left + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buffer once, twice, plain;
	struct ringbearer_secret *secret, *first;
	const struct ringbearer_secret *secrets[2];
	unsigned form, outer, choice;
	size_t length, before, i;
	char *text, *rest;

	if (size < 8)
		return 0;
	form = data[0] % 6;
	outer = data[1] % 6;
	choice = (unsigned)data[2] << 8 | data[3];
	length = SECRET_MIN + data[4] % (SECRET_MAX - SECRET_MIN);
	before = data[5];
	data += 6;
	size -= 6;
	if (size < length || memchr(data, '\0', size))
		return 0;
	plain.size = 0;
	add(&plain, (const char *)data, length);
	secret = rbr_secret_new(data, length);
	data += length;
	size -= length;
	if (before > size)
		before = size;
	if (outer == form && (form == 4 || form == 5))
		outer = 0; /* once is what is looked for */
	wrap(form, choice, &plain, &once);
	wrap(outer, choice >> 3, &once, &twice);
	text = malloc(size + twice.size + 3);
	FUZZ_EXPECT(secret && text);
	/* Blanks keep it apart: digits beside it would make digits of it that stand for something else. */
	memcpy(text, data, before);
	text[before] = ' ';
	memcpy(text + before + 1, twice.text, twice.size);
	text[before + 1 + twice.size] = ' ';
	memcpy(text + before + 2 + twice.size, data + before, size - before);
	text[size + 2 + twice.size] = '\0';
	rest = strdup(text);
	first = rbr_secret_new("another secret", 14);
	FUZZ_EXPECT(rest && first);
	secrets[0] = first;
	secrets[1] = secret;
	rbr_blot(text, secrets, 2);
	FUZZ_EXPECT(strlen(text) == size + 2 + twice.size);
	for (i = 0; text[i]; i++)
		FUZZ_EXPECT(text[i] == rest[i] || text[i] == '*');
	for (i = 0; i < twice.size; i++)
		FUZZ_EXPECT(text[before + 1 + i] == '*');
	FUZZ_EXPECT(!memmem(text, strlen(text), secret->data, secret->size) ||
		strspn(rbr_secret_string(secret), "*") == secret->size);
	rbr_secret_free(secret);
	rbr_secret_free(first);
	free(text);
	free(rest);
	return 0;
}
