/* proto_lock.c - the lock file, read and written. */
#include "api/proto_lock.h"

#include <stdlib.h>

#include "api/proto_schema.h"
#include "base/file.h"
#include "base/vec.h"
#include "codec/json.h"
#include "codec/protobuf.h"

enum { LOCK_DEPTH_MAX = 8 };

/* ---- reading ---- */

typedef struct LockReader {
  Arena *arena;
  Str file;
  Error *err;
  VEC(ProtoLockEntry) entries; /* of the type at hand */
  VEC(ProtoLockType) types;
} LockReader;

static Code refuse(const LockReader *reader, const char *what) {
  return error_set(reader->err, CODE_BAD_REQUEST, "%.*s: %s", STR_ARGS(reader->file), what);
}

/* A field is {"number", "type"}, a value its number. */
static Code read_entry(LockReader *reader, const JsonMember *member, bool is_reserved) {
  const JsonValue *number = &member->value, *type = NULL;
  int64_t n;
  if (member->value.type == JSON_OBJECT) {
    number = json_get(&member->value, STR("number"));
    type = json_get(&member->value, STR("type"));
    if (type == NULL || type->type != JSON_STRING) return refuse(reader, "a field has no type");
  }
  if (number == NULL || number->type != JSON_NUMBER || !json_number_to_int64(number->text, &n) || n < 1 || n > PROTOBUF_NUMBER_MAX)
    return refuse(reader, "a number is missing, or out of range");
  ProtoLockEntry entry = {
      .name = member->name, .type = type == NULL ? STR("") : type->text, .number = (uint32_t)n, .is_reserved = is_reserved};
  return VEC_PUSH(reader->arena, &reader->entries, entry) ? CODE_OK : error_no_memory(reader->err);
}

static Code read_entries(LockReader *reader, const JsonValue *object, bool is_reserved) {
  if (object == NULL) return CODE_OK;
  if (object->type != JSON_OBJECT) return refuse(reader, "fields, values and what is reserved are objects");
  for (size_t i = 0; i < object->count; i++) TRY(read_entry(reader, &object->members[i], is_reserved));
  return CODE_OK;
}

static int compare_entries(const void *a, const void *b) {
  const ProtoLockEntry *x = a, *y = b;
  if (x->number != y->number) return x->number < y->number ? -1 : 1;
  return str_compare(x->name, y->name);
}

/* Two that are in use under one number would be one field to every reader. */
static Code check_entries(const LockReader *reader) {
  const ProtoLockEntry *live = NULL;
  for (size_t i = 0; i < reader->entries.count; i++) {
    const ProtoLockEntry *entry = &reader->entries.items[i];
    if (entry->is_reserved) continue;
    if (live != NULL && live->number == entry->number) return refuse(reader, "a number is given twice");
    live = entry;
  }
  return CODE_OK;
}

static Code read_type(LockReader *reader, const JsonMember *member, bool is_enum) {
  reader->entries.items = NULL;
  reader->entries.count = reader->entries.cap = 0;
  if (member->value.type != JSON_OBJECT) return refuse(reader, "messages and enums are objects");
  TRY(read_entries(reader, json_get(&member->value, is_enum ? STR("values") : STR("fields")), false));
  TRY(read_entries(reader, json_get(&member->value, STR("reserved")), true));
  if (reader->entries.count > 0) qsort(reader->entries.items, reader->entries.count, sizeof *reader->entries.items, compare_entries);
  TRY(check_entries(reader));
  ProtoLockType type = {.name = member->name, .is_enum = is_enum, .entries = reader->entries.items, .count = reader->entries.count};
  return VEC_PUSH(reader->arena, &reader->types, type) ? CODE_OK : error_no_memory(reader->err);
}

static Code read_types(LockReader *reader, const JsonValue *object, bool is_enum) {
  if (object == NULL) return CODE_OK;
  if (object->type != JSON_OBJECT) return refuse(reader, "\"messages\" and \"enums\" are objects");
  for (size_t i = 0; i < object->count; i++) TRY(read_type(reader, &object->members[i], is_enum));
  return CODE_OK;
}

Code proto_lock_parse(Str text, Str file, Arena *arena, ProtoLock **ret, Error *err) {
  LockReader reader = {.arena = arena, .file = file, .err = err};
  JsonValue json;
  Error malformed;
  Code code = json_parse(text, LOCK_DEPTH_MAX, arena, &json, &malformed);
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  if (code != CODE_OK) return error_set(err, CODE_BAD_REQUEST, "%.*s: %s", STR_ARGS(file), malformed.text);
  const JsonValue *package = json_get(&json, STR("package"));
  if (json.type != JSON_OBJECT || package == NULL || package->type != JSON_STRING)
    return refuse(&reader, "this is no lock of numbers: \"package\" is missing");
  TRY(read_types(&reader, json_get(&json, STR("messages")), false));
  TRY(read_types(&reader, json_get(&json, STR("enums")), true));
  ProtoLock *lock = ARENA_NEW(arena, ProtoLock);
  TRY_ALLOC(lock);
  *lock = (ProtoLock){.file = file, .package = package->text, .types = reader.types.items, .count = reader.types.count};
  *ret = lock;
  return CODE_OK;
}

