/* engine_fault_test.c - the engine over a store that fails and over memory that runs out: each step of a scenario of Operations is tried
 * with its first, second, third … thing failing, until it gets through. Every failure has its code and a problem, leaves the database as it
 * was, and does not keep the same step from working afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "codec/json.h"
#include "contract/expr.h"
#include "faulty_store.h"
#include "fixture.h"
#include "query/engine.h"

static const char contract[] = "extend schema @service(name: \"library\")\n"
                               "type Author @resource @access(read: \"true\", write: \"auth.id != null\") {\n"
                               "  code: String! @id\n"
                               "  name: String! @unique @length(min: 1, max: 50)\n"
                               "  books: [Book!]! @relation(inverse: \"author\")\n"
                               "}\n"
                               "type Book @resource @access(read: \"published || author.code == auth.id\", create: \"auth.id != null\",\n"
                               "    update: \"old.author.code == auth.id || 'staff' in auth.roles\", delete: \"'staff' in auth.roles\")\n"
                               "    @check(expr: \"title != author.name\") {\n"
                               "  code: String! @id\n"
                               "  title: String! @pattern(regex: \"^[A-Z]\")\n"
                               "  price: Decimal @range(min: \"0\")\n"
                               "  published: Boolean! @default(value: false)\n"
                               "  notes: JSON\n"
                               "  author: Author! @relation(inverse: \"books\")\n"
                               "}\n";

/* ---- one step ---- */

typedef struct Step {
  const char *name;
  Action action;
  const char *resource;
  const char *key;
  const char *input;
  const char *filter;
  const char *order; /* a field, descending */
  int64_t limit;
  bool is_counted;
  bool has_books;    /* an author's books are selected too */
  bool is_continued; /* from where the step before it ended */
  bool is_with_next; /* in one group, and so in one transaction where one of them writes */
  Code code;         /* with which it ends when nothing fails */
} Step;

