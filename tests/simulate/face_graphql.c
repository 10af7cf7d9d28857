/* face_graphql.c - calls as GraphQL. A group is written by the mutations of one request, which are one transaction. */
#include "call.h"
#include "row_json.h"

#define ROW "{name group number copy}"

static void write_input(Buf *out, const Call *call, size_t row) {
  const Group *group = call->group;
  buf_printf(out, "{name:\\\"%s.%zu\\\",group:\\\"%s\\\",owner:\\\"c%d\\\",number:%lld,copy:%lld,public:%s}", group->name,
             group_row_number(group, row), group->name, call->caller, (long long)call->number, (long long)call->number,
             group->is_public ? "true" : "false");
}

static void write_mutation(Buf *out, const Call *call, size_t row) {
  buf_printf(out, " m%zu:", row);
  switch (call->kind) {
    case CALL_CREATE:
      buf_add(out, STR("createNote(input:"));
      write_input(out, call, row);
      break;
    case CALL_UPDATE:
      buf_printf(out, "updateNote(name:\\\"%s.%zu\\\",input:{number:%lld,copy:%lld}", call->group->name, row, (long long)call->number,
                 (long long)call->number);
      break;
    default: buf_printf(out, "deleteNote(name:\\\"%s.%zu\\\"", call->group->name, row);
  }
  buf_add(out, STR(")" ROW));
}

static void write_query(Buf *out, const Call *call) {
  switch (call->kind) {
    case CALL_GET: return buf_printf(out, "query{note(name:\\\"%s.%zu\\\")" ROW "}", call->group->name, call->row);
    case CALL_LIST_GROUP:
      return buf_printf(out, "query{notes(where:{group:{eq:\\\"%s\\\"}},first:100){nodes" ROW " pageInfo{hasNextPage}}}",
                        call->group->name);
    case CALL_LIST: return buf_add(out, STR("query{notes(first:100){nodes" ROW " pageInfo{hasNextPage}}}"));
    default:
      buf_add(out, STR("mutation{"));
      for (size_t i = 0; i < call->group->size; i++) write_mutation(out, call, i);
      buf_add_byte(out, '}');
  }
}

static void graphql_write(const Call *call, Arena *arena, HttpRequest *ret) {
  Buf body = buf_on(arena, SIZE_MAX / 2);
  buf_add(&body, STR("{\"query\":\""));
  write_query(&body, call);
  buf_add(&body, STR("\"}"));
  *ret = (HttpRequest){.method = STR("POST"), .path = STR("/graphql"), .content_type = STR("application/json"), .body = buf_str(&body)};
}

/* ---- answers ---- */

static bool read_error(const JsonValue *document, CallAnswer *ret) {
  const JsonValue *errors = json_get(document, STR("errors")), *code = json_get(document, STR("code"));
  if (errors != NULL && errors->type == JSON_ARRAY && errors->count > 0)
    code = json_get(json_get(&errors->items[0], STR("extensions")), STR("code"));
  return code != NULL && code->type == JSON_STRING && call_outcome_of_code(code->text, &ret->outcome);
}

/* What a deletion shows is what was deleted. */
static bool read_mutations(const JsonValue *data, const Call *call, Arena *arena, CallAnswer *ret) {
  ret->rows = ARENA_ARRAY(arena, SeenRow, data->count + 1);
  for (size_t i = 0; i < data->count; i++)
    if (!row_json_read(&data->members[i].value, ret)) return false;
  if (call->kind == CALL_DELETE) ret->count = 0;
  return data->count == call->group->size;
}

static bool read_data(const JsonValue *data, const Call *call, Arena *arena, CallAnswer *ret) {
  if (call_is_write(call)) return read_mutations(data, call, arena, ret);
  const JsonValue *note = json_get(data, STR("note")), *notes = json_get(data, STR("notes"));
  if (note != NULL) {
    if (note->type == JSON_NULL) ret->outcome = CALL_ABSENT;
    ret->rows = ARENA_NEW(arena, SeenRow);
    return note->type == JSON_NULL || row_json_read(note, ret);
  }
  const JsonValue *more = json_get(json_get(notes, STR("pageInfo")), STR("hasNextPage"));
  ret->is_whole = more != NULL && !more->boolean;
  return row_json_read_array(json_get(notes, STR("nodes")), arena, ret);
}

static bool graphql_read(const HttpAnswer *answer, const Call *call, Arena *arena, CallAnswer *ret) {
  JsonValue document;
  *ret = (CallAnswer){.outcome = CALL_DONE};
  if (json_parse(answer->body, JSON_DEPTH_DEFAULT, arena, &document, NULL) != CODE_OK) return false;
  const JsonValue *data = json_get(&document, STR("data"));
  bool has_errors = json_get(&document, STR("errors")) != NULL || data == NULL;
  return has_errors ? read_error(&document, ret) : read_data(data, call, arena, ret);
}

const Face face_graphql = {.name = "GraphQL", .write = graphql_write, .read = graphql_read};
