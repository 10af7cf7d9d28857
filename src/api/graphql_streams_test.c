/* graphql_streams_test.c - a stream's life and limits on one loop; its reader and its operations on threads of their own. */
#include "api/graphql_streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/memory.h"

static const GraphqlStreamLimits LIMITS = {
    .streams_max = 3, .operations_max = 4, .queued_bytes_max = 1000, .total_bytes_max = 1500, .reservation_ms = 100, .heartbeat_ms = 1000};
static const GraphqlStreamOwner ANYBODY = {{NULL, 0}, {NULL, 0}}, ANN = {STR_INIT("ann"), {NULL, 0}}, BOB = {STR_INIT("bob"), {NULL, 0}},
                                CID = {STR_INIT("cid"), {NULL, 0}};

/* The same, with room for all that is sent. */
static const GraphqlStreamLimits ROOMY = {.streams_max = 3,
                                          .operations_max = 4,
                                          .queued_bytes_max = 1000,
                                          .total_bytes_max = (size_t)16 * 1024 * 1024,
                                          .reservation_ms = 100,
                                          .heartbeat_ms = 1000};

static GraphqlStreams *make_streams(const GraphqlStreamLimits *limits) {
  GraphqlStreams *streams;
  Error err;
  assert_int_equal(graphql_streams_create(limits, &streams, &err), CODE_OK);
  return streams;
}

static Loop *make_loop(void) {
  Loop *loop;
  Error err;
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  return loop;
}

/* ---- On one loop ---- */

typedef struct Fixture {
  Loop *loop;
  Arena *arena;
  GraphqlStreams *streams;
  size_t reader_wakes, room_wakes, stops, ends;
} Fixture;

static void stop_loop(void *context) { loop_stop(context); }

/* All wake-ups that are on their way. */
static void turn_loop(Loop *loop) {
  LoopMessage last = {.run = stop_loop, .context = loop};
  loop_post(loop, &last);
  loop_run(loop);
}

static void turn(Fixture *fixture) { turn_loop(fixture->loop); }

static void count_reader(void *context) {
  Fixture *fixture = context;
  fixture->reader_wakes++;
}

static void count_writer(void *context, GraphqlStreamNews news) {
  Fixture *fixture = context;
  (*(news == GRAPHQL_STREAM_OVER ? &fixture->ends : news == GRAPHQL_STREAM_STOP ? &fixture->stops : &fixture->room_wakes))++;
}

static int set_up(void **state) {
  Fixture *fixture = calloc(1, sizeof *fixture);
  assert_non_null(fixture);
  fixture->loop = make_loop();
  fixture->arena = arena_create(0);
  assert_non_null(fixture->arena);
  fixture->streams = make_streams(&LIMITS);
  *state = fixture;
  return 0;
}

static int set_up_roomy(void **state) {
  if (set_up(state) != 0) return 1;
  Fixture *fixture = *state;
  graphql_streams_destroy(fixture->streams);
  fixture->streams = make_streams(&ROOMY);
  return 0;
}

static int tear_down(void **state) {
  Fixture *fixture = *state;
  graphql_streams_destroy(fixture->streams);
  loop_destroy(fixture->loop);
  arena_destroy(fixture->arena);
  free(fixture);
  return 0;
}

static Str reserve_at(Fixture *fixture, const GraphqlStreamOwner *owner, uint64_t now_ms) {
  Str token;
  Error err;
  assert_int_equal(graphql_stream_reserve(fixture->streams, owner, now_ms, fixture->arena, &token, &err), CODE_OK);
  return token;
}

static GraphqlStream *find_at(Fixture *fixture, Str token, uint64_t now_ms) {
  return graphql_stream_find(fixture->streams, token, &ANYBODY, now_ms);
}

static bool is_there(Fixture *fixture, Str token, uint64_t now_ms) {
  GraphqlStream *stream = find_at(fixture, token, now_ms);
  graphql_stream_release(stream);
  return stream != NULL;
}

