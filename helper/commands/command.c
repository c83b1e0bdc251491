/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command.h"

#include <string.h>

#include "cli/nearest.h"

const struct rbr_command rbr_commands[] = {
	{"get", rbr_command_get, "[--account=NAME | --url=URL] [OPTION …]", "answer a request for a token",
		"Without --account and --url the request is read from standard input, as key=value lines\n"
		"(ringbearer-protocol(7)), the way git asks its credential helpers.\n\n"
		"  --account=NAME       the account to answer for\n"
		"  --url=URL            or the place that the token is for\n"
		"  --username=NAME      which of several accounts at that place\n"
		"  --scope=SCOPES       scopes that the token must have\n"
		"  --resource=URI       resource that the token is for (RFC 8707); may repeat\n"
		"  --min-valid=SECONDS  how long the token must still live (30)\n"
		"  --format=FORM        @FORMS@\n"
		"  --interactive        a person may be asked to unlock the keyring\n"
		"  --show               write the token even to a terminal\n"},
	{"token", rbr_command_get, "ACCOUNT [OPTION …]", "write the bare token, for PassCmd, passwordeval and $(…)",
		"  --scope=SCOPES       scopes that the token must have\n"
		"  --resource=URI       resource that the token is for (RFC 8707); may repeat\n"
		"  --min-valid=SECONDS  how long the token must still live (30)\n"
		"  --interactive        a person may be asked to unlock the keyring\n"
		"  --show               write the token even to a terminal\n"},
	{"store", rbr_command_store, "[OPTION …] | init|unlock|lock [ACCOUNT] [--KEY=VALUE …]",
		"keep a secret that is given on standard input, or see to a store",
		"Reads account= and one of client_secret=, refresh_token= and api_key= from standard input, keeps the secret in\n"
		"the keyring and reads it back. What git stores for a place is kept the same way if no account answers for it.\n\n"
		"  --interactive        a person may be asked to unlock the keyring\n\n"
		"init makes what a store needs that has no keyring service behind it: the key of store = file, in a file or, with\n"
		"--store-key=passphrase, of a passphrase. unlock asks for that, and lock forgets it. They go by the account that is\n"
		"named, else by the defaults, and by --store, --store-folder, --store-key, --store-key-file and\n"
		"--store-passphrase-time. For a store that is elsewhere they see to the one on this machine that has its key.\n"},
	{"seal", rbr_command_seal, "new|import|export|password [ACCOUNT] [OPTION …] [--KEY=VALUE …]",
		"see to what this machine keeps for a store that is elsewhere",
		"What rests in such a store is sealed before it leaves the machine. new makes the key, export writes it, import reads it\n"
		"from standard input or asks for it, for another machine: ringbearer seal export | ssh HOST ringbearer seal import.\n"
		"password reads or asks for the password of this machine's user there (store_user). Both rest in the store that\n"
		"store_local names. They go by the account that is named, else by the defaults, and by the options of a store.\n\n"
		"  --replace            put the key in the place of another one, with which what is sealed can no longer be read\n"},
	{"erase", rbr_command_erase, "[--account=NAME | --url=URL] [OPTION …]",
		"drop a token that was refused, a secret, or a password",
		"Reads a request from standard input, unless that is a terminal and an option says what is meant. Drops the\n"
		"cached token if it is the one that is named by credential= or password=, or if none is named. With account=\n"
		"and secret=client_secret, refresh_token, api_key or all it removes that secret from the keyring. Where no\n"
		"account answers, it removes the passwords that git has stored for the place.\n\n"
		"  --account=NAME       the account whose tokens to drop\n"
		"  --url=URL            or the place\n"
		"  --username=NAME      only this user's\n"
		"  --interactive        a person may be asked to unlock the keyring\n"},
	{"add", rbr_command_add, "ACCOUNT --grant=NAME [--provider=NAME] [--KEY=VALUE …]", "set up an account",
		"Writes the account's file, asks for its secret without echo, keeps it in the keyring and reads it back.\n"
		"On a terminal it asks for what is missing.\n\n"
		"  --secret-stdin       read the secret from standard input\n"
		"  --no-questions       ask for nothing but the secret\n"},
	{"secret", rbr_command_secret, "ACCOUNT [--secret-stdin]", "replace an account's client secret or API key",
		"For when the service has issued a new one. Cached tokens are dropped.\n\n"
		"  --secret-stdin       read the secret from standard input\n"},
	{"login", rbr_command_login, "ACCOUNT [OPTION …]", "have a person consent, in a browser",
		"  --device             with a code that is entered on another device (RFC 8628)\n"
		"  --no-browser         only show the address\n"
		"  --paste              for a redirect URI elsewhere: paste the address that the browser ends at\n"},
	{"logout", rbr_command_logout, "ACCOUNT", "have the service forget a login, and forget it here", ""},
	{"list", rbr_command_list, "[--passwords] [--json]", "list the accounts and how they stand",
		"  --passwords          instead, the places without an account that git has stored a password for\n"
		"  --json               as JSON\n"},
	{"show", rbr_command_show, "ACCOUNT", "show an account's settings and where each comes from", ""},
	{"providers", rbr_command_providers, "", "list the services that ringbearer knows", ""},
	{"doctor", rbr_command_doctor, "[ACCOUNT] [--json] [--with-secrets]",
		"say what works, what does not, and what mends it",
		"Looks at this machine and all accounts, or at one. Nobody is asked anything, no secret is read, and nothing is sent\n"
		"but what finds out whether the service is reached.\n\n"
		"  --json               as JSON\n"
		"  --with-secrets       look as well whether the secrets can be read\n"},
	{"setup", rbr_command_setup, "git [--global] [--interactive]", "have a program ask ringbearer",
		"Adds ringbearer to git's credential helpers, in this repository's configuration.\n\n"
		"  --global             in yours, for all repositories\n"
		"  --interactive        a person may be asked to unlock the keyring\n"},
	{"refresh", rbr_command_refresh, "ACCOUNT [--metadata]", "renew an account's token now",
		"  --metadata           first drop what is remembered of the issuer's metadata\n"},
	{"move", rbr_command_move, "ACCOUNT --store=NAME [--KEY=VALUE …]", "move an account's secrets to another store",
		"Carries the secrets there, reads them back, has the account's file name the new store, and removes the secrets from\n"
		"the old one.\n\n"
		"  --store=NAME         the new store\n"
		"  --store-…=VALUE      its settings, as `ringbearer help add` has them; they go into the file as well\n"},
	{"remove", rbr_command_remove, "ACCOUNT", "remove an account with its secrets and tokens", ""},
	{"systemd", rbr_command_systemd, "", "answer LoadCredential=, with a socket as standard input",
		"ringbearer@.service runs this for each connection to ringbearer.socket. In a unit that the account allows\n"
		"(allow_unit), write LoadCredential=ACCOUNT:/run/ringbearer/credentials.sock (in a user's unit\n"
		"%t/ringbearer/credentials.sock).\n"},
	{"notice", rbr_command_notice, "ACCOUNT", "tell the person at the desktop that a login is needed",
		"Programs in the background have this run when they get no token. It tells once, until somebody has logged in, and\n"
		"its button starts the login.\n"},
	{"complete", rbr_command_complete, "-- WORD …", "say what may stand in the place of the last word, for shells",
		"The words are those behind `ringbearer`. Writes a line for each candidate: the word, a tab, and what it is.\n"},
	{"help", rbr_command_help, "[COMMAND]", "say how things are done", ""},
	{NULL, NULL, NULL, NULL, NULL},
};

int
rbr_command_missing(struct rbr_context *context, const char *name)
{
	struct rbr_nearest nearest = RBR_NEAREST(name);
	const struct rbr_command *command;

	for (command = rbr_commands; command->name; command++)
		rbr_nearest_try(&nearest, command->name);
	if (rbr_nearest_fits(&nearest))
		return rbr_fail(&context->error, RINGBEARER_E_USAGE, "there is no command `%.40s`; did you mean `%s`?",
			name, nearest.name);
	return rbr_fail(
		&context->error, RINGBEARER_E_USAGE, "there is no command `%.40s`; see `ringbearer help`", name);
}

const struct rbr_command *
rbr_command_find(const char *name)
{
	const struct rbr_command *command;

	for (command = rbr_commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}
