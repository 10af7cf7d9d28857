#include "api/graphql_streams.h"

#include <pthread.h>
#include <stdatomic.h>

#include "auth/secret.h"
#include "base/memory.h"
#include "codec/hash.h"

enum { BUCKETS = 1024 /* a power of two */, TOKEN_BYTES = 24, HIGH_BYTES = 64 * 1024 };

struct GraphqlStreamOperation {
  GraphqlStream *stream; /* held */
  GraphqlStreamWriter writer;
  LoopMessage message;
  Str id;
  /* Under the stream's lock. */
  GraphqlStreamOperation *next, *previous;
  bool is_posted, is_stopped, is_stalled, is_left;
};

struct GraphqlStream {
  GraphqlStreams *streams;
  atomic_size_t holders; /* its place among the others, each who has found it, each operation, a message on its way */
  Str token, owner;
  uint64_t expires_ms;
  LoopMessage message; /* to the reader's loop */
  /* Under the streams' lock. */
  GraphqlStream *in_bucket, *older, *newer; /* of the same bucket; of those that nobody reads */
  bool is_listed, is_awaited;
  /* Under its own. */
  pthread_mutex_t lock;
  GraphqlStreamReader reader;
  Buf waiting;
  GraphqlStreamOperation *operations;
  size_t operation_count;
  bool has_reader, is_posted, is_draining, is_closed, is_cut;
};

struct GraphqlStreams {
  GraphqlStreamLimits limits;
  atomic_size_t waiting_bytes; /* of all streams */
  pthread_mutex_t lock;
  size_t count;
  GraphqlStream *oldest, *newest; /* of those that nobody reads */
  GraphqlStream *buckets[BUCKETS];
};

Code graphql_streams_create(const GraphqlStreamLimits *limits, GraphqlStreams **ret, Error *err) {
  GraphqlStreams *streams = memory_alloc(sizeof *streams);
  TRY_ALLOC(streams);
  *streams = (GraphqlStreams){.limits = *limits};
  atomic_init(&streams->waiting_bytes, 0);
  pthread_mutex_init(&streams->lock, NULL);
  *ret = streams;
  return CODE_OK;
}

const GraphqlStreamLimits *graphql_streams_limits(const GraphqlStreams *streams) { return &streams->limits; }

size_t graphql_streams_count(GraphqlStreams *streams) {
  pthread_mutex_lock(&streams->lock);
  size_t count = streams->count;
  pthread_mutex_unlock(&streams->lock);
  return count;
}

/* ---- One stream's life ---- */

static void hold(GraphqlStream *stream) { atomic_fetch_add_explicit(&stream->holders, 1, memory_order_relaxed); }

void graphql_stream_release(GraphqlStream *stream) {
  if (stream == NULL || atomic_fetch_sub_explicit(&stream->holders, 1, memory_order_acq_rel) > 1) return;
  pthread_mutex_destroy(&stream->lock);
  buf_done(&stream->waiting);
  memory_free(stream);
}

static void woken(void *context) {
  GraphqlStream *stream = context;
  pthread_mutex_lock(&stream->lock);
  stream->is_posted = false;
  bool has_reader = stream->has_reader;
  pthread_mutex_unlock(&stream->lock);
  /* It comes and goes on this loop only. */
  if (has_reader) stream->reader.wake(stream->reader.context);
  graphql_stream_release(stream);
}

static GraphqlStream *stream_create(GraphqlStreams *streams, Str token, Str owner, uint64_t expires_ms) {
  GraphqlStream *stream = memory_alloc(sizeof *stream + token.len + owner.len);
  if (stream == NULL) return NULL;
  char *texts = (char *)(stream + 1);
  *stream = (GraphqlStream){.streams = streams,
                            .token = {texts, token.len},
                            .owner = {texts + token.len, owner.len},
                            .expires_ms = expires_ms,
                            .message = {.run = woken, .context = stream},
                            .waiting = buf_on_heap(SIZE_MAX / 2)};
  memcpy(texts, token.ptr, token.len);
  if (owner.len > 0) memcpy(texts + token.len, owner.ptr, owner.len);
  atomic_init(&stream->holders, 1);
  pthread_mutex_init(&stream->lock, NULL);
  return stream;
}

/* Under its lock. */
static void wake_reader(GraphqlStream *stream) {
  if (!stream->has_reader || stream->is_posted) return;
  stream->is_posted = true;
  hold(stream);
  loop_post(stream->reader.loop, &stream->message);
}

