/* introspect_check.c - a recursive descent over what pg_get_constraintdef prints: comparisons of columns, lengths and literals, IN lists,
 * IS NULL, AND and OR. Anything else is left to the database, and said so by the caller. */
#include "cli/introspect_check.h"

#include <string.h>

#include "base/buf.h"
#include "codec/json.h"

enum { DEPTH_MAX = 40, RULE_BYTES_MAX = 4000, ITEMS_MAX = 100 };

typedef struct Parser {
  Str sql;
  size_t at;
  size_t depth;
  const CheckColumn *columns;
  size_t count;
  Arena *arena;
} Parser;

typedef enum OperandKind { OPERAND_COLUMN = 0, OPERAND_SIZE, OPERAND_NUMBER, OPERAND_STRING, OPERAND_BOOL } OperandKind;

typedef struct Operand {
  OperandKind kind;
  const CheckColumn *column;
  Str text; /* of a literal */
} Operand;

/* ---- Tokens ---- */

static void skip_space(Parser *parser) {
  while (parser->at < parser->sql.len && (parser->sql.ptr[parser->at] == ' ' || parser->sql.ptr[parser->at] == '\n')) parser->at++;
}

static bool take(Parser *parser, const char *text) {
  skip_space(parser);
  Str wanted = str_of(text);
  if (!str_starts_with(str_slice(parser->sql, parser->at, parser->sql.len), wanted)) return false;
  parser->at += wanted.len;
  return true;
}

static bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static Str word_ahead(Parser *parser) {
  skip_space(parser);
  size_t end = parser->at;
  while (end < parser->sql.len && is_word_byte(parser->sql.ptr[end])) end++;
  return str_slice(parser->sql, parser->at, end);
}

static bool take_word(Parser *parser, const char *word) {
  Str ahead = word_ahead(parser);
  if (!str_equal(ahead, str_of(word))) return false;
  parser->at += ahead.len;
  return true;
}

/* What stands between two of `quote`, with doubled ones undone; ptr NULL where there is no such thing here. */
static Str take_quoted(Parser *parser, char quote) {
  skip_space(parser);
  if (parser->at >= parser->sql.len || parser->sql.ptr[parser->at] != quote) return (Str){NULL, 0};
  char *out = arena_alloc(parser->arena, parser->sql.len - parser->at);
  size_t len = 0;
  for (size_t i = parser->at + 1; out != NULL && i < parser->sql.len; i++) {
    if (parser->sql.ptr[i] == quote && (i + 1 == parser->sql.len || parser->sql.ptr[i + 1] != quote)) {
      parser->at = i + 1;
      return (Str){out, len};
    }
    if (parser->sql.ptr[i] == quote) i++;
    out[len++] = parser->sql.ptr[i];
  }
  return (Str){NULL, 0};
}

static bool is_keyword(Str word) {
  static const char *const keywords[] = {"AND", "OR", "IS", "NOT", "NULL", "ANY", "ALL", "ARRAY", "CASE", "IN", "COLLATE"};
  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
    if (str_equal(word, str_of(keywords[i]))) return true;
  return false;
}

/* ::character varying(20)[], any number of times: a cast between what the contract has as one type changes nothing here. */
static bool skip_casts(Parser *parser) {
  while (take(parser, "::")) {
    size_t words = 0;
    for (Str word = word_ahead(parser); word.len > 0 && !is_keyword(word); word = word_ahead(parser), words++) parser->at += word.len;
    if (words == 0) return false;
    if (take(parser, "(")) {
      while (word_ahead(parser).len > 0 || take(parser, ",")) parser->at += word_ahead(parser).len;
      if (!take(parser, ")")) return false;
    }
    (void)take(parser, "[]");
  }
  return true;
}

/* ---- Operands ---- */

static bool parse_operand(Parser *parser, Operand *ret);

static bool parse_column(Parser *parser, Operand *ret) {
  Str name = take_quoted(parser, '"');
  if (name.ptr == NULL) {
    name = word_ahead(parser);
    if (name.len == 0 || is_keyword(name)) return false;
    parser->at += name.len;
  }
  for (size_t i = 0; i < parser->count; i++) {
    if (!str_equal(parser->columns[i].column, name)) continue;
    *ret = (Operand){.kind = OPERAND_COLUMN, .column = &parser->columns[i]};
    return true;
  }
  return false;
}

static bool parse_number(Parser *parser, Operand *ret) {
  skip_space(parser);
  size_t end = parser->at;
  if (end < parser->sql.len && parser->sql.ptr[end] == '-') end++;
  size_t digits = end;
  while (end < parser->sql.len && ((parser->sql.ptr[end] >= '0' && parser->sql.ptr[end] <= '9') || parser->sql.ptr[end] == '.')) end++;
  if (end == digits) return false;
  *ret = (Operand){.kind = OPERAND_NUMBER, .text = str_slice(parser->sql, parser->at, end)};
  parser->at = end;
  return true;
}

