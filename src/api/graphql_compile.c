/* graphql_compile.c - an operation's collected fields to the engine's calls: one for each field of Query or Mutation, in which nested lists
 * are nested selections. */
#include "api/graphql_compile.h"
#include "api/graphql_federation.h"
#include "api/rest_decode.h"
#include "codec/base64.h"
#include "codec/url.h"

/* ---- roots ---- */

Call *graphql_add_call(GraphqlCompiler *compiler, GraphqlSink *sink, Action action, const Resource *resource, Selection *selection) {
  GraphqlRun *run = compiler->run;
  if (run->call_count == run->call_max) {
    size_t max = run->call_max == 0 ? run->root_count : 2 * run->call_max;
    Call *grown = arena_grow(compiler->arena, run->calls, run->call_max * sizeof *grown, max * sizeof *grown);
    if (grown == NULL) return (void)graphql_compile_no_memory(compiler), NULL;
    memset(grown + run->call_max, 0, (max - run->call_max) * sizeof *grown);
    run->calls = grown;
    run->call_max = max;
  }
  Call *call = &run->calls[run->call_count];
  sink->call = run->call_count++;
  call->operation = (Operation){.action = action,
                                .resource = resource,
                                .selection = selection,
                                .list = {.limit = -1},
                                .caller = compiler->caller,
                                .now_us = compiler->now_us};
  call->sink = &sink->base;
  return call;
}

/* Each call has an arena of its own where several may run: their rows can come on different threads. */
bool graphql_begin_sink(GraphqlCompiler *compiler, GraphqlSink *sink, Call *call, bool is_alone) {
  GraphqlRun *run = compiler->run;
  Arena *arena = compiler->arena;
  if (!is_alone) {
    arena = arena_create(0);
    if (arena == NULL) return graphql_compile_no_memory(compiler);
    if (!arena_defer(compiler->arena, (ArenaDeferFn *)arena_destroy, arena)) {
      arena_destroy(arena);
      return graphql_compile_no_memory(compiler);
    }
    call->arena = arena;
  }
  size_t index = sink->call;
  graphql_sink_init(sink, run->api->rest, arena);
  sink->call = index;
  sink->has_cursors = call->operation.list.has_row_cursors;
  return true;
}

/* The parts of the answer that are made while rows come. */
bool graphql_give_parts(GraphqlCompiler *compiler, GraphqlRoot *root, bool is_connection) {
  GraphqlSink *sink = &root->sink;
  size_t max = is_connection ? root->out.count : 1;
  const GraphqlOut **parts = ARENA_ARRAY(compiler->arena, const GraphqlOut *, max + 1);
  sink->outs = ARENA_ARRAY(compiler->arena, Buf, max + 1);
  if (parts == NULL || sink->outs == NULL) return graphql_compile_no_memory(compiler);
  for (size_t i = 0; i < max; i++) {
    GraphqlOut *out = is_connection ? &root->out.items[i] : &root->out;
    if (is_connection && out->kind != GRAPHQL_OUT_NODES && out->kind != GRAPHQL_OUT_EDGES) continue;
    out->index = (uint32_t)sink->part_count;
    sink->outs[sink->part_count] = buf_on(sink->arena, compiler->run->api->limits.result_bytes_max);
    parts[sink->part_count++] = out;
  }
  sink->parts = parts;
  return true;
}

/* The key that the arguments say; NULL where it can be no row's. */
bool graphql_key_arguments(GraphqlCompiler *compiler, const GraphqlGroup *group, const Field *const *fields, size_t count,
                           const Value **ret) {
  Value *key = ARENA_ARRAY(compiler->arena, Value, count);
  bool is_possible = true;
  if (key == NULL) return graphql_compile_no_memory(compiler);
  for (size_t i = 0; i < count; i++) {
    const JsonValue *json = graphql_argument(compiler->run, group->nodes.items[0], &group->field->arguments[i]);
    if (json == NULL) return false;
    is_possible = graphql_scalar(compiler->run, fields[i], json, &key[i]) && is_possible;
  }
  *ret = is_possible ? key : NULL;
  return !compiler->run->mistakes->has_no_memory;
}

