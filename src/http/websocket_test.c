/* websocket_test.c - the core from outside: frames in, events out; each input whole and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/websocket_handshake.h"
#include "http/websocket_test_transcript.h"

enum { MESSAGE_MAX = 300, FIN = 0x80, CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static const char MASK[] = {0x37, (char)0xfa, 0x21, 0x3d};

static void assert_events(const Buf *input, const char *expected) {
  const size_t pieces[] = {0, 1, 3};
  for (size_t i = 0; i < 3; i++) {
    Buf out = buf_on_heap(1 << 20);
    websocket_transcribe(MESSAGE_MAX, buf_str(input), pieces[i], &out);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    buf_done(&out);
  }
}

/* One frame after the other, then what the core says of them. */
typedef struct Frame {
  unsigned first;
  Str payload;
} Frame;

static void assert_frames(const Frame *frames, size_t count, const char *expected) {
  Buf input = buf_on_heap(1 << 20);
  for (size_t i = 0; i < count; i++) websocket_add_frame(&input, frames[i].first, MASK, frames[i].payload);
  assert_events(&input, expected);
  buf_done(&input);
}
#define FRAMES(expected, ...) assert_frames((const Frame[]){__VA_ARGS__}, sizeof((const Frame[]){__VA_ARGS__}) / sizeof(Frame), expected)

static void assert_bytes(Str bytes, const char *expected) {
  Buf input = buf_on_heap(1 << 20);
  buf_add(&input, bytes);
  assert_events(&input, expected);
  buf_done(&input);
}

