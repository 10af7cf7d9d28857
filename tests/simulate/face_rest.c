/* face_rest.c - calls as REST. A group of one row is written by itself; a bigger one as an array or a batch. */
#include "call.h"
#include "row_json.h"

static void write_row(Buf *out, const Call *call, size_t row) {
  const Group *group = call->group;
  buf_printf(out, "{\"name\":\"%s.%zu\",\"group\":\"%s\",\"owner\":\"c%d\",\"number\":%lld,\"copy\":%lld,\"public\":%s}", group->name,
             group_row_number(group, row), group->name, call->caller, (long long)call->number, (long long)call->number,
             group->is_public ? "true" : "false");
}

static void write_change(Buf *out, const Call *call) {
  buf_printf(out, "{\"number\":%lld,\"copy\":%lld}", (long long)call->number, (long long)call->number);
}

static void write_array(Buf *out, const Call *call) {
  buf_add_byte(out, '[');
  for (size_t i = 0; i < call->group->size; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_row(out, call, i);
  }
  buf_add_byte(out, ']');
}

static void write_batch(Buf *out, const Call *call) {
  buf_add(out, STR("{\"operations\":["));
  for (size_t i = 0; i < call->group->size; i++) {
    buf_printf(out, "%s{\"method\":\"%s\",\"path\":\"/v1/notes/%s.%zu\"", i == 0 ? "" : ",", call->kind == CALL_UPDATE ? "PATCH" : "DELETE",
               call->group->name, i);
    if (call->kind == CALL_UPDATE) {
      buf_add(out, STR(",\"body\":"));
      write_change(out, call);
    }
    buf_add_byte(out, '}');
  }
  buf_add(out, STR("]}"));
}

static bool is_batch(const Call *call) { return call->group != NULL && call->group->size > 1; }

static void write_body(Buf *out, const Call *call) {
  if (call->kind == CALL_CREATE && is_batch(call)) return write_array(out, call);
  if (call->kind == CALL_CREATE) return write_row(out, call, 0);
  if (call_is_write(call) && is_batch(call)) return write_batch(out, call);
  if (call->kind == CALL_UPDATE) write_change(out, call);
}

static Str target_of(const Call *call, Arena *arena) {
  const char *group = call->group == NULL ? "" : call->group->name;
  switch (call->kind) {
    case CALL_CREATE: return STR("/v1/notes");
    case CALL_UPDATE:
    case CALL_DELETE: return is_batch(call) ? STR("/v1/batch") : arena_printf(arena, "/v1/notes/%s.0", group);
    case CALL_GET: return arena_printf(arena, "/v1/notes/%s.%zu", group, call->row);
    case CALL_LIST_GROUP: return arena_printf(arena, "/v1/notes?group=%s&limit=100", group);
    default: return STR("/v1/notes?limit=100");
  }
}

static Str method_of(const Call *call) {
  if (!call_is_write(call)) return STR("GET");
  if (call->kind == CALL_CREATE || is_batch(call)) return STR("POST");
  return call->kind == CALL_UPDATE ? STR("PATCH") : STR("DELETE");
}

static void rest_write(const Call *call, Arena *arena, HttpRequest *ret) {
  Buf body = buf_on(arena, SIZE_MAX / 2);
  write_body(&body, call);
  *ret = (HttpRequest){.method = method_of(call), .path = target_of(call, arena), .body = buf_str(&body)};
  if (body.len > 0) ret->content_type = STR("application/json");
}

/* ---- answers ---- */

/* A batch's results: each with its status and, unless it deleted, its row. */
static bool read_results(const JsonValue *results, Arena *arena, CallAnswer *ret) {
  if (results->type != JSON_ARRAY) return false;
  ret->rows = ARENA_ARRAY(arena, SeenRow, results->count + 1);
  for (size_t i = 0; i < results->count; i++) {
    const JsonValue *body = json_get(&results->items[i], STR("body"));
    if (body != NULL && body->type == JSON_OBJECT && !row_json_read(body, ret)) return false;
  }
  return true;
}

static bool read_document(const HttpAnswer *answer, Arena *arena, CallAnswer *ret) {
  JsonValue document;
  if (json_parse(answer->body, JSON_DEPTH_DEFAULT, arena, &document, NULL) != CODE_OK) return false;
  const JsonValue *items = json_get(&document, STR("items")), *results = json_get(&document, STR("results"));
  const JsonValue *cursor = json_get(&document, STR("nextCursor"));
  ret->is_whole = cursor == NULL || cursor->type == JSON_NULL;
  if (items != NULL) return row_json_read_array(items, arena, ret);
  if (results != NULL) return read_results(results, arena, ret);
  ret->rows = ARENA_NEW(arena, SeenRow);
  return row_json_read(&document, ret);
}

static bool rest_read(const HttpAnswer *answer, const Call *call, Arena *arena, CallAnswer *ret) {
  (void)call;
  *ret = (CallAnswer){.outcome = CALL_DONE};
  switch (answer->status) {
    case 200:
    case 201: return read_document(answer, arena, ret);
    case 204: return true;
    case 404: ret->outcome = CALL_ABSENT; return true;
    case 403:
    case 409: ret->outcome = CALL_REFUSED; return true;
    case 408:
    case 503: ret->outcome = CALL_FAILED; return true;
    default: return false;
  }
}

const Face face_rest = {.name = "REST", .write = rest_write, .read = rest_read};
