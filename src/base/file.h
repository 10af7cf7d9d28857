/* file.h - whole files, read and written at once. For start-up and commands: these calls block. */
#pragma once
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { FILE_MODE_SECRET = 0600, FILE_MODE_SHARED = 0644 };

/* The file's bytes, in the arena, with a NUL behind them that isn't counted. CODE_NOT_FOUND; CODE_TOO_LARGE beyond bytes_max;
 * CODE_UNAVAILABLE for anything else (a folder, no permission, no memory). err->text does not name the path: the caller knows it. */
Code file_read(Str path, size_t bytes_max, Arena *arena, Str *ret, Error *err);
/* All or nothing: written beside the file under another name, made durable, then renamed over it. The mode is exact, whatever the umask. */
Code file_write(Str path, Str bytes, unsigned mode, Error *err);
