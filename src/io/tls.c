/* tls.c - TLS as a Stream over another one. OpenSSL sees two buffers in memory: what has come from below, and what is to go there. Small
 * writes of a turn are collected and become one record when it ends. Invariant: `in` holds at most one read of the stream below, which is
 * not read while plaintext waits. */
#include "io/tls.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/memory.h"
#include "io/loop_internal.h"
#include "io/tls_internal.h"

enum {
  RECORD_BYTES_MAX = SSL3_RT_MAX_PLAIN_LENGTH,
  PEER_NAME_BYTES_MAX = 4096,
  ANSWERS_QUEUED_MAX = 256 * 1024 /* of the protocol's own, to who asks and does not read */
};

typedef enum TlsState { TLS_HANDSHAKE = 0, TLS_OPEN, TLS_FAILED } TlsState;

typedef struct TlsStream {
  Stream stream; /* first */
  Stream *below;
  TlsContexts *contexts;
  SSL *ssl;
  BIO *in, *out;
  LoopFlush flush;
  char *collected; /* a block of the loop's: plaintext to be sent; NULL: none */
  size_t collected_len;
  TlsState state;
  bool is_reading;     /* the owner wants to */
  bool has_plaintext;  /* some may wait in OpenSSL */
  bool is_below_ended; /* with below_code */
  Code below_code;
  bool has_peer_closed;    /* close_notify */
  bool is_flush_due_below; /* something was written there in this turn */
  bool is_ended, is_closing;
  bool wants_shutdown, is_shut;
  Buf peer_name;         /* of the client's certificate */
  size_t answered_bytes; /* the protocol's own answers that the peer has not taken yet */
} TlsStream;

static const StreamOps tls_ops;

static TlsStream *tls_of(Stream *stream) { return (TlsStream *)stream; }
static const TlsStream *tls_of_const(const Stream *stream) { return (const TlsStream *)stream; }

bool tls_is_established(const Stream *stream) { return tls_of_const(stream)->state == TLS_OPEN; }

bool tls_has_chosen_h2(const Stream *stream) {
  const unsigned char *name = NULL;
  unsigned len = 0;
  SSL_get0_alpn_selected(tls_of_const(stream)->ssl, &name, &len);
  return len == 2 && memcmp(name, "h2", 2) == 0;
}

Str tls_peer_name(const Stream *stream) { return buf_str(&tls_of_const(stream)->peer_name); }

