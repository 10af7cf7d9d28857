/* introspect_names.c - names first for what can't choose (columns), then for what can (relations): to-one, then to-many. */
#include "cli/introspect_names.h"

#include "contract/plural.h"
#include "contract/scalar.h"

enum { DEPTH_MAX = 200 };

#define NOTE(draft, resource, ...)                                                                                                         \
  do {                                                                                                                                     \
    Str note_ = arena_printf((draft)->arena, __VA_ARGS__);                                                                                 \
    if (note_.ptr == NULL || !VEC_PUSH((draft)->arena, &(resource)->notes, note_)) return error_no_memory(err);                            \
  } while (0)

/* ---- Names ---- */

/* Those with two underscores in front are GraphQL's own. */
Str draft_sound_name(Str name, char prefix, Arena *arena) {
  size_t start = 0;
  while (start < name.len && name.ptr[start] == '_') start++;
  Str rest = str_slice(name, start, name.len);
  char *out = arena_alloc(arena, rest.len + 2);
  if (out == NULL) return (Str){NULL, 0};
  size_t len = 0;
  if (rest.len == 0 || (rest.ptr[0] >= '0' && rest.ptr[0] <= '9') || (unsigned char)rest.ptr[0] >= 0x80) out[len++] = prefix;
  for (size_t i = 0; i < rest.len; i++) {
    char c = rest.ptr[i];
    bool is_sound = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (is_sound) out[len++] = c;
  }
  return (Str){out, len};
}

Str draft_take_name(Map *taken, Str name, Arena *arena) {
  Str tried = name;
  for (int n = 2; tried.ptr != NULL && map_get(taken, tried) != NULL; n++) tried = arena_printf(arena, "%.*s%d", STR_ARGS(name), n);
  return tried.ptr != NULL && map_put(taken, tried, (void *)taken) ? tried : (Str){NULL, 0};
}

