/* http1.c - requests from bytes. First the head's end is found and the shape of its lines checked, by a scan that can stop at any byte;
 * then the whole head is copied to the request's arena, once, and taken apart there: the request line here, header fields and chunks by the
 * decoder. */
#include "http/http1.h"

#include "http/http1_decoder.h"
#include "http/message.h"
#include "http/target.h"

enum {
  REQUEST_LINE_EXTRA = 64 /* method, spaces, version and CRLF, beside the target */
};

typedef enum ParserState { PARSER_HEAD = 0, PARSER_BODY_LENGTH, PARSER_BODY_CHUNKED, PARSER_END, PARSER_REFUSED } ParserState;

struct Http1Parser {
  ParserState state;
  Http1Limits limits;
  uint64_t body_left;
  /* The scan of the head that is coming in: offsets into its text. */
  size_t line_at, headers_at, line_count;
  bool has_leading_cr;
  Buf partial; /* the head's bytes so far, when it comes in pieces */
  Http1Decoder *decoder;
};

Http1Parser *http1_parser_create(const Http1Limits *limits) {
  Http1Parser *parser = memory_alloc(sizeof *parser);
  if (parser == NULL) return NULL;
  *parser = (Http1Parser){.limits = *limits, .decoder = http1_decoder_create(limits->header_bytes_max)};
  parser->partial = buf_on_heap(limits->uri_bytes_max + REQUEST_LINE_EXTRA + limits->header_bytes_max + 3);
  if (parser->decoder == NULL) {
    memory_free(parser);
    return NULL;
  }
  return parser;
}

void http1_parser_destroy(Http1Parser *parser) {
  if (parser == NULL) return;
  http1_decoder_destroy(parser->decoder);
  buf_done(&parser->partial);
  memory_free(parser);
}

static void expect_head(Http1Parser *parser) {
  parser->state = PARSER_HEAD;
  parser->line_at = parser->headers_at = parser->line_count = 0;
}

void http1_parser_reset(Http1Parser *parser) {
  buf_done(&parser->partial);
  parser->partial = buf_on_heap(parser->partial.max);
  parser->has_leading_cr = false;
  expect_head(parser);
}

bool http1_parser_is_in_head(const Http1Parser *parser) { return parser->state == PARSER_HEAD && parser->partial.len > 0; }

static Http1Event refuse(Http1Parser *parser, int status, Str detail) {
  parser->state = PARSER_REFUSED;
  return (Http1Event){.type = HTTP1_REFUSED, .status = status, .detail = detail};
}

/* The scan. */

typedef enum ScanResult { SCAN_MORE, SCAN_WHOLE, SCAN_BAD_LINE, SCAN_URI_TOO_LONG, SCAN_TOO_LARGE } ScanResult;

/* Looks for the end of the line that begins at line_at. Only what lies within the limit is looked at, so that the verdict is the same
 * however the bytes come. */
static ScanResult scan_line(const Http1Parser *parser, Str text, size_t *ret_line_len) {
  bool is_request_line = parser->line_count == 0;
  size_t limit = is_request_line ? parser->limits.uri_bytes_max + REQUEST_LINE_EXTRA
                                 : parser->limits.header_bytes_max + 2 - (parser->line_at - parser->headers_at);
  size_t seen = text.len - parser->line_at;
  size_t window = seen < limit ? seen : limit;
  const char *line = text.ptr + parser->line_at;
  const char *lf = memchr(line, '\n', window);
  const char *cr = memchr(line, '\r', lf == NULL ? window : (size_t)(lf - line));
  if (lf != NULL) {
    *ret_line_len = (size_t)(lf - line) + 1;
    /* RFC 9112 §2.2 lets a recipient take a bare LF for a line's end; taking it differs from hops that don't. */
    return cr == lf - 1 && cr != NULL ? SCAN_WHOLE : SCAN_BAD_LINE;
  }
  if (cr != NULL && (size_t)(cr - line) + 1 < seen && cr[1] != '\n') return SCAN_BAD_LINE;
  if (seen <= limit) return SCAN_MORE;
  return is_request_line ? SCAN_URI_TOO_LONG : SCAN_TOO_LARGE;
}

