/* expr_text.c - an expression as text again, every operator in parentheses. */
#include "base/datetime.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "contract/expr_impl.h"

typedef struct Printer {
  Buf *out;
  Str names[EXPR_BINDINGS_MAX]; /* of what is bound at each depth */
} Printer;

static void print(Printer *printer, const Expr *expr);

/* ---- literals ---- */

static void print_bytes(Buf *out, Str bytes) {
  buf_add(out, STR("b\""));
  for (size_t i = 0; i < bytes.len; i++) buf_printf(out, "\\x%02x", (unsigned)(unsigned char)bytes.ptr[i]);
  buf_add_byte(out, '"');
}

static void print_time(Buf *out, const Value *value) {
  char text[TIMESTAMP_TEXT_MAX];
  if (value->type == VALUE_DURATION) {
    buf_printf(out, "duration(\"%lldus\")", (long long)value->integer);
    return;
  }
  size_t len = value->type == VALUE_DATE ? date_write(value->integer, text) : timestamp_write(value->integer, text);
  buf_printf(out, "%s(\"%.*s\")", value->type == VALUE_DATE ? "date" : "timestamp", (int)len, text);
}

static void print_value(Buf *out, const Value *value) {
  switch (value->type) {
    case VALUE_BOOL: buf_add(out, value->boolean ? STR("true") : STR("false")); break;
    case VALUE_INT: buf_add_int64(out, value->integer); break;
    case VALUE_FLOAT: json_write_double(out, value->number); break;
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_JSON: json_write_string(out, value->text); break;
    case VALUE_BYTES: print_bytes(out, value->text); break;
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: print_time(out, value); break;
    case VALUE_LIST:
      buf_add_byte(out, '[');
      for (size_t i = 0; i < value->list.count; i++) {
        if (i > 0) buf_add(out, STR(", "));
        print_value(out, &value->list.items[i]);
      }
      buf_add_byte(out, ']');
      break;
    case VALUE_NULL:
    case VALUE_ROW:
    case VALUE_ROWS: buf_add(out, STR("null")); break;
  }
}

static void print_literal(Buf *out, const Expr *expr) {
  Str name = expr->value.type == VALUE_TEXT && expr->enum_type != NULL ? expr_enum_name(expr->enum_type, expr->value.text) : (Str){0};
  Value value = name.ptr != NULL ? value_text(name) : expr->value;
  print_value(out, &value);
}

/* ---- paths ---- */

static void print_name(Printer *printer, Str name, bool *is_first) {
  if (!*is_first) buf_add_byte(printer->out, '.');
  buf_add(printer->out, name);
  *is_first = false;
}

static void print_path(Printer *printer, const ExprPath *path) {
  bool is_first = true;
  if (path->root == EXPR_ROOT_OLD) print_name(printer, STR("old"), &is_first);
  if (path->root >= EXPR_ROOT_BOUND) print_name(printer, printer->names[path->root - EXPR_ROOT_BOUND], &is_first);
  for (size_t i = 0; i < path->hop_count; i++) print_name(printer, path->hops[i]->field->name, &is_first);
  if (path->field != NULL) print_name(printer, path->field->name, &is_first);
  for (size_t i = 0; i < path->member_count; i++) print_name(printer, path->members[i]->name, &is_first);
}

/* ---- operators ---- */

static void print_args(Printer *printer, const Expr *expr, Str between) {
  for (size_t i = 0; i < expr->arg_count; i++) {
    if (i > 0) buf_add(printer->out, between);
    print(printer, expr->args[i]);
  }
}

static void print_between(Printer *printer, const Expr *expr, Str between) {
  buf_add_byte(printer->out, '(');
  print_args(printer, expr, between);
  buf_add_byte(printer->out, ')');
}

static void print_method(Printer *printer, const Expr *expr, Str name) {
  print(printer, expr->args[0]);
  buf_printf(printer->out, ".%.*s(", STR_ARGS(name));
  print(printer, expr->args[1]);
  buf_add_byte(printer->out, ')');
}

