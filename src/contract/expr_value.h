/* expr_value.h - what values do under the rule language's operators. One code for evaluation in memory and for the functions that stores
 * register. Thread-safe. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/value.h"
#include "codec/json.h"
#include "contract/expr.h"

/* False where the result is null: overflow, division by zero, too many digits, outside the years 1 to 9999. `kind` is EXPR_ADD … EXPR_MOD.
 */
bool expr_int_arithmetic(ExprKind kind, int64_t a, int64_t b, int64_t *ret);
bool expr_float_arithmetic(ExprKind kind, double a, double b, double *ret);
bool expr_decimal_arithmetic(ExprKind kind, Str a, Str b, DecimalText *ret);
bool expr_timestamp_shift(ExprKind kind, int64_t us, int64_t duration_us, int64_t *ret);

/* Two values of one type, neither null: <0, 0 or >0. Strings by code point. */
int expr_value_compare(const Value *a, const Value *b);

/* False: out of memory. What doesn't fit the type is null. For EXPR_TYPE_LIST the items are of `item_type`, null where they don't fit.
 * Texts are borrowed from `json` or live in `arena`. */
bool expr_value_of_json(const JsonValue *json, ExprType type, ExprType item_type, Arena *arena, Value *ret);
/* The same from a text as a caller's id or a JSON string holds it. */
bool expr_value_of_text(Str text, ExprType type, Arena *arena, Value *ret);
/* The items of a JSON array; a list without items where the text is no array. False: out of memory. */
bool expr_list_of_json_text(Str text, ExprType item_type, Arena *arena, Value *ret);
