/* write.h - writes: input becomes typed rows (write_input.c), and a program that the store runs in a transaction takes them through access,
 * checks, references and constraints, row after row (write_run.c). Internal to query/. */
#pragma once
#include "base/buf.h"
#include "base/vec.h"
#include "query/call_plan.h"

typedef enum RowAction { ROW_CREATE = 0, ROW_UPDATE, ROW_REPLACE, ROW_DELETE, ROW_CONNECT, ROW_DISCONNECT } RowAction;

typedef struct WriteRow WriteRow;

/* What a row's input says of a to-one relation: a row to be made or found first; target NULL: none any more. */
typedef struct WriteReference {
  const Relation *relation;
  WriteRow *target;
  Str pointer;
} WriteReference;

/* One row of a write's input, nested ones included. Enum values are the stored ones, as rules see them. */
struct WriteRow {
  RowAction action;
  const Resource *resource;
  Str pointer;               /* of the object in the request's body */
  Value *values;             /* by stored_index: what was given */
  bool *given;               /* by stored_index */
  bool *of_path;             /* by stored_index: given by the request's path, and not by its body; NULL: nothing is */
  const JsonValue *patch;    /* a JSON Patch, to be applied to the row once it is known; NULL: none */
  const JsonValue **merges;  /* by stored_index: merge patches for embedded objects and JSON, which need the old value; NULL: none at all */
  const Field *const *where; /* how an existing row is found: the key, or another unique group */
  const Value *where_values;
  size_t where_count;
  VEC(WriteReference) references; /* done before the row */
  VEC(WriteRow *) children;       /* done after it */
  const Relation *child_of;       /* a nested child: the relation by which it belongs to its parent's row */
  const Value *parent_row;        /* while running: the parent's row */
  const Value *old;               /* while running: as it was; NULL: it was not */
  Value *row;                     /* while running: as it is now */
  bool is_created;
};

/* The statement of the last row that was inserted: the next one mostly has the same columns. */
typedef struct WriteInsert {
  const Resource *resource;
  const bool *is_stored; /* by stored_index */
  const StoreStatement *statement;
} WriteInsert;

/* New rows that are stored and not yet recorded. */
typedef struct CreatedRows {
  const Resource *resource; /* of all of them */
  Buf keys;                 /* the array of them, not yet closed */
  size_t count;
} CreatedRows;

/* A write under way. */
typedef struct Write {
  StoreWrite store; /* first: the store's callbacks find the write by it */
  Engine *engine;
  CallGroup *group;
  Call *call; /* whose turn it is */
  StoreTxn *txn;
  Arena *arena;
  VEC(Mistake) mistakes; /* of the row (or the input) at hand */
  WriteInsert insert;
  CreatedRows created;
  bool has_changes;  /* the feed holds some of them */
  bool is_disturbed; /* a nested row may have changed one that was written before it */
} Write;

enum { MISTAKES_MAX = 100 };

/* Decodes and validates a call's input; 422 with all of its mistakes. Not yet what depends on stored rows. */
Code write_plan(Engine *engine, Call *call, Arena *arena, Error *err);
/* Runs all calls of the group in one transaction. */
void write_execute(Engine *engine, CallGroup *group);

/* ---- between the files of writes ---- */

/* 401 or 403 where a rule of a nested row refuses it whatever the row. */
Code write_authorize(Write *write, const CallPlan *plan, Error *err);

/* Notes a mistake at row's pointer + "/" + name (name.len 0: at the row itself). False when memory is out. */
bool mistake_add(Write *write, MistakeCode code, Str row_pointer, Str name, Str detail, Str hint);
/* The 422 for what was noted; CODE_OK where nothing was. */
Code mistakes_refuse(Write *write, Error *err);
Code write_refuse(Write *write, const Problem *problem);

/* An Operation's key as it is stored; NULL when memory is out. */
const Value *write_key_stored(Write *write, const Resource *resource, const Value *key);

/* What the field gets when it is not given; null where there is no default. */
Code write_default(Write *write, const Field *field, Value *ret, Error *err);
/* A value that no body gave, the key that a path names or a default that was computed, keeps to its field's constraints too. */
Code write_check_made(Write *write, const WriteRow *row, const Field *field, const Value *value, Error *err);
bool write_values_equal(const Value *a, const Value *b);
/* A merge patch (RFC 7396) of an embedded object or JSON value, applied to the old value and decoded again. */
Code write_merge(Write *write, WriteRow *row, const Field *field, const Value *old, Value *ret, Error *err);

/* A JSON Patch, applied to the row as its caller sees it: what differs then counts as given. `visible[i]`: the caller may read the field.
 */
Code write_patch(Write *write, WriteRow *row, const bool *visible, Error *err);

/* Is the rule true for the row (with old. where given)? In memory where it looks at the row alone, else by the store. */
Code write_rule_holds(Write *write, const Expr *rule, const Resource *resource, const Value *row, const Value *old, bool *ret, Error *err);

/* The row that has these values, whole; *ret NULL where there is none. *ret_visible: the caller may read it. `is_guarded`: hidden fields
 * match nothing. */
Code write_load(Write *write, const Resource *resource, const Field *const *fields, const Value *values, size_t count, const Value **ret,
                bool *ret_visible, Error *err);
/* Whether `relation`'s target row, as keyed by `row`, is there and may be seen. */
Code write_reference_exists(Write *write, const Relation *relation, const Value *row, bool *ret, Error *err);
/* Whether any row refers to `row` by the relation. */
Code write_is_referenced(Write *write, const Relation *relation, const Value *row, bool *ret, Error *err);
/* Whether any row has `row`'s values in these fields. */
Code write_is_taken(Write *write, const Resource *resource, const Field *const *fields, size_t count, const Value *row, bool *ret,
                    Error *err);
/* `is_stored[i]`: column i is given a value; the others are left to the database, and *row is completed with what it made of them. */
Code write_insert(Write *write, const Resource *resource, Value *row, const bool *is_stored, StoreConflict *ret_conflict, Error *err);
Code write_update(Write *write, const Resource *resource, const Value *old, const Value *row, const bool *is_changed,
                  StoreConflict *ret_conflict, Error *err);
Code write_delete(Write *write, const Resource *resource, const Value *row, StoreConflict *ret_conflict, Error *err);
/* All rows of the relation's source that refer to `row`, whole. */
typedef VEC(const Value *) WriteRows;
Code write_load_referrers(Write *write, const Relation *relation, const Value *row, WriteRows *ret, Error *err);

/* ---- change_record.c ---- */

/* Before the first row of a transaction, and behind the last: what was noted is in the table then. */
void change_record_begin(Write *write);
Code change_record_end(Write *write, Error *err);
/* What has just been stored, for those who watch. `row` has the key; `before` is the row as it was, NULL of a new one. */
Code change_record(Write *write, ChangeKind kind, const Resource *resource, const Value *row, const Value *before, Error *err);
/* Before a row is deleted: the rows that go with it, and those that lose their reference to it. */
Code change_record_cascade(Write *write, const Resource *resource, const Value *row, Error *err);
