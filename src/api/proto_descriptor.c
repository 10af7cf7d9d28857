/* proto_descriptor.c - a schema's files as descriptors, field by field as google/protobuf/descriptor.proto numbers them. */
#include "api/proto_descriptor.h"

#include "codec/protobuf.h"

enum { LABEL_OPTIONAL = 1, LABEL_REPEATED = 3 };

/* FileDescriptorProto */
enum {
  FILE_NAME = 1,
  FILE_PACKAGE = 2,
  FILE_DEPENDENCY = 3,
  FILE_MESSAGE = 4,
  FILE_ENUM = 5,
  FILE_SERVICE = 6,
  FILE_OPTIONS = 8,
  FILE_SYNTAX = 12
};
/* DescriptorProto */
enum {
  MESSAGE_NAME = 1,
  MESSAGE_FIELD = 2,
  MESSAGE_NESTED = 3,
  MESSAGE_ENUM = 4,
  MESSAGE_OPTIONS = 7,
  MESSAGE_ONEOF = 8,
  MESSAGE_RESERVED_RANGE = 9,
  MESSAGE_RESERVED_NAME = 10
};
enum { MESSAGE_OPTION_DEPRECATED = 3, MESSAGE_OPTION_MAP_ENTRY = 7 };
/* FieldDescriptorProto */
enum {
  FIELD_NAME = 1,
  FIELD_NUMBER = 3,
  FIELD_LABEL = 4,
  FIELD_TYPE = 5,
  FIELD_TYPE_NAME = 6,
  FIELD_OPTIONS = 8,
  FIELD_ONEOF_INDEX = 9,
  FIELD_JSON_NAME = 10,
  FIELD_PROTO3_OPTIONAL = 17
};
enum { FIELD_OPTION_DEPRECATED = 3 };
/* EnumDescriptorProto, EnumValueDescriptorProto */
enum {
  ENUM_NAME = 1,
  ENUM_VALUE = 2,
  ENUM_RESERVED_RANGE = 4,
  ENUM_RESERVED_NAME = 5,
  VALUE_NAME = 1,
  VALUE_NUMBER = 2,
  VALUE_OPTIONS = 3
};
enum { VALUE_OPTION_DEPRECATED = 1 };
/* ServiceDescriptorProto, MethodDescriptorProto */
enum { SERVICE_NAME = 1, SERVICE_METHOD = 2, SERVICE_OPTIONS = 3, SERVICE_OPTION_DEPRECATED = 33 };
enum { METHOD_NAME = 1, METHOD_INPUT = 2, METHOD_OUTPUT = 3, METHOD_OPTIONS = 4, METHOD_CLIENT_STREAMING = 5, METHOD_SERVER_STREAMING = 6 };
enum { METHOD_OPTION_IDEMPOTENCY = 34, METHOD_NO_SIDE_EFFECTS = 1 };

/* An options message that says one thing. */
static void add_option(Buf *out, uint32_t record, uint32_t option) {
  size_t begin = protobuf_begin(out, record);
  protobuf_add_bool(out, option, true);
  protobuf_end(out, begin);
}

/* ".shop.v1.Product" */
static void add_type_name(Buf *out, uint32_t number, Str full_name) {
  size_t begin = protobuf_begin(out, number);
  buf_add_byte(out, '.');
  buf_add(out, full_name);
  protobuf_end(out, begin);
}

static void write_field(const ProtoField *field, size_t synthetic, Buf *out) {
  size_t begin = protobuf_begin(out, MESSAGE_FIELD);
  protobuf_add_bytes(out, FIELD_NAME, field->name);
  protobuf_add_uint(out, FIELD_NUMBER, field->number);
  protobuf_add_uint(out, FIELD_LABEL, field->is_repeated ? LABEL_REPEATED : LABEL_OPTIONAL);
  protobuf_add_uint(out, FIELD_TYPE, field->type);
  if (field->message != NULL) add_type_name(out, FIELD_TYPE_NAME, field->message->full_name);
  if (field->enum_type != NULL) add_type_name(out, FIELD_TYPE_NAME, field->enum_type->full_name);
  if (field->is_deprecated) add_option(out, FIELD_OPTIONS, FIELD_OPTION_DEPRECATED);
  if (field->oneof != PROTO_NO_ONEOF) protobuf_add_uint(out, FIELD_ONEOF_INDEX, (uint64_t)field->oneof);
  if (field->is_optional) protobuf_add_uint(out, FIELD_ONEOF_INDEX, synthetic);
  protobuf_add_bytes(out, FIELD_JSON_NAME, field->json_name);
  if (field->is_optional) protobuf_add_bool(out, FIELD_PROTO3_OPTIONAL, true);
  protobuf_end(out, begin);
}