static void print_quantifier(Printer *printer, const Expr *expr) {
  static const Str spare[EXPR_BINDINGS_MAX] = {STR_INIT("x0"), STR_INIT("x1"), STR_INIT("x2"), STR_INIT("x3"),
                                               STR_INIT("x4"), STR_INIT("x5"), STR_INIT("x6"), STR_INIT("x7")};
  Str name = expr->name.len > 0 ? expr->name : spare[expr->depth];
  if (expr->path.field != NULL)
    print_path(printer, &expr->path);
  else
    print(printer, expr->args[0]);
  printer->names[expr->depth] = name;
  buf_printf(printer->out, ".%s(%.*s, ", expr->kind == EXPR_EXISTS ? "exists" : "all", STR_ARGS(name));
  print(printer, expr->args[expr->arg_count - 1]);
  buf_add_byte(printer->out, ')');
}

static void print_variable(Printer *printer, const Expr *expr) {
  buf_add(printer->out, expr->name);
  for (size_t i = 0; i < expr->path.member_count; i++) {
    buf_add_byte(printer->out, '.');
    buf_add(printer->out, expr->path.members[i]->name);
  }
}

static void print_prefix(Printer *printer, const Expr *expr, Str before) {
  buf_add(printer->out, before);
  print_args(printer, expr, STR(", "));
  buf_add_byte(printer->out, ')');
}

static void print_condition(Printer *printer, const Expr *expr) {
  buf_add_byte(printer->out, '(');
  print(printer, expr->args[0]);
  buf_add(printer->out, STR(" ? "));
  print(printer, expr->args[1]);
  buf_add(printer->out, STR(" : "));
  print(printer, expr->args[2]);
  buf_add_byte(printer->out, ')');
}

static Str operator_text(ExprKind kind) {
  switch (kind) {
    case EXPR_AND: return STR(" && ");
    case EXPR_OR: return STR(" || ");
    case EXPR_EQ: return STR(" == ");
    case EXPR_NE: return STR(" != ");
    case EXPR_LT: return STR(" < ");
    case EXPR_LE: return STR(" <= ");
    case EXPR_GT: return STR(" > ");
    case EXPR_GE: return STR(" >= ");
    case EXPR_IN: return STR(" in ");
    case EXPR_ADD: return STR(" + ");
    case EXPR_SUB: return STR(" - ");
    case EXPR_MUL: return STR(" * ");
    case EXPR_DIV: return STR(" / ");
    default: return STR(" % ");
  }
}

static void print(Printer *printer, const Expr *expr) {
  Buf *out = printer->out;
  switch (expr->kind) {
    case EXPR_LITERAL: print_literal(out, expr); break;
    case EXPR_PATH: print_path(printer, &expr->path); break;
    case EXPR_VARIABLE: print_variable(printer, expr); break;
    case EXPR_AUTH_ID: buf_add(out, STR("auth.id")); break;
    case EXPR_AUTH_ROLES: buf_add(out, STR("auth.roles")); break;
    case EXPR_AUTH_CLAIM:
      buf_add(out, STR("auth.claims."));
      buf_add(out, expr->name);
      break;
    case EXPR_NOW: buf_add(out, STR("now()")); break;
    case EXPR_UUID: buf_add(out, STR("uuid()")); break;
    case EXPR_LIST:
      buf_add_byte(out, '[');
      print_args(printer, expr, STR(", "));
      buf_add_byte(out, ']');
      break;
    case EXPR_NOT: print_prefix(printer, expr, STR("!(")); break;
    case EXPR_NEGATE: print_prefix(printer, expr, STR("-(")); break;
    case EXPR_HAS: print_prefix(printer, expr, STR("has(")); break;
    case EXPR_SIZE:
      buf_add(out, STR("size("));
      if (expr->path.field != NULL) print_path(printer, &expr->path);
      print_args(printer, expr, STR(", "));
      buf_add_byte(out, ')');
      break;
    case EXPR_CONDITION: print_condition(printer, expr); break;
    case EXPR_STARTS_WITH: print_method(printer, expr, STR("startsWith")); break;
    case EXPR_ENDS_WITH: print_method(printer, expr, STR("endsWith")); break;
    case EXPR_CONTAINS: print_method(printer, expr, STR("contains")); break;
    case EXPR_MATCHES: print_method(printer, expr, STR("matches")); break;
    case EXPR_EXISTS:
    case EXPR_ALL: print_quantifier(printer, expr); break;
    case EXPR_CONVERT: print(printer, expr->args[0]); break;
    default: print_between(printer, expr, operator_text(expr->kind)); break;
  }
}

void expr_write(Buf *out, const Expr *expr) {
  Printer printer = {.out = out};
  print(&printer, expr);
}
