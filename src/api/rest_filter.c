/* rest_filter.c - filters as rule-language trees: `price[gte]=10` is `price >= 10`, built without a detour over text. */
#include "api/rest_query_parts.h"

#include "base/utf8.h"

typedef enum FilterShape {
  SHAPE_COMPARE, /* any scalar with one value */
  SHAPE_ORDER,   /* what has an order */
  SHAPE_TEXT,    /* text with text; contains also a list with an item */
  SHAPE_IN,
  SHAPE_NULL
} FilterShape;

typedef struct FilterOp {
  Str name;
  FilterShape shape;
  ExprKind kind;
} FilterOp;

static const FilterOp ops[] = {
    {STR_INIT("eq"), SHAPE_COMPARE, EXPR_EQ},
    {STR_INIT("ne"), SHAPE_COMPARE, EXPR_NE},
    {STR_INIT("gt"), SHAPE_ORDER, EXPR_GT},
    {STR_INIT("gte"), SHAPE_ORDER, EXPR_GE},
    {STR_INIT("lt"), SHAPE_ORDER, EXPR_LT},
    {STR_INIT("lte"), SHAPE_ORDER, EXPR_LE},
    {STR_INIT("in"), SHAPE_IN, EXPR_IN},
    {STR_INIT("contains"), SHAPE_TEXT, EXPR_CONTAINS},
    {STR_INIT("startsWith"), SHAPE_TEXT, EXPR_STARTS_WITH},
    {STR_INIT("endsWith"), SHAPE_TEXT, EXPR_ENDS_WITH},
    {STR_INIT("isNull"), SHAPE_NULL, EXPR_EQ},
};
enum { OP_COUNT = sizeof ops / sizeof *ops };

/* What one parameter is about, while its tree is made. */
typedef struct Filter {
  RestDecoder *decoder;
  const RestParam *param;
  const FilterOp *op;
  const Expr *path;
  const Field *field; /* decides the type: the path's field or member */
} Filter;

static Code find_op(RestDecoder *decoder, const RestParam *param, const FilterOp **ret) {
  Str name = param->op.ptr == NULL ? STR("eq") : param->op;
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < OP_COUNT; i++) {
    if (str_equal(ops[i].name, name)) {
      *ret = &ops[i];
      return CODE_OK;
    }
    nearest_offer(&nearest, ops[i].name);
  }
  Str hint = nearest_hint(&nearest, decoder->arena);
  if (hint.len == 0) hint = STR("the operators are eq ne gt gte lt lte in contains startsWith endsWith isNull");
  Str shown = rest_shown(name), path = rest_shown(param->path);
  return rest_refuse(decoder, CODE_BAD_REQUEST, hint, "%.*s: there is no operator \"%.*s\"", STR_ARGS(path), STR_ARGS(shown));
}

static bool is_text(const Field *field) {
  switch (field->type) {
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_UUID:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_ENUM: return true;
    default: return false;
  }
}

bool rest_field_is_scalar(const Field *field) {
  return field->kind == FIELD_STORED && !field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED;
}

bool rest_field_is_ordered(const Field *field) {
  return rest_field_is_scalar(field) && field->type != TYPE_BOOLEAN && field->type != TYPE_BYTES;
}

/* `tags[contains]=tea` on a list of scalars. */
static bool is_item_test(const Filter *filter) {
  const Field *field = filter->field;
  return filter->op->kind == EXPR_CONTAINS && field->kind == FIELD_STORED && field->is_list && field->type != TYPE_JSON &&
         field->type != TYPE_EMBEDDED;
}

static bool is_applicable(const Filter *filter) {
  switch (filter->op->shape) {
    case SHAPE_COMPARE:
    case SHAPE_IN: return rest_field_is_scalar(filter->field);
    case SHAPE_ORDER: return rest_field_is_ordered(filter->field);
    case SHAPE_TEXT: return (rest_field_is_scalar(filter->field) && is_text(filter->field)) || is_item_test(filter);
    case SHAPE_NULL: return true;
  }
  return false;
}