static Code join(Fixture *fixture, GraphqlStream *stream, const char *id, GraphqlStreamOperation **ret) {
  GraphqlStreamWriter writer = {.loop = fixture->loop, .wake = count_writer, .context = fixture};
  return graphql_stream_join(stream, str_of(id), &writer, ret);
}

static Code open_by(Fixture *fixture, GraphqlStream *stream) {
  GraphqlStreamReader reader = {.loop = fixture->loop, .wake = count_reader, .context = fixture};
  return graphql_stream_open(stream, &reader);
}

static bool send(GraphqlStreamOperation *operation, Str text) { return graphql_stream_send(operation, &text, 1); }

static GraphqlStreamState take(GraphqlStream *stream, const char *expected) {
  Buf taken;
  GraphqlStreamState state = graphql_stream_take(stream, &taken);
  assert_true(str_equal(buf_str(&taken), str_of(expected)));
  buf_done(&taken);
  return state;
}

static Str of_bytes(Fixture *fixture, size_t count) {
  char *bytes = arena_alloc(fixture->arena, count);
  assert_non_null(bytes);
  memset(bytes, 'x', count);
  return (Str){bytes, count};
}

static void a_stream_is_its_owners_and_there_until_its_time_is_over(void **state) {
  Fixture *fixture = *state;
  Str token = reserve_at(fixture, &ANN, 1000);
  GraphqlStream *stream = graphql_stream_find(fixture->streams, token, &ANN, 1099);
  assert_non_null(stream);
  assert_int_equal(graphql_stream_left_ms(stream, 1040), 60);
  assert_null(graphql_stream_find(fixture->streams, token, &BOB, 1099));
  assert_null(graphql_stream_find(fixture->streams, STR("ann"), &ANYBODY, 1099));
  graphql_stream_expire(stream, 1099);
  assert_int_equal(graphql_streams_count(fixture->streams), 1);
  graphql_stream_expire(stream, 1100);
  assert_int_equal(graphql_streams_count(fixture->streams), 0);
  assert_int_equal(open_by(fixture, stream), CODE_NOT_FOUND);
  assert_int_equal(graphql_stream_left_ms(stream, 1100), 0);
  graphql_stream_release(stream);
  Str late = reserve_at(fixture, &ANN, 2000);
  assert_false(is_there(fixture, late, 2100));
}

static void whoever_has_the_token_has_the_certificate_too(void **state) {
  Fixture *fixture = *state;
  GraphqlStreamOwner ann = {STR("ann"), STR("CN=ann")};
  const GraphqlStreamOwner alone = {{NULL, 0}, STR("CN=ann")}, other = {{NULL, 0}, STR("CN=bob")};
  Str token = reserve_at(fixture, &ann, 0);
  GraphqlStream *stream = graphql_stream_find(fixture->streams, token, &alone, 1);
  assert_non_null(stream);
  graphql_stream_release(stream);
  assert_null(graphql_stream_find(fixture->streams, token, &other, 1));
  assert_null(graphql_stream_find(fixture->streams, token, &ANYBODY, 1));
  assert_null(graphql_stream_find(fixture->streams, token, &ANN, 1));
}

static Code try_reserve(Fixture *fixture, const GraphqlStreamOwner *owner) {
  Str token;
  Error err;
  return graphql_stream_reserve(fixture->streams, owner, 50, fixture->arena, &token, &err);
}

