/* tls.h - a server's certificates, and a Stream laid over an accepted one that speaks TLS 1.2 or 1.3. OpenSSL stays inside io/. */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "io/stream.h"

typedef struct Tls Tls;

typedef struct TlsFiles {
  const Str
      *certificates; /* PEM: the server's own, then those that lead to its issuer. The first is for clients that name no host we know */
  const Str *keys;   /* PEM, each of the certificate at the same place */
  size_t count;
  const Str *stapled; /* DER: each certificate's OCSP response (RFC 6960), sent to those who ask for it; stapled_count, the first ones' */
  size_t stapled_count;
  Str client_ca; /* PEM: who may issue clients' certificates, without which there is no connection; len 0: none are asked for */
} TlsFiles;

/* CODE_UNAVAILABLE: a file can't be read; CODE_CONFLICT: what is in it won't do. */
Code tls_create(const TlsFiles *files, Tls **ret, Error *err);
/* Reads the files again: for connections to come, those that are open keep what they have. On failure nothing changes. The keys of session
 * tickets are new as well. Any thread. */
Code tls_reload(Tls *tls, const TlsFiles *files, Error *err);
void tls_destroy(Tls *tls); /* streams may outlive it; NULL is fine */

/* Owns `below` from now on. NULL when memory is out; `below` is still the caller's then. Any loop's thread. */
Stream *tls_accept(Tls *tls, Stream *below);
/* Of a stream of tls_accept: the handshake is done. No read event comes before. */
bool tls_is_established(const Stream *stream);
/* … and ALPN (RFC 7301) chose HTTP/2. */
bool tls_has_chosen_h2(const Stream *stream);
/* What the client's certificate calls its holder: the first URI of its subjectAltName, else the subject's name as RFC 4514 writes it. Empty
 * where none was asked for. Lives as long as the stream. */
Str tls_peer_name(const Stream *stream);
