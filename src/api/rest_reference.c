/* rest_reference.c - {"$ref": "ID.field"} inside the bodies of a batch: a value of an earlier request's answer, put in its place when the
 * transaction has come that far. What is referred to is one value, never a list or an object, so that a small body can't become a large
 * one. */
#include "api/rest_batch.h"

enum { REFERENCE_BODY_DEPTH_MAX = JSON_DEPTH_DEFAULT * 2 };

/* NULL: `value` is no reference. */
static const JsonValue *reference_of(const JsonValue *value) {
  if (value->type != JSON_OBJECT || value->count != 1) return NULL;
  const JsonValue *reference = json_get(value, STR("$ref"));
  return reference != NULL && reference->type == JSON_STRING ? reference : NULL;
}

static RestBatchItem *item_of(const RestBatch *batch, Str reference, Str *ret_path) {
  size_t dot = str_find_byte(reference, '.', 0);
  if (dot + 1 >= reference.len) return NULL;
  *ret_path = str_slice(reference, dot + 1, reference.len);
  return map_get(&batch->ids, str_slice(reference, 0, dot));
}

Code rest_references_check(RestDecoder *decoder, const RestBatch *batch, const JsonValue *body, bool *ret_has_any) {
  const JsonValue *reference = reference_of(body);
  if (reference != NULL) {
    Str path, shown = rest_shown(reference->text);
    *ret_has_any = true;
    if (item_of(batch, reference->text, &path) != NULL) return CODE_OK;
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("a reference is {\"$ref\": \"ID.field\"}, ID being an earlier operation's"),
                       "\"%.*s\" refers to no earlier operation", STR_ARGS(shown));
  }
  for (size_t i = 0; i < body->count; i++) {
    const JsonValue *part = body->type == JSON_ARRAY ? &body->items[i] : &body->members[i].value;
    TRY(rest_references_check(decoder, batch, part, ret_has_any));
  }
  return CODE_OK;
}

/* ---- What is referred to ---- */

/* Where the answer has no body its row's key is still known. */
static Code answer_of_key(const RestBatchItem *item, Buf *out) {
  const Call *main = item->state->main;
  const Resource *resource = main->operation.resource;
  if (main->result.key == NULL) return CODE_OK;
  for (size_t i = 0; i < resource->key_count; i++) {
    buf_add(out, i == 0 ? STR("{") : STR(","));
    json_write_string(out, resource->keys[i]->name);
    buf_add_byte(out, ':');
    rest_write_value(item->state->decoder.map, NULL, NULL, &main->result.key[i], out);
  }
  buf_add_byte(out, '}');
  return out->failed;
}

static Code answer_read(RestBatchItem *item, Arena *arena, Error *err) {
  if (item->is_parsed) return CODE_OK;
  Str text = item->request.response.body;
  item->answer = NULL;
  if (text.len == 0) {
    Buf out = buf_on(arena, (size_t)64 * 1024);
    TRY(answer_of_key(item, &out));
    text = buf_str(&out);
  }
  if (text.len > 0) {
    JsonValue *answer = ARENA_NEW(arena, JsonValue);
    TRY_ALLOC(answer);
    TRY(json_parse(text, REFERENCE_BODY_DEPTH_MAX, arena, answer, err));
    item->answer = answer;
  }
  item->is_parsed = true;
  return CODE_OK;
}

/* "items.0.code": members by name, a list's by their index. */
static const JsonValue *value_at(const JsonValue *value, Str path) {
  Str name;
  while (value != NULL && str_split_next(&path, '.', &name)) {
    int64_t index = -1;
    if (value->type == JSON_ARRAY)
      value = str_parse_int64(name, &index) && index >= 0 && (uint64_t)index < value->count ? &value->items[index] : NULL;
    else
      value = json_get(value, name);
  }
  return value;
}

/* ---- In its place ---- */

typedef struct Resolver {
  RestBatchItem *item;
  Arena *arena;
  const Problem *problem;
} Resolver;

static Code refuse(Resolver *resolver, const Problem *problem) {
  resolver->problem = problem;
  return problem->code;
}

static Code refuse_reference(Resolver *resolver, Str reference, const char *why) {
  Str shown = rest_shown(reference);
  Str detail = arena_printf(resolver->arena, "\"%.*s\" %s", STR_ARGS(shown), why);
  return refuse(resolver, problem_create(resolver->arena, CODE_BAD_REQUEST, detail));
}

static Code resolve_reference(Resolver *resolver, Str reference, JsonValue *ret) {
  RestBatch *batch = resolver->item->batch;
  Str path;
  RestBatchItem *from = item_of(batch, reference, &path);
  if (from == NULL || from->index >= resolver->item->index) return refuse_reference(resolver, reference, "refers to no earlier operation");
  const Problem *problem = rest_batch_item_answer(from);
  if (problem != NULL) return refuse(resolver, problem);
  Error err = {0};
  if (answer_read(from, resolver->arena, &err) != CODE_OK) return refuse(resolver, problem_no_memory(resolver->arena));
  const JsonValue *value = value_at(from->answer, path);
  if (value == NULL) return refuse_reference(resolver, reference, "is not in that operation's answer");
  if (value->type == JSON_ARRAY || value->type == JSON_OBJECT) return refuse_reference(resolver, reference, "is not one value");
  batch->reference_bytes += value->text.len;
  if (batch->reference_bytes > batch->budget.bytes_max)
    return refuse(resolver, problem_create(resolver->arena, CODE_TOO_LARGE, STR("The references put too much into the batch")));
  *ret = *value;
  return CODE_OK;
}

static Code resolve(Resolver *resolver, const JsonValue *value, JsonValue *ret);

static Code resolve_parts(Resolver *resolver, const JsonValue *value, JsonValue *ret) {
  bool is_array = value->type == JSON_ARRAY;
  JsonValue *items = is_array ? ARENA_ARRAY(resolver->arena, JsonValue, value->count) : NULL;
  JsonMember *members = is_array ? NULL : ARENA_ARRAY(resolver->arena, JsonMember, value->count);
  if (items == NULL && members == NULL) return refuse(resolver, problem_no_memory(resolver->arena));
  for (size_t i = 0; i < value->count; i++) {
    if (!is_array) members[i].name = value->members[i].name;
    TRY(resolve(resolver, is_array ? &value->items[i] : &value->members[i].value, is_array ? &items[i] : &members[i].value));
  }
  *ret = *value;
  if (is_array)
    ret->items = items;
  else
    ret->members = members;
  return CODE_OK;
}

static Code resolve(Resolver *resolver, const JsonValue *value, JsonValue *ret) {
  const JsonValue *reference = reference_of(value);
  if (reference != NULL) return resolve_reference(resolver, reference->text, ret);
  if (value->type == JSON_ARRAY || value->type == JSON_OBJECT) return resolve_parts(resolver, value, ret);
  *ret = *value;
  return CODE_OK;
}

Code rest_references_resolve(Call *call, void *context, const Problem **ret_problem) {
  RestBatchItem *item = context;
  Resolver resolver = {.item = item, .arena = item->exchange.arena};
  JsonValue *body = ARENA_NEW(resolver.arena, JsonValue);
  if (body == NULL) {
    *ret_problem = problem_no_memory(resolver.arena);
    return CODE_UNAVAILABLE;
  }
  /* What a restart of the transaction has put in place does not count. */
  if (item->batch->resolved_last >= item->index) item->batch->reference_bytes = 0;
  item->batch->resolved_last = item->index;
  Code code = resolve(&resolver, item->body, body);
  *ret_problem = resolver.problem;
  if (code == CODE_OK) call->operation.input = body;
  return code;
}
