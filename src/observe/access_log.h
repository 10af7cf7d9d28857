/* access_log.h - one line a request, as JSON or text. Lines are gathered in memory and written together; where the reader of a pipe does
 * not keep up, lines are dropped and counted rather than requests held up. One a loop, used on that loop only; `fd` is shared and stays the
 * caller's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef struct AccessLog AccessLog;

typedef enum AccessLogFormat { ACCESS_LOG_JSON = 0, ACCESS_LOG_TEXT } AccessLogFormat;

/* Text with ptr NULL or len 0 is left out. Never give it headers that carry secrets. */
typedef struct AccessEntry {
  int64_t time_us; /* the wall clock, at the end */
  int64_t duration_us;
  Str method, target, protocol, peer, request_id, trace_id, caller;
  Str code;   /* of a refusal: "NOT_FOUND" */
  int status; /* 0: the client was gone before it got one */
  uint64_t bytes_in, bytes_out;
} AccessEntry;

Code access_log_create(int fd, AccessLogFormat format, AccessLog **ret, Error *err);
void access_log_destroy(AccessLog *log); /* writes what is left; NULL is fine */
void access_log_add(AccessLog *log, const AccessEntry *entry);
/* At the end of a turn: writes when there is much, or something old. True where lines are left, so that it should be called again within
 * ACCESS_LOG_DELAY_MS. */
bool access_log_flush(AccessLog *log, uint64_t now_ms, bool is_forced);
uint64_t access_log_dropped(const AccessLog *log);

enum { ACCESS_LOG_DELAY_MS = 50 };
