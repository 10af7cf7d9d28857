/* expr_impl.h - what the files of the rule language share: source → tokens → syntax → typed tree. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "contract/expr.h"

/* ---- mistakes ---- */

typedef struct ExprReport {
  ExprMistake *items; /* EXPR_MISTAKES_MAX of them */
  size_t count;
  bool is_no_memory;
  bool is_too_large;
} ExprReport;

/* A further mistake; beyond EXPR_MISTAKES_MAX they are dropped. `hint` may be empty. */
void expr_report(ExprReport *report, uint32_t begin, uint32_t end, const char *hint, const char *format, ...) PRINTF_LIKE(5, 6);
void expr_vreport(ExprReport *report, uint32_t begin, uint32_t end, const char *hint, const char *format, va_list args)
    __attribute__((format(printf, 5, 0)));
/* "did you mean …?" of the candidate nearest to `name`, into `hint`; empty where none is near. */
typedef struct ExprNearest {
  Str name;
  Str best;
  size_t distance;
} ExprNearest;
void expr_nearest_offer(ExprNearest *nearest, Str candidate);
void expr_nearest_hint(const ExprNearest *nearest, char hint[120]);

/* ---- tokens ---- */

typedef enum TokenKind {
  TOKEN_END = 0,
  TOKEN_NAME,
  TOKEN_INT,
  TOKEN_FLOAT,
  TOKEN_STRING,
  TOKEN_BYTES,
  TOKEN_AND,
  TOKEN_OR,
  TOKEN_NOT,
  TOKEN_EQ,
  TOKEN_NE,
  TOKEN_LT,
  TOKEN_LE,
  TOKEN_GT,
  TOKEN_GE,
  TOKEN_IN,
  TOKEN_PLUS,
  TOKEN_MINUS,
  TOKEN_STAR,
  TOKEN_SLASH,
  TOKEN_PERCENT,
  TOKEN_QUESTION,
  TOKEN_COLON,
  TOKEN_DOT,
  TOKEN_COMMA,
  TOKEN_OPEN,
  TOKEN_CLOSE,
  TOKEN_OPEN_LIST,
  TOKEN_CLOSE_LIST,
  TOKEN_TRUE,
  TOKEN_FALSE,
  TOKEN_NULL
} TokenKind;

typedef struct Token {
  TokenKind kind;
  uint32_t begin, end;
  Str text; /* NAME: itself; numbers: as written; STRING and BYTES: decoded */
} Token;

typedef struct Lexer {
  Str source;
  size_t at;
  Arena *arena;
  ExprReport *report;
} Lexer;

/* False: a mistake was reported. */
bool expr_lex(Lexer *lexer, Token *ret);

/* ---- syntax ---- */

typedef enum SyntaxKind {
  SYNTAX_NULL = 0,
  SYNTAX_BOOL,
  SYNTAX_INT,
  SYNTAX_FLOAT,
  SYNTAX_STRING,
  SYNTAX_BYTES,
  SYNTAX_NAME,
  SYNTAX_MEMBER, /* args[0] . text */
  SYNTAX_CALL,   /* text(args…); has_target: args[0].text(…) */
  SYNTAX_LIST,
  SYNTAX_NOT,
  SYNTAX_NEGATE,
  SYNTAX_BINARY, /* token; AND and OR hold all terms of a chain */
  SYNTAX_CONDITION
} SyntaxKind;

typedef struct Syntax Syntax;
struct Syntax {
  SyntaxKind kind;
  TokenKind token;
  bool boolean;
  bool has_target;
  uint32_t begin, end;           /* the whole */
  uint32_t name_begin, name_end; /* MEMBER, CALL: the name */
  uint32_t depth;
  Str text;
  const Syntax **args;
  size_t arg_count;
};

/* NULL: a mistake (or too much, or no memory) was reported. */
const Syntax *expr_parse_syntax(Str source, const ExprLimits *limits, Arena *arena, ExprReport *report);

/* ---- typed tree ---- */

/* A cleared node at the syntax's place; NULL when memory is out. */
Expr *expr_new(Arena *arena, ExprKind kind, ExprType type);
/* Fills what follows from the arguments: roots, depends_on_row, has_relations, has_literals. Call when everything else is set. */
const Expr *expr_finish(Expr *expr);
/* A node with these arguments, finished. */
const Expr *expr_with_args(Arena *arena, ExprKind kind, ExprType type, const Expr *const *args, size_t count);
/* The type of a stored field's values, or of a list's items. */
ExprType expr_type_of_field(const Field *field);
/* The type of what a path reaches; for a list *ret_item_type too. */
ExprType expr_type_of_path(const ExprPath *path, ExprType *ret_item_type);
/* The value that a literal of this ExprType holds. */
ValueType expr_value_type(ExprType type);
ExprType expr_type_of_value(ValueType type);
/* The last field of a path: the member, else the field; NULL: the row itself. */
const Field *expr_path_end(const ExprPath *path);
/* An enum column whose values differ from the names. */
bool expr_holds_stored_names(const Expr *expr);
/* Its name for a stored one, and the other way round; ptr NULL where there is none. */
Str expr_enum_name(const EnumType *type, Str stored);
Str expr_enum_stored(const EnumType *type, Str name);
static inline bool expr_is_null_literal(const Expr *e) { return e->kind == EXPR_LITERAL && e->type == EXPR_TYPE_NULL; }

/* Folds what is constant whatever the row, the caller and the time. */
Code expr_fold(const Expr *expr, Arena *arena, const Expr **ret, Error *err);
