/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cause.h"

static const struct {
	const char *text, *mend;
} causes[] = {
	[RBR_ETCD_UNREACHED] = {"etcd was not reached", "start it, or mend `store_endpoint`"},
	[RBR_ETCD_CLOSED] = {"etcd gave no answer",
		"see its log, and if it wants a certificate of clients, set `store_certificate` and `store_certificate_key`"},
	[RBR_ETCD_PLAIN] = {"etcd gave no answer",
		"see its log, and if it speaks TLS there, write https:// instead of http:// in `store_endpoint`"},
	[RBR_ETCD_NO_TLS] = {"etcd was not spoken to",
		"see its log; if it wants a certificate of clients, set `store_certificate` and `store_certificate_key`, and if it speaks "
		"no TLS there, which only a loopback address may, write http:// instead of https:// in `store_endpoint`"},
	[RBR_ETCD_NOT_ETCD] = {"what answers is not etcd with its JSON gateway",
		"have `store_endpoint` name the client URL of etcd 3.4 or later, which must not run with "
		"--enable-grpc-gateway=false"},
	[RBR_ETCD_DISBELIEF] = {"etcd's certificate is not accepted, or this machine's",
		"set `store_ca_file` to etcd's authority, and `store_certificate` and `store_certificate_key` if it wants one of "
		"clients"},
	[RBR_ETCD_OWN_FILES] = {"the certificates for etcd cannot be used",
		"check `store_ca_file`, `store_certificate` and `store_certificate_key`"},
	[RBR_ETCD_NO_LEADER] = {"etcd has no leader",
		"more than half of its nodes must be running and reach each other: start them, and see `etcdctl endpoint status`"},
	[RBR_ETCD_REFUSAL] = {"etcd refuses the request", "see its log"},
};

const char *
rbr_etcd_cause_text(enum rbr_etcd_cause cause)
{
	return causes[cause].text;
}

const char *
rbr_etcd_cause_mend(enum rbr_etcd_cause cause)
{
	return causes[cause].mend;
}
