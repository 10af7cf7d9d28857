/* memory_test.c - a document that the server has seen allocates nothing that outlives its request: thousands more of it, asked of the whole
 * server in this process, leave as many bytes of the heap in use as there were. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "../fuzz/request/contract.h"
#include "../fuzz/request/server.h"
#include "base/buf.h"

enum {
  CALLS = 1000,
  ROUNDS = 3,
  REQUESTS_BYTES_MAX = 4 * 1024 * 1024,
  PATIENCE_MS = 10000,
  MOMENT_MS = 500,
  STEP_MS = 10,
  KEPT_BYTES = 2 * 17 * 1024
};

/* In a build with the address sanitizer that knows, to the byte. Without it glibc tells what is in use and what its threads keep for their
 * next allocations, which comes and goes; a single allocation of each call would be 16 bytes. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
static bool is_exact(void) { return __sanitizer_get_current_allocated_bytes != NULL; }
static size_t heap_bytes(void) { return is_exact() ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks; }

/* All of them over one connection, which then ends. */
static void ask(const char *body) {
  Arena *arena = arena_create(0);
  Buf out = buf_on(arena, REQUESTS_BYTES_MAX);
  for (int i = 1; i <= CALLS; i++) {
    buf_printf(&out, "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n%s\r\n%s", strlen(body),
               i == CALLS ? "connection: close\r\n" : "", body);
  }
  assert_int_equal(out.failed, CODE_OK);
  bool is_silent;
  Str rest = request_server_ask(buf_str(&out), false, arena, &is_silent), line;
  assert_false(is_silent);
  size_t answered = 0;
  while (str_split_next(&rest, '\n', &line)) {
    answered += str_contains(line, STR("HTTP/1.1 200")); /* behind the body before it */
    if (str_contains(line, STR("\"errors\""))) fail_msg("%.*s", STR_ARGS(line));
  }
  assert_int_equal(answered, CALLS);
  arena_destroy(arena);
}

/* The least of a while: a connection is let go a moment after its client has seen it end. */
static size_t settled_bytes(size_t wanted, int patience_ms) {
  size_t least = heap_bytes();
  for (int waited = 0; least > wanted && waited < patience_ms; waited += STEP_MS) {
    (void)usleep(STEP_MS * 1000);
    size_t bytes = heap_bytes();
    if (bytes < least) least = bytes;
  }
  return least;
}

/* A loop that was held up may keep a block or two more for its next answers. An allocation of 16 bytes a call is more than that behind the
 * last round. */
static void assert_flat(const char *body) {
  for (int i = 0; i < ROUNDS; i++) ask(body);
  size_t most = settled_bytes(0, MOMENT_MS) + (is_exact() ? KEPT_BYTES : CALLS * 8);
  for (int i = 0; i < ROUNDS; i++) {
    ask(body);
    assert_in_range(settled_bytes(most, PATIENCE_MS), 0, most);
  }
}

static void a_document_of_one_row_leaves_nothing(void **state) {
  (void)state;
  assert_flat("{\"query\":\"query($id: ID!) { product(id: $id) { id name price category { name } } }\",\"variables\":{\"id\":\"" PRODUCT_KEY
              "\"}}");
}
static void a_document_of_nested_lists_leaves_nothing(void **state) {
  (void)state;
  assert_flat("{\"query\":\"{ products(first: 20, where: {stock: {gte: 0}}) { totalCount nodes { id reviews(first: 5) { nodes { id stars } "
              "} } } }\"}");
}
static void a_document_of_groups_leaves_nothing(void **state) {
  (void)state;
  assert_flat("{\"query\":\"query($w: ProductWhere) { productsAggregate(where: $w, by: [status]) { count sum { stock } } "
              "}\",\"variables\":{\"w\":{\"name\":{\"startsWith\":\"T\"}}}}");
}

static int start_server(void **state) {
  (void)state;
  return request_server() == NULL;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_document_of_one_row_leaves_nothing),
      cmocka_unit_test(a_document_of_nested_lists_leaves_nothing),
      cmocka_unit_test(a_document_of_groups_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, start_server, NULL);
}
