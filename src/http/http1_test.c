/* http1_test.c - expected events from RFC 9112 by hand. */
#include "http/http1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/http1_test_transcript.h"
#include "http/message.h"

static const Http1Limits limits = {.header_bytes_max = 512, .uri_bytes_max = 256};

#define HOST "Host: x\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

/* Whatever the pieces, the events are the same. */
static void assert_events(Str input, const char *expected) {
  static const size_t piece_bytes[] = {0, 1, 2, 3, 5, 7, 16, 61};
  for (size_t i = 0; i < sizeof piece_bytes / sizeof *piece_bytes; i++) {
    Arena *arena = arena_create(0);
    Buf out = buf_on(arena, 1 << 20);
    http1_transcribe(&limits, input, piece_bytes[i], arena, &out);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    arena_destroy(arena);
  }
}

static void assert_refused(Str input, int status) {
  char expected[32];
  snprintf(expected, sizeof expected, "refused %d\n", status);
  assert_events(input, expected);
}

static void a_request_becomes_head_and_end(void **state) {
  (void)state;
  assert_events(STR("GET /v1/products?limit=5 HTTP/1.1\r\nHost: shop.test:8080\r\nACCEPT:  a b \t\r\nX-Empty:\r\n\r\n"),
                "GET(0) /v1/products?limit=5 path=/v1/products query=limit=5 authority=shop.test:8080 version=11 keep\n"
                "host=shop.test:8080\naccept=a b\nx-empty=\nend\n");
}

