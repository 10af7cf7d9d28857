/* check_layout.c - the model's lists and maps, now that every field is known: fields in the contract's order with a relation's key fields
 * behind it, stored fields as a whole row has them, keys, referrers, and the contract's own lists. */
#include "contract/check.h"

static Code add_field(CheckedType *type, Field *field, const Field **fields, const Field **stored, Error *err) {
  Resource *resource = type->resource;
  field->resource = resource;
  field->index = (uint32_t)resource->field_count;
  fields[resource->field_count++] = field;
  if (field->kind == FIELD_STORED) {
    field->stored_index = (uint32_t)resource->stored_count;
    stored[resource->stored_count++] = field;
  }
  return map_put(&resource->field_by_name, field->name, field) ? CODE_OK : error_no_memory(err);
}

static Code lay_out_resource(Checker *checker, CheckedType *type, Error *err) {
  Resource *resource = type->resource;
  size_t count = type->field_count + type->implied_by_name.count;
  const Field **fields = ARENA_ARRAY(checker->arena, const Field *, count);
  const Field **stored = ARENA_ARRAY(checker->arena, const Field *, count);
  if (fields == NULL || stored == NULL) return error_no_memory(err);
  resource->field_by_name = map_on(checker->arena);
  resource->fields = fields;
  resource->stored = stored;
  for (size_t i = 0; i < type->field_count; i++) {
    CheckedField *checked = &type->fields[i];
    if (checked->field == NULL) continue;
    TRY(add_field(type, checked->field, fields, stored, err));
    for (size_t j = 0; j < checked->key_count; j++) {
      if (checked->owns_key[j] && resource->field_count < count) TRY(add_field(type, checked->keys[j], fields, stored, err));
    }
  }
  return CODE_OK;
}

static Code lay_out_embedded(Checker *checker, CheckedType *type, Error *err) {
  Embedded *embedded = type->embedded;
  const Field **fields = ARENA_ARRAY(checker->arena, const Field *, type->field_count);
  TRY_ALLOC(fields);
  embedded->field_by_name = map_on(checker->arena);
  embedded->fields = fields;
  for (size_t i = 0; i < type->field_count; i++) {
    Field *field = type->fields[i].field;
    if (field == NULL) continue;
    field->index = (uint32_t)embedded->field_count;
    fields[embedded->field_count++] = field;
    if (!map_put(&embedded->field_by_name, field->name, field)) return error_no_memory(err);
  }
  return CODE_OK;
}

/* Two rounds over the relations: how many refer to each resource, then which. */
static Code lay_out_referrers(Checker *checker, Error *err) {
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < checker->type_count; i++) {
      CheckedType *type = &checker->types[i];
      for (size_t j = 0; type->kind == CHECKED_RESOURCE && j < type->field_count; j++) {
        CheckedField *checked = &type->fields[j];
        if (checked->field == NULL || checked->field->kind != FIELD_TO_ONE) continue;
        Resource *target = checked->target->resource;
        if (round == 1) ((const Relation **)target->referrers)[target->referrer_count] = checked->relation;
        target->referrer_count++;
      }
    }
    for (size_t i = 0; round == 0 && i < checker->type_count; i++) {
      Resource *resource = checker->types[i].resource;
      if (resource == NULL) continue;
      resource->referrers = (const Relation *const *)ARENA_ARRAY(checker->arena, const Relation *, resource->referrer_count);
      TRY_ALLOC(resource->referrers);
      resource->referrer_count = 0;
    }
  }
  return CODE_OK;
}

static Code lay_out_contract(Checker *checker, Error *err) {
  Contract *contract = checker->contract;
  const Resource **resources = ARENA_ARRAY(checker->arena, const Resource *, checker->type_count);
  const EnumType **enums = ARENA_ARRAY(checker->arena, const EnumType *, checker->type_count);
  const Embedded **embeddeds = ARENA_ARRAY(checker->arena, const Embedded *, checker->type_count);
  if (resources == NULL || enums == NULL || embeddeds == NULL) return error_no_memory(err);
  contract->resource_by_name = map_on(checker->arena);
  for (size_t i = 0; i < checker->type_count; i++) {
    CheckedType *type = &checker->types[i];
    if (type->enum_type != NULL) enums[contract->enum_count++] = type->enum_type;
    if (type->embedded != NULL) embeddeds[contract->embedded_count++] = type->embedded;
    if (type->resource == NULL) continue;
    type->resource->index = (uint32_t)contract->resource_count;
    resources[contract->resource_count++] = type->resource;
    if (!map_put(&contract->resource_by_name, type->resource->name, type->resource)) return error_no_memory(err);
  }
  contract->resources = resources;
  contract->enums = enums;
  contract->embeddeds = embeddeds;
  return CODE_OK;
}

Code check_layout(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    CheckedType *type = &checker->types[i];
    if (type->kind == CHECKED_RESOURCE) TRY(lay_out_resource(checker, type, err));
    if (type->kind == CHECKED_EMBEDDED) TRY(lay_out_embedded(checker, type, err));
  }
  TRY(lay_out_referrers(checker, err));
  return lay_out_contract(checker, err);
}
