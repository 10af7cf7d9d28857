/* rest_test.c - the REST face by itself: requests to calls, results to responses. The engine's part is played by hand. */
#include "api/rest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "api/rest_map.h"
#include "contract/load.h"

static const char SCHOOL[] =
    "extend schema @service(name: \"school\")\n"
    "type Student @resource @access(read: \"true\", write: \"true\") { code: String! @id name: String! enrolments: [Enrolment!]! }\n"
    "type Course @resource @access(read: \"true\", write: \"true\") { id: ID! title: String! enrolments: [Enrolment!]! }\n"
    "type Enrolment @resource @access(read: \"true\", write: \"true\") { student: Student! @id course: Course! @id grade: Int lateMarks: "
    "[LateMark!]! }\n"
    "type LateMark @resource @access(read: \"true\", write: \"true\") { id: ID! enrolment: Enrolment! mark: Int }\n";

static Arena *arena;
static Contract *contract;
static Api *api;

typedef struct Exchange {
  HttpExchange http;
  HttpHeader headers[8];
  ApiRequest request;
} Exchange;

/* "GET /v1/students?limit=1", then headers as "name: value", then NULL. The body may be NULL. */
static Exchange *ask(HttpMethod method, const char *target, const char *body, const char *const *headers) {
  Exchange *exchange = ARENA_NEW(arena, Exchange);
  Str whole = str_of(target);
  size_t mark = str_find_byte(whole, '?', 0);
  HttpRequest *http = &exchange->http.request;
  *http = (HttpRequest){
      .method = method, .method_text = STR("METHOD"), .target = whole, .path = str_slice(whole, 0, mark), .headers = exchange->headers};
  if (mark < whole.len) http->query = str_slice(whole, mark + 1, whole.len);
  if (body != NULL) {
    http->body = str_of(body);
    exchange->headers[http->header_count++] = (HttpHeader){STR("content-type"), STR("application/json")};
  }
  for (; headers != NULL && *headers != NULL; headers++) {
    Str line = str_of(*headers);
    size_t colon = str_find_byte(line, ':', 0);
    exchange->headers[http->header_count++] = (HttpHeader){str_slice(line, 0, colon), str_slice(line, colon + 2, line.len)};
  }
  exchange->http.arena = arena;
  exchange->request = (ApiRequest){.exchange = &exchange->http, .api = api, .face = &FACE_REST, .request_id = STR("r1")};
  assert_true(FACE_REST.accepts(api, http));
  Code code = FACE_REST.decode(&exchange->request);
  if (code != CODE_OK) FACE_REST.encode_problem(&exchange->request);
  return exchange;
}

static void assert_status(HttpMethod method, const char *target, const char *body, const char *header, int status) {
  const char *const headers[] = {header, NULL};
  Exchange *exchange = ask(method, target, body, headers);
  int got = exchange->request.problem != NULL || exchange->request.is_answered ? exchange->request.response.status : 0;
  if (got != status) fail_msg("%s: %d, not %d", target, got, status);
}

static Str header_of(const Exchange *exchange, const char *name) {
  const HttpResponse *response = &exchange->request.response;
  for (size_t i = 0; i < response->header_count; i++) {
    if (str_equal(response->headers[i].name, str_of(name))) return response->headers[i].value;
  }
  return (Str){0};
}

static void assert_text(Str text, const char *expected) {
  if (!str_equal(text, str_of(expected))) fail_msg("got %.*s, expected %s", STR_ARGS(text), expected);
}

static Call *last_call(Exchange *exchange) { return &exchange->request.group.calls[exchange->request.group.count - 1]; }

