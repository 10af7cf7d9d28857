/* grpc_wire_test.c - heads as "gRPC over HTTP2", gRPC-Web's and Connect's protocol documents have them, and their statuses. */
#include "api/grpc_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "api/grpc_status.h"

static Arena *arena;
static int set_up(void **state) {
  (void)state;
  arena = arena_create(0);
  return arena == NULL;
}
static int tear_down(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

static const Problem *read_head(const char *type, const char *name, const char *value, GrpcWire *ret) {
  HttpHeader headers[] = {{STR("content-type"), str_of(type)}, {str_of(name), str_of(value)}};
  HttpRequest request = {.method = HTTP_POST, .headers = headers, .header_count = name == NULL ? 1 : 2};
  return grpc_wire_read(&request, arena, ret);
}

static const Problem *read_query(const char *query, GrpcWire *ret) {
  HttpRequest request = {.method = HTTP_GET, .query = str_of(query)};
  return grpc_wire_read(&request, arena, ret);
}

static void the_media_type_says_which_protocol(void **state) {
  (void)state;
  static const struct {
    const char *type;
    GrpcProtocol protocol;
    bool is_json;
  } cases[] = {
      {"application/grpc", GRPC_NATIVE, false},
      {"application/grpc+proto", GRPC_NATIVE, false},
      {"application/grpc-web+proto", GRPC_WEB, false},
      {"application/grpc-web-text", GRPC_WEB_TEXT, false},
      {"application/json; charset=utf-8", GRPC_CONNECT, true},
      {"application/proto", GRPC_CONNECT, false},
      {"application/connect+json", GRPC_CONNECT_STREAM, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    GrpcWire wire;
    assert_null(read_head(cases[i].type, NULL, NULL, &wire));
    assert_int_equal(wire.protocol, cases[i].protocol);
    assert_int_equal(wire.is_json, cases[i].is_json);
  }
  GrpcWire wire;
  assert_int_equal(read_head("text/plain", NULL, NULL, &wire)->code, CODE_UNSUPPORTED_MEDIA_TYPE);
  assert_int_equal(read_head("application/grpc+xml", NULL, NULL, &wire)->code, CODE_UNSUPPORTED_MEDIA_TYPE);
}

static void time_is_a_number_and_a_unit(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t us;
  } cases[] = {{"1H", INT64_C(3600000000)}, {"2M", 120000000}, {"3S", 3000000}, {"250m", 250000}, {"7u", 7}, {"1500n", 2}, {"0S", 1}};
  GrpcWire wire;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_null(read_head("application/grpc", "grpc-timeout", cases[i].text, &wire));
    assert_int_equal(wire.timeout_us, cases[i].us);
  }
  static const char *const bad[] = {"", "S", "1", "1s", "-1S", "123456789S", "1.5S", " 1S"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_non_null(read_head("application/grpc", "grpc-timeout", bad[i], &wire));
  assert_null(read_head("application/json", "connect-timeout-ms", "1500", &wire));
  assert_int_equal(wire.timeout_us, 1500000);
  assert_non_null(read_head("application/json", "connect-timeout-ms", "12345678901", &wire));
}

static void an_unknown_compression_is_unimplemented(void **state) {
  (void)state;
  GrpcWire wire;
  assert_null(read_head("application/grpc", "grpc-encoding", "gzip", &wire));
  assert_true(wire.has_compression);
  assert_null(read_head("application/grpc", "grpc-encoding", "identity", &wire));
  assert_false(wire.has_compression);
  assert_int_equal(grpc_code_of(read_head("application/grpc", "grpc-encoding", "snappy", &wire)), GRPC_CODE_UNIMPLEMENTED);
  assert_null(read_head("application/grpc", "grpc-accept-encoding", "identity, deflate, gzip", &wire));
  assert_true(wire.accepts_gzip);
}

static void a_get_carries_its_message_in_the_query(void **state) {
  (void)state;
  GrpcWire wire;
  assert_null(read_query("connect=v1&encoding=json&message=%7B%22id%22%3A%22a%22%7D", &wire));
  assert_true(str_equal(wire.message, STR("{\"id\":\"a\"}")));
  assert_null(read_query("encoding=proto&base64=1&message=CgFh", &wire));
  assert_true(str_equal(wire.message, STR("\n\1a")));
  assert_null(read_query("encoding=proto&base64=1&message=_w==", &wire));
  assert_true(str_equal(wire.message, STR("\xff")));
  static const char *const bad[] = {"",
                                    "encoding=json",
                                    "message=x",
                                    "encoding=xml&message=x",
                                    "encoding=json&message=%7",
                                    "encoding=proto&base64=1&message=*",
                                    "connect=v2&encoding=json&message=%7B%7D"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(read_query(bad[i], &wire)->code, CODE_BAD_REQUEST);
}

static void text_is_pieces_of_base64(void **state) {
  (void)state;
  GrpcWire wire = {.protocol = GRPC_WEB_TEXT};
  Str message;
  Error err;
  /* 00 00000003 'abc', once whole and once as two padded pieces. */
  assert_int_equal(grpc_wire_message(&wire, STR("AAAAAANhYmM="), 100, arena, &message, &err), CODE_OK);
  assert_true(str_equal(message, STR("abc")));
  assert_int_equal(grpc_wire_message(&wire, STR("AAAAAAM=YWJj"), 100, arena, &message, &err), CODE_OK);
  assert_true(str_equal(message, STR("abc")));
  static const char *const bad[] = {"AAAAAANhYmM", "AAAA=AANhYmM=", "====", "AAAAAAM*YWJj"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(grpc_wire_message(&wire, str_of(bad[i]), 100, arena, &message, &err), CODE_BAD_REQUEST);
}

static Str header_of(const HttpHeader *headers, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (str_equal(headers[i].name, str_of(name))) return headers[i].value;
  }
  return (Str){0};
}

static void an_answer_stands_where_its_protocol_has_it(void **state) {
  (void)state;
  HttpResponse response;
  GrpcWire wire = {.protocol = GRPC_NATIVE, .content_type = STR("application/grpc")};
  grpc_wire_answer(&wire, STR("abc"), NULL, 0, arena, &response);
  assert_int_equal(response.status, 200);
  assert_true(str_equal(response.body, STR("\0\0\0\0\3abc")));
  assert_true(str_equal(header_of(response.trailers, response.trailer_count, "grpc-status"), STR("0")));
  wire = (GrpcWire){.protocol = GRPC_WEB, .content_type = STR("application/grpc-web+proto")};
  grpc_wire_answer(&wire, STR("abc"), NULL, 0, arena, &response);
  assert_true(str_equal(response.body, STR("\0\0\0\0\3abc\x80\0\0\0\20grpc-status: 0\r\n")));
  assert_int_equal(response.trailer_count, 0);
  wire = (GrpcWire){.protocol = GRPC_CONNECT, .content_type = STR("application/proto")};
  grpc_wire_answer(&wire, STR("abc"), NULL, 0, arena, &response);
  assert_true(str_equal(response.body, STR("abc")));
}

static void a_refusal_has_its_code_message_and_details(void **state) {
  (void)state;
  Mistake mistake = {.code = MISTAKE_RANGE, .pointer = STR("/price"), .detail = STR("must be at least 0")};
  Problem problem = {
      .code = CODE_VALIDATION_FAILED, .detail = STR("50 % caf\xc3\xa9"), .mistakes = &mistake, .mistake_count = 1, .operation = -1};
  HttpResponse response;
  GrpcWire wire = {.protocol = GRPC_NATIVE, .content_type = STR("application/grpc")};
  grpc_wire_refuse(&wire, &problem, (Str){0}, arena, &response);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.body.len, 0);
  assert_true(str_equal(header_of(response.headers, response.header_count, "grpc-status"), STR("3")));
  assert_true(str_equal(header_of(response.headers, response.header_count, "grpc-message"), STR("50 %25 caf%C3%A9")));
  Str details = header_of(response.headers, response.header_count, "grpc-status-details-bin");
  assert_true(details.len > 0 && str_find_byte(details, '=', 0) == details.len);
  wire = (GrpcWire){.protocol = GRPC_CONNECT, .content_type = STR("application/proto")};
  grpc_wire_refuse(&wire, &problem, (Str){0}, arena, &response);
  assert_int_equal(response.status, 400);
  assert_true(str_equal(header_of(response.headers, response.header_count, "content-type"), STR("application/json")));
  assert_true(str_starts_with(
      response.body,
      STR("{\"code\":\"invalid_argument\",\"message\":\"50 % caf\xc3\xa9\",\"details\":[{\"type\":\"google.rpc.ErrorInfo\"")));
  wire = (GrpcWire){.protocol = GRPC_CONNECT_STREAM, .content_type = STR("application/connect+json")};
  grpc_wire_refuse(&wire, &problem, (Str){0}, arena, &response);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.body.ptr[0], 2);
  assert_true(str_contains(response.body, STR("{\"error\":{\"code\":\"invalid_argument\"")));
}

