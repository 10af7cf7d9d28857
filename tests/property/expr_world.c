/* expr_world.c - see expr_world.h. Rows hold what breaks comparisons: null everywhere, empty strings, extreme numbers, decimals of 38
 * digits, letters beyond the BMP. */
#include "expr_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/datetime.h"
#include "store/sqlite_functions.h"
#include "store/sqlite_value.h"

static const char contract_text[] =
    "extend schema @service(name: \"world\", version: \"v1\")\n"
    "enum Status { OPEN CLOSED ARCHIVED @value(name: \"Zz old\") BETA @value(name: \"0\") }\n"
    "enum Plain { RED GREEN BLUE }\n"
    "type Geo { lat: Float deep: [Int] }\n"
    "type Address { city: String zip: Int big: BigInt price: Decimal since: DateTime day: Date open: Boolean plain: Plain status: Status "
    "geo: Geo lines: [String] raw: Bytes }\n"
    "type Shelf @resource @access(read: \"true\", write: \"false\") { room: Int! @id number: BigInt! @id label: String books: [Book!]! }\n"
    "type Author @resource @access(read: \"active || age > 3 || boss.active\", write: \"false\") {\n"
    "  id: ID! name: String age: Int rating: Float balance: Decimal @access(read: \"name != null && size(name) < 3\") active: Boolean "
    "born: Date joined: DateTime plain: Plain\n"
    "  boss: Author @relation(inverse: \"staff\") staff: [Author!]! books: [Book!]! @access(read: \"age != 7\") edited: [Book!]!\n"
    "}\n"
    "type Book @resource @access(read: \"true\", write: \"false\") {\n"
    "  id: ID! title: String text: String! pages: Int count: Int! copies: BigInt weight: Float price: Decimal cost: Decimal! published: "
    "Boolean createdAt: DateTime seen: DateTime! due: Date\n"
    "  code: UUID status: Status plain: Plain file: Bytes tags: [String] numbers: [BigInt] prices: [Decimal] times: [DateTime] flags: "
    "[Boolean] states: [Status]\n"
    "  address: Address addresses: [Address]\n"
    "  note: String @access(read: \"published || author.active\")\n"
    "  oldName: String @column(type: \"VARCHAR(20) COLLATE NOCASE\") oldPrice: Decimal @column(type: \"NUMERIC(10,2)\") oldTime: DateTime "
    "@column(type: \"DATETIME\")\n"
    "  oldFlag: Boolean @column(type: \"CHAR(1)\") oldDay: Date @column(type: \"DATE\") oldNumber: Int @column(type: \"TEXT\")\n"
    "  author: Author @relation(inverse: \"books\") editor: Author @relation(inverse: \"edited\") @access(read: \"pages != 7\") shelf: "
    "Shelf chapters: [Chapter!]!\n"
    "}\n"
    "type Chapter @resource @access(read: \"number != 2 || book.published\", write: \"false\") { id: ID! number: Int name: String cost: "
    "Decimal book: Book }\n";

