/* introspect.c - caisson introspect STORE */
#include <stddef.h>

#include "cli/command.h"
#include "base/utf8.h"
#include "cli/introspect_contract.h"
#include "contract/load.h"
#include "store/store.h"

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

static Code join(const OptionList *names, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, CONTRACT_BYTES_MAX);
  for (size_t i = 0; i < names->count; i++) {
    if (i > 0) buf_add_byte(&out, ',');
    buf_add(&out, names->items[i]);
  }
  return buf_finish(&out, ret, err);
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
  const StoreDriver *driver = store_driver_of(url);
  char forms[STORE_FORMS_BYTES];
  if (driver != NULL && driver->catalog == NULL)
    return error_set(err, CODE_BAD_REQUEST, "a store of the kind %.*s can't tell what stands in it", STR_ARGS(driver->form));
  if (driver == NULL)
    return error_set(err, CODE_BAD_REQUEST, "a store is %s, not \"%.*s\"", store_forms(forms), STR_ARGS(utf8_cut(url, 80)));
  Catalog catalog = {0};
  Str wanted;
  TRY(join(schemas, cli->arena, &wanted, err));
  StoreOptions store = {.url = url, .report = cli_report_store, .report_context = cli};
  TRY(driver->catalog(&store, wanted, cli->arena, &catalog, err));
  Str service = service_name(catalog.name, cli->arena);
  TRY_ALLOC(service.ptr);
  TRY(introspect_write_contract(out, &catalog, service, catalog.address, true, cli->arena, err));
  if (is_accepted(cli, out)) return CODE_OK;
  *out = buf_on(cli->arena, CONTRACT_BYTES_MAX);
  return introspect_write_contract(out, &catalog, service, catalog.address, false, cli->arena, err);
}

static ExitStatus command_introspect(Cli *cli) {
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

const Command COMMAND_INTROSPECT = {.options = &table, .run = command_introspect, .summary = "STORE: a contract for an existing database"};
