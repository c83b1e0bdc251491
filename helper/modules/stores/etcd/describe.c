/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway.h"
#include "item.h"
#include "modules/json/json.h"
#include "protocol/writer.h"

#define ENDPOINT_MS 1000 /* that one may take to say how it is */
#define LINE_MAX 1024
#define NAME_MAX_SHOWN 64
#define ID_SIZE 24 /* of a member's number, which may be beyond an int64: it is only compared */

/* What is asked as it goes. */
struct survey {
	struct rbr_etcd *etcd;
	ringbearer_store_teller tell;
	void *data;
	char leader[ID_SIZE]; /* its number; "": not known */
	char leader_at[LINE_MAX]; /* the endpoint that is the leader's */
	size_t answering;
};

/* A text member, fit to be shown. */
static void
show(const struct rbr_etcd *etcd, struct json_object *object, const char *name, char text[NAME_MAX_SHOWN])
{
	const char *value = rbr_json_text(object, name);

	(void)snprintf(text, NAME_MAX_SHOWN, "%.60s", value ? value : "?");
	etcd->host->clean(etcd->call, text);
}

static void
take_id(struct json_object *object, const char *name, char id[ID_SIZE])
{
	const char *text = object ? rbr_json_text(object, name) : NULL;

	(void)snprintf(id, ID_SIZE, "%s", text && strlen(text) < ID_SIZE ? text : "");
}

static bool
ask(struct survey *survey, size_t endpoint, const char *path, const char *text, struct rbr_etcd_answer *ret_answer,
	struct rbr_etcd_trouble *ret_trouble)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(survey->etcd);
	const struct rbr_etcd_request request = {path, &body, RBR_ETCD_AGAIN, NULL};
	int64_t left = survey->etcd->host->remaining_ms(survey->etcd->call);
	/* Something is left for those that come after it. */
	size_t others = survey->etcd->endpoint_count > endpoint ? survey->etcd->endpoint_count - endpoint : 0;
	int64_t most = left / ((int64_t)others + 1) + 1;
	bool good;

	rbr_etcd_add(&body, text);
	good = rbr_etcd_ask_one(
		survey->etcd, endpoint, &request, most < ENDPOINT_MS ? most : ENDPOINT_MS, ret_answer, ret_trouble);
	rbr_etcd_body_wipe(&body);
	return good;
}

static void
describe_endpoint(struct survey *survey, size_t endpoint)
{
	struct rbr_etcd *etcd = survey->etcd;
	struct rbr_etcd_answer answer;
	struct json_object *header = NULL;
	struct rbr_etcd_trouble trouble;
	char line[LINE_MAX], version[NAME_MAX_SHOWN];
	char member[ID_SIZE], leader[ID_SIZE];
	bool leads;
	int64_t size = 0;

	if (!ask(survey, endpoint, "/v3/maintenance/status", "{}", &answer, &trouble)) {
		(void)snprintf(line, sizeof line, "%.200s: %.200s; %s", etcd->endpoints[endpoint], trouble.why,
			trouble.cause == RBR_ETCD_UNREACHED && etcd->endpoint_count > 1
				? "start it, or take it out of `store_endpoint`"
				: rbr_etcd_cause_mend(trouble.cause));
		survey->tell(RINGBEARER_ALARM, line, survey->data);
		return;
	}
	survey->answering++;
	(void)json_object_object_get_ex(answer.object, "header", &header);
	take_id(json_object_is_type(header, json_type_object) ? header : NULL, "member_id", member);
	take_id(answer.object, "leader", leader);
	leads = leader[0] != '\0' && strcmp(leader, member) == 0;
	(void)rbr_etcd_number(answer.object, "dbSize", &size);
	show(etcd, answer.object, "version", version);
	(void)snprintf(line, sizeof line, "%.256s: etcd %s, %" PRId64 " KiB%s", etcd->endpoints[endpoint], version,
		size / 1024,
		leads                       ? ", leads"
			: leader[0] == '\0' ? ", knows no leader"
					    : "");
	survey->tell("endpoint", line, survey->data);
	if (leader[0] != '\0')
		memcpy(survey->leader, leader, sizeof leader);
	if (leads)
		(void)snprintf(survey->leader_at, sizeof survey->leader_at, "%.256s", etcd->endpoints[endpoint]);
	rbr_etcd_answer_wipe(&answer);
}

