/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unwrap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BASE64_RUN_MIN 6 /* digits that four bytes make at least: shorter secrets are not looked for */
#define HEX_RUN_MIN 8

void
rbr_layer_wipe(struct rbr_layer *layer)
{
	if (layer->bytes)
		explicit_bzero(layer->bytes, layer->size * sizeof *layer->bytes);
	free(layer->bytes);
	layer->bytes = NULL;
}

bool
rbr_layer_open(struct rbr_layer *layer, size_t room)
{
	*layer = (struct rbr_layer){.bytes = malloc((room + 1) * sizeof *layer->bytes), .room = room};
	return layer->bytes;
}

void
rbr_layer_put(struct rbr_layer *layer, unsigned value, size_t from, size_t to)
{
	if (layer->size < layer->room)
		layer->bytes[layer->size++] = (struct rbr_layer_byte){(unsigned char)value, from, to};
}

static int
hex_digit(unsigned c)
{
	if (c >= '0' && c <= '9')
		return (int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (int)(c - 'a') + 10 : -1;
}

/* COUNT hexadecimal digits from AT on; -1 if they are not all there. */
static long
hex_number(const struct rbr_layer *layer, size_t at, size_t count)
{
	long number = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		int digit = at + i < layer->size ? hex_digit(layer->bytes[at + i].value) : -1;

		if (digit < 0)
			return -1;
		number = number * 16 + digit;
	}
	return number;
}

/* The character CODE, which SIZE bytes from AT on stand for, as UTF-8; six of them can hold the longest. */
static void
put_character(const struct rbr_layer *layer, size_t at, size_t size, long code, struct rbr_layer *out)
{
	size_t from = layer->bytes[at].from, to = layer->bytes[at + size - 1].to;

	if (code < 0x80) {
		rbr_layer_put(out, (unsigned)code, from, to);
		return;
	}
	if (code >= 0x10000) {
		rbr_layer_put(out, 0xf0 | (unsigned)(code >> 18 & 7), from, to);
		rbr_layer_put(out, 0x80 | (unsigned)(code >> 12 & 63), from, to);
	} else if (code >= 0x800) {
		rbr_layer_put(out, 0xe0 | (unsigned)(code >> 12 & 15), from, to);
	}
	if (code >= 0x800)
		rbr_layer_put(out, 0x80 | (unsigned)(code >> 6 & 63), from, to);
	else
		rbr_layer_put(out, 0xc0 | (unsigned)(code >> 6 & 31), from, to);
	rbr_layer_put(out, 0x80 | (unsigned)(code & 63), from, to);
}

/* %XX; in the second dialect + is a blank. How many bytes were taken, 0 if none. */
static size_t
take_percent(const struct rbr_layer *layer, size_t at, unsigned phase, struct rbr_layer *out)
{
	unsigned char c = layer->bytes[at].value;
	long value;

	if (c == '+' && phase == 1) {
		rbr_layer_put(out, ' ', layer->bytes[at].from, layer->bytes[at].to);
		return 1;
	}
	value = c == '%' ? hex_number(layer, at + 1, 2) : -1;
	if (value < 0)
		return 0;
	rbr_layer_put(out, (unsigned)value, layer->bytes[at].from, layer->bytes[at + 2].to);
	return 3;
}

/* \uXXXX (with its pair where it has one), \xXX, \n and the like; any other character stands for itself. */
static size_t
take_backslash(const struct rbr_layer *layer, size_t at, unsigned phase, struct rbr_layer *out)
{
	static const char names[] = "bfnrt0", meanings[] = "\b\f\n\r\t";
	const struct rbr_layer_byte *bytes = layer->bytes;
	const char *name;
	long value, low;
	unsigned char c;

	(void)phase;
	if (bytes[at].value != '\\' || at + 1 >= layer->size)
		return 0;
	c = bytes[at + 1].value;
	value = c == 'u' ? hex_number(layer, at + 2, 4) : -1;
	if (value >= 0xd800 && value <= 0xdbff && at + 7 < layer->size && bytes[at + 6].value == '\\' &&
		bytes[at + 7].value == 'u' && (low = hex_number(layer, at + 8, 4)) >= 0xdc00 && low <= 0xdfff) {
		put_character(layer, at, 12, 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00), out);
		return 12;
	}
	if (value >= 0) {
		put_character(layer, at, 6, value, out);
		return 6;
	}
	value = c == 'x' ? hex_number(layer, at + 2, 2) : -1;
	if (value >= 0) {
		rbr_layer_put(out, (unsigned)value, bytes[at].from, bytes[at + 3].to);
		return 4;
	}
	name = c != '\0' ? strchr(names, c) : NULL;
	rbr_layer_put(out, name ? (unsigned char)meanings[name - names] : c, bytes[at].from, bytes[at + 1].to);
	return 2;
}

