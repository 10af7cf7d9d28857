#include "lack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../faults/faults.h"
#include "base/memory.h"

enum { FIRST_TRIES = 20, LATER_TRIES = 20, ROUNDS_MAX = 20, ALLOCATIONS_MAX = 10000000 };

typedef struct Made {
  Code code;
  Str text;
  size_t allocations;
} Made;

static Made make(LackWork *work, const void *context, size_t fail_after, Arena *arena) {
  Made made;
  Error err = {0};
  Buf out = buf_on(arena, LACK_TEXT_BYTES_MAX);
  memory_fail_after(fail_after);
  made.code = work(context, arena, &out, &err);
  made.allocations = fail_after - memory_fail_countdown;
  memory_fail_after(0);
  if (out.failed != CODE_OK) made.code = CODE_UNAVAILABLE;
  if (made.code != CODE_OK && made.code != CODE_VALIDATION_FAILED && err.code != made.code && out.failed == CODE_OK)
    fail_msg("%d was returned, but the error says %d: %s", (int)made.code, (int)err.code, err.text);
  made.text = buf_str(&out);
  return made;
}

/* Both texts from shortly before where they part. */
static void show_difference(const char *name, size_t n, const Made *made, const Made *whole) {
  size_t at = 0;
  while (at < made->text.len && at < whole->text.len && made->text.ptr[at] == whole->text.ptr[at]) at++;
  at = at < 60 ? 0 : at - 60;
  Str is = str_slice(made->text, at, at + 160 < made->text.len ? at + 160 : made->text.len);
  Str was = str_slice(whole->text, at, at + 160 < whole->text.len ? at + 160 : whole->text.len);
  print_error("%s, allocation %zu of %zu: %d was %d\n…%.*s\n---- was\n…%.*s\n\n", name, n, whole->allocations, (int)made->code,
              (int)whole->code, STR_ARGS(is), STR_ARGS(was));
}

typedef struct Lacking {
  const char *name;
  LackWork *work;
  const void *context;
  Made whole;
  bool is_good;
} Lacking;

/* Whether the failure was told. */
static bool try_once(Lacking *lacking, size_t n) {
  Arena *arena = arena_create(0);
  Made made = make(lacking->work, lacking->context, n, arena);
  bool is_same = made.code == lacking->whole.code && str_equal(made.text, lacking->whole.text);
  if (!is_same && made.code != CODE_UNAVAILABLE) {
    show_difference(lacking->name, n, &made, &lacking->whole);
    lacking->is_good = false;
  }
  arena_destroy(arena);
  return !is_same;
}

/* False: every place has had its turn. */
static bool try_places(Lacking *lacking) {
  Arena *arena = arena_create(0);
  faults_survey_begin(ALLOCATIONS_MAX);
  (void)make(lacking->work, lacking->context, ALLOCATIONS_MAX, arena);
  size_t count = faults_survey_end();
  arena_destroy(arena);
  for (size_t i = 0; i < count; i++) faults_survey_told(i, try_once(lacking, faults_survey_number(i)));
  return count > 0;
}

void lack_init(void) { faults_survey_new(); }

bool lack_check(const char *name, LackWork *work, const void *context) {
  Arena *arena = arena_create(0);
  Lacking lacking = {.name = name, .work = work, .context = context, .whole = make(work, context, ALLOCATIONS_MAX, arena), .is_good = true};
  if (lacking.whole.code == CODE_UNAVAILABLE) fail_msg("%s: it does not work with memory either", name);
  size_t rounds = 0;
  while (try_places(&lacking))
    if (++rounds > ROUNDS_MAX) fail_msg("%s: there are always new places", name);
  /* What only comes of the third allocation of one place. */
  size_t stride = lacking.whole.allocations / LATER_TRIES + 1;
  for (size_t n = 1; n <= lacking.whole.allocations; n += n < FIRST_TRIES ? 1 : stride) (void)try_once(&lacking, n);
  arena_destroy(arena);
  return lacking.is_good;
}
