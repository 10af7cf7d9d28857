#include "query/etag.h"

#include "base/hex.h"
#include "codec/hash.h"
#include "query/result.h"

enum { ETAG_TEXT_LEN = HEX64_LEN };

static uint64_t add_value(const SelectionItem *item, const Value *value, uint64_t seed) {
  switch (value->type) {
    case VALUE_NULL: return hash64_int(0x9e3779b97f4a7c15u, seed + 1);
    case VALUE_BOOL: return hash64_int(value->boolean, seed + (uint64_t)value->type);
    case VALUE_FLOAT:
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: return hash64_int((uint64_t)value->integer, seed + (uint64_t)value->type);
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON: return hash64_seeded(value->text, seed + (uint64_t)value->type);
    case VALUE_ROW: return etag_of_row(item->nested, value->row, seed);
    case VALUE_ROWS:
      for (size_t i = 0; i < value->rows->count; i++) seed = etag_of_row(item->nested, value->rows->rows[i], seed);
      return hash64_int(value->rows->count, seed);
    case VALUE_LIST: break;
  }
  return seed;
}

uint64_t etag_of_row(const Selection *selection, const Value *values, uint64_t seed) {
  for (size_t i = 0; i < selection->count; i++) seed = add_value(&selection->items[i], &values[i], seed);
  return hash64_int(selection->count, seed);
}

Str etag_text(Arena *arena, uint64_t tag) {
  char *text = arena_alloc(arena, ETAG_TEXT_LEN);
  if (text == NULL) return (Str){0};
  hex64_write(tag, text);
  return (Str){text, ETAG_TEXT_LEN};
}

bool etag_matches(const Precondition *precondition, uint64_t tag) {
  if (precondition->is_any) return true;
  char text[ETAG_TEXT_LEN];
  hex64_write(tag, text);
  for (size_t i = 0; i < precondition->etag_count; i++) {
    if (str_equal(precondition->etags[i], (Str){text, ETAG_TEXT_LEN})) return true;
  }
  return false;
}
