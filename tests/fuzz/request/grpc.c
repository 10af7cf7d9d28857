/* grpc.c - calls of the gRPC face, by its schema: messages with fields of the right types, mostly, over gRPC-Web and Connect, which go over
 * HTTP/1.1. */
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/protobuf.h"
#include "contract.h"
#include "requests.h"
#include "server.h"

enum { MESSAGE_BYTES_MAX = 64 * 1024, DEPTH_MAX = 6 };

static Str choose_text(Choices *choices, Str field) {
  static const Str texts[] = {STR_INIT("Tea"),
                              STR_INIT(""),
                              STR_INIT("a"),
                              STR_INIT("12.5"),
                              STR_INIT("2026-11-23"),
                              STR_INIT("\xFF"),
                              STR_INIT("created_at desc, name"),
                              STR_INIT("category.name")};
  static const Str filters[] = {STR_INIT("stock > 1"), STR_INIT("name == \"Tea\""), STR_INIT("reviews.exists(r, r.stars > 2)"),
                                STR_INIT("x"), STR_INIT("")};
  static const Str paths[] = {STR_INIT("name"),          STR_INIT("*"), STR_INIT("category.name"),
                              STR_INIT("reviews.stars"), STR_INIT("x"), STR_INIT("")};
  if (str_equal(field, STR("filter"))) return CHOOSE(choices, filters);
  if (str_equal(field, STR("paths")) || str_equal(field, STR("group_by"))) return CHOOSE(choices, paths);
  if (str_ends_with(field, STR("id")) || str_ends_with(field, STR("code"))) return choose_key(choices);
  return chance(choices, 12) ? choose_bytes(choices, 16) : CHOOSE(choices, texts);
}

static void write_message(Choices *choices, const ProtoMessage *type, size_t depth, Buf *out);

static void write_field(Choices *choices, const ProtoField *field, size_t depth, Buf *out) {
  static const int64_t integers[] = {0, 1, 5, -1, 20, 101, INT32_MAX, INT64_MIN, 1795262400};
  switch (field->type) {
    case PROTO_DOUBLE: protobuf_add_double(out, field->number, (double)CHOOSE(choices, integers) / 4); break;
    case PROTO_BOOL: protobuf_add_bool(out, field->number, chance(choices, 2)); break;
    case PROTO_ENUM: protobuf_add_int(out, field->number, (int64_t)choose(choices, 4)); break;
    case PROTO_STRING: protobuf_add_bytes(out, field->number, choose_text(choices, field->name)); break;
    case PROTO_BYTES: protobuf_add_bytes(out, field->number, choose_bytes(choices, 16)); break;
    case PROTO_MESSAGE: {
      size_t begin = protobuf_begin(out, field->number);
      if (depth < DEPTH_MAX) write_message(choices, field->message, depth + 1, out);
      protobuf_end(out, begin);
      break;
    }
    default: protobuf_add_int(out, field->number, CHOOSE(choices, integers));
  }
}

static void write_message(Choices *choices, const ProtoMessage *type, size_t depth, Buf *out) {
  for (size_t i = 0; i < type->field_count; i++) {
    const ProtoField *field = &type->fields[i];
    if (!chance(choices, depth == 0 ? 2 : 3)) continue;
    for (uint32_t left = field->is_repeated ? choose(choices, 3) : 1; left > 0; left--) write_field(choices, field, depth, out);
  }
  if (chance(choices, 24)) buf_add(out, choose_bytes(choices, 12)); /* not a field of it, or none at all */
}

/* ProtoJSON of the same form. */
static void write_json_message(Choices *choices, const ProtoMessage *type, size_t depth, Buf *out) {
  bool is_first = true;
  buf_add_byte(out, '{');
  for (size_t i = 0; i < type->field_count; i++) {
    const ProtoField *field = &type->fields[i];
    if (!chance(choices, 3)) continue;
    if (!is_first) buf_add_byte(out, ',');
    is_first = false;
    json_write_string(out, chance(choices, 4) ? field->name : field->json_name);
    buf_add(out, field->is_repeated ? STR(":[") : STR(":"));
    if (field->type == PROTO_MESSAGE && field->message->well_known == PROTO_ORDINARY && depth < DEPTH_MAX)
      write_json_message(choices, field->message, depth + 1, out);
    else if (field->type == PROTO_STRING)
      json_write_string(out, choose_text(choices, field->name));
    else
      write_json_scalar(choices,
                        field->type == PROTO_MESSAGE ? TYPE_DATETIME
                        : field->type == PROTO_BOOL  ? TYPE_BOOLEAN
                                                     : TYPE_INT,
                        NULL, out);
    if (field->is_repeated) buf_add_byte(out, ']');
  }
  buf_add_byte(out, '}');
}

