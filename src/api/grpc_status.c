/* grpc_status.c - the numbers are those of google/rpc/status.proto and google/rpc/error_details.proto, which never change. */
#include "api/grpc_status.h"

#include "api/error_map.h"
#include "codec/base64.h"
#include "codec/json_out.h"
#include "codec/protobuf.h"

enum { DETAILS_BYTES_MAX = 256 * 1024, MESSAGE_BYTES_MAX = 16 * 1024, HEADER_MISTAKES_MAX = 64 };

GrpcCode grpc_code_of(const Problem *problem) {
  if (problem->code == CODE_CONFLICT) {
    for (size_t i = 0; i < problem->mistake_count; i++) {
      if (problem->mistakes[i].code == MISTAKE_NOT_UNIQUE) return GRPC_CODE_ALREADY_EXISTS;
    }
    if (problem->is_restricted) return GRPC_CODE_FAILED_PRECONDITION;
  }
  return (GrpcCode)error_form(problem->code)->grpc_status;
}

/* https://connectrpc.com/docs/protocol#error-codes */
static const struct {
  Str name;
  int http_status;
} codes[GRPC_CODE_COUNT] = {
    [GRPC_CODE_OK] = {STR_INIT("ok"), 200},
    [GRPC_CODE_CANCELLED] = {STR_INIT("canceled"), 499},
    [GRPC_CODE_UNKNOWN] = {STR_INIT("unknown"), 500},
    [GRPC_CODE_INVALID_ARGUMENT] = {STR_INIT("invalid_argument"), 400},
    [GRPC_CODE_DEADLINE_EXCEEDED] = {STR_INIT("deadline_exceeded"), 504},
    [GRPC_CODE_NOT_FOUND] = {STR_INIT("not_found"), 404},
    [GRPC_CODE_ALREADY_EXISTS] = {STR_INIT("already_exists"), 409},
    [GRPC_CODE_PERMISSION_DENIED] = {STR_INIT("permission_denied"), 403},
    [GRPC_CODE_RESOURCE_EXHAUSTED] = {STR_INIT("resource_exhausted"), 429},
    [GRPC_CODE_FAILED_PRECONDITION] = {STR_INIT("failed_precondition"), 400},
    [GRPC_CODE_ABORTED] = {STR_INIT("aborted"), 409},
    [GRPC_CODE_OUT_OF_RANGE] = {STR_INIT("out_of_range"), 400},
    [GRPC_CODE_UNIMPLEMENTED] = {STR_INIT("unimplemented"), 501},
    [GRPC_CODE_INTERNAL] = {STR_INIT("internal"), 500},
    [GRPC_CODE_UNAVAILABLE] = {STR_INIT("unavailable"), 503},
    [GRPC_CODE_DATA_LOSS] = {STR_INIT("data_loss"), 500},
    [GRPC_CODE_UNAUTHENTICATED] = {STR_INIT("unauthenticated"), 401},
};

Str grpc_code_name(GrpcCode code) { return codes[code].name; }
int grpc_code_http_status(GrpcCode code) { return codes[code].http_status; }

Str grpc_status_text(const Problem *problem) { return problem->detail.len > 0 ? problem->detail : error_form(problem->code)->title; }

Str grpc_status_message(const Problem *problem, Arena *arena) {
  static const char digits[] = "0123456789ABCDEF";
  Str text = grpc_status_text(problem);
  Buf out = buf_on(arena, MESSAGE_BYTES_MAX);
  for (size_t i = 0; i < text.len && out.len + 3 <= MESSAGE_BYTES_MAX; i++) {
    unsigned char byte = (unsigned char)text.ptr[i];
    if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
      buf_add_byte(&out, (char)byte);
    } else {
      const char encoded[] = {'%', digits[byte >> 4], digits[byte & 15]};
      buf_add(&out, (Str){encoded, sizeof encoded});
    }
  }
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

/* ---- Details ---- */

static void add_text(Buf *out, uint32_t number, Str text) {
  if (text.len > 0) protobuf_add_bytes(out, number, text);
}

static void add_metadata(Buf *out, Str key, Str value) {
  if (value.len == 0) return;
  size_t entry = protobuf_begin(out, 3);
  protobuf_add_bytes(out, 1, key);
  protobuf_add_bytes(out, 2, value);
  protobuf_end(out, entry);
}

static void add_number(Buf *out, Str key, uint64_t n) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + n % 10);
    n /= 10;
  } while (n > 0);
  add_metadata(out, key, (Str){digits + at, sizeof digits - at});
}

static void write_error_info(const Problem *problem, Str request_id, Buf *out) {
  (void)request_id;
  protobuf_add_bytes(out, 1, error_form(problem->code)->name);
  protobuf_add_bytes(out, 2, STR("caisson"));
  add_metadata(out, STR("rule"), problem->rule);
  add_metadata(out, STR("hint"), problem->hint);
  if (problem->operation >= 0) add_number(out, STR("operation"), (uint64_t)problem->operation);
  if (problem->has_created) add_number(out, STR("created"), problem->created);
}

