/* expr_check.h - what the checker's files share: syntax in, typed tree out. A function that returns NULL has reported why. */
#pragma once
#include "contract/expr_impl.h"

/* A name bound by exists or all. */
typedef struct Binding Binding;
struct Binding {
  Str name;
  uint32_t depth;
  const Resource *resource; /* a row of a to-many relation; NULL: an item of a list */
  ExprType item_type;       /* an item */
  const Field *item_field;  /* the list's field, for enums and embedded objects; NULL: none */
  const Binding *outer;
};

typedef struct Checker {
  Arena *arena;
  Str source;
  const Resource *resource; /* NULL: there is no row */
  ExprUse use;
  const ExprNames *names; /* NULL: the contract's alone */
  ExprReport *report;
  const Binding *bindings; /* innermost first */
  uint32_t depth;          /* of the next binding */
} Checker;

/* Nothing: memory is out. */
const Expr *check_no_memory(Checker *checker);
void check_report(Checker *checker, const Syntax *syntax, const char *hint, const char *format, ...) PRINTF_LIKE(4, 5);
void check_report_at(Checker *checker, const Expr *expr, const char *hint, const char *format, ...) PRINTF_LIKE(4, 5);
/* Gives a node the syntax's place. */
Expr *check_new(Checker *checker, ExprKind kind, ExprType type, const Syntax *syntax);
const Expr *check_node(Checker *checker, ExprKind kind, ExprType type, const Syntax *syntax, const Expr *const *args, size_t count);
const Expr *check_literal(Checker *checker, const Expr *place, ExprType type, Value value);

/* expr_names.c: a name, or names behind one another. */
const Expr *check_path(Checker *checker, const Syntax *syntax);

/* expr_coerce.c */
/* "an Int", "a User row", "a list of String": for messages. Lives on the checker's arena. */
const char *check_describe(Checker *checker, const Expr *expr);
/* As a Boolean, or NULL. */
const Expr *check_boolean(Checker *checker, const Expr *expr);
/* As a string that holds names, not stored names. */
const Expr *check_plain(Checker *checker, const Expr *expr);
/* Both sides in one type, conversions made explicit. `what` is "compared", "added" … */
bool check_unify(Checker *checker, const Expr **left, const Expr **right, const char *what);
/* As a value of the type; NULL and reported where it can't be. */
const Expr *check_convert(Checker *checker, const Expr *expr, ExprType type);
/* As a value that the field holds (for defaults). */
const Expr *check_for_field(Checker *checker, const Expr *expr, const Field *field);

/* expr_calls.c */
const Expr *check_call(Checker *checker, const Syntax *syntax);
/* expr_check.c */
const Expr *check_expression(Checker *checker, const Syntax *syntax);
