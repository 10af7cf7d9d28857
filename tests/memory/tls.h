/* tls.h - a client's side of TLS on a socket that blocks, for as long as SO_RCVTIMEO says. Nothing is verified. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct TlsClient TlsClient;

/* NULL: the other side ended it. The socket stays the caller's. */
TlsClient *tls_client_open(int socket, bool is_http2);
void tls_client_close(TlsClient *tls); /* NULL is fine */
/* Bytes that have come are waiting within. */
bool tls_client_has_pending(const TlsClient *tls);
/* As recv and send; 0 or less: nothing more comes, or goes. */
ssize_t tls_client_receive(TlsClient *tls, char *bytes, size_t size);
ssize_t tls_client_send(TlsClient *tls, const char *bytes, size_t size);
