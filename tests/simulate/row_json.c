/* row_json.c - see row_json.h. */
#include "row_json.h"

static bool read_text(const JsonValue *object, Str name, Str *ret) {
  const JsonValue *value = json_get(object, name);
  if (value == NULL || value->type != JSON_STRING) return false;
  *ret = value->text;
  return true;
}

static bool read_number(const JsonValue *object, Str name, int64_t *ret) {
  const JsonValue *value = json_get(object, name);
  return value != NULL && value->type == JSON_NUMBER && json_number_to_int64(value->text, ret);
}

bool row_json_read(const JsonValue *object, CallAnswer *answer) {
  SeenRow *row = &answer->rows[answer->count++];
  return read_text(object, STR("name"), &row->name) && read_text(object, STR("group"), &row->group) &&
         read_number(object, STR("number"), &row->number) && read_number(object, STR("copy"), &row->copy);
}

bool row_json_read_array(const JsonValue *items, Arena *arena, CallAnswer *answer) {
  if (items == NULL || items->type != JSON_ARRAY) return false;
  answer->rows = ARENA_ARRAY(arena, SeenRow, items->count + 1);
  for (size_t i = 0; i < items->count; i++)
    if (!row_json_read(&items->items[i], answer)) return false;
  return true;
}

bool call_outcome_of_code(Str code, CallOutcome *ret) {
  static const struct {
    Str code;
    CallOutcome outcome;
  } outcomes[] = {
      {STR_INIT("NOT_FOUND"), CALL_ABSENT},   {STR_INIT("FORBIDDEN"), CALL_REFUSED}, {STR_INIT("CONFLICT"), CALL_REFUSED},
      {STR_INIT("UNAVAILABLE"), CALL_FAILED}, {STR_INIT("TIMEOUT"), CALL_FAILED},
  };
  for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
    if (!str_equal(outcomes[i].code, code)) continue;
    *ret = outcomes[i].outcome;
    return true;
  }
  return false;
}