static Code refuse_op(const Filter *filter) {
  const Field *field = filter->field;
  Str name = rest_shown(filter->param->name);
  Str hint = STR("");
  if (field->kind == FIELD_TO_ONE) {
    hint = arena_printf(filter->decoder->arena, "name a field of it, as in %.*s.%.*s, or use [isNull]", STR_ARGS(field->name),
                        STR_ARGS(field->relation->target->keys[0]->name));
  } else if (field->type == TYPE_EMBEDDED && !field->is_list) {
    hint = STR("name a member of it, as in address.city");
  } else if (field->is_list) {
    hint = STR("a list has [contains] and [isNull]");
  }
  return rest_refuse(filter->decoder, CODE_BAD_REQUEST, hint, "%.*s: the operator \"%.*s\" does not apply to this field", STR_ARGS(name),
                     STR_ARGS(filter->op->name));
}

static Code parse_value(const Filter *filter, Str text, Value *ret) {
  Str expected;
  /* A part of a text need not be a whole UUID or one of the enum's names. */
  if (filter->op->shape == SHAPE_TEXT && !filter->field->is_list) {
    *ret = value_text(text);
    return CODE_OK;
  }
  Code code = rest_value_parse(filter->field, text, filter->decoder->arena, ret, &expected);
  if (code == CODE_OK) return CODE_OK;
  if (code == CODE_UNAVAILABLE) return rest_no_memory(filter->decoder);
  Str name = rest_shown(filter->param->name), shown = rest_shown(text);
  return rest_refuse(filter->decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" is not %.*s", STR_ARGS(name), STR_ARGS(shown),
                     STR_ARGS(expected));
}

/* Cuts the next item off a comma list, in which a backslash takes the next character as it is. */
static bool next_item(Str *rest, Arena *arena, Str *ret) {
  if (rest->ptr == NULL) return false;
  char *bytes = arena_alloc(arena, rest->len + 1);
  if (bytes == NULL) return false;
  size_t len = 0, i = 0;
  for (; i < rest->len && rest->ptr[i] != ','; i++) {
    if (rest->ptr[i] == '\\' && i + 1 < rest->len) i++;
    bytes[len++] = rest->ptr[i];
  }
  *ret = (Str){bytes, len};
  *rest = i < rest->len ? (Str){rest->ptr + i + 1, rest->len - i - 1} : (Str){0};
  return true;
}