static const Step steps[] = {
    {.name = "create with nested rows",
     .action = ACTION_CREATE,
     .resource = "Author",
     .input = "{\"code\":\"ann\",\"name\":\"Ann\",\"books\":{\"create\":[{\"code\":\"b1\",\"title\":\"One\",\"price\":\"12.50\","
              "\"published\":true},"
              "{\"code\":\"b2\",\"title\":\"Two\",\"price\":\"3\",\"notes\":{\"a\":[1,2]}}]}}",
     .has_books = true},
    {.name = "create many",
     .action = ACTION_CREATE,
     .resource = "Book",
     .input = "[{\"code\":\"b3\",\"title\":\"Three\",\"authorCode\":\"ann\",\"published\":true},"
              "{\"code\":\"b4\",\"title\":\"Four\",\"authorCode\":\"ann\",\"price\":\"7.25\"}]"},
    {.name = "get with a nested list", .action = ACTION_GET, .resource = "Author", .key = "ann", .has_books = true},
    {.name = "list",
     .action = ACTION_LIST,
     .resource = "Book",
     .filter = "author.name == 'Ann' && (price >= 1 || price == null)",
     .order = "price",
     .limit = 2,
     .is_counted = true},
    {.name = "list, the next page",
     .action = ACTION_LIST,
     .resource = "Book",
     .filter = "author.name == 'Ann' && (price >= 1 || price == null)",
     .order = "price",
     .limit = 2,
     .is_counted = true,
     .is_continued = true},
    {.name = "list with nested lists", .action = ACTION_LIST, .resource = "Author", .limit = 10, .has_books = true},
    {.name = "update", .action = ACTION_UPDATE, .resource = "Book", .key = "b1", .input = "{\"price\":\"13\",\"notes\":{\"b\":null}}"},
    {.name = "update with nested rows",
     .action = ACTION_UPDATE,
     .resource = "Author",
     .key = "ann",
     .input = "{\"books\":{\"update\":[{\"where\":{\"code\":\"b2\"},\"data\":{\"title\":\"Two again\"}}],\"delete\":[{\"code\":\"b4\"}]}}",
     .has_books = true},
    {.name = "replace what is not there", .action = ACTION_REPLACE, .resource = "Author", .key = "zed", .input = "{\"name\":\"Zed\"}"},
    {.name = "replace what is there", .action = ACTION_REPLACE, .resource = "Author", .key = "zed", .input = "{\"name\":\"Zoe\"}"},
    {.name = "two reads side by side", .action = ACTION_GET, .resource = "Book", .key = "b1", .is_with_next = true},
    {.name = "(the second)", .action = ACTION_LIST, .resource = "Author", .limit = 5},
    {.name = "a write and a read in one transaction",
     .action = ACTION_CREATE,
     .resource = "Author",
     .input = "{\"code\":\"bob\",\"name\":\"Bob\"}",
     .is_with_next = true},
    {.name = "(the read)", .action = ACTION_GET, .resource = "Author", .key = "bob", .has_books = true},
    {.name = "an input with mistakes",
     .action = ACTION_CREATE,
     .resource = "Author",
     .input = "{\"code\":1,\"nmae\":\"x\",\"books\":{\"create\":[{\"title\":\"lower\",\"price\":\"-1\"}]}}",
     .code = CODE_VALIDATION_FAILED},
    {.name = "a check that does not hold",
     .action = ACTION_CREATE,
     .resource = "Book",
     .input = "{\"code\":\"b9\",\"title\":\"Ann\",\"authorCode\":\"ann\"}",
     .code = CODE_VALIDATION_FAILED},
    {.name = "a reference to nothing",
     .action = ACTION_CREATE,
     .resource = "Book",
     .input = "{\"code\":\"b9\",\"title\":\"Nine\",\"authorCode\":\"nobody\"}",
     .code = CODE_VALIDATION_FAILED},
    {.name = "a name that is taken",
     .action = ACTION_CREATE,
     .resource = "Author",
     .input = "{\"code\":\"eve\",\"name\":\"Ann\"}",
     .code = CODE_CONFLICT},
    {.name = "all or none",
     .action = ACTION_CREATE,
     .resource = "Author",
     .input = "[{\"code\":\"eve\",\"name\":\"Eve\"},{\"code\":\"ann\",\"name\":\"Another\"}]",
     .code = CODE_CONFLICT},
    {.name = "what others refer to", .action = ACTION_DELETE, .resource = "Author", .key = "ann", .code = CODE_CONFLICT},
    {.name = "what is not there", .action = ACTION_UPDATE, .resource = "Book", .key = "none", .input = "{}", .code = CODE_NOT_FOUND},
    {.name = "a book of another author",
     .action = ACTION_CREATE,
     .resource = "Book",
     .input = "{\"code\":\"b5\",\"title\":\"Five\",\"authorCode\":\"zed\",\"published\":true}"},
    {.name = "nested lists of several rows", .action = ACTION_LIST, .resource = "Author", .limit = 10, .has_books = true},
    {.name = "aggregate", .action = ACTION_AGGREGATE, .resource = "Book"},
    {.name = "delete", .action = ACTION_DELETE, .resource = "Book", .key = "b3"},
};
enum { STEP_COUNT = sizeof steps / sizeof *steps, GROUP_MAX = 2, TEXT_MAX = 1 << 20, ATTEMPTS_MAX = 20000 };

/* ---- the world ---- */

typedef struct TextSink {
  ResultSink base; /* first */
  Buf text;
} TextSink;

typedef struct World {
  Fixture fixture;
  Store *faulty;
  StoreSession *session;
  Engine *engine;
  Arena *arena; /* of one attempt */
  Caller caller;
  Value roles[1];
  Call calls[GROUP_MAX];
  TextSink sinks[GROUP_MAX];
  CallGroup group;
  size_t done_count;
  Str cursor;                 /* on fixture.arena */
  StoreStatement *selects[2]; /* of all that is stored */
} World;

