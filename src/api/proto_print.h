/* proto_print.h - a schema as the text of its .proto file. */
#pragma once
#include "api/proto_schema.h"
#include "base/buf.h"

void proto_print(const ProtoSchema *schema, Buf *out);
