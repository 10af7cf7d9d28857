/* model.h - a checked contract: what is served, as the rest of the program reads it. Made by contract/load.h, immutable afterwards,
 * read by any thread. All of it lives in the contract's own arena. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"
#include "base/value.h"
#include "codec/json.h"

typedef struct Contract Contract;
typedef struct Resource Resource;
typedef struct Field Field;
typedef struct Relation Relation;
typedef struct Expr Expr; /* contract/expr.h */

/* What one of the directives of contract/directive.h has read where it stands. */
typedef struct Directive Directive;
typedef struct DirectiveData DirectiveData;
struct DirectiveData {
  const Directive *directive;
  const void *data;          /* the directive's own */
  const DirectiveData *next; /* in the table's order */
};

/* @cache. */
typedef struct CacheHint {
  int64_t max_age_s; /* -1: nothing is said */
  bool is_private;
} CacheHint;

/* Where something stands in a contract's source; lines and columns count from 1, columns in code points. */
typedef struct SourcePlace {
  Str file;
  uint32_t line;
  uint32_t column;
} SourcePlace;

typedef enum FieldType {
  TYPE_ID,
  TYPE_STRING,
  TYPE_INT,
  TYPE_BIGINT,
  TYPE_FLOAT,
  TYPE_DECIMAL,
  TYPE_BOOLEAN,
  TYPE_DATETIME,
  TYPE_DATE,
  TYPE_UUID,
  TYPE_JSON,
  TYPE_BYTES,
  TYPE_EMAIL,
  TYPE_URL,
  TYPE_ENUM,     /* Field.enum_type */
  TYPE_EMBEDDED, /* Field.embedded: a type without @resource, stored as JSON */
  TYPE_COUNT
} FieldType;

typedef struct EnumValue {
  Str name; /* in the contract, in JSON, in rules */
  SourcePlace place;
  Str stored; /* @value(name:), else the name */
  Str description;
  Str deprecation_reason; /* ptr NULL: not deprecated */
  Str sunset;             /* an RFC 3339 date or time, as written; len 0: none */
  Str deprecated_since;   /* likewise */
  Str deprecation_url;    /* where it is explained; len 0: nowhere */
} EnumValue;

typedef struct EnumType {
  Str name;
  SourcePlace place;
  Str description;
  const EnumValue *values;
  size_t value_count;
  bool has_stored_names; /* some value's stored form differs from its name */
} EnumType;

typedef enum FieldKind {
  FIELD_STORED, /* has a column: scalars, enums, lists of scalars, embedded objects, and a relation's key fields */
  FIELD_TO_ONE, /* relation; its key fields stand behind it as FIELD_STORED of their own */
  FIELD_TO_MANY /* relation, seen from the other side */
} FieldKind;

typedef enum RuleAction { RULE_READ = 0, RULE_CREATE, RULE_UPDATE, RULE_DELETE, RULE_COUNT } RuleAction;

typedef enum OnDelete { ON_DELETE_RESTRICT = 0, ON_DELETE_CASCADE, ON_DELETE_SET_NULL } OnDelete;

typedef enum Isolation { ISOLATION_DEFAULT = 0, ISOLATION_READ_COMMITTED, ISOLATION_REPEATABLE_READ, ISOLATION_SERIALIZABLE } Isolation;

typedef enum DefaultKind {
  DEFAULT_NONE = 0,
  DEFAULT_VALUE,   /* default_value */
  DEFAULT_EXPR,    /* default_expr */
  DEFAULT_DATABASE /* the store's own column default; the value is known only after the write */
} DefaultKind;

/* A type that is embedded in resources as JSON. Its fields use the scalar part of Field; column and access are unused. */
typedef struct Embedded {
  Str name;
  Str description;
  const Field *const *fields;
  size_t field_count;
  Map field_by_name;
} Embedded;

struct Field {
  Str name;
  Str description;
  SourcePlace place;
  FieldKind kind;
  const Resource *resource; /* NULL in an embedded type */
  uint32_t index;           /* in Resource.fields */
  uint32_t stored_index;    /* FIELD_STORED: in Resource.stored, and in every whole row */

  FieldType type;            /* FIELD_STORED */
  const EnumType *enum_type; /* TYPE_ENUM */
  const Embedded *embedded;  /* TYPE_EMBEDDED */
  bool is_list;              /* FIELD_STORED: a list of scalars, enums or embedded objects, stored as JSON */
  bool is_item_required;     /* [T!] */
  bool is_required;          /* T! */

  Str column;      /* its name in the store */
  Str column_type; /* @column(type:); len 0: the store's default for the type. Given: the column's values may be in another
                      storage form and are converted (a DATETIME held as text without an offset, say) */

  bool is_key;         /* part of Resource.keys */
  bool is_server_made; /* id: ID! that the server fills with a UUIDv7 */
  bool is_unique;      /* @unique on the field alone */
  bool is_readonly;
  bool is_immutable;
  bool is_hidden;

  const DirectiveData *directives; /* NULL: none */
  /* Of them, what other modules go by. */
  Value range_min, range_max;     /* VALUE_NULL: none. VALUE_INT, VALUE_FLOAT, VALUE_DECIMAL, VALUE_TIMESTAMP or VALUE_DATE by type */
  int64_t length_min, length_max; /* -1: none. Code points; items of a list; bytes of Bytes */
  Str pattern;                    /* ptr NULL: none. Searched for as CEL's matches() does (anchors are the author's) */
  const struct Regex *regex;      /* the pattern, compiled (contract/regex.h) */
  int32_t precision, scale;       /* @decimal; -1: none */

  DefaultKind default_kind;
  JsonValue default_value;  /* DEFAULT_VALUE, in JSON's form */
  const Expr *default_expr; /* DEFAULT_EXPR */