bool graphql_row_selection(GraphqlCompiler *compiler, const GraphqlGroup *group, const Resource *resource, GraphqlRoot *root,
                           Selection **ret) {
  const GraphqlType *type = compiler->run->schema->row_types[resource->index];
  GraphqlGroups groups = {0};
  GraphqlRows rows;
  int64_t cost = 1;
  if (!graphql_rows_begin(compiler, resource, &rows) || !graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!graphql_compile_row(compiler, &rows, &groups, type, 2, &root->out, &cost) || !graphql_rows_end(compiler, &rows)) return false;
  root->out.kind = GRAPHQL_OUT_NODES;
  root->out.nested = rows.selection;
  compiler->run->cost += cost;
  *ret = rows.selection;
  return true;
}

bool graphql_finish_row(GraphqlCompiler *compiler, GraphqlRoot *root, Call *call) {
  root->kind = GRAPHQL_ROOT_ROW;
  return call != NULL && graphql_begin_sink(compiler, &root->sink, call, compiler->run->root_count == 1) &&
         graphql_give_parts(compiler, root, false);
}

static bool compile_get(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  Selection *selection = NULL;
  const Value *key = NULL;
  if (!graphql_key_arguments(compiler, group, resource->keys, resource->key_count, &key)) return false;
  if (!graphql_row_selection(compiler, group, resource, root, &selection)) return false;
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_GET, resource, selection);
  if (call != NULL) call->operation.key = key;
  return graphql_finish_row(compiler, root, call);
}

/* Not by key: a list that holds one row at most. */
static bool compile_get_unique(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  const UniqueGroup *unique = group->field->unique;
  Selection *selection = NULL;
  const Value *values = NULL;
  const Expr *filter = NULL;
  if (!graphql_key_arguments(compiler, group, unique->fields, unique->count, &values)) return false;
  if (!graphql_row_selection(compiler, group, resource, root, &selection)) return false;
  if (values == NULL) {
    root->kind = GRAPHQL_ROOT_TEXT;
    root->text = STR("null");
    return true;
  }
  for (size_t i = 0; i < unique->count; i++) {
    ExprPath path = {.root = EXPR_ROOT_ROW, .resource = resource, .field = unique->fields[i]};
    const Expr *field = expr_path(compiler->arena, &path);
    const Expr *value = expr_literal(compiler->arena, rest_value_stored(unique->fields[i], values[i]));
    const Expr *equal = field == NULL || value == NULL ? NULL : expr_compare(compiler->arena, EXPR_EQ, field, value);
    filter = equal == NULL ? NULL : expr_and(compiler->arena, filter, equal);
    if (filter == NULL) return graphql_compile_no_memory(compiler);
  }
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_LIST, resource, selection);
  if (call != NULL) call->operation.list = (ListQuery){.filter = filter, .limit = 1};
  root->is_list_ask = true;
  return graphql_finish_row(compiler, root, call);
}

/* "Product:KEY" in base64url; the parts of a composite key as REST's path has them. */
static const Resource *node_resource(GraphqlCompiler *compiler, Str id, const Value **ret_key) {
  Str decoded, name;
  if (!base64url_parse(id, compiler->arena, &decoded)) return NULL;
  Str rest = decoded;
  if (!str_split_next(&rest, ':', &name) || rest.ptr == NULL) return NULL;
  const Resource *resource = contract_resource(compiler->run->api->contract, name);
  if (resource == NULL || !compiler->run->schema->row_types[resource->index]->is_node) return NULL;
  Value *key = ARENA_ARRAY(compiler->arena, Value, resource->key_count);
  for (size_t i = 0; key != NULL && i < resource->key_count; i++) {
    Str part, text, expected;
    Error err;
    if (!str_split_next(&rest, ',', &part) || url_decode_path(part, compiler->arena, &text, &err) != CODE_OK) return NULL;
    if (rest_value_parse(resource->keys[i], text, compiler->arena, &key[i], &expected) != CODE_OK) return NULL;
  }
  *ret_key = key;
  return key == NULL || rest.ptr != NULL ? NULL : resource;
}

