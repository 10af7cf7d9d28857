/* grpc_answer.c - messages and statuses in each protocol's envelope. Where a status stands: gRPC in trailers, gRPC-Web in a last frame,
 * Connect in HTTP's own status or in a last frame of JSON. */
#include "api/grpc_frame.h"
#include "api/grpc_status.h"
#include "api/grpc_wire.h"
#include "api/problem_json.h"
#include "codec/base64.h"

enum { ANSWER_BYTES_MAX = 256 * 1024 * 1024, STATUS_FIELDS_MAX = 3, OWN_HEADERS_MAX = 3 };

/* ---- Statuses ---- */

/* grpc-status and what belongs to it; `problem` NULL: OK. */
static size_t status_fields(const Problem *problem, Str request_id, Arena *arena, HttpHeader fields[STATUS_FIELDS_MAX]) {
  if (problem == NULL) {
    fields[0] = (HttpHeader){STR("grpc-status"), STR("0")};
    return 1;
  }
  size_t count = 0;
  Buf number = buf_on(arena, 8);
  buf_add_int64(&number, grpc_code_of(problem));
  fields[count++] = (HttpHeader){STR("grpc-status"), number.failed == CODE_OK ? buf_str(&number) : STR("14")};
  Str message = grpc_status_message(problem, arena), details = grpc_status_details(problem, request_id, arena);
  if (message.len > 0) fields[count++] = (HttpHeader){STR("grpc-message"), message};
  if (details.len > 0) fields[count++] = (HttpHeader){STR("grpc-status-details-bin"), details};
  return count;
}

/* gRPC-Web's last frame: fields as HTTP/1 writes them. */
static void write_web_status(const Problem *problem, Str request_id, Arena *arena, Buf *out) {
  HttpHeader fields[STATUS_FIELDS_MAX];
  size_t count = status_fields(problem, request_id, arena, fields);
  Buf text = buf_on(arena, ANSWER_BYTES_MAX);
  for (size_t i = 0; i < count; i++) {
    buf_add(&text, fields[i].name);
    buf_add(&text, STR(": "));
    buf_add(&text, fields[i].value);
    buf_add(&text, STR("\r\n"));
  }
  if (text.failed != CODE_OK) out->failed = text.failed;
  grpc_frame_write(out, GRPC_WEB_FRAME_END, false, buf_str(&text));
}

/* Connect's last frame. */
static void write_connect_end(const Problem *problem, Str request_id, Arena *arena, Buf *out) {
  Buf text = buf_on(arena, ANSWER_BYTES_MAX);
  buf_add(&text, problem == NULL ? STR("{") : STR("{\"error\":"));
  if (problem != NULL) grpc_status_write_json(problem, request_id, arena, &text);
  buf_add_byte(&text, '}');
  if (text.failed != CODE_OK) out->failed = text.failed;
  grpc_frame_write(out, CONNECT_FRAME_END, false, buf_str(&text));
}

static void write_end(const GrpcWire *wire, const Problem *problem, Str request_id, Arena *arena, Buf *out) {
  if (wire->protocol == GRPC_WEB || wire->protocol == GRPC_WEB_TEXT) write_web_status(problem, request_id, arena, out);
  if (wire->protocol == GRPC_CONNECT_STREAM) write_connect_end(problem, request_id, arena, out);
}

/* ---- Heads ---- */

static size_t own_headers(const GrpcWire *wire, bool has_messages, HttpHeader headers[OWN_HEADERS_MAX]) {
  size_t count = 0;
  headers[count++] = (HttpHeader){STR("content-type"), wire->content_type};
  if (wire->protocol == GRPC_CONNECT) return count;
  bool is_connect = wire->protocol == GRPC_CONNECT_STREAM;
  if (has_messages && wire->accepts_gzip)
    headers[count++] = (HttpHeader){is_connect ? STR("connect-content-encoding") : STR("grpc-encoding"), STR("gzip")};
  headers[count++] = (HttpHeader){is_connect ? STR("connect-accept-encoding") : STR("grpc-accept-encoding"), STR("gzip")};
  return count;
}