static void write_envelope(unsigned flags, Str message, Buf *out) {
  char head[5] = {(char)flags, (char)(message.len >> 24), (char)(message.len >> 16), (char)(message.len >> 8), (char)message.len};
  buf_add(out, (Str){head, sizeof head});
  buf_add(out, message);
}

static const ProtoMethod *choose_method(Choices *choices) {
  const ProtoSchema *schema = request_server()->proto;
  const ProtoFile *file = chance(choices, 8) ? schema->files[choose(choices, (uint32_t)schema->file_count)] : schema->file;
  if (file->service_count == 0) file = schema->file;
  const ProtoService *service = file->services[choose(choices, (uint32_t)file->service_count)];
  return &service->methods[choose(choices, (uint32_t)service->method_count)];
}

typedef enum Transport { CONNECT_PROTO = 0, CONNECT_JSON, CONNECT_STREAM, CONNECT_JSON_STREAM, WEB, WEB_TEXT, GRPC, TRANSPORTS } Transport;

static void write_messages(Choices *choices, const ProtoMethod *method, Transport transport, Arena *arena, Buf *out) {
  bool is_json = transport == CONNECT_JSON || transport == CONNECT_JSON_STREAM,
       is_alone = transport == CONNECT_PROTO || transport == CONNECT_JSON;
  uint32_t count = is_alone || !method->is_client_streaming ? 1 : choose(choices, 5);
  for (uint32_t i = 0; i < count; i++) {
    Buf message = buf_on(arena, MESSAGE_BYTES_MAX);
    if (is_json)
      write_json_message(choices, method->request, 0, &message);
    else
      write_message(choices, method->request, 0, &message);
    if (is_alone)
      buf_add(out, buf_str(&message));
    else
      write_envelope(chance(choices, 24) ? choose(choices, 256) : 0, buf_str(&message), out);
  }
}

RequestKind write_grpc(Choices *choices, bool is_last, Arena *arena, Buf *out) {
  static const Str types[TRANSPORTS] = {
      STR_INIT("application/proto"),        STR_INIT("application/json"),           STR_INIT("application/connect+proto"),
      STR_INIT("application/connect+json"), STR_INIT("application/grpc-web+proto"), STR_INIT("application/grpc-web-text"),
      STR_INIT("application/grpc")};
  static const char *const lines[] = {
      "Connect-Protocol-Version: 1\r\n",    "Connect-Timeout-Ms: 5\r\n",  "Grpc-Timeout: 1S\r\n", "Grpc-Encoding: gzip\r\n",
      "Connect-Content-Encoding: gzip\r\n", "X-User-Agent: grpc-web\r\n", "Grpc-Timeout: x\r\n"};
  const ProtoMethod *method = choose_method(choices);
  Transport transport = (Transport)choose(choices, TRANSPORTS);
  RequestKind kind = {.is_endless = method->is_server_streaming};
  Buf body = buf_on(arena, (size_t)8 * MESSAGE_BYTES_MAX), text = buf_on(arena, (size_t)16 * MESSAGE_BYTES_MAX);
  buf_printf(out, "POST %.*s HTTP/1.1\r\nHost: x\r\n", STR_ARGS(method->path));
  for (uint32_t left = choose(choices, 3); left > 0; left--) buf_add(out, str_of(CHOOSE(choices, lines)));
  write_common_headers(choices, out);
  write_messages(choices, method, transport, arena, &body);
  if (transport == WEB_TEXT) base64_write(&text, buf_str(&body));
  write_rest_of_request(choices, is_last, types[transport], transport == WEB_TEXT ? buf_str(&text) : buf_str(&body), arena, out);
  return kind;
}