static void paths_name_resources_keys_and_lists(void **state) {
  (void)state;
  Exchange *one = ask(HTTP_GET, "/v1/students/s%2C1", NULL, NULL);
  assert_int_equal(last_call(one)->operation.action, ACTION_GET);
  assert_text(last_call(one)->operation.key[0].text, "s,1");
  assert_true(last_call(one)->operation.selection->is_whole);
  Exchange *composite = ask(HTTP_DELETE, "/v1/enrolments/a%2Fb,c", NULL, NULL);
  assert_int_equal(last_call(composite)->operation.action, ACTION_DELETE);
  assert_text(last_call(composite)->operation.key[0].text, "a/b");
  assert_text(last_call(composite)->operation.key[1].text, "c");
  assert_null(last_call(ask(HTTP_GET, "/v1/enrolments/a", NULL, NULL))->operation.key);
  assert_null(last_call(ask(HTTP_GET, "/v1/enrolments/a,b,c", NULL, NULL))->operation.key);
  assert_null(last_call(ask(HTTP_GET, "/v1/students/s,1", NULL, NULL))->operation.key);
  assert_int_equal(last_call(ask(HTTP_HEAD, "/v1/late-marks", NULL, NULL))->operation.action, ACTION_LIST);
  assert_int_equal(last_call(ask(HTTP_PATCH, "/v1/students/s1", "{}", NULL))->operation.action, ACTION_UPDATE);
  assert_int_equal(last_call(ask(HTTP_PUT, "/v1/students/s1", "{}", NULL))->operation.action, ACTION_REPLACE);
  assert_int_equal(last_call(ask(HTTP_POST, "/v1/students", "{}", NULL))->operation.action, ACTION_CREATE);
}

static void a_sub_resource_asks_for_its_parent_first(void **state) {
  (void)state;
  Exchange *list = ask(HTTP_GET, "/v1/enrolments/a,b/lateMarks?mark=3", NULL, NULL);
  assert_int_equal(list->request.group.count, 2);
  assert_int_equal(list->request.group.calls[0].operation.action, ACTION_GET);
  assert_null(list->request.group.calls[0].sink);
  Buf out = buf_on(arena, 4096);
  expr_write(&out, last_call(list)->operation.list.scope);
  assert_text(buf_str(&out), "((enrolmentStudentCode == \"a\") && (enrolmentCourseId == \"b\"))");
  assert_int_equal(ask(HTTP_GET, "/v1/enrolments/a,b/late-marks", NULL, NULL)->request.group.count, 2);
  Exchange *create = ask(HTTP_POST, "/v1/enrolments/a,b/lateMarks", "{\"mark\":1}", NULL);
  assert_int_equal(last_call(create)->operation.preset_count, 2);
  assert_text(last_call(create)->operation.presets[1].field->name, "enrolmentCourseId");
}

static void what_is_not_there_or_not_possible_is_refused(void **state) {
  (void)state;
  assert_status(HTTP_GET, "/v1", NULL, NULL, 404);
  assert_status(HTTP_GET, "/v1/", NULL, NULL, 404);
  assert_status(HTTP_GET, "/v1/student", NULL, NULL, 404);
  assert_status(HTTP_GET, "/v1/students/", NULL, NULL, 404);
  assert_status(HTTP_GET, "/v1/students/s1/nothing", NULL, NULL, 404);
  assert_status(HTTP_GET, "/v1/students/s1/enrolments/x", NULL, NULL, 404);
  assert_status(HTTP_GET, "/v1/students/%FF", NULL, NULL, 400);
  assert_status(HTTP_GET, "/v1/students/%ZZ", NULL, NULL, 400);
  assert_status(HTTP_GET, "/v1/students/a%00b", NULL, NULL, 400);
  assert_status(HTTP_DELETE, "/v1/students", NULL, NULL, 405);
  assert_status(HTTP_POST, "/v1/students/s1", "{}", NULL, 405);
  assert_status(HTTP_OTHER_KNOWN, "/v1/students/s1", NULL, NULL, 405);
  assert_status(HTTP_OPTIONS, "/v1/students/s1", NULL, NULL, 204);
  assert_status(HTTP_GET, "/v1/students", NULL, "accept: text/html", 406);
  assert_status(HTTP_GET, "/v1/students", NULL, "accept: application/problem+json", 0);
  assert_status(HTTP_GET, "/v1/students/s1", NULL, "accept: application/json;q=0, */*", 406);
  assert_status(HTTP_POST, "/v1/students", NULL, "content-type: text/plain", 415);
  assert_status(HTTP_POST, "/v1/students", NULL, NULL, 411);
  assert_status(HTTP_POST, "/v1/students", NULL, "content-length: 0", 400);
  assert_status(HTTP_POST, "/v1/students", "{\"a\":1,\"a\":2}", NULL, 400);
  assert_status(HTTP_POST, "/v1/students", "{}", "content-encoding: gzip", 415);
  assert_status(HTTP_GET, "/v1/students/s1", NULL, "if-none-match: abc", 400);
  assert_status(HTTP_GET, "/v1/students/s1?limit=3", NULL, NULL, 400);
  Exchange *refused = ask(HTTP_DELETE, "/v1/students", NULL, NULL);
  assert_text(header_of(refused, "allow"), "GET, HEAD, POST, OPTIONS");
}