/* INTERFACE §5. */
static void conflicts_are_told_apart(void **state) {
  (void)state;
  Mistake mistake = {.code = MISTAKE_NOT_UNIQUE, .pointer = STR("/sku")};
  Problem problem = {.code = CODE_CONFLICT, .mistakes = &mistake, .mistake_count = 1};
  assert_int_equal(grpc_code_of(&problem), GRPC_CODE_ALREADY_EXISTS);
  problem = (Problem){.code = CODE_CONFLICT, .is_restricted = true};
  assert_int_equal(grpc_code_of(&problem), GRPC_CODE_FAILED_PRECONDITION);
  problem = (Problem){.code = CODE_CONFLICT};
  assert_int_equal(grpc_code_of(&problem), GRPC_CODE_ABORTED);
  problem = (Problem){.code = CODE_PRECONDITION_FAILED};
  assert_int_equal(grpc_code_of(&problem), GRPC_CODE_ABORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_media_type_says_which_protocol),
      cmocka_unit_test(time_is_a_number_and_a_unit),
      cmocka_unit_test(an_unknown_compression_is_unimplemented),
      cmocka_unit_test(a_get_carries_its_message_in_the_query),
      cmocka_unit_test(text_is_pieces_of_base64),
      cmocka_unit_test(an_answer_stands_where_its_protocol_has_it),
      cmocka_unit_test(a_refusal_has_its_code_message_and_details),
      cmocka_unit_test(conflicts_are_told_apart),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