static Code build_in(const Filter *filter, const Expr **ret) {
  Arena *arena = filter->decoder->arena;
  Str text = filter->param->value;
  size_t cap = 1;
  for (size_t i = 0; i < text.len; i++) cap += text.ptr[i] == ',';
  if (cap > REST_IN_ITEMS_MAX) {
    Str name = rest_shown(filter->param->name);
    return rest_refuse(filter->decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: more than %d values", STR_ARGS(name), REST_IN_ITEMS_MAX);
  }
  Value *items = ARENA_ARRAY(arena, Value, cap);
  if (items == NULL) return rest_no_memory(filter->decoder);
  size_t count = 0;
  Str rest = text, item;
  /* Without a backslash the items can be borrowed. */
  bool has_escapes = memchr(text.ptr, '\\', text.len) != NULL;
  while (has_escapes ? next_item(&rest, arena, &item) : str_split_next(&rest, ',', &item)) TRY(parse_value(filter, item, &items[count++]));
  if (rest.ptr != NULL) return rest_no_memory(filter->decoder);
  Value list = {.type = VALUE_LIST, .list = {items, count}};
  *ret = expr_compare(arena, EXPR_IN, filter->path, expr_literal(arena, list));
  return CODE_OK;
}

static Code build_null_test(const Filter *filter, const Expr **ret) {
  Str value = filter->param->value;
  bool is_true = str_equal(value, STR("true"));
  if (!is_true && !str_equal(value, STR("false"))) {
    Str name = rest_shown(filter->param->name), shown = rest_shown(value);
    return rest_refuse(filter->decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" is neither true nor false", STR_ARGS(name),
                       STR_ARGS(shown));
  }
  Arena *arena = filter->decoder->arena;
  *ret = expr_compare(arena, is_true ? EXPR_EQ : EXPR_NE, filter->path, expr_literal(arena, value_null()));
  return CODE_OK;
}

static Code build_compare(const Filter *filter, const Expr **ret) {
  Arena *arena = filter->decoder->arena;
  Value value;
  TRY(parse_value(filter, filter->param->value, &value));
  /* In a list, and as a part of text, an enum's value goes by its name; beside a column by what is stored. */
  const Expr *literal = expr_literal(arena, filter->op->shape == SHAPE_TEXT ? value : rest_value_stored(filter->field, value));
  if (literal == NULL) return rest_no_memory(filter->decoder);
  if (is_item_test(filter)) {
    *ret = expr_compare(arena, EXPR_IN, literal, filter->path);
  } else if (filter->op->shape == SHAPE_TEXT) {
    const Expr **args = ARENA_ARRAY(arena, const Expr *, 2);
    if (args == NULL) return rest_no_memory(filter->decoder);
    args[0] = filter->path;
    args[1] = literal;
    *ret = expr_call(arena, filter->op->kind, args, 2);
  } else {
    *ret = expr_compare(arena, filter->op->kind, filter->path, literal);
  }
  return CODE_OK;
}

static Code conjoin(RestDecoder *decoder, const Expr *condition, const Expr **filter) {
  const Expr *both = condition == NULL ? NULL : expr_and(decoder->arena, *filter, condition);
  if (both == NULL) return rest_no_memory(decoder);
  *filter = both;
  return CODE_OK;
}

Code rest_filter_add(RestDecoder *decoder, const Resource *resource, const RestParam *param, const Expr **filter) {
  Filter made = {.decoder = decoder, .param = param};
  ExprPath path;
  const Expr *condition = NULL;
  TRY(rest_path_resolve(decoder, resource, param->path, param, &path, &made.field));
  TRY(find_op(decoder, param, &made.op));
  if (!is_applicable(&made)) return refuse_op(&made);
  made.path = expr_path(decoder->arena, &path);
  if (made.path == NULL) return rest_no_memory(decoder);
  switch (made.op->shape) {
    case SHAPE_IN: TRY(build_in(&made, &condition)); break;
    case SHAPE_NULL: TRY(build_null_test(&made, &condition)); break;
    default: TRY(build_compare(&made, &condition)); break;
  }
  return conjoin(decoder, condition, filter);
}

static Code refuse_expression(RestDecoder *decoder, const RestParam *param, const ExprMistake *mistake) {
  size_t column = utf8_length(str_slice(param->value, 0, mistake->begin)) + 1;
  Str hint = arena_str(decoder->arena, str_of(mistake->hint));
  if (hint.ptr == NULL) return rest_no_memory(decoder);
  Str name = rest_shown(param->name);
  return rest_refuse(decoder, CODE_BAD_REQUEST, hint, "%.*s, column %zu: %s", STR_ARGS(name), column, mistake->message);
}

Code rest_filter_parse(RestDecoder *decoder, const Resource *resource, const RestParam *param, const Expr **filter) {
  ExprLimits limits = {.names = decoder->names,
                       .bytes_max = decoder->limits->filter_bytes_max,
                       .nodes_max = EXPR_FILTER_NODES_MAX,
                       .depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t mistake_count = 0;
  const Expr *condition = NULL;
  Error err = {0};
  Code code =
      expr_parse(param->value, resource, EXPR_USE_FILTER, NULL, &limits, decoder->arena, &condition, mistakes, &mistake_count, &err);
  if (code == CODE_UNAVAILABLE) return rest_no_memory(decoder);
  if (code != CODE_OK && mistake_count > 0) return refuse_expression(decoder, param, &mistakes[0]);
  if (code != CODE_OK) {
    Str name = rest_shown(param->name);
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: %s", STR_ARGS(name), err.text);
  }
  return conjoin(decoder, condition, filter);
}
