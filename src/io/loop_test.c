/* loop_test.c */
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>

enum { SENDERS = 4, MESSAGES_EACH = 5000 };

static Loop *make_loop(void) {
  Loop *loop;
  Error err;
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  return loop;
}

/* Messages from many threads. */

typedef struct Numbered {
  LoopMessage message;
  struct Sender *sender;
  size_t number;
} Numbered;

typedef struct Sender {
  Loop *loop;
  pthread_t thread;
  size_t next; /* only the loop's thread looks at it */
  size_t *left;
  size_t *hook_runs_behind;
  Numbered messages[MESSAGES_EACH];
} Sender;

static void take_message(void *context) {
  Numbered *numbered = context;
  Sender *sender = numbered->sender;
  assert_int_equal(numbered->number, sender->next);
  sender->next++;
  *sender->hook_runs_behind = 1;
  if (--*sender->left == 0) loop_stop(sender->loop);
}

static void *send_all(void *context) {
  Sender *sender = context;
  for (size_t i = 0; i < MESSAGES_EACH; i++) {
    sender->messages[i] = (Numbered){.message = {.run = take_message, .context = &sender->messages[i]}, .sender = sender, .number = i};
    loop_post(sender->loop, &sender->messages[i].message);
  }
  return NULL;
}

static void note_hook(void *context) { *(size_t *)context = 0; }

static void messages_of_a_thread_come_once_and_in_order_and_a_hook_runs_behind_them(void **state) {
  (void)state;
  static Sender senders[SENDERS];
  Loop *loop = make_loop();
  size_t left = SENDERS * MESSAGES_EACH, hook_runs_behind = 0;
  LoopHook hook = {.run = note_hook, .context = &hook_runs_behind};
  loop_hook_add(loop, &hook);
  for (size_t i = 0; i < SENDERS; i++) {
    senders[i].loop = loop;
    senders[i].next = 0;
    senders[i].left = &left;
    senders[i].hook_runs_behind = &hook_runs_behind;
    assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
  }
  loop_run(loop);
  for (size_t i = 0; i < SENDERS; i++) pthread_join(senders[i].thread, NULL);
  assert_int_equal(left, 0);
  assert_int_equal(hook_runs_behind, 0);
  loop_destroy(loop);
}

/* A message that posts itself again, until it has run often enough. */

typedef struct Repeat {
  Loop *loop;
  LoopMessage message;
  size_t runs;
} Repeat;

static void post_again(void *context) {
  Repeat *repeat = context;
  if (++repeat->runs == 10) {
    loop_stop(repeat->loop);
  } else {
    loop_post(repeat->loop, &repeat->message);
  }
}

static void a_message_may_be_posted_again_when_it_runs(void **state) {
  (void)state;
  Repeat repeat = {.loop = make_loop()};
  repeat.message = (LoopMessage){.run = post_again, .context = &repeat};
  loop_post(repeat.loop, &repeat.message);
  loop_run(repeat.loop);
  assert_int_equal(repeat.runs, 10);
  loop_destroy(repeat.loop);
}

/* Hooks. */

typedef struct Trace {
  Loop *loop;
  char text[32];
  size_t len;
  LoopHook hooks[3];
  bool wants_again;
} Trace;

static void trace(Trace *to, char letter) { to->text[to->len++] = letter; }
static void hook_a(void *context) {
  Trace *to = context;
  trace(to, 'a');
  if (to->wants_again) loop_run_hooks_again(to->loop);
  to->wants_again = false;
}
static void hook_b(void *context) {
  Trace *to = context;
  trace(to, 'b');
  loop_hook_remove(to->loop, &to->hooks[1]);
  loop_hook_remove(to->loop, &to->hooks[2]);
}
static void hook_c(void *context) { trace(context, 'c'); }
static void on_timer(void *context) {
  Trace *to = context;
  trace(to, 't');
  to->wants_again = true;
  loop_stop(to->loop);
}

static void hooks_run_in_order_behind_timers_and_may_leave(void **state) {
  (void)state;
  Trace to = {.loop = make_loop()};
  LoopFn *const runs[] = {hook_a, hook_b, hook_c};
  for (size_t i = 0; i < 3; i++) {
    to.hooks[i] = (LoopHook){.run = runs[i], .context = &to};
    loop_hook_add(to.loop, &to.hooks[i]);
  }
  LoopTimer *timer;
  Error err;
  assert_int_equal(loop_timer_create(to.loop, on_timer, &to, &timer, &err), CODE_OK);
  loop_timer_start(timer, 20, 0);
  loop_run(to.loop);
  /* The first turn sleeps until the timer; then the hooks, once more where that was asked for. */
  const char *fired = memchr(to.text, 't', to.len);
  assert_non_null(fired);
  size_t behind = to.len - (size_t)(fired - to.text);
  assert_true(behind >= 3 && fired[1] == 'a');
  assert_null(memchr(to.text, 'c', to.len));
  assert_int_equal(to.text[0] == 't' ? fired[2] : to.text[1], 'b');
  loop_timer_destroy(timer);
  loop_timer_destroy(NULL);
  loop_destroy(to.loop);
}

static void a_repeating_timer_repeats_until_it_is_stopped(void **state) {
  (void)state;
  Trace to = {.loop = make_loop()};
  LoopTimer *timer;
  Error err;
  assert_int_equal(loop_timer_create(to.loop, on_timer, &to, &timer, &err), CODE_OK);
  loop_timer_start(timer, 0, 1);
  for (size_t i = 0; i < 3; i++) loop_run(to.loop);
  assert_int_equal(to.len, 3);
  loop_timer_stop(timer);
  /* What is left on the loop goes with it. */
  loop_destroy(to.loop);
}

static void a_stop_before_the_run_is_obeyed(void **state) {
  (void)state;
  Loop *loop = make_loop();
  loop_stop(loop);
  loop_run(loop);
  loop_destroy(loop);
  loop_destroy(NULL);
}

static void clocks_stand_still_within_a_turn(void **state) {
  (void)state;
  Loop *loop = make_loop();
  int64_t wall = loop_wall_us(loop), monotonic = loop_monotonic_us(loop);
  assert_true(wall > INT64_C(1600000000000000) && monotonic > 0);
  assert_int_equal(loop_wall_us(loop), wall);
  assert_int_equal(loop_monotonic_us(loop), monotonic);
  loop_destroy(loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_of_a_thread_come_once_and_in_order_and_a_hook_runs_behind_them),
      cmocka_unit_test(a_message_may_be_posted_again_when_it_runs),
      cmocka_unit_test(hooks_run_in_order_behind_timers_and_may_leave),
      cmocka_unit_test(a_repeating_timer_repeats_until_it_is_stopped),
      cmocka_unit_test(a_stop_before_the_run_is_obeyed),
      cmocka_unit_test(clocks_stand_still_within_a_turn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
