/* proto_lock.h - the numbers that were given once (INTERFACE §5: `shop.lock.json` beside `shop.graphql`), so that they are never moved and
 * never given again: of the fields of messages and of the values of enums. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { PROTO_LOCK_BYTES_MAX = 16 * 1024 * 1024 };

/* One name that has, or had, a number. */
typedef struct ProtoLockEntry {
  Str name;
  Str type; /* of a field: "string", "repeated Tag", "google.protobuf.Value"; empty for an enum's value */
  uint32_t number;
  bool is_reserved; /* it was removed */
} ProtoLockEntry;

/* A message or an enum. */
typedef struct ProtoLockType {
  Str name; /* within the package */
  bool is_enum;
  const ProtoLockEntry *entries; /* by number */
  size_t count;
} ProtoLockType;

typedef struct ProtoLock {
  Str file; /* for messages */
  Str package;
  const ProtoLockType *types;
  size_t count;
} ProtoLock;

/* The file at `path`; *ret is NULL where there is none. */
Code proto_lock_load(Str path, Arena *arena, ProtoLock **ret, Error *err);
/* `text` is the lock's JSON; it is borrowed. CODE_BAD_REQUEST, with the file's name, where it is none. */
Code proto_lock_parse(Str text, Str file, Arena *arena, ProtoLock **ret, Error *err);
/* NULL: none. */
const ProtoLockType *proto_lock_type(const ProtoLock *lock, Str name, bool is_enum);
const ProtoLockEntry *proto_lock_entry(const ProtoLockType *type, Str name);
/* A field's type as the lock has it: whether it is optional does not matter, and names of `package` stand without it, so that they outlive
 * a new version. ptr NULL when memory is out. */
Str proto_lock_type_name(Str type, Str package, Arena *arena);
uint32_t proto_lock_next(const ProtoLockType *type); /* behind the last; 1 where `type` is NULL */

/* The lock that fits the schema: what `old` (NULL: none) has and the schema has no more is reserved. */
struct ProtoSchema;
Code proto_lock_write(const struct ProtoSchema *schema, const ProtoLock *old, Arena *arena, Buf *out, Error *err);
/* "shop.graphql" → "shop.lock.json"; a folder "shop/" too. ptr NULL when memory is out. */
Str proto_lock_path(Str contract_path, Arena *arena);
