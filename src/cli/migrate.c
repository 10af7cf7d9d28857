/* migrate.c - caisson migrate ACTION CONTRACT [NAME] [options] */
#include <stddef.h>
#include <stdio.h>

#include "cli/command.h"
#include "contract/load.h"
#include "migrate/migrate.h"
#include "migrate/phase.h"
#include "store/store.h"

typedef struct MigrateCommand {
  Str store, folder, to;
  bool is_destruction_allowed, is_dry_run, is_expanding, is_contracting;
  uint64_t lock_timeout_ms;
} MigrateCommand;

#define AT(member) offsetof(MigrateCommand, member)
static const OptionSpec options[] = {
    {"store", OPTION_TEXT, AT(store), NULL, "URL", "the database; its kind decides the SQL [sqlite:./NAME.db]"},
    {"dir", OPTION_TEXT, AT(folder), "migrations", "DIR", "the folder of migrations"},
    {"to", OPTION_TEXT, AT(to), NULL, "NNNN", "up to this one; rollback: back to it, 0 for none"},
    {"allow-destructive", OPTION_FLAG, AT(is_destruction_allowed), NULL, NULL, "data may be lost"},
    {"expand", OPTION_FLAG, AT(is_expanding), NULL, NULL, "apply, plan: what lets the old and the new contract be served at once"},
    {"contract", OPTION_FLAG, AT(is_contracting), NULL, NULL, "apply, plan: then, what takes away what the old one alone had"},
    {"dry-run", OPTION_FLAG, AT(is_dry_run), NULL, NULL, "say what would be done, after a look at the data"},
    {"lock-timeout", OPTION_DURATION, AT(lock_timeout_ms), "2s", "TIME", "how long to wait for a lock, then 3", .min = 1, .max = 3600000},
};
static const OptionTable table = {
    .command = "migrate",
    .arguments = "ACTION CONTRACT [NAME] [options]",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_min = 2,
    .positional_max = 3,
    .summary = "Changes a database's tables to what the contract says. ACTION: new (with a NAME: writes a\n"
               "migration), plan, apply, status, rollback, verify. Without a folder of migrations, apply makes\n"
               "the difference between database and contract.",
};