static void wake_operation(GraphqlStreamOperation *operation) {
  operation->is_stalled = false;
  if (operation->is_posted) return;
  operation->is_posted = true;
  loop_post(operation->writer.loop, &operation->message);
}

/* Whatever waits waits no more. */
static Buf take_waiting(GraphqlStream *stream) {
  Buf waiting = stream->waiting;
  stream->waiting = buf_on_heap(SIZE_MAX / 2);
  atomic_fetch_sub_explicit(&stream->streams->waiting_bytes, waiting.len, memory_order_relaxed);
  return waiting;
}

static void end(GraphqlStream *stream) {
  Buf waiting = take_waiting(stream);
  buf_done(&waiting);
  stream->is_closed = true;
  for (GraphqlStreamOperation *operation = stream->operations; operation != NULL; operation = operation->next) {
    operation->is_stopped = true;
    wake_operation(operation);
  }
}

/* ---- All streams ---- */

static GraphqlStream **bucket_of(GraphqlStreams *streams, Str token) { return &streams->buckets[hash64(token) & (BUCKETS - 1)]; }

/* Under the streams' lock, as what follows. */
static void await_no_more(GraphqlStream *stream) {
  GraphqlStreams *streams = stream->streams;
  if (!stream->is_awaited) return;
  stream->is_awaited = false;
  *(stream->older == NULL ? &streams->oldest : &stream->older->newer) = stream->newer;
  *(stream->newer == NULL ? &streams->newest : &stream->newer->older) = stream->older;
}

/* False: it was not there. The hold of its place is the caller's then. */
static bool unlist(GraphqlStream *stream) {
  if (!stream->is_listed) return false;
  GraphqlStream **link = bucket_of(stream->streams, stream->token);
  while (*link != stream) link = &(*link)->in_bucket;
  *link = stream->in_bucket;
  stream->is_listed = false;
  stream->streams->count--;
  await_no_more(stream);
  return true;
}

static void list(GraphqlStreams *streams, GraphqlStream *stream) {
  GraphqlStream **bucket = bucket_of(streams, stream->token);
  stream->in_bucket = *bucket;
  *bucket = stream;
  stream->older = streams->newest;
  *(streams->newest == NULL ? &streams->oldest : &streams->newest->newer) = stream;
  streams->newest = stream;
  stream->is_listed = stream->is_awaited = true;
  streams->count++;
}

/* Those to be ended, linked by `in_bucket`. */
static GraphqlStream *take_oldest(GraphqlStreams *streams, GraphqlStream *taken) {
  GraphqlStream *stream = streams->oldest;
  (void)unlist(stream);
  stream->in_bucket = taken;
  return stream;
}

static GraphqlStream *take_expired(GraphqlStreams *streams, uint64_t now_ms) {
  GraphqlStream *taken = NULL;
  while (streams->oldest != NULL && streams->oldest->expires_ms <= now_ms) taken = take_oldest(streams, taken);
  return taken;
}

/* Outside of the lock. */
static void end_taken(GraphqlStream *taken) {
  for (GraphqlStream *next; taken != NULL; taken = next) {
    next = taken->in_bucket;
    pthread_mutex_lock(&taken->lock);
    end(taken);
    pthread_mutex_unlock(&taken->lock);
    graphql_stream_release(taken);
  }
}

void graphql_streams_destroy(GraphqlStreams *streams) {
  if (streams == NULL) return;
  end_taken(take_expired(streams, UINT64_MAX));
  pthread_mutex_destroy(&streams->lock);
  memory_free(streams);
}

Code graphql_stream_reserve(GraphqlStreams *streams, Str owner, uint64_t now_ms, Arena *arena, Str *ret_token, Error *err) {
  Str token;
  TRY(secret_make(TOKEN_BYTES, arena, &token, err));
  GraphqlStream *stream = stream_create(streams, token, owner, now_ms + streams->limits.reservation_ms);
  TRY_ALLOC(stream);
  pthread_mutex_lock(&streams->lock);
  GraphqlStream *taken = take_expired(streams, now_ms);
  if (streams->count >= streams->limits.streams_max && streams->oldest != NULL) taken = take_oldest(streams, taken);
  bool has_room = streams->count < streams->limits.streams_max;
  if (has_room) list(streams, stream);
  pthread_mutex_unlock(&streams->lock);
  end_taken(taken);
  if (!has_room) {
    graphql_stream_release(stream);
    return error_set(err, CODE_UNAVAILABLE, "There are too many event streams (--graphql-sse-streams-max)");
  }
  *ret_token = token;
  return CODE_OK;
}