/* Of three one owner may have two. */
static void an_owner_has_his_share_of_the_streams_and_who_has_most_makes_room(void **state) {
  Fixture *fixture = *state;
  Str first = reserve_at(fixture, &ANN, 0), second = reserve_at(fixture, &ANN, 1), third = reserve_at(fixture, &ANN, 2);
  assert_false(is_there(fixture, first, 3));
  Str bobs = reserve_at(fixture, &BOB, 4);
  assert_int_equal(graphql_streams_count(fixture->streams), 3);
  /* Ann has as many as he would have: his own goes. */
  Str bobs_other = reserve_at(fixture, &BOB, 5);
  assert_false(is_there(fixture, bobs, 6));
  /* Ann has more than he would have. */
  Str cids = reserve_at(fixture, &CID, 7);
  assert_false(is_there(fixture, second, 8));
  const Str left[] = {third, bobs_other, cids};
  GraphqlStream *read[3];
  for (size_t i = 0; i < 3; i++) {
    read[i] = find_at(fixture, left[i], 9);
    assert_int_equal(open_by(fixture, read[i]), CODE_OK);
    assert_int_equal(open_by(fixture, read[i]), CODE_CONFLICT);
  }
  /* What is read stays, and has no time. */
  assert_int_equal(try_reserve(fixture, &CID), CODE_UNAVAILABLE);
  assert_true(is_there(fixture, third, 1000000));
  graphql_stream_close(read[1]);
  assert_false(is_there(fixture, bobs_other, 10));
  Str more = reserve_at(fixture, &ANN, 11);
  GraphqlStream *full = find_at(fixture, more, 12);
  assert_int_equal(open_by(fixture, full), CODE_OK);
  graphql_stream_close(read[2]);
  assert_int_equal(try_reserve(fixture, &ANN), CODE_RATE_LIMITED);
  assert_int_equal(try_reserve(fixture, &BOB), CODE_OK);
  graphql_stream_close(full);
  graphql_stream_close(read[0]);
  graphql_stream_release(full);
  for (size_t i = 0; i < 3; i++) graphql_stream_release(read[i]);
}

static void drop_waiting(GraphqlStream *stream, size_t expected) {
  Buf taken;
  assert_int_equal(graphql_stream_take(stream, &taken), GRAPHQL_STREAM_GOES_ON);
  assert_int_equal(taken.len, expected);
  buf_done(&taken);
}

static void leaves(Fixture *fixture, GraphqlStreamOperation *operation, size_t bytes) {
  if (bytes > 0) assert_true(send(operation, of_bytes(fixture, bytes)));
  graphql_stream_leave(operation);
}

/* 1000 bytes and four operations: a result is taken for 250 bytes until there is one. */
static void operations_are_bounded_by_number_and_by_what_they_will_leave(void **state) {
  Fixture *fixture = *state;
  GraphqlStream *stream = find_at(fixture, reserve_at(fixture, &ANN, 0), 0);
  GraphqlStreamOperation *a, *b, *c, *d, *more;
  assert_int_equal(join(fixture, stream, "a", &a), CODE_OK);
  assert_int_equal(join(fixture, stream, "b", &b), CODE_OK);
  assert_int_equal(join(fixture, stream, "c", &c), CODE_OK);
  assert_int_equal(join(fixture, stream, "d", &d), CODE_OK);
  assert_int_equal(join(fixture, stream, "e", &more), CODE_RATE_LIMITED);
  graphql_stream_leave(d);
  assert_int_equal(join(fixture, stream, "a", &more), CODE_CONFLICT);
  /* 600 wait, and two more of such would be 1800. */
  leaves(fixture, a, 600);
  assert_int_equal(join(fixture, stream, "d", &more), CODE_RATE_LIMITED);
  /* Two of 600 are too many where nothing waits, too; one isn't. */
  drop_waiting(stream, 600);
  assert_int_equal(join(fixture, stream, "d", &more), CODE_RATE_LIMITED);
  graphql_stream_leave(c);
  assert_int_equal(join(fixture, stream, "d", &d), CODE_OK);
  assert_int_equal(join(fixture, stream, "e", &more), CODE_RATE_LIMITED);
  /* Who goes on for ever waits for room, and is not counted. */
  graphql_stream_begun(d);
  graphql_stream_begun(b);
  assert_int_equal(join(fixture, stream, "e", &more), CODE_OK);
  /* 100 after 600: a result is taken for 475 from now on. */
  leaves(fixture, more, 100);
  drop_waiting(stream, 100);
  assert_int_equal(join(fixture, stream, "e", &a), CODE_OK);
  assert_int_equal(join(fixture, stream, "f", &c), CODE_OK);
  graphql_stream_leave(a);
  graphql_stream_leave(c);
  /* The first is always begun, until too much waits. */
  assert_int_equal(join(fixture, stream, "e", &a), CODE_OK);
  leaves(fixture, a, 999);
  assert_int_equal(join(fixture, stream, "e", &a), CODE_OK);
  leaves(fixture, a, 1);
  assert_int_equal(join(fixture, stream, "e", &a), CODE_RATE_LIMITED);
  graphql_stream_leave(b);
  graphql_stream_leave(d);
  graphql_stream_release(stream);
}

