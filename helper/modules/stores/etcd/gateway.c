/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "gateway.h"

#include <string.h>
#include <time.h>

#include "kept.h"
#include "modules/json/json.h"
#include "protocol/writer.h"

#define ROUND_CONNECT_MS 500 /* that an endpoint gets in the first round; four times that while nobody answers */
#define CONNECT_MS 5000
#define ANSWER_MS 2500 /* that one gets for an answer, while there are others */
#define LEADER_MS 5000 /* an election is over by then, or there will be none */
#define CLOSED_ROUNDS 3 /* with who closes the connection: it may be going down */
#define NAP_MS 50
#define NAP_LONGEST_MS 400
#define WATCH_BEGIN_MS 2000
#define LIST_MAX 4096 /* of endpoints in a message */

/* What an endpoint was like when it was tried last. */
struct trial {
	char why[RBR_ETCD_WHY_MAX]; /* "": it was not tried */
	enum rbr_etcd_cause cause;
	bool alive; /* it answers, and will know a leader again */
	bool silent;
	bool closed; /* the connection, before anything came */
};

/* A request under way. */
struct journey {
	const struct rbr_etcd *etcd;
	const struct rbr_etcd_request *request;
	struct rbr_etcd_course *course;
	struct rbr_etcd_kept *kept;
	struct trial trials[RBR_ETCD_ENDPOINTS_MAX];
	unsigned round;
	bool alive; /* somebody has answered */
	bool introduced; /* the user's token was renewed */
	bool failed; /* finally: the reason is recorded */
	int rc;
};

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int
give_up(struct journey *journey, int rc)
{
	journey->failed = true;
	journey->rc = rc;
	return rc;
}

/* -- who we are -- */

/* {"name": …, "password": …} */
static int
write_introduction(const struct rbr_etcd *etcd, const char *user, struct rbr_etcd_body *body)
{
	struct ringbearer_secret *password = NULL;
	int rc = etcd->host->local_secret(etcd->call, RINGBEARER_LOCAL_PASSWORD, &password);

	if (rc < 0)
		return rc;
	rbr_etcd_add(body, "{\"name\":");
	rbr_etcd_add_text(body, user, strlen(user));
	rbr_etcd_add(body, ",\"password\":");
	rbr_etcd_add_text(body, etcd->host->secret_data(password), etcd->host->secret_size(password));
	rbr_etcd_add(body, "}");
	etcd->host->secret_free(password);
	return rbr_etcd_body_check(body);
}

/* A token goes into a header line. */
static bool
is_token(const char *text)
{
	const char *p;

	for (p = text; *p > 0x20 && *p < 0x7f; p++)
		;
	return p > text && *p == '\0' && p - text < 4096;
}

static int
take_token(struct journey *journey, struct rbr_etcd_reply *reply)
{
	const struct rbr_etcd *etcd = journey->etcd;
	struct json_object *object =
		rbr_json_parse(etcd->host->secret_data(reply->body), etcd->host->secret_size(reply->body));
	const char *token = object ? rbr_json_text(object, "token") : NULL;
	bool sound = token && is_token(token);

	if (sound) {
		etcd->host->hide(etcd->call, token, strlen(token));
		etcd->host->secret_free(journey->kept->token);
		journey->kept->token = etcd->host->secret_new(token, strlen(token));
	}
	json_object_put(object);
	if (!sound)
		return etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"etcd took the user and the password and gave no token; check `store_endpoint`");
	return journey->kept->token ? 0 : rbr_etcd_no_memory(etcd);
}

/* -- what went wrong -- */

