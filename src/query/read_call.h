/* read_call.h - a read under way: the tree of lists that an Operation asks for (the outline), its parameters, its plan, its rows.
 * Internal to query/. The outline is made for each request (read_outline.c); its shape finds or makes the plan (read_compile.c); the store
 * runs the plan and read_rows.c puts the rows together. */
#pragma once
#include "base/vec.h"
#include "query/cursor.h"
#include "query/engine.h"
#include "query/plan_input.h"
#include "query/search.h"

typedef struct ReadNode ReadNode;
typedef struct ReadCall ReadCall;

/* A nested list that is being filled: one for each row that holds it. */
typedef struct ListBuild {
  ResultRows rows;          /* what the row's VALUE_ROWS points to; first, so that it is found from there */
  const Value *parent_keys; /* what joins it to its parent */
  VEC(const Value *) items;
  const Value *first_sort_keys, *last_sort_keys;
  bool has_more;
} ListBuild;

/* One SELECT of rows: the root, or one nested list. */
struct ReadNode {
  const Resource *resource;
  const Selection *selection;
  const ListQuery *list;                  /* NULL: a single row by key */
  ReadNode *parent;                       /* NULL: the root */
  const Relation *link;                   /* nested: the relation whose keys are the parent's */
  const Expr *read_rule, *filter, *scope; /* reduced and numbered; NULL: none */
  PlanSearch search;
  const OrderTerm *order; /* the client's, then the key */
  size_t order_count;
  uint32_t key_param; /* the first of the key's (or of the parent's key's, or of the lists of the parents' keys) parameters */
  uint32_t limit_param;
  int64_t limit;
  uint64_t list_hash; /* what a cursor of this list is sealed with */
  Cursor cursor;      /* after or before; key_count 0: none */
  uint32_t cursor_param;
  bool has_cursor;
  bool is_reversed;     /* before: read backwards, given forwards */
  uint32_t probe_param; /* the first of the sort keys of the page's first row; then whether that row itself counts; then the limit, 1 */
  size_t statement, count_statement, probe_statement; /* in the plan; SIZE_MAX: none */
  uint32_t level;
  size_t column_count; /* of the select: the selection's, then the sort keys */
  size_t sort_column;

  /* While rows come in */
  ListBuild root_list;      /* the root's own */
  VEC(ListBuild *) lists;   /* nested: in the order of the parents' rows */
  VEC(Value) * parent_keys; /* for each part of the key, that of each of `lists`: all parents are read at once. NULL: one after the other */
  size_t current;           /* of lists: how many have been asked for */
  size_t count_current;
  bool has_probed;
  bool is_probe_positive;
};

struct ReadCall {
  StoreRead read; /* first: the store's callbacks find the call by it */
  const Operation *operation;
  const EngineLimits *limits;
  const SqlDialect *dialect;
  Arena *arena;
  PlanInput input;
  VEC(ReadNode *) nodes; /* breadth first: nodes[0] is the root */
  StorePlan *plan;
  uint32_t statement_count;
  ResultSink *sink;
  Value *row; /* scratch for a row that is handed on at once */
  size_t row_count;
  bool is_direct; /* one statement, forwards: rows go to the sink as they come */
  uint64_t etag;  /* of the rows that were handed on */
};

/* What decides a sort key's type; not for ranks. */
static inline const Field *order_field(const OrderTerm *term) {
  return term->path.member_count > 0 ? term->path.members[term->path.member_count - 1] : term->path.field;
}
static inline ValueType order_value_type(const OrderTerm *term) {
  return term->is_rank ? VALUE_FLOAT : field_value_type(order_field(term));
}

/* The outline of `operation` on call->arena: nodes, parameters, shape. */
Code read_outline(ReadCall *call, Error *err);
/* The plan for the outline; everything that it points to lives in `arena`, which outlives the call. */
Code read_compile(const ReadCall *call, Arena *arena, StorePlan **ret, Error *err);
/* Sets the store's callbacks up. Then store_read or store_txn_read may run call->read. */
Code read_prepare(ReadCall *call, Error *err);
/* After the store is done: cursors, nested lists, rows to the sink where they weren't already; then *ret is filled. */
Code read_finish(ReadCall *call, Result *ret, Error *err);
/* The key of a GET that becomes known late. */
void read_set_key(ReadCall *call, const Value *key);