static bool parse_size(Parser *parser, Operand *ret) {
  if (!take_word(parser, "length") && !take_word(parser, "char_length")) return false;
  if (!take(parser, "(") || !parse_operand(parser, ret) || ret->kind != OPERAND_COLUMN || !take(parser, ")")) return false;
  ret->kind = OPERAND_SIZE;
  return strcmp(ret->column->type, "String") == 0;
}

static bool parse_bare(Parser *parser, Operand *ret) {
  size_t begin = parser->at;
  if (take(parser, "(")) return parse_operand(parser, ret) && take(parser, ")");
  Str text = take_quoted(parser, '\'');
  if (text.ptr != NULL) {
    *ret = (Operand){.kind = OPERAND_STRING, .text = text};
    return true;
  }
  if (parse_number(parser, ret)) return true;
  if (take_word(parser, "true") || take_word(parser, "false")) {
    *ret = (Operand){.kind = OPERAND_BOOL, .text = str_trim(str_slice(parser->sql, begin, parser->at))};
    return true;
  }
  if (parse_size(parser, ret)) return true;
  parser->at = begin;
  return parse_column(parser, ret);
}

static bool parse_operand(Parser *parser, Operand *ret) {
  if (++parser->depth > DEPTH_MAX) return false;
  bool is_good = parse_bare(parser, ret) && skip_casts(parser);
  parser->depth--;
  return is_good;
}

/* ---- The rule ---- */

static bool is_whole(Str text) {
  int64_t number = 0;
  return str_parse_int64(text, &number);
}

/* A literal as the rule language writes it for the column that it is compared with. */
static bool write_literal(Buf *out, const Operand *literal, const Operand *beside) {
  const char *type = beside->kind == OPERAND_SIZE ? "Int" : beside->column->type;
  bool is_text = literal->kind == OPERAND_STRING, is_bool = literal->kind == OPERAND_BOOL;
  if (strcmp(type, "Boolean") == 0) {
    if (is_bool) buf_add(out, literal->text);
    return is_bool;
  }
  if (is_bool) return false;
  if (strcmp(type, "Int") == 0 || strcmp(type, "BigInt") == 0 || strcmp(type, "Decimal") == 0) {
    if (!is_whole(literal->text)) return false;
    buf_printf(out, literal->text.ptr[0] == '-' ? "(%.*s)" : "%.*s", STR_ARGS(literal->text));
    return true;
  }
  if (strcmp(type, "Float") == 0) {
    double number = 0;
    if (!json_number_to_double(literal->text, &number)) return false;
    buf_printf(out, literal->text.ptr[0] == '-' ? "(%.*s%s)" : "%.*s%s", STR_ARGS(literal->text), is_whole(literal->text) ? ".0" : "");
    return true;
  }
  if (!is_text || (strcmp(type, "String") != 0 && strcmp(type, "Date") != 0 && !beside->column->is_enum)) return false;
  if (strcmp(type, "Date") == 0) buf_add(out, STR("date("));
  json_write_string(out, literal->text);
  if (strcmp(type, "Date") == 0) buf_add_byte(out, ')');
  return true;
}

static bool is_of_row(const Operand *operand) { return operand->kind == OPERAND_COLUMN || operand->kind == OPERAND_SIZE; }

static bool write_operand(Buf *out, const Operand *operand, const Operand *beside) {
  if (!is_of_row(operand)) return is_of_row(beside) && write_literal(out, operand, beside);
  if (is_of_row(beside) && (operand->kind != beside->kind || strcmp(operand->column->type, beside->column->type) != 0)) return false;
  buf_printf(out, operand->kind == OPERAND_SIZE ? "size(%.*s)" : "%.*s", STR_ARGS(operand->column->field));
  return true;
}

/* Null passes. */
static void write_null_first(Buf *out, const Operand *operand) {
  if (is_of_row(operand) && !operand->column->is_required) buf_printf(out, "%.*s == null || ", STR_ARGS(operand->column->field));
}

static bool parse_items(Parser *parser, const Operand *beside, Buf *out, size_t depth) {
  if (depth > 4) return false;
  if (take(parser, "(")) return parse_items(parser, beside, out, depth + 1) && take(parser, ")") && skip_casts(parser);
  if (!take_word(parser, "ARRAY") || !take(parser, "[")) return false;
  buf_add_byte(out, '[');
  for (size_t i = 0; i < ITEMS_MAX; i++) {
    Operand item;
    if (!parse_operand(parser, &item) || is_of_row(&item)) return false;
    if (i > 0) buf_add(out, STR(", "));
    if (!write_literal(out, &item, beside)) return false;
    if (take(parser, "]")) {
      buf_add_byte(out, ']');
      return skip_casts(parser);
    }
    if (!take(parser, ",")) return false;
  }
  return false;
}

