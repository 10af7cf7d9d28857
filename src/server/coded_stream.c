#include "server/coded_stream.h"

typedef struct CodedStream {
  const HttpExchangeOps *inner;
  Compressor *compressor;
  Buf out;     /* of the piece at hand; on the heap */
  bool is_cut; /* it can't be coded any more: its reader must see that it is not whole */
} CodedStream;

static CodedStream *stream_of(const HttpExchange *exchange) { return exchange->coding; }

/* What it becomes is in `out`; nothing where that fails. */
static Str code_piece(CodedStream *stream, Str bytes, bool is_last) {
  buf_clear(&stream->out);
  if (stream->compressor->add(stream->compressor, bytes, is_last, &stream->out, NULL) != CODE_OK) stream->is_cut = true;
  return stream->is_cut ? (Str){0} : buf_str(&stream->out);
}

static void coded_respond(HttpExchange *exchange, const HttpResponse *response) { stream_of(exchange)->inner->respond(exchange, response); }

static void coded_begin(HttpExchange *exchange, const HttpResponse *head) { stream_of(exchange)->inner->begin(exchange, head); }

static bool coded_write(HttpExchange *exchange, Str bytes) {
  CodedStream *stream = stream_of(exchange);
  if (stream->is_cut) return true;
  return stream->inner->write(exchange, code_piece(stream, bytes, false));
}

static void coded_end(HttpExchange *exchange, const HttpHeader *trailers, size_t trailer_count) {
  CodedStream *stream = stream_of(exchange);
  Str rest = stream->is_cut ? (Str){0} : code_piece(stream, (Str){0}, true);
  if (stream->is_cut) {
    stream->inner->abort(exchange);
    return;
  }
  (void)stream->inner->write(exchange, rest);
  stream->inner->end(exchange, trailers, trailer_count);
}

static void coded_abort(HttpExchange *exchange) { stream_of(exchange)->inner->abort(exchange); }

static void coded_read_more(HttpExchange *exchange) { stream_of(exchange)->inner->read_more(exchange); }

static size_t coded_queued(const HttpExchange *exchange) { return stream_of(exchange)->inner->queued(exchange); }

static void coded_bound(HttpExchange *exchange, int64_t timeout_us) {
  const HttpExchangeOps *inner = stream_of(exchange)->inner;
  if (inner->bound != NULL) inner->bound(exchange, timeout_us);
}

static const HttpExchangeOps coded_ops = {
    .respond = coded_respond,
    .begin = coded_begin,
    .write = coded_write,
    .end = coded_end,
    .abort = coded_abort,
    .read_more = coded_read_more,
    .queued = coded_queued,
    .bound = coded_bound,
};

static void close_stream(void *context) {
  CodedStream *stream = context;
  stream->compressor->destroy(stream->compressor);
  buf_done(&stream->out);
}

bool coded_stream_open(HttpExchange *exchange, Compressor *compressor) {
  CodedStream *stream = ARENA_NEW(exchange->arena, CodedStream);
  if (stream == NULL || !arena_defer(exchange->arena, close_stream, stream)) {
    compressor->destroy(compressor);
    return false;
  }
  *stream = (CodedStream){.inner = exchange->ops, .compressor = compressor, .out = buf_on_heap(SIZE_MAX / 2)};
  exchange->coding = stream;
  exchange->ops = &coded_ops;
  return true;
}
