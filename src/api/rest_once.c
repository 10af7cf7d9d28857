/* rest_once.c - Idempotency-Key: what tells one request from another, and an answer as bytes that are kept: its status, a line a header, an
 * empty line, its body. */
#include "api/rest_state.h"
#include "codec/hash.h"

enum { KEPT_HEADERS_MAX = 16, KEPT_BYTES_MORE = 64 * 1024, FINGERPRINT_BYTES_MAX = 64 };

static bool has_write(const CallGroup *group) {
  for (size_t i = 0; i < group->count; i++) {
    if (group->calls[i].operation.action >= ACTION_CREATE) return true;
  }
  return false;
}

/* The same method, path, query and body: whoever repeats a request sends it again as it was. Two hashes of 64 bits, since a collision would
 * give one request the answer of another. */
static Str fingerprint_of(const HttpRequest *http, Arena *arena) {
  uint64_t halves[2] = {0, 0x9e3779b97f4a7c15u};
  const Str parts[] = {http->method_text, http->target, http->body};
  for (size_t k = 0; k < 2; k++) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) halves[k] = hash64_seeded(parts[i], halves[k] + i);
  }
  return arena_printf(arena, "%016llx%016llx", (unsigned long long)halves[0], (unsigned long long)halves[1]);
}

Code rest_once_decode(ApiRequest *request, RestState *state) {
  Arena *arena = request->exchange->arena;
  Error err;
  Str key;
  bool is_batch = state->route.target == REST_BATCH;
  if (!has_write(&request->group) && !is_batch) return CODE_OK; /* reads are idempotent by themselves */
  if (state->stream != REST_STREAM_NONE)
    return rest_refuse(&state->decoder, CODE_BAD_REQUEST, STR("send rows as JSON, or with keys of their own"),
                       "Idempotency-Key is not possible for a stream of rows, which is several transactions");
  if (idempotency_key_parse(state->headers.idempotency_key, &key, &err) != CODE_OK)
    return rest_refuse(&state->decoder, CODE_BAD_REQUEST, (Str){0}, "%s", err.text);
  if (!has_write(&request->group)) return CODE_OK; /* a batch that only reads */
  Idempotency *idempotency = ARENA_NEW(arena, Idempotency);
  if (idempotency == NULL) return rest_no_memory(&state->decoder);
  idempotency->key = key;
  idempotency->fingerprint = fingerprint_of(&request->exchange->request, arena);
  if (idempotency->fingerprint.ptr == NULL) return rest_no_memory(&state->decoder);
  request->group.idempotency = idempotency;
  request->group.answer = rest_answer_in_transaction;
  return CODE_OK;
}

/* ---- An answer as bytes ---- */

/* A value can't hold what ends a line in an answer either (http1_write.c). */
static void add_value(Buf *out, Str value) {
  for (size_t i = 0; i < value.len; i++) buf_add_byte(out, (unsigned char)value.ptr[i] < ' ' ? ' ' : value.ptr[i]);
}

Str rest_once_write(const HttpResponse *response, Arena *arena) {
  Buf out = buf_on(arena, response->body.len + KEPT_BYTES_MORE);
  buf_add_int64(&out, response->status);
  buf_add_byte(&out, '\n');
  for (size_t i = 0; i < response->header_count; i++) {
    buf_add(&out, response->headers[i].name);
    buf_add_byte(&out, ':');
    add_value(&out, response->headers[i].value);
    buf_add_byte(&out, '\n');
  }
  buf_add_byte(&out, '\n');
  buf_add(&out, response->body);
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

Code rest_once_read(Str kept, Arena *arena, HttpResponse *ret) {
  Str rest = kept, line = {0};
  int64_t status = 0;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, KEPT_HEADERS_MAX);
  size_t count = 0;
  if (headers == NULL) return CODE_UNAVAILABLE;
  if (!str_split_next(&rest, '\n', &line) || !str_parse_int64(line, &status)) return CODE_INTERNAL;
  if (status < 200 || status > 599) return CODE_INTERNAL;
  while (str_split_next(&rest, '\n', &line) && line.len > 0) {
    size_t colon = str_find_byte(line, ':', 0);
    if (count == KEPT_HEADERS_MAX || colon == line.len) return CODE_INTERNAL;
    headers[count++] = (HttpHeader){str_slice(line, 0, colon), str_slice(line, colon + 1, line.len)};
  }
  if (rest.ptr == NULL) return CODE_INTERNAL;
  *ret = (HttpResponse){.status = (int)status, .headers = headers, .header_count = count, .body = rest};
  return CODE_OK;
}
