/* introspect_contract.c - each table becomes a type, each column a line; what a contract can't say stands above it as a comment that names
 * it. */
#include "cli/introspect_contract.h"

#include "base/decimal.h"
#include "cli/introspect_check.h"
#include "cli/introspect_types.h"
#include "codec/json.h"
#include "contract/plural.h"

enum { CHAIN_MAX = 16 };

typedef struct Writer {
  Buf *out;
  Arena *arena;
  bool has_checks; /* CHECK constraints are told as rules where they can be */
} Writer;

/* ---- Pieces ---- */

/* GraphQL's strings escape as JSON's do. */
static void write_string(Writer *writer, Str s) { json_write_string(writer->out, s); }

static void write_names(Writer *writer, const Str *names, size_t count) {
  buf_add_byte(writer->out, '[');
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(writer->out, STR(", "));
    write_string(writer, names[i]);
  }
  buf_add_byte(writer->out, ']');
}

/* A comment is one line, whatever the name in it holds. */
static void write_comment(Writer *writer, const char *indent, Str text) {
  buf_printf(writer->out, "%s# ", indent);
  for (size_t i = 0; i < text.len; i++) buf_add_byte(writer->out, (unsigned char)text.ptr[i] < 0x20 ? ' ' : text.ptr[i]);
  buf_add_byte(writer->out, '\n');
}

static void write_description(Writer *writer, const char *indent, Str text) {
  if (text.len == 0) return;
  buf_add(writer->out, str_of(indent));
  write_string(writer, text);
  buf_add_byte(writer->out, '\n');
}

/* ---- Enums ---- */

/* "PG-13" → PG_13 */
static Str label_name(Str label, Arena *arena) {
  Str copy = arena_str(arena, label);
  if (copy.ptr == NULL) return copy;
  char *bytes = (char *)copy.ptr;
  for (size_t i = 0; i < copy.len; i++) {
    char c = bytes[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) bytes[i] = '_';
  }
  Str name = draft_sound_name(copy, 'V', arena);
  return draft_label_is_name(name) ? name : arena_printf(arena, "V_%.*s", STR_ARGS(name));
}

static Code write_enum(Writer *writer, const CatalogEnum *enumeration, Str name, Error *err) {
  Map taken = map_on(writer->arena);
  buf_printf(writer->out, "\nenum %.*s {\n", STR_ARGS(name));
  /* Those that are names keep them. */
  for (size_t i = 0; i < enumeration->labels.count; i++)
    if (draft_label_is_name(enumeration->labels.items[i]))
      TRY_ALLOC(draft_take_name(&taken, enumeration->labels.items[i], writer->arena).ptr);
  for (size_t i = 0; i < enumeration->labels.count; i++) {
    Str label = enumeration->labels.items[i];
    if (draft_label_is_name(label)) {
      buf_printf(writer->out, "  %.*s\n", STR_ARGS(label));
      continue;
    }
    Str value = label_name(label, writer->arena);
    TRY_ALLOC(value.ptr);
    value = draft_take_name(&taken, value, writer->arena);
    TRY_ALLOC(value.ptr);
    buf_printf(writer->out, "  %.*s @value(name: ", STR_ARGS(value));
    write_string(writer, label);
    buf_add(writer->out, STR(")\n"));
  }
  buf_add(writer->out, STR("}\n"));
  return CODE_OK;
}

/* ---- Columns ---- */

static const CatalogColumn *key_column(const DraftResource *resource, size_t nth) {
  for (size_t i = 0; i < resource->field_count; i++)
    if (resource->fields[i].column->key_order > 0 && nth-- == 0) return resource->fields[i].column;
  return NULL;
}

static const DraftField *field_of(const DraftResource *resource, const CatalogColumn *column) {
  for (size_t i = 0; i < resource->field_count; i++)
    if (resource->fields[i].column == column) return &resource->fields[i];
  return NULL;
}

/* A column that holds another row's key has that key's type, through any number of tables; its own declared type may be spelled otherwise.
 */
