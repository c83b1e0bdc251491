/* SPDX-License-Identifier: MIT */
/* systemd's LoadCredential=: which unit asks for which credential. */
#ifndef RBR_CALLERS_SYSTEMD_H
#define RBR_CALLERS_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_UNIT_NAME_MAX 255 /* systemd's own limit */

struct rbr_unit_request {
	char unit[RBR_UNIT_NAME_MAX + 1];
	char credential[RBR_UNIT_NAME_MAX + 1];
};

/*
 * Takes apart the abstract address that a service manager binds before it connects (systemd.exec(5), LoadCredential=):
 * ADDRESS of SIZE bytes is a NUL, up to 16 hexadecimal digits, "/unit/", the unit's name, "/", the credential's name. False
 * if it is anything else.
 */
bool rbr_unit_request_parse(const char *address, size_t size, struct rbr_unit_request *ret_request);

/* Does the value ALLOWED of `allow_unit` name UNIT? "name@.service" names every instance of that template. */
bool rbr_unit_is_allowed(const char *allowed, const char *unit);

#endif
