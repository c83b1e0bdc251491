/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line in one write, so that lines of several processes do not mix. */
static void
put_line(const char *kind, const char *account, const char *text)
{
	char line[RBR_LOG_LINE_MAX];
	int length = snprintf(
		line, sizeof line - 1, "ringbearer: %s%s%s%s", kind, account ? account : "", account ? ": " : "", text);

	if (length < 0)
		return;
	if ((size_t)length > sizeof line - 2)
		length = sizeof line - 2;
	line[length] = '\0';
	rbr_sanitize(line);
	line[length] = '\n';
	if (write(STDERR_FILENO, line, (size_t)length + 1) < 0)
		return;
}

void
rbr_trace(const struct rbr_context *context, const char *format, ...)
{
	char text[RBR_LOG_LINE_MAX];
	va_list arguments;

	if (!context->trace || context->quiet)
		return;
	va_start(arguments, format);
	if (vsnprintf(text, sizeof text, format, arguments) >= 0)
		put_line("trace: ", NULL, text);
	va_end(arguments);
}

void
rbr_warn(const struct rbr_context *context, const char *account, const char *format, ...)
{
	char text[RBR_LOG_LINE_MAX];
	va_list arguments;

	if (context->quiet)
		return;
	va_start(arguments, format);
	if (vsnprintf(text, sizeof text, format, arguments) >= 0)
		put_line("", account, text);
	va_end(arguments);
}

void
rbr_report(const struct rbr_context *context, const char *account)
{
	const struct rbr_error *error = &context->error;

	if (context->quiet)
		return;
	if (error->detail[0] == '\0')
		rbr_warn(context, account, "%s; %s", ringbearer_error_name(error->code),
			ringbearer_error_advice(error->code));
	else if (strchr(error->detail, ';'))
		put_line("", account, error->detail); /* it brings advice of its own */
	else
		rbr_warn(context, account, "%s; %s", error->detail, ringbearer_error_advice(error->code));
}

void
rbr_say(const char *format, ...)
{
	RBR_CLEANUP(rbr_free_string) char *text = NULL;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0) {
		text = NULL;
		return;
	}
	rbr_sanitize_lines(text);
	(void)fputs(text, stdout); /* main() sees whether it got out */
}

void
rbr_say_mark(const char *mark, const char *colour)
{
	if (colour)
		(void)printf("\033[%sm%-4s\033[0m  ", colour, mark);
	else
		(void)printf("%-4s  ", mark);
}
