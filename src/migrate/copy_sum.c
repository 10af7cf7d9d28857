/* copy_sum.c - see copy_sum.h. What counts is the value: JSON by its members, whatever their order, and its numbers by what they are, since
 * a column of the type jsonb keeps neither; a uuid in whatever case. */
#include "migrate/copy_sum.h"

#include <string.h>

#include "base/uuid.h"
#include "codec/hash.h"
#include "codec/json.h"

static const uint64_t SEEDS[2] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f)};

typedef struct Lanes {
  uint64_t hash[2];
} Lanes;

static void add_int(Lanes *lanes, uint64_t n) {
  for (size_t i = 0; i < 2; i++) lanes->hash[i] = hash64_int(n, lanes->hash[i]);
}

static void add_text(Lanes *lanes, Str text) {
  add_int(lanes, text.len);
  for (size_t i = 0; i < 2; i++) lanes->hash[i] = hash64_seeded(text, lanes->hash[i]);
}

static void add_double(Lanes *lanes, double number) {
  uint64_t bits;
  if (number == 0) number = 0; /* -0 is 0: not every store tells them apart */
  memcpy(&bits, &number, sizeof bits);
  add_int(lanes, bits);
}

/* ---- JSON ---- */

/* 1.50e2, 150 and 150.0 are one number: its digits without zeros around them, and the power of ten of the last one. */
static void add_number(Lanes *lanes, Str text, Arena *arena) {
  char *digits = arena_alloc(arena, text.len + 1);
  size_t count = 0, exponent_at = text.len;
  int64_t power = 0, exponent = 0;
  bool has_point = false;
  for (size_t i = 0; digits != NULL && i < text.len && exponent_at == text.len; i++) {
    char c = text.ptr[i];
    if (c == 'e' || c == 'E') exponent_at = i;
    if (c == '.') has_point = true;
    if (c < '0' || c > '9') continue;
    if (has_point) power--;
    if (count > 0 || c != '0') digits[count++] = c;
  }
  while (count > 0 && digits[count - 1] == '0') count--, power++;
  Str written = str_slice(text, exponent_at < text.len ? exponent_at + 1 : text.len, text.len);
  if (written.len > 0 && written.ptr[0] == '+') written = str_slice(written, 1, written.len);
  (void)str_parse_int64(written, &exponent);
  add_int(lanes, count > 0 && text.ptr[0] == '-');
  add_text(lanes, (Str){digits == NULL ? "" : digits, count});
  add_int(lanes, count == 0 ? 0 : (uint64_t)power + (uint64_t)exponent);
}

static void add_json(Lanes *lanes, const JsonValue *value, Arena *arena);

/* In whatever order: the members' hashes are added up. */
static void add_members(Lanes *lanes, const JsonValue *object, Arena *arena) {
  uint64_t sum[2] = {0, 0};
  for (size_t i = 0; i < object->count; i++) {
    Lanes member = {{SEEDS[0], SEEDS[1]}};
    add_text(&member, object->members[i].name);
    add_json(&member, &object->members[i].value, arena);
    for (size_t k = 0; k < 2; k++) sum[k] += member.hash[k];
  }
  add_int(lanes, sum[0]);
  add_int(lanes, sum[1]);
}

/* No deeper than the parser lets it be. */
static void add_json(Lanes *lanes, const JsonValue *value, Arena *arena) {
  add_int(lanes, (uint64_t)value->type);
  switch (value->type) {
    case JSON_NULL: return;
    case JSON_BOOL: add_int(lanes, value->boolean); return;
    case JSON_NUMBER: add_number(lanes, value->text, arena); return;
    case JSON_STRING: add_text(lanes, value->text); return;
    case JSON_ARRAY:
      add_int(lanes, value->count);
      for (size_t i = 0; i < value->count; i++) add_json(lanes, &value->items[i], arena);
      return;
    case JSON_OBJECT: add_members(lanes, value, arena); return;
  }
}

/* ---- rows ---- */

static Code add_value(Lanes *lanes, const Field *field, const Value *value, Arena *arena, Error *err) {
  char uuid[UUID_TEXT_LEN];
  JsonValue json;
  add_int(lanes, (uint64_t)value->type);
  switch (value->type) {
    case VALUE_NULL: return CODE_OK;
    case VALUE_BOOL: add_int(lanes, value->boolean); return CODE_OK;
    case VALUE_FLOAT: add_double(lanes, value->number); return CODE_OK;
    case VALUE_JSON:
      if (json_parse(value->text, JSON_DEPTH_DEFAULT, arena, &json, err) != CODE_OK)
        return error_set(err, CODE_CONFLICT, "a value of %.*s.%.*s is no JSON", STR_ARGS(field->resource->table), STR_ARGS(field->column));
      add_json(lanes, &json, arena);
      return CODE_OK;
    case VALUE_TEXT:
      if ((field->type == TYPE_UUID || field->type == TYPE_ID) && uuid_parse(value->text, uuid))
        add_text(lanes, (Str){uuid, UUID_TEXT_LEN});
      else
        add_text(lanes, value->text);
      return CODE_OK;
    case VALUE_DECIMAL:
    case VALUE_BYTES: add_text(lanes, value->text); return CODE_OK;
    default: add_int(lanes, (uint64_t)value->integer); return CODE_OK;
  }
}

Code rows_sum_add(RowsSum *sum, const Resource *resource, const Value *row, Error *err) {
  Lanes lanes = {{SEEDS[0], SEEDS[1]}};
  arena_reset(sum->arena);
  for (size_t i = 0; i < resource->stored_count; i++) TRY(add_value(&lanes, resource->stored[i], &row[i], sum->arena, err));
  for (size_t i = 0; i < 2; i++) sum->sum[i] += lanes.hash[i];
  sum->rows++;
  return CODE_OK;
}