bool draft_label_is_name(Str label) {
  static const char *const reserved[] = {"true", "false", "null"};
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (str_equal(label, str_of(reserved[i]))) return false;
  for (size_t i = 0; i < label.len; i++) {
    char c = label.ptr[i];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c == '_' && i > 0);
    if (!is_letter && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return label.len > 0;
}

bool draft_has_plain_labels(const Catalog *catalog, const CatalogColumn *column) {
  const CatalogEnum *enumeration = &catalog->enums.items[column->enumeration - 1];
  for (size_t i = 0; i < enumeration->labels.count; i++)
    if (!draft_label_is_name(enumeration->labels.items[i])) return false;
  return true;
}

static bool is_reserved_type(Str name) {
  static const char *const reserved[] = {"Query", "Mutation", "Subscription", "Node", "PageInfo"};
  FieldType scalar;
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (str_equal(name, str_of(reserved[i]))) return true;
  return scalar_by_name(name, &scalar);
}

Str draft_table(const CatalogTable *table) { return table->address.len > 0 ? table->address : table->name; }

static Code name_resource(Draft *draft, Map *taken, DraftResource *resource, Error *err) {
  Arena *arena = draft->arena;
  Str singular = name_singular(resource->table->name, arena);
  Str name = singular.ptr == NULL ? singular : name_pascal(singular, arena);
  if (name.ptr != NULL) name = draft_sound_name(name, 'T', arena);
  if (name.ptr != NULL && is_reserved_type(name)) name = arena_printf(arena, "%.*sRow", STR_ARGS(name));
  TRY_ALLOC(name.ptr);
  resource->name = draft_take_name(taken, name, arena);
  TRY_ALLOC(resource->name.ptr);
  return CODE_OK;
}

/* A list of an enum holds what is stored, so that it is one of texts where the names differ from that. */
static bool is_enum(const Catalog *catalog, const CatalogColumn *column) {
  return column->enumeration > 0 && (!column->is_list || draft_has_plain_labels(catalog, column));
}

static Code name_fields(Draft *draft, const Catalog *catalog, DraftResource *resource, Error *err) {
  const CatalogTable *table = resource->table;
  resource->taken = map_on(draft->arena);
  resource->field_count = table->columns.count;
  resource->fields = ARENA_ARRAY(draft->arena, DraftField, table->columns.count);
  TRY_ALLOC(resource->fields);
  for (size_t i = 0; i < table->columns.count; i++) {
    const CatalogColumn *column = &table->columns.items[i];
    Str name = name_camel(column->name, draft->arena);
    if (name.ptr != NULL) name = draft_sound_name(name, 'f', draft->arena);
    TRY_ALLOC(name.ptr);
    name = draft_take_name(&resource->taken, name, draft->arena);
    TRY_ALLOC(name.ptr);
    resource->fields[i] = (DraftField){.column = column, .name = name};
    if (is_enum(catalog, column)) resource->fields[i].enum_name = draft->enum_names[column->enumeration - 1];
    if (column->key_order > 0) resource->key_count++;
  }
  return CODE_OK;
}

static Code name_enums(Draft *draft, const Catalog *catalog, Map *taken, Error *err) {
  draft->enum_names = ARENA_ARRAY(draft->arena, Str, catalog->enums.count + 1);
  TRY_ALLOC(draft->enum_names);
  for (size_t i = 0; i < catalog->tables.count; i++) {
    for (size_t k = 0; k < catalog->tables.items[i].columns.count; k++) {
      size_t number = catalog->tables.items[i].columns.items[k].enumeration;
      if (!is_enum(catalog, &catalog->tables.items[i].columns.items[k]) || draft->enum_names[number - 1].ptr != NULL) continue;
      Str name = name_pascal(catalog->enums.items[number - 1].name, draft->arena);
      if (name.ptr != NULL) name = draft_sound_name(name, 'E', draft->arena);
      if (name.ptr != NULL && is_reserved_type(name)) name = arena_printf(draft->arena, "%.*sEnum", STR_ARGS(name));
      TRY_ALLOC(name.ptr);
      draft->enum_names[number - 1] = draft_take_name(taken, name, draft->arena);
      TRY_ALLOC(draft->enum_names[number - 1].ptr);
    }
  }
  return CODE_OK;
}

/* ---- Foreign keys to relations ---- */

static DraftResource *find_resource(Draft *draft, Str table) {
  for (size_t i = 0; i < draft->resource_count; i++)
    if (str_equal_ignore_case(draft_table(draft->resources[i].table), table)) return &draft->resources[i];
  return NULL;
}

static size_t find_column(const DraftResource *resource, Str name) {
  size_t i = 0;
  while (i < resource->field_count && !str_equal_ignore_case(resource->fields[i].column->name, name)) i++;
  return i;
}

/* The nth part of the key, from 0, in the order of the columns: that is the order in which a contract's @id fields stand. */
static const CatalogColumn *key_column(const DraftResource *resource, size_t nth) {
  for (size_t i = 0; i < resource->field_count; i++)
    if (resource->fields[i].column->key_order > 0 && nth-- == 0) return resource->fields[i].column;
  return NULL;
}

/* For each part of the target's key the source's column that holds it. False where the foreign key is not to the whole primary key. */
static bool match_columns(const DraftRelation *relation, size_t *columns) {
  const CatalogForeignKey *key = relation->key;
  if (relation->target->key_count != key->columns.count) return false;
  for (size_t nth = 0; nth < key->columns.count; nth++) {
    const CatalogColumn *wanted = key_column(relation->target, nth);
    size_t at = 0;
    if (key->target_columns.count == key->columns.count)
      while (at < key->columns.count && !str_equal_ignore_case(key->target_columns.items[at], wanted->name)) at++;
    else
      at = wanted->key_order - 1; /* the key as it was declared */
    if (at == key->columns.count) return false;
    columns[nth] = find_column(relation->source, key->columns.items[at]);
    if (columns[nth] == relation->source->field_count) return false;
  }
  return true;
}

/* One column of a composite key may be said by its relation. A sole key that is a reference too (one row more for each row of another
 * table) is said by its column, and so are keys of several columns: their order must be the columns'. */
static bool is_part_of_key(const DraftRelation *relation) {
  return relation->column_count == 1 && relation->source->key_count > 1 && relation->source != relation->target &&
         relation->source->fields[relation->columns[0]].column->key_order > 0;
}

static bool has_required_column(const DraftRelation *relation) {
  for (size_t i = 0; i < relation->column_count; i++)
    if (relation->source->fields[relation->columns[i]].column->is_required) return true;
  return false;
}

static Code note_actions(Draft *draft, DraftResource *resource, const DraftRelation *relation, Error *err) {
  const CatalogForeignKey *key = relation->key;
  bool is_said = str_equal(key->on_delete, STR("NO ACTION")) || str_equal(key->on_delete, STR("RESTRICT")) ||
                 str_equal(key->on_delete, STR("CASCADE")) ||
                 (str_equal(key->on_delete, STR("SET NULL")) && !has_required_column(relation));
  if (!is_said) NOTE(draft, resource, "%.*s: ON DELETE %.*s", STR_ARGS(key->columns.items[0]), STR_ARGS(key->on_delete));
  if (str_equal(key->on_update, STR("NO ACTION")) || str_equal(key->on_update, STR("RESTRICT"))) return CODE_OK;
  NOTE(draft, resource, "%.*s: ON UPDATE %.*s", STR_ARGS(key->columns.items[0]), STR_ARGS(key->on_update));
  return CODE_OK;
}

static Code add_relation(Draft *draft, DraftResource *source, const CatalogForeignKey *key, Error *err) {
  DraftResource *target = find_resource(draft, key->target);
  if (target == NULL) {
    NOTE(draft, source, "%.*s refers to the table %.*s, which is not there", STR_ARGS(key->columns.items[0]), STR_ARGS(key->target));
    return CODE_OK;
  }
  DraftRelation *relation = ARENA_NEW(draft->arena, DraftRelation);
  size_t *columns = ARENA_ARRAY(draft->arena, size_t, key->columns.count);
  if (relation == NULL || columns == NULL) return error_no_memory(err);
  *relation = (DraftRelation){
      .key = key, .source = source, .target = target, .columns = columns, .column_count = key->columns.count, .is_required = true};
  if (!match_columns(relation, columns)) {
    NOTE(draft, source, "%.*s refers to columns of %.*s that are not its primary key", STR_ARGS(key->columns.items[0]),
         STR_ARGS(key->target));
    return CODE_OK;
  }
  for (size_t i = 0; i < relation->column_count; i++)
    relation->is_required = relation->is_required && source->fields[columns[i]].column->is_required;
  relation->is_key = is_part_of_key(relation);
  DraftField *first = &source->fields[columns[0]];
  if (first->relation != NULL) {
    NOTE(draft, source, "%.*s refers to %.*s as well", STR_ARGS(first->column->name), STR_ARGS(key->target));
    return CODE_OK;
  }
  first->relation = relation;
  if (!VEC_PUSH(draft->arena, &source->relations, relation) || !VEC_PUSH(draft->arena, &target->referrers, relation))
    return error_no_memory(err);
  return note_actions(draft, source, relation, err);
}

/* ---- The relations' names ---- */

/* customer_id and customerId without their end; len 0 where nothing would be left or nothing was there to take away. */
static Str without_id(Str column) {
  if (column.len > 3 && str_equal_ignore_case(str_slice(column, column.len - 3, column.len), STR("_id")))
    return str_slice(column, 0, column.len - 3);
  bool has_id = column.len > 2 && (str_ends_with(column, STR("Id")) || str_ends_with(column, STR("ID")));
  return has_id ? str_slice(column, 0, column.len - 2) : (Str){"", 0};
}

static Str relation_base(const DraftRelation *relation, Arena *arena) {
  Str column = relation->source->fields[relation->columns[0]].column->name;
  Str base = relation->column_count == 1 ? without_id(column) : relation->target->name;
  return name_camel(base.len > 0 ? base : arena_printf(arena, "%.*s_%.*s", STR_ARGS(column), STR_ARGS(relation->target->name)), arena);
}

static Code name_to_one(Draft *draft, DraftRelation *relation, Error *err) {
  Str base = relation_base(relation, draft->arena);
  if (base.ptr != NULL) base = draft_sound_name(base, 'f', draft->arena);
  TRY_ALLOC(base.ptr);
  if (map_get(&relation->source->taken, base) != NULL) {
    base = name_camel(arena_printf(draft->arena, "%.*s_%.*s", STR_ARGS(base), STR_ARGS(relation->target->name)), draft->arena);
    TRY_ALLOC(base.ptr);
  }
  relation->name = draft_take_name(&relation->source->taken, base, draft->arena);
  TRY_ALLOC(relation->name.ptr);
  return CODE_OK;
}

/* Whether another relation of the same source would get the same plural at the same target. */
static bool has_twin(const DraftRelation *relation) {
  size_t count = 0;
  for (size_t i = 0; i < relation->source->relations.count; i++) count += relation->source->relations.items[i]->target == relation->target;
  return count > 1;
}

/* employees, or employeesByReportsTo where that would be two. */
static Code name_to_many(Draft *draft, DraftRelation *relation, Error *err) {
  Arena *arena = draft->arena;
  Str plural = name_plural(name_camel(relation->source->name, arena), arena);
  TRY_ALLOC(plural.ptr);
  relation->needs_inverse = has_twin(relation) || relation->source == relation->target;
  if (has_twin(relation) || map_get(&relation->target->taken, plural) != NULL) {
    Str column = relation->source->fields[relation->columns[0]].column->name, base = without_id(column);
    Str by = name_pascal(base.len > 0 ? base : column, arena);
    TRY_ALLOC(by.ptr);
    plural = arena_printf(arena, "%.*sBy%.*s", STR_ARGS(plural), STR_ARGS(by));
  }
  TRY_ALLOC(plural.ptr);
  plural = draft_sound_name(plural, 'f', arena);
  TRY_ALLOC(plural.ptr);
  relation->many_name = draft_take_name(&relation->target->taken, plural, arena);
  TRY_ALLOC(relation->many_name.ptr);
  return CODE_OK;
}

/* ---- Circles ---- */

/* A required relation that leads back to a resource which is still being walked closes a circle: there is no first row but by a deferred
 * check. */
static void break_circles(DraftResource *resource, uint8_t *states, const DraftResource *first, size_t depth) {
  uint8_t *state = &states[resource - first];
  *state = 1;
  for (size_t i = 0; i < resource->relations.count; i++) {
    DraftRelation *relation = resource->relations.items[i];
    if (!relation->is_required) continue;
    uint8_t target = states[relation->target - first];
    if (target == 1 || depth >= DEPTH_MAX)
      relation->is_deferred = true;
    else if (target == 0)
      break_circles(relation->target, states, first, depth + 1);
  }
  *state = 2;
}

/* A column's field comes with the relation where the column says nothing that the relation does not, and the relation gives the field the
 * column's name. */
static void mark_implied(Draft *draft, DraftRelation *relation) {
  if (relation->column_count != 1) return;
  DraftField *field = &relation->source->fields[relation->columns[0]];
  const CatalogColumn *column = field->column, *target = key_column(relation->target, 0);
  bool is_named_so = str_equal(field->name, name_camel(column->name, draft->arena)) &&
                     (str_starts_with(field->name, relation->name) || str_starts_with(relation->name, field->name));
  bool is_plain = str_equal_ignore_case(column->type, target->type) && column->default_text.ptr == NULL && !column->is_generated &&
                  column->comment.len == 0 && column->note.len == 0 && !column->is_made_by_database;
  field->is_implied = is_named_so && is_plain && (relation->is_key || column->key_order == 0);
}

/* ---- All of it ---- */

static Code make_relations(Draft *draft, Error *err) {
  for (size_t i = 0; i < draft->resource_count; i++) {
    DraftResource *resource = &draft->resources[i];
    for (size_t k = 0; k < resource->table->foreign_keys.count; k++)
      TRY(add_relation(draft, resource, &resource->table->foreign_keys.items[k], err));
  }
  for (size_t i = 0; i < draft->resource_count; i++)
    for (size_t k = 0; k < draft->resources[i].relations.count; k++) TRY(name_to_one(draft, draft->resources[i].relations.items[k], err));
  for (size_t i = 0; i < draft->resource_count; i++)
    for (size_t k = 0; k < draft->resources[i].relations.count; k++) TRY(name_to_many(draft, draft->resources[i].relations.items[k], err));
  uint8_t *states = ARENA_ARRAY(draft->arena, uint8_t, draft->resource_count + 1);
  TRY_ALLOC(states);
  for (size_t i = 0; i < draft->resource_count; i++)
    if (states[i] == 0) break_circles(&draft->resources[i], states, draft->resources, 0);
  for (size_t i = 0; i < draft->resource_count; i++)
    for (size_t k = 0; k < draft->resources[i].relations.count; k++) mark_implied(draft, draft->resources[i].relations.items[k]);
  return CODE_OK;
}

Code draft_create(const Catalog *catalog, Arena *arena, Draft **ret, Error *err) {
  Draft *draft = ARENA_NEW(arena, Draft);
  TRY_ALLOC(draft);
  *draft = (Draft){
      .arena = arena, .resource_count = catalog->tables.count, .resources = ARENA_ARRAY(arena, DraftResource, catalog->tables.count)};
  TRY_ALLOC(draft->resources);
  Map taken = map_on(arena);
  for (size_t i = 0; i < draft->resource_count; i++) {
    draft->resources[i].table = &catalog->tables.items[i];
    TRY(name_resource(draft, &taken, &draft->resources[i], err));
  }
  TRY(name_enums(draft, catalog, &taken, err));
  for (size_t i = 0; i < draft->resource_count; i++) TRY(name_fields(draft, catalog, &draft->resources[i], err));
  TRY(make_relations(draft, err));
  *ret = draft;
  return CODE_OK;
}
