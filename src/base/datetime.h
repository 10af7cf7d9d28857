/* datetime.h - RFC 3339 timestamps and dates, proleptic Gregorian, years 1 to 9999, no leap seconds. Thread-safe. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { TIMESTAMP_TEXT_MAX = 32, DATE_TEXT_MAX = 16 };

/* RFC 3339 date-time with an offset, up to six fraction digits (more: false unless zero). Microseconds since the epoch. */
bool timestamp_parse(Str s, int64_t *ret_us);
/* What databases hold: also without an offset (UTC then), "+01" and "+0130" as offsets, a space for the T, no seconds, or a bare date. */
bool timestamp_parse_loose(Str s, int64_t *ret_us);
/* The functions that write need a value in range: it is the caller's to check what arithmetic or a database gave.
 * "2026-11-23T12:00:00Z", with a fraction only where it isn't zero and without its trailing zeros. Returns the length. */
size_t timestamp_write(int64_t us, char out[TIMESTAMP_TEXT_MAX]);
/* "2026-11-23T12:00:00.000000Z": 27 bytes, in byte order the order of time. */
size_t timestamp_write_fixed(int64_t us, char out[TIMESTAMP_TEXT_MAX]);
bool timestamp_in_range(int64_t us);
bool date_parse(Str s, int64_t *ret_days);
bool date_in_range(int64_t days);
size_t date_write(int64_t days, char out[DATE_TEXT_MAX]);
/* CEL's and Go's form: "24h", "1h30m", "-1.5s", "10ms", "5us", "0". Finer than a microsecond is dropped. False when malformed or out of
 * range. */
bool duration_parse(Str s, int64_t *ret_us);
/* The wall clock. */
int64_t timestamp_now(void);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7). Returns the length, 29. */
size_t http_date_write(int64_t us, char out[TIMESTAMP_TEXT_MAX]);
