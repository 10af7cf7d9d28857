/* socket.h - a Stream over an accepted TCP or Unix socket. Only for the files of io/. */
#pragma once
#include "io/stream.h"

struct uv_stream_s;

/* Takes the connection that waits on `server`. NULL when memory is out or the connection is gone already. */
Stream *socket_accept(Loop *loop, struct uv_stream_s *server);
/* "127.0.0.1:51000", "[::1]:51000"; empty on a Unix socket. Returns the length. */
size_t socket_peer(const Stream *stream, char out[64]);
