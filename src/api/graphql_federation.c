/* graphql_federation.c - a hundred representations of one type are one list: their keys are its filter, under the caller's rules as any
 * list, and its rows are put back in the order in which they were asked for. */
#include "api/graphql_federation.h"

#include "api/rest_decode.h"
#include "api/rest_encode.h"

enum { KEY_BYTES_MAX = 8192 };

/* ---- _service ---- */

bool graphql_compile_service(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  GraphqlRun *run = compiler->run;
  const GraphqlType *type = group->field->type.type;
  GraphqlGroups groups = {0};
  if (!run->limits->has_introspection) {
    graphql_mistake_at(run->mistakes, graphql_group_place(group), "Introspection is switched off");
    return false;
  }
  if (!graphql_collect_below(run, type, group, &groups)) return false;
  Buf out = buf_on(run->arena, run->api->limits.result_bytes_max);
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    buf_add_byte(&out, i == 0 ? '{' : ',');
    buf_add(&out, graphql_group_key(compiler, member));
    buf_add(&out, member->field->role == GRAPHQL_ROLE_SDL ? run->schema->subgraph_sdl : graphql_typename_text(compiler, type));
  }
  buf_add_byte(&out, '}');
  if (out.failed != CODE_OK) return graphql_compile_no_memory(compiler);
  root->text = buf_str(&out);
  return true;
}

/* ---- representations ---- */

static bool refuse(GraphqlCompiler *compiler, const GraphqlGroup *group, size_t at, const char *why) {
  graphql_mistake_at(compiler->run->mistakes, graphql_group_place(group), "_entities: representation %zu %s", at, why);
  return false;
}

static bool has_all(const JsonValue *json, const Field *const *fields, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const JsonValue *value = json_get(json, fields[i]->name);
    bool is_scalar = value != NULL && (value->type == JSON_STRING || value->type == JSON_NUMBER || value->type == JSON_BOOL);
    if (fields[i]->is_hidden || !is_scalar) return false;
  }
  return count > 0;
}

/* The first of the resource's keys that a representation gives. */
static bool find_key(const Resource *resource, const JsonValue *json, const Field *const **ret, size_t *ret_count) {
  if (has_all(json, resource->keys, resource->key_count)) {
    *ret = resource->keys;
    *ret_count = resource->key_count;
    return true;
  }
  for (size_t i = 0; i < resource->unique_count; i++) {
    const UniqueGroup *unique = &resource->uniques[i];
    if (!has_all(json, unique->fields, unique->count)) continue;
    *ret = unique->fields;
    *ret_count = unique->count;
    return true;
  }
  return false;
}

/* A page's rows in one call, and no more. */
static GraphqlEntityGroup *group_for(GraphqlCompiler *compiler, GraphqlEntities *entities, const Resource *resource,
                                     const Field *const *keys, size_t key_count, size_t at) {
  size_t max = (size_t)compiler->run->api->limits.page_size_max;
  for (size_t i = entities->groups.count; i-- > 0;) {
    GraphqlEntityGroup *group = entities->groups.items[i];
    if (group->resource == resource && group->keys == keys && group->asked.count < max) return group;
  }
  GraphqlEntityGroup *group = ARENA_NEW(compiler->arena, GraphqlEntityGroup);
  if (group == NULL || !VEC_PUSH(compiler->arena, &entities->groups, group)) return NULL;
  group->resource = resource;
  group->keys = keys;
  group->key_count = key_count;
  group->first = at;
  return group;
}

