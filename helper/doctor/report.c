/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "person/log.h"
#include "protocol/formats/formats.h"
#include "protocol/text.h"

#define DETAIL_MAX RBR_LOG_LINE_MAX

enum health { WELL, UNCHECKED, ILL };

static const struct {
	const char *state;
	const char *mark;
	const char *colour;
} looks[] = {
	[WELL] = {"well", "ok", "32"},
	[UNCHECKED] = {"unchecked", "--", "33"},
	[ILL] = {"ill", "FAIL", "1;31"},
};

static void
print_line(struct rbr_checkup *checkup, enum health health, const char *subject, const char *detail, const char *mend)
{
	rbr_say_mark(looks[health].mark, checkup->colour ? looks[health].colour : NULL);
	rbr_say("%-22s %s%s%s\n", subject, detail, mend ? "; " : "", mend ? mend : "");
}

static int
add_member(struct ringbearer_secret *out, const char *name, const char *value)
{
	int rc = rbr_secret_append_string(out, name);

	return rc < 0 ? rc : rbr_json_string(out, value);
}

static void
add_object(struct rbr_checkup *checkup, enum health health, const char *subject, int code, const char *detail,
	const char *mend)
{
	struct ringbearer_secret *out = &checkup->out;
	int rc = rbr_secret_append_string(out, out->size > 0 ? ",\n  {" : "\n  {");

	if (rc == 0)
		rc = add_member(out, "\"subject\":", subject);
	if (rc == 0)
		rc = add_member(out, ",\"state\":", looks[health].state);
	if (rc == 0)
		rc = add_member(out, ",\"detail\":", detail);
	if (rc == 0 && code < 0)
		rc = add_member(out, ",\"error\":", ringbearer_error_name(code));
	if (rc == 0 && mend)
		rc = add_member(out, ",\"mend\":", mend);
	if (rc == 0)
		rc = rbr_secret_append(out, "}", 1);
	if (rc < 0 && checkup->first == 0)
		checkup->first = RINGBEARER_E_SYSTEM;
}

/* TEXT is "what happened; what to do", or only the former. */
static void
note(struct rbr_checkup *checkup, enum health health, const char *subject, int code, char *text)
{
	char *mend = health == ILL ? strstr(text, "; ") : NULL;

	rbr_sanitize(text);
	if (mend) {
		*mend = '\0';
		mend += 2;
	}
	if (checkup->json)
		add_object(checkup, health, subject, code, text, mend);
	else
		print_line(checkup, health, subject, text, mend);
}

void
rbr_well(struct rbr_checkup *checkup, const char *subject, const char *format, ...)
{
	char text[DETAIL_MAX] = "";
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	checkup->well++;
	note(checkup, WELL, subject, 0, text);
}

void
rbr_unchecked(struct rbr_checkup *checkup, const char *subject, const char *format, ...)
{
	char text[DETAIL_MAX] = "";
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	checkup->unchecked++;
	note(checkup, UNCHECKED, subject, 0, text);
}

void
rbr_ill(struct rbr_checkup *checkup, const char *subject, int code, const char *format, ...)
{
	char text[DETAIL_MAX] = "";
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	checkup->ill++;
	if (checkup->first == 0)
		checkup->first = code;
	note(checkup, ILL, subject, code, text);
}

void
rbr_ill_by_error(struct rbr_checkup *checkup, const char *subject, const char *mend)
{
	const struct rbr_error *error = &checkup->context->error;
	const char *detail = error->detail[0] != '\0' ? error->detail : ringbearer_error_name(error->code);

	if (strstr(detail, "; "))
		rbr_ill(checkup, subject, error->code, "%s", detail);
	else
		rbr_ill(checkup, subject, error->code, "%s; %s", detail,
			mend ? mend : ringbearer_error_advice(error->code));
}

int
rbr_report_end(struct rbr_checkup *checkup)
{
	if (checkup->json) {
		rbr_say("{\"well\":%s,\"findings\":[%s\n]}\n", checkup->ill == 0 ? "true" : "false",
			checkup->out.size > 0 ? rbr_secret_string(&checkup->out) : "");
	} else if (checkup->ill == 0) {
		rbr_say("\nAll is well: %u checked, %u not to be checked.\n", checkup->well, checkup->unchecked);
	} else {
		rbr_say("\n%u to be mended; %u well, %u not to be checked.\n", checkup->ill, checkup->well,
			checkup->unchecked);
	}
	return fflush(stdout) != 0
		? rbr_fail(&checkup->context->error, RINGBEARER_E_SYSTEM, "the answer cannot be written")
		: 0;
}
