/* grpc_wire.c - a request's head: media type, version, compression, the time that its client waits. */
#include "api/grpc_wire.h"

#include "api/grpc_frame.h"
#include "api/header.h"
#include "codec/base64.h"
#include "codec/gzip.h"
#include "codec/url.h"

typedef struct MediaForm {
  Str type;
  GrpcProtocol protocol;
  bool is_json;
} MediaForm;

static const MediaForm media_forms[] = {
    {STR_INIT("application/grpc"), GRPC_NATIVE, false},
    {STR_INIT("application/grpc+proto"), GRPC_NATIVE, false},
    {STR_INIT("application/grpc+json"), GRPC_NATIVE, true},
    {STR_INIT("application/grpc-web"), GRPC_WEB, false},
    {STR_INIT("application/grpc-web+proto"), GRPC_WEB, false},
    {STR_INIT("application/grpc-web+json"), GRPC_WEB, true},
    {STR_INIT("application/grpc-web-text"), GRPC_WEB_TEXT, false},
    {STR_INIT("application/grpc-web-text+proto"), GRPC_WEB_TEXT, false},
    {STR_INIT("application/proto"), GRPC_CONNECT, false},
    {STR_INIT("application/json"), GRPC_CONNECT, true},
    {STR_INIT("application/connect+proto"), GRPC_CONNECT_STREAM, false},
    {STR_INIT("application/connect+json"), GRPC_CONNECT_STREAM, true},
};

static const MediaForm *media_form(const HttpRequest *request) {
  Str type, parameters;
  if (!media_type_parse(http_request_header(request, STR("content-type")), &type, &parameters)) return NULL;
  for (size_t i = 0; i < sizeof media_forms / sizeof *media_forms; i++) {
    if (str_equal_ignore_case(type, media_forms[i].type)) return &media_forms[i];
  }
  return NULL;
}

bool grpc_wire_is_named(const HttpRequest *request) {
  Str type = http_request_header(request, STR("content-type"));
  return str_starts_with(type, STR("application/grpc")) || str_starts_with(type, STR("application/connect+"));
}

/* ---- Time ---- */

/* "gRPC over HTTP2", Timeout: at most eight digits and a unit. */
static bool parse_grpc_timeout(Str text, int64_t *ret_us) {
  static const struct {
    char unit;
    int64_t us;
  } units[] = {{'H', INT64_C(3600000000)}, {'M', 60000000}, {'S', 1000000}, {'m', 1000}, {'u', 1}};
  int64_t n;
  if (text.len < 2 || text.len > 9 || text.ptr[0] == '-' || !str_parse_int64(str_slice(text, 0, text.len - 1), &n)) return false;
  char unit = text.ptr[text.len - 1];
  *ret_us = (n + 999) / 1000;
  if (unit == 'n') return true;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (units[i].unit != unit) continue;
    *ret_us = n * units[i].us;
    return true;
  }
  return false;
}

/* Connect-Timeout-Ms: at most ten digits. */
static bool parse_connect_timeout(Str text, int64_t *ret_us) {
  int64_t ms;
  if (text.len == 0 || text.len > 10 || text.ptr[0] == '-' || !str_parse_int64(text, &ms)) return false;
  *ret_us = ms * 1000;
  return true;
}

static const Problem *read_timeout(const HttpRequest *request, Arena *arena, GrpcWire *wire) {
  bool is_connect = wire->protocol >= GRPC_CONNECT;
  Str text = http_request_header(request, is_connect ? STR("connect-timeout-ms") : STR("grpc-timeout"));
  if (text.ptr == NULL) return NULL;
  if (!(is_connect ? parse_connect_timeout : parse_grpc_timeout)(text, &wire->timeout_us))
    return problem_create(arena, CODE_BAD_REQUEST, STR("The time limit can't be read"));
  if (wire->timeout_us == 0) wire->timeout_us = 1; /* it is over already */
  return NULL;
}

/* ---- Compression ---- */

static bool lists_gzip(Str value) {
  Str part;
  while (str_split_next(&value, ',', &part)) {
    Str name = str_trim(str_slice(part, 0, str_find_byte(part, ';', 0)));
    if (str_equal_ignore_case(name, STR("gzip"))) return true;
  }
  return false;
}

