/* rest_batch_test.c - batches and kept answers by themselves: a body to calls, results to one response. The engine's part is played by
 * hand. */
#include "api/rest_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "api/rest.h"
#include "api/rest_map.h"
#include "contract/load.h"

static const char SCHOOL[] =
    "extend schema @service(name: \"school\")\n"
    "type Student @resource @access(read: \"true\", write: \"true\") { code: String! @id name: String! marks: [Mark!]! }\n"
    "type Mark @resource @access(read: \"true\", write: \"true\") { id: ID! student: Student! mark: Int }\n";

static Arena *arena;
static Contract *contract;
static Api *api;

typedef struct Exchange {
  HttpExchange http;
  HttpHeader headers[2];
  ApiRequest request;
} Exchange;

static Exchange *ask(const char *operations, Str key) {
  Exchange *exchange = ARENA_NEW(arena, Exchange);
  HttpRequest *http = &exchange->http.request;
  *http = (HttpRequest){.method = HTTP_POST,
                        .method_text = STR("POST"),
                        .target = STR("/v1/batch"),
                        .path = STR("/v1/batch"),
                        .headers = exchange->headers,
                        .header_count = key.ptr == NULL ? 1 : 2,
                        .body = arena_printf(arena, "{\"operations\":[%s]}", operations)};
  exchange->headers[0] = (HttpHeader){STR("content-type"), STR("application/json")};
  exchange->headers[1] = (HttpHeader){STR("idempotency-key"), key};
  exchange->http.arena = arena;
  exchange->request = (ApiRequest){.exchange = &exchange->http, .api = api, .face = &FACE_REST, .request_id = STR("r1")};
  Code code = FACE_REST.decode(&exchange->request);
  if (code != CODE_OK) FACE_REST.encode_problem(&exchange->request);
  return exchange;
}

static void assert_text(Str text, const char *expected) {
  if (!str_equal(text, str_of(expected))) fail_msg("got %.*s, expected %s", STR_ARGS(text), expected);
}

static void assert_refused(const char *operations, int64_t operation, int status) {
  Exchange *exchange = ask(operations, (Str){0});
  assert_non_null(exchange->request.problem);
  assert_int_equal(exchange->request.problem->operation, operation);
  assert_int_equal(exchange->request.response.status, status);
}

static void its_requests_become_one_group_in_order(void **state) {
  (void)state;
  Exchange *exchange = ask("{\"method\":\"POST\",\"path\":\"/v1/students\",\"body\":{\"code\":\"s\"}},"
                           "{\"method\":\"GET\",\"path\":\"/v1/students/s/marks?mark=3\"},"
                           "{\"method\":\"DELETE\",\"path\":\"/v1/students/s%2C1\",\"headers\":{\"If-Match\":\"\\\"t\\\"\"}}",
                           (Str){0});
  const CallGroup *group = &exchange->request.group;
  assert_null(exchange->request.problem);
  assert_true(exchange->request.is_batch);
  assert_int_equal(group->count, 4); /* a sub-resource asks for its parent first */
  assert_int_equal(group->calls[0].operation.action, ACTION_CREATE);
  assert_int_equal(group->calls[0].operation.input->type, JSON_OBJECT);
  assert_int_equal(group->calls[1].operation.action, ACTION_GET);
  assert_int_equal(group->calls[2].operation.action, ACTION_LIST);
  assert_non_null(group->calls[2].operation.list.filter);
  assert_int_equal(group->calls[3].operation.action, ACTION_DELETE);
  assert_text(group->calls[3].operation.key[0].text, "s,1");
  assert_text(group->calls[3].operation.if_match.etags[0], "t");
  assert_non_null(group->answer);
}

