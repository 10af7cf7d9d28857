/* proto_descriptor.h - descriptors (google/protobuf/descriptor.proto) of a schema's files, as protoc makes them, without source info: for
 * reflection and `caisson proto --descriptor`. */
#pragma once
#include "api/proto_schema.h"
#include "base/buf.h"

/* A FileDescriptorProto. */
void proto_descriptor_write_file(const ProtoFile *file, Buf *out);
/* A FileDescriptorSet: the contract's file, after everything that it imports. */
void proto_descriptor_write_set(const ProtoSchema *schema, Buf *out);

/* For reflection. NULL: none. */
const ProtoFile *proto_file_named(const ProtoSchema *schema, Str name);          /* "shop/v1/shop.proto" */
const ProtoFile *proto_file_of_symbol(const ProtoSchema *schema, Str full_name); /* a service, a method, a message, an enum, a field */