static ColumnShape field_shape(const DraftResource *resource, const DraftField *field) {
  const DraftField *root = field;
  const DraftResource *at = resource;
  for (int n = 0; n < CHAIN_MAX; n++) {
    const DraftRelation *relation = NULL;
    size_t part = 0;
    for (size_t i = 0; i < at->relations.count && relation == NULL; i++)
      for (part = 0; part < at->relations.items[i]->column_count; part++)
        if (&at->fields[at->relations.items[i]->columns[part]] == root) {
          relation = at->relations.items[i];
          break;
        }
    if (relation == NULL || relation->target == at) break;
    root = field_of(relation->target, key_column(relation->target, part));
    at = relation->target;
  }
  ColumnShape own = column_shape(field->column), shape = column_shape(root->column);
  shape.is_column_type_default = strcmp(own.type, shape.type) == 0 && own.is_column_type_default;
  if (root->enum_name.len > 0) shape.type = root->enum_name.ptr; /* made by printf: it ends in a NUL */
  if (root != field) shape.length_max = own.length_max;
  return shape;
}

/* What a store takes as a type: nothing but words and numbers in parentheses; where the database's own catalogue spelled it, quotes,
 * schemas and brackets too. */
static bool is_plain_type(const CatalogColumn *column) {
  Str type = column->type;
  for (size_t i = 0; i < type.len; i++) {
    char c = type.ptr[i];
    if (column->type_form != CATALOG_TYPE_SPELLED && (c == '"' || c == '.' || c == '[' || c == ']')) continue;
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ' ' || c == '(' || c == ')' ||
          c == ','))
      return false;
  }
  return true;
}

static void write_column_directive(Writer *writer, const DraftField *field, const ColumnShape *shape) {
  bool needs_name = !str_equal(name_snake(field->name, writer->arena), field->column->name);
  bool needs_type = !shape->is_column_type_default && field->column->type.len > 0 && is_plain_type(field->column);
  if (!needs_name && !needs_type) return;
  buf_add(writer->out, STR(" @column("));
  if (needs_name) {
    buf_add(writer->out, STR("name: "));
    write_string(writer, field->column->name);
  }
  if (needs_type) {
    buf_add(writer->out, needs_name ? STR(", type: ") : STR("type: "));
    write_string(writer, field->column->type);
  }
  buf_add_byte(writer->out, ')');
}

/* ---- Defaults ---- */

/* 'it''s' → it's; ptr NULL where it is no string literal. */
static Str unquoted(Str sql, Arena *arena) {
  if (sql.len < 2 || sql.ptr[0] != '\'' || sql.ptr[sql.len - 1] != '\'') return (Str){NULL, 0};
  char *out = arena_alloc(arena, sql.len);
  size_t len = 0;
  for (size_t i = 1; out != NULL && i + 1 < sql.len; i++) {
    out[len++] = sql.ptr[i];
    if (sql.ptr[i] == '\'' && sql.ptr[++i] != '\'') return (Str){NULL, 0};
  }
  return (Str){out, len};
}

static Str without_parentheses(Str sql) {
  sql = str_trim(sql);
  while (sql.len >= 2 && sql.ptr[0] == '(' && sql.ptr[sql.len - 1] == ')') sql = str_trim(str_slice(sql, 1, sql.len - 1));
  return sql;
}

/* A literal that means the same in the contract; false: the database goes on giving it. */
static bool write_default_value(Writer *writer, const ColumnShape *shape, Str sql) {
  if (shape->is_list) return false;
  Str text = unquoted(sql, writer->arena);
  DecimalText decimal;
  int64_t n = 0;
  double number = 0;
  if (strcmp(shape->type, "String") == 0 && text.ptr != NULL && (shape->length_max < 0 || (int64_t)text.len <= shape->length_max)) {
    buf_add(writer->out, STR(" @default(value: "));
    write_string(writer, text);
  } else if (strcmp(shape->type, "Int") == 0 && str_parse_int64(sql, &n) && n >= INT32_MIN && n <= INT32_MAX) {
    buf_printf(writer->out, " @default(value: %lld", (long long)n);
  } else if (strcmp(shape->type, "Boolean") == 0 && (str_equal(sql, STR("0")) || str_equal(sql, STR("1")) ||
                                                     str_equal_ignore_case(sql, STR("true")) || str_equal_ignore_case(sql, STR("false")))) {
    buf_add(writer->out, str_equal(sql, STR("1")) || str_equal_ignore_case(sql, STR("true")) ? STR(" @default(value: true")
                                                                                             : STR(" @default(value: false"));
  } else if (strcmp(shape->type, "Decimal") == 0 && decimal_parse(text.ptr != NULL ? text : sql, &decimal) &&
             (shape->scale < 0 || (int)decimal_scale(decimal_str(&decimal)) <= shape->scale) &&
             (shape->precision < 0 || (int)(decimal_integer_digits(decimal_str(&decimal)) + (size_t)shape->scale) <= shape->precision)) {
    buf_add(writer->out, STR(" @default(value: "));
    write_string(writer, decimal_str(&decimal));
  } else if (strcmp(shape->type, "Float") == 0 && json_number_to_double(sql, &number)) {
    buf_printf(writer->out, " @default(value: %.*s", STR_ARGS(sql));
  } else {
    return false;
  }
  buf_add_byte(writer->out, ')');
  return true;
}

