/* introspect.c - caisson introspect STORE */
#include "cli/command.h"
#include "cli/introspect_contract.h"
#include "contract/load.h"
#include "store/sqlite_catalog.h"

static const OptionTable table = {
    .command = "introspect",
    .arguments = "STORE",
    .positional_min = 1,
    .positional_max = 1,
    .summary = "Prints a contract for an existing database: sqlite:FILE. The database is only read. Access is\n"
               "closed in it: open what you mean to show, then serve it with --store.",
};

/* "data/Chinook_Sqlite.sqlite" → "Chinook_Sqlite": letters, digits, dashes and underscores, a letter first. */
static Str service_name(Str path, Arena *arena) {
  size_t begin = path.len;
  while (begin > 0 && path.ptr[begin - 1] != '/') begin--;
  size_t end = path.len;
  for (size_t i = begin + 1; i < path.len && end == path.len; i++)
    if (path.ptr[i] == '.') end = i;
  Str stem = str_slice(path, begin, end > begin + 60 ? begin + 60 : end), name = arena_str(arena, stem);
  if (name.ptr == NULL) return name;
  char *bytes = (char *)name.ptr;
  for (size_t i = 0; i < name.len; i++) {
    char c = bytes[i];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), is_digit = c >= '0' && c <= '9';
    if (!is_letter && !is_digit && c != '-') bytes[i] = '_';
  }
  bool begins_well = name.len > 0 && ((bytes[0] >= 'a' && bytes[0] <= 'z') || (bytes[0] >= 'A' && bytes[0] <= 'Z'));
  return begins_well ? name : STR("database");
}

static Code introspect(Cli *cli, Str url, Buf *out, Error *err) {
  if (!str_starts_with(url, STR("sqlite:")))
    return error_set(err, CODE_BAD_REQUEST, "a store is sqlite:FILE, not \"%.*s\"", (int)(url.len > 80 ? 80 : url.len), url.ptr);
  Str path = str_slice(url, 7, url.len);
  if (path.len == 0 || str_equal(path, STR(":memory:")))
    return error_set(err, CODE_BAD_REQUEST, "there is nothing in a database in memory: name a file, sqlite:FILE");
  Catalog catalog;
  TRY(sqlite_catalog_read(path, cli->arena, &catalog, err));
  Str service = service_name(path, cli->arena);
  TRY_ALLOC(service.ptr);
  return introspect_write_contract(out, &catalog, service, url, cli->arena, err);
}

ExitStatus command_introspect(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  OptionList positional;
  if (!cli_parse(cli, &table, NULL, &positional, &status)) return status;
  Error err = {0};
  Buf text = buf_on(cli->arena, CONTRACT_BYTES_MAX);
  Code code = introspect(cli, positional.items[0], &text, &err);
  if (code == CODE_OK) return cli_print(&text);
  (void)cli_fail(cli, &err);
  return code == CODE_BAD_REQUEST ? EXIT_WRONG_USAGE : EXIT_OUTSIDE;
}