static void write_row(Buf *out, const Selection *selection, const Value *values);

static void write_value(Buf *out, const SelectionItem *item, const Value *value) {
  switch (value->type) {
    case VALUE_NULL: buf_add(out, STR("null")); return;
    case VALUE_BOOL: buf_add(out, value->boolean ? STR("true") : STR("false")); return;
    case VALUE_FLOAT: json_write_double(out, value->number); return;
    case VALUE_ROW: write_row(out, item->nested, value->row); return;
    case VALUE_ROWS:
      buf_add_byte(out, '[');
      for (size_t i = 0; i < value->rows->count; i++) write_row(out, item->nested, value->rows->rows[i]);
      buf_add_byte(out, ']');
      return;
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON: buf_add(out, value->text); return;
    default: buf_add_int64(out, value->integer);
  }
}

static void write_row(Buf *out, const Selection *selection, const Value *values) {
  buf_add_byte(out, '(');
  for (size_t i = 0; i < selection->count; i++) {
    if (i > 0) buf_add_byte(out, ' ');
    write_value(out, &selection->items[i], &values[i]);
  }
  buf_add_byte(out, ')');
}

enum { AGGREGATE_COLUMNS = 3 };

static Code sink_row(ResultSink *base, const Selection *selection, const Value *values, Error *err) {
  TextSink *sink = (TextSink *)base;
  if (selection != NULL)
    write_row(&sink->text, selection, values);
  else
    for (size_t i = 0; i < AGGREGATE_COLUMNS; i++) {
      write_value(&sink->text, NULL, &values[i]);
      buf_add_byte(&sink->text, ' ');
    }
  return sink->text.failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

static void sink_restart(ResultSink *base) {
  TextSink *sink = (TextSink *)base;
  buf_done(&sink->text);
  sink->text = buf_on_heap(TEXT_MAX);
}

/* `is_bare`: without the faulty store, as a server has it. */
static void world_open(World *world, const StoreCase *store_case, bool is_bare) {
  *world = (World){0};
  fixture_open(&world->fixture, store_case, contract);
  world->faulty = faulty_store_open(world->fixture.store);
  Error error = {0};
  Store *store = is_bare ? world->fixture.store : world->faulty;
  assert_int_equal(store_session_open(store, world->fixture.loop, &world->session, &error), CODE_OK);
  EngineLimits limits = {.page_size = 20,
                         .page_size_max = 100,
                         .nesting_max = 5,
                         .batch_max = 100,
                         .filter_bytes_max = 4096,
                         .result_bytes_max = 1 << 20,
                         .plans_max = 64};
  assert_int_equal(engine_create(world->fixture.contract, world->session, &limits, &world->engine, &error), CODE_OK);
  world->selects[0] = statement_make(&world->fixture, "SELECT {c:Author.code}, {c:Author.name} FROM authors ORDER BY code", false);
  world->selects[1] = statement_make(&world->fixture,
                                     "SELECT {c:Book.code}, {c:Book.title}, {c:Book.price}, {c:Book.published}, {c:Book.notes}, "
                                     "{c:Book.authorCode} FROM books ORDER BY code",
                                     false);
  world->roles[0] = value_text(STR("staff"));
  world->caller = (Caller){.is_authenticated = true, .id = value_text(STR("ann")), .roles = {world->roles, 1}};
}

static void world_close(World *world) {
  engine_destroy(world->engine);
  store_session_close(world->session);
  store_close(world->faulty);
  fixture_close(&world->fixture);
}

static Selection *selection_of(World *world, const Resource *resource, bool has_books) {
  Arena *arena = world->arena;
  Selection *selection = ARENA_NEW(arena, Selection);
  selection->resource = resource;
  selection->items = ARENA_ARRAY(arena, SelectionItem, resource->field_count);
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE || (field->kind == FIELD_TO_MANY && !has_books)) continue;
    SelectionItem *item = &selection->items[selection->count++];
    *item = (SelectionItem){.field = field, .name = field->name};
    if (field->kind == FIELD_STORED) continue;
    item->nested = selection_of(world, field->relation->source, false);
    item->nested->list.limit = 10;
  }
  return selection;
}

