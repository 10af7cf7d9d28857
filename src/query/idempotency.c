/* idempotency.c - the keys under way, and the table of answers. Its rows are numbered in the order in which they came, which is the order
 * in which they grow old: the oldest are found at the beginning, and how many there are is seen from the first and the last number. */
#include "query/idempotency.h"

#include <pthread.h>

#include "base/memory.h"
#include "query/call_plan.h"
#include "query/plan_input.h"
#include "sql/dialect_impl.h"
#include "sql/select.h"

struct IdempotencyKeys {
  IdempotencyOptions options;
  pthread_mutex_t lock;
  Idempotency *under_way; /* under `lock`; as many as requests in flight at most */
  bool is_table_known;    /* under `lock`: the table is there, committed */
};

/* Each new key lets go of so many old ones at most, so that the table shrinks whenever it is used, and no request pays for all. */
enum { SWEPT_AT_ONCE = 10 };

Code idempotency_keys_create(const IdempotencyOptions *options, IdempotencyKeys **ret, Error *err) {
  IdempotencyKeys *keys = memory_alloc(sizeof *keys);
  TRY_ALLOC(keys);
  *keys = (IdempotencyKeys){.options = *options};
  pthread_mutex_init(&keys->lock, NULL);
  *ret = keys;
  return CODE_OK;
}

void idempotency_keys_destroy(IdempotencyKeys *keys) {
  if (keys == NULL) return;
  pthread_mutex_destroy(&keys->lock);
  memory_free(keys);
}

/* ---- under way ---- */

Code idempotency_begin(IdempotencyKeys *keys, Idempotency *idempotency, const Caller *caller, int64_t now_us, Arena *arena) {
  bool has_id = caller->is_authenticated && caller->id.type == VALUE_TEXT;
  /* All strangers are one caller, who is nobody's id. What a certificate says comes first, and its length tells the two apart. */
  Str id = has_id ? caller->id.text : (Str){0}, certificate = caller->certificate != NULL ? caller->certificate->text : (Str){0};
  Str who = has_id ? arena_printf(arena, "=%.*s", STR_ARGS(id)) : STR("-");
  if (who.ptr == NULL) return CODE_UNAVAILABLE;
  idempotency->caller =
      certificate.len == 0 ? who : arena_printf(arena, "%zu:%.*s%.*s", certificate.len, STR_ARGS(certificate), STR_ARGS(who));
  if (idempotency->caller.ptr == NULL) return CODE_UNAVAILABLE;
  idempotency->now_us = now_us;
  bool is_taken = false;
  pthread_mutex_lock(&keys->lock);
  for (const Idempotency *other = keys->under_way; other != NULL && !is_taken; other = other->next)
    is_taken = str_equal(other->key, idempotency->key) && str_equal(other->caller, idempotency->caller);
  if (!is_taken) {
    idempotency->keys = keys;
    idempotency->is_table_known = keys->is_table_known;
    idempotency->next = keys->under_way;
    keys->under_way = idempotency;
  }
  pthread_mutex_unlock(&keys->lock);
  return is_taken ? CODE_CONFLICT : CODE_OK;
}

void idempotency_end(Idempotency *idempotency, bool is_kept) {
  IdempotencyKeys *keys = idempotency->keys;
  if (keys == NULL) return;
  pthread_mutex_lock(&keys->lock);
  for (Idempotency **link = &keys->under_way; *link != NULL; link = &(*link)->next) {
    if (*link != idempotency) continue;
    *link = idempotency->next;
    break;
  }
  keys->is_table_known = keys->is_table_known || is_kept;
  pthread_mutex_unlock(&keys->lock);
  idempotency->keys = NULL;
}

/* ---- the table ---- */

typedef enum KeptStatement { KEPT_TABLE = 0, KEPT_FIND, KEPT_SPAN, KEPT_SWEEP, KEPT_INSERT } KeptStatement;