static int
fail_refused(struct journey *journey, enum rbr_etcd_refusal refusal, const char *said)
{
	const struct ringbearer_host *host = journey->etcd->host;
	struct ringbearer_call *call = journey->etcd->call;
	const char *user = host->config(call, "store_user", 0), *prefix = journey->etcd->prefix;
	const int code = RINGBEARER_E_STORE_UNAVAILABLE;

	switch (refusal) {
	case RBR_ETCD_FULL:
		return host->fail(call, code,
			"etcd has no room left (%s); its operator frees some with `etcdctl compact`, `etcdctl defrag` and `etcdctl "
			"alarm disarm`, or raises its quota",
			said);
	case RBR_ETCD_FORBIDDEN:
		return host->fail(call, code,
			"etcd does not let %s read and write below %s (%s); its operator can with `etcdctl role grant-permission "
			"ROLE readwrite --prefix=true %s`",
			user ? user : "this machine", prefix, said, prefix);
	case RBR_ETCD_STRANGER:
	case RBR_ETCD_STALE:
		if (!user)
			return host->fail(call, code,
				"etcd wants to know who asks (%s); set `store_user`, and give the password with `ringbearer seal password`",
				said);
		return host->fail(call, code,
			"etcd does not take the password of %s (%s); give the right one with `ringbearer seal password`, or mend "
			"`store_user`",
			user, said);
	case RBR_ETCD_OPEN:
		return host->fail(call, code,
			"etcd has no users, and `store_user` names one (%s); have its operator turn them on with `etcdctl auth "
			"enable`, or take `store_user` out of the account",
			said);
	case RBR_ETCD_LARGE:
		return host->fail(call, code, "this is more than etcd takes at once (%s); use another `store`", said);
	case RBR_ETCD_LEASE_GONE:
	case RBR_ETCD_COMPACTED:
		return host->fail(call, code, "etcd no longer has what this was about (%s); try again", said);
	default:
		return host->fail(call, code, "etcd refuses the request (%s); see its log",
			said[0] != '\0' ? said : "without a word");
	}
}

/* The endpoints and what each was like. */
static void
name_endpoints(const struct journey *journey, char text[LIST_MAX])
{
	struct rbr_writer writer = rbr_writer_start(text, LIST_MAX);
	size_t i;

	for (i = 0; i < journey->etcd->endpoint_count; i++)
		rbr_write_format(&writer, "%s%.256s: %s", i > 0 ? ", " : "", journey->etcd->endpoints[i],
			journey->trials[i].why[0] != '\0' ? journey->trials[i].why : "not tried, no time was left");
}

/* No endpoint has given an answer. */
static int
fail_unanswered(struct journey *journey)
{
	const struct ringbearer_host *host = journey->etcd->host;
	struct ringbearer_call *call = journey->etcd->call;
	enum rbr_etcd_cause cause = RBR_ETCD_UNREACHED;
	char list[LIST_MAX];
	size_t i;

	name_endpoints(journey, list);
	for (i = 0; i < journey->etcd->endpoint_count; i++)
		if (journey->trials[i].cause > cause)
			cause = journey->trials[i].cause;
	return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "%s (%s); %s", rbr_etcd_cause_text(cause), list,
		rbr_etcd_cause_mend(cause));
}

/* -- one attempt -- */

/* How long an endpoint may take: there may be others. */
static struct rbr_etcd_limits
limits_of(const struct journey *journey, int64_t left)
{
	struct rbr_etcd_limits limits = {.connect_ms = least(left, CONNECT_MS), .whole_ms = left};
	const int64_t first = journey->round == 0 || journey->alive ? ROUND_CONNECT_MS : 4 * ROUND_CONNECT_MS;

	if (journey->etcd->endpoint_count > 1) {
		limits.connect_ms = least(limits.connect_ms, first);
		limits.whole_ms = least(left, limits.connect_ms + ANSWER_MS);
		if (left > 1 && journey->round == 0) /* something is left for the others */
			limits.whole_ms = least(limits.whole_ms, left / 2 + 1);
		limits.connect_ms = least(limits.connect_ms, limits.whole_ms);
	}
	return limits;
}

static void
note(struct trial *trial, const char *why)
{
	struct rbr_writer writer = rbr_writer_start(trial->why, sizeof trial->why);

	rbr_write_format(&writer, "%.300s", why);
}