/* The leader's name, from the list of members that any node has. */
static bool
name_leader(struct survey *survey, const struct rbr_etcd_answer *answer)
{
	struct json_object *members = NULL, *urls = NULL;
	char name[NAME_MAX_SHOWN], line[LINE_MAX];
	const char *url = survey->leader_at;
	size_t i;

	if (!json_object_object_get_ex(answer->object, "members", &members) ||
		!json_object_is_type(members, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(members); i++) {
		struct json_object *member = json_object_array_get_idx(members, i);
		char id[ID_SIZE];

		take_id(json_object_is_type(member, json_type_object) ? member : NULL, "ID", id);
		if (strcmp(id, survey->leader) != 0)
			continue;
		show(survey->etcd, member, "name", name);
		if (url[0] == '\0' && json_object_object_get_ex(member, "clientURLs", &urls) &&
			json_object_is_type(urls, json_type_array) && json_object_array_length(urls) > 0 &&
			json_object_is_type(json_object_array_get_idx(urls, 0), json_type_string))
			url = json_object_get_string(json_object_array_get_idx(urls, 0));
		(void)snprintf(line, sizeof line, "%s (%.256s)", name, url[0] != '\0' ? url : "?");
		survey->etcd->host->clean(survey->etcd->call, line);
		survey->tell("leader", line, survey->data);
		return true;
	}
	return false;
}

static void
describe_leader(struct survey *survey)
{
	struct rbr_etcd_answer answer;
	struct rbr_etcd_trouble trouble;
	bool named = false;
	size_t i;

	if (survey->leader[0] == '\0') {
		survey->tell("leader", "none", survey->data);
		return;
	}
	for (i = 0; !named && i < survey->etcd->endpoint_count; i++)
		if (ask(survey, i, "/v3/cluster/member/list", "{}", &answer, &trouble)) {
			named = name_leader(survey, &answer);
			rbr_etcd_answer_wipe(&answer);
		}
	if (!named)
		survey->tell("leader", survey->leader_at[0] != '\0' ? survey->leader_at : "one", survey->data);
}

/* Does an alarm say that it is full? */
static void
describe_alarms(struct survey *survey)
{
	struct rbr_etcd_answer answer;
	struct json_object *alarms = NULL;
	struct rbr_etcd_trouble trouble;
	size_t i;

	for (i = 0; i < survey->etcd->endpoint_count; i++)
		if (ask(survey, i, "/v3/maintenance/alarm", "{\"action\":\"GET\"}", &answer, &trouble)) {
			if (json_object_object_get_ex(answer.object, "alarms", &alarms) &&
				json_object_is_type(alarms, json_type_array) && json_object_array_length(alarms) > 0)
				survey->tell(RINGBEARER_ALARM,
					"it has no room left, or its data are damaged; see `etcdctl alarm list`",
					survey->data);
			rbr_etcd_answer_wipe(&answer);
			return;
		}
}

/* Can anything be had? As a lookup would find out, with all of its reasons. */
static int
knock(const struct rbr_etcd *etcd)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	const struct rbr_etcd_request request = {"/v3/kv/range", &body, RBR_ETCD_AGAIN, NULL};
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	int rc;

	rbr_etcd_add(&body, "{\"count_only\":true,");
	rbr_etcd_add_prefix(&body, etcd->prefix);
	rbr_etcd_add(&body, "}");
	rc = rbr_etcd_ask(etcd, &request, &course, &answer);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc < 0 ? rc : rbr_etcd_find_key(etcd);
}

int
rbr_etcd_describe(struct rbr_etcd *etcd, ringbearer_store_teller tell, void *data)
{
	struct survey survey = {.etcd = etcd, .tell = tell, .data = data};
	size_t i;
	int rc = rbr_etcd_http_check(etcd);

	if (rc < 0)
		return rc;
	for (i = 0; i < etcd->endpoint_count; i++)
		describe_endpoint(&survey, i);
	if (survey.answering > 0) {
		describe_leader(&survey);
		describe_alarms(&survey);
	}
	return knock(etcd);
}
