/* proto_decode.h - a row's message as the input that the engine takes: JSON's data model under the contract's names, so that its pointers
 * name the contract's fields ("/createdAt"). What a value is worth is the engine's to say; what no value of the type can be (a number that
 * is not finite, an enum's unknown number, a time beyond year 9999) comes out as text that the engine refuses at its place, together with
 * every other mistake. */
#pragma once
#include "api/proto_message.h"
#include "base/value.h"

typedef enum ProtoInputKind {
  PROTO_INPUT_CREATE = 0, /* what is absent is not given; a field without presence is zero, but where zero can be no value */
  PROTO_INPUT_UPDATE      /* what the mask names: null, or zero, where it is absent. Without a mask: what is there, the key left out */
} ProtoInputKind;

/* An update's mask: google.protobuf.FieldMask's paths, of either spelling, into embedded objects too; `*` names all that may be changed.
 * CODE_BAD_REQUEST for a path that names nothing, a relation in the row (its key field sets it), a string with NUL. */
Code proto_input(const ProtoNode *row, ProtoInputKind kind, const ProtoDatum *paths, size_t path_count, Arena *arena, JsonValue *ret,
                 Error *err);
/* The key in a request, or in a row's message: one value for each of resource->keys; *ret is NULL where it can be no row's key. */
Code proto_key(const ProtoNode *node, const Resource *resource, Arena *arena, const Value **ret, Error *err);
