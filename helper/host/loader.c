/* SPDX-License-Identifier: MIT */
/*
 * How a module gets in.
 *
 * A name from a configuration file becomes a file name of letters, digits and dashes in one folder, so it cannot name
 * anything else, and nobody but root and the user can have put it there (trust.h). A missing symbol is found here and
 * not in the middle of a rotation: a module that is linked with `-z now` has its own bound at once whatever we say, and is
 * opened lazily, since those of the many libraries behind it need not be; any other is opened with RTLD_NOW. It is opened
 * privately (RTLD_LOCAL: modules do not see one another) and never unloaded: GLib keeps threads and thread-local
 * destructors that would outlive it.
 *
 * The vtable of the module's family is copied into a zeroed struct of the host's own size, as much of it as both sides know.
 * What an older module does not have is NULL afterwards, which means "not supported".
 */
#include "config.h"

#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/file_trust.h"
#include "cli/nearest.h"
#include "host.h"
#include "person/log.h"
#include "protocol/fastpath/paths.h"
#include "protocol/writer.h"

#define FILE_NAME_MAX 80
#define SURVEY_MAX 240 /* of a list of modules in a message */
#define DYNAMIC_MAX 4096 /* bytes of an object's table that are looked through */
/* A vtable that ends before this has not even its own size. */
#define OPERATIONS_MIN sizeof(uint32_t)

typedef const struct ringbearer_module *(*init_function)(uint32_t, const struct ringbearer_host *);

/* "client_credentials" -> "grant-client-credentials" */
static int
file_name(struct rbr_context *context, const char *family, const char *name, char out[FILE_NAME_MAX])
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	char *p;

	if (size == 0 || name[size] != '\0' || size > 64)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"`%.64s` is no name of a %s module; use small letters, digits, `_` and `-`", name, family);
	(void)snprintf(out, FILE_NAME_MAX, "%s-%s", family, name);
	for (p = out; *p; p++)
		if (*p == '_')
			*p = '-';
	return 0;
}

static int
check(struct rbr_context *context, const struct ringbearer_module *module, const char *family, const char *file,
	const char *path)
{
	if (!module)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s does not want to work with this version; install one that fits", path);
	if (module->abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s has ABI %u.%u and ringbearer has %u.%u; install one that was made for this version",
			path, module->abi >> 16, module->abi & 0xffff, RINGBEARER_MODULE_ABI_MAJOR,
			RINGBEARER_MODULE_ABI_MINOR);
	if (module->size < sizeof *module)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s states an impossible size (%u); ask its author to set `size`", path,
			module->size);
	if (!module->name || strcmp(module->name, file) != 0)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s calls itself `%.64s`; rename the file", path, module->name ? module->name : "");
	if (!module->family || strcmp(module->family, family) != 0)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s is no %s but a `%.16s`; ask its author to set `family`", path, family,
			module->family ? module->family : "");
	if (!module->operations || *(const uint32_t *)module->operations < OPERATIONS_MIN)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s has no operations; ask its author to set `operations` and their `size`", path);
	return 0;
}

int
rbr_loader_names(const char *family, struct rbr_names *names)
{
	DIR *folder = opendir(rbr_path_modules());
	size_t size = strlen(family);
	struct dirent *entry;
	int rc = 0;

	while (rc == 0 && folder && (entry = readdir(folder))) {
		char *name = entry->d_name, *end = strrchr(name, '.');

		if (strncmp(name, family, size) != 0 || name[size] != '-' || !end || strcmp(end, ".so") != 0)
			continue;
		*end = '\0';
		for (end = name; *end; end++)
			if (*end == '-')
				*end = '_';
		rc = rbr_names_add(name + size + 1, names);
	}
	if (folder)
		(void)closedir(folder);
	rbr_names_sort(names);
	return rc;
}

/* Reads what modules of FAMILY there are: TEXT gets their names, with ", " between them. */
static void
survey(const char *family, struct rbr_nearest *nearest, char text[SURVEY_MAX])
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_writer writer = rbr_writer_start(text, SURVEY_MAX);
	size_t i;

	if (rbr_loader_names(family, &names) < 0)
		return;
	for (i = 0; i < names.count; i++) {
		rbr_nearest_try(nearest, names.list[i]);
		rbr_write_format(&writer, "%s%s", i > 0 ? ", " : "", names.list[i]);
	}
}

static int
missing(struct rbr_context *context, const char *family, const char *name, const char *path)
{
	struct rbr_nearest nearest = RBR_NEAREST(name);
	char text[SURVEY_MAX];

	survey(family, &nearest, text);
	if (rbr_nearest_fits(&nearest))
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"there is no %s `%s`; did you mean `%s`? There are: %s", family, name, nearest.name, text);
	return rbr_fail(&context->error, RINGBEARER_E_MODULE,
		"there is no %s `%s`; there are: %s; or install the package that brings %s", family, name,
		text[0] != '\0' ? text : "none", path);
}

