/* SPDX-License-Identifier: MIT */
/* What a browser is shown on the loopback address: a page without script, without third parties, light and dark. */
#ifndef RBR_PAGE_H
#define RBR_PAGE_H

#include <stdbool.h>

/* A whole HTTP response with TITLE and TEXT, which are escaped here. To be freed; NULL: no memory. */
char *rbr_page(int status, bool good, const char *title, const char *text);

/* A whole HTTP response that sends the browser to LOCATION (303). To be freed; NULL: no memory. */
char *rbr_page_elsewhere(const char *location);

#endif
