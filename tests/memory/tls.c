/* tls.c - see tls.h. */
#include "tls.h"

#include <limits.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct TlsClient {
  SSL_CTX *context;
  SSL *ssl;
};

TlsClient *tls_client_open(int socket, bool is_http2) {
  static const unsigned char http1[] = "\010http/1.1", http2[] = "\002h2";
  TlsClient *tls = calloc(1, sizeof *tls);
  tls->context = SSL_CTX_new(TLS_client_method());
  tls->ssl = SSL_new(tls->context);
  (void)SSL_set_alpn_protos(tls->ssl, is_http2 ? http2 : http1, (unsigned)(is_http2 ? sizeof http2 : sizeof http1) - 1);
  (void)SSL_set_fd(tls->ssl, socket);
  if (SSL_connect(tls->ssl) == 1) return tls;
  tls_client_close(tls);
  return NULL;
}

void tls_client_close(TlsClient *tls) {
  if (tls == NULL) return;
  SSL_free(tls->ssl);
  SSL_CTX_free(tls->context);
  free(tls);
}

bool tls_client_has_pending(const TlsClient *tls) { return SSL_pending(tls->ssl) > 0; }

static int bounded(size_t size) { return size > INT_MAX ? INT_MAX : (int)size; }

ssize_t tls_client_receive(TlsClient *tls, char *bytes, size_t size) { return SSL_read(tls->ssl, bytes, bounded(size)); }

ssize_t tls_client_send(TlsClient *tls, const char *bytes, size_t size) { return SSL_write(tls->ssl, bytes, bounded(size)); }