static bool read_key(GraphqlCompiler *compiler, GraphqlEntityGroup *group, const JsonValue *json, GraphqlEntity *ret) {
  const RestMap *map = compiler->run->api->rest;
  Value *values = ARENA_ARRAY(compiler->arena, Value, group->key_count);
  Buf key = buf_on(compiler->arena, KEY_BYTES_MAX);
  if (values == NULL) return graphql_compile_no_memory(compiler);
  for (size_t i = 0; i < group->key_count; i++) {
    const Field *field = group->keys[i];
    if (!graphql_scalar(compiler->run, field, json_get(json, field->name), &values[i])) return !compiler->run->mistakes->has_no_memory;
    rest_write_value(map, rest_map_key(map, field), NULL, &values[i], &key);
    buf_add_byte(&key, ',');
  }
  if (key.failed == CODE_UNAVAILABLE || !VEC_PUSH(compiler->arena, &group->asked, values)) return graphql_compile_no_memory(compiler);
  if (key.failed == CODE_OK) *ret = (GraphqlEntity){.group = group, .key = buf_str(&key)};
  return true;
}

static bool read_representation(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlEntities *entities, size_t at,
                                const JsonValue *json) {
  const GraphqlSchema *schema = compiler->run->schema;
  const JsonValue *name = json->type == JSON_OBJECT ? json_get(json, STR("__typename")) : NULL;
  const GraphqlType *type = name == NULL || name->type != JSON_STRING ? NULL : graphql_type(schema, name->text);
  if (type == NULL || !type->is_entity) return refuse(compiler, group, at, "names no entity by its __typename");
  const Field *const *keys = NULL;
  size_t count = 0;
  if (!find_key(type->resource, json, &keys, &count)) return refuse(compiler, group, at, "has no key: give all fields of one");
  GraphqlEntityGroup *one = group_for(compiler, entities, type->resource, keys, count, at);
  return one == NULL ? graphql_compile_no_memory(compiler) : read_key(compiler, one, json, &entities->items[at]);
}

/* ---- calls ---- */

static const Expr *field_path(GraphqlCompiler *compiler, const GraphqlEntityGroup *group, size_t at) {
  ExprPath path = {.root = EXPR_ROOT_ROW, .resource = group->resource, .field = group->keys[at]};
  return expr_path(compiler->arena, &path);
}

/* field in [values] */
static const Expr *any_of(GraphqlCompiler *compiler, const GraphqlEntityGroup *group) {
  Arena *arena = compiler->arena;
  Value *items = ARENA_ARRAY(arena, Value, group->asked.count);
  if (items == NULL) return NULL;
  for (size_t i = 0; i < group->asked.count; i++) items[i] = rest_value_stored(group->keys[0], group->asked.items[i][0]);
  const Expr *path = field_path(compiler, group, 0);
  const Expr *list = expr_literal(arena, (Value){.type = VALUE_LIST, .list = {items, group->asked.count}});
  return path == NULL || list == NULL ? NULL : expr_compare(arena, EXPR_IN, path, list);
}

/* a == value && b == value */
static const Expr *all_of(GraphqlCompiler *compiler, const GraphqlEntityGroup *group, const Value *values) {
  Arena *arena = compiler->arena;
  const Expr *all = NULL;
  for (size_t i = 0; i < group->key_count; i++) {
    const Expr *path = field_path(compiler, group, i);
    const Expr *value = expr_literal(arena, rest_value_stored(group->keys[i], values[i]));
    const Expr *equal = path == NULL || value == NULL ? NULL : expr_compare(arena, EXPR_EQ, path, value);
    all = equal == NULL ? NULL : expr_and(arena, all, equal);
    if (all == NULL) return NULL;
  }
  return all;
}

static const Expr *key_filter(GraphqlCompiler *compiler, const GraphqlEntityGroup *group) {
  if (group->key_count == 1) return any_of(compiler, group);
  const Expr *any = NULL;
  for (size_t i = 0; i < group->asked.count; i++) {
    const Expr *one = all_of(compiler, group, group->asked.items[i]);
    any = one == NULL ? NULL : any == NULL ? one : expr_or(compiler->arena, any, one);
    if (any == NULL) return NULL;
  }
  return any;
}

