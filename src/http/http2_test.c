/* http2_test.c - the core from outside: frames in, events and frames out. Frames are written byte by byte, as RFC 9113 and RFC 7541 say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/http2_test_transcript.h"

enum {
  FRAME_DATA = 0,
  FRAME_HEADERS = 1,
  FRAME_RST = 3,
  FRAME_SETTINGS = 4,
  FRAME_PING = 6,
  FRAME_GOAWAY = 7,
  FRAME_WINDOW = 8,
  FRAME_PRIORITY_UPDATE = 16
};
enum { FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4 };

static const Http2Limits limits = {.header_bytes_max = 400, .uri_bytes_max = 60, .streams_max = 8, .control_frames_max = 20};

/* ---- Frames ---- */

static void add_frame(Buf *out, int type, int flags, int stream, Str payload) {
  char head[9] = {(char)(payload.len >> 16),
                  (char)(payload.len >> 8),
                  (char)payload.len,
                  (char)type,
                  (char)flags,
                  0,
                  0,
                  (char)(stream >> 8),
                  (char)stream};
  buf_add(out, (Str){head, sizeof head});
  buf_add(out, payload);
}

/* A literal without indexing, its texts without Huffman coding (RFC 7541 §6.2.2). */
static void add_field(Buf *out, Str name, Str value) {
  assert_true(name.len < 127 && value.len < 127 + 128);
  buf_add_byte(out, 0);
  buf_add_byte(out, (char)name.len);
  buf_add(out, name);
  if (value.len < 127) {
    buf_add_byte(out, (char)value.len);
  } else {
    buf_add_byte(out, 127);
    buf_add_byte(out, (char)(value.len - 127));
  }
  buf_add(out, value);
}

static void add_request(Buf *out, int stream, int flags, Str method, Str path, const HttpHeader *headers, size_t count) {
  Buf fields = buf_on_heap(4096);
  add_field(&fields, STR(":method"), method);
  add_field(&fields, STR(":scheme"), STR("http"));
  add_field(&fields, STR(":path"), path);
  add_field(&fields, STR(":authority"), STR("here"));
  for (size_t i = 0; i < count; i++) add_field(&fields, headers[i].name, headers[i].value);
  add_frame(out, FRAME_HEADERS, flags | FLAG_END_HEADERS, stream, buf_str(&fields));
  buf_done(&fields);
}

static void add_get(Buf *out, int stream, Str path) { add_request(out, stream, FLAG_END_STREAM, STR("GET"), path, NULL, 0); }

static void add_pings(Buf *out, size_t count) {
  for (size_t i = 0; i < count; i++) add_frame(out, FRAME_PING, 0, 0, STR("12345678"));
}

/* ---- A connection ---- */

typedef struct Fixture {
  Buf in, out, sent;
  Http2Transcript transcript;
} Fixture;

static void fixture_init_with(Fixture *f, const Http2Limits *with) {
  *f = (Fixture){.in = buf_on_heap(1024 * 1024), .out = buf_on_heap(1024 * 1024), .sent = buf_on_heap(1024 * 1024)};
  f->transcript.out = &f->out;
  f->transcript.http2 = http2_create(with, &transcript_events, &f->transcript);
  assert_non_null(f->transcript.http2);
  buf_add(&f->in, STR(HTTP2_PREFACE));
  add_frame(&f->in, FRAME_SETTINGS, 0, 0, STR(""));
}

static void fixture_init(Fixture *f) { fixture_init_with(f, &limits); }

static bool receive_at(Fixture *f, uint64_t now_ms) {
  bool is_fine = http2_receive(f->transcript.http2, buf_str(&f->in), now_ms);
  buf_clear(&f->in);
  return is_fine;
}

static bool receive(Fixture *f) { return receive_at(f, 0); }

static void send(Fixture *f) {
  for (Str bytes; (bytes = http2_send(f->transcript.http2)).len > 0;) buf_add(&f->sent, bytes);
}