/* Who answers is not etcd; or a server of it that TLS was not spoken to. */
static enum rbr_etcd_cause
note_stranger(
	const struct rbr_etcd *etcd, size_t endpoint, const struct rbr_etcd_reply *reply, char why[RBR_ETCD_WHY_MAX])
{
	(void)snprintf(why, RBR_ETCD_WHY_MAX, "it answers with status %ld, and not as etcd does", reply->status);
	return reply->status == 400 && rbr_etcd_is_plain(etcd->endpoints[endpoint]) &&
			strstr(etcd->host->secret_data(reply->body), "HTTPS")
		? RBR_ETCD_PLAIN
		: RBR_ETCD_NOT_ETCD;
}

/* Posts BODY to an endpoint. Says what was meant; *RET_REPLY has the body of an answer. */
static enum rbr_etcd_refusal
post(struct journey *journey, size_t endpoint, const char *path, const struct ringbearer_secret *body,
	struct rbr_etcd_reply *ret_reply)
{
	const struct rbr_etcd *etcd = journey->etcd;
	struct trial *trial = &journey->trials[endpoint];
	const struct rbr_etcd_body *grant = body == journey->request->body->text ? journey->request->grant : NULL;
	const struct rbr_etcd_post request = {.endpoint = etcd->endpoints[endpoint],
		.path = path,
		.body = body,
		.token = journey->kept->token,
		.limits = limits_of(journey, etcd->host->remaining_ms(etcd->call)),
		.ahead = {grant ? "/v3/lease/grant" : NULL, grant ? grant->text : NULL}};
	char said[RBR_ETCD_SAID_MAX];
	enum rbr_etcd_refusal refusal;
	int rc = rbr_etcd_http_post(etcd, &request, ret_reply);

	memset(trial, 0, sizeof *trial);
	if (rc < 0) {
		(void)give_up(journey, rc);
		return RBR_ETCD_REFUSED;
	}
	if (ret_reply->outcome != RBR_ETCD_ANSWERED) {
		note(trial, ret_reply->why);
		trial->cause = ret_reply->cause;
		trial->silent = ret_reply->silent;
		trial->closed = ret_reply->closed;
		return ret_reply->outcome == RBR_ETCD_UNKNOWN ? RBR_ETCD_UNSURE : RBR_ETCD_NO_GATEWAY;
	}
	refusal = rbr_etcd_refusal_read(ret_reply->status, etcd->host->secret_data(ret_reply->body),
		etcd->host->secret_size(ret_reply->body), said);
	etcd->host->blot(etcd->call, said);
	etcd->host->clean(etcd->call, said);
	journey->course->refusal = refusal;
	switch (refusal) {
	case RBR_ETCD_AGREED:
	case RBR_ETCD_STALE:
		note(trial, said);
		break;
	case RBR_ETCD_LEADERLESS:
	case RBR_ETCD_HURRIED:
	case RBR_ETCD_UNSURE:
		note(trial, said);
		trial->alive = journey->alive = true;
		trial->cause = RBR_ETCD_NO_LEADER;
		break;
	case RBR_ETCD_NO_GATEWAY:
		trial->cause = note_stranger(etcd, endpoint, ret_reply, trial->why);
		break;
	default:
		(void)give_up(journey, fail_refused(journey, refusal, said));
	}
	return refusal;
}

/* Has a token, if a user is named. */
static enum rbr_etcd_refusal
introduce(struct journey *journey, size_t endpoint)
{
	const struct rbr_etcd *etcd = journey->etcd;
	const char *user = etcd->host->config(etcd->call, "store_user", 0);
	struct rbr_etcd_reply reply = {0};
	struct rbr_etcd_body body;
	enum rbr_etcd_refusal refusal = RBR_ETCD_AGREED;
	int rc;

	if (!user || journey->kept->token)
		return RBR_ETCD_AGREED;
	body = rbr_etcd_body_start(etcd);
	rc = write_introduction(etcd, user, &body);
	if (rc == 0)
		refusal = post(journey, endpoint, "/v3/auth/authenticate", body.text, &reply);
	if (rc == 0 && refusal == RBR_ETCD_AGREED)
		rc = take_token(journey, &reply);
	if (rc < 0)
		(void)give_up(journey, rc);
	rbr_etcd_reply_wipe(etcd, &reply);
	rbr_etcd_body_wipe(&body);
	/* Nothing of what was asked for has left. */
	return refusal == RBR_ETCD_UNSURE ? RBR_ETCD_LEADERLESS : refusal;
}

