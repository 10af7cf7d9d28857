/* log_target.h - a request's target as the log may have it: who reads the log must not get by it what only the caller may have. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* The target without the value of its parameter "token", by which a browser's EventSource names its event stream; however it is encoded.
 * Borrowed where there is none; without memory for another one nothing from the "?" on is told. Any thread. */
Str log_target(Str target, Arena *arena);
