/* request_test.c - memory that runs out while the whole server answers requests. Each request of requests.c is asked with one allocation
 * failing, and again with the next one, until it gets through untouched; on each of the threads that work for it. Whatever fails, there is
 * the right answer, or a refusal that says that memory is out, or the connection ends; what was written is there whole or not at all; and
 * the next requests are answered as if nothing had been. At the end nobody waits and nothing has leaked.
 *
 * Two passes: first what is asked is always new (tokens, documents, plans), then it is known already. So that it does not take minutes,
 * from some allocation on only every kth fails, from a place that the seed chooses.
 *   CAISSON_MEMORY=all        every allocation of every request
 *   CAISSON_MEMORY="update"   every allocation of that one
 *   CAISSON_SEED=n            other allocations
 *   CAISSON_MEMORY=places     not by counting: each place once (tests/faults/faults.h), of allocations and of what the store is asked
 * Arguments: the contract, request.graphql or statements.graphql (by places alone); the store, or "-" for SQLite; where TLS is spoken, a
 * folder with cert.pem and key.pem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "client.h"
#include "codec/base64.h"
#include "../faults/faults.h"
#include "codec/json.h"
#include "requests.h"
#include "server.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_do_recoverable_leak_check() 0
#endif

enum { FIRST_TRIES = 12, LATER_TRIES = 14, ALLOCATIONS_MAX = 100000, QUESTION_BYTES_MAX = 1 << 20, SHOWN_BYTES = 700, SHOWN_MAX = 300 };

static struct {
  ServerSetup setup;
  const RequestSet *set;
  uint64_t seed;
  const char *only; /* NULL: some of all; "all"; or one request's name */
  Str rows;         /* as they are at first */
  Str cursor;       /* behind the first product */
  Arena *arena;
  unsigned number;
  size_t tries, failures;
} world;

static uint64_t next_random(void) {
  world.seed = world.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return world.seed >> 33;
}

/* ---- questions ---- */

static Str filled(const char *text, Arena *arena) {
  Buf out = buf_on(arena, QUESTION_BYTES_MAX);
  for (const char *at = text; *at != '\0'; at++) {
    if (at[0] == '$' && at[1] == 'T')
      buf_add(&out, server_token(arena)), at++;
    else if (at[0] == '$' && at[1] == 'N')
      buf_printf(&out, "%u", world.number++), at++;
    else if (at[0] == '$' && at[1] == 'C')
      buf_add(&out, world.cursor), at++;
    else
      buf_add_byte(&out, *at);
  }
  return out.len == 0 ? STR("") : buf_str(&out);
}

/* As a path may hold it: what it escapes itself stays. */
static Str encoded(Str text, Arena *arena) {
  Buf out = buf_on(arena, QUESTION_BYTES_MAX);
  for (size_t i = 0; i < text.len; i++) {
    if ((unsigned char)text.ptr[i] > ' ' && strchr("\"<>\\^`{|}", text.ptr[i]) == NULL)
      buf_add_byte(&out, text.ptr[i]);
    else
      buf_printf(&out, "%%%02X", (unsigned char)text.ptr[i]);
  }
  return buf_str(&out);
}

static Str framed(const Asked *asked, Arena *arena) {
  Buf out = buf_on(arena, QUESTION_BYTES_MAX);
  for (const Str *message = asked->messages; message->ptr != NULL; message++) {
    for (int shift = 32; shift >= 0; shift -= 8) buf_add_byte(&out, (char)((uint64_t)message->len >> shift & 0xff));
    buf_add(&out, *message);
  }
  if (!asked->is_text) return buf_str(&out);
  Buf text = buf_on(arena, QUESTION_BYTES_MAX);
  base64_write(&text, buf_str(&out));
  return buf_str(&text);
}

/* RFC 6455 §5.2, with a mask of zeros. */
static Str as_websocket(const Asked *asked, Arena *arena) {
  Buf out = buf_on(arena, QUESTION_BYTES_MAX);
  for (const Str *message = asked->messages; message->ptr != NULL; message++) {
    buf_add(&out, STR("\x81"));
    if (message->len < 126) {
      buf_add_byte(&out, (char)(0x80 | message->len));
    } else {
      buf_add_byte(&out, (char)(0x80 | 126));
      buf_add_byte(&out, (char)(message->len >> 8));
      buf_add_byte(&out, (char)(message->len & 0xff));
    }
    buf_add(&out, (Str){"\0\0\0\0", 4});
    buf_add(&out, *message);
  }
  return buf_str(&out);
}

