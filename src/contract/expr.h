/* expr.h - the rule language (a CEL subset, INTERFACE §2): one parser, one checker, one typed tree. The tree is evaluated in memory
 * here and compiled to SQL in sql/expr_sql.h, with the same two-valued semantics. Immutable once made; any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"
#include "contract/model.h"

#define CALLER_CERTIFICATE_CLAIM "cert"

/* Who is calling. Made by auth/, borrowed by everything below. */
typedef struct Caller {
  bool is_authenticated;   /* a valid token was presented */
  Value id;                /* VALUE_TEXT (the token's sub) or VALUE_NULL */
  ValueList roles;         /* VALUE_TEXT items */
  const JsonValue *claims; /* the whole payload as a JSON object; NULL for a stranger */
  /* What the client's certificate calls its holder, as a JSON string; NULL: it has shown none. It is the claim `cert`, whatever a token
   * says of one. */
  const JsonValue *certificate;
} Caller;

typedef enum ExprKind {
  EXPR_LITERAL = 0, /* value */
  EXPR_PATH,        /* a field of a row in scope, perhaps through to-one relations and embedded objects: `path` */
  EXPR_AUTH_ID,
  EXPR_AUTH_ROLES,
  EXPR_AUTH_CLAIM, /* name */
  EXPR_NOW,
  EXPR_UUID, /* uuid(): defaults only */
  EXPR_LIST, /* [a, b, c]: args */
  EXPR_AND,
  EXPR_OR,
  EXPR_NOT, /* args; AND and OR take two or more */
  EXPR_EQ,
  EXPR_NE,
  EXPR_LT,
  EXPR_LE,
  EXPR_GT,
  EXPR_GE, /* two args */
  EXPR_IN, /* args[0] in args[1] (a list) */
  EXPR_ADD,
  EXPR_SUB,
  EXPR_MUL,
  EXPR_DIV,
  EXPR_MOD,
  EXPR_NEGATE,
  EXPR_CONDITION, /* a ? b : c */
  EXPR_SIZE,      /* of a string (code points), bytes, list or to-many relation */
  EXPR_STARTS_WITH,
  EXPR_ENDS_WITH,
  EXPR_CONTAINS,
  EXPR_MATCHES, /* two args; MATCHES: args[1] is a literal */
  EXPR_HAS,     /* has(path): it is not null */
  EXPR_EXISTS,
  EXPR_ALL,      /* over a to-many relation (path) or a list (args[0]); body = args[count-1]; binds variable */
  EXPR_VARIABLE, /* the bound item of a list, or (path.members) a member of it; rows are reached by EXPR_PATH instead */
  EXPR_CONVERT   /* args[0], made by the checker: to `type`; null where it does not fit (dynamic claims).
                    From a string with enum_type: the name of what is stored */
} ExprKind;

/* What an expression yields. */
typedef enum ExprType {
  EXPR_TYPE_NULL = 0, /* the literal null */
  EXPR_TYPE_BOOL,
  EXPR_TYPE_INT,
  EXPR_TYPE_FLOAT,
  EXPR_TYPE_DECIMAL,
  EXPR_TYPE_STRING,
  EXPR_TYPE_BYTES,
  EXPR_TYPE_TIMESTAMP,
  EXPR_TYPE_DATE,
  EXPR_TYPE_DURATION,
  EXPR_TYPE_JSON,
  EXPR_TYPE_LIST,
  EXPR_TYPE_ROW,    /* a to-one relation or a bound row: only compared with null, or has() */
  EXPR_TYPE_DYNAMIC /* a claim: its type is known when it is asked for */
} ExprType;

enum { EXPR_ROOT_ROW = 0, EXPR_ROOT_OLD = 1, EXPR_ROOT_BOUND = 2 /* + the depth of the binding exists/all, outermost 0 */ };

enum { EXPR_BINDINGS_MAX = 8 }; /* exists and all within one another */
#define EXPR_READS_CALLER (1u << 30)
#define EXPR_READS_NOW (1u << 31) /* now() and uuid() */

typedef struct ExprPath {
  uint32_t root;               /* EXPR_ROOT_… */
  const Resource *resource;    /* the resource of the root's row */
  const Relation *const *hops; /* to-one relations, from the root on */
  size_t hop_count;
  const Field *field;          /* a stored field of the last row; a FIELD_TO_ONE (EXPR_TYPE_ROW) or FIELD_TO_MANY (exists, all, size);
                                  NULL: the row itself (EXPR_TYPE_ROW) */
  const Field *const *members; /* then into an embedded object: its fields from outside in */
  size_t member_count;
} ExprPath;

struct Expr {
  ExprKind kind;
  ExprType type;
  ExprType item_type; /* EXPR_TYPE_LIST */
  const EnumType
      *enum_type;      /* a string that is one of its values; else NULL. A column's values, and literals beside one, are the stored names */
  bool depends_on_row; /* some path or bound variable of outside stands in it */
  bool has_relations;  /* needs more than the row itself: hops, or exists/all/size over a to-many relation */
  bool has_literals;   /* a literal (or pattern) stands in it that travels as a parameter: all but null, true and false */
  uint32_t roots;      /* what it is made from: a bit for each EXPR_ROOT_…, and EXPR_READS_… */
  uint32_t begin, end; /* bytes of the source, for messages and explain */
  Value value;         /* LITERAL */
  Str name;            /* AUTH_CLAIM; VARIABLE, EXISTS, ALL (the bound name); LITERAL (a number as it was written) */
  uint32_t depth;      /* EXISTS, ALL: the depth of the binding; VARIABLE: whose */
  ExprPath path;       /* PATH; EXISTS, ALL and SIZE over a relation */
  const Expr *const *args;
  size_t arg_count;
  uint32_t param; /* on a reduced tree: the number of the literal's parameter, set by the planner; 0: none */
  void *regex;    /* MATCHES: the compiled pattern, owned by the contract's (or request's) arena */
};