/* SCAN_WHOLE: text[0, line_at) is a whole head. */
static ScanResult scan_head(Http1Parser *parser, Str text) {
  for (;;) {
    size_t len;
    ScanResult result = scan_line(parser, text, &len);
    if (result != SCAN_WHOLE) return result;
    const char *line = text.ptr + parser->line_at;
    parser->line_at += len;
    if (parser->line_count++ == 0) {
      parser->headers_at = parser->line_at;
    } else if (len == 2) {
      return SCAN_WHOLE;
    } else if (line[0] == ' ' || line[0] == '\t') {
      return SCAN_BAD_LINE; /* obs-fold, RFC 9112 §5.2 */
    }
  }
}

/* Empty lines before a request line are left out (RFC 9112 §2.2). False: something that begins no request. */
static bool skip_empty_lines(Http1Parser *parser, Str *input) {
  size_t i = 0;
  for (; i < input->len; i++) {
    if (parser->has_leading_cr) {
      if (input->ptr[i] != '\n') return false;
      parser->has_leading_cr = false;
    } else if (input->ptr[i] == '\r') {
      parser->has_leading_cr = true;
    } else {
      /* Other protocols that come to this port by mistake, such as TLS, are told at the first byte. */
      if (!http_is_token((Str){input->ptr + i, 1})) return false;
      break;
    }
  }
  *input = str_slice(*input, i, input->len);
  return true;
}

/* The request line. */

static int parse_version(Str version) {
  if (version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0 || version.ptr[6] != '.') return 0;
  char major = version.ptr[5], minor = version.ptr[7];
  if (major < '0' || major > '9' || minor < '0' || minor > '9') return 0;
  /* RFC 9110 §2.5: a higher minor version is served as the highest that we know. */
  return major != '1' ? -1 : minor == '0' ? 10 : 11;
}

/* 0, or the status of a refusal. */
static int parse_request_line(const Http1Parser *parser, Str line, HttpRequest *request, Str *ret_detail) {
  size_t method_end = str_find_byte(line, ' ', 0);
  size_t target_end = str_find_byte(line, ' ', method_end + 1);
  request->method_text = str_slice(line, 0, method_end);
  request->target = str_slice(line, method_end + 1, target_end);
  request->method = http_method_of(request->method_text);
  *ret_detail = STR("The request line is malformed");
  if (request->method == HTTP_UNKNOWN && !http_is_token(request->method_text)) return 400;
  if (target_end == line.len || request->target.len == 0) return 400;
  if (request->target.len > parser->limits.uri_bytes_max) {
    *ret_detail = STR("The request target is too long (--uri-max)");
    return 414;
  }
  request->version = parse_version(str_slice(line, target_end + 1, line.len));
  if (request->version == 0) return 400;
  if (request->version < 0) {
    request->version = 11;
    *ret_detail = STR("Only HTTP/1.1 and HTTP/1.0 are served here");
    return 505;
  }
  /* CONNECT asks for a tunnel, which this is not the place for; its target names no resource. */
  if (request->method == HTTP_UNKNOWN || str_equal(request->method_text, STR("CONNECT"))) {
    *ret_detail = STR("The method is not known");
    return 501;
  }
  if (!http_target_parse(request)) {
    *ret_detail = STR("The request target is malformed");
    return 400;
  }
  return 0;
}

/* What the header section says of the message itself. */

typedef struct Framing {
  size_t host_count, length_count, coding_count;
  Str length, coding;
  bool says_close, says_keep_alive;
} Framing;

static void note_connection_options(Framing *framing, Str value) {
  Str option;
  while (http_list_next(&value, &option)) {
    framing->says_close |= str_equal_ignore_case(option, STR("close"));
    framing->says_keep_alive |= str_equal_ignore_case(option, STR("keep-alive"));
  }
}

static void note_header(Framing *framing, Http1Head *head, const HttpHeader *header) {
  Str name = header->name;
  switch (name.len) {
    case 4:
      if (!str_equal(name, STR("host"))) break;
      framing->host_count++;
      /* RFC 9112 §3.2.2: an absolute-form target's authority comes before the field. */
      if (head->request.authority.ptr == NULL) head->request.authority = header->value;
      break;
    case 6:
      if (!str_equal(name, STR("expect"))) break;
      if (str_equal_ignore_case(header->value, STR("100-continue"))) {
        head->expects_continue = true;
      } else {
        head->expects_unknown = true;
      }
      break;
    case 10:
      if (str_equal(name, STR("connection"))) note_connection_options(framing, header->value);
      break;
    case 14:
      if (!str_equal(name, STR("content-length"))) break;
      framing->length_count++;
      framing->length = header->value;
      break;
    case 17:
      if (!str_equal(name, STR("transfer-encoding"))) break;
      framing->coding_count++;
      framing->coding = header->value;
      break;
    default: break;
  }
}