static Answer ask(const char *method, const char *path, const char *headers, const char *body, Arena *arena) {
  Question question = {
      .method = str_of(method), .path = str_of(path), .headers = filled(headers, arena), .is_tls = world.setup.tls_folder != NULL};
  Answer answer;
  if (body != NULL) question.body = str_of(body);
  client_ask(server_connect(), &question, arena, &answer);
  return answer;
}

static Answer patch_row(const char *change, Arena *arena) {
  return ask("PATCH", world.set->row, "content-type: application/merge-patch+json\nauthorization: Bearer $T\n", change, arena);
}

/* While an allocation is failing: where it fails here, it is done again. What is as it was is no change. */
static void change_row(void *context) {
  for (size_t change = 0; change < 2; change++)
    for (int i = 0; i < 2 && patch_row(world.set->changes[change], context).status != 200; i++) {}
}

static void question_of(const Asked *asked, Arena *arena, Question *ret) {
  const char *headers = arena_printf(arena, "x-request-id: memory\n%s", asked->headers == NULL ? "" : asked->headers).ptr;
  *ret = (Question){.method = str_of(asked->method),
                    .path = encoded(filled(asked->path, arena), arena),
                    .headers = filled(headers, arena),
                    .is_http2 = asked->is_http2,
                    .is_tls = world.setup.tls_folder != NULL,
                    .is_websocket = asked->is_websocket};
  if (asked->body != NULL) ret->body = filled(asked->body, arena);
  if (asked->bytes.ptr != NULL) ret->body = asked->bytes;
  if (asked->messages[0].ptr != NULL) ret->body = asked->is_websocket ? as_websocket(asked, arena) : framed(asked, arena);
  if (asked->until == NULL) return;
  ret->until = str_of(asked->until);
  if (asked->ready == NULL) return;
  ret->ready = str_of(asked->ready);
  ret->move = change_row;
  ret->context = arena;
}

static Answer ask_asked(const Asked *asked, Arena *arena) {
  Question question;
  Answer answer;
  question_of(asked, arena, &question);
  client_ask(server_connect(), &question, arena, &answer);
  return answer;
}

/* ---- the rows ---- */

static void write_rows(const char *operations) {
  Arena *arena = arena_create(0);
  Str body = arena_printf(arena, "{\"operations\":%s}", operations);
  Answer answer = ask("POST", "/v1/batch", "content-type: application/json\nauthorization: Bearer $T\n", body.ptr, arena);
  if (answer.status != 200) fail_msg("the rows can't be written: %d %.*s", answer.status, STR_ARGS(answer.body));
  arena_destroy(arena);
}

static Answer ask_rows(Arena *arena) {
  return ask("POST", "/graphql", "content-type: application/json\nauthorization: Bearer $T\n", world.set->rows_asked, arena);
}

static Str ask_cursor(Arena *arena) {
  Answer answer = ask("GET", world.set->first_asked, "", NULL, arena);
  JsonValue json;
  if (json_parse(answer.body, JSON_DEPTH_DEFAULT, arena, &json, NULL) != CODE_OK) fail_msg("no page: %.*s", STR_ARGS(answer.body));
  return json_get(&json, STR("nextCursor"))->text;
}

/* ---- answers ---- */

static bool has(Str text, const char *part) { return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL; }

static bool is_same_header(const Answer *answer, const Answer *right, const char *name) {
  return str_equal(client_header(answer->head, str_of(name)), client_header(right->head, str_of(name)));
}

static bool is_right(const Asked *asked, const Answer *answer, const Answer *right) {
  static const char *const compared[] = {"location", "etag", "link", "allow", "www-authenticate", "position"};
  if (!answer->is_whole || answer->status != asked->status) return false;
  if (!is_same_header(answer, right, "content-type")) return false;
  if (asked->is_loose || asked->status >= 400)
    return asked->holds == NULL || has(answer->body, asked->holds) || has(answer->trailers, asked->holds) ||
           has(answer->head, asked->holds);
  for (size_t i = 0; i < sizeof compared / sizeof *compared; i++)
    if (!is_same_header(answer, right, compared[i])) return false;
  return str_equal(answer->body, right->body) && str_equal(answer->trailers, right->trailers);
}

