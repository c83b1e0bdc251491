/* SPDX-License-Identifier: MIT */
/* What people should know of etcd's state. */
#ifndef RBR_ETCD_DESCRIBE_H
#define RBR_ETCD_DESCRIBE_H

#include "etcd.h"

int rbr_etcd_describe(struct rbr_etcd *etcd, ringbearer_store_teller tell, void *data);

#endif
