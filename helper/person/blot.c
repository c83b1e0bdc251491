/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "blot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unwrap.h"

#define LOOKED_FOR_MIN 4 /* bytes of a secret: anything shorter would blot out words */
#define BEGINNING_MIN 12 /* bytes that tell a secret by its beginning */
#define BEGINNING_LAST_MIN 8 /* the same at the end of the text */
#define WRAPPINGS_MAX 3 /* one in another */

struct blotting {
	const struct ringbearer_secret *const *secrets;
	size_t count;
	bool *marked; /* for each byte of the text: it goes */
	bool failed;
};

static void
mark(struct blotting *blotting, const struct rbr_layer *layer, size_t at, size_t size)
{
	size_t i, j;

	for (i = at; i < at + size; i++)
		for (j = layer->bytes[i].from; j < layer->bytes[i].to; j++)
			blotting->marked[j] = true;
}

static void
look_for(struct blotting *blotting, const struct rbr_layer *layer, const struct ringbearer_secret *secret)
{
	size_t at, same;

	if (!secret || secret->size < LOOKED_FOR_MIN)
		return;
	for (at = 0; at < layer->size; at++) {
		for (same = 0; same < secret->size && at + same < layer->size &&
			layer->bytes[at + same].value == (unsigned char)secret->data[same];
			same++)
			;
		if (same == secret->size || same >= BEGINNING_MIN ||
			(at + same == layer->size && same >= BEGINNING_LAST_MIN))
			mark(blotting, layer, at, same);
	}
}

/* USED are the wrappings that are off, one bit for each of those that need not come twice. */
static void
search(struct blotting *blotting, const struct rbr_layer *layer, unsigned depth, unsigned used)
{
	struct rbr_layer inner;
	unsigned i, phase;

	for (i = 0; i < blotting->count; i++)
		look_for(blotting, layer, blotting->secrets[i]);
	for (i = 0; depth < WRAPPINGS_MAX && i < RBR_WRAPPINGS; i++)
		for (phase = 0; !(used & 1u << i) && phase < rbr_wrappings[i].phases; phase++) {
			if (!rbr_layer_open(&inner, layer->size)) {
				blotting->failed = true;
				return;
			}
			if (rbr_unwrap(layer, &rbr_wrappings[i], phase, &inner))
				search(blotting, &inner, depth + 1, rbr_wrappings[i].whole ? used | 1u << i : used);
			rbr_layer_wipe(&inner);
		}
}

static bool
has_any(const struct ringbearer_secret *const *secrets, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (secrets[i] && secrets[i]->size >= LOOKED_FOR_MIN)
			return true;
	return false;
}

void
rbr_blot(char *text, const struct ringbearer_secret *const *secrets, size_t count)
{
	struct blotting blotting = {.secrets = secrets, .count = count};
	struct rbr_layer layer;
	size_t size = strlen(text), i;

	if (size == 0 || !has_any(secrets, count))
		return;
	blotting.marked = calloc(size, sizeof *blotting.marked);
	blotting.failed = !rbr_layer_open(&layer, size) || !blotting.marked;
	if (!blotting.failed) {
		for (i = 0; i < size; i++)
			rbr_layer_put(&layer, (unsigned char)text[i], i, i + 1);
		search(&blotting, &layer, 0, 0);
	}
	for (i = 0; i < size; i++)
		if (blotting.failed || blotting.marked[i])
			text[i] = '*';
	rbr_layer_wipe(&layer);
	free(blotting.marked);
}