/* That memory is out, as each protocol says it. */
static bool is_refusal(const Asked *asked, const Answer *answer) {
  if (!answer->is_whole) return false;
  switch (asked->protocol) {
    case REST:
      if (answer->status == 503 && str_equal(str_of(asked->method), STR("HEAD"))) return true;
      if (answer->status == 503 && has(answer->body, "{\"status\":\"failed\",\"detail\":\"out of memory\"}")) return true; /* /readyz */
      return has(answer->body, "\"code\":\"UNAVAILABLE\"") && (answer->status == 503 || asked->until != NULL);
    case GRAPHQL:
      if (asked->is_websocket && has(answer->body, "\x03\xf3out of memory")) return true; /* 1011 */
      return has(answer->body, "\"code\":\"UNAVAILABLE\"") && (answer->status == 503 || answer->status == 200 || answer->status == 101);
    case GRPC:
      if (asked->until != NULL && has(answer->body, "UNAVAILABLE")) return true;
      return answer->status == 503 ||
             (answer->status == 200 && (has(answer->trailers, "grpc-status: 14") || has(answer->head, "grpc-status: 14")));
    case GRPC_WEB:
      return answer->status == 503 ||
             (answer->status == 200 && (has(answer->head, "grpc-status: 14") || asked->is_text || has(answer->body, "grpc-status: 14")));
    case CONNECT:
      return (answer->status == 503 && (has(answer->body, "\"code\":\"unavailable\"") || has(answer->body, "\"code\":\"UNAVAILABLE\""))) ||
             (answer->status == 200 && has(answer->body, "\"code\":\"unavailable\""));
  }
  return false;
}

static bool is_closed(const Answer *answer) { return !answer->is_whole && !answer->is_silent; }

typedef struct Try {
  const Asked *asked;
  const Answer *right;
  Str rows_after; /* as they are when it is done */
  ServerThread thread;
  size_t n;
  bool is_known; /* the second pass */
} Try;

