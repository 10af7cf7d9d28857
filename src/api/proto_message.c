/* proto_message.c - messages as trees. What a client sends costs memory in proportion to its length: a field that is not there has no room.
 */
#include "api/proto_message.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "codec/protobuf.h"

enum { ENTRIES_FIRST = 4, ITEMS_FIRST = 4 };

/* ---- the tree ---- */

ProtoNode *proto_node(const ProtoMessage *type, Arena *arena) {
  ProtoNode *node = ARENA_NEW(arena, ProtoNode);
  if (node != NULL) node->type = type;
  return node;
}

/* Where the field is among the entries, or would be. */
static size_t place_of(const ProtoNode *node, uint32_t number) {
  if (node->count == 0 || node->entries[node->count - 1].field->number < number) return node->count; /* nearly always they come in order */
  size_t low = 0, high = node->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (node->entries[middle].field->number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static ProtoEntry *entry_at(const ProtoNode *node, const ProtoField *field, size_t *ret_place) {
  size_t place = place_of(node, field->number);
  *ret_place = place;
  return place < node->count && node->entries[place].field == field ? &node->entries[place] : NULL;
}

const ProtoEntry *proto_find(const ProtoNode *node, const ProtoField *field) {
  size_t place;
  return entry_at(node, field, &place);
}

static void remove_entry(ProtoNode *node, size_t place) {
  node->count--;
  memmove(&node->entries[place], &node->entries[place + 1], (node->count - place) * sizeof *node->entries);
}

/* Of a oneof's members the last that came is there. */
static void clear_siblings(ProtoNode *node, const ProtoField *field) {
  for (size_t i = 0; i < node->count; i++) {
    const ProtoField *other = node->entries[i].field;
    if (other == field || other->oneof != field->oneof) continue;
    remove_entry(node, i);
    return;
  }
}

static ProtoEntry *entry_for(ProtoNode *node, const ProtoField *field, Arena *arena) {
  size_t place;
  if (field->oneof != PROTO_NO_ONEOF) clear_siblings(node, field);
  ProtoEntry *entry = entry_at(node, field, &place);
  if (entry != NULL) return entry;
  if (node->count == node->cap) {
    size_t cap = node->cap == 0 ? ENTRIES_FIRST : node->cap * 2;
    ProtoEntry *grown = arena_grow(arena, node->entries, node->cap * sizeof *grown, cap * sizeof *grown);
    if (grown == NULL) return NULL;
    node->entries = grown;
    node->cap = cap;
  }
  memmove(&node->entries[place + 1], &node->entries[place], (node->count - place) * sizeof *node->entries);
  node->count++;
  node->entries[place] = (ProtoEntry){.field = field};
  return &node->entries[place];
}

static bool add_item(ProtoEntry *entry, ProtoDatum value, Arena *arena) {
  if (entry->count == entry->cap) {
    size_t cap = entry->cap == 0 ? ITEMS_FIRST : entry->cap * 2;
    ProtoDatum *grown = arena_grow(arena, entry->many, entry->cap * sizeof *grown, cap * sizeof *grown);
    if (grown == NULL) return false;
    entry->many = grown;
    entry->cap = cap;
  }
  entry->many[entry->count++] = value;
  return true;
}

bool proto_set(ProtoNode *node, const ProtoField *field, ProtoDatum value, Arena *arena) {
  ProtoEntry *entry = entry_for(node, field, arena);
  if (entry == NULL) return false;
  if (field->is_repeated) return add_item(entry, value, arena);
  entry->count = 1;
  entry->one = value;
  return true;
}

/* ---- reading ---- */

typedef struct Reader {
  Arena *arena;
  Error *err;
} Reader;

static Code read_into(Reader *reader, ProtoNode *node, Str bytes, size_t depth);

static ProtobufWire wire_of(const ProtoField *field) {
  switch (field->type) {
    case PROTO_DOUBLE: return PROTOBUF_FIXED64;
    case PROTO_INT64:
    case PROTO_INT32:
    case PROTO_BOOL:
    case PROTO_ENUM: return PROTOBUF_VARINT;
    default: return PROTOBUF_BYTES;
  }
}

/* What an int32 is sent as has more bits than it needs: they are cut off, as everywhere. */
static ProtoDatum number_datum(const ProtoField *field, uint64_t value) {
  switch (field->type) {
    case PROTO_DOUBLE: return (ProtoDatum){.number = protobuf_double_of(value)};
    case PROTO_INT64: return (ProtoDatum){.integer = (int64_t)value};
    case PROTO_BOOL: return (ProtoDatum){.integer = value != 0};
    default: return (ProtoDatum){.integer = (int32_t)(uint32_t)value};
  }
}

static Code read_packed(Reader *reader, ProtoEntry *entry, Str bytes) {
  while (bytes.len > 0) {
    uint64_t value;
    TRY(protobuf_next_packed(&bytes, wire_of(entry->field), &value, reader->err));
    if (!add_item(entry, number_datum(entry->field, value), reader->arena)) return error_no_memory(reader->err);
  }
  return CODE_OK;
}

static Code read_text(Reader *reader, const ProtoField *field, Str bytes, ProtoDatum *ret) {
  if (field->type == PROTO_STRING && !utf8_is_valid(bytes))
    return error_set(reader->err, CODE_BAD_REQUEST, "not a protobuf message: %.*s is not UTF-8", STR_ARGS(field->name));
  ret->text = bytes;
  return CODE_OK;
}

/* The same message again adds to the one that is there. */
static Code read_message(Reader *reader, ProtoEntry *entry, Str bytes, size_t depth) {
  const ProtoField *field = entry->field;
  ProtoNode *node = !field->is_repeated && entry->count == 1 ? entry->one.node : proto_node(field->message, reader->arena);
  if (node == NULL) return error_no_memory(reader->err);
  ProtoDatum value = {.node = node};
  if (field->is_repeated) {
    if (!add_item(entry, value, reader->arena)) return error_no_memory(reader->err);
  } else {
    entry->one = value;
    entry->count = 1;
  }
  return read_into(reader, node, bytes, depth + 1);
}

static Code read_record(Reader *reader, ProtoNode *node, const ProtoField *field, const ProtobufRecord *record, size_t depth) {
  ProtobufWire wire = wire_of(field);
  bool is_packed = record->wire == PROTOBUF_BYTES && wire != PROTOBUF_BYTES && field->is_repeated;
  if (record->wire != wire && !is_packed) return CODE_OK; /* of another type: an unknown field */
  ProtoEntry *entry = entry_for(node, field, reader->arena);
  if (entry == NULL) return error_no_memory(reader->err);
  if (is_packed) return read_packed(reader, entry, record->bytes);
  if (field->type == PROTO_MESSAGE) return read_message(reader, entry, record->bytes, depth);
  ProtoDatum value;
  if (wire == PROTOBUF_BYTES)
    TRY(read_text(reader, field, record->bytes, &value));
  else
    value = number_datum(field, record->value);
  if (field->is_repeated) return add_item(entry, value, reader->arena) ? CODE_OK : error_no_memory(reader->err);
  entry->count = 1;
  entry->one = value;
  return CODE_OK;
}

/* Recursion is bounded by PROTOBUF_DEPTH_MAX. */
static Code read_into(Reader *reader, ProtoNode *node, Str bytes, size_t depth) {
  if (depth > PROTOBUF_DEPTH_MAX)
    return error_set(reader->err, CODE_BAD_REQUEST, "the message is nested deeper than %d", PROTOBUF_DEPTH_MAX);
  ProtobufReader records = protobuf_reader(bytes);
  for (;;) {
    ProtobufRecord record;
    bool has_record;
    TRY(protobuf_next(&records, &record, &has_record, reader->err));
    if (!has_record) return CODE_OK;
    const ProtoField *field = proto_field_numbered(node->type, record.number);
    if (field != NULL) TRY(read_record(reader, node, field, &record, depth));
  }
}

static Str map_key(const ProtoDatum *entry) { return proto_text(entry->node, STR("key")); }

typedef struct KeyAt {
  Str key;
  size_t at;
} KeyAt;

static int compare_keys(const void *a, const void *b) {
  const KeyAt *x = a, *y = b;
  int order = str_compare(x->key, y->key);
  return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Entries by key, of each key the last. */
static Code settle_map(ProtoEntry *entry, Arena *arena, Error *err) {
  KeyAt *keys = ARENA_ARRAY(arena, KeyAt, entry->count);
  ProtoDatum *settled = ARENA_ARRAY(arena, ProtoDatum, entry->count);
  if (keys == NULL || settled == NULL) return error_no_memory(err);
  for (size_t i = 0; i < entry->count; i++) keys[i] = (KeyAt){map_key(&entry->many[i]), i};
  qsort(keys, entry->count, sizeof *keys, compare_keys);
  size_t count = 0;
  for (size_t i = 0; i < entry->count; i++) {
    if (i + 1 < entry->count && str_equal(keys[i].key, keys[i + 1].key)) continue;
    settled[count++] = entry->many[keys[i].at];
  }
  entry->many = settled;
  entry->count = entry->cap = count;
  return CODE_OK;
}

Code proto_settle_maps(ProtoNode *node, Arena *arena, Error *err) {
  for (size_t i = 0; i < node->count; i++) {
    ProtoEntry *entry = &node->entries[i];
    if (entry->field->type != PROTO_MESSAGE) continue;
    if (entry->field->is_map && entry->count > 1) TRY(settle_map(entry, arena, err));
    for (size_t j = 0; entry->field->is_repeated && j < entry->count; j++) TRY(proto_settle_maps(entry->many[j].node, arena, err));
    if (!entry->field->is_repeated) TRY(proto_settle_maps(entry->one.node, arena, err));
  }
  return CODE_OK;
}

Code proto_read(const ProtoMessage *type, Str bytes, Arena *arena, ProtoNode **ret, Error *err) {
  Reader reader = {arena, err};
  ProtoNode *node = proto_node(type, arena);
  if (node == NULL) return error_no_memory(err);
  TRY(read_into(&reader, node, bytes, 0));
  TRY(proto_settle_maps(node, arena, err));
  *ret = node;
  return CODE_OK;
}

/* ---- writing ---- */

static void write_datum(const ProtoField *field, ProtoDatum value, Buf *out) {
  switch (field->type) {
    case PROTO_DOUBLE: protobuf_add_double(out, field->number, value.number); break;
    case PROTO_INT64:
    case PROTO_INT32:
    case PROTO_BOOL:
    case PROTO_ENUM: protobuf_add_int(out, field->number, value.integer); break;
    case PROTO_STRING:
    case PROTO_BYTES: protobuf_add_bytes(out, field->number, value.text); break;
    case PROTO_MESSAGE: {
      size_t begin = protobuf_begin(out, field->number);
      proto_write(value.node, out);
      protobuf_end(out, begin);
      break;
    }
  }
}

static void write_packed(const ProtoEntry *entry, Buf *out) {
  size_t begin = protobuf_begin(out, entry->field->number);
  for (size_t i = 0; i < entry->count; i++) {
    if (entry->field->type == PROTO_DOUBLE)
      protobuf_write_fixed64(out, protobuf_bits_of(entry->many[i].number));
    else
      protobuf_write_varint(out, (uint64_t)entry->many[i].integer);
  }
  protobuf_end(out, begin);
}

/* -0.0 is not zero to the format: its bits are not. */
static bool is_zero(const ProtoField *field, ProtoDatum value) {
  switch (field->type) {
    case PROTO_DOUBLE: return protobuf_bits_of(value.number) == 0;
    case PROTO_STRING:
    case PROTO_BYTES: return value.text.len == 0;
    case PROTO_MESSAGE: return false;
    default: return value.integer == 0;
  }
}

static void write_entry(const ProtoNode *node, const ProtoEntry *entry, Buf *out) {
  const ProtoField *field = entry->field;
  if (field->is_repeated && wire_of(field) != PROTOBUF_BYTES) {
    if (entry->count > 0) write_packed(entry, out);
  } else if (field->is_repeated) {
    for (size_t i = 0; i < entry->count; i++) write_datum(field, entry->many[i], out);
  } else if (field->is_optional || field->oneof != PROTO_NO_ONEOF || node->type->is_map_entry || !is_zero(field, entry->one)) {
    write_datum(field, entry->one, out);
  }
}

/* A map's entry is written whole: its key and value, what they are. */
static void write_map_entry(const ProtoNode *node, Buf *out) {
  for (size_t i = 0; i < node->type->field_count; i++) {
    const ProtoField *field = &node->type->fields[i];
    const ProtoEntry *entry = proto_find(node, field);
    if (entry != NULL)
      write_entry(node, entry, out);
    else if (field->type == PROTO_MESSAGE)
      protobuf_add_bytes(out, field->number, (Str){0});
    else
      write_datum(field, (ProtoDatum){.text = STR("")}, out);
  }
}

/* Recursion goes as deep as the tree, which reading bounds. */
void proto_write(const ProtoNode *node, Buf *out) {
  if (node->type->is_map_entry) {
    write_map_entry(node, out);
    return;
  }
  for (size_t i = 0; i < node->count; i++) write_entry(node, &node->entries[i], out);
}

/* ---- asking ---- */

const ProtoEntry *proto_get(const ProtoNode *node, Str name) {
  for (size_t i = 0; node != NULL && i < node->count; i++) {
    if (str_equal(node->entries[i].field->name, name)) return &node->entries[i];
  }
  return NULL;
}

Str proto_text(const ProtoNode *node, Str name) {
  const ProtoEntry *entry = proto_get(node, name);
  return entry == NULL || entry->field->is_repeated ? STR("") : entry->one.text;
}

int64_t proto_integer(const ProtoNode *node, Str name) {
  const ProtoEntry *entry = proto_get(node, name);
  return entry == NULL || entry->field->is_repeated ? 0 : entry->one.integer;
}

const ProtoNode *proto_child(const ProtoNode *node, Str name) {
  const ProtoEntry *entry = proto_get(node, name);
  return entry == NULL || entry->field->is_repeated ? NULL : entry->one.node;
}

size_t proto_paths(const ProtoNode *node, Str name, const ProtoDatum **ret) {
  const ProtoEntry *paths = proto_get(proto_child(node, name), STR("paths"));
  *ret = paths == NULL ? NULL : paths->many;
  return paths == NULL ? 0 : paths->count;
}
