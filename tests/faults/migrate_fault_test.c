/* migrate_fault_test.c - whatever `caisson migrate`, `caisson copy` and a start do about tables, while memory, files and the database fail,
 * place by place: it is told, nothing is done by halves, and the same again without a failure gets through and leaves what it always
 * leaves. On SQLite; on PostgreSQL where CAISSON_TEST_POSTGRES names a server (tests/e2e/store-conformance.test.mjs). */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "contract/load.h"
#include "faults.h"
#include "migrate/copy.h"
#include "migrate/migrate.h"
#include "migrate/phase.h"
#include "migrate/start.h"
#include "store/store.h"

enum { SAID_BYTES_MAX = 64 * 1024, ATTEMPTS_MAX = 5000, LOCK_TIMEOUT_MS = 2000 };

#define SERVICE "extend schema @service(name: \"shop\", version: \"v1\")\n"
#define OPEN "@access(read: \"true\", write: \"true\")"

/* Each is the next one's past. */
static const char *const contracts[] = {
    SERVICE "enum Status { OPEN CLOSED }\n"
            "type Product @resource " OPEN " @unique(fields: [\"category\", \"name\"]) {\n"
            "  id: Int! @id sku: String! @unique name: String! @length(max: 40) price: Decimal @decimal(scale: 2) stock: Int sold: Int\n"
            "  made: DateTime tags: [String!] status: Status old: String note: String category: Category reviews: [Review!]! }\n"
            "type Category @resource " OPEN " @index(fields: [\"name\"]) { code: String! @id name: String products: [Product!]! }\n"
            "type Review @resource " OPEN " { id: Int! @id product: Product! stars: Int! text: String }\n"
            "type Gone @resource " OPEN " { id: Int! @id name: String }\n",
    SERVICE
    "enum Status { OPEN CLOSED NEW }\n"
    "type Article @resource @renamed(from: \"Product\") " OPEN " @search(fields: [\"title\", \"note\"])\n"
    "  @index(fields: [\"stock\", \"price desc\"]) @check(expr: \"stock >= 0\", message: \"none is left\") {\n"
    "  id: Int! @id code: String! @renamed(from: \"sku\") @unique title: String! @renamed(from: \"name\") @length(max: 30)\n"
    "  price: Decimal @decimal(scale: 2) @range(min: \"0\") stock: BigInt! @default(value: 4) sold: String made: DateTime\n"
    "  level: Int! @default(value: 3) tags: [String!] status: Status note: String category: Category @relation(onDelete: SET_NULL)\n"
    "  reviews: [Review!]! }\n"
    "type Category @resource " OPEN " { code: String! @id name: String! @unique products: [Article!]! parent: Category\n"
    "  children: [Category!]! }\n"
    "type Review @resource " OPEN
    " { id: Int! @id article: Article! @renamed(from: \"product\") @relation(onDelete: CASCADE) stars: Int! @range(min: 1, max: 5)\n"
    "  text: String @length(max: 100) }\n"
    "type Fresh @resource " OPEN " { id: Int! @id day: Date data: JSON mail: Email }\n",
    /* What serving may add by itself. */
    SERVICE "enum Status { OPEN CLOSED }\n"
            "type Product @resource " OPEN
            " @unique(fields: [\"category\", \"name\"]) @search(fields: [\"name\"]) @index(fields: [\"price\"]) {\n"
            "  id: Int! @id sku: String! @unique name: String! @length(max: 40) price: Decimal @decimal(scale: 2) stock: Int sold: Int\n"
            "  made: DateTime tags: [String!] status: Status old: String note: String category: Category reviews: [Review!]! level: Int }\n"
            "type Category @resource " OPEN " @index(fields: [\"name\"]) { code: String! @id name: String products: [Product!]! }\n"
            "type Review @resource " OPEN " { id: Int! @id product: Product! stars: Int! text: String }\n"
            "type Gone @resource " OPEN " { id: Int! @id name: String }\n"
            "type More @resource " OPEN " { id: Int! @id gone: Gone }\n",
    /* In two phases. */
    SERVICE
    "enum Status { OPEN CLOSED }\n"
    "type Product @resource " OPEN " @unique(fields: [\"category\", \"title\"]) {\n"
    "  id: Int! @id sku: String! @unique title: String! @renamed(from: \"name\") @length(max: 40) price: Decimal @decimal(scale: 2)\n"
    "  stock: Int sold: Int made: DateTime tags: [String!] status: Status note: String category: Category reviews: [Review!]!\n"
    "  level: Int! @default(value: 3) }\n"
    "type Category @resource " OPEN " @index(fields: [\"name\"]) { code: String! @id name: String products: [Product!]! }\n"
    "type Review @resource " OPEN " { id: Int! @id product: Product! stars: Int! text: String }\n"
    "type Gone @resource " OPEN " { id: Int! @id name: String more: Int }\n",
    /* What no migration of ours does. */
    SERVICE "type Product @resource " OPEN " { id: Int! @id sku: Bytes name: String! @length(max: 2) }\n"
            "type Category @resource " OPEN " { number: Int! @id code: String! }\n",
};
enum { BEFORE, BEHIND, MORE, LATER, IMPOSSIBLE, CONTRACTS };

