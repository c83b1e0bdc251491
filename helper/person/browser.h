/* SPDX-License-Identifier: MIT */
/* The browser of the person who logs in. */
#ifndef RBR_BROWSER_H
#define RBR_BROWSER_H

#include <stdbool.h>

/*
 * Opens URL (https, or http to a loopback literal, in characters of URLs only) with what BROWSER names, else with xdg-open where
 * there is a display, and does not wait for it. BROWSER is a list of commands with colons between them, as xdg-open(1) and
 * Python read it; the first that can be started is, and the next if that ends badly while the login waits. No shell is asked. It gets no descriptor of ours and the default signals;
 * what it says goes nowhere. False if there is none.
 */
bool rbr_browser_open(const char *url);

/* What BROWSER says; NULL if it says nothing. */
const char *rbr_browser_named(void);

#endif
