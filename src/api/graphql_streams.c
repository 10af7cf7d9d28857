#include "api/graphql_streams.h"

#include <pthread.h>

#include "api/graphql_stream_list.h"
#include "auth/secret.h"
#include "base/memory.h"

enum { TOKEN_BYTES = 24, HIGH_BYTES = 64 * 1024, LIKELY_FADES = 4 /* by so many-th a result */ };

struct GraphqlStreamOperation {
  GraphqlStream *stream; /* held */
  GraphqlStreamWriter writer;
  LoopMessage message;
  Str id;
  /* Under the stream's lock. */
  GraphqlStreamOperation *next, *previous;
  size_t sent_bytes;
  bool is_posted, is_stopped, is_stalled, is_left, is_long;
};

struct GraphqlStream {
  GraphqlStreamPlace place; /* first; under the streams' lock */
  GraphqlStreams *streams;
  atomic_size_t holders; /* its place on the list, each who has found it, each operation, a message on its way */
  LoopMessage message;   /* to the reader's loop */
  /* Under its own. */
  pthread_mutex_t lock;
  GraphqlStreamReader reader;
  Buf waiting;
  GraphqlStreamOperation *operations;
  size_t operation_count, long_count;
  size_t likely_bytes; /* of a result: the largest lately, which fades as smaller ones come */
  bool has_reader, is_posted, is_draining, is_closed, is_cut;
};

struct GraphqlStreams {
  GraphqlStreamLimits limits;
  atomic_size_t waiting_bytes; /* of all streams */
  pthread_mutex_t shed_lock;   /* one at a time makes room, so that no more is cut than must be; taken before any other */
  pthread_mutex_t lock;
  GraphqlStreamList list;
};

static GraphqlStream *stream_of(GraphqlStreamPlace *place) { return (GraphqlStream *)place; }

Code graphql_streams_create(const GraphqlStreamLimits *limits, GraphqlStreams **ret, Error *err) {
  GraphqlStreams *streams = memory_alloc(sizeof *streams);
  TRY_ALLOC(streams);
  *streams = (GraphqlStreams){.limits = *limits, .list.streams_max = limits->streams_max};
  atomic_init(&streams->waiting_bytes, 0);
  pthread_mutex_init(&streams->shed_lock, NULL);
  pthread_mutex_init(&streams->lock, NULL);
  *ret = streams;
  return CODE_OK;
}

const GraphqlStreamLimits *graphql_streams_limits(const GraphqlStreams *streams) { return &streams->limits; }

size_t graphql_streams_count(GraphqlStreams *streams) {
  pthread_mutex_lock(&streams->lock);
  size_t count = streams->list.count;
  pthread_mutex_unlock(&streams->lock);
  return count;
}