Code proto_lock_load(Str path, Arena *arena, ProtoLock **ret, Error *err) {
  Str text;
  Error failed;
  *ret = NULL;
  Code code = file_read(path, PROTO_LOCK_BYTES_MAX, arena, &text, &failed);
  if (code == CODE_NOT_FOUND) return CODE_OK;
  if (code != CODE_OK) return error_set(err, code, "%.*s: %s", STR_ARGS(path), failed.text);
  return proto_lock_parse(text, path, arena, ret, err);
}

/* ---- look-ups ---- */

const ProtoLockType *proto_lock_type(const ProtoLock *lock, Str name, bool is_enum) {
  for (size_t i = 0; i < lock->count; i++) {
    if (lock->types[i].is_enum == is_enum && str_equal(lock->types[i].name, name)) return &lock->types[i];
  }
  return NULL;
}

/* One in use comes before one that is reserved. */
const ProtoLockEntry *proto_lock_entry(const ProtoLockType *type, Str name) {
  const ProtoLockEntry *found = NULL;
  for (size_t i = 0; i < type->count; i++) {
    if (!str_equal(type->entries[i].name, name)) continue;
    if (found == NULL || found->is_reserved) found = &type->entries[i];
  }
  return found;
}

Str proto_lock_type_name(Str type, Str package, Arena *arena) {
  static const Str optional = STR_INIT("optional "), repeated = STR_INIT("repeated ");
  if (str_starts_with(type, optional)) type = str_slice(type, optional.len, type.len);
  bool is_repeated = str_starts_with(type, repeated);
  if (is_repeated) type = str_slice(type, repeated.len, type.len);
  bool is_own = str_starts_with(type, package) && type.len > package.len && type.ptr[package.len] == '.';
  if (is_own) type = str_slice(type, package.len + 1, type.len);
  return arena_printf(arena, "%s%.*s", is_repeated ? "repeated " : "", STR_ARGS(type));
}

uint32_t proto_lock_next(const ProtoLockType *type) {
  return type == NULL || type->count == 0 ? 1 : type->entries[type->count - 1].number + 1;
}

Str proto_lock_path(Str contract_path, Arena *arena) {
  Str base = contract_path;
  while (base.len > 1 && base.ptr[base.len - 1] == '/') base.len--;
  if (str_ends_with(base, STR(".graphql"))) base.len -= STR(".graphql").len;
  return arena_printf(arena, "%.*s.lock.json", STR_ARGS(base));
}

/* ---- writing ---- */

typedef struct LockWriter {
  Arena *arena;
  Buf *out;
  VEC(ProtoLockEntry) entries;
  bool is_first_type;
} LockWriter;

static void write_entry(Buf *out, const ProtoLockEntry *entry, bool is_first) {
  buf_add(out, is_first ? STR("\n        ") : STR(",\n        "));
  json_write_string(out, entry->name);
  if (entry->type.len == 0) {
    buf_printf(out, ": %u", entry->number);
    return;
  }
  buf_printf(out, ": {\"number\": %u, \"type\": ", entry->number);
  json_write_string(out, entry->type);
  buf_add_byte(out, '}');
}

static size_t write_entries(const LockWriter *writer, const char *name, bool is_reserved, bool has_comma) {
  size_t written = 0;
  for (size_t i = 0; i < writer->entries.count; i++) {
    const ProtoLockEntry *entry = &writer->entries.items[i];
    if (entry->is_reserved != is_reserved) continue;
    if (written == 0) buf_printf(writer->out, "%s\n      \"%s\": {", has_comma ? "," : "", name);
    write_entry(writer->out, entry, written++ == 0);
  }
  if (written > 0) buf_add(writer->out, STR("\n      }"));
  return written;
}

static void write_type(LockWriter *writer, Str name, bool is_enum) {
  if (writer->entries.count > 0) qsort(writer->entries.items, writer->entries.count, sizeof *writer->entries.items, compare_entries);
  buf_add(writer->out, writer->is_first_type ? STR("\n    ") : STR(",\n    "));
  json_write_string(writer->out, name);
  buf_add(writer->out, STR(": {"));
  size_t live = write_entries(writer, is_enum ? "values" : "fields", false, false);
  size_t all = live + write_entries(writer, "reserved", true, live > 0);
  buf_add(writer->out, all > 0 ? STR("\n    }") : STR("}"));
  writer->is_first_type = false;
}