static void fixture_done(Fixture *f) {
  http2_transcript_done(&f->transcript);
  assert_int_equal(f->transcript.arena_count, 0);
  buf_done(&f->in);
  buf_done(&f->out);
  buf_done(&f->sent);
}

static void says(Fixture *f, const char *expected) {
  buf_add_byte(&f->out, '\0');
  assert_string_equal(f->out.ptr, expected);
  buf_clear(&f->out);
}

/* The payload of the nth frame of the type among those sent; ptr NULL: there are fewer. */
static Str sent_frame(const Fixture *f, int type, size_t n, int *ret_flags) {
  for (size_t at = 0; at + 9 <= f->sent.len;) {
    const unsigned char *head = (const unsigned char *)f->sent.ptr + at;
    size_t len = ((size_t)head[0] << 16) | ((size_t)head[1] << 8) | head[2];
    if (head[3] == type && n-- == 0) {
      *ret_flags = head[4];
      return (Str){f->sent.ptr + at + 9, len};
    }
    at += 9 + len;
  }
  return (Str){NULL, 0};
}

static uint32_t uint32_at(Str bytes, size_t at) {
  const unsigned char *b = (const unsigned char *)bytes.ptr + at;
  return ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
}

static void goes_away_with(Fixture *f, uint32_t code) {
  int flags;
  send(f);
  Str goaway = sent_frame(f, FRAME_GOAWAY, 0, &flags);
  assert_true(goaway.len >= 8);
  assert_int_equal(uint32_at(goaway, 4), code);
}

/* ---- Tests ---- */

static void a_request_becomes_a_head_and_an_end(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  static const HttpHeader headers[] = {{STR_INIT("accept"), STR_INIT("*/*")}};
  add_request(&f.in, 1, FLAG_END_STREAM, STR("GET"), STR("/a?b=c"), headers, 1);
  assert_true(receive(&f));
  says(&f, "head GET /a?b=c at here accept=*/*\nend /a of 0\n");
  fixture_done(&f);
}

static void an_upgraded_request_is_stream_1(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  static const HttpResponse response = {.status = 200, .body = STR_INIT("hello")};
  f.transcript.response = &response;
  f.transcript.body = response.body;
  Arena *arena = transcript_arena_acquire(&f.transcript);
  const Http2Head head = {.request = {.method = HTTP_GET, .method_text = STR("GET"), .target = STR("/a"), .path = STR("/a")}};
  /* The largest frame that it takes is 16,385 bytes (RFC 7540 §6.5.2). */
  assert_true(http2_upgrade(f.transcript.http2, STR("\0\5\0\0\x40\1"), arena, &head));
  says(&f, "head GET /a\nend /a of 0\n");
  add_get(&f.in, 3, STR("/b"));
  assert_true(receive(&f));
  send(&f);
  says(&f, "head GET /b at here\nend /b of 0\nclosed /a\nclosed /b\n");
  int flags;
  assert_true(str_equal(sent_frame(&f, FRAME_DATA, 0, &flags), STR("hello")));
  /* The stream is spent (§5.1.1). */
  add_get(&f.in, 1, STR("/c"));
  assert_false(receive(&f));
  fixture_done(&f);
}

static void settings_of_an_upgrade_that_are_no_good_are_refused(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  Arena *arena = transcript_arena_acquire(&f.transcript);
  const Http2Head head = {.request = {.method = HTTP_GET}};
  assert_false(http2_upgrade(f.transcript.http2, STR("\0\5\0"), arena, &head));
  transcript_arena_release(&f.transcript, arena);
  says(&f, "");
  fixture_done(&f);
}

static void a_body_comes_before_the_end_and_trailers_are_passed_over(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  add_request(&f.in, 1, 0, STR("POST"), STR("/a"), NULL, 0);
  add_frame(&f.in, FRAME_DATA, 0, 1, STR("12345"));
  Buf fields = buf_on_heap(100);
  add_field(&fields, STR("sum"), STR("5"));
  add_frame(&f.in, FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, 1, buf_str(&fields));
  buf_done(&fields);
  assert_true(receive(&f));
  says(&f, "head POST /a at here +body\nend /a of 5\n");
  fixture_done(&f);
}

