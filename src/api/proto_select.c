/* proto_select.c - a read mask's paths put together to a selection, in the order of the contract whatever the order of the paths. */
#include "api/proto_select.h"

#include "base/utf8.h"
#include "contract/nearest.h"

/* What is wanted of one resource: by Field.index. */
typedef struct Wanted {
  const ProtoResource *resource;
  SelectionItem *items;
  struct Wanted **nested; /* of relations */
  bool is_whole;          /* every stored field besides */
} Wanted;

typedef struct MaskReader {
  const ProtoSchema *schema;
  Arena *arena;
  size_t nesting_max;
  Error *err;
} MaskReader;

static Wanted *wanted_of(const MaskReader *reader, const Resource *resource) {
  Wanted *wanted = ARENA_NEW(reader->arena, Wanted);
  if (wanted == NULL) return NULL;
  wanted->resource = &reader->schema->resources[resource->index];
  wanted->items = ARENA_ARRAY(reader->arena, SelectionItem, resource->field_count + 1);
  wanted->nested = ARENA_ARRAY(reader->arena, Wanted *, resource->field_count + 1);
  return wanted->items == NULL || wanted->nested == NULL ? NULL : wanted;
}

static Code refuse_unknown(const MaskReader *reader, const ProtoMessage *message, Str name) {
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < message->field_count; i++) {
    if (!message->fields[i].is_input_only) nearest_offer(&nearest, message->fields[i].name);
  }
  Str hint = nearest_hint(&nearest, reader->arena);
  Str shown = utf8_cut(name, 64);
  return error_set(reader->err, CODE_BAD_REQUEST, "read_mask: %.*s has no field \"%.*s\"%s%.*s", STR_ARGS(message->name), STR_ARGS(shown),
                   hint.len > 0 ? ": " : "", STR_ARGS(hint));
}

/* An embedded object is given whole; but the member must be one. */
static Code check_members(const MaskReader *reader, const ProtoMessage *message, Str path) {
  Str name;
  while (str_split_next(&path, '.', &name)) {
    const ProtoField *field = message == NULL ? NULL : proto_field(message, name);
    if (message == NULL || message->embedded == NULL)
      return error_set(reader->err, CODE_BAD_REQUEST, "read_mask: a value has no fields of its own");
    if (field == NULL || field->is_input_only) return refuse_unknown(reader, message, name);
    message = field->message;
  }
  return CODE_OK;
}

static Code want_path(const MaskReader *reader, Wanted *wanted, Str path, size_t depth);

static Code want_relation(const MaskReader *reader, Wanted *wanted, const ProtoField *proto, Str rest, size_t depth) {
  const Field *field = proto->field;
  const Resource *other = field->kind == FIELD_TO_ONE ? field->relation->target : field->relation->source;
  if (depth >= reader->nesting_max)
    return error_set(reader->err, CODE_BAD_REQUEST, "read_mask: relations are nested deeper than %zu (--nesting-max)", reader->nesting_max);
  Wanted **nested = &wanted->nested[field->index];
  if (*nested == NULL) *nested = wanted_of(reader, other);
  if (*nested == NULL) return error_no_memory(reader->err);
  return want_path(reader, *nested, rest.ptr == NULL ? STR("*") : rest, depth + 1);
}

static Code want_path(const MaskReader *reader, Wanted *wanted, Str path, size_t depth) {
  const ProtoMessage *row = wanted->resource->row;
  Str rest = path, name;
  if (!str_split_next(&rest, '.', &name)) name = path;
  if (str_equal(name, STR("*")) && rest.ptr == NULL) {
    wanted->is_whole = true;
    return CODE_OK;
  }
  const ProtoField *proto = proto_field(row, name);
  if (proto == NULL || proto->is_input_only) return refuse_unknown(reader, row, name);
  if (proto->field->kind != FIELD_STORED) return want_relation(reader, wanted, proto, rest, depth);
  wanted->items[proto->field->index] = (SelectionItem){.field = proto->field, .name = proto->field->name, .face = proto};
  return rest.ptr == NULL ? CODE_OK : check_members(reader, proto->message, rest);
}

static bool is_whole(const Selection *whole, const SelectionItem *items, size_t count) {
  if (count != whole->count) return false;
  for (size_t i = 0; i < count; i++) {
    if (items[i].field != whole->items[i].field) return false;
  }
  return true;
}

/* Recursion is bounded by nesting_max. */
static Code settle(const MaskReader *reader, Wanted *wanted, Selection **ret) {
  const Resource *resource = wanted->resource->resource;
  const Selection *whole = wanted->resource->whole;
  SelectionItem *items = wanted->items;
  for (size_t i = 0; wanted->is_whole && i < whole->count; i++) items[whole->items[i].field->index] = whole->items[i];
  size_t count = 0;
  for (size_t i = 0; i < resource->field_count; i++) {
    SelectionItem item = items[i];
    if (wanted->nested[i] != NULL) {
      const Field *field = resource->fields[i];
      item = (SelectionItem){.field = field, .name = field->name, .face = wanted->resource->row_fields[i]};
      TRY(settle(reader, wanted->nested[i], &item.nested));
    }
    if (item.field != NULL) items[count++] = item;
  }
  Selection *selection = ARENA_NEW(reader->arena, Selection);
  if (selection == NULL) return error_no_memory(reader->err);
  *selection =
      (Selection){.resource = resource, .items = items, .count = count, .list = {.limit = -1}, .is_whole = is_whole(whole, items, count)};
  *ret = selection;
  return CODE_OK;
}

Code proto_select(const ProtoSchema *schema, const Resource *resource, const ProtoDatum *paths, size_t count, size_t nesting_max,
                  Arena *arena, Selection **ret, Error *err) {
  MaskReader reader = {.schema = schema, .arena = arena, .nesting_max = nesting_max, .err = err};
  if (count == 0) {
    *ret = schema->resources[resource->index].whole;
    return CODE_OK;
  }
  Wanted *wanted = wanted_of(&reader, resource);
  if (wanted == NULL) return error_no_memory(err);
  for (size_t i = 0; i < count; i++) TRY(want_path(&reader, wanted, paths[i].text, 0));
  return settle(&reader, wanted, ret);
}
