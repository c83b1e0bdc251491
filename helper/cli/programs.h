/* SPDX-License-Identifier: MIT */
/* Programs on PATH. */
#ifndef RBR_PROGRAMS_H
#define RBR_PROGRAMS_H

#include <limits.h>
#include <stdbool.h>

/* Finds the first NAME in the folders of PATH that MODE (F_OK, X_OK) is true of. */
bool rbr_find_program(const char *name, int mode, char ret_path[PATH_MAX]);

#endif
