/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "questions.h"

#include <stdio.h>
#include <string.h>

#include "accounts/account.h"
#include "accounts/keys.h"
#include "accounts/provider.h"
#include "host/host.h"
#include "host/loader.h"
#include "needs.h"
#include "person/terminal.h"
#include "protocol/writer.h"

#define PROMPT_MAX 1024
#define CHOICES_MAX 400
#define USUAL_GRANT "client_credentials"

struct questions {
	struct rbr_context *context;
	const char *name; /* of the account */
	struct rbr_message *lines;
	struct rbr_provider provider; /* empty if there is none */
};

/* What a question is about. */
struct question {
	enum rbr_key key;
	const char *text;
	const char *known; /* the answer that an empty line stands for; NULL: none */
	bool optional; /* nothing will do as well */
	bool keep; /* the known answer is written down, since nobody else knows it */
};

static const char *
given(const struct questions *questions, enum rbr_key key)
{
	return rbr_message_get(questions->lines, rbr_keys[key].name);
}

static const char *
of_provider(const struct questions *questions, enum rbr_key key)
{
	return questions->provider.lines.count > 0 ? rbr_message_get(&questions->provider.lines, rbr_keys[key].name)
						   : NULL;
}

static const char *
known(const struct questions *questions, enum rbr_key key)
{
	return given(questions, key) ? given(questions, key) : of_provider(questions, key);
}

/* Is WORD among WORDS, with blanks between them? */
static bool
is_among(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (; *(words += strspn(words, " ")); words += strcspn(words, " "))
		if (strcspn(words, " ") == size && memcmp(words, word, size) == 0)
			return true;
	return false;
}

/* Does the service know GRANT? The provider says so, or what it has no endpoint for cannot be. */
static bool
offers(const struct questions *questions, const char *grant)
{
	const char *grants = rbr_message_get(&questions->provider.lines, "grants");
	const char *auth = known(questions, RBR_KEY_CLIENT_AUTH);
	bool any = !known(questions, RBR_KEY_TOKEN_ENDPOINT) && !known(questions, RBR_KEY_AUTHORIZATION_ENDPOINT);

	if (grants)
		return is_among(grants, grant);
	if (strcmp(grant, "client_credentials") == 0)
		return !auth || strcmp(auth, "none") != 0;
	if (strcmp(grant, "authorization_code") == 0)
		return any || known(questions, RBR_KEY_AUTHORIZATION_ENDPOINT) || known(questions, RBR_KEY_ISSUER);
	if (strcmp(grant, "device_code") == 0)
		return any || known(questions, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT);
	return true;
}

static void
list_grants(const struct questions *questions, char text[CHOICES_MAX])
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_writer writer = rbr_writer_start(text, CHOICES_MAX);
	size_t i;

	text[0] = '\0';
	if (rbr_loader_names("grant", &names) < 0)
		return;
	for (i = 0; i < names.count; i++)
		if (offers(questions, names.list[i]))
			rbr_write_format(&writer, "%s%s", text[0] != '\0' ? ", " : "", names.list[i]);
}

/* The first that the service documents, or the one without a person if it can be. */
static const char *
usual_grant(const struct questions *questions, char word[64])
{
	const char *grants = rbr_message_get(&questions->provider.lines, "grants");

	if (grants) {
		grants += strspn(grants, " ");
		(void)snprintf(word, 64, "%.*s", (int)strcspn(grants, " "), grants);
		return word;
	}
	return offers(questions, USUAL_GRANT) ? USUAL_GRANT : "authorization_code";
}

/* Says its issuer where the endpoints are? Asked before anything else is. What else is wrong with the account is no matter here. */
static int
reach_issuer(struct questions *questions, const char *issuer)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct ringbearer_call call;
	struct rbr_grant grant;
	char line[PROMPT_MAX];
	size_t i;
	int rc = issuer ? rbr_message_add(&lines, rbr_keys[RBR_KEY_ISSUER].name, issuer) : 0;

	for (i = 0; rc == 0 && i < questions->lines->count; i++)
		rc = rbr_message_add(
			&lines, rbr_message_key(questions->lines, i), rbr_message_value(questions->lines, i));
	if (rc < 0 || rbr_account_assemble(questions->name, &lines, "the command line", &account, NULL) < 0)
		return 0;
	(void)snprintf(line, sizeof line, "  asking %.200s …", rbr_account_get(&account, RBR_KEY_ISSUER));
	rbr_terminal_progress(line);
	rbr_call_start(&call, questions->context, &account, true);
	rc = rbr_needs_grant(&call, &account, RBR_FRESH, &grant);
	rbr_call_end(&call);
	line[0] = '\0';
	rbr_terminal_progress(line);
	return rc;
}

