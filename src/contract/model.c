/* model.c - what can be asked of a field's type. */
#include "contract/model.h"

#include "base/datetime.h"
#include "contract/scalar.h"

static const struct {
  Str name;
  ValueType value_type;
} scalars[TYPE_COUNT] = {
    [TYPE_ID] = {STR_INIT("ID"), VALUE_TEXT},           [TYPE_STRING] = {STR_INIT("String"), VALUE_TEXT},
    [TYPE_INT] = {STR_INIT("Int"), VALUE_INT},          [TYPE_BIGINT] = {STR_INIT("BigInt"), VALUE_INT},
    [TYPE_FLOAT] = {STR_INIT("Float"), VALUE_FLOAT},    [TYPE_DECIMAL] = {STR_INIT("Decimal"), VALUE_DECIMAL},
    [TYPE_BOOLEAN] = {STR_INIT("Boolean"), VALUE_BOOL}, [TYPE_DATETIME] = {STR_INIT("DateTime"), VALUE_TIMESTAMP},
    [TYPE_DATE] = {STR_INIT("Date"), VALUE_DATE},       [TYPE_UUID] = {STR_INIT("UUID"), VALUE_TEXT},
    [TYPE_JSON] = {STR_INIT("JSON"), VALUE_JSON},       [TYPE_BYTES] = {STR_INIT("Bytes"), VALUE_BYTES},
    [TYPE_EMAIL] = {STR_INIT("Email"), VALUE_TEXT},     [TYPE_URL] = {STR_INIT("URL"), VALUE_TEXT},
    [TYPE_ENUM] = {STR_INIT(""), VALUE_TEXT},           [TYPE_EMBEDDED] = {STR_INIT(""), VALUE_JSON},
};

bool scalar_by_name(Str name, FieldType *ret) {
  for (FieldType type = 0; type < TYPE_ENUM; type++) {
    if (!str_equal(scalars[type].name, name)) continue;
    *ret = type;
    return true;
  }
  return false;
}

Str scalar_name(FieldType type) { return scalars[type].name; }

ValueType field_value_type(const Field *field) { return field->is_list ? VALUE_JSON : scalars[field->type].value_type; }

Str field_type_name(const Field *field) {
  if (field->kind != FIELD_STORED) return field->kind == FIELD_TO_ONE ? field->relation->target->name : field->relation->source->name;
  if (field->type == TYPE_ENUM) return field->enum_type->name;
  if (field->type == TYPE_EMBEDDED) return field->embedded->name;
  return scalars[field->type].name;
}

bool contract_moment(Str text, int64_t *ret_us) {
  int64_t days = 0;
  if (!date_parse(text, &days)) return timestamp_parse(text, ret_us);
  *ret_us = days * 86400 * 1000000;
  return true;
}

bool contract_has_type(const Contract *contract, Str name) {
  if (contract_resource(contract, name) != NULL) return true;
  for (size_t i = 0; i < contract->enum_count; i++) {
    if (str_equal(contract->enums[i]->name, name)) return true;
  }
  for (size_t i = 0; i < contract->embedded_count; i++) {
    if (str_equal(contract->embeddeds[i]->name, name)) return true;
  }
  return false;
}