static bool parse_is_null(Parser *parser, const Operand *left, Buf *out) {
  bool is_not = take_word(parser, "NOT");
  if (left->kind != OPERAND_COLUMN || !take_word(parser, "NULL")) return false;
  buf_printf(out, "%.*s %s null", STR_ARGS(left->column->field), is_not ? "!=" : "==");
  return true;
}

static const char *take_comparison(Parser *parser) {
  static const struct {
    const char *sql, *rule;
  } operators[] = {{"<>", "!="}, {"<=", "<="}, {">=", ">="}, {"=", "=="}, {"<", "<"}, {">", ">"}};
  for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
    if (take(parser, operators[i].sql)) return operators[i].rule;
  return NULL;
}

static bool parse_comparison(Parser *parser, Buf *out) {
  Operand left, right;
  if (!parse_operand(parser, &left)) return false;
  if (take_word(parser, "IS")) return parse_is_null(parser, &left, out);
  const char *operator= take_comparison(parser);
  if (operator== NULL) {
    bool is_flag = left.kind == OPERAND_COLUMN && strcmp(left.column->type, "Boolean") == 0;
    buf_add_byte(out, '(');
    write_null_first(out, &left);
    if (is_flag) buf_printf(out, "%.*s)", STR_ARGS(left.column->field));
    return is_flag;
  }
  buf_add_byte(out, '(');
  write_null_first(out, &left);
  if (strcmp(operator, "==") == 0 && take_word(parser, "ANY")) {
    if (left.kind != OPERAND_COLUMN) return false;
    buf_printf(out, "%.*s in ", STR_ARGS(left.column->field));
    if (!parse_items(parser, &left, out, 0)) return false;
  } else {
    if (!parse_operand(parser, &right) || (!is_of_row(&left) && !is_of_row(&right))) return false;
    write_null_first(out, &right);
    if (!write_operand(out, &left, &right)) return false;
    buf_printf(out, " %s ", operator);
    if (!write_operand(out, &right, &left)) return false;
  }
  buf_add_byte(out, ')');
  return true;
}

static bool parse_or(Parser *parser, Buf *out, bool *ret_compound);

/* A parenthesis may begin an operand or a condition: the one is tried, then the other. */
static bool parse_condition(Parser *parser, Buf *out) {
  size_t begin = parser->at, written = out->len;
  if (parse_comparison(parser, out)) return true;
  parser->at = begin;
  out->len = written;
  if (!take(parser, "(")) return false;
  bool is_compound = false;
  buf_add_byte(out, '(');
  if (!parse_or(parser, out, &is_compound) || !take(parser, ")") || out->failed != CODE_OK) return false;
  if (is_compound) {
    buf_add_byte(out, ')');
  } else {
    memmove(out->ptr + written, out->ptr + written + 1, out->len - written - 1);
    out->len--;
  }
  return true;
}

static bool parse_and(Parser *parser, Buf *out, bool *ret_compound) {
  if (!parse_condition(parser, out)) return false;
  while (take_word(parser, "AND")) {
    *ret_compound = true;
    buf_add(out, STR(" && "));
    if (!parse_condition(parser, out)) return false;
  }
  return true;
}

static bool parse_or(Parser *parser, Buf *out, bool *ret_compound) {
  if (++parser->depth > DEPTH_MAX) return false;
  bool is_good = parse_and(parser, out, ret_compound);
  while (is_good && take_word(parser, "OR")) {
    *ret_compound = true;
    buf_add(out, STR(" || "));
    is_good = parse_and(parser, out, ret_compound);
  }
  parser->depth--;
  return is_good;
}

Str check_translate(Str sql, const CheckColumn *columns, size_t count, Arena *arena) {
  Parser parser = {.sql = sql, .columns = columns, .count = count, .arena = arena};
  Buf out = buf_on(arena, RULE_BYTES_MAX);
  bool is_compound = false;
  if (!take_word(&parser, "CHECK") || !take(&parser, "(") || !parse_or(&parser, &out, &is_compound) || !take(&parser, ")"))
    return (Str){NULL, 0};
  skip_space(&parser);
  /* NOT VALID, NO INHERIT: rows may be there that don't fit. */
  return parser.at == sql.len && out.failed == CODE_OK ? buf_str(&out) : (Str){NULL, 0};
}
