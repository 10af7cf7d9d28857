/* fiber.c - ucontext, told to AddressSanitizer. getcontext and setcontext rather than swapcontext, for which the sanitizer has an
 * interceptor that clears what it knows of a stack. */
#include "fiber.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#define __sanitizer_start_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define __asan_unpoison_memory_region(at, size) ((void)(at), (void)(size))
#define __lsan_register_root_region(at, size) ((void)(at), (void)(size))
#endif

enum { STACK_BYTES = 1024 * 1024, GUARD_BYTES = 4096 };

struct Fiber {
  ucontext_t context;
  char *stack;
  void *fake_stack; /* the sanitizer's */
  FiberFn *run;
  void *run_context;
  bool has_ended;
};

/* One simulation runs in a process, on one thread. */
static struct {
  Fiber *running;
  ucontext_t context;
  void *fake_stack;
  const void *stack;
  size_t stack_bytes;
} scheduler;

static void switch_context(ucontext_t *from, const ucontext_t *to) {
  volatile bool is_back = false;
  getcontext(from);
  if (is_back) return;
  is_back = true;
  setcontext(to);
}

static void fiber_main(void) {
  Fiber *fiber = scheduler.running;
  __sanitizer_finish_switch_fiber(NULL, &scheduler.stack, &scheduler.stack_bytes);
  fiber->run(fiber->run_context);
  fiber->has_ended = true;
  __sanitizer_start_switch_fiber(NULL, scheduler.stack, scheduler.stack_bytes);
  setcontext(&scheduler.context);
}

Fiber *fiber_create(FiberFn *run, void *context) {
  Fiber *fiber = calloc(1, sizeof *fiber);
  assert(fiber != NULL);
  fiber->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert(fiber->stack != MAP_FAILED);
  mprotect(fiber->stack, GUARD_BYTES, PROT_NONE);
  __asan_unpoison_memory_region(fiber->stack, STACK_BYTES);
  fiber->run = run;
  fiber->run_context = context;
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack + GUARD_BYTES;
  fiber->context.uc_stack.ss_size = STACK_BYTES - GUARD_BYTES;
  fiber->context.uc_link = NULL;
  makecontext(&fiber->context, fiber_main, 0);
  return fiber;
}

bool fiber_resume(Fiber *fiber) {
  scheduler.running = fiber;
  __sanitizer_start_switch_fiber(&scheduler.fake_stack, fiber->stack + GUARD_BYTES, STACK_BYTES - GUARD_BYTES);
  switch_context(&scheduler.context, &fiber->context);
  __sanitizer_finish_switch_fiber(scheduler.fake_stack, NULL, NULL);
  scheduler.running = NULL;
  return fiber->has_ended;
}

void fiber_pause(void) {
  Fiber *fiber = scheduler.running;
  __sanitizer_start_switch_fiber(&fiber->fake_stack, scheduler.stack, scheduler.stack_bytes);
  switch_context(&fiber->context, &scheduler.context);
  __sanitizer_finish_switch_fiber(fiber->fake_stack, NULL, NULL);
}

void fiber_destroy(Fiber *fiber) {
  munmap(fiber->stack, STACK_BYTES);
  free(fiber);
}

void fiber_abandon(Fiber *fiber) { __lsan_register_root_region(fiber->stack + GUARD_BYTES, STACK_BYTES - GUARD_BYTES); }
