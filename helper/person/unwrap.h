/* SPDX-License-Identifier: MIT */
/* The ways in which a text may be wrapped (percent, backslashes, entities, base64, hex), and taking one of them off. */
#ifndef RBR_UNWRAP_H
#define RBR_UNWRAP_H

#include <stdbool.h>
#include <stddef.h>

/* Text with some wrappings off: each byte comes from a stretch of the text as it is shown. */
struct rbr_layer_byte {
	unsigned char value;
	size_t from, to;
};

struct rbr_layer {
	struct rbr_layer_byte *bytes; /* has room for as many as the layer around it */
	size_t size;
	size_t room;
};

void rbr_layer_wipe(struct rbr_layer *layer);
bool rbr_layer_open(struct rbr_layer *layer, size_t room);

/* Nothing is wrapped in less than it is: what would not fit is a mistake of ours, and is dropped. */
void rbr_layer_put(struct rbr_layer *layer, unsigned value, size_t from, size_t to);

/* PHASE is where in a run of digits the first one stands, or a dialect. */
struct rbr_wrapping {
	size_t (*take)(const struct rbr_layer *layer, size_t at, unsigned phase, struct rbr_layer *out);
	unsigned phases;
	bool whole; /* what it does not take is no part of what it holds; once is enough */
};

#define RBR_WRAPPINGS 5
extern const struct rbr_wrapping rbr_wrappings[RBR_WRAPPINGS];

/* Takes WRAPPING off all of LAYER. False if there is nothing of the kind in it. */
bool rbr_unwrap(
	const struct rbr_layer *layer, const struct rbr_wrapping *wrapping, unsigned phase, struct rbr_layer *out);

#endif