/* RFC 6455 §5.7. */
static void the_rfcs_examples_are_read(void **state) {
  (void)state;
  assert_bytes(STR("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "text [Hello]\n");
  assert_bytes(STR("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "ping [Hello]\n");
  assert_bytes(STR("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "pong [Hello]\n");
}

static void fragments_are_joined_and_control_frames_may_stand_between(void **state) {
  (void)state;
  FRAMES("ping [?]\ntext [Hello]\n", {TEXT, STR("Hel")}, {FIN | PING, STR("?")}, {FIN | CONTINUATION, STR("lo")});
  FRAMES("text []\nbinary [x]\n", {TEXT, STR("")}, {CONTINUATION, STR("")}, {FIN | CONTINUATION, STR("")}, {FIN | BINARY, STR("x")});
}

static void what_breaks_the_framing_fails_with_1002(void **state) {
  (void)state;
  assert_bytes(STR("\x81\x05Hello"), "failed 1002 [a frame is not masked]\n");
  FRAMES("failed 1002 [a reserved bit is set]\n", {FIN | 0x40 | TEXT, STR("x")});
  FRAMES("failed 1002 [a reserved bit is set]\n", {FIN | 0x10 | PING, STR("x")});
  FRAMES("failed 1002 [the opcode is reserved]\n", {FIN | 3, STR("")});
  FRAMES("failed 1002 [the opcode is reserved]\n", {FIN | 11, STR("")});
  FRAMES("failed 1002 [a control frame is fragmented]\n", {PING, STR("")});
  FRAMES("failed 1002 [there is nothing to continue]\n", {FIN | CONTINUATION, STR("x")});
  FRAMES("failed 1002 [the message before is not whole]\n", {TEXT, STR("x")}, {FIN | TEXT, STR("y")});
  char long_payload[126] = {0};
  FRAMES("failed 1002 [a control frame is too long]\n", {FIN | PING, {long_payload, sizeof long_payload}});
  /* Lengths that a shorter form could say, and one with its highest bit set (§5.2). */
  assert_bytes(STR("\x81\xfe\x00\x7d\x00\x00\x00\x00"), "failed 1002 [a frame's length is malformed]\n");
  assert_bytes(STR("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00"), "failed 1002 [a frame's length is malformed]\n");
  assert_bytes(STR("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "failed 1002 [a frame's length is malformed]\n");
}

static void text_is_utf8_across_its_fragments(void **state) {
  (void)state;
  FRAMES("text [\xc3\xa9]\n", {TEXT, STR("\xc3")}, {FIN | CONTINUATION, STR("\xa9")});
  FRAMES("failed 1007 [the message is not UTF-8]\n", {FIN | TEXT, STR("\xc3")});
  FRAMES("failed 1007 [the message is not UTF-8]\n", {TEXT, STR("a")}, {FIN | CONTINUATION, STR("\xed\xa0\x80")});
  FRAMES("binary [\xff]\n", {FIN | BINARY, STR("\xff")});
}

static void a_message_has_a_limit_that_its_header_already_breaks(void **state) {
  (void)state;
  char bytes[MESSAGE_MAX + 1];
  memset(bytes, 'a', sizeof bytes);
  Buf input = buf_on_heap(1 << 20);
  websocket_add_frame(&input, FIN | TEXT, MASK, (Str){bytes, MESSAGE_MAX});
  Buf out = buf_on_heap(1 << 20);
  websocket_transcribe(MESSAGE_MAX, buf_str(&input), 7, &out);
  assert_int_equal(out.len, MESSAGE_MAX + strlen("text []\n"));
  buf_done(&out);
  buf_done(&input);
  FRAMES("failed 1009 [the message is too large]\n", {FIN | TEXT, {bytes, sizeof bytes}});
  FRAMES("failed 1009 [the message is too large]\n", {TEXT, {bytes, 200}}, {CONTINUATION, {bytes, 100}}, {CONTINUATION, {bytes, 1}});
  /* Of a huge one nothing but the header need come. */
  assert_bytes(STR("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"), "failed 1009 [the message is too large]\n");
}

/* §5.5.1, §7.4. */
static void close_frames_say_why_and_are_the_last(void **state) {
  (void)state;
  FRAMES("closed 1005 []\n", {FIN | CLOSE, STR("")}, {FIN | TEXT, STR("behind")});
  FRAMES("closed 1000 [bye]\n", {FIN | CLOSE, STR("\x03\xe8"
                                                  "bye")});
  FRAMES("closed 4400 []\n", {FIN | CLOSE, STR("\x11\x30")});
  FRAMES("failed 1002 [the close code is malformed]\n", {FIN | CLOSE, STR("\x03")});
  FRAMES("failed 1002 [the close code is malformed]\n", {FIN | CLOSE, STR("\x03\xed")});     /* 1005 */
  FRAMES("failed 1002 [the close code is malformed]\n", {FIN | CLOSE, STR("\x03\xe7")});     /* 999 */
  FRAMES("failed 1002 [the close code is malformed]\n", {FIN | CLOSE, STR("\x03\xf8\x00")}); /* 1016 */
  FRAMES("failed 1007 [the close reason is not UTF-8]\n", {FIN | CLOSE, STR("\x03\xe8\xff")});
}

static void assert_written(const Buf *out, Str expected) {
  assert_int_equal(out->len, expected.len);
  assert_memory_equal(out->ptr, expected.ptr, expected.len);
}

static void a_servers_frames_are_not_masked(void **state) {
  (void)state;
  Buf out = buf_on_heap(1 << 20);
  websocket_write_text(&out, STR("Hello"));
  assert_written(&out, STR("\x81\x05Hello"));
  buf_clear(&out);
  websocket_write_pong(&out, STR("Hello"));
  assert_written(&out, STR("\x8a\x05Hello"));
  buf_clear(&out);
  websocket_write_ping(&out, STR(""));
  assert_written(&out, STR("\x89\x00"));
  buf_clear(&out);
  websocket_write_close(&out, WEBSOCKET_GOING_AWAY, STR("x"));
  assert_written(&out, STR("\x88\x03\x03\xe9x"));
  buf_clear(&out);
  websocket_write_close(&out, WEBSOCKET_NO_STATUS, STR("x"));
  assert_written(&out, STR("\x88\x00"));
  buf_clear(&out);
  char bytes[70000] = {0};
  websocket_write_text(&out, (Str){bytes, 256});
  assert_memory_equal(out.ptr, "\x81\x7e\x01\x00", 4);
  buf_clear(&out);
  websocket_write_text(&out, (Str){bytes, sizeof bytes});
  assert_memory_equal(out.ptr, "\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70", 10);
  buf_clear(&out);
  /* A reason is cut, though not within a character. */
  memset(bytes, 'a', 122);
  memcpy(bytes + 122, "\xc3\xa9", 2);
  websocket_write_close(&out, 1000, (Str){bytes, 124});
  assert_int_equal(out.len, 2 + 2 + 122);
  buf_done(&out);
}

static void no_memory_fails_with_1011_and_nothing_leaks(void **state) {
  (void)state;
  Buf input = buf_on_heap(1 << 20);
  websocket_add_frame(&input, FIN | TEXT, MASK, STR("Hello"));
  memory_fail_after(1);
  assert_null(websocket_create(MESSAGE_MAX));
  WebSocket *socket = websocket_create(MESSAGE_MAX);
  Str bytes = buf_str(&input);
  memory_fail_after(1);
  WebSocketEvent event = websocket_parse(socket, &bytes);
  memory_fail_after(0);
  assert_int_equal(event.type, WEBSOCKET_FAILED);
  assert_int_equal(event.code, WEBSOCKET_INTERNAL);
  websocket_destroy(socket);
  buf_done(&input);
}

/* ---- The handshake: RFC 6455 §1.3, §4.2 ---- */

static HttpRequest request_with(const HttpHeader *headers, size_t count) {
  return (HttpRequest){.method = HTTP_GET, .version = 11, .headers = headers, .header_count = count};
}

static void the_handshake_is_the_rfcs(void **state) {
  (void)state;
  const HttpHeader headers[] = {{STR("upgrade"), STR("h2c, WebSocket")},
                                {STR("connection"), STR("keep-alive, Upgrade")},
                                {STR("sec-websocket-key"), STR("dGhlIHNhbXBsZSBub25jZQ==")},
                                {STR("sec-websocket-version"), STR("13")},
                                {STR("sec-websocket-protocol"), STR("chat, superchat")},
                                {STR("sec-websocket-protocol"), STR("third")}};
  HttpRequest request = request_with(headers, 6);
  Str detail;
  assert_true(websocket_is_asked(&request));
  assert_int_equal(websocket_check(&request, &detail), 0);
  assert_true(websocket_offers(&request, STR("superchat")));
  assert_true(websocket_offers(&request, STR("third")));
  assert_false(websocket_offers(&request, STR("Chat")));
  Arena *arena = arena_create(0);
  HttpResponse response;
  assert_true(websocket_accept(&request, STR("chat"), arena, &response));
  assert_int_equal(response.status, 101);
  assert_int_equal(response.header_count, 3);
  assert_true(str_equal(response.headers[0].value, STR("chat")));
  assert_true(str_equal(response.headers[2].name, STR("sec-websocket-accept")));
  assert_true(str_equal(response.headers[2].value, STR("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
  arena_destroy(arena);
}

static int checked(HttpHeader a, HttpHeader b) {
  const HttpHeader headers[] = {a, b};
  HttpRequest request = request_with(headers, 2);
  Str detail;
  return websocket_check(&request, &detail);
}

static void a_handshake_that_is_not_ours_is_refused(void **state) {
  (void)state;
  const HttpHeader key = {STR("sec-websocket-key"), STR("dGhlIHNhbXBsZSBub25jZQ==")}, version = {STR("sec-websocket-version"), STR("13")};
  assert_int_equal(checked(key, version), 0);
  assert_int_equal(checked(key, (HttpHeader){STR("sec-websocket-version"), STR("8")}), 426);
  assert_int_equal(checked(key, key), 426);
  assert_int_equal(checked(version, version), 426);
  assert_int_equal(checked(version, (HttpHeader){STR("sec-websocket-key"), STR("c2hvcnQ=")}), 400);
  assert_int_equal(checked(version, (HttpHeader){STR("sec-websocket-key"), STR("dGhlIHNhbXBsZSBub25jZQ!!")}), 400);
  HttpRequest plain = request_with(&key, 1);
  assert_false(websocket_is_asked(&plain));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_rfcs_examples_are_read),
      cmocka_unit_test(fragments_are_joined_and_control_frames_may_stand_between),
      cmocka_unit_test(what_breaks_the_framing_fails_with_1002),
      cmocka_unit_test(text_is_utf8_across_its_fragments),
      cmocka_unit_test(a_message_has_a_limit_that_its_header_already_breaks),
      cmocka_unit_test(close_frames_say_why_and_are_the_last),
      cmocka_unit_test(a_servers_frames_are_not_masked),
      cmocka_unit_test(no_memory_fails_with_1011_and_nothing_leaks),
      cmocka_unit_test(the_handshake_is_the_rfcs),
      cmocka_unit_test(a_handshake_that_is_not_ours_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