static bool parse_length(Str text, uint64_t *ret) {
  uint64_t length = 0;
  if (text.len == 0 || text.len > 18) return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    length = length * 10 + (uint64_t)(text.ptr[i] - '0');
  }
  *ret = length;
  return true;
}

/* RFC 9112 §6.1 and §6.3. 0, or the status of a refusal. */
static int check_coding(const Framing *framing, const Http1Head *head, Str *ret_detail) {
  *ret_detail = STR("Transfer-Encoding is malformed");
  if (framing->length_count > 0) {
    *ret_detail = STR("Content-Length and Transfer-Encoding exclude each other");
    return 400;
  }
  if (head->request.version == 10 || framing->coding_count > 1) return 400;
  if (str_equal_ignore_case(framing->coding, STR("chunked"))) return 0;
  Str rest = framing->coding, coding = {NULL, 0};
  size_t chunked_count = 0;
  while (http_list_next(&rest, &coding)) chunked_count += str_equal_ignore_case(coding, STR("chunked"));
  if (chunked_count != 1 || !str_equal_ignore_case(coding, STR("chunked"))) return 400;
  *ret_detail = STR("The only transfer coding known here is chunked");
  return 501;
}

/* 0, or the status of a refusal. */
static int parse_framing(Http1Head *head, Str *ret_detail) {
  Framing framing = {.host_count = 0};
  for (size_t i = 0; i < head->request.header_count; i++) note_header(&framing, head, &head->request.headers[i]);
  if (framing.host_count > 1 || (framing.host_count == 0 && head->request.version == 11)) {
    *ret_detail = STR("There must be exactly one Host field");
    return 400;
  }
  if (!http_authority_is_valid(head->request.authority)) {
    *ret_detail = STR("The Host field is malformed");
    return 400;
  }
  if (framing.coding_count > 0) {
    int status = check_coding(&framing, head, ret_detail);
    if (status != 0) return status;
    head->is_chunked = true;
  } else if (framing.length_count > 1 || (framing.length_count == 1 && !parse_length(framing.length, &head->body_bytes))) {
    *ret_detail = STR("Content-Length is malformed");
    return 400;
  }
  head->has_body = head->is_chunked || head->body_bytes > 0;
  head->keeps_alive = !framing.says_close && (head->request.version == 11 || framing.says_keep_alive);
  /* RFC 9110 §10.1.1: a 1.0 client can't mean it. */
  if (head->request.version == 10) head->expects_continue = false;
  return 0;
}

/* `text` is a whole head, in the caller's memory. */
static Http1Event parse_head(Http1Parser *parser, Str text, Arena *arena, Http1Head *ret) {
  ret->head_bytes = text.len;
  size_t field_count_max = parser->line_count - 2;
  HttpHeader *headers = arena_alloc(arena, field_count_max * sizeof *headers);
  char *copy = arena_alloc(arena, text.len);
  if (headers == NULL || copy == NULL) return refuse(parser, 503, STR("The server is out of memory"));
  memcpy(copy, text.ptr, text.len);
  Str detail;
  int status = parse_request_line(parser, (Str){copy, parser->headers_at - 2}, &ret->request, &detail);
  if (status != 0) return refuse(parser, status, detail);
  ret->request.headers = headers;
  char *fields = copy + parser->headers_at;
  if (!http1_decode_fields(parser->decoder, fields, text.len - parser->headers_at, headers, field_count_max, &ret->request.header_count)) {
    return refuse(parser, 400, STR("A header field is malformed"));
  }
  /* RFC 9110 §7.8: in HTTP/1.0 it says nothing. */
  ret->wants_upgrade = ret->request.version == 11 && http1_decoder_wants_upgrade(parser->decoder);
  status = parse_framing(ret, &detail);
  if (status != 0) return refuse(parser, status, detail);
  parser->body_left = ret->body_bytes;
  parser->state = ret->is_chunked ? PARSER_BODY_CHUNKED : ret->has_body ? PARSER_BODY_LENGTH : PARSER_END;
  return (Http1Event){.type = HTTP1_HEAD};
}