size_t graphql_streams_waiting(const GraphqlStreams *streams) {
  return atomic_load_explicit(&streams->waiting_bytes, memory_order_relaxed);
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

static GraphqlStream *stream_create(GraphqlStreams *streams, Str token, uint64_t now_ms) {
  GraphqlStream *stream = memory_alloc(sizeof *stream + token.len);
  if (stream == NULL) return NULL;
  const GraphqlStreamLimits *limits = &streams->limits;
  char *text = (char *)(stream + 1);
  *stream = (GraphqlStream){.place = {.token = {text, token.len}, .expires_ms = now_ms + limits->reservation_ms},
                            .streams = streams,
                            .message = {.run = woken, .context = stream},
                            .waiting = buf_on_heap(SIZE_MAX / 2),
                            .likely_bytes = limits->queued_bytes_max / limits->operations_max};
  memcpy(text, token.ptr, token.len);
  atomic_init(&stream->place.waiting_bytes, 0);
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
  atomic_store_explicit(&stream->place.waiting_bytes, 0, memory_order_relaxed);
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

/* Outside of the lock. */
static void end_taken(GraphqlStreamPlace *taken) {
  for (GraphqlStreamPlace *next; taken != NULL; taken = next) {
    GraphqlStream *stream = stream_of(taken);
    next = taken->in_bucket;
    pthread_mutex_lock(&stream->lock);
    end(stream);
    pthread_mutex_unlock(&stream->lock);
    graphql_stream_release(stream);
  }
}

void graphql_streams_destroy(GraphqlStreams *streams) {
  if (streams == NULL) return;
  end_taken(graphql_stream_list_take_expired(&streams->list, UINT64_MAX));
  pthread_mutex_destroy(&streams->lock);
  pthread_mutex_destroy(&streams->shed_lock);
  memory_free(streams);
}

static Code refuse(Code code, Error *err) {
  if (code == CODE_RATE_LIMITED) return error_set(err, code, "You have too many event streams (half of --graphql-sse-streams-max)");
  return error_set(err, code, "There are too many event streams (--graphql-sse-streams-max)");
}

Code graphql_stream_reserve(GraphqlStreams *streams, const GraphqlStreamOwner *owner, uint64_t now_ms, Arena *arena, Str *ret_token,
                            Error *err) {
  Str token;
  TRY(secret_make(TOKEN_BYTES, arena, &token, err));
  GraphqlStream *stream = stream_create(streams, token, now_ms);
  TRY_ALLOC(stream);
  pthread_mutex_lock(&streams->lock);
  GraphqlStreamPlace *taken = graphql_stream_list_take_expired(&streams->list, now_ms);
  Code code = graphql_stream_list_add(&streams->list, &stream->place, owner, &taken);
  pthread_mutex_unlock(&streams->lock);
  end_taken(taken);
  if (code != CODE_OK) {
    graphql_stream_release(stream);
    return refuse(code, err);
  }
  *ret_token = token;
  return CODE_OK;
}

GraphqlStream *graphql_stream_find(GraphqlStreams *streams, Str token, const GraphqlStreamOwner *owner, uint64_t now_ms) {
  pthread_mutex_lock(&streams->lock);
  GraphqlStreamPlace *taken = graphql_stream_list_take_expired(&streams->list, now_ms);
  GraphqlStreamPlace *place = graphql_stream_list_find(&streams->list, token);
  if (place != NULL && !graphql_stream_list_is_of(place, owner)) place = NULL;
  if (place != NULL) hold(stream_of(place));
  pthread_mutex_unlock(&streams->lock);
  end_taken(taken);
  return place == NULL ? NULL : stream_of(place);
}

/* From among the others, and with all that it does. */
static void remove_and_end(GraphqlStream *stream, bool is_cut) {
  pthread_mutex_lock(&stream->streams->lock);
  bool was_listed = graphql_stream_list_remove(&stream->streams->list, &stream->place);
  pthread_mutex_unlock(&stream->streams->lock);
  pthread_mutex_lock(&stream->lock);
  stream->is_cut = stream->is_cut || is_cut;
  end(stream);
  wake_reader(stream);
  pthread_mutex_unlock(&stream->lock);
  if (was_listed) graphql_stream_release(stream);
}

/* Whoever holds most makes room for the others (longest queue drop). */
static void shed(GraphqlStreams *streams) {
  pthread_mutex_lock(&streams->shed_lock);
  while (graphql_streams_waiting(streams) > streams->limits.total_bytes_max) {
    pthread_mutex_lock(&streams->lock);
    GraphqlStreamPlace *largest = graphql_stream_list_largest(&streams->list);
    if (largest != NULL) hold(stream_of(largest));
    pthread_mutex_unlock(&streams->lock);
    if (largest == NULL) break; /* the others end as this is done */
    remove_and_end(stream_of(largest), true);
    graphql_stream_release(stream_of(largest));
  }
  pthread_mutex_unlock(&streams->shed_lock);
}

uint32_t graphql_stream_left_ms(GraphqlStream *stream, uint64_t now_ms) {
  pthread_mutex_lock(&stream->streams->lock);
  bool is_awaited = stream->place.is_awaited;
  pthread_mutex_unlock(&stream->streams->lock);
  return is_awaited && stream->place.expires_ms > now_ms ? (uint32_t)(stream->place.expires_ms - now_ms) : 0;
}

void graphql_stream_expire(GraphqlStream *stream, uint64_t now_ms) {
  pthread_mutex_lock(&stream->streams->lock);
  bool is_over =
      stream->place.is_awaited && stream->place.expires_ms <= now_ms && graphql_stream_list_remove(&stream->streams->list, &stream->place);
  pthread_mutex_unlock(&stream->streams->lock);
  if (is_over) end_taken(&stream->place);
}

/* ---- The reader ---- */

Code graphql_stream_open(GraphqlStream *stream, const GraphqlStreamReader *reader) {
  pthread_mutex_lock(&stream->streams->lock);
  bool is_listed = stream->place.holder != NULL;
  graphql_stream_list_await_no_more(&stream->streams->list, &stream->place);
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
  bool is_left = operation->is_left;
  GraphqlStreamNews news = operation->stream->is_closed ? GRAPHQL_STREAM_OVER
                           : operation->is_stopped      ? GRAPHQL_STREAM_STOP
                                                        : GRAPHQL_STREAM_HAS_ROOM;
  pthread_mutex_unlock(&operation->stream->lock);
  if (is_left)
    operation_free(operation);
  else
    operation->writer.wake(operation->writer.context, news);
}

static GraphqlStreamOperation *find_operation(const GraphqlStream *stream, Str id) {
  for (GraphqlStreamOperation *operation = stream->operations; operation != NULL; operation = operation->next) {
    if (str_equal(operation->id, id)) return operation;
  }
  return NULL;
}

/* Under its lock. What waits, and what those under way will probably leave. */
static bool is_behind(const GraphqlStream *stream) {
  size_t pending = stream->operation_count - stream->long_count, max = stream->streams->limits.queued_bytes_max;
  if (stream->waiting.len >= max) return true;
  return pending > 0 && stream->likely_bytes >= (max - stream->waiting.len) / pending;
}

/* There is enough for all only if none takes more than his part. */
static bool holds_too_much(const GraphqlStream *stream) {
  const GraphqlStreamLimits *limits = &stream->streams->limits;
  return graphql_streams_waiting(stream->streams) >= limits->total_bytes_max / 2 &&
         stream->waiting.len > limits->total_bytes_max / limits->streams_max;
}

static Code may_join(const GraphqlStream *stream, Str id) {
  if (stream->is_closed) return CODE_NOT_FOUND;
  if (stream->is_draining) return CODE_UNAVAILABLE;
  if (find_operation(stream, id) != NULL) return CODE_CONFLICT;
  if (is_behind(stream) || stream->operation_count >= stream->streams->limits.operations_max) return CODE_RATE_LIMITED;
  return holds_too_much(stream) ? CODE_UNAVAILABLE : CODE_OK;
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

void graphql_stream_begun(GraphqlStreamOperation *operation) {
  pthread_mutex_lock(&operation->stream->lock);
  if (!operation->is_long) operation->stream->long_count++;
  operation->is_long = true;
  pthread_mutex_unlock(&operation->stream->lock);
}

/* Under its lock. */
static void add_waiting(GraphqlStream *stream, const Str *parts, size_t count) {
  size_t before = stream->waiting.len;
  for (size_t i = 0; i < count; i++) buf_add(&stream->waiting, parts[i]);
  atomic_fetch_add_explicit(&stream->streams->waiting_bytes, stream->waiting.len - before, memory_order_relaxed);
  atomic_store_explicit(&stream->place.waiting_bytes, stream->waiting.len, memory_order_relaxed);
}

bool graphql_stream_send(GraphqlStreamOperation *operation, const Str *parts, size_t count) {
  GraphqlStream *stream = operation->stream;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) bytes += parts[i].len;
  pthread_mutex_lock(&stream->lock);
  bool is_over = stream->is_closed, has_memory = true, has_room = true;
  if (!is_over) has_memory = buf_reserve(&stream->waiting, bytes);
  if (!is_over && has_memory) {
    add_waiting(stream, parts, count);
    operation->sent_bytes += bytes;
    has_room = stream->waiting.len < HIGH_BYTES;
    operation->is_stalled = !has_room;
    wake_reader(stream);
  }
  pthread_mutex_unlock(&stream->lock);
  if (!has_memory) remove_and_end(stream, true);
  if (graphql_streams_waiting(stream->streams) > stream->streams->limits.total_bytes_max) shed(stream->streams);
  return has_room;
}

/* Under its lock. */
static void learn(GraphqlStream *stream, const GraphqlStreamOperation *operation) {
  size_t bytes = operation->sent_bytes, likely = stream->likely_bytes;
  if (operation->is_long || operation->is_stopped || bytes == 0) return;
  stream->likely_bytes = bytes > likely ? bytes : likely - (likely - bytes) / LIKELY_FADES;
}

void graphql_stream_leave(GraphqlStreamOperation *operation) {
  GraphqlStream *stream = operation->stream;
  pthread_mutex_lock(&stream->lock);
  *(operation->previous == NULL ? &stream->operations : &operation->previous->next) = operation->next;
  if (operation->next != NULL) operation->next->previous = operation->previous;
  operation->is_left = true;
  if (operation->is_long) stream->long_count--;
  learn(stream, operation);
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
