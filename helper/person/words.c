/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "words.h"

#include <string.h>

#include "protocol/writer.h"

struct reader {
	const char *at;
	const char *end;
	const char *url;
	struct rbr_writer to;
	bool placed; /* the URL stands somewhere */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One character as it is meant, `%s` included. */
static void
take(struct reader *reader, char c)
{
	if (c == '%' && reader->at < reader->end && *reader->at == 's') {
		reader->at++;
		rbr_write_text(&reader->to, reader->url);
		reader->placed = true;
	} else {
		rbr_write_char(&reader->to, c);
	}
}

/* What is between QUOTE and the next one, which is passed. False if there is none. */
static bool
take_quoted(struct reader *reader, char quote)
{
	while (reader->at < reader->end && *reader->at != quote) {
		char c = *reader->at++;

		if (quote == '"' && c == '\\' && reader->at < reader->end &&
			(*reader->at == '"' || *reader->at == '\\'))
			rbr_write_char(&reader->to, *reader->at++);
		else
			take(reader, c);
	}
	return reader->at++ < reader->end;
}

/* A word to the blank behind it, as a string of its own. */
static bool
take_word(struct reader *reader)
{
	while (reader->at < reader->end && !is_blank(*reader->at)) {
		char c = *reader->at++;

		if (c == '\'' || c == '"') {
			if (!take_quoted(reader, c))
				return false;
		} else if (c == '\\' && reader->at < reader->end) {
			rbr_write_char(&reader->to, *reader->at++);
		} else {
			take(reader, c);
		}
	}
	rbr_write_char(&reader->to, '\0');
	return rbr_writer_fits(&reader->to);
}

static bool
add(struct rbr_words *words, char *word)
{
	if (words->count >= RBR_WORDS_MAX)
		return false;
	words->words[words->count++] = word;
	return true;
}

bool
rbr_words_split(const char *command, size_t size, const char *url, struct rbr_words *ret_words)
{
	struct reader reader = {.at = command, .end = command + size, .url = url};
	char *word;

	memset(ret_words, 0, sizeof *ret_words);
	reader.to = rbr_writer_start(ret_words->text, sizeof ret_words->text);
	for (;;) {
		while (reader.at < reader.end && is_blank(*reader.at))
			reader.at++;
		if (reader.at == reader.end)
			break;
		word = rbr_writer_at(&reader.to);
		if (!take_word(&reader) || !add(ret_words, word))
			return false;
	}
	if (ret_words->count > 0 && strcmp(ret_words->words[ret_words->count - 1], "&") == 0)
		ret_words->words[--ret_words->count] = NULL;
	if (ret_words->count == 0 || ret_words->words[0][0] == '\0')
		return false;
	word = rbr_writer_at(&reader.to);
	rbr_write_text(&reader.to, url);
	return reader.placed || (rbr_writer_fits(&reader.to) && add(ret_words, word));
}
