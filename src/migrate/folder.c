/* folder.c - see folder.h. */
#include "migrate/folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf8.h"
#include "codec/hash.h"
#include "contract/load.h"
#include "migrate/script.h"

enum { NAME_BYTES_MAX = 80, SQL_BYTES_MAX = 64 * 1024 * 1024, NUMBER_DIGITS_MAX = 9 };

bool migration_name_is_valid(Str name) {
  if (name.len == 0 || name.len > NAME_BYTES_MAX) return false;
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!is_plain) return false;
  }
  return true;
}

/* An edit is to be found, not an attack: each part's hash is the next one's seed. */
Str migration_checksum(Str up, Str down, Str contract, Arena *arena) {
  uint64_t hash = hash64_seeded(contract, hash64_seeded(down, hash64(up)));
  return arena_printf(arena, "%016" PRIx64, hash);
}

static void contract_release(void *context) { contract_destroy(context); }

Code migration_contract_load(Str name, Str text, Arena *arena, Contract **ret, Error *err) {
  ContractFile file = {.name = name, .text = text};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Error inner = {0};
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, &inner);
  if (code == CODE_VALIDATION_FAILED && diagnostics.count > 0) {
    return error_set(err, CODE_CONFLICT, "%.80s:%u: %.120s", name.ptr, diagnostics.items[0].place.line,
                     arena_str(arena, diagnostics.items[0].message).ptr);
  }
  if (code != CODE_OK) return error_set(err, code, "%.200s", inner.text);
  if (!arena_defer(arena, contract_release, contract)) {
    contract_destroy(contract);
    return error_no_memory(err);
  }
  *ret = contract;
  return CODE_OK;
}

/* "0002_name" → 2; 0: no migration's name. */
static int64_t number_of(Str name) {
  size_t digits = str_find_byte(name, '_', 0);
  int64_t number = 0;
  if (digits < 4 || digits > NUMBER_DIGITS_MAX || digits + 1 >= name.len) return 0;
  for (size_t i = 0; i < digits; i++) {
    if (name.ptr[i] < '0' || name.ptr[i] > '9') return 0;
    number = number * 10 + (name.ptr[i] - '0');
  }
  return migration_name_is_valid(str_slice(name, digits + 1, name.len)) ? number : 0;
}

static Code file_of(const MigrationFolder *folder, Str name, const char *file, Arena *arena, Str *ret, Error *err) {
  Str path = arena_printf(arena, "%.*s/%.*s/%s", STR_ARGS(folder->path), STR_ARGS(name), file);
  Error inner;
  TRY_ALLOC(path.ptr);
  Code code = file_read(path, SQL_BYTES_MAX, arena, ret, &inner);
  if (code == CODE_OK) return CODE_OK;
  return error_set(err, code, "%.150s can't be read: %.60s", path.ptr, inner.text);
}

static Code migration_read(const MigrationFolder *folder, Str name, const StoreMigrator *store, Arena *arena, Migration *ret, Error *err) {
  *ret = (Migration){.number = number_of(name), .name = name};
  TRY(file_of(folder, name, "up.sql", arena, &ret->up, err));
  TRY(file_of(folder, name, "down.sql", arena, &ret->down, err));
  TRY(file_of(folder, name, "contract.graphql", arena, &ret->contract_text, err));
  ret->checksum = migration_checksum(ret->up, ret->down, ret->contract_text, arena);
  TRY_ALLOC(ret->checksum.ptr);
  Str dialect = script_dialect(ret->up), file = arena_printf(arena, "%.*s/contract.graphql", STR_ARGS(name));
  TRY_ALLOC(file.ptr);
  if (dialect.len > 0 && !str_equal(dialect, store->dialect))
    return error_set(err, CODE_CONFLICT, "%.*s was written for %.*s, the store is %.*s: each has a folder of its own (--dir)",
                     STR_ARGS(name), STR_ARGS(utf8_cut(dialect, 40)), STR_ARGS(store->dialect));
  TRY(migration_contract_load(file, ret->contract_text, arena, &ret->contract, err));
  return store->layout_of(ret->contract, arena, &ret->layout, err);
}

