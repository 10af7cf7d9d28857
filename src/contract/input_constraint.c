/* input_constraint.c - @range, @length, @pattern and @decimal, of typed values. */
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "contract/input_scalar.h"
#include "contract/regex.h"

/* <0, 0 or >0, of two values of the same kind. */
static int value_order(const Value *a, const Value *b) {
  if (a->type == VALUE_DECIMAL) return decimal_compare(a->text, b->text);
  if (a->type == VALUE_FLOAT) return (a->number > b->number) - (a->number < b->number);
  return (a->integer > b->integer) - (a->integer < b->integer);
}

static Str value_text_of(const Value *value, Arena *arena) {
  char bytes[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_INT: return arena_printf(arena, "%lld", (long long)value->integer);
    case VALUE_FLOAT: {
      Buf out = buf_on(arena, 64);
      json_write_double(&out, value->number);
      return buf_str(&out);
    }
    case VALUE_TIMESTAMP: return arena_str(arena, (Str){bytes, timestamp_write(value->integer, bytes)});
    case VALUE_DATE: return arena_str(arena, (Str){bytes, date_write(value->integer, bytes)});
    default: return value->text;
  }
}

static Code range_broken(const char *format_word, const Value *bound, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  Str text = value_text_of(bound, arena);
  TRY_ALLOC(text.ptr);
  Str detail = arena_printf(arena, "must be at %s %.*s", format_word, STR_ARGS(text));
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_RANGE, .detail = detail}, err);
}

static Code range_check(const Field *field, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  if (!value_is_null(&field->range_min) && value_order(value, &field->range_min) < 0) {
    return range_broken("least", &field->range_min, arena, err, broken, context);
  }
  if (!value_is_null(&field->range_max) && value_order(value, &field->range_max) > 0) {
    return range_broken("most", &field->range_max, arena, err, broken, context);
  }
  return CODE_OK;
}

Code input_length_check(const Field *field, size_t length, const char *unit, Arena *arena, Error *err, InputFaultFn *broken,
                        void *context) {
  bool is_short = field->length_min >= 0 && length < (uint64_t)field->length_min;
  bool is_long = field->length_max >= 0 && length > (uint64_t)field->length_max;
  if (!is_short && !is_long) return CODE_OK;
  long long bound = is_short ? field->length_min : field->length_max;
  Str detail = arena_printf(arena, "must %s at %s %lld %s%s", unit[0] == 'i' ? "have" : "be", is_short ? "least" : "most", bound, unit,
                            bound == 1 ? "" : "s");
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_LENGTH, .detail = detail}, err);
}

static Code pattern_check(const Field *field, Str text, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  bool is_match = false;
  /* A search that was given up has not found a match, so the value is refused. */
  if (field->regex == NULL || (regex_matches(field->regex, text, &is_match) && is_match)) return CODE_OK;
  Str detail = arena_printf(arena, "must match %.*s", STR_ARGS(field->pattern));
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_PATTERN, .detail = detail}, err);
}

static Code decimal_check(const Field *field, Str decimal, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  size_t scale = decimal_scale(decimal), integer = decimal_integer_digits(decimal);
  Str detail = {0};
  if (field->scale >= 0 && scale > (size_t)field->scale) {
    detail = arena_printf(arena, "must have at most %d digit%s behind the point", (int)field->scale, field->scale == 1 ? "" : "s");
  } else if (field->precision >= 0) {
    /* A fixed scale takes its digits from the precision, used or not. */
    size_t behind = field->scale >= 0 ? (size_t)field->scale : scale;
    bool is_zero = str_equal(decimal, STR("0")) || str_starts_with(decimal, STR("0.")) || str_starts_with(decimal, STR("-0."));
    if ((is_zero ? 0 : integer) + behind <= (size_t)field->precision) return CODE_OK;
    detail = field->scale >= 0 ? arena_printf(arena, "must have at most %d digit%s before the point",
                                              (int)(field->precision - field->scale), field->precision - field->scale == 1 ? "" : "s")
                               : arena_printf(arena, "must have at most %d digits", (int)field->precision);
  } else {
    return CODE_OK;
  }
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_RANGE, .detail = detail}, err);
}

Code input_scalar_check(const Field *field, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  switch (value->type) {
    case VALUE_DECIMAL:
      TRY(decimal_check(field, value->text, arena, err, broken, context));
      return range_check(field, value, arena, err, broken, context);
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE: return range_check(field, value, arena, err, broken, context);
    case VALUE_TEXT:
      if (!field->is_list && (field->length_min >= 0 || field->length_max >= 0)) {
        TRY(input_length_check(field, utf8_length(value->text), "character", arena, err, broken, context));
      }
      return pattern_check(field, value->text, arena, err, broken, context);
    case VALUE_BYTES:
      if (field->is_list) return CODE_OK;
      return input_length_check(field, value->text.len, "byte", arena, err, broken, context);
    default: return CODE_OK;
  }
}
