/* proto_json.h - ProtoJSON (protobuf.dev/programming-guides/json) both ways, by the schema: what Connect speaks. */
#pragma once
#include "api/proto_message.h"

/* Names in lowerCamelCase (a contract's own), int64 as strings, enums by name, times by RFC 3339, bytes in base64. */
Code proto_json_write(const ProtoNode *node, Buf *out, Error *err);
/* Takes either name of a field, enums by name or number, int64 as string or number, bytes in base64 or base64url, null for absent.
 * CODE_BAD_REQUEST with the place for what is not so; unknown fields too, unless they are to be passed over. */
Code proto_json_read(const ProtoMessage *type, Str text, bool ignores_unknown, Arena *arena, ProtoNode **ret, Error *err);