/* %1, %2 … are parameters, in order. */
static const Str texts[] = {
    [KEPT_FIND] = STR_INIT("SELECT fingerprint, answer FROM caisson_idempotency WHERE caller = %1 AND key = %2 AND expires > %3"),
    [KEPT_SPAN] = STR_INIT("SELECT COALESCE((SELECT max(id) FROM caisson_idempotency) - (SELECT min(id) FROM caisson_idempotency) + 1, 0)"),
    [KEPT_SWEEP] = STR_INIT("DELETE FROM caisson_idempotency WHERE (id IN (SELECT id FROM caisson_idempotency ORDER BY id LIMIT %4) "
                            "OR (caller = %1 AND key = %2)) AND expires <= %3"),
    [KEPT_INSERT] = STR_INIT("INSERT INTO caisson_idempotency (caller, key, fingerprint, expires, answer) VALUES (%1, %2, %3, %4, %5)"),
};

static const StoreColumn found_columns[] = {{.type = VALUE_TEXT}, {.type = VALUE_BYTES}};
static const StoreColumn span_columns[] = {{.type = VALUE_INT}};

static void write_text(const SqlWriter *writer, Str text, const PlanInput *input, Buf *out) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] != '%') {
      buf_add_byte(out, text.ptr[i]);
      continue;
    }
    uint32_t param = (uint32_t)(text.ptr[++i] - '0');
    sql_write_param(writer, out, param, input->param_types.items[param - 1]);
  }
}

static Code statement_make(const Engine *engine, KeptStatement which, const PlanInput *input, Arena *user, Arena *arena,
                           StoreStatement **ret, Error *err) {
  SqlWriter writer = {.arena = user, .dialect = engine->dialect};
  Buf out = buf_on(user, SIZE_MAX / 2);
  if (which == KEPT_TABLE)
    buf_add(&out, engine->dialect->idempotency_table);
  else
    write_text(&writer, texts[which], input, &out);
  Str sql = {0};
  TRY(buf_finish(&out, &sql, err));
  const StoreColumn *columns = which == KEPT_FIND ? found_columns : which == KEPT_SPAN ? span_columns : NULL;
  size_t column_count = which == KEPT_FIND ? 2 : which == KEPT_SPAN ? 1 : 0;
  *ret = plan_statement(input, arena, sql, columns, column_count, columns == NULL, err);
  return *ret == NULL ? err->code : CODE_OK;
}

static Code statement_find(Engine *engine, KeptStatement which, const PlanInput *input, Arena *user, StoreStatement **ret, Error *err) {
  const char shape[] = {'k', (char)('0' + which)};
  *ret = plan_cache_get(engine->statements, (Str){shape, sizeof shape}, user);
  if (*ret != NULL) return CODE_OK;
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  Str kept_shape = arena_str(arena, (Str){shape, sizeof shape});
  StoreStatement *made = NULL;
  Code code = kept_shape.ptr == NULL ? error_no_memory(err) : statement_make(engine, which, input, user, arena, &made, err);
  if (code != CODE_OK) {
    arena_destroy(arena);
    return code;
  }
  *ret = plan_cache_put(engine->statements, kept_shape, arena, made, user);
  return *ret == NULL ? error_no_memory(err) : CODE_OK;
}

typedef struct KeptRun {
  Engine *engine;
  StoreTxn *txn;
  Arena *arena;
} KeptRun;

static Code run(const KeptRun *on, KeptStatement which, const Value *params, size_t param_count, StoreRowFn *row, void *context,
                StoreConflict *ret_conflict, Error *err) {
  static const Caller stranger = {0};
  PlanInput input = plan_input_on(on->arena, on->engine->dialect, &stranger, 0);
  for (size_t i = 0; i < param_count; i++) {
    if (plan_param(&input, params[i], params[i].type) == 0) return error_no_memory(err);
  }
  StoreStatement *statement = NULL;
  TRY(statement_find(on->engine, which, &input, on->arena, &statement, err));
  return store_txn_run(on->txn, statement, input.params.items, row, context, NULL, ret_conflict, err);
}