GraphqlStream *graphql_stream_find(GraphqlStreams *streams, Str token, Str owner, uint64_t now_ms) {
  pthread_mutex_lock(&streams->lock);
  GraphqlStream *taken = take_expired(streams, now_ms);
  GraphqlStream *stream = *bucket_of(streams, token);
  while (stream != NULL && !str_equal(stream->token, token)) stream = stream->in_bucket;
  if (stream != NULL && owner.ptr != NULL && !str_equal(stream->owner, owner)) stream = NULL;
  if (stream != NULL) hold(stream);
  pthread_mutex_unlock(&streams->lock);
  end_taken(taken);
  return stream;
}

/* From among the others, and with all that it does. */
static void remove_and_end(GraphqlStream *stream, bool is_cut) {
  pthread_mutex_lock(&stream->streams->lock);
  bool was_listed = unlist(stream);
  pthread_mutex_unlock(&stream->streams->lock);
  pthread_mutex_lock(&stream->lock);
  stream->is_cut = stream->is_cut || is_cut;
  end(stream);
  wake_reader(stream);
  pthread_mutex_unlock(&stream->lock);
  if (was_listed) graphql_stream_release(stream);
}

uint32_t graphql_stream_left_ms(GraphqlStream *stream, uint64_t now_ms) {
  pthread_mutex_lock(&stream->streams->lock);
  bool is_awaited = stream->is_awaited;
  pthread_mutex_unlock(&stream->streams->lock);
  return is_awaited && stream->expires_ms > now_ms ? (uint32_t)(stream->expires_ms - now_ms) : 0;
}

void graphql_stream_expire(GraphqlStream *stream, uint64_t now_ms) {
  pthread_mutex_lock(&stream->streams->lock);
  bool is_over = stream->is_awaited && stream->expires_ms <= now_ms && unlist(stream);
  pthread_mutex_unlock(&stream->streams->lock);
  if (!is_over) return;
  stream->in_bucket = NULL;
  end_taken(stream);
}

/* ---- The reader ---- */

Code graphql_stream_open(GraphqlStream *stream, const GraphqlStreamReader *reader) {
  pthread_mutex_lock(&stream->streams->lock);
  bool is_listed = stream->is_listed;
  await_no_more(stream);
  pthread_mutex_unlock(&stream->streams->lock);
  if (!is_listed) return CODE_NOT_FOUND;
  pthread_mutex_lock(&stream->lock);
  Code code = stream->is_closed ? CODE_NOT_FOUND : stream->has_reader ? CODE_CONFLICT : CODE_OK;
  if (code == CODE_OK) {
    stream->reader = *reader;
    stream->has_reader = true;
    if (stream->waiting.len > 0) wake_reader(stream);
  }
  pthread_mutex_unlock(&stream->lock);
  return code;
}

GraphqlStreamState graphql_stream_take(GraphqlStream *stream, Buf *ret) {
  pthread_mutex_lock(&stream->lock);
  *ret = take_waiting(stream);
  for (GraphqlStreamOperation *operation = stream->operations; operation != NULL; operation = operation->next) {
    if (operation->is_stalled) wake_operation(operation);
  }
  bool is_done = stream->is_closed || (stream->is_draining && stream->operation_count == 0);
  GraphqlStreamState state = stream->is_cut ? GRAPHQL_STREAM_CUT : is_done ? GRAPHQL_STREAM_ENDED : GRAPHQL_STREAM_GOES_ON;
  pthread_mutex_unlock(&stream->lock);
  return state;
}

void graphql_stream_drain(GraphqlStream *stream) {
  pthread_mutex_lock(&stream->lock);
  stream->is_draining = true;
  if (stream->operation_count == 0) wake_reader(stream);
  pthread_mutex_unlock(&stream->lock);
}

void graphql_stream_close(GraphqlStream *stream) {
  pthread_mutex_lock(&stream->lock);
  stream->has_reader = false;
  pthread_mutex_unlock(&stream->lock);
  remove_and_end(stream, false);
}

/* ---- Operations ---- */

static void operation_free(GraphqlStreamOperation *operation) {
  GraphqlStream *stream = operation->stream;
  memory_free(operation);
  graphql_stream_release(stream);
}