/* FieldViolation { field = 1, description = 2, reason = 3 } */
static void write_bad_request(const Problem *problem, Str request_id, Buf *out) {
  (void)request_id;
  for (size_t i = 0; i < problem->mistake_count && i < HEADER_MISTAKES_MAX; i++) {
    const Mistake *mistake = &problem->mistakes[i];
    size_t violation = protobuf_begin(out, 1);
    add_text(out, 1, mistake->pointer);
    add_text(out, 2, mistake->detail);
    add_text(out, 3, mistake_code_name(mistake->code));
    protobuf_end(out, violation);
  }
}

static void write_retry_info(const Problem *problem, Str request_id, Buf *out) {
  (void)request_id;
  size_t delay = protobuf_begin(out, 1);
  protobuf_add_uint(out, 1, problem->retry_after_s);
  protobuf_end(out, delay);
}

static void write_request_info(const Problem *problem, Str request_id, Buf *out) {
  (void)problem;
  protobuf_add_bytes(out, 1, request_id);
}

static bool has_mistakes(const Problem *problem, Str request_id) { return (void)request_id, problem->mistake_count > 0; }
static bool has_retry(const Problem *problem, Str request_id) { return (void)request_id, problem->retry_after_s > 0; }
static bool has_request(const Problem *problem, Str request_id) { return (void)problem, request_id.len > 0; }
static bool always(const Problem *problem, Str request_id) { return (void)problem, (void)request_id, true; }

static const struct {
  Str type;
  bool (*is_there)(const Problem *problem, Str request_id);
  void (*write)(const Problem *problem, Str request_id, Buf *out);
} details[] = {
    {STR_INIT("google.rpc.ErrorInfo"), always, write_error_info},
    {STR_INIT("google.rpc.BadRequest"), has_mistakes, write_bad_request},
    {STR_INIT("google.rpc.RetryInfo"), has_retry, write_retry_info},
    {STR_INIT("google.rpc.RequestInfo"), has_request, write_request_info},
};

void grpc_status_write(const Problem *problem, Str request_id, Buf *out) {
  protobuf_add_uint(out, 1, (uint64_t)grpc_code_of(problem));
  add_text(out, 2, grpc_status_text(problem));
  for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
    if (!details[i].is_there(problem, request_id)) continue;
    size_t any = protobuf_begin(out, 3), url = protobuf_begin(out, 1);
    buf_add(out, STR("type.googleapis.com/"));
    buf_add(out, details[i].type);
    protobuf_end(out, url);
    size_t value = protobuf_begin(out, 2);
    details[i].write(problem, request_id, out);
    protobuf_end(out, value);
    protobuf_end(out, any);
  }
}

static Str unpadded(Buf *text) {
  while (text->len > 0 && text->ptr[text->len - 1] == '=') text->len--;
  return buf_str(text);
}

Str grpc_status_details(const Problem *problem, Str request_id, Arena *arena) {
  Buf bytes = buf_on(arena, DETAILS_BYTES_MAX), text = buf_on(arena, (size_t)2 * DETAILS_BYTES_MAX);
  grpc_status_write(problem, request_id, &bytes);
  if (bytes.failed != CODE_OK) return (Str){0};
  base64_write(&text, buf_str(&bytes));
  return text.failed == CODE_OK ? unpadded(&text) : (Str){0};
}

/* ---- Connect ---- */

static void write_json_detail(size_t index, const Problem *problem, Str request_id, Arena *arena, JsonOut *json) {
  Buf bytes = buf_on(arena, DETAILS_BYTES_MAX), text = buf_on(arena, (size_t)2 * DETAILS_BYTES_MAX);
  details[index].write(problem, request_id, &bytes);
  base64_write(&text, buf_str(&bytes));
  if (bytes.failed != CODE_OK || text.failed != CODE_OK) return;
  json_out_open(json, '{');
  json_out_member_text(json, STR("type"), details[index].type);
  json_out_member_text(json, STR("value"), unpadded(&text));
  json_out_close(json, '}');
}

void grpc_status_write_json(const Problem *problem, Str request_id, Arena *arena, Buf *out) {
  JsonOut json = {.buf = out};
  json_out_open(&json, '{');
  json_out_member_text(&json, STR("code"), grpc_code_name(grpc_code_of(problem)));
  json_out_member_text(&json, STR("message"), grpc_status_text(problem));
  json_out_member_open(&json, STR("details"), '[');
  for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
    if (details[i].is_there(problem, request_id)) write_json_detail(i, problem, request_id, arena, &json);
  }
  json_out_close(&json, ']');
  json_out_close(&json, '}');
}