static enum rbr_etcd_refusal
attempt(struct journey *journey, size_t endpoint, struct rbr_etcd_reply *ret_reply)
{
	const struct ringbearer_host *host = journey->etcd->host;
	enum rbr_etcd_refusal refusal = introduce(journey, endpoint);

	if (refusal != RBR_ETCD_AGREED || journey->failed)
		return refusal;
	refusal = post(journey, endpoint, journey->request->path, journey->request->body->text, ret_reply);
	if (refusal == RBR_ETCD_STALE && journey->kept->token) {
		host->secret_free(journey->kept->token);
		journey->kept->token = NULL;
		if (!journey->introduced) {
			journey->introduced = true;
			rbr_etcd_reply_wipe(journey->etcd, ret_reply);
			return attempt(journey, endpoint, ret_reply);
		}
	}
	if (refusal == RBR_ETCD_STALE)
		(void)give_up(journey, fail_refused(journey, refusal, journey->trials[endpoint].why));
	return refusal;
}

/* -- all of them -- */

static bool
take_answer(struct journey *journey, size_t endpoint, const struct rbr_etcd_reply *reply,
	struct rbr_etcd_answer *ret_answer)
{
	if (rbr_etcd_answer_read(journey->etcd->host->secret_data(reply->body),
		    journey->etcd->host->secret_size(reply->body), ret_answer))
		return true;
	note(&journey->trials[endpoint], "its answer is none of etcd's");
	journey->trials[endpoint].cause = RBR_ETCD_NOT_ETCD;
	return false;
}

/* One after the other. True if it is over: there is an answer, or none will come. */
static bool
go_round(struct journey *journey, struct rbr_etcd_answer *ret_answer)
{
	const struct rbr_etcd *etcd = journey->etcd;
	size_t i, endpoint;

	for (i = 0; i < etcd->endpoint_count && etcd->host->remaining_ms(etcd->call) > 0; i++) {
		struct rbr_etcd_reply reply = {0};
		enum rbr_etcd_refusal refusal;
		bool over;

		endpoint = (journey->kept->preferred + i) % etcd->endpoint_count;
		refusal = attempt(journey, endpoint, &reply);
		/* A transaction that was answered in words that are none has been done, or not. */
		over = !journey->failed && refusal == RBR_ETCD_AGREED &&
			take_answer(journey, endpoint, &reply, ret_answer);
		if (refusal == RBR_ETCD_UNSURE || (refusal == RBR_ETCD_AGREED && !over && !journey->failed))
			journey->course->unsure = true;
		rbr_etcd_reply_wipe(etcd, &reply);
		if (over)
			journey->kept->preferred = endpoint;
		if (over || journey->failed)
			return true;
		if (journey->course->unsure && journey->request->again == RBR_ETCD_ONCE)
			return true;
	}
	return false;
}

/* Is it worth another round? */
static bool
has_hope(const struct journey *journey, int64_t begun_ms)
{
	size_t i;

	if (rbr_etcd_now_ms() - begun_ms > LEADER_MS)
		return false;
	for (i = 0; i < journey->etcd->endpoint_count; i++) {
		const struct trial *trial = &journey->trials[i];

		/* It may find a leader; it was slow to be reached, where there is no time to wait for one alone. */
		if (trial->alive || (trial->silent && journey->etcd->endpoint_count > 1) ||
			(trial->closed && journey->round + 1 < CLOSED_ROUNDS))
			return true;
	}
	return false;
}