static const Problem *read_encoding(Str name, Arena *arena, bool *ret_is_gzip) {
  *ret_is_gzip = str_equal_ignore_case(name, STR("gzip"));
  if (*ret_is_gzip || name.len == 0 || str_equal_ignore_case(name, STR("identity"))) return NULL;
  /* "gRPC over HTTP2", Message-Encoding: UNIMPLEMENTED, with what is known in Message-Accept-Encoding. */
  return problem_with_hint(arena, CODE_METHOD_NOT_ALLOWED, STR("The messages' compression is not known here"),
                           STR("gzip and identity are"));
}

static const Problem *read_encodings(const HttpRequest *request, Arena *arena, GrpcWire *wire) {
  Str given, accepted;
  if (wire->protocol == GRPC_CONNECT) {
    /* The answer is an ordinary one, which the server compresses as any other. */
    return read_encoding(http_request_header(request, STR("content-encoding")), arena, &wire->has_compression);
  }
  if (wire->protocol == GRPC_CONNECT_STREAM) {
    given = http_request_header(request, STR("connect-content-encoding"));
    accepted = http_request_header(request, STR("connect-accept-encoding"));
  } else {
    given = http_request_header(request, STR("grpc-encoding"));
    accepted = http_request_header(request, STR("grpc-accept-encoding"));
  }
  wire->accepts_gzip = lists_gzip(accepted);
  return read_encoding(given, arena, &wire->has_compression);
}

/* ---- Connect's GET ---- */

static Str query_parameter(Str query, Str name) {
  Str pair;
  while (str_split_next(&query, '&', &pair)) {
    size_t equals = str_find_byte(pair, '=', 0);
    if (str_equal(str_slice(pair, 0, equals), name)) return str_slice(pair, equals + 1, pair.len);
  }
  return (Str){0};
}

static const Problem *bad_query(Arena *arena, Str detail) { return problem_create(arena, CODE_BAD_REQUEST, detail); }

static const Problem *undecoded(Arena *arena, Code code, Str detail) {
  return problem_create(arena, code, code == CODE_UNAVAILABLE ? STR("out of memory") : detail);
}

static Code decode_base64_letters(Str text, Arena *arena, Str *ret) {
  size_t len = text.len;
  while (len > 0 && text.ptr[len - 1] == '=') len--; /* padding is optional, of both alphabets */
  char *letters = arena_alloc(arena, len + 1), *out = arena_alloc(arena, base64_decoded_max(len));
  if (letters == NULL || out == NULL) return CODE_UNAVAILABLE;
  for (size_t i = 0; i < len; i++) letters[i] = text.ptr[i] == '+' ? '-' : text.ptr[i] == '/' ? '_' : text.ptr[i];
  size_t decoded = 0;
  if (!base64url_decode((Str){letters, len}, out, &decoded)) return CODE_BAD_REQUEST;
  *ret = (Str){out, decoded};
  return CODE_OK;
}

/* Percent-encoded bytes, which need not be text. */
static Code decode_percent(Str text, Arena *arena, Str *ret) {
  static const char digits[] = "0123456789abcdef";
  char *out = arena_alloc(arena, text.len + 1);
  if (out == NULL) return CODE_UNAVAILABLE;
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++) {
    out[len++] = text.ptr[i] == '+' ? ' ' : text.ptr[i];
    if (text.ptr[i] != '%') continue;
    if (text.len - i < 3) return CODE_BAD_REQUEST;
    const char *high = memchr(digits, text.ptr[i + 1] | 0x20, 16), *low = memchr(digits, text.ptr[i + 2] | 0x20, 16);
    if (high == NULL || low == NULL) return CODE_BAD_REQUEST;
    out[len - 1] = (char)((high - digits) * 16 + (low - digits));
    i += 2;
  }
  *ret = (Str){out, len};
  return CODE_OK;
}

static const Problem *read_query(const HttpRequest *request, Arena *arena, GrpcWire *wire) {
  Str encoding = query_parameter(request->query, STR("encoding")), message = query_parameter(request->query, STR("message"));
  Str base64 = query_parameter(request->query, STR("base64")), version = query_parameter(request->query, STR("connect"));
  wire->is_json = !str_equal(encoding, STR("proto"));
  wire->content_type = wire->is_json ? STR("application/json") : STR("application/proto");
  if (version.ptr != NULL && !str_equal(version, STR("v1"))) return bad_query(arena, STR("The protocol's version must be connect=v1"));
  if (!str_equal(encoding, STR("json")) && !str_equal(encoding, STR("proto")))
    return bad_query(arena, STR("encoding must be json or proto"));
  if (message.ptr == NULL) return bad_query(arena, STR("The query has no message"));
  Code code = decode_percent(message, arena, &wire->message);
  if (code != CODE_OK) return undecoded(arena, code, STR("The query's message can't be decoded"));
  if (str_equal(base64, STR("1"))) code = decode_base64_letters(wire->message, arena, &wire->message);
  if (code != CODE_OK) return undecoded(arena, code, STR("The query's message is not base64"));
  return read_encoding(query_parameter(request->query, STR("compression")), arena, &wire->has_compression);
}