static void write_default(Writer *writer, const CatalogColumn *column, const ColumnShape *shape) {
  bool is_null = column->default_text.ptr != NULL && str_equal_ignore_case(column->default_text, STR("NULL"));
  bool has_default = column->default_text.ptr != NULL && !is_null;
  if (has_default && !column->is_generated && write_default_value(writer, shape, without_parentheses(column->default_text))) return;
  if (has_default || column->is_made_by_database || column->is_generated) buf_add(writer->out, STR(" @default(database: true)"));
}

/* ---- Fields ---- */

static const CatalogIndex *sole_unique(const DraftResource *resource, const DraftField *field) {
  for (size_t i = 0; i < resource->table->indexes.count; i++) {
    const CatalogIndex *index = &resource->table->indexes.items[i];
    if (index->is_unique && index->obstacle.len == 0 && index->columns.count == 1 &&
        str_equal_ignore_case(index->columns.items[0].name, field->column->name))
      return index;
  }
  return NULL;
}

static bool can_be_unique(const ColumnShape *shape) { return strcmp(shape->type, "JSON") != 0 && !shape->is_list; }

static void write_column_field(Writer *writer, const DraftResource *resource, const DraftField *field) {
  const CatalogColumn *column = field->column;
  ColumnShape shape = field_shape(resource, field);
  bool is_key = column->key_order > 0;
  bool is_server_made = is_key && resource->key_count == 1 && strcmp(shape.type, "ID") == 0 && str_equal(field->name, STR("id"));
  if (column->default_text.ptr != NULL && !column->is_generated && column->default_text.len > 0) {
    Buf probe = buf_on(writer->arena, 4096);
    Writer trial = {&probe, writer->arena, false};
    bool is_said = str_equal_ignore_case(column->default_text, STR("NULL")) ||
                   write_default_value(&trial, &shape, without_parentheses(column->default_text));
    if (!is_said) write_comment(writer, "  ", arena_printf(writer->arena, "the database's default: %.*s", STR_ARGS(column->default_text)));
  }
  if (column->is_generated) write_comment(writer, "  ", STR("computed by the database"));
  if (!is_plain_type(column)) write_comment(writer, "  ", arena_printf(writer->arena, "declared as %.*s", STR_ARGS(column->type)));
  if (column->note.len > 0) write_comment(writer, "  ", column->note);
  write_description(writer, "  ", column->comment);
  buf_printf(writer->out, shape.is_list ? "  %.*s: [%s]%s" : "  %.*s: %s%s", STR_ARGS(field->name), shape.type,
             column->is_required || is_key ? "!" : "");
  if (is_key && !is_server_made) buf_add(writer->out, STR(" @id"));
  write_column_directive(writer, field, &shape);
  if (!is_key && can_be_unique(&shape) && sole_unique(resource, field) != NULL) buf_add(writer->out, STR(" @unique"));
  if (shape.precision >= 0) buf_printf(writer->out, " @decimal(precision: %d, scale: %d)", shape.precision, shape.scale);
  if (shape.length_max >= 0) buf_printf(writer->out, " @length(max: %lld)", (long long)shape.length_max);
  write_default(writer, column, &shape);
  if (column->is_generated || column->is_always_made) buf_add(writer->out, STR(" @readonly"));
  buf_add_byte(writer->out, '\n');
}

static void write_relation_details(Writer *writer, const DraftRelation *relation) {
  Str *columns = ARENA_ARRAY(writer->arena, Str, relation->column_count);
  if (columns == NULL) return;
  for (size_t i = 0; i < relation->column_count; i++) columns[i] = relation->source->fields[relation->columns[i]].column->name;
  buf_add(writer->out, STR(" @relation(columns: "));
  write_names(writer, columns, relation->column_count);
  if (relation->needs_inverse) {
    buf_add(writer->out, STR(", inverse: "));
    write_string(writer, relation->many_name);
  }
  if (str_equal(relation->key->on_delete, STR("CASCADE"))) buf_add(writer->out, STR(", onDelete: CASCADE"));
  bool is_set_null = str_equal(relation->key->on_delete, STR("SET NULL"));
  for (size_t i = 0; i < relation->column_count; i++)
    is_set_null = is_set_null && !relation->source->fields[relation->columns[i]].column->is_required;
  if (is_set_null) buf_add(writer->out, STR(", onDelete: SET_NULL"));
  if (relation->is_deferred) buf_add(writer->out, STR(", deferred: true"));
  buf_add_byte(writer->out, ')');
}

