/* postgres_schema.c - one query for each kind of thing, over all tables at once; what belongs to one table stands together. */
#include "store/postgres_schema.h"

#include "store/postgres_query.h"

typedef struct Reader {
  PostgresRows rows; /* first */
  PostgresSchema *schema;
  PgTable *table; /* found last */
} Reader;

static Str kept(Reader *reader, const Value *value) { return postgres_rows_keep(&reader->rows, value); }

static bool is_true(const Value *value) { return value->type == VALUE_TEXT && str_equal(value->text, STR("t")); }

static char letter_of(const Value *value) { return value->type == VALUE_TEXT && value->text.len > 0 ? value->text.ptr[0] : ' '; }

static PgTable *table_of(Reader *reader, const Value *oid) {
  if (reader->table != NULL && str_equal(reader->table->oid, oid->text)) return reader->table;
  for (size_t i = 0; i < reader->schema->tables.count; i++) {
    if (str_equal(reader->schema->tables.items[i].oid, oid->text)) return reader->table = &reader->schema->tables.items[i];
  }
  return NULL;
}

#define SCHEMAS "(n.nspname = current_schema() OR n.nspname = ANY(string_to_array($1::text, ',')))"
#define TABLES                                                                                                                             \
  "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND " SCHEMAS                                            \
  " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"

static Code on_current(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  (void)err;
  reader->schema->current = kept(reader, &columns[0]);
  return CODE_OK;
}

static Code on_table(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  PgTable table = {.oid = kept(reader, &columns[0]),
                   .schema = kept(reader, &columns[1]),
                   .name = kept(reader, &columns[2]),
                   .kind = letter_of(&columns[3])};
  return VEC_PUSH(reader->rows.arena, &reader->schema->tables, table) ? CODE_OK : error_no_memory(err);
}

static Code on_column(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  PgTable *table = table_of(reader, &columns[0]);
  if (table == NULL) return CODE_OK;
  PgColumn column = {.name = kept(reader, &columns[1]),
                     .type = kept(reader, &columns[2]),
                     .is_not_null = is_true(&columns[3]),
                     .is_generated = is_true(&columns[4]),
                     .is_identity = is_true(&columns[5]),
                     .default_text = kept(reader, &columns[6]),
                     .collation = kept(reader, &columns[7])};
  return VEC_PUSH(reader->rows.arena, &table->columns, column) ? CODE_OK : error_no_memory(err);
}

static void key_note(PgTable *table, const PgIndex *index, Str column) {
  for (size_t i = 0; index->is_primary && i < table->columns.count; i++) {
    if (str_equal(table->columns.items[i].name, column)) table->columns.items[i].key_order = (uint32_t)index->columns.count;
  }
}

/* A row for each column of an index, in order. */
static Code on_index(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  PgTable *table = table_of(reader, &columns[0]);
  if (table == NULL) return CODE_OK;
  PgIndex *index = table->indexes.count == 0 ? NULL : &table->indexes.items[table->indexes.count - 1];
  if (index == NULL || !str_equal(index->oid, columns[1].text)) {
    PgIndex made = {.oid = kept(reader, &columns[1]),
                    .name = kept(reader, &columns[2]),
                    .is_unique = is_true(&columns[3]),
                    .is_primary = is_true(&columns[4]),
                    .is_partial = is_true(&columns[5]),
                    .is_valid = is_true(&columns[6])};
    if (!VEC_PUSH(reader->rows.arena, &table->indexes, made)) return error_no_memory(err);
    index = &table->indexes.items[table->indexes.count - 1];
  }
  PgIndexColumn column = {.name = kept(reader, &columns[7]), .is_descending = is_true(&columns[8])};
  if (!VEC_PUSH(reader->rows.arena, &index->columns, column)) return error_no_memory(err);
  key_note(table, index, column.name);
  return CODE_OK;
}

/* A row for each column of a key, in order. */
static Code on_foreign_key(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  PgTable *table = table_of(reader, &columns[0]);
  if (table == NULL) return CODE_OK;
  PgForeignKey *key = table->foreign_keys.count == 0 ? NULL : &table->foreign_keys.items[table->foreign_keys.count - 1];
  if (key == NULL || !str_equal(key->oid, columns[1].text)) {
    PgForeignKey made = {.oid = kept(reader, &columns[1]),
                         .name = kept(reader, &columns[2]),
                         .target_schema = kept(reader, &columns[3]),
                         .target = kept(reader, &columns[4]),
                         .on_delete = letter_of(&columns[5]),
                         .is_deferred = is_true(&columns[6])};
    if (!VEC_PUSH(reader->rows.arena, &table->foreign_keys, made)) return error_no_memory(err);
    key = &table->foreign_keys.items[table->foreign_keys.count - 1];
  }
  bool is_kept = VEC_PUSH(reader->rows.arena, &key->columns, kept(reader, &columns[7])) &&
                 VEC_PUSH(reader->rows.arena, &key->target_columns, kept(reader, &columns[8]));
  return is_kept ? CODE_OK : error_no_memory(err);
}

static Code on_check(void *context, const Value *columns, Error *err) {
  Reader *reader = context;
  PgTable *table = table_of(reader, &columns[0]);
  if (table == NULL) return CODE_OK;
  PgCheck check = {.name = kept(reader, &columns[1]), .definition = kept(reader, &columns[2])};
  return VEC_PUSH(reader->rows.arena, &table->checks, check) ? CODE_OK : error_no_memory(err);
}

