/* postgres_catalog.c - what postgres_schema.c reads for migrations, and besides it what only a person's contract has a place for: comments,
 * enums, what a domain stands on, partitions, policies, triggers. */
#include "store/postgres_catalog.h"

#include <string.h>

#include "sql/postgres_types.h"
#include "store/postgres_query.h"
#include "store/postgres_schema.h"

static const int64_t STATEMENT_TIMEOUT_US = 60000000;

typedef struct Reader {
  PostgresRows rows; /* first */
  Catalog *catalog;
  const PostgresSchema *schema;
  Str schemas;
  VEC(Str) oids; /* of catalog->tables */
} Reader;

static Str kept(Reader *reader, const Value *value) { return postgres_rows_keep(&reader->rows, value); }

static bool is_true(const Value *value) { return value->type == VALUE_TEXT && str_equal(value->text, STR("t")); }

#define PUSH(reader, vec, item)                                                                                                            \
  do {                                                                                                                                     \
    if (!VEC_PUSH((reader)->rows.arena, (vec), (item))) return error_no_memory(err);                                                       \
  } while (0)

#define NOTE(reader, vec, ...)                                                                                                             \
  do {                                                                                                                                     \
    Str note_ = arena_printf((reader)->rows.arena, __VA_ARGS__);                                                                           \
    TRY_ALLOC(note_.ptr);                                                                                                                  \
    PUSH(reader, vec, note_);                                                                                                              \
  } while (0)

/* ---- tables, from the schema ---- */

static bool is_wanted(const Reader *reader, Str schema) {
  Str rest = reader->schemas, name;
  if (rest.len == 0) return str_equal(schema, reader->schema->current);
  while (str_split_next(&rest, ',', &name))
    if (str_equal(str_trim(name), schema)) return true;
  return false;
}

/* As a contract's @resource(table:) says it. */
static Str address_of(const Reader *reader, Str schema, Str table) {
  if (str_equal(schema, reader->schema->current)) return table;
  return arena_printf(reader->rows.arena, "%.*s.%.*s", STR_ARGS(schema), STR_ARGS(table));
}

static Str action_of(char letter) {
  switch (letter) {
    case 'c': return STR("CASCADE");
    case 'n': return STR("SET NULL");
    case 'd': return STR("SET DEFAULT");
    case 'r': return STR("RESTRICT");
    default: return STR("NO ACTION");
  }
}

/* '…'::type → '…', (0)::numeric → 0; what is no literal stays as it is. */
static Str plain_default(Str text) {
  if (text.ptr == NULL || text.len < 2) return text;
  size_t end = text.len;
  if (text.ptr[0] == '\'') {
    for (end = 1; end < text.len && !(text.ptr[end] == '\'' && (end + 1 == text.len || text.ptr[end + 1] != '\'')); end++)
      if (text.ptr[end] == '\'') end++;
    end++;
  } else if (text.ptr[0] == '(') {
    end = str_find_byte(text, ')', 0) + 1;
  }
  if (end >= text.len || !str_starts_with(str_slice(text, end, text.len), STR("::"))) return text;
  for (size_t i = end + 2; i < text.len; i++) {
    char c = text.ptr[i];
    bool is_type = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_ (),.[]\"", c) != NULL;
    if (!is_type || (c == ':' && i > end + 1)) return text;
  }
  Str literal = str_slice(text, 0, end);
  bool is_number_in_quotes =
      literal.len > 2 && literal.ptr[0] == '\'' && !str_contains(text, STR("char")) && !str_contains(text, STR("text"));
  int64_t number = 0;
  Str inner = str_slice(literal, 1, literal.len - 1);
  return is_number_in_quotes && str_parse_int64(inner, &number) ? inner : literal;
}

static bool is_own_scalar(Str type) {
  static const char *const own[] = {"text", "integer", "bigint", "double precision", "numeric", "boolean", "timestamp with time zone",
                                    "date", "uuid"};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
    if (str_equal(type, str_of(own[i]))) return true;
  return false;
}

/* Ranges, addresses, intervals, money …: what has no type in a contract is read and written as its text. */
static Str judged(Str type) { return postgres_kind_of(type) == POSTGRES_OTHER ? STR("text") : type; }

static void column_set_type(CatalogColumn *column, Str type) {
  column->type = type;
  column->is_list = str_ends_with(type, STR("[]"));
  Str item = column->is_list ? str_slice(type, 0, type.len - 2) : type;
  column->underlying = judged(item);
  bool is_own = is_own_scalar(item) || (!column->is_list && (str_equal(item, STR("json")) || str_equal(item, STR("bytea"))));
  column->type_form = is_own ? CATALOG_TYPE_OWN : CATALOG_TYPE_OTHER;
}