static bool select_keys(GraphqlCompiler *compiler, GraphqlEntityGroup *entities, GraphqlRows *rows, uint32_t **ret) {
  uint32_t *indexes = ARENA_ARRAY(compiler->arena, uint32_t, entities->key_count);
  if (indexes == NULL) return graphql_compile_no_memory(compiler);
  for (size_t i = 0; i < entities->key_count; i++) {
    if (!graphql_rows_add(compiler, rows, entities->keys[i], NULL, &indexes[i])) return false;
  }
  *ret = indexes;
  return true;
}

static bool compile_group(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlEntityGroup *entities, bool is_alone) {
  const GraphqlType *type = compiler->run->schema->row_types[entities->resource->index];
  GraphqlRoot *root = &entities->root;
  GraphqlGroups groups = {0};
  GraphqlRows rows;
  uint32_t *indexes = NULL;
  ListQuery list = {.limit = (int64_t)entities->asked.count};
  int64_t below = 0;
  if (entities->asked.count == 0) return true;
  if (!graphql_rows_begin(compiler, entities->resource, &rows)) return false;
  if (!graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!graphql_compile_row(compiler, &rows, &groups, type, 2, &root->out, &below)) return false;
  if (!select_keys(compiler, entities, &rows, &indexes) || !graphql_rows_end(compiler, &rows)) return false;
  graphql_add_cost(list.limit, below, &compiler->run->cost);
  root->out.kind = GRAPHQL_OUT_NODES;
  root->out.nested = rows.selection;
  list.filter = key_filter(compiler, entities);
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_LIST, entities->resource, rows.selection);
  if (list.filter == NULL || call == NULL) return graphql_compile_no_memory(compiler);
  call->operation.list = list;
  if (!graphql_begin_sink(compiler, &root->sink, call, is_alone)) return false;
  root->sink.has_row_ends = true;
  root->sink.keys = entities->keys;
  root->sink.key_indexes = indexes;
  root->sink.key_count = entities->key_count;
  return graphql_give_parts(compiler, root, false);
}

bool graphql_compile_entities(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const JsonValue *given = graphql_group_argument(compiler, group, "representations");
  GraphqlEntities *entities = ARENA_NEW(compiler->arena, GraphqlEntities);
  if (given == NULL) return false;
  if (entities != NULL) entities->items = ARENA_ARRAY(compiler->arena, GraphqlEntity, given->count + 1);
  if (entities == NULL || entities->items == NULL) return graphql_compile_no_memory(compiler);
  entities->count = given->count;
  if (given->count > compiler->run->limits->cost_max) return refuse(compiler, group, given->count, "is one too many (--graphql-cost-max)");
  for (size_t i = 0; i < given->count; i++) {
    if (!read_representation(compiler, group, entities, i, &given->items[i])) return false;
  }
  bool is_alone = compiler->run->root_count == 1 && entities->groups.count == 1;
  for (size_t i = 0; i < entities->groups.count; i++) {
    if (!compile_group(compiler, group, entities->groups.items[i], is_alone)) return false;
  }
  root->kind = GRAPHQL_ROOT_ENTITIES;
  root->entities = entities;
  return true;
}

/* ---- the answer ---- */

/* Groups are small (a page), and mostly in the order of their keys already. */
static bool find_row(const GraphqlSink *sink, Str key, Str *ret) {
  for (size_t i = 0; i < sink->row_keys.count; i++) {
    if (!str_equal(sink->row_keys.items[i], key)) continue;
    size_t begin = i == 0 ? 0 : sink->row_ends.items[i - 1] + 1; /* behind the comma */
    *ret = str_slice(buf_str(&sink->outs[0]), begin, sink->row_ends.items[i]);
    return true;
  }
  return false;
}

void graphql_write_entities(const GraphqlEntities *entities, Buf *to) {
  buf_add_byte(to, '[');
  for (size_t i = 0; i < entities->count; i++) {
    const GraphqlEntity *entity = &entities->items[i];
    Str row = STR("null");
    if (i > 0) buf_add_byte(to, ',');
    if (entity->group != NULL) (void)find_row(&entity->group->root.sink, entity->key, &row);
    buf_add(to, row);
  }
  buf_add_byte(to, ']');
}
