/* graphql_streams.h - event streams that many operations share: graphql-sse's single connection mode. An operation comes by a request of
 * its own, to whichever loop has that request's connection, and runs there, under the access and the limits that it has everywhere. Who
 * reads the stream is another connection, perhaps another loop's. So a stream belongs to the process: operations leave their results in it
 * as bytes, and its reader is woken on its own loop to take them. From loop to loop go bytes and wake-ups; never a request, a row, or a
 * call into another loop's engine.
 *
 * A stream is reserved, then read once: it is over with its reader, or where none comes in time. Its lock is held while bytes are copied,
 * and nobody is called under it. Any thread, where nothing else is said. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "http/exchange.h"

typedef struct GraphqlStreamLimits {
  size_t streams_max;    /* reserved or read, in the process; graphql_stream_list.h says who goes where there are too many */
  size_t operations_max; /* under way, of one stream */
  /* What readers have not taken. Of one stream: no operation is begun that would probably leave more, by what those before it left; the
   * first always is. Subscriptions wait for room long before. */
  size_t queued_bytes_max;
  /* Of all streams: never more. Once half of it waits a stream that holds more than a streams_max-th begins nothing; where a result has no
   * room, the stream that holds most of the owner who holds most is cut. */
  size_t total_bytes_max;
  uint32_t reservation_ms; /* for the reader to come */
  uint32_t heartbeat_ms;   /* a sign of life for the reader */
} GraphqlStreamLimits;

typedef struct GraphqlStreams GraphqlStreams;
typedef struct GraphqlStream GraphqlStream;
typedef struct GraphqlStreamOperation GraphqlStreamOperation;

Code graphql_streams_create(const GraphqlStreamLimits *limits, GraphqlStreams **ret, Error *err);
void graphql_streams_destroy(GraphqlStreams *streams); /* nobody reads or writes any more; NULL is fine */
const GraphqlStreamLimits *graphql_streams_limits(const GraphqlStreams *streams);
size_t graphql_streams_count(GraphqlStreams *streams);
size_t graphql_streams_waiting(const GraphqlStreams *streams); /* bytes, for all readers */

/* Whatever says who a caller is, and what the connection's certificate does (len 0: nothing). */
typedef struct GraphqlStreamOwner {
  Str who, certificate;
} GraphqlStreamOwner;

/* A stream for `owner`; the token that names it, on `arena`. CODE_RATE_LIMITED: the owner reads as many as one may have.
 * CODE_UNAVAILABLE: there are too many, or memory or random bytes are out. */
Code graphql_stream_reserve(GraphqlStreams *streams, const GraphqlStreamOwner *owner, uint64_t now_ms, Arena *arena, Str *ret_token,
                            Error *err);
/* Held until it is released. NULL: there is none, or it is another's. owner->who.ptr NULL: whoever has the token, by the same certificate.
 */
GraphqlStream *graphql_stream_find(GraphqlStreams *streams, Str token, const GraphqlStreamOwner *owner, uint64_t now_ms);
void graphql_stream_release(GraphqlStream *stream); /* NULL is fine */
/* How long a reader may take yet; 0: there is one, or it is too late. */
uint32_t graphql_stream_left_ms(GraphqlStream *stream, uint64_t now_ms);
/* Ends it where its time is over and nobody has come. */
void graphql_stream_expire(GraphqlStream *stream, uint64_t now_ms);

/* ---- The reader, on its loop; it holds the stream ---- */

typedef struct GraphqlStreamReader {
  Loop *loop;
  void (*wake)(void *context); /* look again; not behind graphql_stream_close */
  void *context;
} GraphqlStreamReader;

/* Cut: memory is out, or what may wait for all readers together was passed; a result is missing. */
typedef enum GraphqlStreamState { GRAPHQL_STREAM_GOES_ON = 0, GRAPHQL_STREAM_ENDED, GRAPHQL_STREAM_CUT } GraphqlStreamState;

/* CODE_CONFLICT: somebody reads it. CODE_NOT_FOUND: it is over. */
Code graphql_stream_open(GraphqlStream *stream, const GraphqlStreamReader *reader);
/* What waits: on the heap, the caller's to free. Operations that have waited for room go on. */
GraphqlStreamState graphql_stream_take(GraphqlStream *stream, Buf *ret);
/* No operation is added any more; it has ended when those under way have. */
void graphql_stream_drain(GraphqlStream *stream);
/* The reader leaves: all operations are stopped. */
void graphql_stream_close(GraphqlStream *stream);

/* ---- Operations, each on its own loop ---- */

/* There is room again; somebody asks it to stop; the stream is over. */
typedef enum GraphqlStreamNews { GRAPHQL_STREAM_HAS_ROOM = 0, GRAPHQL_STREAM_STOP, GRAPHQL_STREAM_OVER } GraphqlStreamNews;

typedef struct GraphqlStreamWriter {
  Loop *loop;
  void (*wake)(void *context, GraphqlStreamNews news); /* not behind graphql_stream_leave */
  void *context;
} GraphqlStreamWriter;

/* CODE_CONFLICT: the id is taken. CODE_RATE_LIMITED: there are too many, or too much waits or probably will for its reader. CODE_NOT_FOUND:
 * the stream is over. CODE_UNAVAILABLE: it comes to its end, too much waits for all readers, or memory is out. */
Code graphql_stream_join(GraphqlStream *stream, Str id, const GraphqlStreamWriter *writer, GraphqlStreamOperation **ret);
/* It sends as long as it likes, and waits for room: a subscription. */
void graphql_stream_begun(GraphqlStreamOperation *operation);
/* False: enough waits; the writer is woken when there is room. */
bool graphql_stream_send(GraphqlStreamOperation *operation, const Str *parts, size_t count);
void graphql_stream_leave(GraphqlStreamOperation *operation);
/* Asks the operation of this id to stop, if there is one. */
void graphql_stream_stop(GraphqlStream *stream, Str id);