typedef Code ActionFn(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
typedef struct Action {
  const char *name;
  ActionFn *run;      /* NULL: new */
  StoreAbsent absent; /* without --dry-run */
} Action;
static const Action actions[] = {{"new", NULL, STORE_ABSENT_IS_EMPTY},
                                 {"plan", migrate_plan, STORE_ABSENT_IS_EMPTY},
                                 {"apply", migrate_apply, STORE_ABSENT_IS_MADE},
                                 {"status", migrate_status, STORE_ABSENT_IS_EMPTY},
                                 {"rollback", migrate_rollback, STORE_ABSENT_IS_REFUSED},
                                 {"verify", migrate_verify, STORE_ABSENT_IS_REFUSED}};
static const Action expansion = {"apply", migrate_expand, STORE_ABSENT_IS_EMPTY},
                    contraction = {"apply", migrate_contract, STORE_ABSENT_IS_EMPTY};
enum { ACTION_COUNT = sizeof actions / sizeof actions[0] };

static const Action *action_of(Str name) {
  for (size_t i = 0; i < ACTION_COUNT; i++) {
    if (str_equal(str_of(actions[i].name), name)) return &actions[i];
  }
  return NULL;
}

static void say(void *context, Str line) {
  (void)context;
  (void)printf("%.*s\n", STR_ARGS(line));
  (void)fflush(stdout);
}

/* What is kept of a contract: all of its files, one behind the other. */
static Code contract_text(Cli *cli, Str path, Str *ret, Error *err) {
  ContractSource source;
  Buf text = buf_on(cli->arena, CONTRACT_BYTES_MAX + 1024);
  TRY(contract_source_read(path, cli->arena, &source, err));
  for (size_t i = 0; i < source.count; i++) {
    if (i > 0) buf_add_byte(&text, '\n');
    buf_add(&text, source.files[i].text);
  }
  return buf_finish(&text, ret, err);
}

static ExitStatus finish(Cli *cli, Code code, Str details, const Error *err) {
  if (code == CODE_OK) return EXIT_DONE;
  ExitStatus status = cli_fail(cli, err);
  if (details.len > 0) (void)fprintf(stderr, "%.*s\n", STR_ARGS(str_trim(details)));
  return status;
}

/* On the store; `new` needs its kind alone. */
static ExitStatus run(Cli *cli, const Action *action, MigrateOptions *chosen, Str url, Str name) {
  Error err = {0};
  Str details = {NULL, 0};
  if (action->run == NULL) return finish(cli, migrate_new(chosen, name, cli->arena, &details, &err), details, &err);
  StoreOptions store = {.url = url,
                        .writes_queued_max = 1,
                        .loops = 1,
                        .lock_timeout_us = chosen->lock_timeout_ms * 1000,
                        .absent = chosen->is_dry_run ? STORE_ABSENT_IS_EMPTY : action->absent,
                        .report = cli_report_store,
                        .report_context = cli};
  Code code = store_open(&store, &chosen->store, &err);
  if (code == CODE_OK) code = action->run(chosen, cli->arena, &details, &err);
  ExitStatus status = finish(cli, code, details, &err);
  store_close(chosen->store);
  return status;
}

static ExitStatus command_migrate(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  MigrateCommand given = {0};
  OptionList positional;
  Error err = {0};
  if (!cli_parse(cli, &table, &given, &positional, &status)) return status;
  const Action *action = action_of(positional.items[0]);
  const char *names[ACTION_COUNT];
  for (size_t i = 0; i < ACTION_COUNT; i++) names[i] = actions[i].name;
  if (action == NULL) {
    const char *near = option_nearest(positional.items[0], names, ACTION_COUNT);
    return cli_wrong_usage(cli, &table, "there is no \"%.60s\" of migrations%s%s%s", positional.items[0].ptr,
                           near != NULL ? ": did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
  }
  bool is_new = action->run == NULL, is_phase = given.is_expanding || given.is_contracting;
  if (is_phase && (given.is_expanding == given.is_contracting || (action->run != migrate_apply && action->run != migrate_plan)))
    return cli_wrong_usage(cli, &table, "--expand and --contract are of apply and plan, one at a time");
  if (is_new && (positional.count < 3 || !migration_name_is_valid(positional.items[2])))
    return cli_wrong_usage(cli, &table, "migrate new wants CONTRACT and NAME: letters, digits, \"-\" and \"_\"");
  if (!is_new && positional.count > 2) return cli_wrong_usage(cli, &table, "%s takes no NAME", action->name);
  MigrateOptions chosen = {.folder = given.folder,
                           .to = -1,
                           .is_destruction_allowed = given.is_destruction_allowed,
                           .is_dry_run = given.is_dry_run || (is_phase && action->run == migrate_plan),
                           .lock_timeout_ms = (int64_t)given.lock_timeout_ms,
                           .say = say};
  if (given.to.len > 0 && (!str_parse_int64(given.to, &chosen.to) || chosen.to < 0))
    return cli_wrong_usage(cli, &table, "--to wants a migration's number, such as 0002");
  Contract *contract = NULL;
  status = cli_load_contract(cli, positional.items[1], &contract);
  if (status != EXIT_DONE) return status;
  Str url = store_url_or_default(given.store, contract->service_name, cli->arena);
  const StoreDriver *driver = store_driver_of(url);
  char forms[STORE_FORMS_BYTES];
  chosen.contract = contract;
  chosen.calls = driver == NULL ? NULL : driver->migrator;
  if (driver == NULL)
    status = cli_wrong_usage(cli, &table, "--store wants %s", store_forms(forms));
  else if (chosen.calls == NULL)
    status = cli_wrong_usage(cli, &table, "a store of the kind %.*s has no tables that could be migrated", STR_ARGS(driver->form));
  else if (contract_text(cli, positional.items[1], &chosen.contract_text, &err) != CODE_OK)
    status = cli_fail(cli, &err);
  else
    status = run(cli,
                 given.is_expanding     ? &expansion
                 : given.is_contracting ? &contraction
                                        : action,
                 &chosen, url, is_new ? positional.items[2] : (Str){NULL, 0});
  contract_destroy(contract);
  return status;
}

const Command COMMAND_MIGRATE = {
    .options = &table, .run = command_migrate, .summary = "ACTION CONTRACT [NAME] [options]: tables that change with the contract"};
