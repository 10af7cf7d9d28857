/* fuzz_contract.c - a contract: whatever it is, it is loaded or refused, twice alike, and with CR LF line ends as with LF. A refused one
 * has its mistakes in the order of the source, each at a place that exists; an accepted one says of itself the same facts again. */
#include <string.h>

#include "base/utf8.h"
#include "contract/load.h"
#include "property.h"

enum { FACTS_BYTES_MAX = 16 << 20 };

static void add_field(Buf *out, const Field *field) {
  Str type = field_type_name(field);
  buf_printf(out, "  %.*s %d %.*s %d%d%d %d%d%d%d%d%d%d", STR_ARGS(field->name), (int)field->kind, STR_ARGS(type), field->is_list,
             field->is_item_required, field->is_required, field->is_key, field->is_server_made, field->is_unique, field->is_readonly,
             field->is_immutable, field->is_hidden, field->is_relation_key);
  buf_printf(out, " [%.*s] [%.*s] %lld..%lld /%.*s/ %d.%d", STR_ARGS(field->column), STR_ARGS(field->column_type),
             (long long)field->length_min, (long long)field->length_max, STR_ARGS(field->pattern), (int)field->precision,
             (int)field->scale);
  buf_printf(out, " default %d ", (int)field->default_kind);
  if (field->default_kind == DEFAULT_VALUE) json_write(out, &field->default_value);
  for (int i = 0; i < RULE_COUNT; i++) buf_add_byte(out, field->access[i] == NULL ? '-' : '+');
  buf_printf(out, " at %u:%u \"%.*s\"\n", field->place.line, field->place.column, STR_ARGS(field->description));
}

static void add_resource(Buf *out, const Resource *resource) {
  buf_printf(out, "%.*s /%.*s [%.*s] %.*s %.*s at %u:%u\n", STR_ARGS(resource->name), STR_ARGS(resource->path), STR_ARGS(resource->table),
             STR_ARGS(resource->singular), STR_ARGS(resource->plural), resource->place.line, resource->place.column);
  for (size_t i = 0; i < resource->field_count; i++) {
    PROPERTY(resource->fields[i]->index == i && resource_field(resource, resource->fields[i]->name) == resource->fields[i]);
    add_field(out, resource->fields[i]);
  }
  for (size_t i = 0; i < resource->stored_count; i++)
    PROPERTY(resource->stored[i]->stored_index == i && resource->stored[i]->kind == FIELD_STORED);
  for (size_t i = 0; i < resource->key_count; i++) PROPERTY(resource->keys[i]->is_key && resource->keys[i]->is_required);
  for (size_t i = 0; i < RULE_COUNT; i++) buf_printf(out, " %d:%.*s", resource->access[i] != NULL, STR_ARGS(resource->access_source[i]));
  buf_printf(out, " %zu %zu %zu %zu\n", resource->unique_count, resource->index_count, resource->check_count, resource->referrer_count);
}

static void add_mistakes(Buf *out, const DiagnosticList *list) {
  for (size_t i = 0; i < list->count; i++) {
    const Diagnostic *mistake = &list->items[i];
    PROPERTY(mistake->place.line >= 1 && mistake->place.column >= 1 && mistake->width >= 1 && mistake->message.len > 0);
    if (i > 0) {
      const SourcePlace *before = &list->items[i - 1].place;
      PROPERTY(before->line < mistake->place.line || (before->line == mistake->place.line && before->column <= mistake->place.column));
    }
    if (utf8_is_valid(mistake->line_text)) PROPERTY(mistake->place.column <= utf8_length(mistake->line_text) + 1);
    buf_printf(out, "%u:%u %.*s = %.*s\n", mistake->place.line, mistake->place.column, STR_ARGS(mistake->message), STR_ARGS(mistake->hint));
  }
  Buf text = buf_on(out->arena, FACTS_BYTES_MAX);
  diagnostics_write(&text, list, false);
  PROPERTY(text.failed == CODE_OK && utf8_is_valid(buf_str(&text)));
}

/* All that is known of the text, as a text. */
static Str facts_of(Str text, Arena *arena, Code *ret_code) {
  Contract *contract = NULL;
  DiagnosticList list = {0};
  Error err = {0};
  ContractFile file = {STR("fuzz.graphql"), text};
  Buf out = buf_on(arena, FACTS_BYTES_MAX);
  *ret_code = contract_load(&file, 1, arena, &contract, &list, &err);
  PROPERTY(*ret_code == CODE_OK || *ret_code == CODE_VALIDATION_FAILED);
  PROPERTY((*ret_code == CODE_OK) == (list.count == 0));
  add_mistakes(&out, &list);
  if (*ret_code == CODE_OK) {
    buf_printf(&out, "%.*s %.*s\n", STR_ARGS(contract->service_name), STR_ARGS(contract->service_version));
    for (size_t i = 0; i < contract->resource_count; i++) add_resource(&out, contract->resources[i]);
    contract_destroy(contract);
  }
  return buf_str(&out);
}

static Str with_cr(Str text, Arena *arena) {
  Buf out = buf_on(arena, text.len * 2 + 1);
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\n') buf_add_byte(&out, '\r');
    buf_add_byte(&out, text.ptr[i]);
  }
  return buf_str(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Str text = {size == 0 ? "" : (const char *)data, size};
  Arena *arena = arena_create(0);
  Code code = CODE_OK, again = CODE_OK;
  Str facts = facts_of(text, arena, &code);
  PROPERTY(str_equal(facts, facts_of(text, arena, &again)) && code == again);
  if (str_find_byte(text, '\r', 0) == text.len) PROPERTY(str_equal(facts, facts_of(with_cr(text, arena), arena, &again)) && code == again);
  arena_destroy(arena);
  return 0;
}
