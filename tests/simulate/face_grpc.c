/* face_grpc.c - calls as gRPC, of which one message writes a whole group only where it creates it. */
#include <stdio.h>

#include "call.h"
#include "codec/protobuf.h"

enum { PREFIX_BYTES = 5 };
/* Of the contract's fields, in its order: caisson proto says the same. */
enum { NOTE_NAME = 1, NOTE_GROUP, NOTE_OWNER, NOTE_NUMBER, NOTE_COPY, NOTE_PUBLIC };

static bool grpc_can(const Call *call) { return call->kind == CALL_CREATE || !call_is_write(call) || call->group->size == 1; }

/* ---- requests ---- */

static void add_note(Buf *out, const Call *call, size_t row) {
  char name[64];
  int len = snprintf(name, sizeof name, "%s.%zu", call->group->name, group_row_number(call->group, row));
  protobuf_add_bytes(out, NOTE_NAME, (Str){name, (size_t)len});
  protobuf_add_bytes(out, NOTE_GROUP, str_of(call->group->name));
  len = snprintf(name, sizeof name, "c%d", call->caller);
  protobuf_add_bytes(out, NOTE_OWNER, (Str){name, (size_t)len});
  protobuf_add_int(out, NOTE_NUMBER, call->number);
  protobuf_add_int(out, NOTE_COPY, call->number);
  protobuf_add_bool(out, NOTE_PUBLIC, call->group->is_public);
}

static void add_note_message(Buf *out, const Call *call, size_t row) {
  size_t note = protobuf_begin(out, 1);
  add_note(out, call, row);
  protobuf_end(out, note);
}

static void add_name(Buf *out, const Call *call, size_t row) {
  char name[64];
  int len = snprintf(name, sizeof name, "%s.%zu", call->group->name, row);
  protobuf_add_bytes(out, 1, (Str){name, (size_t)len});
}

static Str write_create(Buf *out, const Call *call) {
  if (call->group->size == 1) {
    add_note_message(out, call, 0);
    return STR("CreateNote");
  }
  for (size_t i = 0; i < call->group->size; i++) {
    size_t request = protobuf_begin(out, 1);
    add_note_message(out, call, i);
    protobuf_end(out, request);
  }
  return STR("BatchCreateNotes");
}

static Str write_update(Buf *out, const Call *call) {
  add_note_message(out, call, 0);
  size_t mask = protobuf_begin(out, 2);
  protobuf_add_bytes(out, 1, STR("number"));
  protobuf_add_bytes(out, 1, STR("copy"));
  protobuf_end(out, mask);
  return STR("UpdateNote");
}

static Str write_list(Buf *out, const Call *call) {
  char filter[64];
  int len = call->group == NULL ? 0 : snprintf(filter, sizeof filter, "group == \"%s\"", call->group->name);
  if (len > 0) protobuf_add_bytes(out, 1, (Str){filter, (size_t)len});
  protobuf_add_int(out, 3, 100);
  return STR("ListNotes");
}

/* The method's name. */
static Str write_message(Buf *out, const Call *call) {
  switch (call->kind) {
    case CALL_CREATE: return write_create(out, call);
    case CALL_UPDATE: return write_update(out, call);
    case CALL_DELETE: add_name(out, call, 0); return STR("DeleteNote");
    case CALL_GET: add_name(out, call, call->row); return STR("GetNote");
    default: return write_list(out, call);
  }
}

static void grpc_write(const Call *call, Arena *arena, HttpRequest *ret) {
  Buf message = buf_on(arena, SIZE_MAX / 2), body = buf_on(arena, SIZE_MAX / 2);
  Str method = write_message(&message, call);
  const char prefix[PREFIX_BYTES] = {0, 0, 0, (char)(message.len >> 8), (char)message.len};
  buf_add(&body, (Str){prefix, sizeof prefix});
  buf_add(&body, buf_str(&message));
  *ret = (HttpRequest){.method = STR("POST"),
                       .path = arena_printf(arena, "/simulated.v1.NoteService/%.*s", STR_ARGS(method)),
                       .content_type = STR("application/grpc"),
                       .body = buf_str(&body)};
}

/* ---- answers ---- */

static bool read_note(Str bytes, SeenRow *row) {
  ProtobufReader reader = protobuf_reader(bytes);
  ProtobufRecord record;
  for (bool has = true;;) {
    if (protobuf_next(&reader, &record, &has, NULL) != CODE_OK) return false;
    if (!has) return row->name.len > 0;
    if (record.number == NOTE_NAME) row->name = record.bytes;
    if (record.number == NOTE_GROUP) row->group = record.bytes;
    if (record.number == NOTE_NUMBER) row->number = (int64_t)record.value;
    if (record.number == NOTE_COPY) row->copy = (int64_t)record.value;
  }
}

static bool read_notes(Str bytes, Arena *arena, CallAnswer *ret) {
  ProtobufReader reader = protobuf_reader(bytes);
  ProtobufRecord record;
  ret->rows = ARENA_ARRAY(arena, SeenRow, bytes.len / 2 + 1);
  ret->is_whole = true;
  for (bool has = true;;) {
    if (protobuf_next(&reader, &record, &has, NULL) != CODE_OK) return false;
    if (!has) return true;
    if (record.number == 1 && !read_note(record.bytes, &ret->rows[ret->count++])) return false;
    if (record.number == 2 && record.bytes.len > 0) ret->is_whole = false;
  }
}

static bool is_list(const Call *call) {
  return call->kind == CALL_LIST || call->kind == CALL_LIST_GROUP || (call->kind == CALL_CREATE && call->group->size > 1);
}

static bool read_body(Str body, const Call *call, Arena *arena, CallAnswer *ret) {
  if (body.len < PREFIX_BYTES || body.ptr[0] != 0) return false;
  Str message = str_slice(body, PREFIX_BYTES, body.len);
  if (call->kind == CALL_DELETE) return message.len == 0;
  if (is_list(call)) return read_notes(message, arena, ret);
  ret->rows = ARENA_NEW(arena, SeenRow);
  ret->count = 1;
  return read_note(message, ret->rows);
}

static bool grpc_read(const HttpAnswer *answer, const Call *call, Arena *arena, CallAnswer *ret) {
  int64_t status = -1;
  *ret = (CallAnswer){.outcome = CALL_FAILED};
  if (answer->status == 408 || answer->status == 503) return true;
  if (answer->status != 200 || !str_parse_int64(answer->grpc_status, &status)) return false;
  switch (status) {
    case 0: ret->outcome = CALL_DONE; return read_body(answer->body, call, arena, ret);
    case 5: ret->outcome = CALL_ABSENT; return true;
    case 6:
    case 7: ret->outcome = CALL_REFUSED; return true;
    case 4:
    case 14: return true;
    default: return false;
  }
}

const Face face_grpc = {.name = "gRPC", .needs_http2 = true, .can = grpc_can, .write = grpc_write, .read = grpc_read};