static void heads_beyond_the_limits_are_refused_with_their_status(void **state) {
  (void)state;
  Fixture f;
  char text[201];
  memset(text, 'x', sizeof text);
  text[0] = '/';
  const HttpHeader large[] = {{STR("a"), (Str){text, 200}}, {STR("b"), (Str){text, 200}}};
  static const HttpHeader other_host[] = {{STR_INIT("host"), STR_INIT("there")}};
  fixture_init(&f);
  add_request(&f.in, 1, FLAG_END_STREAM, STR("GET"), STR("/a"), large, 2);
  add_get(&f.in, 3, (Str){text, 61});
  add_request(&f.in, 5, FLAG_END_STREAM, STR("BREW"), STR("/a"), NULL, 0);
  add_request(&f.in, 7, FLAG_END_STREAM, STR("GET"), STR("/a"), other_host, 1);
  assert_true(receive(&f));
  buf_add_byte(&f.out, '\0');
  assert_non_null(strstr(f.out.ptr, "refused 431\n"));
  assert_non_null(strstr(f.out.ptr, "refused 414\n"));
  assert_non_null(strstr(f.out.ptr, "head BREW /a at here refused 501\n"));
  assert_non_null(strstr(f.out.ptr, "head GET /a at here host=there refused 400\n"));
  fixture_done(&f);
}