static Code add_columns(Reader *reader, const PgTable *from, CatalogTable *table, Error *err) {
  for (size_t i = 0; i < from->columns.count; i++) {
    const PgColumn *column = &from->columns.items[i];
    CatalogColumn made = {.name = column->name,
                          .default_text = column->is_generated ? (Str){NULL, 0} : plain_default(column->default_text),
                          .is_required = column->is_not_null || column->key_order > 0,
                          .is_generated = column->is_generated,
                          .is_made_by_database = column->is_identity,
                          .key_order = column->key_order};
    column_set_type(&made, column->type);
    PUSH(reader, &table->columns, made);
  }
  return CODE_OK;
}

static Code add_indexes(Reader *reader, const PgTable *from, CatalogTable *table, Error *err) {
  for (size_t i = 0; i < from->indexes.count; i++) {
    const PgIndex *index = &from->indexes.items[i];
    if (index->is_primary) continue;
    CatalogIndex made = {.name = index->name, .is_unique = index->is_unique};
    for (size_t k = 0; k < index->columns.count; k++) {
      const PgIndexColumn *column = &index->columns.items[k];
      if (column->name.ptr == NULL) made.obstacle = STR("it is over an expression");
      PUSH(reader, &made.columns, ((CatalogIndexColumn){column->name.ptr == NULL ? STR("") : column->name, column->is_descending}));
      const PgColumn *is_over = column->name.ptr == NULL ? NULL : postgres_table_column(from, column->name);
      if (is_over != NULL && (str_ends_with(is_over->type, STR("[]")) || str_starts_with(is_over->type, STR("json"))))
        made.obstacle = STR("it is over lists or documents");
    }
    if (index->is_partial) made.obstacle = STR("it is partial");
    if (!index->is_valid) made.obstacle = STR("it is not valid");
    PUSH(reader, &table->indexes, made);
  }
  return CODE_OK;
}

static Code add_foreign_keys(Reader *reader, const PgTable *from, CatalogTable *table, Error *err) {
  for (size_t i = 0; i < from->foreign_keys.count; i++) {
    const PgForeignKey *key = &from->foreign_keys.items[i];
    CatalogForeignKey made = {.target = address_of(reader, key->target_schema, key->target),
                              .on_delete = action_of(key->on_delete),
                              .on_update = STR("NO ACTION")};
    TRY_ALLOC(made.target.ptr);
    for (size_t k = 0; k < key->columns.count; k++) {
      PUSH(reader, &made.columns, key->columns.items[k]);
      PUSH(reader, &made.target_columns, key->target_columns.items[k]);
    }
    PUSH(reader, &table->foreign_keys, made);
  }
  return CODE_OK;
}

static Code add_table(Reader *reader, const PgTable *from, Error *err) {
  CatalogTable table = {.name = from->name, .address = address_of(reader, from->schema, from->name)};
  TRY_ALLOC(table.address.ptr);
  table.is_view = from->kind == 'v' || from->kind == 'm';
  table.kind = from->kind == 'm' ? STR("a materialized view") : from->kind == 'v' ? STR("a view") : (Str){"", 0};
  if (from->kind == 'f') NOTE(reader, &table.notes, "its rows are another server's (a foreign table)");
  if (from->kind == 'p') NOTE(reader, &table.notes, "the table is partitioned");
  TRY(add_columns(reader, from, &table, err));
  TRY(add_indexes(reader, from, &table, err));
  TRY(add_foreign_keys(reader, from, &table, err));
  for (size_t i = 0; i < from->checks.count; i++)
    PUSH(reader, &table.checks, ((CatalogCheck){from->checks.items[i].name, from->checks.items[i].definition}));
  PUSH(reader, &reader->catalog->tables, table);
  PUSH(reader, &reader->oids, from->oid);
  return CODE_OK;
}

/* ---- what stands beside it ---- */

static CatalogTable *table_of(Reader *reader, const Value *oid) {
  for (size_t i = 0; oid->type == VALUE_TEXT && i < reader->oids.count; i++)
    if (str_equal(reader->oids.items[i], oid->text)) return &reader->catalog->tables.items[i];
  return NULL;
}

static CatalogColumn *column_of(CatalogTable *table, Str name) {
  for (size_t i = 0; table != NULL && i < table->columns.count; i++)
    if (str_equal(table->columns.items[i].name, name)) return &table->columns.items[i];
  return NULL;
}