static const Expr *filter_of(World *world, const Resource *resource, const char *source) {
  if (source == NULL) return NULL;
  ExprLimits limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  Error error = {0};
  if (expr_parse(str_of(source), resource, EXPR_USE_FILTER, NULL, &limits, world->arena, &expr, mistakes, &count, &error) != CODE_OK)
    fail_msg("%s: %s", source, count > 0 ? mistakes[0].message : error.text);
  return expr;
}

static const Aggregate *aggregate_of(World *world, const Resource *resource) {
  ExprPath *by = ARENA_NEW(world->arena, ExprPath);
  *by = (ExprPath){.resource = resource, .field = resource_field(resource, STR("published"))};
  Metric *metrics = ARENA_ARRAY(world->arena, Metric, 2);
  metrics[0] = (Metric){METRIC_COUNT, NULL};
  metrics[1] = (Metric){METRIC_SUM, resource_field(resource, STR("price"))};
  Aggregate *aggregate = ARENA_NEW(world->arena, Aggregate);
  *aggregate = (Aggregate){.by = by, .by_count = 1, .metrics = metrics, .metric_count = 2};
  return aggregate;
}

static Operation operation_of(World *world, const Step *step) {
  const Resource *resource = fixture_resource(&world->fixture, step->resource);
  Operation operation = {.action = step->action, .resource = resource, .caller = &world->caller, .now_us = 1000000};
  if (step->key != NULL) {
    Value *key = ARENA_NEW(world->arena, Value);
    *key = value_text(str_of(step->key));
    operation.key = key;
  }
  if (step->input != NULL) {
    JsonValue *input = ARENA_NEW(world->arena, JsonValue);
    Error error = {0};
    assert_int_equal(json_parse(str_of(step->input), JSON_DEPTH_DEFAULT, world->arena, input, &error), CODE_OK);
    operation.input = input;
  }
  if (step->action == ACTION_AGGREGATE)
    operation.aggregate = aggregate_of(world, resource);
  else if (step->action != ACTION_DELETE)
    operation.selection = selection_of(world, resource, step->has_books);
  operation.list = (ListQuery){.filter = filter_of(world, resource, step->filter), .limit = step->limit, .is_counted = step->is_counted};
  if (step->is_continued) operation.list.after = world->cursor;
  if (step->order != NULL) {
    OrderTerm *order = ARENA_NEW(world->arena, OrderTerm);
    *order = (OrderTerm){{.resource = resource, .field = resource_field(resource, str_of(step->order))}, true};
    operation.list.order = order;
    operation.list.order_count = 1;
  }
  return operation;
}

static void group_done(CallGroup *group) {
  World *world = group->context;
  world->done_count++;
  fixture_finished(&world->fixture);
}

/* Everything of an attempt but its running, so that what is made here never is what fails. */
static void attempt_prepare(World *world, size_t at) {
  world->arena = arena_create(0);
  size_t count = steps[at].is_with_next ? 2 : 1;
  for (size_t i = 0; i < count; i++) {
    world->sinks[i] = (TextSink){.base = {sink_row, sink_restart}, .text = buf_on_heap(TEXT_MAX)};
    world->calls[i] = (Call){.operation = operation_of(world, &steps[at + i]), .sink = &world->sinks[i].base};
  }
  world->group = (CallGroup){.calls = world->calls, .count = count, .arena = world->arena, .done = group_done, .context = world};
}

