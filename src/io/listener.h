/* listener.h - accepts connections on one address for one loop. */
#pragma once
#include "base/error.h"
#include "base/str.h"
#include "io/loop.h"
#include "io/stream.h"

typedef struct Listener Listener;
/* The stream is the receiver's; it sets `events` and `context` at once. `peer` as HttpRequest.peer, during the call. */
typedef void ListenerAcceptFn(void *context, Stream *stream, Str peer);

/* "127.0.0.1:8080", "[::1]:8080", "unix:/path". TCP listens with SO_REUSEPORT, so that each loop may open the same address. A Unix socket
 * is opened by the first; for another of the same process *ret is NULL and the result CODE_OK. A socket file that nobody serves is
 * replaced. CODE_BAD_REQUEST: not an address; CODE_UNAVAILABLE: it can't be had. */
Code listener_open(Loop *loop, Str address, ListenerAcceptFn *accept, void *context, Listener **ret, Error *err);
/* SO_REUSEPORT also lets two processes of one user share an address, of which each would then get some of the connections: asked before the
 * first listener of a process, this says CODE_UNAVAILABLE where somebody listens there already. */
Code listener_check_free(Str address, Error *err);
/* What was bound: port 0 resolved. Lives as the listener. */
Str listener_address(const Listener *listener);
void listener_close(Listener *listener); /* NULL is fine */
