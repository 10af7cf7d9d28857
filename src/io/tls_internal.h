/* tls_internal.h - what tls.c and tls_context.c know of each other. */
#pragma once
#include "base/buf.h"
#include "io/tls.h"

struct ssl_st;
typedef struct TlsContexts TlsContexts;

/* What new connections get: held for the caller. */
TlsContexts *tls_contexts_acquire(Tls *tls);
void tls_contexts_release(TlsContexts *contexts); /* NULL is fine */
/* A connection's state machine. NULL when memory is out. */
struct ssl_st *tls_contexts_new_connection(TlsContexts *contexts);
/* Behind a handshake, a resumed one too: what tls_peer_name tells. False: it can't be told. */
bool tls_peer_write_name(struct ssl_st *ssl, Buf *out);