static void write_problem(Buf *out, const Problem *problem) {
  buf_add(out, problem->detail);
  for (size_t i = 0; i < problem->mistake_count; i++) {
    const Mistake *mistake = &problem->mistakes[i];
    buf_printf(out, " [%.*s %d %.*s]", STR_ARGS(mistake->pointer), (int)mistake->code, STR_ARGS(mistake->detail));
  }
}

/* What was answered, as text on the fixture's arena. */
static Str attempt_finish(World *world) {
  Buf text = buf_on_heap(TEXT_MAX);
  for (size_t i = 0; i < world->group.count; i++) {
    const Result *result = &world->calls[i].result;
    buf_printf(&text, "%d rows %zu total %d created %d etag %.*s: ", (int)result->code, result->row_count,
               result->has_total ? (int)result->total : -1, result->is_created, STR_ARGS(result->etag));
    buf_add(&text, buf_str(&world->sinks[i].text));
    if (result->problem != NULL) write_problem(&text, result->problem);
    if (result->next_cursor.ptr != NULL) world->cursor = arena_str(world->fixture.arena, result->next_cursor);
    buf_done(&world->sinks[i].text);
  }
  assert_int_equal(text.failed, CODE_OK);
  Str copy = arena_str(world->fixture.arena, buf_str(&text));
  buf_done(&text);
  arena_destroy(world->arena);
  return copy;
}

/* The code, and that what goes with it is right. `memory`: the allocation of this thread that fails. */
static Code attempt_run(World *world, size_t memory, bool *ret_is_hit) {
  world->done_count = 0;
  memory_fail_after(memory);
  Code code = engine_authorize(world->engine, &world->group);
  if (code == CODE_OK) code = engine_plan(world->engine, &world->group);
  bool is_executed = code == CODE_OK;
  if (is_executed) {
    world->fixture.pending++;
    engine_execute(world->engine, &world->group);
    fixture_run(&world->fixture);
  }
  *ret_is_hit = memory != 0 && memory_fail_countdown == 0;
  memory_fail_after(0);
  assert_int_equal(world->done_count, is_executed ? 1 : 0);
  /* A transaction that failed as a whole is told by the first call. */
  size_t failed = world->group.failed < world->group.count ? world->group.failed : 0;
  if (is_executed) code = world->calls[failed].result.code;
  if (code != CODE_OK) {
    const Problem *problem = world->calls[failed].result.problem;
    assert_non_null(problem);
    assert_int_equal(problem->code, code);
    assert_true(problem->detail.len > 0);
  }
  return code;
}

/* All that is stored, as text, past the engine and the faulty store. */
static Str database(World *world, Arena *arena) {
  Fixture *fixture = &world->fixture;
  Arena *kept = fixture->arena;
  Buf text = buf_on(arena, TEXT_MAX);
  fixture->arena = arena_create(0);
  for (size_t s = 0; s < 2; s++) {
    TestRead *read = read_one(fixture, world->selects[s], NULL);
    fixture_read(fixture, read);
    fixture_run(fixture);
    assert_int_equal(read->code, CODE_OK);
    for (size_t i = 0; i < read->row_count; i++) {
      for (size_t c = 0; c < world->selects[s]->column_count; c++) {
        write_value(&text, NULL, &read->rows[i].values[c]);
        buf_add_byte(&text, '|');
      }
      buf_add_byte(&text, '\n');
    }
  }
  arena_destroy(fixture->arena);
  fixture->arena = kept;
  return buf_str(&text);
}

static void assert_same(const Step *step, size_t nth, Str expected, Str is) {
  if (!str_equal(expected, is)) fail_msg("%s, %zu: was\n%.*s\nis\n%.*s", step->name, nth, STR_ARGS(expected), STR_ARGS(is));
}

static void assert_database(World *world, const Step *step, size_t nth, Str expected) {
  Arena *arena = arena_create(0);
  assert_same(step, nth, expected, database(world, arena));
  arena_destroy(arena);
}

