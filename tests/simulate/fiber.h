/* fiber.h - a stack of its own for each thread of the program under test and for each client. Only one runs; it gives the turn back itself.
 */
#pragma once
#include <stdbool.h>

typedef struct Fiber Fiber;
typedef void FiberFn(void *context);

Fiber *fiber_create(FiberFn *run, void *context);
/* From the scheduler: returns when the fiber has called fiber_pause or has ended (then true). */
bool fiber_resume(Fiber *fiber);
/* From within the running fiber. */
void fiber_pause(void);
/* One that has ended. */
void fiber_destroy(Fiber *fiber);
/* One that will never be resumed, since its process has died: its stack stays what leaks are looked for from, as nobody will free what it
 * points to. */
void fiber_abandon(Fiber *fiber);