static void write_oneof(Buf *out, const char *before, Str name) {
  size_t begin = protobuf_begin(out, MESSAGE_ONEOF), inner = protobuf_begin(out, 1);
  buf_add(out, str_of(before));
  buf_add(out, name);
  protobuf_end(out, inner);
  protobuf_end(out, begin);
}

/* A message's range ends before its end, an enum's with it. */
static void write_reserved(const uint32_t *numbers, size_t count, uint32_t record, uint32_t beyond, Buf *out) {
  for (size_t i = 0; i < count;) {
    size_t run = 1;
    while (i + run < count && numbers[i + run] == numbers[i] + run) run++;
    size_t begin = protobuf_begin(out, record);
    protobuf_add_uint(out, 1, numbers[i]);
    protobuf_add_uint(out, 2, numbers[i] + run - 1 + beyond);
    protobuf_end(out, begin);
    i += run;
  }
}

static void write_enum(const ProtoEnum *type, uint32_t record, Buf *out) {
  size_t begin = protobuf_begin(out, record);
  protobuf_add_bytes(out, ENUM_NAME, type->name);
  for (size_t i = 0; i < type->value_count; i++) {
    size_t value = protobuf_begin(out, ENUM_VALUE);
    protobuf_add_bytes(out, VALUE_NAME, type->values[i].name);
    protobuf_add_int(out, VALUE_NUMBER, type->values[i].number);
    if (type->values[i].is_deprecated) add_option(out, VALUE_OPTIONS, VALUE_OPTION_DEPRECATED);
    protobuf_end(out, value);
  }
  write_reserved(type->reserved_numbers, type->reserved_number_count, ENUM_RESERVED_RANGE, 0, out);
  for (size_t i = 0; i < type->reserved_name_count; i++) protobuf_add_bytes(out, ENUM_RESERVED_NAME, type->reserved_names[i]);
  protobuf_end(out, begin);
}

/* Recursion goes as deep as the schema's own nesting: a map's entry in a group in a response. */
static void write_message(const ProtoMessage *message, uint32_t record, Buf *out) {
  size_t begin = protobuf_begin(out, record), synthetic = message->oneof_count;
  protobuf_add_bytes(out, MESSAGE_NAME, message->name);
  for (size_t i = 0; i < message->field_count; i++) {
    write_field(&message->fields[i], synthetic, out);
    if (message->fields[i].is_optional) synthetic++;
  }
  for (size_t i = 0; i < message->message_count; i++) write_message(message->messages[i], MESSAGE_NESTED, out);
  for (size_t i = 0; i < message->enum_count; i++) write_enum(message->enums[i], MESSAGE_ENUM, out);
  if (message->is_deprecated) add_option(out, MESSAGE_OPTIONS, MESSAGE_OPTION_DEPRECATED);
  if (message->is_map_entry) add_option(out, MESSAGE_OPTIONS, MESSAGE_OPTION_MAP_ENTRY);
  for (size_t i = 0; i < message->oneof_count; i++) write_oneof(out, "", message->oneofs[i]);
  /* `optional` is a oneof of one, behind those that are declared. */
  for (size_t i = 0; i < message->field_count; i++) {
    if (message->fields[i].is_optional) write_oneof(out, "_", message->fields[i].name);
  }
  write_reserved(message->reserved_numbers, message->reserved_number_count, MESSAGE_RESERVED_RANGE, 1, out);
  for (size_t i = 0; i < message->reserved_name_count; i++) protobuf_add_bytes(out, MESSAGE_RESERVED_NAME, message->reserved_names[i]);
  protobuf_end(out, begin);
}

static void write_method(const ProtoMethod *method, Buf *out) {
  size_t begin = protobuf_begin(out, SERVICE_METHOD);
  protobuf_add_bytes(out, METHOD_NAME, method->name);
  add_type_name(out, METHOD_INPUT, method->request->full_name);
  add_type_name(out, METHOD_OUTPUT, method->response->full_name);
  if (method->is_read) {
    size_t options = protobuf_begin(out, METHOD_OPTIONS);
    protobuf_add_uint(out, METHOD_OPTION_IDEMPOTENCY, METHOD_NO_SIDE_EFFECTS);
    protobuf_end(out, options);
  }
  if (method->is_client_streaming) protobuf_add_bool(out, METHOD_CLIENT_STREAMING, true);
  if (method->is_server_streaming) protobuf_add_bool(out, METHOD_SERVER_STREAMING, true);
  protobuf_end(out, begin);
}