/* Does LAYER have WORD at AT? */
static bool
has_word(const struct rbr_layer *layer, size_t at, const char *word)
{
	for (; *word; word++, at++)
		if (at >= layer->size || layer->bytes[at].value != (unsigned char)*word)
			return false;
	return true;
}

/* &amp; and its four sisters, &#38; and &#x26; */
static size_t
take_entity(const struct rbr_layer *layer, size_t at, unsigned phase, struct rbr_layer *out)
{
	static const struct {
		const char *name;
		char meaning;
	} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
	bool hex = has_word(layer, at, "&#x") || has_word(layer, at, "&#X");
	size_t i, end = at + (hex ? 3 : 2);
	long code = 0;

	(void)phase;
	for (i = 0; i < sizeof entities / sizeof *entities; i++)
		if (has_word(layer, at, entities[i].name)) {
			put_character(layer, at, strlen(entities[i].name), entities[i].meaning, out);
			return strlen(entities[i].name);
		}
	if (!has_word(layer, at, "&#"))
		return 0;
	for (; end < layer->size && code <= 0x10ffff; end++) {
		int digit = hex_digit(layer->bytes[end].value);

		if (digit < 0 || (!hex && digit > 9))
			break;
		code = code * (hex ? 16 : 10) + digit;
	}
	if (end >= layer->size || layer->bytes[end].value != ';' || code > 0x10ffff || end - at < 4)
		return 0;
	put_character(layer, at, end + 1 - at, code, out);
	return end + 1 - at;
}

static int
base64_digit(unsigned c)
{
	if (c >= 'A' && c <= 'Z')
		return (int)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (int)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (int)(c - '0') + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* A run of digits with BITS bits each, from the one at PHASE on; padding belongs to it. The whole run is where each byte comes
 * from. */
static size_t
take_run(const struct rbr_layer *layer, size_t at, unsigned phase, int (*digit)(unsigned), unsigned bits, size_t least,
	struct rbr_layer *out)
{
	size_t end = at, i, last;
	uint32_t held = 0;
	unsigned filled = 0;

	while (end < layer->size && digit(layer->bytes[end].value) >= 0)
		end++;
	if (end - at < least)
		return end - at; /* nothing of it: what is next is no neighbour */
	for (last = end; last < layer->size && layer->bytes[last].value == '='; last++)
		;
	for (i = at + phase; i < end; i++) {
		held = held << bits | (uint32_t)digit(layer->bytes[i].value);
		filled += bits;
		if (filled >= 8) {
			filled -= 8;
			rbr_layer_put(out, held >> filled & 0xff, layer->bytes[at].from, layer->bytes[last - 1].to);
		}
	}
	return end - at;
}

static size_t
take_base64(const struct rbr_layer *layer, size_t at, unsigned phase, struct rbr_layer *out)
{
	return take_run(layer, at, phase, base64_digit, 6, BASE64_RUN_MIN, out);
}

static size_t
take_hex(const struct rbr_layer *layer, size_t at, unsigned phase, struct rbr_layer *out)
{
	return take_run(layer, at, phase, hex_digit, 4, HEX_RUN_MIN, out);
}

const struct rbr_wrapping rbr_wrappings[RBR_WRAPPINGS] = {
	{take_percent, 2, false},
	{take_backslash, 1, false},
	{take_entity, 1, false},
	{take_base64, 4, true},
	{take_hex, 2, true},
};

bool
rbr_unwrap(const struct rbr_layer *layer, const struct rbr_wrapping *wrapping, unsigned phase, struct rbr_layer *out)
{
	size_t at, taken, before;
	bool changed = false;

	for (at = 0; at<layer->size; at += taken> 0 ? taken : 1) {
		const struct rbr_layer_byte *byte = &layer->bytes[at];

		before = out->size;
		taken = wrapping->take(layer, at, phase, out);
		changed = changed || out->size > before;
		if (taken == 0 || (wrapping->whole && out->size == before))
			rbr_layer_put(out, wrapping->whole ? '\0' : byte->value, byte->from, byte->to);
	}
	return changed;
}