/* 1500 bytes for three streams: from 750 on none may begin anything that holds more than 500. */
static void who_holds_more_than_his_part_begins_nothing_while_others_do(void **state) {
  Fixture *fixture = *state;
  GraphqlStream *anns = find_at(fixture, reserve_at(fixture, &ANN, 0), 0), *bobs = find_at(fixture, reserve_at(fixture, &BOB, 0), 0);
  GraphqlStreamOperation *a, *b, *more;
  assert_int_equal(join(fixture, anns, "a", &a), CODE_OK);
  assert_int_equal(join(fixture, bobs, "b", &b), CODE_OK);
  leaves(fixture, a, 700);
  assert_int_equal(join(fixture, anns, "a", &more), CODE_OK);
  graphql_stream_leave(more);
  leaves(fixture, b, 50);
  assert_int_equal(join(fixture, anns, "a", &more), CODE_UNAVAILABLE);
  assert_int_equal(join(fixture, bobs, "b", &more), CODE_OK);
  graphql_stream_leave(more);
  drop_waiting(anns, 700);
  assert_int_equal(join(fixture, anns, "a", &more), CODE_OK);
  graphql_stream_leave(more);
  graphql_stream_release(anns);
  graphql_stream_release(bobs);
}

/* Ann's two hold 850 together, Bob's 700: the larger of hers goes, whoever sends. */
static void where_there_is_no_room_the_largest_of_who_holds_most_is_cut(void **state) {
  Fixture *fixture = *state;
  GraphqlStream *streams[] = {find_at(fixture, reserve_at(fixture, &ANN, 0), 0), find_at(fixture, reserve_at(fixture, &ANN, 0), 0),
                              find_at(fixture, reserve_at(fixture, &BOB, 0), 0)};
  static const size_t sizes[] = {400, 450, 700};
  GraphqlStreamOperation *operations[3], *more;
  for (size_t i = 0; i < 3; i++) assert_int_equal(join(fixture, streams[i], "a", &operations[i]), CODE_OK);
  assert_int_equal(open_by(fixture, streams[1]), CODE_OK);
  for (size_t i = 0; i < 3; i++) assert_true(send(operations[i], of_bytes(fixture, sizes[i])));
  assert_int_equal(graphql_streams_waiting(fixture->streams), 1100);
  turn(fixture);
  assert_int_equal(fixture->reader_wakes, 1);
  assert_int_equal(fixture->ends, 1);
  assert_int_equal(take(streams[1], ""), GRAPHQL_STREAM_CUT);
  assert_int_equal(join(fixture, streams[1], "b", &more), CODE_NOT_FOUND);
  graphql_stream_close(streams[1]);
  /* What is sent behind the end is nothing to count. */
  assert_true(send(operations[1], of_bytes(fixture, 1000)));
  assert_int_equal(graphql_streams_waiting(fixture->streams), 1100);
  for (size_t i = 0; i < 3; i++) graphql_stream_leave(operations[i]);
  drop_waiting(streams[0], 400);
  drop_waiting(streams[2], 700);
  turn(fixture);
  for (size_t i = 0; i < 3; i++) graphql_stream_release(streams[i]);
}