static void write_service(const ProtoService *service, Buf *out) {
  size_t begin = protobuf_begin(out, FILE_SERVICE);
  protobuf_add_bytes(out, SERVICE_NAME, service->name);
  for (size_t i = 0; i < service->method_count; i++) write_method(&service->methods[i], out);
  if (service->is_deprecated) add_option(out, SERVICE_OPTIONS, SERVICE_OPTION_DEPRECATED);
  protobuf_end(out, begin);
}

static void write_options(const ProtoFile *file, Buf *out) {
  if (file->option_count == 0) return;
  size_t begin = protobuf_begin(out, FILE_OPTIONS);
  for (size_t i = 0; i < file->option_count; i++) {
    const ProtoFileOption *option = &file->options[i];
    if (option->text.ptr == NULL)
      protobuf_add_bool(out, option->number, true);
    else
      protobuf_add_bytes(out, option->number, option->text);
  }
  protobuf_end(out, begin);
}

void proto_descriptor_write_file(const ProtoFile *file, Buf *out) {
  protobuf_add_bytes(out, FILE_NAME, file->name);
  protobuf_add_bytes(out, FILE_PACKAGE, file->package);
  for (size_t i = 0; i < file->import_count; i++) protobuf_add_bytes(out, FILE_DEPENDENCY, file->imports[i]->name);
  for (size_t i = 0; i < file->message_count; i++) write_message(file->messages[i], FILE_MESSAGE, out);
  for (size_t i = 0; i < file->enum_count; i++) write_enum(file->enums[i], FILE_ENUM, out);
  for (size_t i = 0; i < file->service_count; i++) write_service(file->services[i], out);
  write_options(file, out);
  protobuf_add_bytes(out, FILE_SYNTAX, STR("proto3"));
}

static void write_in_set(const ProtoFile *file, Buf *out) {
  size_t begin = protobuf_begin(out, 1);
  proto_descriptor_write_file(file, out);
  protobuf_end(out, begin);
}

void proto_descriptor_write_set(const ProtoSchema *schema, Buf *out) {
  /* What is imported imports nothing of ours: google's files stand alone. */
  for (size_t i = 0; i < schema->file->import_count; i++) write_in_set(schema->file->imports[i], out);
  write_in_set(schema->file, out);
}

/* ---- for reflection ---- */

const ProtoFile *proto_file_named(const ProtoSchema *schema, Str name) {
  for (size_t i = 0; i < schema->file_count; i++) {
    if (str_equal(schema->files[i]->name, name)) return schema->files[i];
  }
  return NULL;
}

static const ProtoFile *file_of_type(const ProtoSchema *schema, Str name) {
  const ProtoMessage *message = map_get(&schema->messages, name);
  const ProtoEnum *type = message != NULL ? NULL : map_get(&schema->enums, name);
  const ProtoService *service = message != NULL || type != NULL ? NULL : map_get(&schema->services, name);
  return message != NULL ? message->file : type != NULL ? type->file : service != NULL ? service->file : NULL;
}

static bool has_member(const ProtoSchema *schema, Str scope, Str name) {
  const ProtoMessage *message = map_get(&schema->messages, scope);
  const ProtoField *field = message == NULL ? NULL : proto_field(message, name);
  if (field != NULL && str_equal(field->name, name)) return true;
  const ProtoService *service = map_get(&schema->services, scope);
  for (size_t i = 0; service != NULL && i < service->method_count; i++) {
    if (str_equal(service->methods[i].name, name)) return true;
  }
  return false;
}

const ProtoFile *proto_file_of_symbol(const ProtoSchema *schema, Str full_name) {
  const ProtoFile *file = file_of_type(schema, full_name);
  if (file != NULL) return file;
  size_t dot = full_name.len;
  while (dot > 0 && full_name.ptr[dot - 1] != '.') dot--;
  if (dot == 0) return NULL;
  Str scope = str_slice(full_name, 0, dot - 1), name = str_slice(full_name, dot, full_name.len);
  return has_member(schema, scope, name) ? file_of_type(schema, scope) : NULL;
}
