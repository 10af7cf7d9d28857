/* api_test.c - faces side by side: who is asked first, and what each keeps of its contracts. */
#include "api/face.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "api/face_registry.h"
#include "contract/load.h"

static int first_prepared, second_prepared;
static size_t joined;

static bool takes_all(const Api *api, const HttpRequest *request) { return api != NULL && request != NULL; }
static bool takes_posts(const Api *api, const HttpRequest *request) { return api != NULL && request->method == HTTP_POST; }
static Code prepare_first(const Api *api, const FaceOptions *options, void **ret, Error *err) {
  (void)options;
  *ret = &first_prepared;
  return api->contract != NULL ? CODE_OK : error_no_memory(err);
}
static Code prepare_second(const Api *api, const FaceOptions *options, void **ret, Error *err) {
  (void)api;
  *ret = &second_prepared;
  return options->contract_path.len == 0 ? CODE_OK : error_set(err, CODE_BAD_REQUEST, "no such file");
}
static Code join(Api *const *apis, size_t count, Error *err) {
  (void)err;
  assert_ptr_not_equal(apis[0], apis[count - 1]);
  joined = count;
  return CODE_OK;
}

static const Face posts = {.name = STR_INIT("posts"), .accepts = takes_posts, .prepare = prepare_first, .join = join},
                  all = {.name = STR_INIT("all"), .accepts = takes_all, .prepare = prepare_second}, bare = {.accepts = takes_all};
static const Face *const faces[] = {&posts, &all};

static int set_up(void **state) {
  Arena *arena = arena_create(0);
  ContractFile file = {STR("a.graphql"), STR("type A @resource @access(read: \"true\") { id: ID! }")};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  assert_int_equal(contract_load(&file, 1, arena, &contract, &diagnostics, NULL), CODE_OK);
  arena_destroy(arena);
  *state = contract;
  return 0;
}

static int tear_down(void **state) {
  contract_destroy(*state);
  return 0;
}

static Api *make(void **state) {
  EngineLimits limits = {0};
  Api *api = NULL;
  assert_int_equal(api_create(*state, &limits, faces, 2, &api, NULL), CODE_OK);
  return api;
}

static void the_first_face_that_takes_a_request_has_it(void **state) {
  Api *api = make(state);
  HttpRequest get = {.method = HTTP_GET}, post = {.method = HTTP_POST};
  assert_ptr_equal(api_face(api, &get), &all);
  assert_ptr_equal(api_face(api, &post), &posts);
  api_destroy(api);
}

static void each_face_has_back_what_it_has_prepared(void **state) {
  Api *api = make(state), *other = make(state);
  FaceOptions options = {0};
  assert_null(api_prepared(api, &posts));
  assert_int_equal(api_prepare(api, &options, NULL), CODE_OK);
  assert_ptr_equal(api_prepared(api, &posts), &first_prepared);
  assert_ptr_equal(api_prepared(api, &all), &second_prepared);
  assert_null(api_prepared(api, &bare));
  assert_int_equal(api_join((Api *const[]){api, other}, 2, NULL), CODE_OK);
  assert_int_equal(joined, 2);
  api_destroy(api);
  api_destroy(other);
}

static void a_face_that_can_not_be_prepared_says_why(void **state) {
  Api *api = make(state);
  FaceOptions options = {.contract_path = STR("x")};
  Error err = {0};
  assert_int_equal(api_prepare(api, &options, &err), CODE_BAD_REQUEST);
  assert_string_equal(err.text, "no such file");
  api_destroy(api);
}

static void every_face_that_is_built_in_can_do_what_is_asked_of_all(void **state) {
  (void)state;
  size_t count = 0;
  const Face *const *built = api_faces(&count);
  assert_true(count > 0);
  for (size_t i = 0; i < count; i++) {
    const Face *face = built[i];
    assert_true(face->name.len > 0);
    assert_true(face->accepts != NULL && face->decode != NULL && face->encode != NULL && face->encode_problem != NULL);
    assert_int_equal(face->method == NULL, face->methods == NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_face_that_takes_a_request_has_it),
      cmocka_unit_test(each_face_has_back_what_it_has_prepared),
      cmocka_unit_test(a_face_that_can_not_be_prepared_says_why),
      cmocka_unit_test(every_face_that_is_built_in_can_do_what_is_asked_of_all),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