/* With the columns of BEFORE. */
static const char *const rows[] = {
    "INSERT INTO categories (code, name) VALUES ('a', 'first')",
    "INSERT INTO products (id, sku, name, stock, sold, note, category_code) VALUES (1, 'S1', 'one', 4, 2, 'n', 'a')",
    "INSERT INTO products (id, sku, name, stock) VALUES (2, 'S2', 'two', 3)",
    "INSERT INTO reviews (id, product_id, stars) VALUES (1, 1, 4)",
};

static struct {
  Arena *arena;
  Contract *loaded[CONTRACTS];
  Store *postgres[2]; /* connecting is what takes time there */
  Migrator *helpers[2];
  bool has_postgres;
  bool is_thorough; /* each test begins anew; else a place fails in one of them */
} shared;

typedef struct World {
  bool is_postgres;
  char folder[64];
  Str migrations, url, other_url;
  Arena *arena;
  Store *store, *other;
  MigrateOptions options;
  char said[SAID_BYTES_MAX];
  size_t said_bytes;
  Str details;
  Error error;
} World;

/* ---- a world ---- */

static void say_text(World *world, Str text) {
  assert_true(world->said_bytes + text.len + 1 < sizeof world->said);
  Str folder = str_of(world->folder);
  for (size_t i = 0; i < text.len; i++) {
    /* When it was and where are no part of it. */
    bool is_moment = i + 4 < text.len && text.ptr[i] == '2' && text.ptr[i + 1] == '0' && text.ptr[i + 4] == '-';
    if (is_moment) break;
    if (str_starts_with(str_slice(text, i, text.len), folder))
      i += folder.len - 1;
    else
      world->said[world->said_bytes++] = text.ptr[i];
  }
  world->said[world->said_bytes++] = '\n';
}

static void on_say(void *context, Str line) { say_text(context, line); }

static void no_failure(const World *world, Code code, const char *what) {
  if (code != CODE_OK) fail_msg("%s: %d %s\n%.*s", what, (int)code, world->error.text, STR_ARGS(world->details));
}

static Str url_of(const World *world, const char *name) {
  return world->is_postgres ? arena_printf(world->arena, "postgresql://caisson@/test_%s%s", name, getenv("CAISSON_TEST_POSTGRES"))
                            : STR("sqlite::memory:");
}

static Code open_store(Str url, Store **ret, Error *err) {
  StoreOptions options = {.url = url, .statement_timeout_us = 20000000, .writes_queued_max = 10};
  return store_open(&options, ret, err);
}

