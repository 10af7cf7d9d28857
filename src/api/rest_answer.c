/* rest_answer.c - Results to an HTTP response: status, headers, and the end of a body that the sink has written. */
#include "api/cache_control.h"
#include "api/answer_limit.h"
#include "api/problem_json.h"
#include "api/rest_deprecation.h"
#include "api/rest_state.h"
#include "codec/hash.h"
#include "codec/url.h"
#include "query/etag.h"

enum {
  ANSWER_HEADERS_MAX = 6,
  LINK_BYTES_MAX = 32 * 1024,
  LOCATION_BYTES_MAX = 8 * 1024,
  ETAG_BYTES_MAX = 256,
  PREFERENCES_BYTES_MAX = 256
};

/* An answer under construction. Memory that runs out is noticed once, at the end. */
typedef struct Answer {
  ApiRequest *request;
  RestState *state;
  const Result *result;
  HttpHeader *headers;
  size_t header_count;
  bool has_failed;
} Answer;

static void add_header(Answer *answer, Str name, Str value) { answer->headers[answer->header_count++] = (HttpHeader){name, value}; }

static void add_built_header(Answer *answer, Str name, const Buf *value) {
  if (value->failed == CODE_UNAVAILABLE) answer->has_failed = true;
  if (value->failed == CODE_OK) add_header(answer, name, buf_str(value));
}

static void add_etag(Answer *answer, Str etag) {
  if (etag.len == 0) return;
  Buf out = buf_on(answer->request->exchange->arena, ETAG_BYTES_MAX);
  buf_add_byte(&out, '"');
  buf_add(&out, etag);
  buf_add_byte(&out, '"');
  add_built_header(answer, STR("etag"), &out);
}

static void add_cache_control(Answer *answer) {
  const Resource *resource = answer->state->main->operation.resource;
  Str value = cache_control(&answer->request->group, resource, answer->request->exchange->arena);
  if (value.ptr != NULL) add_header(answer, STR("cache-control"), value);
}

static void add_location(Answer *answer) {
  const Resource *resource = answer->state->main->operation.resource;
  if (answer->result->key == NULL) return;
  Buf out = buf_on(answer->request->exchange->arena, LOCATION_BYTES_MAX);
  buf_add(&out, rest_map_at(answer->state->decoder.map, resource)->path);
  buf_add_byte(&out, '/');
  rest_key_write(resource, answer->result->key, &out);
  add_built_header(answer, STR("location"), &out);
}

/* RFC 7240 §3: what was honoured. */
static void add_preferences(Answer *answer) {
  const Preferences *preferences = &answer->state->preferences;
  if (answer->state->headers.prefer.ptr == NULL && answer->state->inner == NULL) return;
  Action action = answer->state->main == NULL ? ACTION_COUNT : answer->state->main->operation.action;
  bool is_write = action >= ACTION_CREATE;
  bool may_choose = action == ACTION_CREATE || action == ACTION_UPDATE || action == ACTION_REPLACE;
  const struct {
    bool is_applied;
    Str text;
  } all[] = {{may_choose && preferences->is_minimal, STR("return=minimal")},
             {may_choose && preferences->is_representation, STR("return=representation")},
             {preferences->is_strict, STR("handling=strict")},
             {preferences->is_lenient, STR("handling=lenient")},
             {is_write && preferences->is_dry_run, STR("tx=rollback")}};
  Buf out = buf_on(answer->request->exchange->arena, PREFERENCES_BYTES_MAX);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!all[i].is_applied) continue;
    if (out.len > 0) buf_add(&out, STR(", "));
    buf_add(&out, all[i].text);
  }
  if (out.len > 0) add_built_header(answer, STR("preference-applied"), &out);
}

/* ---- Link (RFC 8288) ---- */

/* What a URI may not hold is encoded, so that nothing can end the reference early. */
static void add_uri_text(Buf *out, Str text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char byte = (unsigned char)text.ptr[i];
    if (byte <= ' ' || byte >= 0x7f || byte == '<' || byte == '>' || byte == '"' || byte == '\\') {
      url_encode(out, (Str){text.ptr + i, 1});
    } else {
      buf_add_byte(out, (char)byte);
    }
  }
}