static void
list_choices(const char *family, char text[CHOICES_MAX])
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_writer writer = rbr_writer_start(text, CHOICES_MAX);
	size_t i;

	text[0] = '\0';
	if (rbr_loader_names(family, &names) < 0)
		return;
	for (i = 0; i < names.count; i++)
		rbr_write_format(&writer, "%s%s", i > 0 ? ", " : "", names.list[i]);
}

/* Is there what ANSWER names? */
static int
check_named(struct questions *questions, enum rbr_key key, const char *answer)
{
	struct rbr_error *error = &questions->context->error;
	struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	struct rbr_grant grant;
	struct rbr_store store;
	char names[CHOICES_MAX];
	int rc = 0;

	if (key == RBR_KEY_PROVIDER)
		rc = rbr_provider_load(answer, &provider, error);
	else if (key == RBR_KEY_GRANT)
		rc = rbr_loader_grant(questions->context, answer, &grant);
	else if (key == RBR_KEY_STORE)
		rc = rbr_loader_store(questions->context, answer, &store);
	else if (key == RBR_KEY_ISSUER)
		rc = reach_issuer(questions, answer);
	if (rc == 0 && key == RBR_KEY_GRANT && !offers(questions, answer)) {
		list_grants(questions, names);
		rc = rbr_fail(error, RINGBEARER_E_CONFIG,
			"the service is not known to take `%.40s`, but %.300s; for it all the same, end this and add --grant=%.40s",
			answer, names, answer);
	}
	rbr_provider_wipe(&provider);
	return rc;
}

static int
take(struct questions *questions, const struct question *question, const char *answer)
{
	const char *name = rbr_keys[question->key].name;
	int rc = rbr_key_check_written(&rbr_keys[question->key], answer, "no", &questions->context->error);

	if (rc == 0)
		rc = check_named(questions, question->key, answer);
	if (rc == 0 && rbr_message_add(questions->lines, name, answer) < 0)
		rc = rbr_fail(&questions->context->error, RINGBEARER_E_CONFIG,
			"`%s` is too long or has a character that cannot be typed; give it again", name);
	return rc;
}

/* Without the blanks around it, which came along when it was pasted. */
static const char *
trim(struct ringbearer_secret *line)
{
	while (line->size > 0 && (line->data[line->size - 1] == ' ' || line->data[line->size - 1] == '\t'))
		line->data[--line->size] = '\0';
	return line->size > 0 ? line->data + strspn(line->data, " \t") : "";
}

static void
complain(const char *text)
{
	char line[RBR_DETAIL_MAX];

	(void)snprintf(line, sizeof line, "  %.1000s", text);
	rbr_terminal_tell(line);
}

static int
put(struct questions *questions, const struct question *question)
{
	char prompt[PROMPT_MAX];
	int rc;

	(void)snprintf(prompt, sizeof prompt, "%s%s%.300s%s: ", question->text, question->known ? " [" : "",
		question->known ? question->known : "", question->known ? "]" : "");
	for (;;) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret line = RBR_SECRET_EMPTY;
		const char *answer;

		rc = rbr_terminal_question(prompt, &line, &questions->context->error);
		if (rc < 0)
			return rc;
		answer = trim(&line);
		if (*answer == '\0' && question->known && question->keep)
			answer = question->known;
		if (*answer == '\0' && (question->known || question->optional))
			return 0;
		if (*answer == '\0') {
			complain("an account cannot do without this; Ctrl-C ends this, and nothing is kept");
			continue;
		}
		if (take(questions, question, answer) == 0)
			return 0;
		complain(questions->context->error.detail);
	}
}

/* -- one for each -- */

static int
ask_provider(struct questions *questions)
{
	const struct question question = {RBR_KEY_PROVIDER,
		"Which service? `ringbearer providers` has the names; nothing for one that is not there", NULL, true,
		false};

	if (given(questions, RBR_KEY_PROVIDER) || given(questions, RBR_KEY_GRANT) ||
		given(questions, RBR_KEY_TOKEN_ENDPOINT) || given(questions, RBR_KEY_ISSUER))
		return 0;
	return put(questions, &question);
}

/* Does the provider fill its values in with the account's KEY? */
static bool
fills_in(const struct questions *questions, const char *key)
{
	char hole[64];
	size_t i;

	(void)snprintf(hole, sizeof hole, "{%s}", key);
	for (i = 0; i < questions->provider.lines.count; i++)
		if (strstr(rbr_message_value(&questions->provider.lines, i), hole))
			return true;
	return false;
}

