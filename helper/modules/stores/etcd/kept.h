/* SPDX-License-Identifier: MIT */
/* What is kept from one operation to the next, for as long as it is about the same etcd. */
#ifndef RBR_ETCD_KEPT_H
#define RBR_ETCD_KEPT_H

#include "etcd.h"
#include "modules/seal/seal.h"

#define RBR_ETCD_LEASES_MAX 8

/* A lease that this process has taken, or got and not used. */
struct rbr_etcd_lease {
	int64_t number; /* as the journal's: the revision that wrote its key; 0: not used for a key */
	int64_t id; /* etcd's */
	int64_t seconds;
};

struct rbr_etcd_kept {
	char *about; /* all that the configuration says of it */
	size_t preferred; /* the endpoint that answered last */
	struct ringbearer_secret *token; /* of the user */
	bool has_key;
	struct rbr_seal_key key;
	struct rbr_etcd_lease leases[RBR_ETCD_LEASES_MAX];
};

/* What was kept for ETCD, or else nothing; NULL if memory is short. */
struct rbr_etcd_kept *rbr_etcd_kept(const struct rbr_etcd *etcd);

#endif