static void
nap(const struct journey *journey)
{
	int64_t milliseconds = (int64_t)NAP_MS << (journey->round < 3 ? journey->round : 3);
	struct timespec time = {0};

	milliseconds =
		least(least(milliseconds, NAP_LONGEST_MS), journey->etcd->host->remaining_ms(journey->etcd->call));
	time.tv_nsec = milliseconds * 1000000;
	(void)nanosleep(&time, NULL);
}

int
rbr_etcd_ask(const struct rbr_etcd *etcd, const struct rbr_etcd_request *request, struct rbr_etcd_course *course,
	struct rbr_etcd_answer *ret_answer)
{
	struct journey journey = {.etcd = etcd, .request = request, .course = course, .kept = rbr_etcd_kept(etcd)};
	const int64_t begun_ms = rbr_etcd_now_ms();
	int rc = rbr_etcd_body_check(request->body);

	if (rc == 0 && request->grant)
		rc = rbr_etcd_body_check(request->grant);
	if (!journey.kept)
		return rbr_etcd_no_memory(etcd);
	if (rc == 0)
		rc = rbr_etcd_http_check(etcd);
	if (rc < 0)
		return rc;
	memset(ret_answer, 0, sizeof *ret_answer);
	for (;; journey.round++) {
		if (go_round(&journey, ret_answer))
			break;
		if (etcd->host->remaining_ms(etcd->call) <= 0 || !has_hope(&journey, begun_ms))
			return fail_unanswered(&journey);
		nap(&journey);
	}
	if (journey.failed)
		return journey.rc;
	return ret_answer->object ? 0 : fail_unanswered(&journey);
}

/* An endpoint's answer, whatever is in it. */
static bool
take_one(const struct rbr_etcd *etcd, size_t endpoint, const struct rbr_etcd_reply *reply,
	struct rbr_etcd_answer *ret_answer, struct rbr_etcd_trouble *trouble)
{
	const char *text = etcd->host->secret_data(reply->body);
	size_t size = etcd->host->secret_size(reply->body);
	char said[RBR_ETCD_SAID_MAX];

	switch (rbr_etcd_refusal_read(reply->status, text, size, said)) {
	case RBR_ETCD_AGREED:
		if (rbr_etcd_answer_read(text, size, ret_answer))
			return true;
		(void)snprintf(trouble->why, sizeof trouble->why, "its answer is none of etcd's");
		trouble->cause = RBR_ETCD_NOT_ETCD;
		return false;
	case RBR_ETCD_NO_GATEWAY:
		trouble->cause = note_stranger(etcd, endpoint, reply, trouble->why);
		return false;
	case RBR_ETCD_LEADERLESS:
	case RBR_ETCD_HURRIED:
	case RBR_ETCD_UNSURE:
		trouble->cause = RBR_ETCD_NO_LEADER;
		break;
	default:
		trouble->cause = RBR_ETCD_REFUSAL;
	}
	etcd->host->blot(etcd->call, said);
	etcd->host->clean(etcd->call, said);
	(void)snprintf(trouble->why, sizeof trouble->why, "%s", said[0] != '\0' ? said : "it refuses without a word");
	return false;
}

bool
rbr_etcd_ask_one(const struct rbr_etcd *etcd, size_t endpoint, const struct rbr_etcd_request *request, int64_t whole_ms,
	struct rbr_etcd_answer *ret_answer, struct rbr_etcd_trouble *ret_trouble)
{
	const struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	const struct rbr_etcd_post post = {.endpoint = etcd->endpoints[endpoint],
		.path = request->path,
		.body = request->body->text,
		.token = kept ? kept->token : NULL,
		.limits = {whole_ms, whole_ms}};
	struct rbr_etcd_reply reply = {0};
	bool good = false;

