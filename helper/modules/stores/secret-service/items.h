/* SPDX-License-Identifier: MIT */
/* Finding items, by what names them. */
#ifndef RBR_SECRET_SERVICE_ITEMS_H
#define RBR_SECRET_SERVICE_ITEMS_H

#include "session.h"

struct rbr_paths {
	gchar **unlocked;
	gchar **locked;
};

void rbr_paths_free(struct rbr_paths *paths);

/* What names ITEM, an a{ss}: for searches. */
GVariant *rbr_items_names(const struct ringbearer_item *item);

/* The same as an item has it, with the type, and COUNT of MORE names and values. */
GVariant *rbr_items_attributes(const struct rbr_work *work, const char *const more[][2], guint count);

/* The attributes of ACCOUNT's items, or of all of ours if it is NULL. */
GVariant *rbr_items_attributes_of(const char *account);

/* The place that is known of the item that WORK is about, to be freed; NULL if none is. Something else may be there by
 * now, which rbr_items_is() tells by its ATTRIBUTES. */
gchar *rbr_items_place(const struct rbr_work *work);
void rbr_items_forget_place(const struct rbr_work *work);
gboolean rbr_items_is(const struct rbr_work *work, GVariant *attributes);

/* All items that have ATTRIBUTES, which may be floating. */
int rbr_items_search(struct rbr_work *work, GVariant *attributes, struct rbr_paths *ret_paths)
	__attribute__((warn_unused_result));

/* The item that WORK is about, unlocked; the one that was changed last, if there are several. RINGBEARER_E_NO_SECRET if there
 * is none in an open keyring. */
int rbr_items_find(struct rbr_work *work, gchar **ret_path) __attribute__((warn_unused_result));

/* Shows VISIT all of ACCOUNT's items (all of ours if it is NULL), the one that was changed last first. */
int rbr_items_visit(struct rbr_work *work, const char *account, ringbearer_item_visitor visit, void *data)
	__attribute__((warn_unused_result));

#endif