static void write_relation_field(Writer *writer, const DraftResource *resource, const DraftField *field) {
  const DraftRelation *relation = field->relation;
  buf_printf(writer->out, "  %.*s: %.*s%s", STR_ARGS(relation->name), STR_ARGS(relation->target->name), relation->is_required ? "!" : "");
  if (relation->is_key) buf_add(writer->out, STR(" @id"));
  write_relation_details(writer, relation);
  if (field->is_implied && !relation->is_key && sole_unique(resource, field) != NULL) buf_add(writer->out, STR(" @unique"));
  buf_add_byte(writer->out, '\n');
}

static void write_fields(Writer *writer, const DraftResource *resource) {
  for (size_t i = 0; i < resource->field_count; i++) {
    const DraftField *field = &resource->fields[i];
    bool is_said_as_key = field->relation != NULL && field->relation->is_key && field->is_implied;
    if (!field->is_implied && !is_said_as_key) write_column_field(writer, resource, field);
    if (field->relation != NULL) write_relation_field(writer, resource, field);
  }
  for (size_t i = 0; i < resource->referrers.count; i++) {
    const DraftRelation *relation = resource->referrers.items[i];
    buf_printf(writer->out, "  %.*s: [%.*s!]!\n", STR_ARGS(relation->many_name), STR_ARGS(relation->source->name));
  }
}

/* ---- Types ---- */

/* A unique group has no order. */
static Str index_field(Writer *writer, const DraftResource *resource, const CatalogIndexColumn *column, bool is_unique) {
  for (size_t i = 0; i < resource->field_count; i++) {
    const DraftField *field = &resource->fields[i];
    if (!str_equal_ignore_case(field->column->name, column->name)) continue;
    Str name = field->is_implied ? field->relation->name : field->name;
    return column->is_descending && !is_unique ? arena_printf(writer->arena, "%.*s desc", STR_ARGS(name)) : name;
  }
  return (Str){NULL, 0};
}

static void write_index(Writer *writer, const DraftResource *resource, const CatalogIndex *index) {
  Str *names = ARENA_ARRAY(writer->arena, Str, index->columns.count);
  if (names == NULL) return;
  for (size_t i = 0; i < index->columns.count; i++) names[i] = index_field(writer, resource, &index->columns.items[i], index->is_unique);
  buf_add(writer->out, index->is_unique ? STR("\n  @unique(fields: ") : STR("\n  @index(fields: "));
  write_names(writer, names, index->columns.count);
  buf_add_byte(writer->out, ')');
}

static void write_indexes(Writer *writer, const DraftResource *resource) {
  for (size_t i = 0; i < resource->table->indexes.count; i++) {
    const CatalogIndex *index = &resource->table->indexes.items[i];
    if (index->obstacle.len == 0 && !(index->is_unique && index->columns.count == 1)) write_index(writer, resource, index);
  }
}

/* ---- CHECK constraints ---- */

/* The rules that say the table's constraints, as Catalog's checks; ptr NULL where there is none that does. */
static Str *check_rules(const Writer *writer, const Catalog *catalog, const DraftResource *resource) {
  size_t count = resource->table->checks.count;
  Str *rules = ARENA_ARRAY(writer->arena, Str, count + 1);
  CheckColumn *columns = ARENA_ARRAY(writer->arena, CheckColumn, resource->field_count + 1);
  if (rules == NULL || columns == NULL) return rules;
  for (size_t i = 0; i < resource->field_count; i++) {
    const DraftField *field = &resource->fields[i];
    ColumnShape shape = field_shape(resource, field);
    bool is_enum = field->column->enumeration > 0 && !shape.is_list && draft_has_plain_labels(catalog, field->column);
    columns[i] = (CheckColumn){field->column->name, field->name, shape.is_list ? "" : shape.type, is_enum, field->column->is_required};
  }
  for (size_t i = 0; writer->has_checks && i < count; i++)
    rules[i] = check_translate(resource->table->checks.items[i].sql, columns, resource->field_count, writer->arena);
  return rules;
}