static bool is_cursor_param(Str pair, Arena *arena) {
  Str name = str_slice(pair, 0, str_find_byte(pair, '=', 0));
  if (url_decode_query(name, arena, &name, NULL) != CODE_OK) return false;
  return str_equal(name, STR("after")) || str_equal(name, STR("before"));
}

static void add_link(const ApiRequest *request, Buf *out, Str cursor, Str parameter, Str relation) {
  if (cursor.ptr == NULL) return;
  const HttpRequest *http = &request->exchange->request;
  buf_add(out, out->len > 0 ? STR(", <") : STR("<"));
  add_uri_text(out, http->path);
  buf_add_byte(out, '?');
  Str rest = http->query, pair;
  while (str_split_next(&rest, '&', &pair)) {
    if (pair.len == 0 || is_cursor_param(pair, request->exchange->arena)) continue;
    add_uri_text(out, pair);
    buf_add_byte(out, '&');
  }
  buf_add(out, parameter);
  buf_add_byte(out, '=');
  url_encode(out, cursor);
  buf_add(out, STR(">; rel=\""));
  buf_add(out, relation);
  buf_add_byte(out, '"');
}

Str rest_page_link(const ApiRequest *request, Str cursor, Str parameter, Str relation) {
  Buf out = buf_on(request->exchange->arena, LINK_BYTES_MAX);
  add_link(request, &out, cursor, parameter, relation);
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

static void add_links(Answer *answer) {
  const Result *result = answer->result;
  if (result->next_cursor.ptr == NULL && result->prev_cursor.ptr == NULL) return;
  Buf out = buf_on(answer->request->exchange->arena, LINK_BYTES_MAX);
  add_link(answer->request, &out, result->next_cursor, STR("after"), STR("next"));
  add_link(answer->request, &out, result->prev_cursor, STR("before"), STR("prev"));
  add_built_header(answer, STR("link"), &out);
}

/* ---- Answers by action ---- */

static void finish(Answer *answer, int status, Str body) {
  answer->request->response =
      (HttpResponse){.status = status, .headers = answer->headers, .header_count = answer->header_count, .body = body};
}

static void finish_json(Answer *answer, int status, const Buf *out) {
  if (out->failed == CODE_UNAVAILABLE) answer->has_failed = true;
  if (out->failed == CODE_TOO_LARGE) {
    ApiRequest *request = answer->request;
    request->problem = answer_too_large_problem(request->exchange->arena);
    return;
  }
  add_header(answer, STR("content-type"), STR("application/json"));
  finish(answer, status, buf_str(out));
}

static void answer_get(Answer *answer) {
  add_cache_control(answer);
  add_etag(answer, answer->result->etag);
  if (answer->result->is_not_modified) {
    finish(answer, 304, STR("")); /* RFC 9110 §15.4.5: with the ETag, without a body */
  } else {
    finish_json(answer, 200, &answer->state->sink.out);
  }
}

/* A page's tag is that of its bytes: whatever changes in what was asked for changes them. False: the client holds them already. */
static bool tag_page(Answer *answer, const Buf *page) {
  if (page->failed != CODE_OK) return true;
  uint64_t tag = hash64(buf_str(page));
  Str etag = etag_text(answer->request->exchange->arena, tag);
  if (etag.ptr == NULL) answer->has_failed = true;
  add_etag(answer, etag);
  const Precondition *held = &answer->state->main->operation.if_none_match;
  return !held->is_given || !etag_matches(held, tag);
}

static void answer_list(Answer *answer) {
  RestSink *sink = &answer->state->sink;
  if (!sink->is_ended) rest_write_list_end(answer->result, &sink->out);
  sink->is_ended = true;
  add_links(answer);
  add_cache_control(answer);
  add_header(answer, STR("vary"), STR("accept")); /* a list is served as a stream, too */
  if (tag_page(answer, &answer->state->sink.out)) {
    finish_json(answer, 200, &answer->state->sink.out);
  } else {
    finish(answer, 304, STR(""));
  }
}

static void answer_aggregate(Answer *answer) {
  Buf *out = &answer->state->groups.out;
  buf_add(out, STR("]}"));
  if (tag_page(answer, out)) {
    finish_json(answer, 200, out);
  } else {
    finish(answer, 304, STR(""));
  }
}

/* All rows of an array in its order; those that their writer may not read are null. */
static void answer_array(Answer *answer) {
  RestSink *sink = &answer->state->sink;
  if (answer->state->main->operation.selection == NULL) {
    finish(answer, 201, STR(""));
    return;
  }
  if (!sink->is_ended) {
    rest_sink_place_hidden(sink, answer->result, answer->request->exchange->arena);
    buf_add(&sink->out, STR("]}"));
    sink->is_ended = true;
  }
  finish_json(answer, 201, &sink->out);
}

static void answer_write(Answer *answer) {
  bool is_created = answer->state->main->operation.action == ACTION_CREATE || answer->result->is_created;
  bool has_row = answer->state->main->operation.selection != NULL && !answer->result->is_hidden;
  if (is_created) add_location(answer);
  if (!answer->result->is_hidden) add_etag(answer, answer->result->etag);
  if (has_row) {
    finish_json(answer, is_created ? 201 : 200, &answer->state->sink.out);
  } else {
    finish(answer, is_created ? 201 : 204, STR(""));
  }
}

static void answer_request(Answer *answer) {
  add_preferences(answer);
  switch (answer->state->main->operation.action) {
    case ACTION_GET: answer_get(answer); break;
    case ACTION_LIST: answer_list(answer); break;
    case ACTION_CREATE:
    case ACTION_UPDATE:
    case ACTION_REPLACE:
      if (answer->state->is_array) {
        answer_array(answer);
      } else {
        answer_write(answer);
      }
      break;
    case ACTION_DELETE: finish(answer, 204, STR("")); break;
    case ACTION_AGGREGATE: answer_aggregate(answer); break;
    case ACTION_COUNT: break;
  }
}

const Problem *rest_group_problem(const CallGroup *group) {
  for (size_t i = 0; i < group->count; i++) {
    if (group->calls[i].result.problem != NULL) return group->calls[i].result.problem;
  }
  return NULL;
}

void rest_answer_make(ApiRequest *request, RestState *state) {
  Arena *arena = request->exchange->arena;
  if (state->batch != NULL) {
    rest_batch_answer(request, state);
    return;
  }
  Answer answer = {
      .request = request, .state = state, .result = &state->main->result, .headers = ARENA_ARRAY(arena, HttpHeader, ANSWER_HEADERS_MAX)};
  answer.has_failed = answer.headers == NULL;
  if (!answer.has_failed) answer_request(&answer);
  if (answer.has_failed) request->problem = problem_no_memory(arena);
}

void rest_encode(ApiRequest *request) {
  RestState *state = request->face_state;
  const Idempotency *idempotency = request->group.idempotency;
  request->problem = rest_group_problem(&request->group);
  if (request->problem == NULL && idempotency != NULL && idempotency->replay.ptr != NULL) {
    Code code = rest_once_read(idempotency->replay, request->exchange->arena, &request->response);
    if (code == CODE_UNAVAILABLE) request->problem = problem_create(request->exchange->arena, code, STR("out of memory"));
    if (code == CODE_INTERNAL)
      request->problem = problem_create(request->exchange->arena, code, STR("The answer that was kept can't be read"));
  } else if (request->problem == NULL && !state->is_answered) {
    rest_answer_make(request, state);
    bool is_told = request->problem != NULL || state->main == NULL || !state->decoder.map->has_deprecated || rest_add_deprecation(request);
    if (!is_told) request->problem = problem_no_memory(request->exchange->arena);
  }
  if (request->problem != NULL) request->face->encode_problem(request);
}