static bool compile_node(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const JsonValue *id = graphql_group_argument(compiler, group, "id");
  const Value *key = NULL;
  Selection *selection = NULL;
  if (id == NULL) return false;
  const Resource *resource = node_resource(compiler, id->text, &key);
  if (resource == NULL) {
    root->kind = GRAPHQL_ROOT_TEXT;
    root->text = STR("null");
    return !compiler->run->mistakes->has_no_memory;
  }
  if (!graphql_row_selection(compiler, group, resource, root, &selection)) return false;
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_GET, resource, selection);
  if (call != NULL) call->operation.key = key;
  return graphql_finish_row(compiler, root, call);
}

static bool compile_list(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  GraphqlRows rows;
  ListQuery list;
  if (!graphql_rows_begin(compiler, resource, &rows) || !graphql_list_query(compiler, group, resource, &list, true)) return false;
  if (!graphql_compile_connection(compiler, &rows, group, resource, 2, &list, &root->out, &compiler->run->cost)) return false;
  if (!graphql_rows_end(compiler, &rows)) return false;
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_LIST, resource, rows.selection);
  if (call == NULL) return false;
  call->operation.list = list;
  root->kind = GRAPHQL_ROOT_LIST;
  return graphql_begin_sink(compiler, &root->sink, call, compiler->run->root_count == 1) && graphql_give_parts(compiler, root, true);
}

static bool compile_root(GraphqlCompiler *compiler, const GraphqlGroup *group, const GraphqlType *type, GraphqlRoot *root) {
  root->name = group->name;
  root->key = graphql_group_key(compiler, group);
  root->place = graphql_group_place(group);
  root->is_required = graphql_is_required(group->field->type);
  if (!graphql_check_depth(compiler, group, 1)) return false;
  switch (group->field->role) {
    case GRAPHQL_ROLE_GET: return compile_get(compiler, group, root);
    case GRAPHQL_ROLE_GET_UNIQUE: return compile_get_unique(compiler, group, root);
    case GRAPHQL_ROLE_NODE: return compile_node(compiler, group, root);
    case GRAPHQL_ROLE_LIST: return compile_list(compiler, group, root);
    case GRAPHQL_ROLE_AGGREGATE: return graphql_compile_aggregate(compiler, group, root);
    case GRAPHQL_ROLE_WATCH: return graphql_compile_watch(compiler, group, root);
    case GRAPHQL_ROLE_SERVICE: return graphql_compile_service(compiler, group, root);
    case GRAPHQL_ROLE_ENTITIES: return graphql_compile_entities(compiler, group, root);
    case GRAPHQL_ROLE_SCHEMA:
    case GRAPHQL_ROLE_TYPE: return graphql_introspect(compiler->run, group, &root->text);
    case GRAPHQL_ROLE_TYPENAME: root->text = graphql_typename_text(compiler, type); return true;
    default: return graphql_compile_mutation(compiler, group, root);
  }
}

static bool check_cost(GraphqlRun *run) {
  if (run->cost <= (int64_t)run->limits->cost_max) return true;
  GraphqlMistake *mistake = graphql_mistake(run->mistakes, CODE_TOO_LARGE, &run->operation->place, 1,
                                            "The operation could return %lld rows, more than %zu (--graphql-cost-max)",
                                            (long long)run->cost, run->limits->cost_max);
  graphql_mistake_hint(run->mistakes, mistake, STR("ask for smaller pages"));
  return false;
}

bool graphql_compile(GraphqlRun *run, const Caller *caller, int64_t now_us) {
  GraphqlCompiler compiler = {.run = run, .arena = run->arena, .caller = caller, .now_us = now_us};
  const GraphqlType *type = graphql_root_type(run->schema, run->operation->kind);
  GraphqlGroups groups = {0};
  if (!graphql_collect(run, type, &run->operation->selections, &groups)) return false;
  if (run->operation->kind == GRAPHQL_SUBSCRIPTION && !graphql_check_single_root(run, &groups)) return false;
  run->root_count = groups.list.count;
  run->roots = ARENA_ARRAY(run->arena, GraphqlRoot, run->root_count + 1);
  if (run->roots == NULL) return graphql_no_memory(run);
  for (size_t i = 0; i < run->root_count; i++) {
    if (!compile_root(&compiler, &groups.list.items[i], type, &run->roots[i])) return false;
  }
  return check_cost(run) && !graphql_is_refused(run->mistakes);
}