typedef VEC(Str) Names;

static Code names_read(DIR *directory, Arena *arena, Names *names, Error *err) {
  for (const struct dirent *entry; errno = 0, (entry = readdir(directory)) != NULL;) {
    Str name = arena_str(arena, str_of(entry->d_name));
    TRY_ALLOC(name.ptr);
    if (number_of(name) == 0) continue;
    if (!VEC_PUSH(arena, names, name)) return error_no_memory(err);
    size_t at = names->count - 1;
    for (; at > 0 && number_of(names->items[at - 1]) > number_of(name); at--) names->items[at] = names->items[at - 1];
    names->items[at] = name;
  }
  return errno == 0 ? CODE_OK : error_set(err, CODE_UNAVAILABLE, "the folder of migrations can't be read: %s", strerror(errno));
}

Code migration_folder_read(Str path, const StoreMigrator *store, Arena *arena, MigrationFolder *ret, Error *err) {
  *ret = (MigrationFolder){.path = path};
  DIR *directory = opendir(path.ptr);
  if (directory == NULL && errno == ENOENT) return CODE_OK;
  if (directory == NULL) return error_set(err, CODE_UNAVAILABLE, "%.150s can't be read: %s", path.ptr, strerror(errno));
  Names names = {0};
  Code code = names_read(directory, arena, &names, err);
  (void)closedir(directory);
  TRY(code);
  for (size_t i = 0; i < names.count; i++) {
    Migration migration;
    if (i > 0 && number_of(names.items[i - 1]) == number_of(names.items[i]))
      return error_set(err, CODE_CONFLICT, "%.*s and %.*s have one number", STR_ARGS(names.items[i - 1]), STR_ARGS(names.items[i]));
    TRY(migration_read(ret, names.items[i], store, arena, &migration, err));
    if (!VEC_PUSH(arena, &ret->migrations, migration)) return error_no_memory(err);
  }
  ret->is_there = names.count > 0;
  return CODE_OK;
}

static Code folder_make(Str path, Error *err) {
  if (mkdir(path.ptr, 0777) == 0 || errno == EEXIST) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "can't make %.150s: %s", path.ptr, strerror(errno));
}

enum { MIGRATION_FILES = 3 };

/* Where one of them can't be written none is left, since a folder with some of them would be no migration. */
static Code files_write(Str path, const Str paths[MIGRATION_FILES], const Str texts[MIGRATION_FILES], Error *err) {
  Code code = folder_make(path, err);
  for (size_t i = 0; code == CODE_OK && i < MIGRATION_FILES; i++) code = file_write(paths[i], texts[i], FILE_MODE_SHARED, err);
  if (code == CODE_OK) return CODE_OK;
  for (size_t i = 0; i < MIGRATION_FILES; i++) (void)unlink(paths[i].ptr);
  (void)rmdir(path.ptr);
  return code;
}

Code migration_folder_write(const MigrationFolder *folder, Str name, Str up, Str down, Str contract, Arena *arena, Str *ret_name,
                            Error *err) {
  static const char *const files[MIGRATION_FILES] = {"up.sql", "down.sql", "contract.graphql"};
  size_t count = folder->migrations.count;
  int64_t number = count == 0 ? 1 : folder->migrations.items[count - 1].number + 1;
  Str whole = arena_printf(arena, "%04" PRId64 "_%.*s", number, STR_ARGS(name));
  Str path = arena_printf(arena, "%.*s/%.*s", STR_ARGS(folder->path), STR_ARGS(whole));
  Str paths[MIGRATION_FILES];
  TRY_ALLOC(whole.ptr);
  TRY_ALLOC(path.ptr);
  for (size_t i = 0; i < MIGRATION_FILES; i++) {
    paths[i] = arena_printf(arena, "%.*s/%s", STR_ARGS(path), files[i]);
    TRY_ALLOC(paths[i].ptr);
  }
  TRY(folder_make(folder->path, err));
  TRY(files_write(path, paths, (const Str[MIGRATION_FILES]){up, down, contract}, err));
  *ret_name = whole;
  return CODE_OK;
}
