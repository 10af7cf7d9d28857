/* operation.h - the waist: what a caller wants, whatever the face it came by. A face decodes a request into an Operation and nothing else;
 * all of it lives in the request's arena. Names and positions of the request's text have been resolved against the contract by then. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/value.h"
#include "codec/json.h"
#include "contract/expr.h"
#include "contract/model.h"

typedef enum Action {
  ACTION_GET = 0,
  ACTION_LIST,
  ACTION_AGGREGATE,
  ACTION_CREATE,  /* input: an object, or an array of them (all or none) */
  ACTION_UPDATE,  /* input: the fields to change (a merge patch) */
  ACTION_REPLACE, /* input: the whole resource; creates it where the client chooses the key */
  ACTION_DELETE,
  ACTION_COUNT
} Action;

typedef struct Selection Selection;

/* A field path that a list is ordered by: through to-one relations to a stored field. */
typedef struct OrderTerm {
  ExprPath path; /* root EXPR_ROOT_ROW */
  bool is_descending;
  bool is_rank; /* the engine's own: by how well a search fits; there is no path then */
} OrderTerm;

/* What every face holds its requests to. */
enum { ORDER_TERMS_MAX = 16, GROUP_KEYS_MAX = 16, GROUP_CONDITIONS_MAX = 16 };

/* Which rows of a list, and which page of them. */
typedef struct ListQuery {
  const Expr *filter;     /* the client's, built or parsed with EXPR_USE_FILTER; NULL: all */
  const Expr *scope;      /* set by the face on the client's behalf: a sub-resource's parent; not guarded by field rules; NULL: none */
  const OrderTerm *order; /* the key is appended by the engine where the client has not named it */
  size_t order_count;
  int64_t limit;        /* -1: the default page size */
  Str after, before;    /* opaque cursors; ptr NULL: none */
  bool is_last;         /* the last `limit` rows, in the same order; implied by `before` */
  bool is_counted;      /* count=exact */
  bool has_row_cursors; /* behind its values each row has its own cursor, a VALUE_TEXT (LIST, and nested lists) */
  Str search;           /* full text: words, "a phrase", a prefix*; ptr NULL: none. The best come first where there is no order */
  bool is_distinct;     /* rows that differ in what is selected, which must be plain fields, among them all that the list is ordered by */
  bool is_export;       /* a piece of a stream of rows: `limit` is bounded by export_rows_max instead of page_size_max */
} ListQuery;

typedef struct SelectionItem {
  const Field *field;
  Str name;          /* under which the face writes it */
  Selection *nested; /* relations: what of the other side */
  const void *face;  /* the face's own notes; untouched by the engine */
} SelectionItem;

/* What of a resource is wanted, in the order of the answer. */
struct Selection {
  const Resource *resource;
  SelectionItem *items;
  size_t count;
  ListQuery list; /* to-many relations: which of the rows */
  bool is_whole;  /* every visible stored field in the contract's order and nothing else: the resource's own representation */
};

typedef enum MetricKind { METRIC_COUNT = 0, METRIC_SUM, METRIC_AVG, METRIC_MIN, METRIC_MAX } MetricKind;
typedef struct Metric {
  MetricKind kind;
  const Field *field; /* NULL for COUNT */
} Metric;
/* A metric compared with a value of its own type (see Aggregate), or by EQ and NE with null. */
typedef struct AggregateCondition {
  uint32_t metric;
  ExprKind op; /* EXPR_EQ … EXPR_GE */
  Value value;
} AggregateCondition;

/* Rows grouped and counted. The sink gets `by_count` keys and then `metric_count` metrics a row, and no selection. Sums are VALUE_DECIMAL
 * (of Float: VALUE_FLOAT), counts VALUE_INT, averages VALUE_FLOAT; min and max are of their field's type. Enums are given by name. The
 * list's limit (-1: none) bounds the groups. */
typedef struct Aggregate {
  const ExprPath *by;
  size_t by_count;
  const Metric *metrics;
  size_t metric_count;
  const struct AggregateOrder {
    bool is_metric;
    uint32_t index;
    bool is_descending;
  } * order; /* empty: by the group's key */
  size_t order_count;
  const AggregateCondition *having; /* all must hold */
  size_t having_count;
} Aggregate;

/* If-Match, If-None-Match and their equals on other faces. */
typedef struct Precondition {
  const Str *etags; /* without quotes' W/ prefix handling: strong tags as they were given, quotes removed */
  size_t etag_count;
  bool is_any; /* "*" */
  bool is_given;
} Precondition;

typedef struct Operation {
  Action action;
  const Resource *resource;
  const Value *key; /* GET, UPDATE, REPLACE, DELETE: one value for each of resource->keys; decoded by type. NULL where it can't be any row's
                       key: not found */
  Selection *selection; /* GET, LIST, and what a write answers (a DELETE: the row as it was); NULL: nothing is wanted back */
  ListQuery list;       /* LIST, AGGREGATE */
  const Aggregate *aggregate;
  const JsonValue *input;            /* writes: as the client gave it, in JSON's data model; the engine validates */
  bool is_patch;                     /* UPDATE: input is a JSON Patch (RFC 6902) of the resource as its caller sees it */
  bool is_import;                    /* CREATE: input is a piece of a stream of rows: not bounded by batch_max */
  size_t input_first;                /*   and the place of its first row in that */
  Str input_pointer;                 /* where `input` stands in the request's body, for pointers in errors; "" mostly */
  const struct InputPreset *presets; /* key fields set by the path (POST to a sub-resource) */
  size_t preset_count;
  Precondition if_match, if_none_match;
  bool is_dry_run; /* Prefer: tx=rollback */
  const Caller *caller;
  int64_t now_us;
} Operation;

typedef struct InputPreset {
  const Field *field;
  Value value;
} InputPreset;
