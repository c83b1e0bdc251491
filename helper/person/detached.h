/* SPDX-License-Identifier: MIT */
/* Programs that go on by themselves: a browser, a notice. */
#ifndef RBR_DETACHED_H
#define RBR_DETACHED_H

#include <sys/types.h>

/* Starts FILE (looked for in PATH where it has no slash) with WORDS, in a session of its own and with signals as usual. It is
 * given nothing of the caller's, who may wait for the end of its pipes: /dev/null in their place, and no other descriptor; those
 * of this process are closed on its next exec as well. Returns the program's number; 0 if it cannot be started. */
pid_t rbr_detached_start(const char *file, char *const *words);

#endif