/* Text where the protocol is. */
static Str as_sent(const GrpcWire *wire, const Buf *frames, Arena *arena) {
  if (frames->failed != CODE_OK) return (Str){0};
  if (wire->protocol != GRPC_WEB_TEXT) return buf_str(frames);
  Buf text = buf_on(arena, ANSWER_BYTES_MAX);
  base64_write(&text, buf_str(frames));
  return text.failed == CODE_OK ? buf_str(&text) : (Str){0};
}

/* ---- Whole answers ---- */

/* Nothing is left but a status that takes no memory, in the protocol's own form. */
#define WITHOUT_MEMORY(media_type)                                                                                                         \
  {                                                                                                                                        \
    {STR_INIT("content-type"), STR_INIT(media_type)}, {STR_INIT("grpc-status"), STR_INIT("14")}, {                                         \
      STR_INIT("grpc-message"), STR_INIT("out of memory")                                                                                  \
    }                                                                                                                                      \
  }
static void answer_without_memory(const GrpcWire *wire, HttpResponse *ret) {
  static const HttpHeader in_headers[][3] = {[GRPC_NATIVE] = WITHOUT_MEMORY("application/grpc"),
                                             [GRPC_WEB] = WITHOUT_MEMORY("application/grpc-web"),
                                             [GRPC_WEB_TEXT] = WITHOUT_MEMORY("application/grpc-web-text")};
  static const HttpHeader unary[] = {{STR_INIT("content-type"), STR_INIT("application/json")}, {STR_INIT("retry-after"), STR_INIT("1")}};
  static const HttpHeader stream_proto[] = {{STR_INIT("content-type"), STR_INIT("application/connect+proto")}};
  static const HttpHeader stream_json[] = {{STR_INIT("content-type"), STR_INIT("application/connect+json")}};
  static const char text[] = "{\"code\":\"unavailable\",\"message\":\"out of memory\"}";
  static const char frame[] = "\002\000\000\000\072{\"error\":{\"code\":\"unavailable\",\"message\":\"out of memory\"}}";
  if (wire->protocol == GRPC_CONNECT)
    *ret = (HttpResponse){.status = 503, .headers = unary, .header_count = 2, .body = {text, sizeof text - 1}};
  else if (wire->protocol == GRPC_CONNECT_STREAM)
    *ret = (HttpResponse){
        .status = 200, .headers = wire->is_json ? stream_json : stream_proto, .header_count = 1, .body = {frame, sizeof frame - 1}};
  else
    *ret = (HttpResponse){.status = 200, .headers = in_headers[wire->protocol], .header_count = 3};
}

void grpc_wire_answer(const GrpcWire *wire, Str message, const HttpHeader *headers, size_t header_count, Arena *arena, HttpResponse *ret) {
  static const HttpHeader trailers[] = {{STR_INIT("grpc-status"), STR_INIT("0")}};
  HttpHeader *all = ARENA_ARRAY(arena, HttpHeader, header_count + OWN_HEADERS_MAX);
  Buf frames = buf_on(arena, ANSWER_BYTES_MAX);
  Str body = message;
  if (wire->protocol != GRPC_CONNECT) {
    grpc_frame_write(&frames, 0, wire->accepts_gzip, message);
    write_end(wire, NULL, (Str){0}, arena, &frames);
    body = as_sent(wire, &frames, arena);
  }
  if (all == NULL || (body.ptr == NULL && wire->protocol != GRPC_CONNECT)) {
    answer_without_memory(wire, ret);
    return;
  }
  size_t count = own_headers(wire, true, all);
  if (header_count > 0) memcpy(all + count, headers, header_count * sizeof *headers);
  *ret = (HttpResponse){.status = 200, .headers = all, .header_count = count + header_count, .body = body};
  if (wire->protocol == GRPC_NATIVE) {
    ret->trailers = trailers;
    ret->trailer_count = 1;
  }
}

