/* rest_fields.c - `fields=id,name,category(name),reviews(stars,text)`: a selection, in the contract's order whatever the order of the
 * names. */
#include "api/rest_query_parts.h"

#include <assert.h>

typedef struct FieldsReader {
  RestDecoder *decoder;
  const RestParam *param;
  Str text;
  size_t at;
} FieldsReader;

static Code parse_selection(FieldsReader *reader, const RestResource *resource, size_t depth, Selection **ret);

static void skip_spaces(FieldsReader *reader) {
  while (reader->at < reader->text.len && reader->text.ptr[reader->at] == ' ') reader->at++;
}

static bool take_byte(FieldsReader *reader, char byte) {
  skip_spaces(reader);
  if (reader->at >= reader->text.len || reader->text.ptr[reader->at] != byte) return false;
  reader->at++;
  return true;
}

static bool is_name_byte(char byte) { return byte != ',' && byte != '(' && byte != ')' && byte != ' '; }

static Str take_name(FieldsReader *reader) {
  skip_spaces(reader);
  size_t begin = reader->at;
  while (reader->at < reader->text.len && is_name_byte(reader->text.ptr[reader->at])) reader->at++;
  return str_slice(reader->text, begin, reader->at);
}

static Code refuse(FieldsReader *reader, Str hint, const char *what) {
  return rest_refuse(reader->decoder, CODE_BAD_REQUEST, hint, "fields, column %zu: %s", reader->at + 1, what);
}

/* The rows of a relation that has no parentheses: whole. Its list is the request's own. */
static Selection *whole_copy(FieldsReader *reader, const RestResource *resource) {
  assert(resource->whole != NULL);
  Selection *selection = ARENA_NEW(reader->decoder->arena, Selection);
  if (selection != NULL) *selection = *resource->whole;
  return selection;
}

static Code parse_relation(FieldsReader *reader, const Field *field, size_t depth, SelectionItem *ret) {
  const Relation *relation = field->relation;
  const Resource *other = field->kind == FIELD_TO_ONE ? relation->target : relation->source;
  const RestResource *nested = rest_map_at(reader->decoder->map, other);
  if (ret->field != NULL) return refuse(reader, (Str){0}, "a relation is named twice");
  size_t depth_max = reader->decoder->limits->nesting_max;
  if (depth >= depth_max)
    return rest_refuse(reader->decoder, CODE_BAD_REQUEST, (Str){0},
                       "fields, column %zu: relations are nested deeper than %zu (--nesting-max)", reader->at + 1, depth_max);
  Selection *selection = NULL;
  if (take_byte(reader, '(')) {
    TRY(parse_selection(reader, nested, depth + 1, &selection));
    if (!take_byte(reader, ')')) return refuse(reader, (Str){0}, "a closing parenthesis is missing");
  }
  /* What is shared has no room for this list's own order and page. */
  if (selection == NULL || selection == nested->whole) selection = whole_copy(reader, nested);
  if (selection == NULL) return rest_no_memory(reader->decoder);
  *ret = (SelectionItem){.field = field, .name = field->name, .nested = selection, .face = rest_map_key(reader->decoder->map, field)};
  return CODE_OK;
}

static Code parse_item(FieldsReader *reader, const RestResource *resource, size_t depth, SelectionItem *slots) {
  const RestMap *map = reader->decoder->map;
  Str name = take_name(reader);
  if (str_equal(name, STR("*"))) {
    for (size_t i = 0; i < resource->whole->count; i++) slots[resource->whole->items[i].field->index] = resource->whole->items[i];
    return CODE_OK;
  }
  if (name.len == 0) return refuse(reader, (Str){0}, "the name of a field is missing");
  const Field *field = resource_field(resource->resource, name);
  if (field == NULL || field->is_hidden) return rest_refuse_unknown_field(reader->decoder, resource->resource, name, reader->param);
  if (field->kind != FIELD_STORED) return parse_relation(reader, field, depth, &slots[field->index]);
  slots[field->index] = (SelectionItem){.field = field, .name = field->name, .face = rest_map_key(map, field)};
  if (take_byte(reader, '(')) return refuse(reader, (Str){0}, "only a relation has fields of its own; an embedded object is given whole");
  return CODE_OK;
}

/* Moves what was named to the front; the slots stand in the contract's order. */
static size_t compact(SelectionItem *slots, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (slots[i].field != NULL) slots[kept++] = slots[i];
  }
  return kept;
}

static bool is_whole(const Selection *whole, const SelectionItem *items, size_t count) {
  if (count != whole->count) return false;
  for (size_t i = 0; i < count; i++) {
    if (items[i].field != whole->items[i].field) return false;
  }
  return true;
}

static Code parse_selection(FieldsReader *reader, const RestResource *resource, size_t depth, Selection **ret) {
  Arena *arena = reader->decoder->arena;
  size_t slot_count = resource->resource->field_count;
  SelectionItem *slots = ARENA_ARRAY(arena, SelectionItem, slot_count + 1);
  if (slots == NULL) return rest_no_memory(reader->decoder);
  do TRY(parse_item(reader, resource, depth, slots));
  while (take_byte(reader, ','));
  size_t count = compact(slots, slot_count);
  if (is_whole(resource->whole, slots, count)) {
    *ret = resource->whole;
    return CODE_OK;
  }
  Selection *selection = ARENA_NEW(arena, Selection);
  if (selection == NULL) return rest_no_memory(reader->decoder);
  *selection = (Selection){.resource = resource->resource, .items = slots, .count = count, .list = {.limit = -1}};
  *ret = selection;
  return CODE_OK;
}

Code rest_fields_parse(RestDecoder *decoder, const RestResource *resource, const RestParam *param, Selection **ret) {
  FieldsReader reader = {.decoder = decoder, .param = param, .text = param->value};
  Selection *selection = NULL;
  TRY(parse_selection(&reader, resource, 0, &selection));
  skip_spaces(&reader);
  if (reader.at < reader.text.len) return refuse(&reader, STR("separate fields by commas"), "a comma is expected");
  *ret = selection;
  return CODE_OK;
}