static void what_cannot_be_in_a_batch_names_its_operation(void **state) {
  (void)state;
  static const char get[] = "{\"method\":\"GET\",\"path\":\"/v1/students\"},";
  const struct {
    const char *operation;
    int status;
  } bad[] = {{"5", 400},
             {"{\"path\":\"/v1/students\"}", 400},
             {"{\"method\":\"GET\"}", 400},
             {"{\"method\":1,\"path\":\"/v1/students\"}", 400},
             {"{\"method\":\"GET\",\"path\":1}", 400},
             {"{\"id\":1,\"method\":\"GET\",\"path\":\"/v1/students\"}", 400},
             {"{\"id\":\"\",\"method\":\"GET\",\"path\":\"/v1/students\"}", 400},
             {"{\"method\":\"GET\",\"path\":\"/v1/students\",\"headers\":[]}", 400},
             {"{\"method\":\"GET\",\"path\":\"/v1/students\",\"headers\":{\"accept\":1}}", 400},
             {"{\"method\":\"OPTIONS\",\"path\":\"/v1/students\"}", 400},
             {"{\"method\":\"GET\",\"path\":\"/v1/nothing\"}", 404},
             {"{\"method\":\"GET\",\"path\":\"students\"}", 404},
             {"{\"method\":\"POST\",\"path\":\"/v1/students/s\"}", 405},
             {"{\"method\":\"POST\",\"path\":\"/v1/students\"}", 400},
             {"{\"method\":\"POST\",\"path\":\"/v1/students\",\"headers\":{\"content-type\":\"text/plain\"},\"body\":{}}", 415},
             {"{\"method\":\"GET\",\"path\":\"/v1/students\",\"headers\":{\"a b\":\"x\"}}", 400},
             {"{\"method\":\"GET\",\"path\":\"/v1/students\",\"headers\":{\"accept\":\"x\\ny\"}}", 400},
             {"{\"method\":\"GET\",\"path\":\"/v1/students\",\"headers\":{\"Idempotency-Key\":\"k\"}}", 400},
             {"{\"method\":\"GET\",\"path\":\"/v1/students\",\"headers\":{\"prefer\":\"tx=rollback\"}}", 400},
             {"{\"id\":\"a.b\",\"method\":\"GET\",\"path\":\"/v1/students\"}", 400},
             {"{\"method\":\"POST\",\"path\":\"/v1/students\",\"body\":{\"code\":{\"$ref\":\"x.code\"}}}", 400},
             {"{\"id\":\"x\",\"method\":\"POST\",\"path\":\"/v1/students\",\"body\":{\"code\":{\"$ref\":\"x.code\"}}}", 400},
             {"{\"method\":\"POST\",\"path\":\"/v1/batch\",\"body\":{\"operations\":[]}}", 400}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    Str both = arena_printf(arena, "%s%s", get, bad[i].operation);
    assert_refused(both.ptr, 1, bad[i].status);
  }
  assert_refused("{\"method\":\"GET\",\"path\":\"/v1/students\"},{\"method\":\"GET\",\"path\":\"/v1/students\"},"
                 "{\"method\":\"GET\",\"path\":\"/v1/students\"},{\"method\":\"GET\",\"path\":\"/v1/students\"}",
                 -1, 413);
}

static void references_are_put_in_place_when_their_answer_is_there(void **state) {
  (void)state;
  const Value key[] = {value_text(STR("s1"))};
  Exchange *exchange = ask(
      "{\"id\":\"s\",\"method\":\"POST\",\"path\":\"/v1/students\",\"headers\":{\"prefer\":\"return=minimal\"},\"body\":{\"code\":\"s1\"}},"
      "{\"method\":\"POST\",\"path\":\"/v1/"
      "marks\",\"body\":{\"studentCode\":{\"$ref\":\"s.code\"},\"x\":[1,{\"y\":{\"$ref\":\"s.code\"}}]}}",
      (Str){0});
  Call *calls = exchange->request.group.calls;
  assert_null(calls[0].before);
  assert_non_null(calls[1].before);
  calls[0].result = (Result){.key = key, .is_created = true};
  const Problem *problem = NULL;
  assert_int_equal(calls[1].before(&calls[1], calls[1].before_context, &problem), CODE_OK);
  Buf out = buf_on(arena, 4096);
  json_write(&out, calls[1].operation.input);
  assert_text(buf_str(&out), "{\"studentCode\":\"s1\",\"x\":[1,{\"y\":\"s1\"}]}");
}

static void a_reference_to_what_is_not_there_is_refused(void **state) {
  (void)state;
  const Value key[] = {value_text(STR("s1"))};
  Exchange *exchange = ask(
      "{\"id\":\"s\",\"method\":\"POST\",\"path\":\"/v1/students\",\"headers\":{\"prefer\":\"return=minimal\"},\"body\":{\"code\":\"s1\"}},"
      "{\"method\":\"POST\",\"path\":\"/v1/marks\",\"body\":{\"studentCode\":{\"$ref\":\"s.nothing\"}}}",
      (Str){0});
  Call *calls = exchange->request.group.calls;
  calls[0].result = (Result){.key = key, .is_created = true};
  const Problem *problem = NULL;
  assert_int_equal(calls[1].before(&calls[1], calls[1].before_context, &problem), CODE_BAD_REQUEST);
  assert_non_null(problem);
}

static void its_answer_holds_each_ones(void **state) {
  (void)state;
  const Value key[] = {value_text(STR("s1"))};
  Exchange *exchange =
      ask("{\"method\":\"POST\",\"path\":\"/v1/students\",\"headers\":{\"prefer\":\"return=minimal\"},\"body\":{\"code\":\"s1\"}},"
          "{\"method\":\"DELETE\",\"path\":\"/v1/students/s1\"}",
          (Str){0});
  exchange->request.group.calls[0].result = (Result){.key = key, .is_created = true};
  exchange->request.group.failed = 2;
  const Problem *problem = NULL;
  assert_int_equal(exchange->request.group.answer(&exchange->request.group, &problem), CODE_OK);
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 200);
  assert_text(exchange->request.response.body,
              "{\"results\":[{\"status\":201,\"headers\":{\"preference-applied\":\"return=minimal\",\"location\":\"/v1/students/s1\"},"
              "\"body\":null},{\"status\":204,\"headers\":{},\"body\":null}]}");
}