static void the_reader_is_woken_once_for_what_waits_and_a_writer_for_room(void **state) {
  Fixture *fixture = *state;
  GraphqlStream *stream = find_at(fixture, reserve_at(fixture, &ANN, 0), 0);
  GraphqlStreamOperation *operation;
  assert_int_equal(join(fixture, stream, "a", &operation), CODE_OK);
  assert_true(send(operation, STR("one ")));
  turn(fixture);
  assert_int_equal(fixture->reader_wakes, 0);
  assert_int_equal(open_by(fixture, stream), CODE_OK);
  assert_true(send(operation, STR("two")));
  turn(fixture);
  assert_int_equal(fixture->reader_wakes, 1);
  assert_int_equal(take(stream, "one two"), GRAPHQL_STREAM_GOES_ON);
  assert_int_equal(take(stream, ""), GRAPHQL_STREAM_GOES_ON);
  turn(fixture);
  assert_int_equal(fixture->room_wakes, 0);
  assert_false(send(operation, of_bytes(fixture, (size_t)64 * 1024)));
  Buf taken;
  assert_int_equal(graphql_stream_take(stream, &taken), GRAPHQL_STREAM_GOES_ON);
  buf_done(&taken);
  turn(fixture);
  assert_int_equal(fixture->room_wakes, 1);
  /* Once it has left it is not woken, though it was about to be. */
  assert_false(send(operation, of_bytes(fixture, (size_t)64 * 1024)));
  assert_int_equal(graphql_stream_take(stream, &taken), GRAPHQL_STREAM_GOES_ON);
  buf_done(&taken);
  graphql_stream_leave(operation);
  turn(fixture);
  assert_int_equal(fixture->room_wakes, 1);
  graphql_stream_close(stream);
  graphql_stream_release(stream);
}

static void who_is_stopped_says_its_last_word_but_not_behind_the_end(void **state) {
  Fixture *fixture = *state;
  GraphqlStream *stream = find_at(fixture, reserve_at(fixture, &ANN, 0), 0);
  GraphqlStreamOperation *a, *b;
  assert_int_equal(open_by(fixture, stream), CODE_OK);
  assert_int_equal(join(fixture, stream, "a", &a), CODE_OK);
  assert_int_equal(join(fixture, stream, "b", &b), CODE_OK);
  graphql_stream_stop(stream, STR("nothing"));
  graphql_stream_stop(stream, STR("a"));
  turn(fixture);
  assert_int_equal(fixture->stops, 1);
  assert_true(send(a, STR("complete")));
  graphql_stream_leave(a);
  /* At the server's end: what is under way, and then no more. */
  graphql_stream_drain(stream);
  assert_int_equal(take(stream, "complete"), GRAPHQL_STREAM_GOES_ON);
  GraphqlStreamOperation *late;
  assert_int_equal(join(fixture, stream, "late", &late), CODE_UNAVAILABLE);
  assert_true(send(b, STR("last")));
  graphql_stream_leave(b);
  assert_int_equal(take(stream, "last"), GRAPHQL_STREAM_ENDED);
  graphql_stream_close(stream);
  assert_int_equal(join(fixture, stream, "late", &late), CODE_NOT_FOUND);
  turn(fixture);
  graphql_stream_release(stream);
}

