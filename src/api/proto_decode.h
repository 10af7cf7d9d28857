/* proto_decode.h - a row's message as the input that the engine takes: JSON's data model under the contract's names. What a value is worth
 * is the engine's to say; what no value of the type can be (a number that is not finite, an enum's unknown number, a time beyond year
 * 9999) comes out as text that it refuses under the field's pointer. */
#pragma once
#include "api/proto_message.h"

typedef enum ProtoInputKind {
  PROTO_INPUT_CREATE = 0, /* what is absent is not given, but for fields without presence: those are zero */
  PROTO_INPUT_UPDATE,     /* what the mask names, null (or zero) where it is absent; without a mask: what is there and not zero */
} ProtoInputKind;

/* Which of a message's fields an update is about; count 0: those that are there. `*` names all that may be changed. */
typedef struct ProtoMask {
  const ProtoDatum *paths;
  size_t count;
} ProtoMask;

/* CODE_BAD_REQUEST for a mask that names what is not there. `pointer` of the values is the contract's name: "/createdAt". */
Code proto_input(const ProtoNode *row, ProtoInputKind kind, ProtoMask mask, Arena *arena, JsonValue *ret, Error *err);
/* The key that a Get, Update or Delete names: one value for each of resource->keys, in JSON's form (strings and numbers) as the row's
 * message or the request holds it; false where a part is missing. */
bool proto_key(const ProtoNode *node, const Resource *resource, Arena *arena, JsonValue *ret, size_t *ret_missing);