static void the_operation_that_failed_is_named(void **state) {
  (void)state;
  Exchange *exchange =
      ask("{\"method\":\"GET\",\"path\":\"/v1/students/s/marks\"},{\"method\":\"DELETE\",\"path\":\"/v1/students/s1\"}", (Str){0});
  CallGroup *group = &exchange->request.group;
  group->calls[2].result = (Result){.code = CODE_CONFLICT, .problem = problem_create(arena, CODE_CONFLICT, STR("in use"))};
  group->failed = 2;
  FACE_REST.encode(&exchange->request);
  assert_int_equal(exchange->request.response.status, 409);
  assert_int_equal(exchange->request.problem->operation, 1);
}

static void an_answer_that_is_kept_is_given_again(void **state) {
  (void)state;
  Exchange *exchange = ask("{\"method\":\"DELETE\",\"path\":\"/v1/students/s1\"}", STR("\"k\""));
  CallGroup *group = &exchange->request.group;
  assert_non_null(group->idempotency);
  assert_text(group->idempotency->key, "k");
  const Problem *problem = NULL;
  group->failed = group->count;
  assert_int_equal(group->answer(group, &problem), CODE_OK);
  Str kept = group->idempotency->answer;
  Exchange *again = ask("{\"method\":\"DELETE\",\"path\":\"/v1/students/s1\"}", STR("\"k\""));
  assert_true(str_equal(again->request.group.idempotency->fingerprint, group->idempotency->fingerprint));
  again->request.group.idempotency->replay = kept;
  FACE_REST.encode(&exchange->request);
  FACE_REST.encode(&again->request);
  assert_int_equal(again->request.response.status, exchange->request.response.status);
  assert_true(str_equal(again->request.response.body, exchange->request.response.body));
  assert_int_equal(again->request.response.header_count, exchange->request.response.header_count);
  Exchange *other = ask("{\"method\":\"DELETE\",\"path\":\"/v1/students/s2\"}", STR("\"k\""));
  assert_false(str_equal(other->request.group.idempotency->fingerprint, group->idempotency->fingerprint));
  assert_null(ask("{\"method\":\"GET\",\"path\":\"/v1/students\"}", STR("\"k\""))->request.group.idempotency);
}

static void kept_bytes_that_are_broken_are_refused(void **state) {
  (void)state;
  HttpResponse response = {0};
  static const Str bad[] = {STR_INIT(""),      STR_INIT("200"),    STR_INIT("200\n"),
                            STR_INIT("x\n\n"), STR_INIT("99\n\n"), STR_INIT("200\na\n\n")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(rest_once_read(bad[i], arena, &response), CODE_INTERNAL);
  assert_int_equal(rest_once_read(STR("201\netag:\"a:b\"\n\nbody\n\nmore"), arena, &response), CODE_OK);
  assert_int_equal(response.status, 201);
  assert_text(response.headers[0].value, "\"a:b\"");
  assert_text(response.body, "body\n\nmore");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(its_requests_become_one_group_in_order),
      cmocka_unit_test(what_cannot_be_in_a_batch_names_its_operation),
      cmocka_unit_test(references_are_put_in_place_when_their_answer_is_there),
      cmocka_unit_test(a_reference_to_what_is_not_there_is_refused),
      cmocka_unit_test(its_answer_holds_each_ones),
      cmocka_unit_test(the_operation_that_failed_is_named),
      cmocka_unit_test(an_answer_that_is_kept_is_given_again),
      cmocka_unit_test(kept_bytes_that_are_broken_are_refused),
  };
  arena = arena_create(0);
  ContractFile file = {STR("school.graphql"), str_of(SCHOOL)};
  DiagnosticList diagnostics = {0};
  const EngineLimits limits = {
      .page_size = 20, .page_size_max = 100, .nesting_max = 5, .batch_max = 3, .filter_bytes_max = 4096, .result_bytes_max = 1 << 20};
  static const Face *const faces[] = {&FACE_REST};
  if (contract_load(&file, 1, arena, &contract, &diagnostics, NULL) != CODE_OK) return 1;
  if (api_create(contract, &limits, faces, 1, &api, NULL) != CODE_OK) return 1;
  int failed = cmocka_run_group_tests_name("rest_batch", tests, NULL, NULL);
  api_destroy(api);
  contract_destroy(contract);
  arena_destroy(arena);
  return failed;
}