/* What OpenSSL asks for before each call whose failure is to be told apart. To look is much cheaper than to clear. */
static void clear_errors(void) {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

static void flush_later(TlsStream *tls) { loop_flush_add(tls->stream.loop, &tls->flush); }

static void end_once(TlsStream *tls, Code code) {
  if (tls->is_ended || tls->is_closing) return;
  tls->is_ended = true;
  tls->stream.events->end(tls->stream.context, code);
}

/* ---- Down ---- */

/* Returns how many bytes there were. */
static size_t send_records(TlsStream *tls) {
  char *bytes;
  long len = BIO_get_mem_data(tls->out, &bytes);
  if (len <= 0) return 0;
  if (!tls->is_shut) {
    stream_write(tls->below, (Str){bytes, (size_t)len});
    tls->is_flush_due_below = true;
  }
  (void)BIO_reset(tls->out);
  return (size_t)len;
}

/* The connection can't go on: the alert that says why is sent, then the owner is told. */
static void tls_fail(TlsStream *tls) {
  clear_errors();
  if (tls->state == TLS_FAILED) return;
  tls->state = TLS_FAILED;
  tls->has_plaintext = false;
  (void)send_records(tls);
  stream_read_stop(tls->below);
  flush_later(tls);
}

/* What came may ask for answers of the protocol's own (a new key, RFC 8446 §4.6.3): who asks and asks and reads none is left. */
static void send_answers(TlsStream *tls) {
  tls->answered_bytes += send_records(tls);
  if (tls->answered_bytes > ANSWERS_QUEUED_MAX) tls_fail(tls);
}

static void encrypt(TlsStream *tls, Str bytes) {
  while (bytes.len > 0 && tls->state == TLS_OPEN) {
    size_t sent = 0;
    clear_errors();
    if (SSL_write_ex(tls->ssl, bytes.ptr, bytes.len > RECORD_BYTES_MAX ? RECORD_BYTES_MAX : bytes.len, &sent) != 1) {
      tls_fail(tls);
      return;
    }
    bytes = str_slice(bytes, sent, bytes.len);
    (void)send_records(tls);
  }
}

static void encrypt_collected(TlsStream *tls) {
  if (tls->collected == NULL || tls->state == TLS_HANDSHAKE) return;
  encrypt(tls, (Str){tls->collected, tls->collected_len});
  loop_block_release(tls->stream.loop, tls->collected);
  tls->collected = NULL;
  tls->collected_len = 0;
}

static void tls_write(Stream *stream, Str bytes) {
  TlsStream *tls = tls_of(stream);
  assert(!tls->wants_shutdown);
  if (tls->state == TLS_FAILED || tls->is_closing) return;
  flush_later(tls);
  while (bytes.len > 0) {
    if (tls->collected == NULL && bytes.len >= RECORD_BYTES_MAX && tls->state == TLS_OPEN) {
      encrypt(tls, bytes);
      return;
    }
    if (tls->collected == NULL) tls->collected = loop_block_acquire(stream->loop);
    size_t room = RECORD_BYTES_MAX - tls->collected_len;
    /* Before the handshake is done only a refusal is written, which is short. */
    if (tls->collected == NULL || (room == 0 && tls->state == TLS_HANDSHAKE)) {
      tls_fail(tls);
      return;
    }
    size_t taken = bytes.len < room ? bytes.len : room;
    memcpy(tls->collected + tls->collected_len, bytes.ptr, taken);
    tls->collected_len += taken;
    bytes = str_slice(bytes, taken, bytes.len);
    if (tls->collected_len == RECORD_BYTES_MAX) encrypt_collected(tls);
    if (tls->state == TLS_FAILED) return;
  }
}

static size_t tls_queued(const Stream *stream) {
  const TlsStream *tls = tls_of_const(stream);
  return tls->collected_len + stream_queued(tls->below);
}

static void tls_shutdown(Stream *stream) {
  TlsStream *tls = tls_of(stream);
  if (tls->wants_shutdown || tls->is_closing) return;
  tls->wants_shutdown = true;
  flush_later(tls);
}

/* RFC 8446 §6.1: close_notify, then the end of our side. */
static void shutdown_if_wanted(TlsStream *tls) {
  if (!tls->wants_shutdown || tls->is_shut || tls->state == TLS_HANDSHAKE) return;
  clear_errors();
  if (tls->state == TLS_OPEN) (void)SSL_shutdown(tls->ssl);
  clear_errors();
  (void)send_records(tls);
  tls->is_shut = tls->is_flush_due_below = true;
  stream_shutdown(tls->below);
}

/* ---- Up ---- */

static void handshake(TlsStream *tls) {
  clear_errors();
  int result = SSL_do_handshake(tls->ssl);
  if (result == 1 && !tls_peer_write_name(tls->ssl, &tls->peer_name)) {
    tls_fail(tls); /* rather than to let it in as somebody else */
    return;
  }
  if (result == 1) {
    tls->state = TLS_OPEN;
    (void)send_records(tls);
    flush_later(tls); /* what was written before */
    return;
  }
  int why = SSL_get_error(tls->ssl, result);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    tls_fail(tls);
    return;
  }
  send_answers(tls);
}

/* One buffer's worth of plaintext: false when there is no more for now. */
static bool read_once(TlsStream *tls) {
  size_t count = 0;
  char *buffer = loop_read_buffer(tls->stream.loop);
  clear_errors();
  if (SSL_read_ex(tls->ssl, buffer, LOOP_READ_BYTES, &count) == 1) {
    /* Asking for what is not there costs as much as reading. */
    tls->has_plaintext = SSL_has_pending(tls->ssl) == 1 || BIO_pending(tls->in) > 0;
    if (!tls->has_plaintext) send_answers(tls);
    tls->stream.events->read(tls->stream.context, (Str){buffer, count});
    return true;
  }
  int why = SSL_get_error(tls->ssl, 0);
  tls->has_plaintext = false;
  if (why == SSL_ERROR_ZERO_RETURN) {
    tls->has_peer_closed = true;
  } else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    tls_fail(tls);
    return false;
  }
  send_answers(tls);
  return false;
}

/* The owner is told of everything that waits, while it wants to read. */
static void read_plaintext(TlsStream *tls) {
  while (tls->is_reading && tls->has_plaintext && tls->state == TLS_OPEN && !tls->is_closing && read_once(tls)) {}
  if (tls->is_closing || tls->state == TLS_FAILED || tls->has_plaintext) return;
  if (tls->has_peer_closed) {
    end_once(tls, CODE_OK);
  } else if (tls->is_below_ended) {
    end_once(tls, tls->state == TLS_OPEN ? tls->below_code : CODE_UNAVAILABLE);
  }
}

static void on_below_read(void *context, Str bytes) {
  TlsStream *tls = context;
  if (tls->state == TLS_FAILED || tls->has_peer_closed) return;
  if (bytes.len > INT_MAX || BIO_write(tls->in, bytes.ptr, (int)bytes.len) != (int)bytes.len) {
    tls_fail(tls);
    return;
  }
  if (tls->state == TLS_HANDSHAKE) handshake(tls);
  if (tls->state != TLS_OPEN) return;
  tls->has_plaintext = true;
  read_plaintext(tls);
}

