/* diff_impl.h - what the parts of the comparison share. Internal to diff*.c. */
#pragma once
#include "contract/diff.h"
#include "contract/expr.h"

typedef struct Differ {
  Arena *arena;
  Diff *diff;
  const Contract *old, *new;
  bool has_no_memory; /* sticky */
} Differ;

/* Where in the two contracts a change is. */
typedef struct DiffPlaces {
  SourcePlace old, new;
} DiffPlaces;

void diff_add(Differ *differ, DiffClass class, const char *kind, Str subject, DiffPlaces places, const char *format, ...) PRINTF_LIKE(6, 7);
/* A change that breaks both sides. */
void diff_add_both(Differ *differ, const char *kind, Str subject, DiffPlaces places, Str detail);
/* "Product.price" */
Str diff_subject(Differ *differ, Str type, Str field);
Str diff_printf(Differ *differ, const char *format, ...) PRINTF_LIKE(2, 3);

/* The old resource that became `new`, by name, by @renamed, by path; NULL: it is new. */
const Resource *diff_old_resource(const Differ *differ, const Resource *new);
/* Likewise a field of the old resource or embedded type. */
const Field *diff_old_field(const Field *const *fields, size_t count, const Field *new);

/* diff_fields.c */
void diff_fields(Differ *differ, Str owner, const Field *const *old, size_t old_count, const Field *const *new, size_t new_count);
/* diff_values.c, for directives: a bound that has moved, 1 tighter, -1 looser, 0 the same. */
void diff_tell_move(Differ *differ, int move, const char *directive, Str subject, DiffPlaces places);
/* How one has that is a count, or -1 for none; `sign` is 1 for a least and -1 for a greatest. */
int diff_count_move(int64_t old, int64_t new, int sign);
void diff_value(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places);
/* diff_enums.c */
void diff_enums(Differ *differ);
/* diff_groups.c: keys, uniques, indexes, checks, search, and what else stands on a type */
void diff_groups(Differ *differ, const Resource *old, const Resource *new);

typedef enum RuleOrder { RULES_EQUAL = 0, RULE_WIDER, RULE_NARROWER, RULES_UNORDERED } RuleOrder;
/* How the new rule stands to the old one, as far as their forms say; NULL is not allowed here. */
RuleOrder diff_rule_order(const Expr *old, const Expr *new, Arena *arena, bool *ret_has_no_memory);
/* The rule in a form in which what may stand in any order stands in one. ptr NULL: no memory. */
Str diff_rule_text(const Expr *rule, Arena *arena);
/* diff_access.c */
void diff_type_access(Differ *differ, const Resource *old, const Resource *new);
void diff_field_access(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places);
