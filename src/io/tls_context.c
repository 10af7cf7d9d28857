/* tls_context.c - certificates and keys from files: one context of OpenSSL's each, chosen by the name that a client asks for. A set of them
 * is immutable and counted; a reload puts another in its place. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "io/tls_internal.h"

enum { PATH_BYTES_MAX = 4096, STAPLED_BYTES_MAX = 64 * 1024 };

typedef struct TlsContext {
  SSL_CTX *ssl;
  Buf stapled; /* an OCSP response; empty: none */
} TlsContext;

struct TlsContexts {
  _Atomic size_t holders;
  size_t count;
  TlsContext items[];
};

struct Tls {
  pthread_mutex_t lock; /* over `current` */
  TlsContexts *current;
};

/* RFC 9325 §4.2: forward secrecy and authenticated encryption only; RFC 9113 §9.2.2 forbids the others with HTTP/2. */
static const char ciphers_1_2[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* ---- What a handshake asks ---- */

static bool is_certificate_for(SSL_CTX *context, const char *name) {
  X509 *certificate = SSL_CTX_get0_certificate(context);
  return certificate != NULL && X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

static int on_server_name(SSL *ssl, int *alert, void *argument) {
  (void)alert;
  const TlsContexts *contexts = argument;
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == NULL) return SSL_TLSEXT_ERR_NOACK;
  for (size_t i = 0; i < contexts->count; i++) {
    if (!is_certificate_for(contexts->items[i].ssl, name)) continue;
    return i == 0 || SSL_set_SSL_CTX(ssl, contexts->items[i].ssl) != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

/* RFC 6066 §8: what the certificate's issuer says of it, so that its client need not ask. OpenSSL frees what it is given. */
static int on_status_request(SSL *ssl, void *argument) {
  const Buf *stapled = argument;
  unsigned char *copy = OPENSSL_malloc(stapled->len);
  if (copy == NULL) return SSL_TLSEXT_ERR_NOACK;
  memcpy(copy, stapled->ptr, stapled->len);
  if (SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)stapled->len) == 1) return SSL_TLSEXT_ERR_OK;
  OPENSSL_free(copy);
  return SSL_TLSEXT_ERR_NOACK;
}

/* RFC 7301 §3.2: who offers protocols, and none of ours, is told so. */
static int on_protocols(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *offered, unsigned offered_len,
                        void *context) {
  (void)ssl;
  (void)context;
  static const unsigned char ours[] = "\x02h2\x08http/1.1";
  unsigned char *chosen;
  if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *ret = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/* ---- Files ---- */

static Code fail(Error *err, Str path, const char *what) {
  unsigned long number = ERR_peek_error();
  const char *reason = number == 0 ? NULL : ERR_reason_error_string(number);
  ERR_clear_error();
  return error_set(err, CODE_CONFLICT, "%.*s: %s%s%s", STR_ARGS(path), what, reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
}

/* The path for OpenSSL, of a file that can be read. */
static Code copy_path(Str path, char ret[PATH_BYTES_MAX], Error *err) {
  char text[128];
  if (path.len == 0 || path.len >= PATH_BYTES_MAX || memchr(path.ptr, '\0', path.len) != NULL)
    return error_set(err, CODE_UNAVAILABLE, "'%.*s' is not a path", STR_ARGS(path));
  memcpy(ret, path.ptr, path.len);
  ret[path.len] = '\0';
  if (access(ret, R_OK) == 0) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "can't read %s: %s", ret, strerror_r(errno, text, sizeof text));
}

/* A key that is locked by a passphrase is refused, rather than asked for on the terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context) {
  (void)buffer;
  (void)size;
  (void)is_writing;
  (void)context;
  return -1;
}

static Code use_certificate(SSL_CTX *context, Str certificate, Str key, Error *err) {
  char path[PATH_BYTES_MAX];
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  TRY(copy_path(certificate, path, err));
  if (SSL_CTX_use_certificate_chain_file(context, path) != 1) return fail(err, certificate, "no certificate in PEM");
  TRY(copy_path(key, path, err));
  if (SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1) return fail(err, key, "no key in PEM that fits its certificate");
  if (SSL_CTX_check_private_key(context) != 1) return fail(err, key, "the key is not its certificate's");
  return CODE_OK;
}

static Code use_client_ca(SSL_CTX *context, Str client_ca, Error *err) {
  char path[PATH_BYTES_MAX];
  if (client_ca.len == 0) return CODE_OK;
  TRY(copy_path(client_ca, path, err));
  STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
  if (names == NULL || SSL_CTX_load_verify_locations(context, path, NULL) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return fail(err, client_ca, "no certificates in PEM");
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  return CODE_OK;
}

/* The response's own time of validity is for its reader to judge: an old one is better told than hidden. */
static bool is_response(const Buf *bytes) {
  const unsigned char *at = (const unsigned char *)bytes->ptr;
  OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)bytes->len);
  bool is_one = response != NULL && at == (const unsigned char *)bytes->ptr + bytes->len &&
                OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
  OCSP_RESPONSE_free(response);
  return is_one;
}

