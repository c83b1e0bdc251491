/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/document.h"

#define VARIABLE "KUBERNETES_EXEC_INFO"
#define PLAIN_MAX 256

static const char *const versions[] = {
	"client.authentication.k8s.io/v1",
	"client.authentication.k8s.io/v1beta1",
};

/* The text that says nothing but a version, as client-go writes it: no module is needed to read it. */
static const char *
plain_version(const char *text)
{
	static const char *const specs[] = {"{}", "{\"interactive\":false}", "{\"interactive\":true}"};
	size_t size = strlen(text), i, j;
	char plain[PLAIN_MAX];

	while (size > 0 && text[size - 1] == '\n')
		size--;
	for (i = 0; i < RBR_ARRAY_SIZE(versions); i++)
		for (j = 0; j < RBR_ARRAY_SIZE(specs); j++) {
			(void)snprintf(plain, sizeof plain,
				"{\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\",\"spec\":%s}", versions[i],
				specs[j]);
			if (strlen(plain) == size && memcmp(plain, text, size) == 0)
				return versions[i];
		}
	return NULL;
}

static int
read_version(struct rbr_context *context, const struct rbr_message *info, const char **ret_version)
{
	const char *kind = rbr_message_get(info, "kind"), *version = rbr_message_get(info, "apiVersion");
	size_t i;

	for (i = 0; kind && version && strcmp(kind, "ExecCredential") == 0 && i < RBR_ARRAY_SIZE(versions); i++)
		if (strcmp(version, versions[i]) == 0) {
			*ret_version = versions[i];
			return 0;
		}
	return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
		VARIABLE " is about `%.60s` of `%.60s`; write `apiVersion: %s` under `exec` in the kubeconfig",
		kind ? kind : "nothing", version ? version : "no version", versions[0]);
}

static int
read_info(struct rbr_context *context, const char *text, struct rbr_request *request, const char **ret_version)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message info = RBR_MESSAGE_EMPTY;
	const char *server;
	int rc = rbr_document_read(context, text, strlen(text), VARIABLE, &info);

	if (rc == 0)
		rc = read_version(context, &info, ret_version);
	if (rc < 0)
		return rc;
	server = rbr_message_get(&info, "spec.cluster.server");
	if (!server)
		return 0;
	/* That is where the token goes, whatever the options say. */
	if (rbr_message_add(&request->message, "url", server) < 0)
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			VARIABLE ": the cluster's address is too long; shorten it");
	return rbr_request_understand(request, &context->error);
}

int
rbr_kubernetes_look(struct rbr_context *context, struct rbr_request *request)
{
	const char *text = secure_getenv("KUBERNETES_EXEC_INFO");
	const char *version = text && *text ? plain_version(text) : versions[0];
	int rc = version ? 0 : read_info(context, text, request, &version);

	if (rc == 0 && !request->account && !request->has_url)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"neither an account nor a cluster is named; add --account=NAME, or provideClusterInfo: true to the "
			"kubeconfig");
	request->version = version;
	return rc;
}
