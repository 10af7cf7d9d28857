/* introspect.c - caisson introspect STORE */
#include <stddef.h>

#include "cli/command.h"
#include "cli/introspect_contract.h"
#include "contract/load.h"
#include "store/postgres_catalog.h"
#include "store/postgres_target.h"
#include "store/sqlite_catalog.h"

typedef struct IntrospectOptions {
  OptionList schemas;
} IntrospectOptions;

static const OptionSpec options[] = {
    {"schema", OPTION_LIST, offsetof(IntrospectOptions, schemas), NULL, "NAME",
     "a schema of PostgreSQL; repeatable [the one that a bare name means]"},
};
static const OptionTable table = {
    .command = "introspect",
    .arguments = "STORE [options]",
    .positional_min = 1,
    .positional_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .summary = "Prints a contract for a database: sqlite:FILE or postgresql://…. It is only read.\n"
               "Access is closed in it: open what you mean to show, then serve it with --store.",
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

static Code read_sqlite(Cli *cli, Str url, Catalog *ret, Error *err) {
  Str path = str_slice(url, 7, url.len);
  if (path.len == 0 || str_equal(path, STR(":memory:")))
    return error_set(err, CODE_BAD_REQUEST, "there is nothing in a database in memory: name a file, sqlite:FILE");
  return sqlite_catalog_read(path, cli->arena, ret, err);
}

static Code read_postgres(Cli *cli, Str url, const OptionList *schemas, Catalog *ret, Error *err) {
  Buf names = buf_on(cli->arena, CONTRACT_BYTES_MAX);
  for (size_t i = 0; i < schemas->count; i++) {
    if (i > 0) buf_add_byte(&names, ',');
    buf_add(&names, schemas->items[i]);
  }
  Str wanted;
  TRY(buf_finish(&names, &wanted, err));
  return postgres_catalog_read(url, wanted, cli->arena, ret, err);
}

/* "postgresql://ann:secret@host/shop?sslmode=require" → "shop"; what is no URL has no name to show. */
static Str postgres_database(Str url) {
  size_t end = str_find_byte(url, '?', 0), begin = end;
  while (begin > 0 && url.ptr[begin - 1] != '/') begin--;
  return begin > 0 ? str_slice(url, begin, end) : (Str){"", 0};
}

/* Catalogues know more constraints than rules do, and spell them otherwise: one that the checker doesn't take must not spoil the rest. */
static bool is_accepted(Cli *cli, const Buf *text) {
  ContractFile file = {.name = STR("introspected.graphql"), .text = buf_str(text)};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_load(&file, 1, cli->arena, &contract, &diagnostics, NULL);
  if (code == CODE_OK) contract_destroy(contract);
  return code == CODE_OK;
}

static Code introspect(Cli *cli, Str url, const OptionList *schemas, Buf *out, Error *err) {
  bool is_postgres = postgres_address_is(url);
  if (!is_postgres && !str_starts_with(url, STR("sqlite:")))
    return error_set(err, CODE_BAD_REQUEST, "a store is sqlite:FILE or postgresql://…, not \"%.*s\"", (int)(url.len > 80 ? 80 : url.len),
                     url.ptr);
  Catalog catalog;
  TRY(is_postgres ? read_postgres(cli, url, schemas, &catalog, err) : read_sqlite(cli, url, &catalog, err));
  Str database = postgres_database(url);
  Str service = service_name(is_postgres ? database : str_slice(url, 7, url.len), cli->arena);
  /* A password may stand in the address. */
  Str shown = is_postgres ? arena_printf(cli->arena, "postgresql://…/%.*s", STR_ARGS(database)) : url;
  TRY_ALLOC(service.ptr);
  TRY_ALLOC(shown.ptr);
  TRY(introspect_write_contract(out, &catalog, service, shown, true, cli->arena, err));
  if (is_accepted(cli, out)) return CODE_OK;
  *out = buf_on(cli->arena, CONTRACT_BYTES_MAX);
  return introspect_write_contract(out, &catalog, service, shown, false, cli->arena, err);
}

ExitStatus command_introspect(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  IntrospectOptions given = {0};
  OptionList positional;
  if (!cli_parse(cli, &table, &given, &positional, &status)) return status;
  Error err = {0};
  Buf text = buf_on(cli->arena, CONTRACT_BYTES_MAX);
  Code code = introspect(cli, positional.items[0], &given.schemas, &text, &err);
  if (code == CODE_OK) return cli_print(&text);
  (void)cli_fail(cli, &err);
  return code == CODE_BAD_REQUEST ? EXIT_WRONG_USAGE : EXIT_OUTSIDE;
}
