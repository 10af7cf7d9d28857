/* fuzz_search.c - any text is looked for, or there is nothing in it to look for: what becomes of it for SQLite is a pattern that FTS5
 * accepts, for PostgreSQL a document that can be read. */
#include <sqlite3.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "contract_text.h"
#include "property.h"
#include "query/search.h"
#include "sql/dialect_impl.h"

static const char contract_text[] =
    "extend schema @service(name: \"fuzz\", version: \"v1\")\n"
    "type Note @resource @search(fields: [\"title\", \"text\"]) @access(read: \"true\") { id: ID! title: String! text: String }\n";

typedef struct Fixture {
  Contract *contract;
  const Resource *note;
  sqlite3_stmt *stmt;
} Fixture;

static const Fixture *fixture_get(void) {
  static Fixture fixture;
  if (fixture.contract != NULL) return &fixture;
  fixture.contract = contract_of_text(contract_text);
  fixture.note = contract_resource(fixture.contract, STR("Note"));
  sqlite3 *db = NULL;
  PROPERTY(sqlite3_open(":memory:", &db) == SQLITE_OK);
  PROPERTY(sqlite3_exec(db, "CREATE VIRTUAL TABLE f USING fts5(c0, c1); INSERT INTO f VALUES ('green tea', '1')", NULL, NULL, NULL) ==
           SQLITE_OK);
  PROPERTY(sqlite3_prepare_v2(db, "SELECT rowid FROM f WHERE f MATCH ?1", -1, &fixture.stmt, NULL) == SQLITE_OK);
  return &fixture;
}

/* ptr NULL: there is nothing to look for. */
static Str pattern_of(const SqlDialect *dialect, const Resource *note, Str text, Arena *arena) {
  const Caller nobody = {0};
  PlanInput input = plan_input_on(arena, dialect, &nobody, 0);
  PlanSearch search = {0};
  Error err = {0};
  if (plan_search(&input, note, text, &search, &err) != CODE_OK) {
    PROPERTY(err.code == CODE_BAD_REQUEST);
    return (Str){0};
  }
  PROPERTY(search.param > 0);
  return input.params.items[search.param - 1].text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Str text = {(const char *)data, size};
  if (size == 0 || !utf8_is_valid(text) || memchr(data, 0, size) != NULL) return 0; /* as faces give it */
  const Fixture *fixture = fixture_get();
  Arena *arena = arena_create(0);
  Str sqlite = pattern_of(&SQL_DIALECT_SQLITE, fixture->note, text, arena);
  Str postgres = pattern_of(&SQL_DIALECT_POSTGRES, fixture->note, text, arena);
  PROPERTY((sqlite.ptr == NULL) == (postgres.ptr == NULL));
  if (sqlite.ptr != NULL) {
    PROPERTY(sqlite3_bind_text(fixture->stmt, 1, sqlite.ptr, (int)sqlite.len, SQLITE_STATIC) == SQLITE_OK);
    int result = sqlite3_step(fixture->stmt);
    PROPERTY(result == SQLITE_ROW || result == SQLITE_DONE);
    sqlite3_reset(fixture->stmt);
    JsonValue document = {0};
    Error err = {0};
    PROPERTY(json_parse(postgres, 8, arena, &document, &err) == CODE_OK);
  }
  arena_destroy(arena);
  return 0;
}