uint64_t random_next(Random *random) {
  uint64_t z = (random->state += 0x9e3779b97f4a7c15u); /* SplitMix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* ---- values ---- */

#define PICK(random, pool) (pool)[random_below((random), sizeof(pool) / sizeof *(pool))]

static const Str texts[] = {STR_INIT(""),
                            STR_INIT("a"),
                            STR_INIT("A"),
                            STR_INIT("ab"),
                            STR_INIT("Tea"),
                            STR_INIT("tea"),
                            STR_INIT("a%b_c"),
                            STR_INIT("'"),
                            STR_INIT("\"\\"),
                            STR_INIT("\xc3\xa9"),
                            STR_INIT("e\xcc\x81"),
                            STR_INIT("\xf0\x9f\x8d\xb5"),
                            STR_INIT("\xef\xbf\xbd"),
                            STR_INIT("\xf4\x8f\xbf\xbf"),
                            STR_INIT("a\xf4\x8f\xbf\xbf"),
                            STR_INIT(" "),
                            STR_INIT("10"),
                            STR_INIT("9"),
                            STR_INIT("\x7f"),
                            STR_INIT("RED"),
                            STR_INIT("OPEN"),
                            STR_INIT("Zz old")};
static const Str decimals[] = {STR_INIT("0"),
                               STR_INIT("1"),
                               STR_INIT("-1"),
                               STR_INIT("0.1"),
                               STR_INIT("10"),
                               STR_INIT("9"),
                               STR_INIT("12.5"),
                               STR_INIT("-12.5"),
                               STR_INIT("-0.0000000001"),
                               STR_INIT("99999999999999999999999999999999999999"),
                               STR_INIT("-99999999999999999999999999999999999999"),
                               STR_INIT("0.00000000000000000000000000000000000001"),
                               STR_INIT("9223372036854775807"),
                               STR_INIT("0.3"),
                               STR_INIT("7")};
static const int64_t ints[] = {0, 1, -1, 2, 3, 7, 10, -7, INT32_MAX, INT32_MIN};
static const int64_t big_ints[] = {0, 1, -1, 2, 7, 10, INT32_MAX, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_C(9007199254740993), -3};
static const double floats[] = {0,   1, -1, 0.1, 0.3, 1.5, 7, -2.25, 1e308, -1e308, 5e-324, 9007199254740992.0, 1e15, 0.30000000000000004,
                                12.5};
static const int64_t timestamps[] = {
    0, 1, -1, 1000000, INT64_C(1700000000123456), INT64_C(-62135596800000000), INT64_C(253402300799999999), INT64_C(1700000000000000)};
static const int64_t days[] = {0, 1, -1, 19000, -719162, 2932896};
static const int64_t durations[] = {
    0, 1, -1, 1000000, INT64_C(3600000000), INT64_C(86400000000), INT64_C(-86400000000), INT64_C(9000000000000000000)};
static const Str blobs[] = {STR_INIT(""), STR_INIT("\0"), STR_INIT("\xff"), STR_INIT("a"), STR_INIT("a\0b")};
static const Str uuids[] = {STR_INIT("0193568d-4b6a-7c3e-8f2a-1b2c3d4e5f60"), STR_INIT("ffffffff-ffff-ffff-ffff-ffffffffffff"),
                            STR_INIT("00000000-0000-0000-0000-000000000000")};

Value world_random_scalar(Random *random, ExprType type) {
  switch (type) {
    case EXPR_TYPE_BOOL: return value_bool(random_one_in(random, 2));
    case EXPR_TYPE_INT: return value_int(random_one_in(random, 3) ? PICK(random, big_ints) : PICK(random, ints));
    case EXPR_TYPE_FLOAT: return value_float(PICK(random, floats));
    case EXPR_TYPE_DECIMAL: return value_decimal(PICK(random, decimals));
    case EXPR_TYPE_BYTES: return (Value){.type = VALUE_BYTES, .text = PICK(random, blobs)};
    case EXPR_TYPE_TIMESTAMP: return (Value){.type = VALUE_TIMESTAMP, .integer = PICK(random, timestamps)};
    case EXPR_TYPE_DATE: return (Value){.type = VALUE_DATE, .integer = PICK(random, days)};
    case EXPR_TYPE_DURATION: return (Value){.type = VALUE_DURATION, .integer = PICK(random, durations)};
    default: return value_text(PICK(random, texts));
  }
}

Str world_random_name(Random *random, const EnumType *type) { return type->values[random_below(random, type->value_count)].name; }

static void write_json_scalar(Buf *out, Random *random, const Field *field) {
  if (field->type == TYPE_ENUM) {
    json_write_string(out, world_random_name(random, field->enum_type));
    return;
  }
  if (field->type == TYPE_BYTES) {
    static const Str base64[] = {STR_INIT(""), STR_INIT("AA=="), STR_INIT("/w=="), STR_INIT("YQ==")};
    json_write_string(out, PICK(random, base64));
    return;
  }
  char text[TIMESTAMP_TEXT_MAX];
  Value value = field->type == TYPE_INT      ? value_int(PICK(random, ints))
                : field->type == TYPE_BIGINT ? value_int(PICK(random, big_ints))
                                             : world_random_scalar(random, field->type == TYPE_FLOAT      ? EXPR_TYPE_FLOAT
                                                                           : field->type == TYPE_DECIMAL  ? EXPR_TYPE_DECIMAL
                                                                           : field->type == TYPE_BOOLEAN  ? EXPR_TYPE_BOOL
                                                                           : field->type == TYPE_DATETIME ? EXPR_TYPE_TIMESTAMP
                                                                           : field->type == TYPE_DATE     ? EXPR_TYPE_DATE
                                                                                                          : EXPR_TYPE_STRING);
  switch (value.type) {
    case VALUE_BOOL: buf_add(out, value.boolean ? STR("true") : STR("false")); break;
    case VALUE_INT:
      /* A BigInt is a string in JSON. */
      if (field->type == TYPE_BIGINT)
        buf_printf(out, "\"%lld\"", (long long)value.integer);
      else
        buf_add_int64(out, value.integer);
      break;
    case VALUE_FLOAT: json_write_double(out, value.number); break;
    case VALUE_TIMESTAMP: json_write_string(out, (Str){text, timestamp_write(value.integer, text)}); break;
    case VALUE_DATE: json_write_string(out, (Str){text, date_write(value.integer, text)}); break;
    case VALUE_DECIMAL: {
      /* Not canonical, as a column of fixed scale may hold it. */
      bool has_zeros = memchr(value.text.ptr, '.', value.text.len) != NULL && value.text.len < 20;
      buf_printf(out, "\"%.*s%s\"", STR_ARGS(value.text), has_zeros ? "0" : "");
      break;
    }
    default: json_write_string(out, value.text); break;
  }
}

static void write_json(Buf *out, Random *random, const Field *field, bool is_item) {
  if (random_one_in(random, 6)) {
    buf_add(out, STR("null"));
  } else if (field->is_list && !is_item) {
    buf_add_byte(out, '[');
    for (size_t i = 0, n = random_below(random, 4); i < n; i++) {
      if (i > 0) buf_add_byte(out, ',');
      write_json(out, random, field, true);
    }
    buf_add_byte(out, ']');
  } else if (field->type == TYPE_EMBEDDED) {
    bool is_first = true;
    buf_add_byte(out, '{');
    for (size_t i = 0; i < field->embedded->field_count; i++) {
      if (random_one_in(random, 5)) continue;
      if (!is_first) buf_add_byte(out, ',');
      is_first = false;
      json_write_string(out, field->embedded->fields[i]->name);
      buf_add_byte(out, ':');
      write_json(out, random, field->embedded->fields[i], false);
    }
    buf_add_byte(out, '}');
  } else {
    write_json_scalar(out, random, field);
  }
}

Value world_random_value(Random *random, Arena *arena, const Field *field) {
  static const Str small_decimals[] = {STR_INIT("0"), STR_INIT("0.1"), STR_INIT("12.5"), STR_INIT("-3"), STR_INIT("99.99")};
  if (!field->is_required && random_one_in(random, 5)) return value_null();
  if (field->is_list || field->type == TYPE_EMBEDDED) {
    Buf out = buf_on(arena, 1 << 16);
    write_json(&out, random, field, false);
    Str text = buf_str(&out);
    return str_equal(text, STR("null")) ? value_null() : (Value){.type = VALUE_JSON, .text = text};
  }
  if (str_equal(field->name, STR("oldPrice"))) return value_decimal(PICK(random, small_decimals));
  if (str_equal(field->name, STR("oldTime")))
    return (Value){.type = VALUE_TIMESTAMP, .integer = INT64_C(1700000000000000) + (int64_t)random_below(random, 3) * 1000000};
  switch (field->type) {
    case TYPE_INT: return value_int(PICK(random, ints));
    case TYPE_BIGINT: return value_int(PICK(random, big_ints));
    case TYPE_FLOAT: return value_float(PICK(random, floats));
    case TYPE_DECIMAL: return value_decimal(PICK(random, decimals));
    case TYPE_BOOLEAN: return value_bool(random_one_in(random, 2));
    case TYPE_DATETIME: return world_random_scalar(random, EXPR_TYPE_TIMESTAMP);
    case TYPE_DATE: return world_random_scalar(random, EXPR_TYPE_DATE);
    case TYPE_BYTES: return world_random_scalar(random, EXPR_TYPE_BYTES);
    case TYPE_UUID: return value_text(PICK(random, uuids));
    case TYPE_ENUM: return value_text(field->enum_type->values[random_below(random, field->enum_type->value_count)].stored);
    default: return value_text(PICK(random, texts));
  }
}

/* ---- rows ---- */

const Table *world_table(const World *world, const char *resource) {
  for (size_t i = 0; i < world->table_count; i++) {
    if (str_equal(world->tables[i].resource->name, str_of(resource))) return &world->tables[i];
  }
  abort();
}

static const Table *table_of(const World *world, const Resource *resource) {
  for (size_t i = 0; i < world->table_count; i++) {
    if (world->tables[i].resource == resource) return &world->tables[i];
  }
  abort();
}

static void fill_row(World *world, Random *random, const Table *table, size_t index, const size_t *counts) {
  Value *row = table->rows + index * table->resource->stored_count;
  for (size_t i = 0; i < table->resource->stored_count; i++) {
    const Field *field = table->resource->stored[i];
    if (field->is_key && field->type == TYPE_ID)
      row[i] = value_text(arena_printf(world->arena, "%c%zu", table->resource->name.ptr[0] + 32, index));
    else if (field->is_key)
      row[i] = value_int((int64_t)(str_equal(field->name, STR("room")) ? index % 3 : index));
    else if (!field->is_relation_key)
      row[i] = world_random_value(random, world->arena, field);
  }
  for (size_t i = 0; i < table->resource->field_count; i++) {
    const Field *field = table->resource->fields[i];
    if (field->kind != FIELD_TO_ONE) continue;
    const Table *target = table_of(world, field->relation->target);
    size_t count = counts[target - world->tables];
    size_t chosen = random_below(random, count);
    bool is_null = random_one_in(random, 4);
    for (size_t k = 0; k < field->relation->key_count; k++) {
      const Field *key = field->relation->keys[k];
      row[key->stored_index] = is_null ? value_null() : table_row(target, chosen)[key->target_key->stored_index];
    }
  }
}

static bool find_row(const World *world, const Value *row, const Table **ret_table, size_t *ret_index) {
  for (size_t i = 0; i < world->table_count; i++) {
    const Table *table = &world->tables[i];
    size_t width = table->resource->stored_count;
    for (const Value *base = table->rows;; base = table->views) {
      if (row >= base && row < base + width * table->count) {
        *ret_table = table;
        *ret_index = (size_t)(row - base) / width;
        return true;
      }
      if (base == table->views) break;
    }
  }
  return false;
}

static bool points_to(const Relation *relation, const Value *source, const Value *target) {
  for (size_t i = 0; i < relation->key_count; i++) {
    const Value *a = &source[relation->keys[i]->stored_index], *b = &target[relation->target->keys[i]->stored_index];
    if (a->type != b->type || a->type == VALUE_NULL) return false;
    if (a->type == VALUE_TEXT ? !str_equal(a->text, b->text) : a->integer != b->integer) return false;
  }
  return true;
}

static bool rule_holds(World *world, const Expr *rule, const Value *row) {
  bool holds = false;
  ExprEnv env = {.caller = &world->caller, .now_us = world->now_us, .row = row, .resolver = &world->resolver};
  if (expr_eval_bool(rule, &env, world->arena, &holds, NULL) != CODE_OK) abort();
  return holds;
}

static const Expr *field_access(const Field *field) { return field->access[RULE_READ]; }

static const Value *to_one(World *world, const Relation *relation, const Value *row, bool is_view) {
  const Table *table = NULL;
  size_t index = 0;
  if (!find_row(world, row, &table, &index)) abort();
  row = table_row(table, index);
  const Table *target = table_of(world, relation->target);
  if (is_view && field_access(relation->field) != NULL && !rule_holds(world, field_access(relation->field), row)) return NULL;
  for (size_t i = 0; i < target->count; i++) {
    if (!points_to(relation, row, table_row(target, i))) continue;
    if (!is_view) return table_row(target, i);
    return target->is_visible[i] ? table_view(target, i) : NULL;
  }
  return NULL;
}

static size_t to_many(World *world, const Relation *relation, const Value *row, const Value *const **ret_rows, bool is_view) {
  const Table *table = NULL;
  size_t index = 0, count = 0;
  if (!find_row(world, row, &table, &index)) abort();
  row = table_row(table, index);
  if (is_view && field_access(relation->inverse) != NULL && !rule_holds(world, field_access(relation->inverse), row)) return 0;
  const Table *source = table_of(world, relation->source);
  const Value **rows = ARENA_ARRAY(world->arena, const Value *, ROWS_MAX);
  for (size_t i = 0; i < source->count; i++) {
    if (!points_to(relation, table_row(source, i), row) || (is_view && !source->is_visible[i])) continue;
    rows[count++] = is_view ? table_view(source, i) : table_row(source, i);
  }
  *ret_rows = rows;
  return count;
}

static const Value *true_to_one(void *world, const Relation *relation, const Value *row) { return to_one(world, relation, row, false); }
static const Value *view_to_one(void *world, const Relation *relation, const Value *row) { return to_one(world, relation, row, true); }
static size_t true_to_many(void *world, const Relation *relation, const Value *row, const Value *const **ret_rows) {
  return to_many(world, relation, row, ret_rows, false);
}
static size_t view_to_many(void *world, const Relation *relation, const Value *row, const Value *const **ret_rows) {
  return to_many(world, relation, row, ret_rows, true);
}

static void make_view(World *world, Table *table) {
  for (size_t i = 0; i < table->count; i++) {
    const Value *row = table_row(table, i);
    Value *view = table->views + i * table->resource->stored_count;
    table->is_visible[i] = rule_holds(world, table->resource->access[RULE_READ], row);
    for (size_t f = 0; f < table->resource->stored_count; f++) {
      const Expr *rule = table->resource->stored[f]->is_relation_key ? NULL : field_access(table->resource->stored[f]);
      view[f] = rule == NULL || rule_holds(world, rule, row) ? row[f] : value_null();
    }
  }
}

const Expr *world_row_rule(void *world, const Resource *resource) {
  (void)world;
  return resource->access[RULE_READ];
}

/* The keys of a relation stay visible: the view's resolver needs them. */
const Expr *world_field_rule(void *world, const Field *field) {
  (void)world;
  return field->is_relation_key ? NULL : field_access(field);
}

/* ---- the database ---- */

static void run(sqlite3 *db, Str sql) {
  char *message = NULL;
  char *text = strndup(sql.ptr, sql.len);
  if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", text, message);
    abort();
  }
  free(text);
}