  const Expr *access[RULE_COUNT]; /* NULL: the type's rule decides. RULE_DELETE is never set on a field */

  const Relation *relation; /* TO_ONE, TO_MANY, and FIELD_STORED that is a relation's key field (then is_relation_key) */
  bool is_relation_key;
  const Field *target_key; /* is_relation_key: the key field of the target that it holds */

  Str renamed_from;       /* ptr NULL: none */
  Str deprecation_reason; /* ptr NULL: not deprecated */
  Str sunset;             /* an RFC 3339 date or time, as written; len 0: none */
  Str deprecated_since;   /* likewise */
  Str deprecation_url;    /* where it is explained; len 0: nowhere */
  SourcePlace rule_place;
};

struct Relation {
  const Field *field;     /* the to-one side */
  const Field *inverse;   /* the to-many side; NULL where it has no field */
  const Resource *source; /* holds the keys */
  const Resource *target;
  const Field *const *keys; /* the source's key fields, in the order of target->keys */
  size_t key_count;
  OnDelete on_delete;
  bool is_required;
  bool is_deferred;
};

typedef struct UniqueGroup {
  const Field *const *fields; /* stored fields (a relation stands as its key fields) */
  size_t count;
  SourcePlace place;
} UniqueGroup;

typedef struct IndexField {
  const Field *field;
  bool is_descending;
} IndexField;

typedef struct Index {
  const IndexField *fields;
  size_t count;
  const Expr *where; /* NULL: whole */
} Index;

typedef struct Check {
  const Expr *expr;
  Str source;  /* the expression's text */
  Str message; /* len 0: none given */
} Check;

struct Resource {
  Str name;     /* Product */
  Str path;     /* products */
  Str singular; /* product: the name in camelCase, for GraphQL and proto */
  Str plural;   /* products: likewise (orderLines) */
  Str table;    /* products */
  Str description;
  SourcePlace place;
  uint32_t index; /* in Contract.resources */
  const Contract *contract;

  const Field *const *fields; /* in the contract's order; a relation's key fields directly behind it */
  size_t field_count;
  const Field *const *stored; /* the FIELD_STORED ones: a whole row's order */
  size_t stored_count;
  const Field *const *keys; /* the primary key; count 0: a table without a key, read-only */
  size_t key_count;
  Map field_by_name; /* Str → const Field * */

  const UniqueGroup *uniques; /* @unique of fields and of the type; the primary key is not among them */
  size_t unique_count;
  const Index *indexes;
  size_t index_count;
  const Check *checks;
  size_t check_count;
  const Relation *const *referrers; /* relations of any resource whose target is this one */
  size_t referrer_count;

  const DirectiveData *directives; /* NULL: none */
  const Expr *access[RULE_COUNT];  /* NULL: refused */
  Str access_source[RULE_COUNT];   /* the rule's text; len 0 where there is none */
  SourcePlace access_place[RULE_COUNT];
  Str renamed_from;       /* len 0: none */
  Str deprecation_reason; /* ptr NULL: not deprecated */
  Str sunset;             /* an RFC 3339 date or time, as written; len 0: none */
  Str deprecated_since;   /* likewise */
  Str deprecation_url;    /* where it is explained; len 0: nowhere */

  const Field *const *search; /* @search: stored string fields */
  size_t search_count;
  CacheHint cache;
  Isolation isolation; /* @transaction */
};

struct Contract {
  Arena *arena;
  Str service_name;
  Str service_version; /* "v1" */
  SourcePlace place;   /* of @service; the first file's start where there is none */
  const Resource *const *resources;
  size_t resource_count;
  const EnumType *const *enums;
  size_t enum_count;
  const Embedded *const *embeddeds;
  size_t embedded_count;
  Map resource_by_name;
  Map resource_by_path;
};

static inline const Resource *contract_resource(const Contract *contract, Str name) {
  return (const Resource *)map_get(&contract->resource_by_name, name);
}
/* Some resource, enum or embedded type is called so. */
bool contract_has_type(const Contract *contract, Str name);
static inline const Resource *contract_resource_at(const Contract *contract, Str path) {
  return (const Resource *)map_get(&contract->resource_by_path, path);
}
static inline const Field *resource_field(const Resource *resource, Str name) {
  return (const Field *)map_get(&resource->field_by_name, name);
}
/* By the server or the database, so that nobody chooses it. */
static inline bool resource_is_key_made(const Resource *resource) {
  for (size_t i = 0; i < resource->key_count; i++) {
    if (resource->keys[i]->is_server_made || resource->keys[i]->default_kind == DEFAULT_DATABASE) return true;
  }
  return false;
}
/* The name of a stored value; itself where it is none of the type's. */
static inline Str enum_name_of(const EnumType *type, Str stored) {
  for (size_t i = 0; type->has_stored_names && i < type->value_count; i++) {
    if (str_equal(type->values[i].stored, stored)) return type->values[i].name;
  }
  return stored;
}
/* What the directive has read there; NULL: it doesn't stand there. */
static inline const DirectiveData *directive_data(const DirectiveData *first, const Directive *directive) {
  while (first != NULL && first->directive != directive) first = first->next;
  return first;
}
/* What its own @cache says; NULL: there is none. */
const CacheHint *field_cache(const Field *field);
/* What a field's values are in memory (lists: VALUE_JSON; embedded: VALUE_JSON). */
ValueType field_value_type(const Field *field);
/* A day's beginning, or the time, that `sunset` or `since` names, in microseconds; false where there is none. */
bool contract_moment(Str text, int64_t *ret_us);
/* "Int", "String" …; an enum's or embedded type's name. */
Str field_type_name(const Field *field);