	memset(ret_answer, 0, sizeof *ret_answer);
	memset(ret_trouble, 0, sizeof *ret_trouble);
	if (request->body->failed || rbr_etcd_http_post(etcd, &post, &reply) < 0) {
		(void)snprintf(ret_trouble->why, sizeof ret_trouble->why, "memory is short");
	} else if (reply.outcome != RBR_ETCD_ANSWERED) {
		(void)snprintf(ret_trouble->why, sizeof ret_trouble->why, "%s", reply.why);
		ret_trouble->cause = reply.cause;
	} else {
		good = take_one(etcd, endpoint, &reply, ret_answer, ret_trouble);
	}
	rbr_etcd_reply_wipe(etcd, &reply);
	return good;
}

/* -- watching -- */

struct watcher {
	bool heard;
	enum rbr_etcd_news news;
};

static bool
take_news(const char *line, size_t size, void *data)
{
	struct watcher *watcher = data;

	watcher->news = rbr_etcd_news_read(line, size);
	watcher->heard = true;
	return watcher->news == RBR_ETCD_NEWS_NONE;
}

/* Watches at one endpoint. True if it is over. */
static bool
watch_at(struct journey *journey, size_t endpoint, int64_t milliseconds, struct watcher *watcher)
{
	const struct rbr_etcd *etcd = journey->etcd;
	struct rbr_etcd_limits limits = {least(milliseconds, WATCH_BEGIN_MS), milliseconds};
	const struct rbr_etcd_post request = {.endpoint = etcd->endpoints[endpoint],
		.path = journey->request->path,
		.body = journey->request->body->text,
		.token = journey->kept->token,
		.limits = limits,
		.take_line = take_news,
		.data = watcher,
		.heard = &watcher->heard};
	struct rbr_etcd_reply reply = {0};
	int rc = rbr_etcd_http_post(etcd, &request, &reply);

	if (rc < 0)
		(void)give_up(journey, rc);
	else if (reply.outcome != RBR_ETCD_ANSWERED)
		note(&journey->trials[endpoint], reply.why);
	else if (!watcher->heard)
		note(&journey->trials[endpoint], "it does not watch");
	journey->trials[endpoint].cause = reply.cause;
	rbr_etcd_reply_wipe(etcd, &reply);
	return journey->failed || (watcher->heard && watcher->news != RBR_ETCD_NEWS_NONSENSE);
}

int
rbr_etcd_watch(const struct rbr_etcd *etcd, const struct rbr_etcd_body *body, int64_t milliseconds)
{
	const struct rbr_etcd_request request = {"/v3/watch", body, RBR_ETCD_AGAIN, NULL};
	struct rbr_etcd_course course = {0};
	struct journey journey = {.etcd = etcd, .request = &request, .course = &course, .kept = rbr_etcd_kept(etcd)};
	const int64_t end_ms = rbr_etcd_now_ms() + least(milliseconds, etcd->host->remaining_ms(etcd->call));
	struct watcher watcher = {0};
	bool over = false;
	size_t i;
	int rc = rbr_etcd_body_check(body);

	if (!journey.kept)
		return rbr_etcd_no_memory(etcd);
	if (rc == 0)
		rc = rbr_etcd_http_check(etcd);
	for (i = 0; rc == 0 && !over && i < etcd->endpoint_count; i++) {
		size_t endpoint = (journey.kept->preferred + i) % etcd->endpoint_count;
		int64_t left = end_ms - rbr_etcd_now_ms();

		if (left <= 0)
			return 0;
		(void)introduce(&journey, endpoint);
		over = journey.failed || watch_at(&journey, endpoint, left, &watcher);
	}
	if (rc < 0 || journey.failed)
		return rc < 0 ? rc : journey.rc;
	if (!over)
		return rbr_etcd_now_ms() >= end_ms ? 0 : fail_unanswered(&journey);
	if (watcher.news == RBR_ETCD_NEWS_DENIED)
		return fail_refused(&journey, RBR_ETCD_FORBIDDEN, "permission denied");
	/* A node that has lost its leader, or goes down: the host looks elsewhere, and not too soon. */
	if (watcher.news == RBR_ETCD_NEWS_OVER)
		nap(&journey);
	return 0;
}