static void a_priority_is_the_last_urgency_that_can_be(void **state) {
  (void)state;
  static const struct {
    Str field;
    int urgency;
  } cases[] = {
      {STR_INIT("u=0"), 0},           {STR_INIT("u=7"), 7},       {STR_INIT("i"), 3},       {STR_INIT(""), 3},
      {STR_INIT("i, u=5"), 5},        {STR_INIT("u=5;x=1,i"), 5}, {STR_INIT("u=1,u=2"), 2}, {STR_INIT("u=8"), 3},
      {STR_INIT("u=-1"), 3},          {STR_INIT("u=1.0"), 3},     {STR_INIT("u"), 3},       {STR_INIT("uu=1"), 3},
      {STR_INIT("a=1, \tu=1 ,b"), 1}, {STR_INIT("u=44"), 3},      {STR_INIT(",,u=6,,"), 6}, {STR_INIT("u=?1"), 3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(http2_urgency_of(cases[i].field, HTTP2_URGENCY_DEFAULT), cases[i].urgency);
}

static void an_update_of_a_priority_is_told_of_a_request_that_is_there(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  add_get(&f.in, 1, STR("/a"));
  add_frame(&f.in, FRAME_PRIORITY_UPDATE, 0, 0, STR("\0\0\0\1u=1"));
  add_frame(&f.in, FRAME_PRIORITY_UPDATE, 0, 0, STR("\0\0\0\1i"));
  add_frame(&f.in, FRAME_PRIORITY_UPDATE, 0, 0, STR("\0\0\0\3u=1")); /* which has not begun */
  assert_true(receive(&f));
  says(&f, "head GET /a at here\nend /a of 0\nurgency 1 of /a\nurgency 3 of /a\n");
  fixture_done(&f);
}

static void an_answer_has_its_head_body_and_trailers(void **state) {
  (void)state;
  Fixture f;
  int flags;
  static const HttpHeader headers[] = {{STR_INIT("x-odd"), STR_INIT("a\nb")}};
  static const HttpHeader trailers[] = {{STR_INIT("sum"), STR_INIT("5")}};
  const HttpResponse response = {.status = 200, .headers = headers, .header_count = 1, .body = STR("hello")};
  fixture_init(&f);
  f.transcript.response = &response;
  f.transcript.body = response.body;
  f.transcript.trailers = trailers;
  f.transcript.trailer_count = 1;
  add_get(&f.in, 1, STR("/a"));
  assert_true(receive(&f));
  send(&f);
  says(&f, "head GET /a at here\nend /a of 0\nclosed /a\n");
  assert_non_null(sent_frame(&f, FRAME_HEADERS, 0, &flags).ptr);
  assert_int_equal(flags, FLAG_END_HEADERS);
  assert_true(str_equal(sent_frame(&f, FRAME_DATA, 0, &flags), STR("hello")));
  assert_int_equal(flags, 0);
  assert_non_null(sent_frame(&f, FRAME_HEADERS, 1, &flags).ptr);
  assert_int_equal(flags, FLAG_END_HEADERS | FLAG_END_STREAM);
  assert_int_equal(f.transcript.arena_count, 0);
  fixture_done(&f);
}

static void an_answer_waits_for_the_window(void **state) {
  (void)state;
  Fixture f;
  int flags;
  const HttpResponse response = {.status = 200, .body = STR("hello")};
  fixture_init(&f);
  f.transcript.response = &response;
  f.transcript.body = response.body;
  add_frame(&f.in, FRAME_SETTINGS, 0, 0, STR("\0\4\0\0\0\2"));
  add_get(&f.in, 1, STR("/a"));
  assert_true(receive(&f));
  send(&f);
  assert_true(str_equal(sent_frame(&f, FRAME_DATA, 0, &flags), STR("he")));
  assert_null(sent_frame(&f, FRAME_DATA, 1, &flags).ptr);
  add_frame(&f.in, FRAME_WINDOW, 0, 1, STR("\0\0\0\3"));
  assert_true(receive(&f));
  send(&f);
  assert_true(str_equal(sent_frame(&f, FRAME_DATA, 1, &flags), STR("llo")));
  fixture_done(&f);
}

static void a_reset_closes_the_stream(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  add_get(&f.in, 1, STR("/a"));
  add_frame(&f.in, FRAME_RST, 0, 1, STR("\0\0\0\10"));
  assert_true(receive(&f));
  says(&f, "head GET /a at here\nend /a of 0\nclosed /a cut\n");
  fixture_done(&f);
}

static void who_floods_is_left(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  add_pings(&f.in, 19);
  assert_true(receive(&f)); /* the first settings were one frame of the twenty */
  add_pings(&f.in, 1);
  assert_false(receive(&f));
  goes_away_with(&f, 11); /* ENHANCE_YOUR_CALM */
  assert_true(http2_is_over(f.transcript.http2));
  fixture_done(&f);
}

static void the_purse_fills_with_time(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  for (uint64_t now_ms = 0; now_ms < 60000; now_ms += 1000) {
    add_pings(&f.in, 2);
    assert_true(receive_at(&f, now_ms));
    send(&f);
  }
  fixture_done(&f);
}

static const Http2Limits calm = {
    .header_bytes_max = 400, .uri_bytes_max = 60, .streams_max = 8, .control_frames_max = 1000, .ping_interval_min_ms = 1000};

static void whose_pings_have_three_strikes_is_left_and_told_why(void **state) {
  (void)state;
  Fixture f;
  int flags;
  fixture_init_with(&f, &calm);
  add_pings(&f.in, 3); /* the first, and two strikes */
  assert_true(receive_at(&f, 5000));
  send(&f);
  assert_non_null(sent_frame(&f, FRAME_PING, 2, &flags).ptr);
  add_pings(&f.in, 1);
  assert_false(receive_at(&f, 5100));
  goes_away_with(&f, 11); /* ENHANCE_YOUR_CALM */
  Str goaway = sent_frame(&f, FRAME_GOAWAY, 0, &flags);
  assert_true(str_equal(str_slice(goaway, 8, goaway.len), STR("too_many_pings")));
  assert_null(sent_frame(&f, FRAME_GOAWAY, 1, &flags).ptr);
  assert_true(http2_is_over(f.transcript.http2));
  fixture_done(&f);
}

static void pings_that_keep_their_interval_go_on_whatever_delays_them(void **state) {
  (void)state;
  Fixture f;
  fixture_init_with(&f, &calm);
  for (uint64_t i = 0; i < 1000; i++) {
    /* Each is sent in its time, and may come 400 ms late: then the next one seems to come early. */
    add_pings(&f.in, 1);
    assert_true(receive_at(&f, 1000 * i + i * 7919 % 400));
    send(&f);
  }
  fixture_done(&f);
}

static void pings_twice_as_often_are_too_many(void **state) {
  (void)state;
  Fixture f;
  size_t count = 0;
  fixture_init_with(&f, &calm);
  do {
    count++;
    add_pings(&f.in, 1);
  } while (receive_at(&f, 500 * count) && count < 100);
  /* Each runs half an interval ahead, the first a whole one: the 7th is at four of them, beyond three and a half. */
  assert_int_equal(count, 7);
  fixture_done(&f);
}

static void what_is_sent_pays_for_pings(void **state) {
  (void)state;
  Fixture f;
  static const HttpResponse response = {.status = 204};
  fixture_init_with(&f, &calm);
  f.transcript.response = &response;
  for (int i = 0; i < 50; i++) {
    add_pings(&f.in, 3);
    add_get(&f.in, 2 * i + 1, STR("/a"));
    assert_true(receive(&f));
    send(&f);
  }
  add_pings(&f.in, 4);
  assert_false(receive(&f));
  goes_away_with(&f, 11); /* ENHANCE_YOUR_CALM */
  fixture_done(&f);
}

/* The purse of twenty would be empty three times over; a second ping for one answer is charged to it, and it runs dry. */
static void one_ping_for_each_answer_is_free(void **state) {
  (void)state;
  static const HttpResponse response = {.status = 204};
  for (int pings = 1; pings <= 2; pings++) {
    Fixture f;
    int answers = 0;
    bool is_open = true;
    fixture_init(&f);
    f.transcript.response = &response;
    for (; answers < 60 && is_open; answers++) {
      add_get(&f.in, 2 * answers + 1, STR("/a"));
      is_open = receive(&f);
      send(&f);
      add_pings(&f.in, (size_t)pings);
      is_open = is_open && receive(&f);
      send(&f);
    }
    assert_int_equal(answers, pings == 1 ? 60 : 20); /* the first settings were one of the twenty */
    assert_int_equal(is_open, pings == 1);
    fixture_done(&f);
  }
}

static void acknowledgements_are_no_pings_and_ours_is_sent(void **state) {
  (void)state;
  Fixture f;
  int flags;
  enum { FLAG_ACK = 1 };
  fixture_init_with(&f, &calm);
  for (int i = 0; i < 50; i++) {
    http2_ping(f.transcript.http2);
    send(&f);
    assert_int_equal(sent_frame(&f, FRAME_PING, (size_t)i, &flags).len, 8);
    assert_int_equal(flags, 0);
    add_frame(&f.in, FRAME_PING, FLAG_ACK, 0, STR("\0\0\0\0\0\0\0\0"));
    assert_true(receive(&f));
  }
  fixture_done(&f);
}

static void a_request_on_a_closed_stream_ends_the_connection(void **state) {
  (void)state;
  Fixture f;
  const HttpResponse response = {.status = 204};
  fixture_init(&f);
  f.transcript.response = &response;
  add_get(&f.in, 3, STR("/a"));
  assert_true(receive(&f));
  send(&f);
  add_get(&f.in, 1, STR("/b"));
  assert_false(receive(&f));
  goes_away_with(&f, 5); /* STREAM_CLOSED */
  fixture_done(&f);
}

static void data_on_a_closed_stream_ends_the_connection(void **state) {
  (void)state;
  static const size_t piece_bytes[] = {1, 4, 1000};
  const HttpResponse response = {.status = 204};
  for (size_t i = 0; i < sizeof piece_bytes / sizeof piece_bytes[0]; i++) {
    Fixture f;
    fixture_init(&f);
    f.transcript.response = &response;
    add_get(&f.in, 1, STR("/a"));
    assert_true(receive(&f));
    send(&f);
    says(&f, "head GET /a at here\nend /a of 0\nclosed /a\n");
    add_frame(&f.in, FRAME_DATA, FLAG_END_STREAM, 1, STR("more"));
    bool is_fine = true;
    for (Str rest = buf_str(&f.in); rest.len > 0 && is_fine; rest = str_slice(rest, piece_bytes[i], rest.len))
      is_fine = http2_receive(f.transcript.http2, str_slice(rest, 0, piece_bytes[i]), 0);
    assert_false(is_fine);
    goes_away_with(&f, 5); /* STREAM_CLOSED */
    fixture_done(&f);
  }
}

static void data_behind_the_clients_own_reset_ends_the_connection(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  add_request(&f.in, 1, 0, STR("POST"), STR("/a"), NULL, 0);
  add_frame(&f.in, FRAME_RST, 0, 1, STR("\0\0\0\x08"));
  add_frame(&f.in, FRAME_DATA, FLAG_END_STREAM, 1, STR("more"));
  assert_false(receive(&f));
  says(&f, "head POST /a at here +body\nclosed /a cut\n");
  goes_away_with(&f, 5); /* STREAM_CLOSED */
  fixture_done(&f);
}

/* Whether refused by us or by nghttp2 itself, before it is told or after: RFC 9113 §5.1 has the rest discarded. */
static void data_on_its_way_to_a_stream_that_was_refused_is_discarded(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  const int last = 2 * (int)limits.streams_max + 1;
  for (int id = 1; id < last; id += 2) add_request(&f.in, id, 0, STR("POST"), STR("/a"), NULL, 0);
  add_request(&f.in, last, 0, STR("POST"), STR("/refused"), NULL, 0);
  add_frame(&f.in, FRAME_RST, 0, 1, STR("\0\0\0\x08"));
  add_request(&f.in, last + 2, 0, STR("POST"), STR("/b"), NULL, 0);
  add_frame(&f.in, FRAME_DATA, 0, last, STR("early"));
  assert_true(receive(&f));
  send(&f);
  int flags;
  assert_int_equal(uint32_at(sent_frame(&f, FRAME_RST, 0, &flags), 0), 7); /* REFUSED_STREAM */
  add_frame(&f.in, FRAME_DATA, FLAG_END_STREAM, last, STR("late"));
  assert_true(receive(&f));
  fixture_done(&f);
}

static void what_is_not_http2_ends_the_connection(void **state) {
  (void)state;
  Fixture f;
  fixture_init(&f);
  buf_clear(&f.in);
  buf_add(&f.in, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  assert_false(receive(&f));
  goes_away_with(&f, 1); /* PROTOCOL_ERROR */
  fixture_done(&f);
}

static void an_end_is_announced_then_said_with_the_last_stream(void **state) {
  (void)state;
  Fixture f;
  int flags;
  fixture_init(&f);
  add_get(&f.in, 1, STR("/a"));
  assert_true(receive(&f));
  http2_announce_end(f.transcript.http2);
  send(&f);
  assert_int_equal(uint32_at(sent_frame(&f, FRAME_GOAWAY, 0, &flags), 0), 0x7fffffff);
  add_get(&f.in, 3, STR("/b"));
  assert_true(receive(&f));
  http2_end(f.transcript.http2);
  send(&f);
  assert_int_equal(uint32_at(sent_frame(&f, FRAME_GOAWAY, 1, &flags), 0), 3);
  add_get(&f.in, 5, STR("/c"));
  (void)receive(&f);
  says(&f, "head GET /a at here\nend /a of 0\nhead GET /b at here\nend /b of 0\n");
  fixture_done(&f);
}

static void pieces_make_no_difference(void **state) {
  (void)state;
  static const size_t piece_bytes[] = {1, 2, 3, 7, 50};
  Fixture f;
  fixture_init(&f);
  add_request(&f.in, 1, 0, STR("POST"), STR("/a"), NULL, 0);
  add_get(&f.in, 3, STR("/b"));
  add_frame(&f.in, FRAME_DATA, FLAG_END_STREAM, 1, STR("12345"));
  add_get(&f.in, 1, STR("/closed"));
  Buf whole = buf_on_heap(4096);
  http2_transcribe(&limits, buf_str(&f.in), 0, &whole);
  assert_non_null(memmem(whole.ptr, whole.len, "end /a of 5\n", 12));
  for (size_t i = 0; i < sizeof piece_bytes / sizeof piece_bytes[0]; i++) {
    Buf pieces = buf_on_heap(4096);
    http2_transcribe(&limits, buf_str(&f.in), piece_bytes[i], &pieces);
    assert_true(str_equal(buf_str(&whole), buf_str(&pieces)));
    buf_done(&pieces);
  }
  buf_done(&whole);
  fixture_done(&f);
}

/* Ours: nghttp2 1.52 frees twice where its own fails in a submission. */
static void whatever_memory_fails_nothing_leaks_or_breaks(void **state) {
  (void)state;
  const HttpResponse response = {.status = 200, .body = STR("hello")};
  for (size_t n = 1; n < 400; n++) {
    Buf in = buf_on_heap(4096), out = buf_on_heap(4096);
    buf_add(&in, STR(HTTP2_PREFACE));
    add_frame(&in, FRAME_SETTINGS, 0, 0, STR(""));
    add_request(&in, 1, 0, STR("POST"), STR("/a"), NULL, 0);
    add_frame(&in, FRAME_DATA, FLAG_END_STREAM, 1, STR("12345"));
    (void)buf_reserve(&out, 1024);
    Http2Transcript transcript = {.out = &out, .response = &response, .body = response.body};
    memory_fail_after(n);
    Http2 *http2 = http2_create(&limits, &transcript_events, &transcript);
    transcript.http2 = http2;
    if (http2 != NULL && http2_receive(http2, buf_str(&in), 0))
      while (http2_send(http2).len > 0) {}
    bool has_failed = memory_fail_countdown == 0;
    memory_fail_after(0);
    http2_transcript_done(&transcript);
    assert_int_equal(transcript.arena_count, 0);
    buf_done(&in);
    buf_done(&out);
    if (!has_failed) return;
  }
  fail_msg("no run without a failure");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_becomes_a_head_and_an_end),
      cmocka_unit_test(an_upgraded_request_is_stream_1),
      cmocka_unit_test(settings_of_an_upgrade_that_are_no_good_are_refused),
      cmocka_unit_test(a_body_comes_before_the_end_and_trailers_are_passed_over),
      cmocka_unit_test(heads_beyond_the_limits_are_refused_with_their_status),
      cmocka_unit_test(a_priority_is_the_last_urgency_that_can_be),
      cmocka_unit_test(an_update_of_a_priority_is_told_of_a_request_that_is_there),
      cmocka_unit_test(an_answer_has_its_head_body_and_trailers),
      cmocka_unit_test(an_answer_waits_for_the_window),
      cmocka_unit_test(a_reset_closes_the_stream),
      cmocka_unit_test(who_floods_is_left),
      cmocka_unit_test(the_purse_fills_with_time),
      cmocka_unit_test(whose_pings_have_three_strikes_is_left_and_told_why),
      cmocka_unit_test(pings_that_keep_their_interval_go_on_whatever_delays_them),
      cmocka_unit_test(pings_twice_as_often_are_too_many),
      cmocka_unit_test(what_is_sent_pays_for_pings),
      cmocka_unit_test(one_ping_for_each_answer_is_free),
      cmocka_unit_test(acknowledgements_are_no_pings_and_ours_is_sent),
      cmocka_unit_test(a_request_on_a_closed_stream_ends_the_connection),
      cmocka_unit_test(data_on_a_closed_stream_ends_the_connection),
      cmocka_unit_test(data_behind_the_clients_own_reset_ends_the_connection),
      cmocka_unit_test(data_on_its_way_to_a_stream_that_was_refused_is_discarded),
      cmocka_unit_test(what_is_not_http2_ends_the_connection),
      cmocka_unit_test(an_end_is_announced_then_said_with_the_last_stream),
      cmocka_unit_test(pieces_make_no_difference),
      cmocka_unit_test(whatever_memory_fails_nothing_leaks_or_breaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