static void show(const char *what, Str text) {
  Str part = str_slice(text, 0, text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
  (void)fprintf(stderr, "# %s, %zu bytes: ", what, text.len);
  for (size_t i = 0; i < part.len; i++) {
    unsigned char byte = (unsigned char)part.ptr[i];
    (void)fprintf(stderr, byte >= ' ' && byte < 127 ? "%c" : byte == '\n' ? "\n#   " : "\\%03o", byte);
  }
  (void)fputc('\n', stderr);
}

static bool is_by_places(void) { return world.only != NULL && strcmp(world.only, "places") == 0; }

static void failure_begin(const Try *try) {
  if (!is_by_places()) {
    server_fail(try->thread, try->n);
    return;
  }
  /* So that arenas ask. */
  server_fail(SERVER_LOOP, SIZE_MAX);
  server_fail(SERVER_STORE, SIZE_MAX);
  faults_arm();
}

/* Whether it has failed. */
static bool failure_end(const Try *try) {
  bool has_fired = is_by_places() ? faults_disarm() : server_fired(try->thread);
  server_fail(SERVER_LOOP, 0);
  server_fail(SERVER_STORE, 0);
  return has_fired;
}

static void complain(const Try *try, const char *what, const Answer *answer) {
  static const char *const threads[] = {"the loop", "the store", "the signals' thread"};
  if (++world.failures > SHOWN_MAX) return;
  if (is_by_places()) faults_print();
  (void)fprintf(stderr, "# \"%s\", allocation %zu of %s%s: %s: %d%s\n", try->asked->name, try->n, threads[try->thread],
                try->is_known ? ", all known" : "", what, answer->status, answer->is_whole ? "" : " (cut)");
  show("head", answer->head);
  show("body", answer->body);
  show("trailers", answer->trailers);
}

/* ---- what must hold ---- */

/* A connection may have ended before the write that came by it: what is written behind that, of one row, is done behind it. */
static void wait_for_writes(void) {
  Arena *arena = arena_create(0);
  for (int i = 0; i < 3; i++) {
    Answer answer = patch_row("{}", arena);
    if (answer.status != 200 && answer.status != 404) fail_msg("nothing can be written: %d %.*s", answer.status, STR_ARGS(answer.body));
  }
  arena_destroy(arena);
}

/* Refused or not, what was written is there whole or not at all; then it is undone. */
static void check_rows(const Try *try, const Answer *answer, bool is_done) {
  Arena *arena = arena_create(0);
  if (try->asked->undo != NULL && !is_done) wait_for_writes();
  Answer rows = ask_rows(arena);
  bool is_before = str_equal(rows.body, world.rows), is_after = str_equal(rows.body, try->rows_after);
  if (rows.status != 200 || (!is_before && !is_after)) {
    complain(try, "then the rows are not as they should be", &rows);
    fail_msg("nothing can be told of what comes behind this");
  }
  if (try->asked->undo != NULL && is_done && !is_after) complain(try, "it was not done", answer);
  if (!is_before) write_rows(try->asked->undo);
  arena_destroy(arena);
}

static void check_next(const Try *try) {
  Arena *arena = arena_create(0);
  Answer next = ask_asked(try->asked, arena);
  if (!is_right(try->asked, &next, try->right)) complain(try, "the next answer is wrong", &next);
  if (try->asked->undo != NULL) write_rows(try->asked->undo);
  arena_destroy(arena);
}

/* False: the request got through untouched. */
static bool try_once(const Try *try) {
  Arena *arena = arena_create(0);
  world.tries++;
  failure_begin(try);
  Answer answer = ask_asked(try->asked, arena);
  bool has_fired = failure_end(try);
  bool is_done = is_right(try->asked, &answer, try->right);
  if (answer.is_silent)
    complain(try, "no answer", &answer);
  else if (answer.strange != NULL)
    complain(try, answer.strange, &answer);
  else if (!is_done && !is_refusal(try->asked, &answer) && !is_closed(&answer))
    complain(try, "a wrong answer", &answer);
  else if (!is_done && !has_fired)
    complain(try, "untouched, and yet not right", &answer);
  faults_note(!is_done);
  check_rows(try, &answer, is_done);
  if (try->is_known && has_fired) check_next(try);
  arena_destroy(arena);
  return has_fired;
}

/* ---- one request ---- */

static bool is_exhaustive(const Asked *asked) {
  return world.only != NULL && (strcmp(world.only, "all") == 0 || strcmp(world.only, asked->name) == 0);
}

static void sweep(Try *try) {
  /* Where an event was not told at once it is with the next look at the record of changes, a second later; handshakes take long, too. */
  size_t less = try->asked->ready != NULL || world.setup.tls_folder != NULL ? 3 : 1;
  bool is_all = is_exhaustive(try->asked);
  size_t stride = 1;
  for (try->n = 1; try->n < ALLOCATIONS_MAX; try->n += stride) {
    if (!try_once(try)) return;
    if (is_by_places()) continue;
    if (is_all || try->n < FIRST_TRIES / less) continue;
    /* Ever wider: as many for each doubling. */
    stride = 1 + next_random() % (2 * (try->n / (LATER_TRIES / less) + 1));
  }
  fail_msg("\"%s\" never gets through", try->asked->name);
}

static void check_request(const Asked *asked) {
  Arena *arena = arena_create(0);
  Answer right = ask_asked(asked, arena);
  Try try = {.asked = asked, .right = &right, .rows_after = world.rows};
  bool holds = asked->holds == NULL || has(right.body, asked->holds) || has(right.trailers, asked->holds) || has(right.head, asked->holds);
  if (!right.is_whole || right.status != asked->status || !holds) {
    complain(&try, "wrong even with memory", &right);
    arena_destroy(arena);
    return;
  }
  if (asked->undo != NULL) {
    try.rows_after = ask_rows(arena).body;
    write_rows(asked->undo);
    Answer rows = ask_rows(arena);
    if (!str_equal(rows.body, world.rows)) fail_msg("\"%s\" is not undone: %.*s", asked->name, STR_ARGS(rows.body));
  }
  for (int pass = 0; pass < 2; pass++) {
    try.is_known = pass == 1;
    for (ServerThread thread = SERVER_LOOP; thread <= (is_by_places() ? SERVER_LOOP : SERVER_STORE); thread++) {
      try.thread = thread;
      sweep(&try);
    }
  }
  arena_destroy(arena);
}

static void requests_are_answered_or_refused(void **state) {
  (void)state;
  server_open(&world.setup);
  write_rows(world.set->rows_made);
  world.rows = ask_rows(world.arena).body;
  world.cursor = ask_cursor(world.arena);
  for (size_t i = 0; i < world.set->count; i++) {
    const Asked *asked = &world.set->items[i];
    bool is_wanted = world.only == NULL || is_by_places() || strcmp(world.only, "all") == 0 || strcmp(world.only, asked->name) == 0;
    if (!is_wanted) continue;
    size_t tries = world.tries;
    check_request(asked);
    if (world.only != NULL) print_message("# %s: %zu tries\n", asked->name, world.tries - tries);
    if (__lsan_do_recoverable_leak_check() != 0) fail_msg("\"%s\" has leaked", asked->name);
  }
  server_close();
  print_message("# %zu tries\n", world.tries);
  if (world.failures > SHOWN_MAX) print_error("%zu failures in all\n", world.failures);
  assert_int_equal(world.failures, 0);
}

/* ---- beginning, and beginning anew ---- */

/* The nth allocations that are tried: all, or ever fewer. */
static size_t after(size_t n) {
  bool is_all = world.only != NULL && strcmp(world.only, "all") == 0;
  return is_all || n < FIRST_TRIES ? n + 1 : n + 1 + next_random() % (2 * (n / LATER_TRIES + 1));
}

static void a_start_is_made_or_refused(void **state) {
  (void)state;
  bool has_fired = true;
  size_t tries = 0;
  for (size_t n = 1; has_fired; n = after(n)) {
    Error err = {0};
    Code code = server_make(&world.setup, n, &has_fired, &err);
    if (code != CODE_OK && code != CODE_UNAVAILABLE) fail_msg("allocation %zu of the start: %d %s", n, (int)code, err.text);
    if (code != CODE_OK && !has_fired) fail_msg("allocation %zu of the start: untouched, and yet %s", n, err.text);
    if (tries++ > ALLOCATIONS_MAX) fail_msg("it never starts");
  }
  if (__lsan_do_recoverable_leak_check() != 0) fail_msg("the start has leaked");
  print_message("# %zu tries\n", tries);
}

/* What is read again is served, if not at once. */
static bool is_served(unsigned number) {
  char remark[40];
  (void)snprintf(remark, sizeof remark, "\"remark %u\"", number);
  for (int i = 0; i < 100; i++) {
    Arena *arena = arena_create(0);
    Answer answer = ask("GET", "/openapi.json", "", NULL, arena);
    bool is_new = has(answer.body, remark);
    arena_destroy(arena);
    if (is_new) return true;
    (void)usleep(20000);
  }
  return false;
}

/* False: it got through untouched. */
static bool read_again(ServerThread thread, size_t n, unsigned number, unsigned *served) {
  char why[300];
  bool is_read = false;
  server_remark(number);
  server_fail(thread, n);
  bool is_told = server_reload(&is_read, why, sizeof why);
  if (is_read) *served = number;
  bool is_right_one = is_served(*served); /* the loop has adopted it by then */
  bool has_fired = server_fired(thread);
  server_fail(thread, 0);
  if (!is_told) fail_msg("allocation %zu of reading again: nobody is told how it went", n);
  if (!is_read && !has_fired) fail_msg("allocation %zu of reading again: untouched, and yet %s", n, why);
  if (!is_right_one) fail_msg("allocation %zu of reading again: \"remark %u\" is not served", n, *served);
  return has_fired;
}

/* Read again or not: it is said, and what is served goes on. */
static void a_contract_is_read_again_or_kept(void **state) {
  (void)state;
  static const ServerThread threads[] = {SERVER_SIGNAL, SERVER_LOOP};
  unsigned number = 1, served = 0;
  server_open(&world.setup);
  for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
    size_t n = 1;
    if (served == 0) (void)read_again(SERVER_STORE, ALLOCATIONS_MAX, number, &served); /* the first remark */
    while (read_again(threads[i], n, ++number, &served)) n = after(n);
  }
  server_close();
  if (__lsan_do_recoverable_leak_check() != 0) fail_msg("reading again has leaked");
  print_message("# %u tries\n", number);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_are_answered_or_refused),
      cmocka_unit_test(a_start_is_made_or_refused),
      cmocka_unit_test(a_contract_is_read_again_or_kept),
  };
  const char *seed = getenv("CAISSON_SEED");
  world.seed = seed == NULL ? 20261126 : strtoull(seed, NULL, 10);
  world.only = getenv("CAISSON_MEMORY");
  world.setup = (ServerSetup){.contract = argc > 1 ? argv[1] : "request.graphql",
                              .store = argc > 2 && strcmp(argv[2], "-") != 0 ? argv[2] : NULL,
                              .tls_folder = argc > 3 ? argv[3] : NULL};
  world.set = strstr(world.setup.contract, "statements") != NULL ? &STATEMENTS : &ALL_FACES;
  world.arena = arena_create(0);
  print_message("# CAISSON_SEED=%llu\n", (unsigned long long)world.seed);
  if (is_by_places()) {
    world.setup.keeps_no_plans = true;
    faults_begin(FAULT_MEMORY | FAULT_SQLITE);
    faults_spare();
  }
  /* By places it is the requests alone. */
  int failed = is_by_places() ? _cmocka_run_group_tests("places", tests, 1, NULL, NULL) : cmocka_run_group_tests(tests, NULL, NULL);
  arena_destroy(world.arena);
  return failed;
}
