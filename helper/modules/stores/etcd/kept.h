/* SPDX-License-Identifier: MIT */
/* What is kept from one operation to the next, for as long as it is about the same etcd, or one other in turn. */
#ifndef RBR_ETCD_KEPT_H
#define RBR_ETCD_KEPT_H

#include "answer.h"
#include "etcd.h"
#include "modules/seal/seal.h"

#define RBR_ETCD_LEASES_MAX 8

/* A lease that this process has taken, or got and not used. */
struct rbr_etcd_lease {
	int64_t number; /* as the journal's: the revision that wrote its key; 0: not used for a key */
	int64_t id; /* etcd's */
	int64_t seconds;
};

#define RBR_ETCD_BROUGHT_MAX 4

/* A value that will be looked up (brought.h). */
struct rbr_etcd_brought {
	char *base; /* of its item; NULL: none */
	bool known; /* PAIR is what there was */
	struct rbr_etcd_pair pair;
};

struct rbr_etcd_kept {
	char *about; /* all that the configuration says of it */
	size_t preferred; /* the endpoint that answered last */
	struct ringbearer_secret *token; /* of the user */
	bool has_key;
	struct rbr_seal_key key;
	struct rbr_etcd_lease leases[RBR_ETCD_LEASES_MAX];
	struct rbr_etcd_brought brought[RBR_ETCD_BROUGHT_MAX];
};

/* What was kept for ETCD, or else nothing; NULL if memory is short. */
struct rbr_etcd_kept *rbr_etcd_kept(const struct rbr_etcd *etcd);

#endif