/* A connection of its own, which is kept where connecting takes time. */
static Migrator *helper_open(const World *world, Store *store, Error *err) {
  Migrator **kept = !world->is_postgres ? NULL : store == shared.postgres[0] ? &shared.helpers[0] : &shared.helpers[1];
  if (kept != NULL && *kept != NULL) return *kept;
  Migrator *migrator = NULL;
  MigratorMode mode = world->is_postgres ? MIGRATOR_READS : MIGRATOR_WRITES; /* without the lock of migrators */
  no_failure(world, store->driver->migrator_open(store, LOCK_TIMEOUT_MS, mode, &migrator, err), "opening");
  if (kept != NULL) *kept = migrator;
  return migrator;
}

static void execute(World *world, Store *store, const char *sql) {
  const StoreMigrator *calls = store->driver->migrator;
  Migrator *migrator = helper_open(world, store, &world->error);
  no_failure(world, calls->begin(migrator, &world->error), "begin");
  no_failure(world, calls->execute(migrator, sql, &world->error), sql);
  no_failure(world, calls->commit(migrator, &world->error), "commit");
  if (!world->is_postgres) calls->close(migrator);
}

static void use_contract(World *world, int at) {
  world->options.contract = shared.loaded[at];
  world->options.contract_text = str_of(contracts[at]);
}

