/* idempotency.h - a write that is done once however often it is asked for (draft-ietf-httpapi-idempotency-key-header): its answer is kept
 * by the transaction that makes it, in a table of the server's own, and is given again. What failed has changed nothing and is not kept. */
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "contract/expr.h"
#include "query/problem.h"
#include "store/store.h"

/* Which keys are under way in this process, and how long answers are kept. Shared by all loops; any thread. */
typedef struct IdempotencyKeys IdempotencyKeys;

typedef struct IdempotencyOptions {
  int64_t kept_us;  /* how long an answer is kept */
  int64_t keys_max; /* answers kept; beyond it a new key is refused with CODE_UNAVAILABLE */
} IdempotencyOptions;

Code idempotency_keys_create(const IdempotencyOptions *options, IdempotencyKeys **ret, Error *err);
void idempotency_keys_destroy(IdempotencyKeys *keys); /* nothing is under way; NULL is fine */

/* What a face says of a group that must be done once. On the request's arena. */
typedef struct Idempotency {
  Str key;
  Str fingerprint; /* tells this request from another with the same key; text */
  Str answer;      /* set by CallGroup.answer: what is to be given again, any bytes */
  Str replay;      /* ptr not NULL: the answer that was kept; the calls have not run */
  /* the engine's own */
  Str caller;
  int64_t now_us;
  IdempotencyKeys *keys;
  struct Idempotency *next;
  bool is_table_known; /* the table was there when this began */
} Idempotency;

/* CODE_OK: the key is under way until idempotency_end. CODE_CONFLICT: the same caller's is; CODE_UNAVAILABLE: memory is out. */
Code idempotency_begin(IdempotencyKeys *keys, Idempotency *idempotency, const Caller *caller, int64_t now_us, Arena *arena);
/* `is_kept`: its transaction was committed. */
void idempotency_end(Idempotency *idempotency, bool is_kept);

/* Inside the transaction, before its calls: fills idempotency->replay where an answer is kept, else lets go of some that are too old.
 * *ret_problem says why it is refused. */
struct Engine;
Code idempotency_find(struct Engine *engine, Idempotency *idempotency, StoreTxn *txn, Arena *arena, const Problem **ret_problem,
                      Error *err);
/* And behind them: keeps idempotency->answer. */
Code idempotency_keep(struct Engine *engine, Idempotency *idempotency, StoreTxn *txn, Arena *arena, const Problem **ret_problem,
                      Error *err);