typedef enum ExprUse {
  EXPR_USE_RULE = 0, /* @access, @check, @index(where:), field rules: Boolean over the row */
  EXPR_USE_UPDATE,   /* an update rule: old. is in scope */
  EXPR_USE_DEFAULT,  /* no row: auth, now(), uuid() */
  EXPR_USE_FILTER    /* a client's filter: hidden fields are unknown, a field `auth` goes before the caller */
} ExprUse;

typedef struct ExprMistake {
  uint32_t begin, end; /* bytes of the source */
  char message[200];
  char hint[120];
} ExprMistake;

/* What a face calls otherwise than the contract does; NULL: there is no such name. */
typedef struct ExprNames {
  /* One of `resource` and `embedded` is given. */
  const Field *(*find)(const void *context, const Resource *resource, const Embedded *embedded, Str name);
  const EnumValue *(*find_value)(const void *context, const EnumType *type, Str name);
  const void *context;
} ExprNames;

typedef struct ExprLimits {
  const ExprNames *names; /* asked where the contract has no such name; NULL: nobody is */
  size_t bytes_max;       /* 0: none */
  size_t nodes_max;       /* 0: none */
  size_t depth_max;       /* of nesting; never 0 */
} ExprLimits;

enum { EXPR_DEPTH_MAX = 64, EXPR_FILTER_NODES_MAX = 100, EXPR_MISTAKES_MAX = 8 };

/* Parses and checks. `resource` is the row's (NULL for EXPR_USE_DEFAULT, then `expected` says what the field wants; else Boolean). On
 * failure CODE_BAD_REQUEST (or CODE_TOO_LARGE beyond a limit, CODE_UNAVAILABLE) with *ret_mistakes filled, up to EXPR_MISTAKES_MAX. */
Code expr_parse(Str source, const Resource *resource, ExprUse use, const Field *expected, const ExprLimits *limits, Arena *arena,
                const Expr **ret, ExprMistake mistakes[EXPR_MISTAKES_MAX], size_t *ret_mistake_count, Error *err);

/* Whatever it is made of, it yields true or false, never null. */
bool expr_is_two_valued(const Expr *expr);

/* Building trees by hand (a face's own filters). Types are already right: the face has decoded the value by the field's type. NULL when
 * memory is out. */
const Expr *expr_literal(Arena *arena, Value value);
const Expr *expr_bool(bool value); /* shared constants */
const Expr *expr_path(Arena *arena, const ExprPath *path);
/* Of two that begin at the same row. */
bool expr_path_equal(const ExprPath *a, const ExprPath *b);
const Expr *expr_compare(Arena *arena, ExprKind kind, const Expr *left, const Expr *right);
const Expr *expr_call(Arena *arena, ExprKind kind, const Expr *const *args, size_t count);
const Expr *expr_and(Arena *arena, const Expr *left, const Expr *right); /* either may be NULL: the other */
const Expr *expr_or(Arena *arena, const Expr *left, const Expr *right);
const Expr *expr_not(Arena *arena, const Expr *operand);
const Expr *expr_exists(Arena *arena, ExprKind kind, const ExprPath *path, const Expr *body, uint32_t depth);

/* The expression as text, for people: rules as explain shows them, differences that tests find. Parses back where no conversion was made.
 */
void expr_write(Buf *out, const Expr *expr);

/* What an evaluation may look at. */
typedef struct ExprEnv {
  const Caller *caller;
  int64_t now_us;
  bool is_timeless; /* expr_reduce leaves now() as it is: the residue is for later */
  const Value *row; /* a whole row in Resource.stored order; NULL: unknown */
  const Value *old; /* likewise */
  /* Rows that the row points to: for tests, and for stores in memory. NULL: has_relations expressions must not be given. */
  const struct ExprResolver *resolver;
} ExprEnv;

typedef struct ExprResolver {
  /* The row that `relation` of `row` points to; NULL: none. */
  const Value *(*to_one)(void *context, const Relation *relation, const Value *row);
  /* The rows whose `relation` points to `row`. */
  size_t (*to_many)(void *context, const Relation *relation, const Value *row, const Value *const **ret_rows);
  void *context;
} ExprResolver;

/* The value, VALUE_NULL for null. Never fails for well-typed trees but for memory. Temporary values live in `arena`. */
Code expr_eval(const Expr *expr, const ExprEnv *env, Arena *arena, Value *ret, Error *err);
/* A rule's verdict: true only when it is true. */
Code expr_eval_bool(const Expr *expr, const ExprEnv *env, Arena *arena, bool *ret, Error *err);

/* Partial evaluation: everything that does not depend on the row becomes a literal (by env->caller and env->now_us), and what
 * follows from it is folded: true || x is true, false && x is false, and so on. When env->row (or old) is given, what reads only it is
 * folded too. The result of a Boolean may be the literal true or false. What is left belongs to this call: subtrees that hold a literal
 * which may become a numbered parameter (anything but null, true and false; patterns too) are copied to `arena`, since expr_sql_number
 * writes their numbers; other unchanged subtrees may be shared with the contract. */
Code expr_reduce(const Expr *expr, const ExprEnv *env, Arena *arena, const Expr **ret, Error *err);
static inline bool expr_is_true(const Expr *e) { return e->kind == EXPR_LITERAL && e->value.type == VALUE_BOOL && e->value.boolean; }
static inline bool expr_is_false(const Expr *e) {
  return e->kind == EXPR_LITERAL && (e->value.type == VALUE_NULL || (e->value.type == VALUE_BOOL && !e->value.boolean));
}