/* ---- The head ---- */

static const Problem *check_version(const HttpRequest *request, Arena *arena, const GrpcWire *wire) {
  if (wire->protocol < GRPC_CONNECT) return NULL;
  Str version = http_request_header(request, STR("connect-protocol-version"));
  if (version.ptr == NULL || str_equal(version, STR("1"))) return NULL;
  return problem_create(arena, CODE_BAD_REQUEST, STR("The protocol's version must be Connect-Protocol-Version: 1"));
}

const Problem *grpc_wire_read(const HttpRequest *request, Arena *arena, GrpcWire *ret) {
  *ret = (GrpcWire){.protocol = GRPC_CONNECT, .is_json = true, .content_type = STR("application/json")};
  const Problem *problem = NULL;
  if (request->method == HTTP_GET || request->method == HTTP_HEAD) {
    ret->is_get = true;
    problem = read_query(request, arena, ret);
    return problem != NULL ? problem : read_timeout(request, arena, ret);
  }
  if (request->method != HTTP_POST) {
    Problem *refused = problem_new(arena, CODE_METHOD_NOT_ALLOWED, STR("A call is a POST"));
    if (refused != NULL) refused->allow = STR("POST");
    return refused != NULL ? refused : problem_create(arena, CODE_METHOD_NOT_ALLOWED, STR("A call is a POST"));
  }
  const MediaForm *form = media_form(request);
  if (form == NULL)
    return problem_with_hint(arena, CODE_UNSUPPORTED_MEDIA_TYPE, STR("The body's media type is none that calls come in"),
                             STR("application/grpc, application/grpc-web, application/grpc-web-text, application/proto, application/json, "
                                 "application/connect+proto and application/connect+json are"));
  *ret = (GrpcWire){.protocol = form->protocol, .is_json = form->is_json, .content_type = form->type};
  problem = check_version(request, arena, ret);
  if (problem == NULL) problem = read_encodings(request, arena, ret);
  return problem != NULL ? problem : read_timeout(request, arena, ret);
}

/* ---- The one message of a request ---- */

/* Groups of four letters; padding may end any of them, since each piece of a stream is encoded for itself. */
static Code decode_text(Str text, Arena *arena, Str *ret, Error *err) {
  char *out = arena_alloc(arena, base64_decoded_max(text.len));
  size_t len = 0;
  TRY_ALLOC(out);
  if (text.len % 4 != 0) return error_set(err, CODE_BAD_REQUEST, "the body is not base64");
  while (text.len > 0) {
    size_t padding = str_find_byte(text, '=', 0);
    size_t piece = padding == text.len ? text.len : padding / 4 * 4 + 4, piece_len;
    if (!base64_decode(str_slice(text, 0, piece), out + len, &piece_len)) return error_set(err, CODE_BAD_REQUEST, "the body is not base64");
    len += piece_len;
    text = str_slice(text, piece, text.len);
  }
  *ret = (Str){out, len};
  return CODE_OK;
}

static Code unpack(Str body, size_t message_bytes_max, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, message_bytes_max);
  Code code = gzip_decompress(body, &out, err);
  if (code == CODE_TOO_LARGE) return error_set(err, code, "the message is longer than %zu bytes (--grpc-message-max)", message_bytes_max);
  if (code == CODE_BAD_REQUEST) return error_set(err, code, "the message is not the gzip that it says it is");
  *ret = buf_str(&out);
  return code;
}

Code grpc_wire_message(const GrpcWire *wire, Str body, size_t message_bytes_max, Arena *arena, Str *ret, Error *err) {
  if (wire->protocol == GRPC_CONNECT) {
    Str message = wire->is_get ? wire->message : body;
    if (message.len > message_bytes_max)
      return error_set(err, CODE_TOO_LARGE, "the message is longer than %zu bytes (--grpc-message-max)", message_bytes_max);
    if (wire->has_compression && message.len > 0) return unpack(message, message_bytes_max, arena, ret, err);
    *ret = message;
    return CODE_OK;
  }
  if (wire->protocol == GRPC_WEB_TEXT) TRY(decode_text(str_trim(body), arena, &body, err));
  return grpc_frame_read_only(body, message_bytes_max, wire->has_compression, arena, ret, err);
}