/* oid, comment, row security, forced for its owner too, policies */
static Code on_table(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  CatalogTable *table = table_of(reader, &columns[0]);
  if (table == NULL) return CODE_OK;
  if (columns[1].type == VALUE_TEXT) table->comment = kept(reader, &columns[1]);
  if (!is_true(&columns[2])) return CODE_OK;
  Str policies = columns[4].type == VALUE_TEXT ? columns[4].text : STR("none: nobody but its owner sees a row");
  NOTE(reader, &table->notes, "row-level security hides rows from the role that serves%s; its policies: %.*s",
       is_true(&columns[3]) ? ", the owner too" : ", unless it owns the table", STR_ARGS(policies));
  return CODE_OK;
}

/* table's oid, column, comment, identity, domain, its base type, not null, its constraints, enum's oid */
static Code on_column(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  CatalogColumn *column = column_of(table_of(reader, &columns[0]), columns[1].text);
  if (column == NULL) return CODE_OK;
  if (columns[2].type == VALUE_TEXT) column->comment = kept(reader, &columns[2]);
  column->is_always_made = columns[3].type == VALUE_TEXT && str_equal(columns[3].text, STR("a"));
  if (columns[5].type == VALUE_TEXT) {
    Str checks = columns[7].type == VALUE_TEXT ? columns[7].text : (Str){"", 0};
    column->note = arena_printf(reader->rows.arena, "of the domain %.*s %.*s", STR_ARGS(columns[4].text), STR_ARGS(checks));
    TRY_ALLOC(column->note.ptr);
    column_set_type(column, kept(reader, &columns[5]));
    column->is_required = column->is_required || is_true(&columns[6]);
  }
  for (size_t i = 0; columns[8].type == VALUE_TEXT && i < reader->catalog->enums.count; i++)
    if (str_equal(reader->catalog->enums.items[i].id, columns[8].text)) column->enumeration = i + 1;
  return CODE_OK;
}

/* oid, name, label: in the labels' order */
static Code on_label(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  Catalog *catalog = reader->catalog;
  CatalogEnum *last = catalog->enums.count == 0 ? NULL : &catalog->enums.items[catalog->enums.count - 1];
  if (last == NULL || !str_equal(last->id, columns[0].text)) {
    CatalogEnum made = {.id = kept(reader, &columns[0]), .name = kept(reader, &columns[1])};
    PUSH(reader, &catalog->enums, made);
    last = &catalog->enums.items[catalog->enums.count - 1];
  }
  PUSH(reader, &last->labels, kept(reader, &columns[2]));
  return CODE_OK;
}

/* table's oid, what there is to say */
static Code on_note(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  CatalogTable *table = table_of(reader, &columns[0]);
  if (table != NULL) PUSH(reader, &table->notes, kept(reader, &columns[1]));
  return CODE_OK;
}

/* table's oid, index, its kind */
static Code on_index_kind(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  CatalogTable *table = table_of(reader, &columns[0]);
  for (size_t i = 0; table != NULL && i < table->indexes.count; i++) {
    CatalogIndex *index = &table->indexes.items[i];
    if (!str_equal(index->name, columns[1].text) || index->obstacle.len > 0) continue;
    index->obstacle = arena_printf(reader->rows.arena, "it is of the kind %.*s", STR_ARGS(columns[2].text));
    TRY_ALLOC(index->obstacle.ptr);
  }
  return CODE_OK;
}

/* table's oid, the table that it is a part of; tables that are left out */
typedef struct Partition {
  Str oid, parent;
} Partition;

typedef struct Partitions {
  Arena *arena;
  VEC(Partition) items;
} Partitions;

static Code on_partition(void *context, const Value *columns, Error *err) {
  Partitions *partitions = context;
  Partition made = {arena_str(partitions->arena, columns[0].text), arena_str(partitions->arena, columns[1].text)};
  if (made.oid.ptr == NULL || made.parent.ptr == NULL) return error_no_memory(err);
  return VEC_PUSH(partitions->arena, &partitions->items, made) ? CODE_OK : error_no_memory(err);
}

static Code take_tables(Reader *reader, Error *err) {
  Partitions partitions = {.arena = reader->rows.arena};
  TRY(postgres_query(reader->rows.connection,
                     STR("SELECT i.inhrelid::text, p.relname::text FROM pg_catalog.pg_inherits i "
                         "JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'"),
                     NULL, 0, 2, on_partition, &partitions, err));
  for (size_t i = 0; i < reader->schema->tables.count; i++) {
    const PgTable *table = &reader->schema->tables.items[i];
    const Partition *partition = NULL;
    for (size_t k = 0; k < partitions.items.count && partition == NULL; k++)
      if (str_equal(partitions.items.items[k].oid, table->oid)) partition = &partitions.items.items[k];
    if (!is_wanted(reader, table->schema)) continue;
    if (partition != NULL)
      NOTE(reader, &reader->catalog->notes, "the table %.*s, a partition of %.*s: its rows are served there", STR_ARGS(table->name),
           STR_ARGS(partition->parent));
    else if (str_starts_with(table->name, STR("caisson_")))
      NOTE(reader, &reader->catalog->notes, "the table %.*s, Caisson's own bookkeeping", STR_ARGS(table->name));
    else
      TRY(add_table(reader, table, err));
  }
  return CODE_OK;
}