static void give_row(Call *call, const Value *values) {
  if (call->sink == NULL) return;
  assert_int_equal(call->sink->row(call->sink, call->operation.selection, values, NULL), CODE_OK);
}

static void one_resource_has_its_tag(void **state) {
  (void)state;
  Exchange *exchange = ask(HTTP_GET, "/v1/students/s1", NULL, NULL);
  const Value row[] = {value_text(STR("s1")), value_text(STR("Sam"))};
  give_row(last_call(exchange), row);
  last_call(exchange)->result.etag = STR("abc");
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 200);
  assert_text(exchange->request.response.body, "{\"code\":\"s1\",\"name\":\"Sam\"}");
  assert_text(header_of(exchange, "etag"), "\"abc\"");
  exchange = ask(HTTP_GET, "/v1/students/s1", NULL, (const char *const[]){"if-none-match: W/\"abc\"", NULL});
  assert_int_equal(last_call(exchange)->operation.if_none_match.etag_count, 1);
  last_call(exchange)->result.etag = STR("abc");
  last_call(exchange)->result.is_not_modified = true;
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 304);
  assert_int_equal(exchange->request.response.body.len, 0);
}

static void a_list_links_to_its_neighbours(void **state) {
  (void)state;
  Exchange *exchange = ask(HTTP_GET, "/v1/students?name[startsWith]=S&after=old&limit=1", NULL, NULL);
  const Value row[] = {value_text(STR("s1")), value_text(STR("Sam"))};
  give_row(last_call(exchange), row);
  last_call(exchange)->result.next_cursor = STR("N=");
  last_call(exchange)->result.prev_cursor = STR("P");
  FACE_REST.encode(&exchange->request);
  assert_text(exchange->request.response.body,
              "{\"items\":[{\"code\":\"s1\",\"name\":\"Sam\"}],\"nextCursor\":\"N=\",\"prevCursor\":\"P\"}");
  assert_text(header_of(exchange, "link"), "</v1/students?name[startsWith]=S&limit=1&after=N%3D>; rel=\"next\", "
                                           "</v1/students?name[startsWith]=S&limit=1&before=P>; rel=\"prev\"");
}

static void a_created_resource_has_its_place(void **state) {
  (void)state;
  Exchange *exchange = ask(HTTP_POST, "/v1/enrolments", "{}", NULL);
  const Value key[] = {value_text(STR("a,b")), value_text(STR("c"))};
  const Value row[] = {key[0], key[1], value_null()};
  Result *result = &last_call(exchange)->result;
  give_row(last_call(exchange), row);
  result->key = key;
  result->etag = STR("t");
  result->is_created = true;
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 201);
  assert_text(header_of(exchange, "location"), "/v1/enrolments/a%2Cb,c");
  assert_text(exchange->request.response.body, "{\"studentCode\":\"a,b\",\"courseId\":\"c\",\"grade\":null}");
}

static void what_its_writer_may_not_read_is_not_shown(void **state) {
  (void)state;
  const Value key[] = {value_text(STR("s1"))};
  Exchange *exchange = ask(HTTP_POST, "/v1/students", "{}", NULL);
  last_call(exchange)->result = (Result){.key = key, .is_created = true, .is_hidden = true};
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 201);
  assert_text(header_of(exchange, "location"), "/v1/students/s1");
  assert_int_equal(exchange->request.response.body.len, 0);
  exchange = ask(HTTP_PATCH, "/v1/students/s1", "{}", NULL);
  last_call(exchange)->result = (Result){.key = key, .is_hidden = true};
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 204);
}