static bool
wants_tenant(const struct questions *questions)
{
	return !known(questions, RBR_KEY_TENANT) && fills_in(questions, rbr_keys[RBR_KEY_TENANT].name);
}

static int
ask_tenant(struct questions *questions)
{
	const char *domain = rbr_message_get(&questions->provider.lines, "tenant_domain");
	char text[PROMPT_MAX / 2];
	const struct question question = {RBR_KEY_TENANT, text, of_provider(questions, RBR_KEY_TENANT), false, false};

	if (given(questions, RBR_KEY_TENANT) || !fills_in(questions, rbr_keys[RBR_KEY_TENANT].name))
		return 0;
	(void)snprintf(text, sizeof text, "Your tenant: your name or host there%s%.100s", domain ? ", in " : "",
		domain ? domain : "");
	return put(questions, &question);
}

static int
ask_grant(struct questions *questions)
{
	const char *theirs = of_provider(questions, RBR_KEY_GRANT);
	char text[PROMPT_MAX / 2], names[CHOICES_MAX], usual[64];
	const struct question question = {
		RBR_KEY_GRANT, text, theirs ? theirs : usual_grant(questions, usual), false, theirs == NULL};

	if (given(questions, RBR_KEY_GRANT))
		return 0;
	list_grants(questions, names);
	(void)snprintf(text, sizeof text, "How are tokens obtained? %s", names);
	return put(questions, &question);
}

static bool
lives_on_a_key(const struct questions *questions)
{
	const char *grant = known(questions, RBR_KEY_GRANT);

	return grant && strcmp(grant, "api_key") == 0;
}

static bool
wants_endpoint(const struct questions *questions)
{
	return !lives_on_a_key(questions) && !known(questions, RBR_KEY_ISSUER) &&
		!known(questions, RBR_KEY_TOKEN_ENDPOINT);
}

static int
ask_endpoints(struct questions *questions)
{
	static const struct question issuer = {RBR_KEY_ISSUER,
		"Its issuer, which says where its endpoints are; nothing if it has none", NULL, true, false};
	static const struct question token = {RBR_KEY_TOKEN_ENDPOINT, "Its token endpoint", NULL, false, false};
	static const struct question page = {
		RBR_KEY_AUTHORIZATION_ENDPOINT, "Its authorization endpoint", NULL, false, false};
	static const struct question device = {
		RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT, "Its device authorization endpoint", NULL, false, false};
	const char *grant = known(questions, RBR_KEY_GRANT);
	int rc;

	if (!wants_endpoint(
		    questions)) /* its issuer, where that says it, is asked now rather than when all is answered */
		return lives_on_a_key(questions) || known(questions, RBR_KEY_TOKEN_ENDPOINT)
			? 0
			: reach_issuer(questions, NULL);
	rc = put(questions, &issuer);
	if (rc < 0 || given(questions, RBR_KEY_ISSUER))
		return rc;
	rc = put(questions, &token);
	if (rc == 0 && grant && strcmp(grant, "authorization_code") == 0 &&
		!known(questions, RBR_KEY_AUTHORIZATION_ENDPOINT))
		rc = put(questions, &page);
	if (rc == 0 && grant && strcmp(grant, "device_code") == 0 &&
		!known(questions, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT))
		rc = put(questions, &device);
	return rc;
}

static int
ask_client(struct questions *questions)
{
	const struct question question = {RBR_KEY_CLIENT_ID, "Client id of your application there",
		of_provider(questions, RBR_KEY_CLIENT_ID), false, false};

	return lives_on_a_key(questions) || given(questions, RBR_KEY_CLIENT_ID) ? 0 : put(questions, &question);
}

/* The next key that the provider cannot do without and nobody knows, from *NEEDS on: words `KEY`, or `GRANT:KEY`; -1: no more. */
static int
next_need(const struct questions *questions, const char **needs)
{
	const char *grant = known(questions, RBR_KEY_GRANT);
	char word[64], *colon;
	int key;

	while (*needs && **(needs) && *(*needs += strspn(*needs, " "))) {
		size_t size = strcspn(*needs, " ");

		(void)snprintf(word, sizeof word, "%.*s", (int)size, *needs);
		*needs += size;
		colon = strchr(word, ':');
		if (colon)
			*colon = '\0';
		key = colon && (!grant || strcmp(word, grant) != 0) ? -1 : rbr_key_find(colon ? colon + 1 : word);
		if (key >= 0 && key != RBR_KEY_CLIENT_ID && key != RBR_KEY_TENANT &&
			!known(questions, (enum rbr_key)key))
			return key;
	}
	return -1;
}