static Code use_stapled(TlsContext *context, Str file, Error *err) {
  char path[PATH_BYTES_MAX];
  if (file.len == 0) return CODE_OK;
  TRY(copy_path(file, path, err));
  BIO *bio = BIO_new_file(path, "rb");
  if (bio == NULL) return fail(err, file, "can't be read");
  context->stapled = buf_on_heap(STAPLED_BYTES_MAX);
  char piece[4096];
  for (int len; (len = BIO_read(bio, piece, sizeof piece)) > 0;) buf_add(&context->stapled, (Str){piece, (size_t)len});
  BIO_free(bio);
  if (context->stapled.failed != CODE_OK || context->stapled.len == 0 || !is_response(&context->stapled))
    return fail(err, file, "no OCSP response in DER that says anything of a certificate");
  (void)SSL_CTX_set_tlsext_status_cb(context->ssl, on_status_request);
  (void)SSL_CTX_set_tlsext_status_arg(context->ssl, &context->stapled);
  return CODE_OK;
}

/* ---- Contexts ---- */

/* Who comes back with a ticket is not verified again, and gets a new one each time: where his certificate has ended meanwhile a whole
 * handshake is to refuse it. */
static SSL_TICKET_RETURN on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name, size_t key_name_len,
                                   SSL_TICKET_STATUS status, void *context) {
  (void)ssl;
  (void)key_name;
  (void)key_name_len;
  (void)context;
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  const X509 *peer = SSL_SESSION_get0_peer(session);
  if (peer != NULL && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static bool set_protocol(SSL_CTX *context, TlsContexts *contexts) {
  static const unsigned char session_context[] = "caisson";
  (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1); /* a record's head and body from the buffer at once */
  /* Sessions live in tickets, which cost no memory here. */
  (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_session_ticket_cb(context, NULL, on_ticket, NULL);
  (void)SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
  (void)SSL_CTX_set_tlsext_servername_arg(context, contexts);
  SSL_CTX_set_alpn_select_cb(context, on_protocols, NULL);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(context, ciphers_1_2) == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
         SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) == 1;
}

static Code fill(TlsContexts *contexts, const TlsFiles *files, Error *err) {
  for (size_t i = 0; i < files->count; i++) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    TRY_ALLOC(context);
    contexts->items[contexts->count++] = (TlsContext){.ssl = context};
    if (!set_protocol(context, contexts)) return fail(err, files->certificates[i], "TLS can't be set up");
    TRY(use_certificate(context, files->certificates[i], files->keys[i], err));
    TRY(use_client_ca(context, files->client_ca, err));
    if (i < files->stapled_count) TRY(use_stapled(&contexts->items[i], files->stapled[i], err));
  }
  return CODE_OK;
}

void tls_contexts_release(TlsContexts *contexts) {
  if (contexts == NULL || atomic_fetch_sub_explicit(&contexts->holders, 1, memory_order_acq_rel) != 1) return;
  for (size_t i = 0; i < contexts->count; i++) {
    SSL_CTX_free(contexts->items[i].ssl);
    buf_done(&contexts->items[i].stapled);
  }
  memory_free(contexts);
}

static Code contexts_create(const TlsFiles *files, TlsContexts **ret, Error *err) {
  TlsContexts *contexts = memory_alloc(sizeof *contexts + files->count * sizeof contexts->items[0]);
  TRY_ALLOC(contexts);
  contexts->count = 0;
  atomic_init(&contexts->holders, 1);
  Code code = fill(contexts, files, err);
  if (code == CODE_OK)
    *ret = contexts;
  else
    tls_contexts_release(contexts);
  return code;
}

TlsContexts *tls_contexts_acquire(Tls *tls) {
  pthread_mutex_lock(&tls->lock);
  TlsContexts *contexts = tls->current;
  atomic_fetch_add_explicit(&contexts->holders, 1, memory_order_relaxed);
  pthread_mutex_unlock(&tls->lock);
  return contexts;
}

SSL *tls_contexts_new_connection(TlsContexts *contexts) { return SSL_new(contexts->items[0].ssl); }

/* ---- The server's ---- */

Code tls_create(const TlsFiles *files, Tls **ret, Error *err) {
  TlsContexts *contexts = NULL;
  TRY(contexts_create(files, &contexts, err));
  Tls *tls = memory_alloc(sizeof *tls);
  if (tls == NULL) {
    tls_contexts_release(contexts);
    return error_no_memory(err);
  }
  tls->current = contexts;
  pthread_mutex_init(&tls->lock, NULL);
  *ret = tls;
  return CODE_OK;
}

Code tls_reload(Tls *tls, const TlsFiles *files, Error *err) {
  TlsContexts *contexts = NULL;
  TRY(contexts_create(files, &contexts, err));
  pthread_mutex_lock(&tls->lock);
  TlsContexts *before = tls->current;
  tls->current = contexts;
  pthread_mutex_unlock(&tls->lock);
  tls_contexts_release(before);
  return CODE_OK;
}

void tls_destroy(Tls *tls) {
  if (tls == NULL) return;
  tls_contexts_release(tls->current);
  pthread_mutex_destroy(&tls->lock);
  memory_free(tls);
}
