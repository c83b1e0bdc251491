/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "harden.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

bool
rbr_harden(void)
{
	const struct rlimit none = {0, 0};
	int i;

	if (getauxval(AT_SECURE) != 0)
		return false; /* never meant to be setuid */
	(void)umask(077);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	for (i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/dev/null", i == 0 ? O_WRONLY : O_RDONLY) != i)
			return false;
	return signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}