/* ---- inside the transaction ---- */

typedef struct Found {
  Arena *arena;
  Str fingerprint, answer; /* ptr NULL: none */
} Found;

static Code on_found(void *context, const Value *columns, Error *err) {
  Found *found = context;
  found->fingerprint = arena_str(found->arena, columns[0].text);
  found->answer = arena_str(found->arena, columns[1].text);
  return found->fingerprint.ptr == NULL || found->answer.ptr == NULL ? error_no_memory(err) : CODE_OK;
}

static Code on_span(void *context, const Value *columns, Error *err) {
  (void)err;
  *(int64_t *)context = columns[0].integer;
  return CODE_OK;
}

static Code refuse(const Problem *problem, const Problem **ret) {
  *ret = problem;
  return problem->code;
}

static Code check_room(const KeptRun *on, const Idempotency *idempotency, const Problem **ret_problem, Error *err) {
  int64_t span = 0;
  TRY(run(on, KEPT_SPAN, NULL, 0, on_span, &span, NULL, err));
  if (span < idempotency->keys->options.keys_max) return CODE_OK;
  return refuse(problem_with_hint(on->arena, CODE_UNAVAILABLE, STR("too many answers are kept for an Idempotency-Key"),
                                  STR("send the request without the header, or later")),
                ret_problem);
}

static Code sweep(const KeptRun *on, const Idempotency *idempotency, Error *err) {
  const Value params[] = {value_text(idempotency->caller), value_text(idempotency->key), value_int(idempotency->now_us),
                          value_int(SWEPT_AT_ONCE)};
  return run(on, KEPT_SWEEP, params, 4, NULL, NULL, NULL, err);
}

Code idempotency_find(Engine *engine, Idempotency *idempotency, StoreTxn *txn, Arena *arena, const Problem **ret_problem, Error *err) {
  KeptRun on = {engine, txn, arena};
  Found found = {.arena = arena};
  const Value params[] = {value_text(idempotency->caller), value_text(idempotency->key), value_int(idempotency->now_us)};
  idempotency->replay = (Str){0};
  if (!idempotency->is_table_known) TRY(run(&on, KEPT_TABLE, NULL, 0, NULL, NULL, NULL, err));
  TRY(run(&on, KEPT_FIND, params, 3, on_found, &found, NULL, err));
  if (found.answer.ptr == NULL) {
    TRY(sweep(&on, idempotency, err));
    return check_room(&on, idempotency, ret_problem, err);
  }
  if (!str_equal(found.fingerprint, idempotency->fingerprint)) {
    return refuse(problem_with_hint(arena, CODE_VALIDATION_FAILED, STR("this Idempotency-Key was used for another request"),
                                    STR("a new request needs a new key")),
                  ret_problem);
  }
  idempotency->replay = found.answer;
  return CODE_OK;
}

Code idempotency_keep(Engine *engine, Idempotency *idempotency, StoreTxn *txn, Arena *arena, const Problem **ret_problem, Error *err) {
  KeptRun on = {engine, txn, arena};
  const Value params[] = {value_text(idempotency->caller),
                          value_text(idempotency->key),
                          value_text(idempotency->fingerprint),
                          value_int(idempotency->now_us + idempotency->keys->options.kept_us),
                          {.type = VALUE_BYTES, .text = idempotency->answer}};
  StoreConflict conflict = {0};
  Code code = run(&on, KEPT_INSERT, params, 5, NULL, NULL, &conflict, err);
  if (code != CODE_CONFLICT || conflict.kind != STORE_CONFLICT_UNIQUE) return code;
  /* Another process was faster. */
  return refuse(problem_create(arena, CODE_CONFLICT, STR("a request with this Idempotency-Key is under way")), ret_problem);
}