static void without_memory_nothing_is_begun_and_what_is_missing_is_seen(void **state) {
  Fixture *fixture = *state;
  Str token;
  Error err;
  for (size_t n = 1; n <= 3; n++) {
    memory_fail_after(n);
    Code code = graphql_stream_reserve(fixture->streams, &ANN, 0, fixture->arena, &token, &err);
    memory_fail_after(0);
    if (code != CODE_OK) assert_int_equal(code, CODE_UNAVAILABLE);
  }
  GraphqlStream *stream = find_at(fixture, reserve_at(fixture, &ANN, 0), 0);
  GraphqlStreamOperation *operation;
  memory_fail_after(1);
  assert_int_equal(join(fixture, stream, "a", &operation), CODE_UNAVAILABLE);
  memory_fail_after(0);
  assert_int_equal(join(fixture, stream, "a", &operation), CODE_OK);
  assert_int_equal(open_by(fixture, stream), CODE_OK);
  Str large = of_bytes(fixture, 100000);
  memory_fail_after(1);
  (void)send(operation, large);
  memory_fail_after(0);
  assert_int_equal(take(stream, ""), GRAPHQL_STREAM_CUT);
  turn(fixture);
  assert_int_equal(fixture->ends, 1);
  graphql_stream_leave(operation);
  graphql_stream_close(stream);
  turn(fixture);
  graphql_stream_release(stream);
}

/* ---- On threads ---- */

enum { WRITERS = 4, LINES = 3000, LINE_BYTES = 64 };

typedef struct Writer {
  pthread_t thread;
  Loop *loop;
  LoopMessage begin;
  GraphqlStream *stream;
  GraphqlStreamOperation *operation;
  char id;
  int next;
  bool was_stopped;
} Writer;

typedef struct Reader {
  Loop *loop;
  GraphqlStream *stream;
  size_t closes_after; /* bytes; 0: reads on to the end */
  size_t bytes;
  int next[WRITERS];
  LoopMessage begin;
} Reader;

static void writer_leaves(Writer *writer) {
  graphql_stream_leave(writer->operation);
  writer->operation = NULL;
  loop_stop(writer->loop);
}

static void write_on(Writer *writer) {
  bool has_room = true;
  while (has_room && writer->next < LINES) {
    char line[LINE_BYTES + 1];
    (void)snprintf(line, sizeof line, "%c%0*d\n", writer->id, LINE_BYTES - 2, writer->next++);
    has_room = send(writer->operation, (Str){line, LINE_BYTES});
  }
  if (writer->next == LINES) writer_leaves(writer);
}

static void on_writer_woken(void *context, GraphqlStreamNews news) {
  Writer *writer = context;
  if (news == GRAPHQL_STREAM_HAS_ROOM) return write_on(writer);
  writer->was_stopped = true;
  writer_leaves(writer);
}

static void begin_writing(void *context) { write_on(context); }

static void *run_writer(void *context) {
  Writer *writer = context;
  loop_run(writer->loop);
  return NULL;
}

static void take_lines(Reader *reader, Str taken) {
  assert_int_equal(taken.len % LINE_BYTES, 0);
  for (size_t at = 0; at < taken.len; at += LINE_BYTES) {
    int writer = taken.ptr[at] - 'a';
    char number[LINE_BYTES] = {0};
    memcpy(number, taken.ptr + at + 1, LINE_BYTES - 2);
    assert_int_equal(strtol(number, NULL, 10), reader->next[writer]++);
  }
  reader->bytes += taken.len;
}

static void read_on(void *context) {
  Reader *reader = context;
  Buf taken;
  GraphqlStreamState state = graphql_stream_take(reader->stream, &taken);
  take_lines(reader, buf_str(&taken));
  buf_done(&taken);
  bool has_enough = reader->closes_after > 0 && reader->bytes >= reader->closes_after;
  if (state == GRAPHQL_STREAM_GOES_ON && !has_enough) return;
  graphql_stream_close(reader->stream);
  loop_stop(reader->loop);
}

static void begin_draining(void *context) {
  const Reader *reader = context;
  graphql_stream_drain(reader->stream);
}

static GraphqlStream *make_stream(GraphqlStreams *streams) {
  Arena *arena = arena_create(0);
  Str token;
  Error err;
  assert_int_equal(graphql_stream_reserve(streams, &ANN, 0, arena, &token, &err), CODE_OK);
  GraphqlStream *stream = graphql_stream_find(streams, token, &ANYBODY, 0);
  assert_non_null(stream);
  arena_destroy(arena);
  return stream;
}