static void preferences_decide_what_is_answered(void **state) {
  (void)state;
  const Value key[] = {value_text(STR("s1"))};
  Exchange *exchange = ask(HTTP_POST, "/v1/students", "{}", (const char *const[]){"prefer: return=minimal", NULL});
  assert_null(last_call(exchange)->operation.selection);
  last_call(exchange)->result = (Result){.key = key, .is_created = true};
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 201);
  assert_text(header_of(exchange, "preference-applied"), "return=minimal");
  exchange = ask(HTTP_DELETE, "/v1/students/s1", NULL, (const char *const[]){"prefer: tx=rollback", NULL});
  assert_true(last_call(exchange)->operation.is_dry_run);
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 204);
  assert_text(header_of(exchange, "preference-applied"), "tx=rollback");
}

static void a_patch_goes_by_its_media_type(void **state) {
  (void)state;
  Exchange *exchange = ask(HTTP_PATCH, "/v1/students/s1", NULL, (const char *const[]){"content-type: application/json-patch+json", NULL});
  assert_int_equal(exchange->request.response.status, 411);
  const HttpRequest *http = &exchange->http.request;
  exchange->http.request.body = STR("[]");
  assert_int_equal(http->method, HTTP_PATCH);
  assert_int_equal(FACE_REST.decode(&exchange->request), CODE_OK);
  assert_true(last_call(exchange)->operation.is_patch);
  assert_false(last_call(ask(HTTP_PATCH, "/v1/students/s1", "{}", NULL))->operation.is_patch);
  assert_status(HTTP_PUT, "/v1/students/s1", NULL, "content-type: application/json-patch+json", 415);
}

static void a_refusal_of_the_engine_is_a_problem(void **state) {
  (void)state;
  Exchange *exchange = ask(HTTP_GET, "/v1/students/s1/enrolments", NULL, NULL);
  exchange->request.group.calls[0].result =
      (Result){.code = CODE_NOT_FOUND, .problem = problem_create(arena, CODE_NOT_FOUND, STR("no such Student"))};
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 404);
  assert_text(header_of(exchange, "content-type"), "application/problem+json");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_name_resources_keys_and_lists),
      cmocka_unit_test(a_sub_resource_asks_for_its_parent_first),
      cmocka_unit_test(what_is_not_there_or_not_possible_is_refused),
      cmocka_unit_test(one_resource_has_its_tag),
      cmocka_unit_test(a_list_links_to_its_neighbours),
      cmocka_unit_test(a_created_resource_has_its_place),
      cmocka_unit_test(what_its_writer_may_not_read_is_not_shown),
      cmocka_unit_test(preferences_decide_what_is_answered),
      cmocka_unit_test(a_patch_goes_by_its_media_type),
      cmocka_unit_test(a_refusal_of_the_engine_is_a_problem),
  };
  arena = arena_create(0);
  ContractFile file = {STR("school.graphql"), str_of(SCHOOL)};
  DiagnosticList diagnostics = {0};
  const EngineLimits limits = {
      .page_size = 20, .page_size_max = 100, .nesting_max = 5, .filter_bytes_max = 4096, .result_bytes_max = 1 << 20};
  static const Face *const faces[] = {&FACE_REST};
  if (contract_load(&file, 1, arena, &contract, &diagnostics, NULL) != CODE_OK) {
    Buf out = buf_on(arena, 65536);
    diagnostics_write(&out, &diagnostics, false);
    print_error("%.*s\n", STR_ARGS(buf_str(&out)));
    return 1;
  }
  if (api_create(contract, &limits, faces, 1, &api, NULL) != CODE_OK) return 1;
  int failed = cmocka_run_group_tests_name("rest", tests, NULL, NULL);
  api_destroy(api);
  contract_destroy(contract);
  arena_destroy(arena);
  return failed;
}