static int
ask_needs(struct questions *questions)
{
	const char *needs = rbr_message_get(&questions->provider.lines, "needs");
	char text[PROMPT_MAX / 2];
	int key, rc = 0;

	while (rc == 0 && !lives_on_a_key(questions) && (key = next_need(questions, &needs)) >= 0) {
		const struct question question = {(enum rbr_key)key, text, NULL, false, false};

		(void)snprintf(text, sizeof text, "%s: %.300s", rbr_keys[key].name, rbr_keys[key].help);
		rc = put(questions, &question);
	}
	return rc;
}

static int
ask_scope(struct questions *questions)
{
	const char *theirs = of_provider(questions, RBR_KEY_SCOPE), *sent = known(questions, RBR_KEY_SEND_SCOPE);
	const struct question question = {RBR_KEY_SCOPE,
		"Scopes, with blanks between them; nothing for the service's own choice", theirs, true, false};

	if (lives_on_a_key(questions) || given(questions, RBR_KEY_SCOPE) || (sent && strcmp(sent, "no") == 0))
		return 0;
	return put(questions, &question);
}

static int
ask_match(struct questions *questions)
{
	const struct question question = {RBR_KEY_MATCH,
		"The address that the tokens are for, as https://api.example.com/", NULL, !lives_on_a_key(questions),
		false};

	return known(questions, RBR_KEY_MATCH) ? 0 : put(questions, &question);
}

/* Which one the defaults name is the account's business. */
static int
ask_store(struct questions *questions)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	char text[PROMPT_MAX / 2], names[CHOICES_MAX];
	struct question question = {RBR_KEY_STORE, text, rbr_keys[RBR_KEY_STORE].initial, false, false};

	if (given(questions, RBR_KEY_STORE))
		return 0;
	if (rbr_message_add(&lines, "grant", "api_key") == 0 &&
		rbr_account_assemble("store", &lines, "the defaults", &account, NULL) == 0)
		question.known = rbr_account_get(&account, RBR_KEY_STORE);
	list_choices("store", names);
	(void)snprintf(text, sizeof text, "Where is its secret to rest? %s", names);
	return put(questions, &question);
}

/* What an account cannot do without. */
static bool
lacks(const struct questions *questions)
{
	const char *needs = rbr_message_get(&questions->provider.lines, "needs");

	if (wants_tenant(questions) || !known(questions, RBR_KEY_GRANT) || wants_endpoint(questions))
		return true;
	if (lives_on_a_key(questions))
		return !known(questions, RBR_KEY_MATCH);
	return !known(questions, RBR_KEY_CLIENT_ID) || next_need(questions, &needs) >= 0;
}

static int
ask_all(struct questions *questions)
{
	static int (*const order[])(struct questions * questions) = {
		ask_tenant, ask_grant, ask_endpoints, ask_client, ask_needs, ask_scope, ask_match, ask_store};
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(order); i++)
		rc = order[i](questions);
	return rc;
}

/* What stands on the command line is looked at before anybody answers anything. */
static int
check_given(struct questions *questions)
{
	const char *grant = given(questions, RBR_KEY_GRANT), *store = given(questions, RBR_KEY_STORE);
	struct rbr_grant found_grant;
	struct rbr_store found_store;
	size_t i;
	int key, rc = 0;

	for (i = 0; rc == 0 && i < questions->lines->count; i++) {
		key = rbr_key_find(rbr_message_key(questions->lines, i));
		if (key >= 0)
			rc = rbr_key_check_written(&rbr_keys[key], rbr_message_value(questions->lines, i),
				"the command line", &questions->context->error);
	}
	if (rc == 0 && grant)
		rc = rbr_loader_grant(questions->context, grant, &found_grant);
	if (rc == 0 && store)
		rc = rbr_loader_store(questions->context, store, &found_store);
	return rc;
}

int
rbr_questions_ask(struct rbr_context *context, const char *name, struct rbr_message *lines, bool *ret_asked)
{
	struct questions questions = {context, name, lines, RBR_PROVIDER_EMPTY};
	size_t before = lines->count;
	const char *provider;
	int rc = rbr_account_check_name(name, &context->error);

	if (rc == 0)
		rc = check_given(&questions);
	if (rc == 0)
		rc = ask_provider(&questions);
	provider = rc == 0 ? given(&questions, RBR_KEY_PROVIDER) : NULL;
	if (provider)
		rc = rbr_provider_load(provider, &questions.provider, &context->error);
	*ret_asked = rc == 0 && (lines->count > before || lacks(&questions));
	if (*ret_asked)
		rc = ask_all(&questions);
	rbr_provider_wipe(&questions.provider);
	return rc;
}