static void on_below_end(void *context, Code code) {
  TlsStream *tls = context;
  tls->is_below_ended = true;
  tls->below_code = code;
  if (code != CODE_OK || tls->state == TLS_FAILED)
    end_once(tls, CODE_UNAVAILABLE);
  else
    read_plaintext(tls);
}

static void tell_failure(TlsStream *tls) {
  if (stream_queued(tls->below) == 0) end_once(tls, CODE_UNAVAILABLE);
}

static void on_below_flushed(void *context) {
  TlsStream *tls = context;
  tls->is_flush_due_below = false;
  if (tls->is_closing) return;
  if (stream_queued(tls->below) == 0) tls->answered_bytes = 0;
  if (tls->state == TLS_FAILED)
    tell_failure(tls);
  else if (!tls->flush.is_queued)
    tls->stream.events->flushed(tls->stream.context);
}

static void tls_flush(TlsStream *tls) {
  if (tls->is_closing) return;
  encrypt_collected(tls);
  shutdown_if_wanted(tls);
  if (tls->state == TLS_FAILED) {
    tell_failure(tls);
    return;
  }
  if (tls->is_reading && tls->has_plaintext) {
    read_plaintext(tls);
    loop_run_hooks_again(tls->stream.loop);
  }
  /* Where something went down, its flush comes yet in this turn. */
  if (!tls->is_closing && !tls->is_flush_due_below) tls->stream.events->flushed(tls->stream.context);
}

static void on_flush(LoopFlush *flush) { tls_flush((TlsStream *)(void *)((char *)flush - offsetof(TlsStream, flush))); }

static void tls_read_start(Stream *stream) {
  TlsStream *tls = tls_of(stream);
  if (tls->is_ended || tls->is_closing) return;
  tls->is_reading = true;
  if (tls->has_plaintext || tls->is_below_ended) {
    flush_later(tls); /* events don't come from within a call */
    loop_run_hooks_again(stream->loop);
  }
  if (tls->state != TLS_FAILED) stream_read_start(tls->below);
}

static void tls_read_stop(Stream *stream) {
  TlsStream *tls = tls_of(stream);
  tls->is_reading = false;
  stream_read_stop(tls->below);
}

/* ---- Life ---- */

static void on_below_closed(void *context) {
  TlsStream *tls = context;
  if (tls->collected != NULL) loop_block_release(tls->stream.loop, tls->collected);
  SSL_free(tls->ssl); /* and its two buffers */
  tls_contexts_release(tls->contexts);
  buf_done(&tls->peer_name);
  if (tls->stream.events != NULL) tls->stream.events->closed(tls->stream.context);
  memory_free(tls);
}

static void tls_close(Stream *stream, bool with_reset) {
  TlsStream *tls = tls_of(stream);
  if (tls->is_closing) return;
  tls->is_closing = true;
  loop_flush_remove(stream->loop, &tls->flush);
  if (with_reset)
    stream_reset(tls->below);
  else
    stream_close(tls->below);
}

static const StreamOps tls_ops = {
    .read_start = tls_read_start,
    .read_stop = tls_read_stop,
    .write = tls_write,
    .queued = tls_queued,
    .shutdown = tls_shutdown,
    .close = tls_close,
};

static const StreamEvents below_events = {
    .read = on_below_read, .end = on_below_end, .flushed = on_below_flushed, .closed = on_below_closed};

static bool make_connection(TlsStream *tls) {
  tls->ssl = tls_contexts_new_connection(tls->contexts);
  tls->in = BIO_new(BIO_s_mem());
  tls->out = BIO_new(BIO_s_mem());
  if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
    BIO_free(tls->in);
    BIO_free(tls->out);
    SSL_free(tls->ssl);
    return false;
  }
  /* An empty buffer means "more to come" rather than the end. */
  (void)BIO_set_mem_eof_return(tls->in, -1);
  SSL_set_bio(tls->ssl, tls->in, tls->out);
  SSL_set_accept_state(tls->ssl);
  return true;
}

Stream *tls_accept(Tls *shared, Stream *below) {
  TlsStream *tls = memory_alloc(sizeof *tls);
  if (tls == NULL) return NULL;
  *tls = (TlsStream){.stream = {.ops = &tls_ops, .loop = below->loop},
                     .below = below,
                     .contexts = tls_contexts_acquire(shared),
                     .peer_name = buf_on_heap(PEER_NAME_BYTES_MAX),
                     .flush = {.run = on_flush}};
  if (!make_connection(tls)) {
    clear_errors();
    tls_contexts_release(tls->contexts);
    memory_free(tls);
    return NULL;
  }
  below->events = &below_events;
  below->context = tls;
  return &tls->stream;
}