static void a_body_has_the_length_that_was_said(void **state) {
  (void)state;
  assert_events(STR("POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET /b? HTTP/1.1\r\n" HOST "\r\n"),
                "POST(2) /a path=/a authority=x version=11 length=5 keep\nhost=x\ncontent-length=5\n[hello]\nend\n"
                "GET(0) /b? path=/b query= authority=x version=11 keep\nhost=x\nend\n");
  assert_events(STR("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
                "PUT(3) /a path=/a authority=x version=11 keep\nhost=x\ncontent-length=0\nend\n");
}

static void a_chunked_body_is_joined_and_its_trailers_dropped(void **state) {
  (void)state;
  assert_events(
      STR(CHUNKED "5;name=\"a value\"\r\nhello\r\n00a\r\n 123456789\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
      "POST(2) / path=/ authority=x version=11 chunked keep\nhost=x\ntransfer-encoding=chunked\n[hello 123456789]\nend\n"
      "GET(0) / path=/ authority=x version=11 keep\nhost=x\nend\n");
  assert_events(STR(CHUNKED "0\r\n\r\n"), "POST(2) / path=/ authority=x version=11 chunked keep\nhost=x\ntransfer-encoding=chunked\nend\n");
}

static void a_chunked_body_that_is_malformed_is_refused(void **state) {
  (void)state;
  static const char head[] = "POST(2) / path=/ authority=x version=11 chunked keep\nhost=x\ntransfer-encoding=chunked\n";
  static const struct {
    Str input;
    const char *rest;
  } cases[] = {
      {STR_INIT(CHUNKED "3\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "3\rXabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"), "[abc]\nrefused 400\n"},
      {STR_INIT(CHUNKED "3\r\nabc\n0\r\n\r\n"), "[abc]\nrefused 400\n"},
      {STR_INIT(CHUNKED "3 \r\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "-3\r\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "\r\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "0\r\n\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "0\r\nA: b\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "0\r\nA: b\rC: d\r\n\r\n"), "refused 400\n"},
      {STR_INIT(CHUNKED "0\r\nA : b\r\n\r\n"), "refused 400\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[256];
    snprintf(expected, sizeof expected, "%s%s", head, cases[i].rest);
    assert_events(cases[i].input, expected);
  }
}

static void extensions_and_trailers_have_a_limit(void **state) {
  (void)state;
  static const char head[] = "POST(2) / path=/ authority=x version=11 chunked keep\nhost=x\ntransfer-encoding=chunked\nrefused 400\n";
  Arena *arena = arena_create(0);
  Buf input = buf_on(arena, 1 << 20);
  buf_add(&input, STR(CHUNKED "5;"));
  for (size_t i = 0; i < 5000; i++) buf_add_byte(&input, 'a');
  buf_add(&input, STR("\r\nhello\r\n0\r\n\r\n"));
  assert_events(buf_str(&input), head);
  buf_clear(&input);
  buf_add(&input, STR(CHUNKED "0\r\n"));
  for (size_t i = 0; i < 100; i++) buf_add(&input, STR("trailer: value\r\n"));
  buf_add(&input, STR("\r\n"));
  assert_events(buf_str(&input), head);
  arena_destroy(arena);
}

/* RFC 9112 §6.1, §6.3 and §11.2: what two recipients might understand in two ways. */
static void framing_that_is_ambiguous_is_refused(void **state) {
  (void)state;
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 5 5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), 400);
  assert_refused(STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
}

static void lines_that_are_malformed_are_refused(void **state) {
  (void)state;
  assert_refused(STR("GET / HTTP/1.1\n" HOST "\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x\r\n\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X-A: a\r\n b\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X-A: a\r\n\tb\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X A: a\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X-A\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X\xE9: a\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X-A: a\0b\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X-A: a\x01b\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\n" HOST "X-A: a\x7f\r\n\r\n"), 400);
}

static void request_lines_are_taken_by_the_letter(void **state) {
  (void)state;
  assert_refused(STR("GET /\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET /  HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET / http/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.10\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET / HTTP/1,1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET / HTTP/2.0\r\n" HOST "\r\n"), 505);
  assert_refused(STR("GET / HTTP/0.9\r\n" HOST "\r\n"), 505);
  assert_refused(STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  assert_refused(STR("BREW / HTTP/1.1\r\n" HOST "\r\n"), 501);
  assert_refused(STR("get / HTTP/1.1\r\n" HOST "\r\n"), 501);
  assert_refused(STR("CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n"), 501);
  assert_refused(STR("B(EW / HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("\x16\x03\x01\x02"), 400);
  assert_refused(STR("\r\rGET / HTTP/1.1\r\n"), 400);
  assert_refused(STR("\nGET / HTTP/1.1\r\n"), 400);
  assert_events(STR("\r\n\r\nPROPFIND / HTTP/1.7\r\n" HOST "\r\n"), "PROPFIND(7) / path=/ authority=x version=11 keep\nhost=x\nend\n");
}

static void targets_have_four_forms(void **state) {
  (void)state;
  assert_events(STR("GET http://a.test:81/p?q HTTP/1.1\r\nHost: b\r\n\r\n"),
                "GET(0) http://a.test:81/p?q path=/p query=q authority=a.test:81 version=11 keep\nhost=b\nend\n");
  assert_events(STR("GET HTTPS://[::1]?q HTTP/1.1\r\nHost: b\r\n\r\n"),
                "GET(0) HTTPS://[::1]?q path=/ query=q authority=[::1] version=11 keep\nhost=b\nend\n");
  assert_events(STR("OPTIONS http://a HTTP/1.1\r\nHost: b\r\n\r\n"),
                "OPTIONS(6) http://a path=* authority=a version=11 keep\nhost=b\nend\n");
  assert_events(STR("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"), "OPTIONS(6) * path=* authority=b version=11 keep\nhost=b\nend\n");
  assert_events(STR("GET /a[b]{c}|d%zz HTTP/1.1\r\nHost: b\r\n\r\n"),
                "GET(0) /a[b]{c}|d%zz path=/a[b]{c}|d%zz authority=b version=11 keep\nhost=b\nend\n");
  assert_refused(STR("GET * HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET a/b HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET ftp://a/b HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET http:///b HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET http://u@a/b HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET /\xC3\xA4 HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET /a\tb HTTP/1.1\r\n" HOST "\r\n"), 400);
  assert_refused(STR("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"), 400);
}

static void there_is_one_host(void **state) {
  (void)state;
  assert_refused(STR("GET / HTTP/1.1\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: u@x\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: x y\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: [\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: []\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: a]\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: a:80:81\r\n\r\n"), 400);
  assert_refused(STR("GET / HTTP/1.1\r\nHost: a:http\r\n\r\n"), 400);
  assert_refused(STR("GET http://a/ HTTP/1.1\r\n\r\n"), 400);
  assert_events(STR("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
                "GET(0) / path=/ authority=[::1]:80 version=11 keep\nhost=[::1]:80\nend\n");
  assert_events(STR("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"), "GET(0) / path=/ authority=a: version=11 keep\nhost=a:\nend\n");
  assert_events(STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET(0) / path=/ authority= version=11 keep\nhost=\nend\n");
  assert_events(STR("GET / HTTP/1.0\r\n\r\n"), "GET(0) / path=/ authority= version=10 close\nend\n");
}

static void a_connection_is_kept_or_not(void **state) {
  (void)state;
  assert_events(STR("GET / HTTP/1.1\r\n" HOST "Connection: TE, Close\r\n\r\n"),
                "GET(0) / path=/ authority=x version=11 close\nhost=x\nconnection=TE, Close\nend\n");
  assert_events(STR("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
                "GET(0) / path=/ authority= version=10 keep\nconnection=Keep-Alive\nend\n");
  assert_events(STR("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"),
                "GET(0) / path=/ authority= version=10 close\nconnection=keep-alive\nconnection=close\nend\n");
  assert_events(STR("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n"),
                "GET(0) / path=/ authority=x version=11 keep\nhost=x\nconnection=closed\nend\n");
  assert_events(STR("GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
                "GET(0) / path=/ authority=x version=11 keep\nhost=x\nconnection=upgrade\nupgrade=h2c\nend\nGET(0) / path=/ authority= "
                "version=10 close\nend\n");
}

static void expectations_are_read(void **state) {
  (void)state;
  assert_events(STR("PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
                "PUT(3) / path=/ authority=x version=11 length=1 expects=continue keep\nhost=x\nexpect=100-Continue\ncontent-length=1\n");
  assert_events(STR("GET / HTTP/1.1\r\n" HOST "Expect: the worst\r\n\r\n"),
                "GET(0) / path=/ authority=x version=11 expects=? keep\nhost=x\nexpect=the worst\nend\n");
}

/* The limits of this test: 256 bytes of target, 512 of header section. */
static void heads_have_limits(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  static const struct {
    size_t target, header;
    int status; /* 0: accepted */
  } cases[] = {{256, 0, 0},   {257, 0, 414},  {300, 0, 414}, {5000, 0, 414}, {1, 512, 0},
               {1, 513, 431}, {1, 5000, 431}, {256, 512, 0}, {257, 513, 431}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Buf input = buf_on(arena, 1 << 20);
    buf_add(&input, STR("GET /"));
    for (size_t n = 1; n < cases[i].target; n++) buf_add_byte(&input, 'a');
    buf_add(&input, STR(" HTTP/1.1\r\n" HOST));
    size_t section = strlen(HOST);
    if (cases[i].header > 0) {
      buf_add(&input, STR("a:"));
      for (section += 4; section < cases[i].header; section++) buf_add_byte(&input, 'b');
      buf_add(&input, STR("\r\n"));
    }
    buf_add(&input, STR("\r\n"));
    Buf whole = buf_on(arena, 1 << 20), pieces = buf_on(arena, 1 << 20);
    http1_transcribe(&limits, buf_str(&input), 0, arena, &whole);
    http1_transcribe(&limits, buf_str(&input), 1, arena, &pieces);
    assert_true(str_equal(buf_str(&whole), buf_str(&pieces)));
    char expected[32];
    snprintf(expected, sizeof expected, "refused %d\n", cases[i].status);
    assert_true(cases[i].status == 0 ? str_ends_with(buf_str(&whole), STR("end\n")) : str_equal(buf_str(&whole), str_of(expected)));
  }
  arena_destroy(arena);
}

static void an_endless_line_is_refused_before_it_ends(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Buf input = buf_on(arena, 1 << 20);
  for (size_t n = 0; n < 400; n++) buf_add_byte(&input, 'a');
  assert_refused(buf_str(&input), 414);
  buf_clear(&input);
  buf_add(&input, STR("GET / HTTP/1.1\r\n"));
  for (size_t n = 0; n < 600; n++) buf_add_byte(&input, 'a');
  assert_refused(buf_str(&input), 431);
  /* Behind the longest request line, of 256 bytes of target and 64 more. */
  buf_clear(&input);
  for (size_t n = 0; n < 52; n++) buf_add_byte(&input, 'M');
  buf_add(&input, STR(" /"));
  for (size_t n = 1; n < 256; n++) buf_add_byte(&input, 'a');
  buf_add(&input, STR(" HTTP/1.1\r\n"));
  assert_int_equal(input.len, 256 + 64);
  for (size_t n = 0; n < 600; n++) buf_add_byte(&input, 'a');
  assert_refused(buf_str(&input), 431);
  arena_destroy(arena);
}

static void a_head_that_is_not_whole_waits(void **state) {
  (void)state;
  assert_events(STR("GET / HTTP/1.1\r\nHost: x\r\n\r"), "(in head)\n");
  assert_events(STR("\r\n\r"), "");
}

static void assert_head(const Http1Answer *answer, const char *expected) {
  Buf out = buf_on_heap(4096);
  http1_write_head(&out, answer);
  buf_add_byte(&out, '\0');
  assert_string_equal(out.ptr, expected);
  buf_done(&out);
}

static void responses_are_written(void **state) {
  (void)state;
  const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("text/plain")}, {STR_INIT("location"), STR_INIT("/a\r\nX-B: c")}};
  HttpResponse response = {.status = 200, .headers = headers, .header_count = 1, .body = STR("hello")};
  Http1Answer answer = {.response = &response, .version = 11, .keeps_alive = true, .date = STR("date: D\r\n")};
  assert_head(&answer, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: D\r\ncontent-length: 5\r\n\r\n");
  answer.keeps_alive = false;
  answer.framing = HTTP1_CHUNKED;
  assert_head(&answer, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: D\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
  answer.keeps_alive = true;
  answer.version = 10;
  response.status = 204;
  assert_head(&answer, "HTTP/1.1 204 No Content\r\ncontent-type: text/plain\r\ndate: D\r\nconnection: keep-alive\r\n\r\n");
  response = (HttpResponse){.status = 799, .headers = headers + 1, .header_count = 1};
  answer.framing = HTTP1_LENGTH;
  answer.version = 11;
  assert_head(&answer, "HTTP/1.1 799 \r\nlocation: /a  X-B: c\r\ndate: D\r\ncontent-length: 0\r\n\r\n");
}

static void chunks_are_framed(void **state) {
  (void)state;
  static const struct {
    size_t bytes;
    const char *expected;
  } cases[] = {{1, "1\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {0xABCDE, "abcde\r\n"}, {SIZE_MAX, "ffffffffffffffff\r\n"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[20];
    size_t len = http1_write_chunk_size(cases[i].bytes, out);
    assert_int_equal(len, strlen(cases[i].expected));
    assert_memory_equal(out, cases[i].expected, len);
  }
  Buf out = buf_on_heap(4096);
  http1_write_chunked_end(&out, &(HttpHeader){STR("grpc-status"), STR("0")}, 1);
  assert_true(str_equal(buf_str(&out), STR("0\r\ngrpc-status: 0\r\n\r\n")));
  buf_done(&out);
}

static void bytes_below_a_limit_are_found_wherever_they_are(void **state) {
  (void)state;
  for (size_t len = 0; len < 40; len++) {
    char text[40];
    memset(text, ' ', sizeof text);
    memset(text + len / 2, '\xff', len - len / 2);
    assert_false(http_has_byte_below((Str){text, len}, ' '));
    for (size_t at = 0; at < len; at++) {
      char before = text[at];
      text[at] = '\x1f';
      assert_true(http_has_byte_below((Str){text, len}, ' '));
      text[at] = before;
    }
  }
}

/* Every allocation fails once; nothing leaks, nothing crashes, and in the end it works. */
static void memory_may_fail_anywhere(void **state) {
  (void)state;
  static const char input[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";
  bool has_worked = false;
  for (size_t nth = 1; !has_worked && nth < 100; nth++) {
    Arena *arena = arena_create(0);
    memory_fail_after(nth);
    Http1Parser *parser = http1_parser_create(&limits);
    bool is_refused = false;
    size_t events = 0;
    for (size_t i = 0; parser != NULL && !is_refused && i < sizeof input - 1; i++) {
      Str piece = {input + i, 1};
      Http1Head head;
      Http1Event event;
      while ((event = http1_parse(parser, &piece, arena, &head)).type != HTTP1_MORE && !is_refused) {
        is_refused = event.type == HTTP1_REFUSED;
        if (is_refused) assert_int_equal(event.status, 503);
        events++;
      }
    }
    has_worked = parser != NULL && !is_refused && events == 7;
    memory_fail_after(0);
    http1_parser_destroy(parser);
    arena_destroy(arena);
  }
  assert_true(has_worked);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_becomes_head_and_end),
      cmocka_unit_test(a_body_has_the_length_that_was_said),
      cmocka_unit_test(a_chunked_body_is_joined_and_its_trailers_dropped),
      cmocka_unit_test(a_chunked_body_that_is_malformed_is_refused),
      cmocka_unit_test(extensions_and_trailers_have_a_limit),
      cmocka_unit_test(framing_that_is_ambiguous_is_refused),
      cmocka_unit_test(lines_that_are_malformed_are_refused),
      cmocka_unit_test(request_lines_are_taken_by_the_letter),
      cmocka_unit_test(targets_have_four_forms),
      cmocka_unit_test(there_is_one_host),
      cmocka_unit_test(a_connection_is_kept_or_not),
      cmocka_unit_test(expectations_are_read),
      cmocka_unit_test(heads_have_limits),
      cmocka_unit_test(an_endless_line_is_refused_before_it_ends),
      cmocka_unit_test(a_head_that_is_not_whole_waits),
      cmocka_unit_test(responses_are_written),
      cmocka_unit_test(chunks_are_framed),
      cmocka_unit_test(bytes_below_a_limit_are_found_wherever_they_are),
      cmocka_unit_test(memory_may_fail_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
