/* proto_message.h - a message of a schema as a tree: read from the wire, asked by name, written again. A tree and what it borrows of the
 * bytes live in the arena and as long as the bytes do. Requests of clients are read so; rows are written without one (proto_encode.h). */
#pragma once
#include "api/proto_schema.h"
#include "base/buf.h"

typedef struct ProtoNode ProtoNode;

typedef union ProtoDatum {
  int64_t integer; /* INT32, INT64, BOOL, ENUM */
  double number;
  Str text; /* STRING, BYTES */
  ProtoNode *node;
} ProtoDatum;

/* A field that is there. */
typedef struct ProtoEntry {
  const ProtoField *field;
  size_t count; /* 1, or a repeated one's items */
  size_t cap;
  ProtoDatum one;
  ProtoDatum *many; /* repeated; maps are lists of their entries, one for each key, the last that came */
} ProtoEntry;

struct ProtoNode {
  const ProtoMessage *type;
  ProtoEntry *entries; /* by number */
  size_t count;
  size_t cap;
};

/* Later values win and messages are merged, as the format has it; unknown fields are passed over. CODE_BAD_REQUEST where the bytes are no
 * such message (a length that lies, a string that is not UTF-8, nested deeper than PROTOBUF_DEPTH_MAX). */
Code proto_read(const ProtoMessage *type, Str bytes, Arena *arena, ProtoNode **ret, Error *err);
/* In the order of numbers; what is implicit and zero is left out. */
void proto_write(const ProtoNode *node, Buf *out);

ProtoNode *proto_node(const ProtoMessage *type, Arena *arena); /* empty; NULL when memory is out */

/* What a request says; absent: "", 0, false, NULL. `name` is the field's name in the .proto. */
const ProtoEntry *proto_get(const ProtoNode *node, Str name);
Str proto_text(const ProtoNode *node, Str name);
int64_t proto_integer(const ProtoNode *node, Str name);
static inline bool proto_true(const ProtoNode *node, Str name) { return proto_integer(node, name) != 0; }
const ProtoNode *proto_child(const ProtoNode *node, Str name);
/* Of a field of type google.protobuf.FieldMask: its paths; count 0 where it is absent or empty. */
size_t proto_paths(const ProtoNode *node, Str name, const ProtoDatum **ret);

/* Sets a field, in place of what it had; a repeated one gets one item more. False when memory is out. */
bool proto_set(ProtoNode *node, const ProtoField *field, ProtoDatum value, Arena *arena) MUST_USE;
const ProtoEntry *proto_find(const ProtoNode *node, const ProtoField *field);
/* Of a map's entries with one key the last stays, all down the tree; they are put in the order of their keys. */
Code proto_settle_maps(ProtoNode *node, Arena *arena, Error *err);