static size_t step_next(size_t at) { return at + (steps[at].is_with_next ? 2 : 1); }

/* ---- the tests ---- */

/* The answers when nothing fails. */
static void answers_without_faults(const StoreCase *store_case, Str *answers, Str *ret_database, Arena *arena) {
  World world;
  world_open(&world, store_case, true);
  bool is_hit = false;
  for (size_t at = 0; at < STEP_COUNT; at = step_next(at)) {
    attempt_prepare(&world, at);
    Code code = attempt_run(&world, 0, &is_hit);
    if (code != steps[at].code) {
      Str detail =
          code == CODE_OK ? (Str){0} : world.calls[world.group.failed < world.group.count ? world.group.failed : 0].result.problem->detail;
      fail_msg("%s: code %d: %.*s", steps[at].name, code, STR_ARGS(detail));
    }
    answers[at] = arena_str(arena, attempt_finish(&world));
  }
  *ret_database = database(&world, arena);
  world_close(&world);
}

static void whatever_the_store_fails_at_is_told_and_leaves_nothing(void **state) {
  static const Code codes[] = {CODE_UNAVAILABLE, CODE_TIMEOUT, CODE_INTERNAL, CODE_TOO_LARGE, CODE_CONFLICT};
  Arena *arena = arena_create(0);
  Str answers[STEP_COUNT], expected;
  answers_without_faults(*state, answers, &expected, arena);
  World world;
  size_t failures = 0;
  world_open(&world, *state, false);
  for (size_t at = 0; at < STEP_COUNT; at = step_next(at)) {
    Str before = database(&world, arena);
    for (size_t nth = 1, is_through = 0; !is_through; nth++) {
      /* The last code gets through; those before it are known to fail at the same places. */
      for (size_t c = 0; c < sizeof codes / sizeof *codes && !is_through; c++) {
        bool is_hit = false;
        attempt_prepare(&world, at);
        faulty_store_fail(world.faulty, nth, codes[c]);
        Code code = attempt_run(&world, 0, &is_hit);
        bool has_failed = faulty_store_has_failed(world.faulty);
        faulty_store_fail(world.faulty, 0, CODE_OK);
        Str answer = attempt_finish(&world);
        if (!has_failed) {
          assert_int_equal(code, steps[at].code);
          assert_same(&steps[at], nth, answers[at], answer);
          is_through = 1;
          break;
        }
        if (code != codes[c]) fail_msg("%s, %zu: the store failed with %d, the engine answers %d", steps[at].name, nth, codes[c], code);
        assert_database(&world, &steps[at], nth, before);
        failures++;
      }
      assert_in_range(nth, 1, ATTEMPTS_MAX);
    }
  }
  assert_database(&world, &steps[STEP_COUNT - 1], 0, expected);
  assert_true(failures > 100);
  print_message("# the store failed %zu times\n", failures);
  world_close(&world);
  arena_destroy(arena);
}

static void what_runs_twice_answers_as_what_runs_once(void **state) {
  Arena *arena = arena_create(0);
  Str answers[STEP_COUNT], expected;
  answers_without_faults(*state, answers, &expected, arena);
  World world;
  world_open(&world, *state, false);
  faulty_store_run_twice(world.faulty, true);
  for (size_t at = 0; at < STEP_COUNT; at = step_next(at)) {
    bool is_hit = false;
    attempt_prepare(&world, at);
    assert_int_equal(attempt_run(&world, 0, &is_hit), steps[at].code);
    assert_same(&steps[at], 0, answers[at], attempt_finish(&world));
  }
  assert_database(&world, &steps[STEP_COUNT - 1], 0, expected);
  world_close(&world);
  arena_destroy(arena);
}

/* One attempt with an allocation failing, here or on the writer's thread. Writes are dry runs, since an allocation whose failure is made
 * good is none. False: the step got through without meeting it. */