static void start_writers(Writer *writers, GraphqlStream *stream) {
  for (int i = 0; i < WRITERS; i++) {
    Writer *writer = &writers[i];
    *writer = (Writer){.loop = make_loop(), .stream = stream, .id = (char)('a' + i)};
    writer->begin = (LoopMessage){.run = begin_writing, .context = writer};
    GraphqlStreamWriter joins = {.loop = writer->loop, .wake = on_writer_woken, .context = writer};
    assert_int_equal(graphql_stream_join(stream, (Str){&writer->id, 1}, &joins, &writer->operation), CODE_OK);
    loop_post(writer->loop, &writer->begin);
  }
  for (int i = 0; i < WRITERS; i++) assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]), 0);
}

/* One reads what many write; `closes_after` as Reader's. What was read. */
static Reader read_of_many(Writer *writers, size_t closes_after) {
  GraphqlStreams *streams = make_streams(&ROOMY);
  Reader reader = {.loop = make_loop(), .stream = make_stream(streams), .closes_after = closes_after};
  GraphqlStreamReader opens = {.loop = reader.loop, .wake = read_on, .context = &reader};
  assert_int_equal(graphql_stream_open(reader.stream, &opens), CODE_OK);
  reader.begin = (LoopMessage){.run = begin_draining, .context = &reader};
  start_writers(writers, reader.stream);
  loop_post(reader.loop, &reader.begin);
  loop_run(reader.loop);
  for (int i = 0; i < WRITERS; i++) pthread_join(writers[i].thread, NULL);
  /* Wake-ups that were on their way when a writer or the reader left. */
  turn_loop(reader.loop);
  for (int i = 0; i < WRITERS; i++) {
    turn_loop(writers[i].loop);
    loop_destroy(writers[i].loop);
  }
  graphql_stream_release(reader.stream);
  loop_destroy(reader.loop);
  graphql_streams_destroy(streams);
  return reader;
}

static void one_reads_what_many_threads_write_each_in_its_order(void **state) {
  (void)state;
  Writer writers[WRITERS];
  Reader reader = read_of_many(writers, 0);
  for (int i = 0; i < WRITERS; i++) assert_int_equal(reader.next[i], LINES);
}

static void a_reader_who_leaves_stops_all_who_write(void **state) {
  (void)state;
  Writer writers[WRITERS];
  Reader reader = read_of_many(writers, (size_t)100 * LINE_BYTES);
  assert_true(reader.bytes >= (size_t)100 * LINE_BYTES);
  for (int i = 0; i < WRITERS; i++) {
    assert_true(writers[i].was_stopped || writers[i].next == LINES);
    assert_true(reader.next[i] <= writers[i].next);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_stream_is_its_owners_and_there_until_its_time_is_over, set_up, tear_down),
      cmocka_unit_test_setup_teardown(whoever_has_the_token_has_the_certificate_too, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_owner_has_his_share_of_the_streams_and_who_has_most_makes_room, set_up, tear_down),
      cmocka_unit_test_setup_teardown(operations_are_bounded_by_number_and_by_what_they_will_leave, set_up_roomy, tear_down),
      cmocka_unit_test_setup_teardown(who_holds_more_than_his_part_begins_nothing_while_others_do, set_up, tear_down),
      cmocka_unit_test_setup_teardown(where_there_is_no_room_the_largest_of_who_holds_most_is_cut, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_reader_is_woken_once_for_what_waits_and_a_writer_for_room, set_up_roomy, tear_down),
      cmocka_unit_test_setup_teardown(who_is_stopped_says_its_last_word_but_not_behind_the_end, set_up, tear_down),
      cmocka_unit_test_setup_teardown(without_memory_nothing_is_begun_and_what_is_missing_is_seen, set_up, tear_down),
      cmocka_unit_test(one_reads_what_many_threads_write_each_in_its_order),
      cmocka_unit_test(a_reader_who_leaves_stops_all_who_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
