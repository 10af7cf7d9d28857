/* resident.h - what lives on the first loop beside the requests: a listener of another kind, something that follows the changes. Adding one
 * is one file and one name in this folder's meson.build. `open` and `start` come before the loop runs, everything else on it. */
#pragma once
#include "server/worker.h"

typedef struct Resident {
  /* *ret stays NULL where the options don't ask for it: then nothing else is called. */
  Code (*open)(Worker *worker, void **ret, Error *err);
  /* The listeners are open, at these addresses. *ret_address: one of its own, to be told as well; else untouched. NULL: nothing is to be
   * done. */
  Code (*start)(void *self, OptionList addresses, Str *ret_address, Error *err);
  /* The server ends: `drained` is called when what has begun is finished, perhaps at once. NULL: nothing is waited for. */
  void (*drain)(void *self, LoopFn *drained, void *context);
  void (*close)(void *self); /* the loop has ended */
} Resident;