static bool attempt_with_memory(World *world, size_t at, size_t nth, bool is_in_program, Str before, Str answer) {
  bool is_hit = false;
  attempt_prepare(world, at);
  for (size_t i = 0; i < world->group.count; i++) world->calls[i].operation.is_dry_run = true;
  faulty_store_fail_memory(world->faulty, is_in_program ? nth : 0);
  Code code = attempt_run(world, is_in_program ? 0 : nth, &is_hit);
  if (is_in_program) is_hit = faulty_store_has_failed(world->faulty);
  faulty_store_fail_memory(world->faulty, 0);
  Str is = attempt_finish(world);
  if (code == steps[at].code)
    assert_same(&steps[at], nth, answer, is);
  else if (!is_hit || code != CODE_UNAVAILABLE)
    fail_msg("%s, allocation %zu%s: code %d", steps[at].name, nth, is_in_program ? " of the program" : "", code);
  if (is_hit) assert_database(world, &steps[at], nth, before);
  return is_hit;
}

/* All of a step's allocations, one after another. Plans are kept once they are made, so that the next attempt needs fewer allocations:
 * again and again, until a whole pass needs no more than the last one did. */
static size_t step_with_memory(World *world, size_t at, bool is_in_program, Str before, Str answer) {
  Str cursor = world->cursor;
  size_t failures = 0;
  for (size_t last = SIZE_MAX, nth = 0; nth != last;) {
    last = nth;
    for (nth = 0; attempt_with_memory(world, at, nth + 1, is_in_program, before, answer); nth++) {
      world->cursor = cursor;
      assert_in_range(nth, 0, ATTEMPTS_MAX);
    }
    world->cursor = cursor;
    failures += nth;
  }
  return failures;
}

static void every_allocation_may_fail(void **state) {
  Arena *arena = arena_create(0);
  Str answers[STEP_COUNT], expected;
  answers_without_faults(*state, answers, &expected, arena);
  World world;
  size_t failures = 0;
  world_open(&world, *state, false);
  for (size_t at = 0; at < STEP_COUNT; at = step_next(at)) {
    Str before = database(&world, arena);
    for (int is_in_program = 0; is_in_program < 2; is_in_program++)
      failures += step_with_memory(&world, at, is_in_program != 0, before, answers[at]);
    bool is_hit = false;
    attempt_prepare(&world, at);
    assert_int_equal(attempt_run(&world, 0, &is_hit), steps[at].code);
    assert_same(&steps[at], 0, answers[at], attempt_finish(&world));
  }
  assert_database(&world, &steps[STEP_COUNT - 1], 0, expected);
  assert_true(failures > 500);
  print_message("# %zu allocations failed\n", failures);
  world_close(&world);
  arena_destroy(arena);
}

static void an_engine_is_made_or_not(void **state) {
  World world;
  world_open(&world, *state, false);
  EngineLimits limits = *engine_limits(world.engine);
  Engine *engine = NULL;
  for (size_t nth = 1; engine == NULL; nth++) {
    Error error = {0};
    memory_fail_after(nth);
    Code code = engine_create(world.fixture.contract, world.session, &limits, &engine, &error);
    memory_fail_after(0);
    assert_int_equal(code, engine == NULL ? CODE_UNAVAILABLE : CODE_OK);
    assert_in_range(nth, 1, ATTEMPTS_MAX);
  }
  engine_destroy(engine);
  world_close(&world);
}

int main(void) {
  /* In memory, where it is quickest: the faults are the same. */
  void *store_case = (void *)&stores[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(whatever_the_store_fails_at_is_told_and_leaves_nothing, store_case),
      cmocka_unit_test_prestate(what_runs_twice_answers_as_what_runs_once, store_case),
      cmocka_unit_test_prestate(every_allocation_may_fail, store_case),
      cmocka_unit_test_prestate(an_engine_is_made_or_not, store_case),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