static const char *column_type(const Field *field) {
  switch (field_value_type(field)) {
    case VALUE_BOOL:
    case VALUE_INT: return "INTEGER";
    case VALUE_FLOAT: return "REAL";
    case VALUE_DECIMAL: return "TEXT COLLATE decimal";
    case VALUE_BYTES: return "BLOB";
    default: return "TEXT";
  }
}

/* What another program would have stored. */
static Value foreign_value(World *world, const Field *field, const Value *value) {
  char text[TIMESTAMP_TEXT_MAX];
  if (field->column_type.len == 0 || value_is_null(value)) return *value;
  switch (field->type) {
    case TYPE_BOOLEAN: return value_text(value->boolean ? STR("Y") : STR("N"));
    case TYPE_DATETIME: {
      Str full = {text, timestamp_write(value->integer, text)};
      text[10] = ' ';
      return value_text(arena_str(world->arena, str_slice(full, 0, 19)));
    }
    case TYPE_DATE: return value_text(arena_printf(world->arena, "%.*s 00:00:00", (int)date_write(value->integer, text), text));
    case TYPE_INT: return value_text(arena_printf(world->arena, "%lld", (long long)value->integer));
    default: return *value;
  }
}

static void store_table(World *world, const Table *table) {
  Buf sql = buf_on(world->arena, 1 << 16);
  buf_add(&sql, STR("CREATE TABLE "));
  sql_write_table(&sql, table->resource);
  for (size_t i = 0; i < table->resource->stored_count; i++) {
    const Field *field = table->resource->stored[i];
    buf_add(&sql, i == 0 ? STR(" (") : STR(", "));
    sql_write_identifier(&sql, field->column);
    buf_add_byte(&sql, ' ');
    buf_add(&sql, field->column_type.len > 0 ? field->column_type : str_of(column_type(field)));
  }
  buf_add_byte(&sql, ')');
  run(world->db, buf_str(&sql));
  buf_clear(&sql);
  buf_add(&sql, STR("INSERT INTO "));
  sql_write_table(&sql, table->resource);
  for (size_t i = 0; i < table->resource->stored_count; i++) buf_add(&sql, i == 0 ? STR(" VALUES (?") : STR(", ?"));
  buf_add_byte(&sql, ')');
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(world->db, sql.ptr, (int)sql.len, &stmt, NULL) != SQLITE_OK) abort();
  Value *values = ARENA_ARRAY(world->arena, Value, table->resource->stored_count);
  for (size_t i = 0; i < table->count; i++) {
    for (size_t f = 0; f < table->resource->stored_count; f++)
      values[f] = foreign_value(world, table->resource->stored[f], &table_row(table, i)[f]);
    if (sqlite_params_bind(stmt, values, table->resource->stored_count) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_DONE) abort();
    sqlite3_reset(stmt);
  }
  sqlite3_finalize(stmt);
}