static void open_stores(World *world) {
  Store **kept = shared.postgres;
  if (!world->is_postgres || kept[0] == NULL) {
    no_failure(world, open_store(world->url, &world->store, &world->error), "opening");
    no_failure(world, open_store(world->other_url, &world->other, &world->error), "opening");
  }
  if (!world->is_postgres) return;
  if (kept[0] == NULL) kept[0] = world->store, kept[1] = world->other;
  world->store = kept[0];
  world->other = kept[1];
  execute(world, world->store, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  execute(world, world->other, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

static void world_open(World *world, bool is_postgres) {
  *world = (World){.is_postgres = is_postgres, .folder = "/dev/shm/caisson-migrate-XXXXXX", .arena = arena_create(0)};
  if (mkdtemp(world->folder) == NULL) {
    memcpy(world->folder, "/tmp/caisson-migrate-XXXXXX", sizeof "/tmp/caisson-migrate-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
  }
  world->migrations = arena_printf(world->arena, "%s/migrations", world->folder);
  world->url = url_of(world, "1");
  world->other_url = url_of(world, "2");
  open_stores(world);
  world->options = (MigrateOptions){.store = world->store,
                                    .calls = world->store->driver->migrator,
                                    .folder = world->migrations,
                                    .to = -1,
                                    .is_destruction_allowed = true,
                                    .lock_timeout_ms = LOCK_TIMEOUT_MS,
                                    .say = on_say,
                                    .context = world};
}

static void folder_remove(const char *path) {
  char inner[512];
  DIR *folder = opendir(path);
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    if (unlink(inner) != 0) folder_remove(inner);
  }
  closedir(folder);
  rmdir(path);
}

static void world_close(World *world) {
  if (!world->is_postgres) {
    store_close(world->store);
    store_close(world->other);
  }
  folder_remove(world->folder);
  arena_destroy(world->arena);
}

/* ---- what is done ---- */

static Code do_new(World *world) { return migrate_new(&world->options, STR("step"), world->arena, &world->details, &world->error); }
static Code do_plan(World *world) { return migrate_plan(&world->options, world->arena, &world->details, &world->error); }
static Code do_apply(World *world) { return migrate_apply(&world->options, world->arena, &world->details, &world->error); }
static Code do_status(World *world) { return migrate_status(&world->options, world->arena, &world->details, &world->error); }
static Code do_rollback(World *world) { return migrate_rollback(&world->options, world->arena, &world->details, &world->error); }
static Code do_verify(World *world) { return migrate_verify(&world->options, world->arena, &world->details, &world->error); }
static Code do_expand(World *world) { return migrate_expand(&world->options, world->arena, &world->details, &world->error); }
static Code do_contract(World *world) { return migrate_contract(&world->options, world->arena, &world->details, &world->error); }

static Code do_start(World *world) {
  return tables_start(world->store, world->options.contract, true, world->arena, &world->details, &world->error);
}
static Code do_compare(World *world) {
  return tables_compare(world->store, world->options.contract, world->arena, &world->details, &world->error);
}

static void on_progress(void *context, CopyStage stage, Str table, int64_t done, int64_t total) {
  (void)context;
  (void)stage;
  (void)table;
  assert_true(done <= total);
}

static Code do_copy(World *world) {
  CopyOptions options = {.contract = world->options.contract,
                         .from = world->store,
                         .to = world->other,
                         .lock_timeout_ms = LOCK_TIMEOUT_MS,
                         .progress = on_progress};
  CopiedTables copied = {0};
  TRY(store_copy(&options, world->arena, &copied, &world->details, &world->error));
  for (size_t i = 0; i < copied.count; i++) {
    char line[64];
    (void)snprintf(line, sizeof line, "%.*s %lld", STR_ARGS(copied.items[i].table), (long long)copied.items[i].rows);
    say_text(world, str_of(line));
  }
  return CODE_OK;
}

/* Opening, making the tables, and a look at what stands there. */
static Code do_open(World *world) {
  Store *store = NULL;
  bool is_there = false;
  TRY(open_store(world->other_url, &store, &world->error));
  Code code = tables_start(store, world->options.contract, true, world->arena, &world->details, &world->error);
  if (code == CODE_OK && store->driver->changes_open != NULL) code = store->driver->changes_open(store, &is_there, &world->error);
  if (code == CODE_OK) code = store->driver->ping(store, &world->error);
  store_close(store);
  return code;
}

/* What a person's contract is written from. */
static Code do_catalog(World *world) {
  StoreOptions options = {.url = world->other_url};
  Catalog catalog = {0};
  char line[256];
  TRY(world->store->driver->catalog(&options, STR(""), world->arena, &catalog, &world->error));
  for (size_t i = 0; i < catalog.tables.count; i++) {
    const CatalogTable *table = &catalog.tables.items[i];
    for (size_t k = 0; k < table->columns.count; k++) {
      const CatalogColumn *column = &table->columns.items[k];
      (void)snprintf(line, sizeof line, "%.*s.%.*s %.*s %.*s %.*s", STR_ARGS(table->name), STR_ARGS(column->name), STR_ARGS(column->type),
                     STR_ARGS(column->default_text), STR_ARGS(column->note));
      say_text(world, str_of(line));
    }
    (void)snprintf(line, sizeof line, "%zu references, %zu indexes, %zu checks, %zu notes", table->foreign_keys.count, table->indexes.count,
                   table->checks.count, table->notes.count);
    say_text(world, str_of(line));
  }
  return CODE_OK;
}

/* ---- what comes before it ---- */

static void insert_rows(World *world) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) execute(world, world->store, rows[i]);
}

static void with_contract(World *world, int at, Code (*work)(World *world), const char *what) {
  use_contract(world, at);
  no_failure(world, work(world), what);
}

static void before_first(World *world) { use_contract(world, BEFORE); }
static void before_second(World *world) {
  with_contract(world, BEFORE, do_new, "new");
  use_contract(world, BEHIND);
}
static void before_apply(World *world) {
  before_second(world);
  with_contract(world, BEHIND, do_new, "new");
}
static void before_refused(World *world) {
  before_second(world);
  use_contract(world, IMPOSSIBLE);
}
static void before_rows(World *world) {
  before_second(world);
  no_failure(world, do_apply(world), "apply");
  insert_rows(world);
  with_contract(world, BEHIND, do_new, "new");
}
static void before_rollback(World *world) {
  before_apply(world);
  no_failure(world, do_apply(world), "apply");
}
static void before_rollback_all(World *world) {
  before_rollback(world);
  world->options.to = 0;
}
static void before_rollback_plan(World *world) {
  before_rollback_all(world);
  world->options.is_dry_run = true;
}
static void before_adoption(World *world) {
  with_contract(world, BEFORE, do_start, "start");
  before_apply(world);
}
static void before_contract(World *world) {
  with_contract(world, BEFORE, do_apply, "apply");
  insert_rows(world);
  use_contract(world, BEHIND);
}
static void before_losses(World *world) {
  before_contract(world);
  world->options.is_destruction_allowed = false;
}
static void before_additions(World *world) {
  with_contract(world, BEFORE, do_start, "start");
  use_contract(world, MORE);
}
static void before_difference(World *world) {
  with_contract(world, BEFORE, do_start, "start");
  use_contract(world, BEHIND);
}
static void before_copy(World *world) {
  with_contract(world, BEFORE, do_start, "start");
  insert_rows(world);
}
static void before_copy_to_tables(World *world) {
  before_copy(world);
  no_failure(world, tables_start(world->other, world->options.contract, true, world->arena, &world->details, &world->error), "start");
}
static void before_copy_of_less(World *world) {
  before_copy(world);
  use_contract(world, BEHIND);
}

/* As somebody else may have made it; in a file, since a database in memory is nobody else's. */
static void before_catalog(World *world) {
  use_contract(world, BEHIND);
  if (!world->is_postgres) {
    store_close(world->other);
    world->other_url = arena_printf(world->arena, "sqlite:%s/other.db", world->folder);
    no_failure(world, open_store(world->other_url, &world->other, &world->error), "opening");
  }
  no_failure(world, tables_start(world->other, world->options.contract, true, world->arena, &world->details, &world->error), "start");
  execute(world, world->other, "CREATE VIEW named AS SELECT id, title FROM articles");
  execute(world, world->other, "CREATE TABLE odd (a INT DEFAULT 3 CHECK (a > 0), b TEXT)");
}

/* Two phases. */
static void before_expand(World *world) {
  with_contract(world, BEFORE, do_apply, "apply");
  insert_rows(world);
  use_contract(world, LATER);
}
static void before_contraction(World *world) {
  before_expand(world);
  no_failure(world, do_expand(world), "expand");
}
static void before_expand_plan(World *world) {
  before_expand(world);
  world->options.is_dry_run = true;
}
static void before_contract_plan(World *world) {
  before_contraction(world);
  world->options.is_dry_run = true;
}

typedef struct Case {
  const char *name;
  void (*prepare)(World *world);
  Code (*work)(World *world);
  Code code;
  bool is_of_phases; /* which PostgreSQL alone has */
  Code again;        /* what doing it a second time says; CODE_OK: as the first time */
} Case;

static const Case cases[] = {
    {"a first migration is written", before_first, do_new, CODE_OK, false},
    {"a second migration is written", before_second, do_new, CODE_OK, false},
    {"a migration that can't be is refused", before_refused, do_new, CODE_CONFLICT, false},
    {"what is due is told", before_apply, do_plan, CODE_OK, false},
    {"what is due without a folder is told", before_contract, do_plan, CODE_OK, false},
    {"migrations are applied", before_apply, do_apply, CODE_OK, false},
    {"a migration is applied to rows", before_rows, do_apply, CODE_OK, false},
    {"tables that are there are taken over", before_adoption, do_apply, CODE_OK, false},
    {"a contract is applied", before_contract, do_apply, CODE_OK, false},
    {"what would be lost is told", before_losses, do_apply, CODE_CONFLICT, false},
    {"how far it is is told", before_rollback, do_status, CODE_OK, false},
    {"a migration is taken back", before_rollback, do_rollback, CODE_OK, false},
    {"all migrations are taken back", before_rollback_all, do_rollback, CODE_OK, false},
    {"what would be taken back is told", before_rollback_plan, do_rollback, CODE_OK, false},
    {"all is verified", before_rollback, do_verify, CODE_OK, false},
    {"differences are told", before_apply, do_verify, CODE_CONFLICT, false},
    {"a start makes the tables", before_first, do_start, CODE_OK, false},
    {"a start adds what is missing", before_additions, do_start, CODE_OK, false},
    {"a start refuses what it may not do", before_difference, do_start, CODE_CONFLICT, false},
    {"what differs is told", before_difference, do_compare, CODE_CONFLICT, false},
    {"a database is opened", before_first, do_open, CODE_OK, false},
    {"what is there is read", before_catalog, do_catalog, CODE_OK, false},
    {"rows are copied", before_copy, do_copy, CODE_OK, false, CODE_CONFLICT},
    {"rows are copied to tables that are there", before_copy_to_tables, do_copy, CODE_OK, false, CODE_CONFLICT},
    {"a source that is no source is refused", before_copy_of_less, do_copy, CODE_CONFLICT, false},
    {"a database is expanded", before_expand, do_expand, CODE_OK, true},
    {"what expanding would do is told", before_expand_plan, do_expand, CODE_OK, true},
    {"an expanded database is contracted", before_contraction, do_contract, CODE_OK, true, CODE_CONFLICT},
    {"what contracting would do is told", before_contract_plan, do_contract, CODE_OK, true},
    {"an expanded database goes back", before_contraction, do_rollback, CODE_OK, true, CODE_CONFLICT},
    {"what differs in an expanded database is told", before_contraction, do_compare, CODE_OK, true},
};

/* ---- each with failures ---- */

typedef struct Outcome {
  Code code;
  Str said, details;
  Str once, twice; /* what is there then */
} Outcome;

static Str copy(Str text) { return arena_str(shared.arena, text); }

/* What stands in the database and the folder once the work has been done. */
static Str look(World *world) {
  world->said_bytes = 0;
  world->options.is_dry_run = false;
  (void)do_status(world);
  for (int i = 0; i < 2; i++) {
    world->details = (Str){0};
    Code code = do_compare(world);
    say_text(world, arena_printf(world->arena, "%d %.*s", (int)code, STR_ARGS(world->details)));
    use_contract(world, BEFORE);
  }
  return (Str){world->said, world->said_bytes};
}

static Code code_again(const Case *test) { return test->again == CODE_OK ? test->code : test->again; }

static void run(const Case *test, World *world) {
  world->said_bytes = 0;
  world->details = (Str){0};
  world->error = (Error){0};
  Code code = test->work(world);
  if (code != CODE_OK && world->error.code != code) fail_msg("%s: %d was returned, the error is %d", test->name, code, world->error.code);
  world->error.code = code;
}

static bool is_as(const World *world, const Outcome *whole) {
  return world->error.code == whole->code && str_equal((Str){world->said, world->said_bytes}, whole->said) &&
         str_equal(world->details, whole->details);
}

/* PostgreSQL takes its time: there a place fails once, whoever asked. */
static unsigned kinds(void) {
  return FAULT_MEMORY | FAULT_FILES | FAULT_SQLITE | FAULT_POSTGRES | (shared.has_postgres && !shared.is_thorough ? FAULT_SPARSELY : 0);
}

static size_t wrong;

/* From shortly before where two texts part. */
static void show_parting(const char *what, Str is, Str was) {
  size_t at = 0;
  while (at < is.len && at < was.len && is.ptr[at] == was.ptr[at]) at++;
  at = at < 40 ? 0 : at - 40;
  print_error("%s: …%.*s\n---- was …%.*s\n", what, (int)(is.len - at < 200 ? is.len - at : 200), is.ptr + at,
              (int)(was.len - at < 200 ? was.len - at : 200), was.ptr + at);
}

static void show(const char *what, const World *world, const Outcome *whole) {
  wrong++;
  faults_print();
  print_error("%s: %d %s, was %d\n", what, (int)world->error.code, world->error.text, (int)whole->code);
  show_parting("said", (Str){world->said, world->said_bytes}, whole->said);
  show_parting("details", world->details, whole->details);
}

/* False: nothing has failed. */
static bool attempt(const Case *test, World *world, bool is_postgres, const Outcome *whole) {
  world_open(world, is_postgres);
  test->prepare(world);
  faults_arm();
  run(test, world);
  bool has_failed = faults_disarm();
  bool is_whole = is_as(world, whole);
  bool is_told = world->error.code == CODE_UNAVAILABLE && world->error.text[0] != '\0';
  faults_note(!is_whole);
  if (!is_whole && !(has_failed && is_told)) show("with a failure", world, whole);
  run(test, world);
  Code again = world->error.code;
  if (again != code_again(test) && (is_whole || again != test->code)) show("again, without a failure", world, whole);
  /* What failed behind a commit is told as well, and then the second run was one. */
  Str after = look(world);
  bool is_right = str_equal(after, whole->twice) || (!is_whole && str_equal(after, whole->once));
  if (!is_right) {
    wrong++;
    faults_print();
    show_parting("what is there then", after, whole->once);
  }
  world_close(world);
  return has_failed;
}

typedef struct Pair {
  const Case *test;
  bool is_postgres;
} Pair;

static void whatever_fails(void **state) {
  static World world;
  const Pair *pair = *state;
  const Case *test = pair->test;
  Outcome whole = {0};
  size_t attempts = 0;
  wrong = 0;
  for (int times = 1; times <= 2; times++) {
    world_open(&world, pair->is_postgres);
    test->prepare(&world);
    for (int i = 0; i < times; i++) {
      run(test, &world);
      if (world.error.code != (i == 0 ? test->code : code_again(test)))
        fail_msg("%d %s\n%.*s", world.error.code, world.error.text, STR_ARGS(world.details));
      if (times == 1) whole = (Outcome){test->code, copy((Str){world.said, world.said_bytes}), copy(world.details), {0}, {0}};
    }
    *(times == 1 ? &whole.once : &whole.twice) = copy(look(&world));
    world_close(&world);
  }
  if (shared.is_thorough) faults_begin(kinds());
  while (attempt(test, &world, pair->is_postgres, &whole)) assert_in_range(attempts++, 0, ATTEMPTS_MAX);
  print_message("# %zu failures: %s\n", attempts, test->name);
  assert_int_equal(wrong, 0);
}

static Contract *load(const char *text) {
  ContractFile file = {STR("test.graphql"), str_of(text)};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_load(&file, 1, shared.arena, &contract, &diagnostics, NULL);
  if (code != CODE_OK) fail_msg("%.*s", STR_ARGS(diagnostics.count > 0 ? diagnostics.items[0].message : STR("no memory")));
  return contract;
}

static int set_up(void **state) {
  (void)state;
  shared.arena = arena_create(0);
  for (int i = 0; i < CONTRACTS; i++) shared.loaded[i] = load(contracts[i]);
  faults_begin(kinds());
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int i = 0; i < CONTRACTS; i++) contract_destroy(shared.loaded[i]);
  for (int i = 0; i < 2 && shared.postgres[i] != NULL; i++) {
    shared.postgres[i]->driver->migrator->close(shared.helpers[i]);
    store_close(shared.postgres[i]);
  }
  arena_destroy(shared.arena);
  return 0;
}

/* An argument chooses tests by a pattern. SQLite comes first: what is common to both has had its failures there. */
int main(int argc, char **argv) {
  enum { COUNT = sizeof cases / sizeof *cases };
  struct CMUnitTest tests[2 * COUNT];
  Pair pairs[2 * COUNT];
  size_t count = 0;
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  shared.is_thorough = getenv("CAISSON_FAULTS_THOROUGH") != NULL;
  shared.has_postgres = getenv("CAISSON_TEST_POSTGRES") != NULL;
  size_t stores = shared.has_postgres ? 2 : 1;
  for (size_t i = 0; i < stores * COUNT; i++) {
    bool is_postgres = i >= COUNT;
    const Case *test = &cases[i % COUNT];
    if (test->is_of_phases && !is_postgres) continue;
    pairs[count] = (Pair){test, is_postgres};
    tests[count] = (struct CMUnitTest){.name = test->name, .test_func = whatever_fails, .initial_state = &pairs[count]};
    count++;
  }
  return _cmocka_run_group_tests("migrate_fault", tests, count, set_up, tear_down);
}
