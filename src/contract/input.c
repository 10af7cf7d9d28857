/* input.c - lists and embedded objects, places, and the list of mistakes. */
#include "contract/input.h"

#include "contract/value_json.h"

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "contract/directive.h"
#include "contract/input_scalar.h"
#include "contract/nearest.h"

Code input_pointer(const InputPath *path, Arena *arena, Str *ret, Error *err) {
  enum { INPUT_PATH_MAX = 256 };
  const InputPath *parts[INPUT_PATH_MAX];
  size_t count = 0;
  for (; path != NULL && count < INPUT_PATH_MAX; path = path->parent) parts[count++] = path;
  Buf out = buf_on(arena, SIZE_MAX);
  while (count > 0) {
    const InputPath *part = parts[--count];
    buf_add_byte(&out, '/');
    if (part->name.ptr == NULL) {
      buf_add_uint64(&out, part->index);
      continue;
    }
    for (size_t i = 0; i < part->name.len; i++) {
      char c = part->name.ptr[i];
      if (c == '~')
        buf_add(&out, STR("~0"));
      else if (c == '/')
        buf_add(&out, STR("~1"));
      else
        buf_add_byte(&out, c);
    }
  }
  return buf_finish(&out, ret, err);
}

Code input_mistake_add(InputMistakes *mistakes, InputMistakeCode code, const InputPath *path, Str detail, Str hint, Arena *arena,
                       Error *err) {
  if (mistakes->count >= INPUT_MISTAKES_MAX) {
    mistakes->is_cut = true;
    return CODE_OK;
  }
  InputMistake mistake = {.code = code, .detail = arena_str(arena, detail), .hint = hint.len == 0 ? (Str){0} : arena_str(arena, hint)};
  if (mistake.detail.ptr == NULL || (hint.len > 0 && mistake.hint.ptr == NULL)) return error_no_memory(err);
  TRY(input_pointer(path, arena, &mistake.pointer, err));
  return VEC_PUSH(arena, mistakes, mistake) ? CODE_OK : error_no_memory(err);
}

/* What the recursion carries. A value is good when no mistake was added while it was read. */
typedef struct Input {
  Arena *arena;
  InputMistakes *mistakes;
  const InputPath *path;
  size_t depth;         /* of objects */
  size_t default_depth; /* of defaults inside defaults, and how many of those there were: a default may hold its own type */
  size_t default_count;
  bool is_refused;
} Input;

static Code input_refuse(void *context, const InputFault *fault, Error *err) {
  Input *input = context;
  input->is_refused = true;
  return input_mistake_add(input->mistakes, fault->code, input->path, fault->detail, fault->hint, input->arena, err);
}

static Code input_refuse_with(Input *input, InputMistakeCode code, Str detail, Error *err) {
  return input_refuse(input, &(InputFault){.code = code, .detail = detail}, err);
}

static Code input_write_scalar(const Field *field, const Value *value, Buf *out, Error *err);
static Code input_write_any(const Field *field, const JsonValue *json, Input *input, Buf *out, Error *err);

static Code input_scalar(const Field *field, const JsonValue *json, Input *input, Value *ret, Error *err) {
  InputFault fault = {0};
  Value value = {0};
  Code code = input_scalar_decode(field, json, input->arena, &value, &fault, err);
  if (code == CODE_VALIDATION_FAILED) return input_refuse(input, &fault, err);
  TRY(code);
  TRY(input_scalar_check(field, &value, input->arena, err, input_refuse, input));
  *ret = value;
  return CODE_OK;
}

static Code input_write_scalar(const Field *field, const Value *value, Buf *out, Error *err) {
  value_write_json(field, value, out);
  return out->failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

static Code input_unknown_member(const Embedded *type, Str name, Input *input, Error *err) {
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < type->field_count; i++) nearest_offer(&nearest, type->fields[i]->name);
  InputPath path = {.parent = input->path, .name = name};
  Str detail = arena_printf(input->arena, "is not a field of %.*s", STR_ARGS(type->name));
  TRY_ALLOC(detail.ptr);
  input->is_refused = true;
  return input_mistake_add(input->mistakes, INPUT_UNKNOWN_FIELD, &path, detail, nearest_hint(&nearest, input->arena), input->arena, err);
}

static Code input_write_default(const Field *member, Input *input, Buf *out, Error *err) {
  enum { INPUT_DEFAULTS_MAX = 1000 };
  if (input->default_depth == 0) input->default_count = 0;
  if (++input->default_count > INPUT_DEFAULTS_MAX)
    return input_refuse_with(input, INPUT_TYPE, STR("has defaults within defaults without end"), err);
  input->default_depth++;
  Code code = input_write_any(member, &member->default_value, input, out, err);
  input->default_depth--;
  return code;
}

/* A member that was not given: its default, null, or a mistake. */
static Code input_absent_member(const Field *member, Input *input, Buf *out, Error *err) {
  if (member->default_kind == DEFAULT_VALUE) return input_write_default(member, input, out, err);
  if (member->is_required) return input_refuse_with(input, INPUT_REQUIRED, STR("is required"), err);
  buf_add(out, STR("null"));
  return CODE_OK;
}