/* An index of each kind that a plan may choose must not change an answer. */
static void store_indexes(World *world) {
  run(world->db,
      STR("CREATE INDEX i1 ON books(title); CREATE INDEX i2 ON books(price); CREATE INDEX i3 ON books(published) WHERE published = 1;"
          "CREATE INDEX i4 ON books(author_id, seen DESC); CREATE INDEX i5 ON chapters(book_id, number); CREATE INDEX i6 ON books(status);"
          "CREATE INDEX i7 ON books(old_name); CREATE UNIQUE INDEX i8 ON authors(id); CREATE UNIQUE INDEX i9 ON shelves(room, number); "
          "CREATE INDEX i10 ON books(count)"));
}

static void make_caller(World *world, Random *random) {
  static const Str claims[] = {STR_INIT("{\"level\":7,\"name\":\"Tea\",\"admin\":true,\"groups\":[\"a\",\"RED\",\"\"],\"ids\":[1,7,\"x\"],"
                                        "\"price\":\"12.50\",\"when\":\"1970-01-01T00:00:01Z\"}"),
                               STR_INIT("{\"level\":\"7\",\"name\":5,\"admin\":\"yes\",\"groups\":\"a\",\"price\":0.1}"), STR_INIT("{}")};
  static const Str roles[] = {STR_INIT("staff"), STR_INIT("RED"), STR_INIT("a")};
  Value *items = ARENA_ARRAY(world->arena, Value, 3);
  for (size_t i = 0; i < 3; i++) items[i] = value_text(roles[i]);
  if (json_parse(PICK(random, claims), 16, world->arena, &world->claims, NULL) != CODE_OK) abort();
  world->caller = (Caller){.is_authenticated = true, .roles = {items, random_below(random, 4)}, .claims = &world->claims};
  if (!random_one_in(random, 4)) world->caller.id = value_text(random_one_in(random, 2) ? STR("a1") : STR("7"));
  world->now_us = INT64_C(1700000000500000);
}