static void operation_woken(void *context) {
  GraphqlStreamOperation *operation = context;
  pthread_mutex_lock(&operation->stream->lock);
  operation->is_posted = false;
  bool is_left = operation->is_left, is_stopped = operation->is_stopped;
  pthread_mutex_unlock(&operation->stream->lock);
  if (is_left)
    operation_free(operation);
  else
    operation->writer.wake(operation->writer.context, is_stopped);
}

static GraphqlStreamOperation *find_operation(const GraphqlStream *stream, Str id) {
  for (GraphqlStreamOperation *operation = stream->operations; operation != NULL; operation = operation->next) {
    if (str_equal(operation->id, id)) return operation;
  }
  return NULL;
}

/* Under its lock. */
static Code may_join(const GraphqlStream *stream, Str id) {
  if (stream->is_closed) return CODE_NOT_FOUND;
  if (stream->is_draining) return CODE_UNAVAILABLE;
  if (find_operation(stream, id) != NULL) return CODE_CONFLICT;
  const GraphqlStreamLimits *limits = &stream->streams->limits;
  bool is_behind = stream->waiting.len >= limits->queued_bytes_max;
  if (is_behind || stream->operation_count >= limits->operations_max) return CODE_RATE_LIMITED;
  size_t waiting_bytes = atomic_load_explicit(&stream->streams->waiting_bytes, memory_order_relaxed);
  return waiting_bytes >= limits->total_bytes_max ? CODE_UNAVAILABLE : CODE_OK;
}

Code graphql_stream_join(GraphqlStream *stream, Str id, const GraphqlStreamWriter *writer, GraphqlStreamOperation **ret) {
  GraphqlStreamOperation *operation = memory_alloc(sizeof *operation + id.len);
  if (operation == NULL) return CODE_UNAVAILABLE;
  char *text = (char *)(operation + 1);
  memcpy(text, id.ptr, id.len);
  *operation = (GraphqlStreamOperation){
      .stream = stream, .writer = *writer, .message = {.run = operation_woken, .context = operation}, .id = {text, id.len}};
  pthread_mutex_lock(&stream->lock);
  Code code = may_join(stream, id);
  if (code == CODE_OK) {
    operation->next = stream->operations;
    if (stream->operations != NULL) stream->operations->previous = operation;
    stream->operations = operation;
    stream->operation_count++;
    hold(stream);
  }
  pthread_mutex_unlock(&stream->lock);
  if (code == CODE_OK)
    *ret = operation;
  else
    memory_free(operation);
  return code;
}

bool graphql_stream_send(GraphqlStreamOperation *operation, const Str *parts, size_t count) {
  GraphqlStream *stream = operation->stream;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) bytes += parts[i].len;
  pthread_mutex_lock(&stream->lock);
  bool is_over = stream->is_closed, has_memory = true, has_room = true;
  if (!is_over) has_memory = buf_reserve(&stream->waiting, bytes);
  if (!is_over && has_memory) {
    for (size_t i = 0; i < count; i++) buf_add(&stream->waiting, parts[i]);
    atomic_fetch_add_explicit(&stream->streams->waiting_bytes, bytes, memory_order_relaxed);
    has_room = stream->waiting.len < HIGH_BYTES;
    operation->is_stalled = !has_room;
    wake_reader(stream);
  }
  pthread_mutex_unlock(&stream->lock);
  if (!has_memory) remove_and_end(stream, true);
  return has_room;
}

void graphql_stream_leave(GraphqlStreamOperation *operation) {
  GraphqlStream *stream = operation->stream;
  pthread_mutex_lock(&stream->lock);
  *(operation->previous == NULL ? &stream->operations : &operation->previous->next) = operation->next;
  if (operation->next != NULL) operation->next->previous = operation->previous;
  operation->is_left = true;
  bool is_posted = operation->is_posted;
  if (--stream->operation_count == 0 && stream->is_draining) wake_reader(stream);
  pthread_mutex_unlock(&stream->lock);
  /* A message on its way comes back to it. */
  if (!is_posted) operation_free(operation);
}

void graphql_stream_stop(GraphqlStream *stream, Str id) {
  pthread_mutex_lock(&stream->lock);
  GraphqlStreamOperation *operation = find_operation(stream, id);
  if (operation != NULL) {
    operation->is_stopped = true;
    wake_operation(operation);
  }
  pthread_mutex_unlock(&stream->lock);
}
