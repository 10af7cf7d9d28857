/* json_patch.h - changes to JSON documents: JSON Patch (RFC 6902) over JSON Pointers (RFC 6901), and JSON Merge Patch (RFC 7396). What is
 * given is not written to; results share its parts. Thread-safe. */
#pragma once
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/json.h"

enum { JSON_PATCH_OPERATIONS_MAX = 1000, JSON_PATCH_NODES_MAX = 64 * 1024 };

/* Which operation failed, and the pointer of its own at which it did. */
typedef struct JsonPatchFailure {
  size_t operation;
  Str pointer; /* shares the patch's bytes */
} JsonPatchFailure;

/* All operations or none; *ret_failure is told where it is none. CODE_BAD_REQUEST: `patch` is no patch; CODE_CONFLICT: a test
 * failed; CODE_VALIDATION_FAILED: a place that is not there; CODE_TOO_LARGE: beyond the limits, so that copies of copies stay finite;
 * CODE_UNAVAILABLE: memory. */
Code json_patch_apply(const JsonValue *document, const JsonValue *patch, Arena *arena, JsonValue *ret, JsonPatchFailure *ret_failure,
                      Error *err);

/* CODE_UNAVAILABLE alone can happen. Depth is that of what is given. */
Code json_merge_patch_apply(const JsonValue *document, const JsonValue *patch, Arena *arena, JsonValue *ret, Error *err);