static Code input_write_object(const Embedded *type, const JsonValue *json, Input *input, Buf *out, Error *err) {
  if (json->type != JSON_OBJECT) return input_refuse_with(input, INPUT_TYPE, STR("must be an object"), err);
  const InputPath *outer = input->path;
  buf_add_byte(out, '{');
  for (size_t i = 0; i < type->field_count; i++) {
    const Field *member = type->fields[i];
    const JsonValue *given = json_get(json, member->name);
    InputPath path = {.parent = outer, .name = member->name};
    if (i > 0) buf_add_byte(out, ',');
    json_write_string(out, member->name);
    buf_add_byte(out, ':');
    input->path = &path;
    Code code = given == NULL ? input_absent_member(member, input, out, err) : input_write_any(member, given, input, out, err);
    input->path = outer;
    TRY(code);
  }
  buf_add_byte(out, '}');
  for (size_t i = 0; i < json->count; i++) {
    Str name = json->members[i].name;
    if (map_get(&type->field_by_name, name) == NULL) TRY(input_unknown_member(type, name, input, err));
  }
  return out->failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

/* One item of a list, or the value of a field that is none. */
static Code input_write_item(const Field *field, const JsonValue *json, Input *input, Buf *out, Error *err) {
  if (field->type == TYPE_EMBEDDED) {
    if (input->depth == JSON_DEPTH_DEFAULT) return input_refuse_with(input, INPUT_TYPE, STR("must not be nested so deep"), err);
    input->depth++;
    Code code = input_write_object(field->embedded, json, input, out, err);
    input->depth--;
    return code;
  }
  Value value = value_null();
  TRY(input_scalar(field, json, input, &value, err));
  return input_write_scalar(field, &value, out, err);
}

static Code input_write_list(const Field *field, const JsonValue *json, Input *input, Buf *out, Error *err) {
  if (json->type != JSON_ARRAY) return input_refuse_with(input, INPUT_TYPE, STR("must be a list"), err);
  const InputPath *outer = input->path;
  TRY(directive_length_check(field, json->count, "item", input->arena, err, input_refuse, input));
  buf_add_byte(out, '[');
  for (size_t i = 0; i < json->count; i++) {
    const JsonValue *item = &json->items[i];
    InputPath path = {.parent = outer, .index = i};
    if (i > 0) buf_add_byte(out, ',');
    input->path = &path;
    Code code = CODE_OK;
    if (item->type != JSON_NULL)
      code = input_write_item(field, item, input, out, err);
    else if (field->is_item_required)
      code = input_refuse_with(input, INPUT_REQUIRED, STR("must not be null"), err);
    else
      buf_add(out, STR("null"));
    input->path = outer;
    TRY(code);
  }
  buf_add_byte(out, ']');
  return out->failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

static Code input_write_any(const Field *field, const JsonValue *json, Input *input, Buf *out, Error *err) {
  if (json->type == JSON_NULL) {
    if (field->is_required) return input_refuse_with(input, INPUT_REQUIRED, STR("must not be null"), err);
    buf_add(out, STR("null"));
    return CODE_OK;
  }
  if (field->is_list) return input_write_list(field, json, input, out, err);
  return input_write_item(field, json, input, out, err);
}

static Code input_document(const Field *field, const JsonValue *json, Input *input, Value *ret, Error *err) {
  Buf out = buf_on(input->arena, SIZE_MAX);
  Str text = {0};
  TRY(input_write_any(field, json, input, &out, err));
  TRY(buf_finish(&out, &text, err));
  *ret = (Value){.type = VALUE_JSON, .text = text};
  return CODE_OK;
}

Code field_value_decode(const Field *field, const JsonValue *json, const InputPath *path, Arena *arena, Value *ret, InputMistakes *mistakes,
                        Error *err) {
  Input input = {.arena = arena, .mistakes = mistakes, .path = path};
  Value value = value_null();
  if (json->type == JSON_NULL) {
    if (field->is_required) TRY(input_refuse_with(&input, INPUT_REQUIRED, STR("must not be null"), err));
  } else if (field->is_list || field->type == TYPE_EMBEDDED) {
    TRY(input_document(field, json, &input, &value, err));
  } else {
    TRY(input_scalar(field, json, &input, &value, err));
  }
  if (input.is_refused) return error_set(err, CODE_VALIDATION_FAILED, "the value is not valid");
  *ret = value;
  return CODE_OK;
}

Code field_text_decode(const Field *field, Str text, const InputPath *path, Arena *arena, Value *ret, InputMistakes *mistakes, Error *err) {
  if (field->is_list || field->type == TYPE_EMBEDDED || field->type == TYPE_JSON) {
    JsonValue json = {0};
    Code code = json_parse(text, JSON_DEPTH_DEFAULT, arena, &json, err);
    if (code == CODE_OK) return field_value_decode(field, &json, path, arena, ret, mistakes, err);
    if (code == CODE_UNAVAILABLE) return code;
    TRY(input_mistake_add(mistakes, INPUT_TYPE, path, STR("must be JSON"), (Str){0}, arena, err));
    return error_set(err, CODE_VALIDATION_FAILED, "the value is not valid");
  }
  InputFault fault = {0};
  Code code = input_scalar_parse(field, text, arena, ret, &fault, err);
  if (code != CODE_VALIDATION_FAILED) return code;
  TRY(input_mistake_add(mistakes, fault.code, path, fault.detail, fault.hint, arena, err));
  return error_set(err, CODE_VALIDATION_FAILED, "%.*s", STR_ARGS(fault.detail));
}

Code field_value_check(const Field *field, const Value *value, const InputPath *path, Arena *arena, InputMistakes *mistakes, Error *err) {
  Input input = {.arena = arena, .mistakes = mistakes, .path = path};
  if (value_is_null(value)) {
    if (field->is_required) TRY(input_refuse_with(&input, INPUT_REQUIRED, STR("must not be null"), err));
  } else if (!field->is_list) {
    TRY(input_scalar_check(field, value, arena, err, input_refuse, &input));
  }
  return input.is_refused ? error_set(err, CODE_VALIDATION_FAILED, "the value is not valid") : CODE_OK;
}
