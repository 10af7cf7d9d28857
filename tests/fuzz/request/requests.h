/* requests.h - each adds one request in HTTP/1.1 to `out`. `is_last`: the connection ends behind it. */
#pragma once
#include "choices.h"

typedef struct RequestKind {
  bool is_head;    /* its answer has no body */
  bool is_endless; /* its answer may have no end */
} RequestKind;

RequestKind write_rest(Choices *choices, bool is_last, Arena *arena, Buf *out);
RequestKind write_graphql(Choices *choices, bool is_last, Arena *arena, Buf *out);
RequestKind write_grpc(Choices *choices, bool is_last, Arena *arena, Buf *out);

/* What is common to them: the rest of a head that has begun, and the body, perhaps in chunks or with a length that lies. */
void write_rest_of_request(Choices *choices, bool is_last, Str content_type, Str body, Arena *arena, Buf *out);
