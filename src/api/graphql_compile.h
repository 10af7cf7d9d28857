/* graphql_compile.h - what the parts of the compilation share: a selection under construction, arguments, calls. Internal to it. */
#pragma once
#include "api/graphql_run.h"

typedef struct GraphqlRows {
  Selection *selection;
  VEC(SelectionItem) items;
} GraphqlRows;

typedef struct GraphqlCompiler {
  GraphqlRun *run;
  Arena *arena;
  const Caller *caller;
  int64_t now_us;
} GraphqlCompiler;

static inline bool graphql_compile_no_memory(GraphqlCompiler *compiler) { return graphql_no_memory(compiler->run); }
static inline GraphqlPlace graphql_group_place(const GraphqlGroup *group) { return group->nodes.items[0]->place; }

/* ---- graphql_compile_rows.c. What gives a bool is false with a mistake noted. `depth`: of the fields in it, 1 for the roots. ---- */

bool graphql_check_depth(GraphqlCompiler *compiler, const GraphqlGroup *group, size_t depth);
/* "name": */
Str graphql_group_key(GraphqlCompiler *compiler, const GraphqlGroup *group);
bool graphql_items_create(GraphqlCompiler *compiler, const GraphqlGroups *groups, GraphqlOut *out);
Str graphql_typename_text(GraphqlCompiler *compiler, const GraphqlType *type);
/* NULL: not given, or null. */
const JsonValue *graphql_group_argument(GraphqlCompiler *compiler, const GraphqlGroup *group, const char *name);
/* false. */
bool graphql_compile_refuse(GraphqlCompiler *compiler, const GraphqlGroup *group, const char *what);
/* first or last: a page's size; *ret stays as it is where neither is given (json NULL). */
bool graphql_page_size(GraphqlCompiler *compiler, const GraphqlGroup *group, const JsonValue *json, int64_t max, int64_t *ret);
bool graphql_list_query(GraphqlCompiler *compiler, const GraphqlGroup *group, const Resource *resource, ListQuery *list, bool has_page);
/* A field that is there already is not added again, but for nested ones. */
bool graphql_rows_add(GraphqlCompiler *compiler, GraphqlRows *rows, const Field *field, Selection *nested, uint32_t *ret_index);
bool graphql_rows_begin(GraphqlCompiler *compiler, const Resource *resource, GraphqlRows *ret);
bool graphql_rows_end(GraphqlCompiler *compiler, GraphqlRows *rows);
bool graphql_compile_row(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroups *groups, const GraphqlType *type, size_t depth,
                         GraphqlOut *out, int64_t *ret_cost);
/* What could be returned: a page's rows, each with what hangs on it. */
void graphql_add_cost(int64_t rows, int64_t below, int64_t *ret_cost);
bool graphql_compile_connection(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, const Resource *resource,
                                size_t depth, ListQuery *list, GraphqlOut *out, int64_t *ret_cost);

/* ---- graphql_compile.c ---- */

/* Its rows go to `sink`. NULL without memory; valid until the next one is added. */
Call *graphql_add_call(GraphqlCompiler *compiler, GraphqlSink *sink, Action action, const Resource *resource, Selection *selection);
/* `is_alone`: no other call is made. */
bool graphql_begin_sink(GraphqlCompiler *compiler, GraphqlSink *sink, Call *call, bool is_alone);
bool graphql_give_parts(GraphqlCompiler *compiler, GraphqlRoot *root, bool is_connection);
/* The key that the arguments say; *ret NULL where it can be no row's. */
bool graphql_key_arguments(GraphqlCompiler *compiler, const GraphqlGroup *group, const Field *const *fields, size_t count,
                           const Value **ret);
bool graphql_row_selection(GraphqlCompiler *compiler, const GraphqlGroup *group, const Resource *resource, GraphqlRoot *root,
                           Selection **ret);
bool graphql_finish_row(GraphqlCompiler *compiler, GraphqlRoot *root, Call *call);

/* ---- graphql_compile_aggregate.c, graphql_compile_write.c, graphql_compile_watch.c ---- */

bool graphql_compile_aggregate(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root);
bool graphql_compile_watch(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root);
/* Of a valid subscription there may be no field left; never more than one (graphql_validate_subscription.c). */
bool graphql_check_single_root(GraphqlRun *run, const GraphqlGroups *groups);
bool graphql_compile_mutation(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root);