typedef struct CatalogQuery {
  Str sql;
  size_t columns;
  StoreRowFn *row;
} CatalogQuery;

/* Each is over all tables; those that are not wanted fall away here. */
static const CatalogQuery queries[] = {
    {STR_INIT("SELECT t.oid::text, t.typname::text, l.enumlabel::text FROM pg_catalog.pg_enum l JOIN pg_catalog.pg_type t ON t.oid = "
              "l.enumtypid ORDER BY t.oid, l.enumsortorder"),
     3, on_label},
    {STR_INIT("SELECT c.oid::text, obj_description(c.oid, 'pg_class'), left(c.relrowsecurity::text, 1), "
              "left(c.relforcerowsecurity::text, 1), (SELECT string_agg(polname::text, ', ' ORDER BY polname) FROM pg_catalog.pg_policy "
              "WHERE polrelid = c.oid) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"),
     5, on_table},
    {STR_INIT("SELECT a.attrelid::text, a.attname::text, col_description(a.attrelid, a.attnum), a.attidentity::text, t.typname::text, "
              "b.base, left(t.typnotnull::text, 1), (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_catalog.pg_constraint k "
              "WHERE k.contypid = t.oid), CASE WHEN e.typtype = 'e' THEN e.oid::text END "
              "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
              "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
              "LEFT JOIN LATERAL (WITH RECURSIVE d(oid, mod) AS (SELECT t.typbasetype, t.typtypmod WHERE t.typtype = 'd' UNION ALL "
              "SELECT n.typbasetype, n.typtypmod FROM d JOIN pg_catalog.pg_type n ON n.oid = d.oid AND n.typtype = 'd') "
              "SELECT d.oid, format_type(d.oid, d.mod) AS base FROM d JOIN pg_catalog.pg_type n ON n.oid = d.oid AND n.typtype <> 'd') b "
              "ON true LEFT JOIN pg_catalog.pg_type u ON u.oid = coalesce(b.oid, t.oid) "
              "LEFT JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN u.typcategory = 'A' THEN u.typelem ELSE u.oid END "
              "WHERE a.attnum > 0 AND NOT a.attisdropped"),
     9, on_column},
    {STR_INIT("SELECT i.indrelid::text, x.relname::text, m.amname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = "
              "i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam WHERE m.amname <> 'btree'"),
     3, on_index_kind},
    {STR_INIT("SELECT conrelid::text, 'the constraint ' || conname || ': ' || pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint "
              "WHERE contype = 'x' ORDER BY conname"),
     2, on_note},
    {STR_INIT("SELECT tgrelid::text, 'the trigger ' || tgname FROM pg_catalog.pg_trigger WHERE NOT tgisinternal ORDER BY tgname"), 2,
     on_note},
};

static Code read_all(Reader *reader, Error *err) {
  PostgresSchema schema;
  TRY(postgres_schema_read(reader->rows.connection, reader->schemas, reader->rows.arena, &schema, err));
  reader->schema = &schema;
  Code code = take_tables(reader, err);
  for (size_t i = 0; code == CODE_OK && i < sizeof queries / sizeof queries[0]; i++)
    code = postgres_query_rows(&reader->rows, queries[i].sql, NULL, 0, queries[i].columns, queries[i].row, err);
  reader->schema = NULL;
  return code;
}

Code postgres_catalog_read(const StoreOptions *given, Str schemas, Arena *arena, Catalog *ret, Error *err) {
  *ret = (Catalog){0};
  PostgresTarget *target = ARENA_NEW(arena, PostgresTarget);
  TRY_ALLOC(target);
  StoreOptions options = {.url = given->url,
                          .statement_timeout_us = STATEMENT_TIMEOUT_US,
                          .is_read_only = true,
                          .report = given->report,
                          .report_context = given->report_context};
  TRY(postgres_target_init(target, &options, arena, err));
  Reader reader = {.rows = {.arena = arena}, .catalog = ret, .schemas = schemas};
  TRY(postgres_connection_open(target, NULL, NULL, &reader.rows.connection, err));
  ret->name = arena_str(arena, str_of(PQdb(reader.rows.connection->pg)));
  Code code = ret->name.ptr == NULL ? error_no_memory(err) : read_all(&reader, err);
  postgres_connection_close(reader.rows.connection);
  return code;
}