static Http1Event refuse_scan(Http1Parser *parser, ScanResult result) {
  switch (result) {
    case SCAN_URI_TOO_LONG: return refuse(parser, 414, STR("The request target is too long (--uri-max)"));
    case SCAN_TOO_LARGE: return refuse(parser, 431, STR("The header section is too large (--header-max)"));
    default: return refuse(parser, 400, STR("A line of the head is malformed"));
  }
}

/* A head that came in pieces before: collected in `partial`. */
static Http1Event continue_head(Http1Parser *parser, Str *input, Arena *arena, Http1Head *ret_head) {
  Buf *partial = &parser->partial;
  size_t before = partial->len;
  size_t room = partial->max - before;
  buf_add(partial, str_slice(*input, 0, room));
  if (partial->failed != CODE_OK) return refuse(parser, 503, STR("The server is out of memory"));
  ScanResult result = scan_head(parser, buf_str(partial));
  if (result == SCAN_MORE) {
    *input = str_slice(*input, input->len, input->len);
    return (Http1Event){.type = HTTP1_MORE};
  }
  if (result != SCAN_WHOLE) return refuse_scan(parser, result);
  *input = str_slice(*input, parser->line_at - before, input->len);
  Http1Event event = parse_head(parser, str_slice(buf_str(partial), 0, parser->line_at), arena, ret_head);
  buf_clear(partial);
  return event;
}

static Http1Event parse_head_bytes(Http1Parser *parser, Str *input, Arena *arena, Http1Head *ret_head) {
  *ret_head = (Http1Head){.request = {.method = HTTP_UNKNOWN}};
  if (parser->partial.len > 0) return continue_head(parser, input, arena, ret_head);
  if (!skip_empty_lines(parser, input)) return refuse(parser, 400, STR("This is not an HTTP request"));
  if (input->len == 0) return (Http1Event){.type = HTTP1_MORE};
  ScanResult result = scan_head(parser, *input);
  if (result == SCAN_MORE) {
    buf_add(&parser->partial, *input);
    if (parser->partial.failed != CODE_OK) return refuse(parser, 503, STR("The server is out of memory"));
    *input = str_slice(*input, input->len, input->len);
    return (Http1Event){.type = HTTP1_MORE};
  }
  if (result != SCAN_WHOLE) return refuse_scan(parser, result);
  Str head = str_slice(*input, 0, parser->line_at);
  *input = str_slice(*input, parser->line_at, input->len);
  return parse_head(parser, head, arena, ret_head);
}

static Http1Event parse_body_of_length(Http1Parser *parser, Str *input) {
  if (input->len == 0) return (Http1Event){.type = HTTP1_MORE};
  size_t taken = input->len < parser->body_left ? input->len : (size_t)parser->body_left;
  Http1Event event = {.type = HTTP1_BODY, .bytes = str_slice(*input, 0, taken)};
  *input = str_slice(*input, taken, input->len);
  parser->body_left -= taken;
  if (parser->body_left == 0) parser->state = PARSER_END;
  return event;
}

static Http1Event parse_chunked_body(Http1Parser *parser, Str *input) {
  Http1Event event = {.type = HTTP1_MORE};
  if (input->len == 0) return event;
  switch (http1_decode_chunks(parser->decoder, input, &event.bytes)) {
    case HTTP1_CHUNKS_BYTES: event.type = HTTP1_BODY; break;
    case HTTP1_CHUNKS_END:
      expect_head(parser);
      event.type = HTTP1_END;
      break;
    case HTTP1_CHUNKS_MALFORMED: return refuse(parser, 400, STR("The chunked body is malformed"));
    case HTTP1_CHUNKS_MORE: break;
  }
  return event;
}

Http1Event http1_parse(Http1Parser *parser, Str *input, Arena *arena, Http1Head *ret_head) {
  switch (parser->state) {
    case PARSER_HEAD: return parse_head_bytes(parser, input, arena, ret_head);
    case PARSER_BODY_LENGTH: return parse_body_of_length(parser, input);
    case PARSER_BODY_CHUNKED: return parse_chunked_body(parser, input);
    case PARSER_END: expect_head(parser); return (Http1Event){.type = HTTP1_END};
    case PARSER_REFUSED: break;
  }
  *input = str_slice(*input, input->len, input->len);
  return (Http1Event){.type = HTTP1_MORE};
}
