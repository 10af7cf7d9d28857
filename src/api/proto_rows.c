/* proto_rows.c - enums, embedded types and resources as Protocol Buffers' types. */
#include "api/proto_build.h"
#include "contract/plural.h"
#include "query/rules.h"

/* ---- names ---- */

static Str symbol_of(ProtoBuilder *builder, Str name) {
  Str made = proto_type_name(builder, name);
  return proto_symbol(builder, &builder->symbols, made, made);
}

/* Names of the contract come first: what is made for a resource's methods makes way. */
static void take_names(ProtoBuilder *builder) {
  const Contract *contract = builder->contract;
  for (size_t i = 0; i < contract->resource_count; i++) builder->row_names[i] = symbol_of(builder, contract->resources[i]->name);
  for (size_t i = 0; i < contract->embedded_count; i++) builder->embedded_names[i] = symbol_of(builder, contract->embeddeds[i]->name);
  for (size_t i = 0; i < contract->enum_count; i++) builder->enum_names[i] = symbol_of(builder, contract->enums[i]->name);
}

static Str row_type(ProtoBuilder *builder, const Resource *resource) {
  return proto_full_name(builder, builder->row_names[resource->index]);
}

static Str enum_type(ProtoBuilder *builder, const EnumType *type) {
  for (size_t i = 0; i < builder->contract->enum_count; i++) {
    if (builder->contract->enums[i] == type) return proto_full_name(builder, builder->enum_names[i]);
  }
  return type->name;
}

static Str embedded_type(ProtoBuilder *builder, const Embedded *type) {
  for (size_t i = 0; i < builder->contract->embedded_count; i++) {
    if (builder->contract->embeddeds[i] == type) return proto_full_name(builder, builder->embedded_names[i]);
  }
  return type->name;
}

/* ---- enums ---- */

static void build_enum(ProtoBuilder *builder, const EnumType *source, Str name) {
  ProtoEnumDraft *type = proto_build_enum(builder, builder->own, NULL, name);
  if (type == NULL) return;
  type->type.source = source;
  type->type.description = source->description;
  type->next_number = proto_lock_next(builder->lock == NULL ? NULL : proto_lock_type(builder->lock, name, true));
  Str prefix = proto_upper_name(builder, name);
  Str zero = proto_text_of(builder, "%.*s_UNSPECIFIED", STR_ARGS(prefix));
  proto_build_value(builder, type, (ProtoEnumValue){.name = proto_symbol(builder, &builder->values, zero, zero)});
  for (size_t i = 0; i < source->value_count; i++) {
    const EnumValue *value = &source->values[i];
    Str upper = proto_upper_name(builder, value->name);
    Str full = proto_text_of(builder, "%.*s_%.*s", STR_ARGS(prefix), STR_ARGS(upper));
    proto_build_locked_value(builder, type,
                             (ProtoEnumValue){.name = proto_symbol(builder, &builder->values, full, full),
                                              .description = value->description,
                                              .is_deprecated = value->deprecation_reason.ptr != NULL,
                                              .value = value});
  }
  proto_build_reserved_values(builder, type);
}

/* ---- fields ---- */

static Str item_type(ProtoBuilder *builder, const Field *field) {
  switch (field->type) {
    case TYPE_INT: return STR("int32");
    case TYPE_BIGINT: return STR("int64");
    case TYPE_FLOAT: return STR("double");
    case TYPE_BOOLEAN: return STR("bool");
    case TYPE_DATETIME: return STR("google.protobuf.Timestamp");
    case TYPE_JSON: return STR("google.protobuf.Value");
    case TYPE_BYTES: return STR("bytes");
    case TYPE_ENUM: return enum_type(builder, field->enum_type);
    case TYPE_EMBEDDED: return embedded_type(builder, field->embedded);
    default: return STR("string"); /* ID, String, Decimal, Date, UUID, Email, URL */
  }
}

Str proto_stored_type(ProtoBuilder *builder, const Field *field) {
  Str item = item_type(builder, field);
  return field->is_list ? proto_text_of(builder, "repeated %.*s", STR_ARGS(item)) : item;
}

/* Where absent and zero differ (INTERFACE §5). */
static bool is_optional(const Field *field) {
  if (field->is_list || field->kind == FIELD_TO_MANY) return false;
  if (field->kind == FIELD_TO_ONE) return !field->relation->is_required;
  return !field->is_required || field->default_kind != DEFAULT_NONE || field_rule(field, RULE_READ) != NULL;
}

static Str field_type(ProtoBuilder *builder, const Field *field) {
  if (field->kind == FIELD_TO_MANY) return proto_text_of(builder, "repeated %.*s", STR_ARGS(row_type(builder, field->relation->source)));
  Str type = field->kind == FIELD_TO_ONE ? row_type(builder, field->relation->target) : proto_stored_type(builder, field);
  return is_optional(field) ? proto_text_of(builder, "optional %.*s", STR_ARGS(type)) : type;
}

static void build_field(ProtoBuilder *builder, ProtoMessageDraft *message, const Field *source) {
  Str name = proto_member_name(builder, message, source->name);
  Str former = source->renamed_from.ptr == NULL ? (Str){0} : proto_kept(builder, name_snake(source->renamed_from, builder->arena));
  ProtoField *field = proto_build_locked(builder, message, field_type(builder, source), name, former);
  field->field = source;
  field->description = source->description;
  proto_build_json_name(field, source->name);
  field->is_deprecated = source->deprecation_reason.ptr != NULL;
  field->is_input_only = source->is_hidden;
  field->is_output_only = source->kind != FIELD_STORED;
}

static ProtoMessageDraft *begin_message(ProtoBuilder *builder, Str name, Str description) {
  ProtoMessageDraft *message = proto_build_message(builder, builder->own, NULL, name);
  if (message == NULL) return NULL;
  message->message.description = description;
  proto_build_lock_message(builder, message);
  return message;
}

static void build_embedded(ProtoBuilder *builder, const Embedded *embedded, Str name) {
  ProtoMessageDraft *message = begin_message(builder, name, embedded->description);
  if (message == NULL) return;
  message->message.embedded = embedded;
  for (size_t i = 0; i < embedded->field_count; i++) build_field(builder, message, embedded->fields[i]);
  proto_build_reserved(builder, message);
}

static void build_row(ProtoBuilder *builder, const Resource *resource, Str name) {
  ProtoMessageDraft *message = begin_message(builder, name, resource->description);
  if (message == NULL) return;
  message->message.resource = resource;
  message->message.is_deprecated = resource->deprecation_reason.ptr != NULL;
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    /* A hidden relation can't be read, and is set by its key: there is nothing that it could be for. */
    if (field->kind == FIELD_STORED || !field->is_hidden) build_field(builder, message, field);
  }
  proto_build_reserved(builder, message);
}

void proto_build_rows(ProtoBuilder *builder) {
  const Contract *contract = builder->contract;
  take_names(builder);
  if (builder->has_no_memory) return;
  for (size_t i = 0; i < contract->resource_count; i++) build_row(builder, contract->resources[i], builder->row_names[i]);
  for (size_t i = 0; i < contract->embedded_count; i++) build_embedded(builder, contract->embeddeds[i], builder->embedded_names[i]);
  for (size_t i = 0; i < contract->enum_count; i++) build_enum(builder, contract->enums[i], builder->enum_names[i]);
}