/* Connect's unary error is an HTTP answer like any other, with the headers that its status asks for. */
static void refuse_connect(const Problem *problem, Str request_id, Arena *arena, HttpResponse *ret) {
  int status = grpc_code_http_status(grpc_code_of(problem));
  if (problem->code == CODE_UNSUPPORTED_MEDIA_TYPE) status = 415;
  if (problem->code == CODE_METHOD_NOT_ALLOWED && problem->allow.len > 0) status = 405;
  problem_respond(problem, status, request_id, arena, ret);
  Buf body = buf_on(arena, ANSWER_BYTES_MAX);
  grpc_status_write_json(problem, request_id, arena, &body);
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, ret->header_count);
  if (body.failed != CODE_OK || headers == NULL || ret->status != status) {
    answer_without_memory(&(GrpcWire){.protocol = GRPC_CONNECT}, ret);
    return;
  }
  for (size_t i = 0; i < ret->header_count; i++) {
    headers[i] = ret->headers[i];
    if (str_equal(headers[i].name, STR("content-type"))) headers[i].value = STR("application/json");
  }
  ret->headers = headers;
  ret->body = buf_str(&body);
}

void grpc_wire_refuse(const GrpcWire *wire, const Problem *problem, Str request_id, Arena *arena, HttpResponse *ret) {
  if (wire->protocol == GRPC_CONNECT) {
    refuse_connect(problem, request_id, arena, ret);
    return;
  }
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, OWN_HEADERS_MAX + STATUS_FIELDS_MAX);
  Buf frames = buf_on(arena, ANSWER_BYTES_MAX);
  write_end(wire, problem, request_id, arena, &frames);
  Str body = as_sent(wire, &frames, arena);
  if (headers == NULL || frames.failed != CODE_OK || (frames.len > 0 && body.ptr == NULL)) {
    answer_without_memory(wire, ret);
    return;
  }
  size_t count = own_headers(wire, false, headers);
  if (wire->protocol == GRPC_NATIVE) count += status_fields(problem, request_id, arena, headers + count); /* Trailers-Only */
  *ret = (HttpResponse){.status = 200, .headers = headers, .header_count = count, .body = body};
}

/* ---- Streams ---- */

void grpc_wire_begin(const GrpcWire *wire, ApiRequest *request, const HttpHeader *header) {
  HttpHeader all[OWN_HEADERS_MAX + 1];
  size_t count = own_headers(wire, true, all);
  if (header != NULL) all[count++] = *header;
  request->response = (HttpResponse){.status = 200, .headers = all, .header_count = count};
  request->begin(request);
  request->response = (HttpResponse){.status = 200};
}

bool grpc_wire_write(const GrpcWire *wire, ApiRequest *request, Str message, Buf *scratch) {
  buf_clear(scratch);
  grpc_frame_write(scratch, 0, wire->accepts_gzip, message);
  if (wire->protocol == GRPC_WEB_TEXT && scratch->failed == CODE_OK) {
    Buf text = buf_on_heap(scratch->max);
    base64_write(&text, buf_str(scratch));
    bool can_go_on = text.failed == CODE_OK ? http_write(request->exchange, buf_str(&text)) : true;
    if (text.failed != CODE_OK) scratch->failed = text.failed;
    buf_done(&text);
    return can_go_on;
  }
  return scratch->failed != CODE_OK || http_write(request->exchange, buf_str(scratch));
}

void grpc_wire_end(const GrpcWire *wire, ApiRequest *request, const Problem *problem) {
  Arena *arena = request->exchange->arena;
  HttpHeader fields[STATUS_FIELDS_MAX];
  if (problem != NULL) request->problem = problem;
  if (wire->protocol == GRPC_NATIVE) {
    http_end(request->exchange, fields, status_fields(problem, request->request_id, arena, fields));
    return;
  }
  Buf frames = buf_on(arena, ANSWER_BYTES_MAX);
  write_end(wire, problem, request->request_id, arena, &frames);
  Str bytes = as_sent(wire, &frames, arena);
  if (bytes.len == 0) {
    http_abort(request->exchange); /* without its end the client takes the answer for cut off */
    return;
  }
  (void)http_write(request->exchange, bytes);
  http_end(request->exchange, NULL, 0);
}