static bool
read_at(int descriptor, void *to, size_t size, uint64_t offset)
{
	return pread(descriptor, to, size, (off_t)offset) == (ssize_t)size;
}

/* Was the object linked with `-z now`? False as well for what is no object: dlopen() says so. */
static bool
binds_now(int descriptor)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) part = {.p_type = PT_NULL};
	ElfW(Dyn) entry;
	uint64_t i, at;

	if (!read_at(descriptor, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_phentsize != sizeof part)
		return false;
	for (i = 0; i < header.e_phnum && part.p_type != PT_DYNAMIC; i++)
		if (!read_at(descriptor, &part, sizeof part, header.e_phoff + i * sizeof part))
			return false;
	for (at = 0; part.p_type == PT_DYNAMIC && at + sizeof entry <= part.p_filesz && at < DYNAMIC_MAX;
		at += sizeof entry) {
		if (!read_at(descriptor, &entry, sizeof entry, part.p_offset + at) || entry.d_tag == DT_NULL)
			return false;
		if (entry.d_tag == DT_BIND_NOW || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW)) ||
			(entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NOW)))
			return true;
	}
	return false;
}

/* Fills *RET_NAME with the module's name and SIZE bytes at RET_OPS with its vtable. */
static int
open_module(struct rbr_context *context, const char *family, const char *name, size_t size, const char **ret_name,
	void *ret_ops)
{
	RBR_CLEANUP(rbr_close) int file_descriptor = -1;
	const struct ringbearer_module *module;
	char file[FILE_NAME_MAX], path[PATH_MAX];
	init_function init;
	size_t known;
	void *object;
	int rc = file_name(context, family, name, file);

	if (rc < 0)
		return rc;
	rc = snprintf(path, sizeof path, "%s/%s.so", rbr_path_modules(), file);
	if (rc < 0 || (size_t)rc >= sizeof path)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE, "the path of the module folder is too long");
	rbr_trace(context, "opening %s", path);
	if (strcmp(family, "input") != 0) /* those have no threads */
		context->opened_modules = true;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return missing(context, family, name, path);
	rc = rbr_trust_open(path, RBR_TRUST_INSTALLED, RINGBEARER_E_MODULE, &file_descriptor, &context->error);
	if (rc < 0)
		return rc;
	object = dlopen(path, (binds_now(file_descriptor) ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL | RTLD_NODELETE);
	if (!object)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s cannot be loaded (%s); install the package that brings it anew", path,
			dlerror());
	*(void **)&init = dlsym(object, "ringbearer_module_init");
	if (!init)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"%s has no ringbearer_module_init and is no module of ringbearer; see ringbearer-module(7)",
			path);
	module = init(RINGBEARER_MODULE_ABI, rbr_host());
	rc = check(context, module, family, file, path);
	if (rc < 0)
		return rc;
	known = *(const uint32_t *)module->operations;
	memset(ret_ops, 0, size);
	memcpy(ret_ops, module->operations, known < size ? known : size);
	*ret_name = module->name;
	return 0;
}

int
rbr_loader_grant(struct rbr_context *context, const char *name, struct rbr_grant *ret_grant)
{
	return open_module(context, "grant", name, sizeof ret_grant->ops, &ret_grant->name, &ret_grant->ops);
}

int
rbr_loader_store(struct rbr_context *context, const char *name, struct rbr_store *ret_store)
{
	return open_module(context, "store", name, sizeof ret_store->ops, &ret_store->name, &ret_store->ops);
}

bool
rbr_loader_shares(const struct rbr_store *store)
{
	const struct ringbearer_store *ops = &store->ops;

	return ops->view && ops->acquire && ops->keep && ops->store_if && ops->wait;
}

int
rbr_loader_input(struct rbr_context *context, const char *name, struct rbr_input *ret_input)
{
	return open_module(context, "input", name, sizeof ret_input->ops, &ret_input->name, &ret_input->ops);
}

int
rbr_loader_notice(struct rbr_context *context, const char *name, struct rbr_notice *ret_notice)
{
	return open_module(context, "notice", name, sizeof ret_notice->ops, &ret_notice->name, &ret_notice->ops);
}

int
rbr_loader_check(struct rbr_context *context, const char *module, int rc)
{
	if (rc > 0)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s returned %d, which means nothing; report it to its author", module, rc);
	if (rc < 0 && context->error.code != rc)
		return rbr_fail(&context->error, rc, "the module %s gave no reason", module);
	return rc;
}
