/* server.h - listeners and connections on one loop: bytes from sockets become exchanges. One HttpServer a loop. */
#pragma once
#include "base/error.h"
#include "http/exchange.h"
#include "io/loop.h"
#include "io/tls.h"

/* INTERFACE §6. */
typedef struct HttpLimits {
  size_t body_bytes_max, header_bytes_max, uri_bytes_max;
  size_t body_bytes_largest;       /* what a handler may ask for one exchange */
  size_t connections_max;          /* in this process: shared by its servers through connections_open */
  size_t requests_in_flight_max;   /* likewise */
  size_t requests_in_flight_share; /* of one server; 0: all of them. Who finds it taken waits for a turn … */
  uint32_t queue_wait_ms;          /* … for as long as can be expected; else he is refused. 0: nobody waits */
  size_t streams_max;              /* HTTP/2, a connection */
  size_t control_frames_max;       /* likewise: frames that lead nowhere, at once; a tenth of them a second for long */
  uint32_t ping_interval_min_ms;   /* likewise: of pings while nothing is sent to who sends them; 0: any */
  uint32_t ping_interval_ms;       /* a connection with open streams from which nothing comes is pinged; 0: never … */
  uint32_t ping_timeout_ms;        /* … and closed where nothing comes then */
  uint32_t connection_age_max_ms;  /* of either version; 0: any. What has begun is still answered */
  uint32_t request_timeout_ms, header_timeout_ms, idle_timeout_ms, drain_timeout_ms;
} HttpLimits;

typedef struct HttpShared { /* of all loops */
  _Atomic size_t connections_open;
  _Atomic size_t requests_in_flight;
  _Atomic uint64_t requests_shed; /* refused because too much was waiting */
  _Atomic bool is_draining;
} HttpShared;

typedef struct HttpServer HttpServer;

Code http_server_create(Loop *loop, const HttpLimits *limits, HttpShared *shared, const HttpHandler *handler, HttpServer **ret, Error *err);
/* Connections speak TLS from now on; `tls` outlives the server. Before it listens. */
void http_server_use_tls(HttpServer *server, Tls *tls);
/* "127.0.0.1:8080", "[::1]:8080", "unix:/path". With SO_REUSEPORT, so that every loop listens for itself (a Unix socket is opened by one
 * loop only: pass the same address to each, the first owns it). Port 0 is resolved by the first server; *ret_address is what was bound, as
 * a URL ("http://127.0.0.1:41237"), on the server's own memory. */
Code http_server_listen(HttpServer *server, Str address, Str *ret_address, Error *err);
/* Stops accepting, answers what has begun (at most drain_timeout), then calls `drained`. */
void http_server_drain(HttpServer *server, LoopFn *drained, void *context);
void http_server_destroy(HttpServer *server);