/* What the lock had under a name that is not there any more. */
static Code keep_old(LockWriter *writer, const ProtoLockType *old, size_t live_count, Error *err) {
  for (size_t i = 0; old != NULL && i < old->count; i++) {
    ProtoLockEntry entry = old->entries[i];
    bool is_live = false;
    for (size_t j = 0; j < live_count && !is_live; j++) is_live = str_equal(writer->entries.items[j].name, entry.name);
    if (is_live && !entry.is_reserved) continue;
    entry.is_reserved = true;
    if (!VEC_PUSH(writer->arena, &writer->entries, entry)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Str field_type(const ProtoField *field, Str package, Arena *arena) {
  static const char *const names[] = {[PROTO_DOUBLE] = "double", [PROTO_INT64] = "int64",   [PROTO_INT32] = "int32",
                                      [PROTO_BOOL] = "bool",     [PROTO_STRING] = "string", [PROTO_BYTES] = "bytes"};
  Str name = field->message != NULL     ? field->message->full_name
             : field->enum_type != NULL ? field->enum_type->full_name
                                        : str_of(names[field->type]);
  Str type = arena_printf(arena, "%s%.*s", field->is_repeated ? "repeated " : "", STR_ARGS(name));
  return type.ptr == NULL ? type : proto_lock_type_name(type, package, arena);
}

static Code write_message(LockWriter *writer, const ProtoMessage *message, const ProtoLock *old, Error *err) {
  writer->entries.count = 0;
  for (size_t i = 0; i < message->field_count; i++) {
    const ProtoField *field = &message->fields[i];
    ProtoLockEntry entry = {.name = field->name, .type = field_type(field, message->file->package, writer->arena), .number = field->number};
    if (entry.type.ptr == NULL || !VEC_PUSH(writer->arena, &writer->entries, entry)) return error_no_memory(err);
  }
  TRY(keep_old(writer, old == NULL ? NULL : proto_lock_type(old, message->name, false), message->field_count, err));
  write_type(writer, message->name, false);
  return CODE_OK;
}

/* The zero value is always there, and never locked. */
static Code write_enum(LockWriter *writer, const ProtoEnum *type, const ProtoLock *old, Error *err) {
  writer->entries.count = 0;
  for (size_t i = 0; i < type->value_count; i++) {
    ProtoLockEntry entry = {.name = type->values[i].name, .number = (uint32_t)type->values[i].number};
    if (entry.number > 0 && !VEC_PUSH(writer->arena, &writer->entries, entry)) return error_no_memory(err);
  }
  TRY(keep_old(writer, old == NULL ? NULL : proto_lock_type(old, type->name, true), writer->entries.count, err));
  write_type(writer, type->name, true);
  return CODE_OK;
}

static bool has_type(const ProtoSchema *schema, const ProtoLockType *type) {
  const ProtoFile *file = schema->file;
  for (size_t i = 0; !type->is_enum && i < file->message_count; i++) {
    if (file->messages[i]->is_locked && str_equal(file->messages[i]->name, type->name)) return true;
  }
  for (size_t i = 0; type->is_enum && i < file->enum_count; i++) {
    if (str_equal(file->enums[i]->name, type->name)) return true;
  }
  return false;
}

/* A type that was removed keeps its numbers, for the day when it comes back. */
static Code write_removed(LockWriter *writer, const ProtoSchema *schema, const ProtoLock *old, bool is_enum, Error *err) {
  for (size_t i = 0; old != NULL && i < old->count; i++) {
    const ProtoLockType *type = &old->types[i];
    if (type->is_enum != is_enum || has_type(schema, type)) continue;
    writer->entries.count = 0;
    for (size_t j = 0; j < type->count; j++)
      if (!VEC_PUSH(writer->arena, &writer->entries, type->entries[j])) return error_no_memory(err);
    write_type(writer, type->name, is_enum);
  }
  return CODE_OK;
}

Code proto_lock_write(const ProtoSchema *schema, const ProtoLock *old, Arena *arena, Buf *out, Error *err) {
  LockWriter writer = {.arena = arena, .out = out, .is_first_type = true};
  const ProtoFile *file = schema->file;
  buf_add(out, STR("{\n  \"package\": "));
  json_write_string(out, file->package);
  buf_add(out, STR(",\n  \"messages\": {"));
  for (size_t i = 0; i < file->message_count; i++)
    if (file->messages[i]->is_locked) TRY(write_message(&writer, file->messages[i], old, err));
  TRY(write_removed(&writer, schema, old, false, err));
  buf_add(out, writer.is_first_type ? STR("},\n  \"enums\": {") : STR("\n  },\n  \"enums\": {"));
  writer.is_first_type = true;
  for (size_t i = 0; i < file->enum_count; i++) TRY(write_enum(&writer, file->enums[i], old, err));
  TRY(write_removed(&writer, schema, old, true, err));
  buf_add(out, writer.is_first_type ? STR("}\n}\n") : STR("\n  }\n}\n"));
  if (out->failed == CODE_UNAVAILABLE) return error_no_memory(err);
  return CODE_OK;
}