static void write_check(Writer *writer, const CatalogCheck *check, Str rule) {
  buf_add(writer->out, STR("\n  @check(expr: "));
  write_string(writer, rule);
  buf_add(writer->out, STR(", message: "));
  write_string(writer, arena_printf(writer->arena, "must fit %.*s", STR_ARGS(check->name)));
  buf_add_byte(writer->out, ')');
}

static void write_type_comments(Writer *writer, const DraftResource *resource, const Str *rules) {
  const CatalogTable *table = resource->table;
  for (size_t i = 0; i < table->checks.count; i++) {
    if (rules[i].ptr != NULL) continue;
    write_comment(writer, "",
                  arena_printf(writer->arena, "Not said here: the constraint %.*s: %.*s", STR_ARGS(table->checks.items[i].name),
                               STR_ARGS(table->checks.items[i].sql)));
  }
  if (table->is_view)
    write_comment(writer, "",
                  arena_printf(writer->arena, "Read-only: it is %.*s.", STR_ARGS(table->kind.len > 0 ? table->kind : STR("a view"))));
  else if (resource->key_count == 0)
    write_comment(writer, "", STR("Read-only: the table has no primary key."));
  for (size_t i = 0; i < table->notes.count; i++)
    write_comment(writer, "", arena_printf(writer->arena, "Not said here: %.*s", STR_ARGS(table->notes.items[i])));
  for (size_t i = 0; i < resource->notes.count; i++)
    write_comment(writer, "", arena_printf(writer->arena, "Not said here: %.*s", STR_ARGS(resource->notes.items[i])));
  for (size_t i = 0; i < table->indexes.count; i++) {
    const CatalogIndex *index = &table->indexes.items[i];
    if (index->obstacle.len == 0) continue;
    write_comment(writer, "",
                  arena_printf(writer->arena, "Not said here: the %sindex %.*s, because %.*s", index->is_unique ? "unique " : "",
                               STR_ARGS(index->name), STR_ARGS(index->obstacle)));
  }
}

static void write_type(Writer *writer, const Catalog *catalog, const DraftResource *resource) {
  Str table = draft_table(resource->table);
  const Str *rules = check_rules(writer, catalog, resource);
  if (rules == NULL) return;
  buf_add_byte(writer->out, '\n');
  write_type_comments(writer, resource, rules);
  write_description(writer, "", resource->table->comment);
  buf_printf(writer->out, "type %.*s @resource", STR_ARGS(resource->name));
  if (!str_equal(name_snake(name_plural(resource->name, writer->arena), writer->arena), table)) {
    buf_add(writer->out, STR("(table: "));
    write_string(writer, table);
    buf_add_byte(writer->out, ')');
  }
  buf_add(writer->out, STR(" @access(read: \"false\", write: \"false\")"));
  for (size_t i = 0; i < resource->table->checks.count; i++)
    if (rules[i].ptr != NULL) write_check(writer, &resource->table->checks.items[i], rules[i]);
  write_indexes(writer, resource);
  buf_add(writer->out, STR(" {\n"));
  write_fields(writer, resource);
  buf_add(writer->out, STR("}\n"));
}

Code introspect_write_contract(Buf *out, const Catalog *catalog, Str service, Str store_url, bool has_checks, Arena *arena, Error *err) {
  Draft *draft = NULL;
  TRY(draft_create(catalog, arena, &draft, err));
  Writer writer = {out, arena, has_checks};
  write_comment(&writer, "", arena_printf(arena, "Written by caisson introspect %.*s", STR_ARGS(store_url)));
  write_comment(&writer, "",
                STR("Everything is closed. To open a type, write its rules: @access(read: \"true\", write: \"'staff' in auth.roles\")"));
  write_comment(&writer, "", arena_printf(arena, "Then: caisson serve THIS-FILE --store %.*s", STR_ARGS(store_url)));
  for (size_t i = 0; i < catalog->notes.count; i++)
    write_comment(&writer, "", arena_printf(arena, "Left out: %.*s", STR_ARGS(catalog->notes.items[i])));
  buf_add(out, STR("extend schema @service(name: "));
  write_string(&writer, service);
  buf_add(out, STR(")\n"));
  for (size_t i = 0; i < catalog->enums.count; i++)
    if (draft->enum_names[i].ptr != NULL) TRY(write_enum(&writer, &catalog->enums.items[i], draft->enum_names[i], err));
  for (size_t i = 0; i < draft->resource_count; i++) write_type(&writer, catalog, &draft->resources[i]);
  Str text;
  return buf_finish(out, &text, err);
}