typedef struct SchemaQuery {
  Str sql;
  size_t columns;
  StoreRowFn *row;
} SchemaQuery;

/* Booleans as their first letter, so that all is text. */
static const SchemaQuery queries[] = {
    {STR_INIT("SELECT current_schema()::text WHERE $1::text IS NOT NULL"), 1, on_current},
    {STR_INIT("SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text FROM " TABLES " ORDER BY n.nspname, c.relname"), 4,
     on_table},
    {STR_INIT("SELECT c.oid::text, a.attname::text, format_type(a.atttypid, a.atttypmod), left(a.attnotnull::text, 1), "
              "CASE WHEN a.attgenerated <> '' THEN 't' ELSE 'f' END, CASE WHEN a.attidentity <> '' THEN 't' ELSE 'f' END, "
              "pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text END FROM " TABLES
              " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
              "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation "
              "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum ORDER BY c.oid, a.attnum"),
     8, on_column},
    {STR_INIT("SELECT c.oid::text, i.indexrelid::text, x.relname::text, left(i.indisunique::text, 1), left(i.indisprimary::text, 1), "
              "CASE WHEN i.indpred IS NOT NULL THEN 't' ELSE 'f' END, left(i.indisvalid::text, 1), a.attname::text, "
              "CASE WHEN i.indoption[(k.n - 1)::int]::int & 1 = 1 THEN 't' ELSE 'f' END FROM " TABLES
              " JOIN pg_catalog.pg_index i ON i.indrelid = c.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
              "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(column_number, n) "
              "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number AND k.column_number > 0 "
              "WHERE k.n <= i.indnkeyatts ORDER BY c.oid, x.relname, i.indexrelid, k.n"),
     9, on_index},
    {STR_INIT(
         "SELECT c.oid::text, o.oid::text, o.conname::text, fn.nspname::text, fc.relname::text, o.confdeltype::text, "
         "left(o.condeferred::text, 1), a.attname::text, fa.attname::text FROM " TABLES
         " JOIN pg_catalog.pg_constraint o ON o.conrelid = c.oid AND o.contype = 'f' "
         "JOIN pg_catalog.pg_class fc ON fc.oid = o.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace "
         "CROSS JOIN LATERAL unnest(o.conkey, o.confkey) WITH ORDINALITY AS k(column_number, target_number, n) "
         "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number "
         "JOIN pg_catalog.pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = k.target_number ORDER BY c.oid, o.conname, o.oid, k.n"),
     9, on_foreign_key},
    {STR_INIT("SELECT c.oid::text, o.conname::text, pg_get_constraintdef(o.oid) FROM " TABLES
              " JOIN pg_catalog.pg_constraint o ON o.conrelid = c.oid AND o.contype = 'c' ORDER BY c.oid, o.conname"),
     3, on_check},
};

static bool is_ours(const PostgresSchema *schema) {
  bool is_empty = true;
  for (size_t i = 0; i < schema->tables.count; i++) {
    const PgTable *table = &schema->tables.items[i];
    if (!str_equal(table->schema, schema->current)) continue;
    if (str_equal(table->name, STR(POSTGRES_MARK_TABLE))) return true;
    is_empty = false;
  }
  return is_empty;
}

static Code on_phase(void *context, const Value *columns, Error *err) {
  PostgresSchema *schema = context;
  (void)columns;
  (void)err;
  schema->is_expanded = true;
  return CODE_OK;
}

Code postgres_schema_read(PostgresConnection *connection, Str schemas, Arena *arena, PostgresSchema *ret, Error *err) {
  PostgresSchema schema = {0};
  Reader reader = {.rows = {.connection = connection, .arena = arena}, .schema = &schema};
  Str param = schemas.ptr == NULL ? STR("") : schemas;
  for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
    TRY(postgres_query_rows(&reader.rows, queries[i].sql, &param, 1, queries[i].columns, queries[i].row, err));
  schema.is_ours = is_ours(&schema);
  if (postgres_schema_table(&schema, STR(POSTGRES_MARK_TABLE)) != NULL)
    TRY(postgres_query(connection, STR("SELECT 1::text FROM " POSTGRES_MARK_TABLE " WHERE name = 'phase'"), NULL, 0, 1, on_phase, &schema,
                       err));
  *ret = schema;
  return CODE_OK;
}

const PgTable *postgres_schema_table(const PostgresSchema *schema, Str name) {
  size_t dot = str_find_byte(name, '.', 0);
  bool is_qualified = dot < name.len;
  Str in = is_qualified ? str_slice(name, 0, dot) : schema->current, table = is_qualified ? str_slice(name, dot + 1, name.len) : name;
  for (size_t i = 0; i < schema->tables.count; i++) {
    if (str_equal(schema->tables.items[i].name, table) && str_equal(schema->tables.items[i].schema, in)) return &schema->tables.items[i];
  }
  return NULL;
}

const PgColumn *postgres_table_column(const PgTable *table, Str name) {
  for (size_t i = 0; i < table->columns.count; i++) {
    if (str_equal(table->columns.items[i].name, name)) return &table->columns.items[i];
  }
  return NULL;
}
