/* loop_internal.h - what the other files of io/ need of a loop. Not for users of io. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"

/* First member of every object that holds a libuv handle, whose `data` points to it: how loop_destroy closes what is left. */
typedef struct LoopOwned LoopOwned;
struct LoopOwned {
  void (*close)(LoopOwned *owned);
};

/* Work for the very end of the turn, after all hooks: streams send what was written to them. */
typedef struct LoopFlush LoopFlush;
struct LoopFlush {
  void (*run)(LoopFlush *flush);
  LoopFlush *next;
  bool is_queued;
};

struct uv_loop_s *loop_uv(Loop *loop);
void loop_flush_add(Loop *loop, LoopFlush *flush);
void loop_flush_remove(Loop *loop, LoopFlush *flush);

/* One buffer for all reads of this loop: what is in it is used up before the next read. */
enum { LOOP_READ_BYTES = 64 * 1024 };
char *loop_read_buffer(Loop *loop);

/* Blocks of LOOP_BLOCK_BYTES from a free list. NULL when memory is out. The odd size keeps the beginnings of neighbouring blocks from
 * competing for the same lines of the processor's cache. */
enum { LOOP_BLOCK_BYTES = 16 * 1024 + 192 };
char *loop_block_acquire(Loop *loop);
void loop_block_release(Loop *loop, char *block);
bool loop_has_many_blocks(const Loop *loop); /* more are in use than will be kept */