static void report_and_abort(const Arena *arena, const DiagnosticList *list) {
  Buf text = buf_on((Arena *)arena, 1 << 20);
  diagnostics_write(&text, list, false);
  fprintf(stderr, "%.*s\n", (int)text.len, text.ptr);
  abort();
}

World *world_create(Random *random) {
  Arena *arena = arena_create(0);
  World *world = ARENA_NEW(arena, World);
  world->arena = arena;
  ContractFile file = {STR("world.graphql"), {contract_text, sizeof contract_text - 1}};
  DiagnosticList list = {0};
  if (contract_load(&file, 1, arena, &world->contract, &list, NULL) != CODE_OK) report_and_abort(arena, &list);
  world->resolver = (ExprResolver){true_to_one, true_to_many, world};
  world->view_resolver = (ExprResolver){view_to_one, view_to_many, world};
  make_caller(world, random);
  size_t counts[TABLES_MAX] = {0};
  world->table_count = world->contract->resource_count;
  for (size_t i = 0; i < world->table_count; i++) {
    Table *table = &world->tables[i];
    table->resource = world->contract->resources[i];
    counts[i] = table->count = str_equal(table->resource->name, STR("Book"))      ? 24
                               : str_equal(table->resource->name, STR("Chapter")) ? 40
                                                                                  : 8;
    table->rows = ARENA_ARRAY(arena, Value, table->count * table->resource->stored_count);
    table->views = ARENA_ARRAY(arena, Value, table->count * table->resource->stored_count);
    table->is_visible = ARENA_ARRAY(arena, bool, table->count);
  }
  /* Keys first, so that any row may point to any other. */
  for (size_t pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < world->table_count; i++) {
      for (size_t r = 0; r < world->tables[i].count; r++) fill_row(world, random, &world->tables[i], r, counts);
    }
  }
  for (size_t i = 0; i < world->table_count; i++) make_view(world, &world->tables[i]);
  if (sqlite3_open(":memory:", &world->db) != SQLITE_OK || sqlite_functions_register(world->db) != SQLITE_OK) abort();
  for (size_t i = 0; i < world->table_count; i++) store_table(world, &world->tables[i]);
  store_indexes(world);
  return world;
}

void world_destroy(World *world) {
  sqlite3_close(world->db);
  contract_destroy(world->contract);
  arena_destroy(world->arena);
}
