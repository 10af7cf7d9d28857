/* problem_json.c - RFC 9457 documents, and the headers that RFC 9110 and RFC 6750 ask of some statuses. */
#include "api/problem_json.h"

#include "api/error_map.h"
#include "codec/json.h"

enum { PROBLEM_BYTES_MAX = 1024 * 1024, PROBLEM_HEADERS_MAX = 4, RETRY_AFTER_DEFAULT_S = 1 };

static void add_member(Buf *out, Str prefix, Str text) {
  if (text.len == 0) return;
  buf_add(out, prefix);
  json_write_string(out, text);
}

void problem_json_write_mistakes(const Problem *problem, Buf *out) {
  buf_add(out, STR(",\"errors\":["));
  for (size_t i = 0; i < problem->mistake_count; i++) {
    const Mistake *mistake = &problem->mistakes[i];
    buf_add(out, i == 0 ? STR("{\"pointer\":") : STR(",{\"pointer\":"));
    json_write_string(out, mistake->pointer);
    add_member(out, STR(",\"code\":"), mistake_code_name(mistake->code));
    add_member(out, STR(",\"detail\":"), mistake->detail);
    add_member(out, STR(",\"hint\":"), mistake->hint);
    buf_add_byte(out, '}');
  }
  buf_add_byte(out, ']');
}

void problem_json_write(const Problem *problem, int status, Str request_id, Buf *out) {
  const ErrorForm *form = error_form(problem->code);
  buf_add(out, STR("{\"type\":"));
  json_write_string(out, form->type);
  add_member(out, STR(",\"title\":"), form->title);
  buf_add(out, STR(",\"status\":"));
  buf_add_int64(out, status != 0 ? status : form->http_status);
  add_member(out, STR(",\"code\":"), form->name);
  add_member(out, STR(",\"detail\":"), problem->detail);
  add_member(out, STR(",\"hint\":"), problem->hint);
  add_member(out, STR(",\"rule\":"), problem->rule);
  if (problem->mistake_count > 0) problem_json_write_mistakes(problem, out);
  if (problem->operation >= 0) {
    buf_add(out, STR(",\"operation\":"));
    buf_add_int64(out, problem->operation);
  }
  if (problem->has_created) {
    buf_add(out, STR(",\"created\":"));
    buf_add_uint64(out, problem->created);
  }
  add_member(out, STR(",\"requestId\":"), request_id);
  buf_add_byte(out, '}');
}

static Str number_text(uint32_t n, Arena *arena) {
  Buf out = buf_on(arena, 16);
  buf_add_uint64(&out, n);
  return out.failed == CODE_OK ? buf_str(&out) : STR("1");
}

/* A quoted-string's text: what would have to be escaped in it is a plain quote instead. */
static void add_quoted(Buf *out, Str text) {
  buf_add_byte(out, '"');
  for (size_t i = 0; i < text.len; i++) {
    unsigned char byte = (unsigned char)text.ptr[i];
    /* RFC 6750 §3: error_description is visible ASCII and spaces without \" and \\. */
    bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
    buf_add_byte(out, is_plain ? (char)byte : '\'');
  }
  buf_add_byte(out, '"');
}

/* RFC 6750 §3: a request without a token gets the bare challenge, a bad token gets the reason. */
static Str challenge_text(const Problem *problem, Arena *arena) {
  if (problem->challenge.len == 0) return STR("Bearer");
  Buf out = buf_on(arena, 1024);
  buf_add(&out, STR("Bearer error="));
  add_quoted(&out, problem->challenge);
  buf_add(&out, STR(", error_description="));
  add_quoted(&out, problem->detail);
  return out.failed == CODE_OK ? buf_str(&out) : STR("Bearer");
}

static size_t problem_headers(const Problem *problem, int status, Arena *arena, HttpHeader headers[PROBLEM_HEADERS_MAX]) {
  size_t count = 0;
  headers[count++] = (HttpHeader){STR("content-type"), STR("application/problem+json")};
  if (status == 401) headers[count++] = (HttpHeader){STR("www-authenticate"), challenge_text(problem, arena)};
  /* RFC 9110 §15.5.6: a 405 must say what is allowed, be it nothing. */
  if (status == 405) headers[count++] = (HttpHeader){STR("allow"), problem->allow};
  /* RFC 7694 §3: which codings would have done. */
  if (status == 415 && problem->codings.len > 0) headers[count++] = (HttpHeader){STR("accept-encoding"), problem->codings};
  /* RFC 5789 §3.1: which patches would have done. */
  if (status == 415 && problem->patches.len > 0) headers[count++] = (HttpHeader){STR("accept-patch"), problem->patches};
  if (status == 503 || status == 429) {
    uint32_t seconds = problem->retry_after_s != 0 ? problem->retry_after_s : RETRY_AFTER_DEFAULT_S;
    headers[count++] = (HttpHeader){STR("retry-after"), number_text(seconds, arena)};
  }
  return count;
}

static void respond_without_memory(HttpResponse *ret) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/problem+json")},
                                       {STR_INIT("retry-after"), STR_INIT("1")}};
  *ret = (HttpResponse){
      .status = 503,
      .headers = headers,
      .header_count = 2,
      .body = STR("{\"type\":\"/problems/unavailable\",\"title\":\"The server can't do this at the "
                  "moment\",\"status\":503,\"code\":\"UNAVAILABLE\","
                  "\"detail\":\"out of memory\"}"),
  };
}

void problem_respond(const Problem *problem, int status, Str request_id, Arena *arena, HttpResponse *ret) {
  if (status == 0) status = error_form(problem->code)->http_status;
  Buf out = buf_on(arena, PROBLEM_BYTES_MAX);
  problem_json_write(problem, status, request_id, &out);
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, PROBLEM_HEADERS_MAX);
  if (out.failed != CODE_OK || headers == NULL) {
    respond_without_memory(ret);
    return;
  }
  size_t header_count = problem_headers(problem, status, arena, headers);
  *ret = (HttpResponse){.status = status, .headers = headers, .header_count = header_count, .body = buf_str(&out)};
}
