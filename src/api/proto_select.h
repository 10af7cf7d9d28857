/* proto_select.h - read masks (AIP-157) as selections, and update masks (AIP-134). */
#pragma once
#include "api/proto_message.h"
#include "query/operation.h"

/* What of a row a mask asks for: names of either spelling, `category.name`, `reviews`, `*` (every stored field; so does an empty mask). A
 * relation alone means its whole row. In the order of the message's fields. CODE_BAD_REQUEST with what is unknown. */
Code proto_select(const ProtoSchema *schema, const Resource *resource, const ProtoDatum *paths, size_t count, size_t nesting_max,
                  Arena *arena, Selection **ret, Error *err);
