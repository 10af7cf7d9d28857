/* graphql_compile_write.c - a field of Mutation to a write. */
#include "api/graphql_compile.h"

/* An entity tag as REST's header has it, with or without its quotes. */
static bool read_if_match(GraphqlCompiler *compiler, const GraphqlGroup *group, Operation *operation) {
  const JsonValue *given = graphql_group_argument(compiler, group, "ifMatch");
  if (given == NULL) {
    if (!compiler->run->api->is_precondition_required) return true;
    GraphqlPlace place = graphql_group_place(group);
    graphql_mistake(compiler->run->mistakes, CODE_PRECONDITION_REQUIRED, &place, 1, "This server changes nothing without ifMatch");
    return false;
  }
  Str tag = str_trim(given->text);
  operation->if_match.is_given = true;
  operation->if_match.is_any = str_equal(tag, STR("*"));
  if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"') tag = str_slice(tag, 1, tag.len - 1);
  Str *tags = ARENA_ARRAY(compiler->arena, Str, 1);
  if (tags == NULL) return graphql_compile_no_memory(compiler);
  tags[0] = tag;
  operation->if_match.etags = tags;
  operation->if_match.etag_count = 1;
  return true;
}

bool graphql_compile_mutation(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  static const Action actions[] = {[GRAPHQL_ROLE_CREATE] = ACTION_CREATE,
                                   [GRAPHQL_ROLE_CREATE_MANY] = ACTION_CREATE,
                                   [GRAPHQL_ROLE_UPDATE] = ACTION_UPDATE,
                                   [GRAPHQL_ROLE_DELETE] = ACTION_DELETE};
  const Resource *resource = group->field->resource;
  GraphqlRole role = group->field->role;
  const Value *key = NULL;
  Selection *selection = NULL;
  bool has_key = role == GRAPHQL_ROLE_UPDATE || role == GRAPHQL_ROLE_DELETE;
  if (has_key && !graphql_key_arguments(compiler, group, resource->keys, resource->key_count, &key)) return false;
  const JsonValue *input = graphql_group_argument(compiler, group, role == GRAPHQL_ROLE_CREATE_MANY ? "inputs" : "input");
  if (graphql_is_refused(compiler->run->mistakes)) return false;
  if (!graphql_row_selection(compiler, group, resource, root, &selection)) return false;
  Call *call = graphql_add_call(compiler, &root->sink, actions[role], resource, selection);
  if (call == NULL) return false;
  call->operation.key = key;
  call->operation.input = input;
  if (has_key && !read_if_match(compiler, group, &call->operation)) return false;
  if (!graphql_finish_row(compiler, root, call)) return false;
  if (role == GRAPHQL_ROLE_CREATE_MANY) {
    root->kind = GRAPHQL_ROOT_ROWS;
    root->sink.has_row_ends = true;
  }
  return true;
}
