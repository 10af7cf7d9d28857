/* check.h - from the syntax tree to the model: what the passes of the checker share. A pass reports what is wrong and goes on with what is
 * right; only lacking memory stops it. The passes, in their order, are a table in check.c. */
#pragma once
#include "base/vec.h"
#include "contract/model.h"
#include "contract/sdl.h"

typedef struct CheckedType CheckedType;

typedef struct CheckedField {
  const SdlField *sdl;
  CheckedType *owner;
  Field *field;        /* in the model; NULL: its type is unknown, and Checker.unknown_names has its name */
  CheckedType *target; /* of a relation, either side; NULL: not one */
  Relation *relation;  /* a to-one's own; a to-many's once it is found */
  Field **keys;        /* a to-one's key fields */
  bool *owns_key;      /* false: the column is a declared field's or another relation's too */
  size_t key_count;
  Span rule_span; /* of @relation, or the field's */
} CheckedField;

typedef enum CheckedKind { CHECKED_RESOURCE, CHECKED_EMBEDDED, CHECKED_ENUM, CHECKED_REFUSED } CheckedKind;
typedef enum KeyState { KEY_OPEN = 0, KEY_UNDER_WAY, KEY_DONE } KeyState;

struct CheckedType {
  const SdlDefinition *sdl;
  CheckedKind kind;
  uint32_t index;
  Resource *resource;
  Embedded *embedded;
  EnumType *enum_type;
  CheckedField *fields; /* declared, each name once */
  size_t field_count;
  Map field_by_name;   /* declared: CheckedField */
  Map field_by_column; /* stored: Field, by the column's name in small letters */
  Map implied_by_name; /* key fields that relations give: Field */
  KeyState key_state;
  bool is_key_refused; /* reported: that it has none is not said again */
};

typedef struct Checker {
  Arena *arena;   /* the contract's */
  Arena *scratch; /* the caller's: hints, values that are only looked at */
  Report *report;
  const SdlDocument *prelude;
  const SdlDocument *document;
  const Source *first_source;
  Contract *contract;
  CheckedType *types;
  size_t type_count;
  Map type_by_name;
  Map unknown_names; /* fields that could not be understood: what speaks of them is not called a mistake too */
  bool is_partial;   /* a file could not be read whole: names may be missing, rules are not checked */
} Checker;

enum { CHECK_FIELDS_MAX = 2000, CHECK_KEYS_MAX = 16, CHECK_GROUP_MAX = 32 };

/* Runs all passes. CODE_OK also when mistakes were reported. */
Code check_contract(Checker *checker, Error *err);

/* The passes. */
Code check_types(Checker *checker, Error *err);       /* check_types.c: names of types, kinds, enums */
Code check_directives(Checker *checker, Error *err);  /* check_directives.c: each directive against the prelude */
Code check_names(Checker *checker, Error *err);       /* check_names.c: service, paths, tables */
Code check_fields(Checker *checker, Error *err);      /* check_fields.c: fields' names, types, columns and flags */
Code check_keys(Checker *checker, Error *err);        /* check_keys.c: keys, and the key fields of relations */
Code check_inverses(Checker *checker, Error *err);    /* check_relations.c: the two sides of relations, onDelete */
Code check_circles(Checker *checker, Error *err);     /* check_circles.c: what is required in a circle */
Code check_layout(Checker *checker, Error *err);      /* check_layout.c: the order of fields and columns; the contract's lists and maps */
Code check_constraints(Checker *checker, Error *err); /* check_constraints.c: the directives of directive.h */
Code check_defaults(Checker *checker, Error *err);    /* check_defaults.c */
Code check_groups(Checker *checker, Error *err);      /* check_groups.c: @unique, @index, @search */
Code check_rules(Checker *checker, Error *err);       /* check_rules.c: @access, @check, @index(where:), @default(expr:) */

/* Arguments of a directive (NULL: none), when they are there and of the kind asked for; what is of another kind was reported by
 * check_directives. */
bool check_string(const SdlDirective *directive, Str name, const SdlValue **ret);
bool check_int(const SdlDirective *directive, Str name, int64_t *ret);
bool check_flag(const SdlDirective *directive, Str name);
bool check_name_value(const SdlDirective *directive, Str name, Str *ret);
/* Bytes [begin, end) of a string's value, at their place in the source: through escapes and a block string's indentation. */
Span check_inside(const SdlValue *source, size_t begin, size_t end);
/* The argument's place, or the directive's. */
Span check_span(const SdlDirective *directive, Str name);

/* @deprecated, where it is among the directives: to be spread over the members of what carries it. */
typedef struct Deprecation {
  Str reason; /* ptr NULL: not deprecated */
  Str since, sunset, url;
} Deprecation;
Deprecation check_deprecation(const Checker *checker, SdlDirectives directives);
#define CHECK_SET_DEPRECATION(target, given)                                                                                               \
  do {                                                                                                                                     \
    const Deprecation set_ = (given);                                                                                                      \
    (target)->deprecation_reason = set_.reason;                                                                                            \
    (target)->deprecated_since = set_.since;                                                                                               \
    (target)->sunset = set_.sunset;                                                                                                        \
    (target)->deprecation_url = set_.url;                                                                                                  \
  } while (0)

/* An SDL literal as JSON of the field's type; false where that can't be, and it is reported. `is_item`: one item of the field's list. */
Code check_sdl_literal(Checker *checker, const Field *field, const SdlValue *value, bool is_item, JsonValue *ret, bool *ret_is_good,
                       Error *err);
/* Parses a rule and reports its mistakes at their places inside the string. *ret stays as it is when there are some. */
Code check_expr(Checker *checker, const SdlValue *source, const Resource *resource, int use, const Field *expected, const Expr **ret,
                Error *err);
/* "did you mean", over the declared and implied fields. */
Str check_field_hint(const Checker *checker, const CheckedType *type, Str name);
/* In small letters (ASCII), on the scratch arena. */
Str check_folded(const Checker *checker, Str s);
bool check_is_known_elsewhere(const Checker *checker, Str text); /* text names one of unknown_names */
Field *check_new_field(Checker *checker, const CheckedField *declared, Str name);
