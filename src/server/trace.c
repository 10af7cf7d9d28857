/* trace.c - ids cost some nanoseconds: xoroshiro128+, seeded once a loop. */
#include "server/trace.h"

#include <sys/random.h>

#include "base/hex.h"

bool trace_source_init(TraceSource *source) {
  if (getrandom(source->state, sizeof source->state, 0) != (ssize_t)sizeof source->state) return false;
  source->state[0] |= 1; /* all zeros is the one state it would never leave */
  return true;
}

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t next(TraceSource *source) {
  uint64_t a = source->state[0], b = source->state[1], result = a + b;
  b ^= a;
  source->state[0] = rotate(a, 24) ^ b ^ (b << 16);
  source->state[1] = rotate(b, 37);
  return result | 1; /* an id of zeros means that there is none */
}

static bool is_lower_hex(Str s) {
  for (size_t i = 0; i < s.len; i++)
    if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f'))) return false;
  return true;
}

static bool is_all_zero(Str s) {
  for (size_t i = 0; i < s.len; i++)
    if (s.ptr[i] != '0') return false;
  return true;
}

/* W3C Trace Context §3.2.2: version "00" is exactly these four fields; a later version may say more behind a dash; "ff" is none. */
bool traceparent_is_valid(Str value) {
  if (value.len < TRACEPARENT_LEN || value.ptr[2] != '-' || value.ptr[35] != '-' || value.ptr[52] != '-') return false;
  Str version = str_slice(value, 0, 2), trace = str_slice(value, 3, 35), parent = str_slice(value, 36, 52),
      flags = str_slice(value, 53, 55);
  if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(parent) || !is_lower_hex(flags)) return false;
  if (str_equal(version, STR("ff")) || is_all_zero(trace) || is_all_zero(parent)) return false;
  return value.len == TRACEPARENT_LEN || (!is_all_zero(version) && value.ptr[TRACEPARENT_LEN] == '-');
}

bool request_id_is_valid(Str value) {
  for (size_t i = 0; i < value.len; i++)
    if (value.ptr[i] <= 0x20 || value.ptr[i] >= 0x7f) return false;
  return value.len > 0 && value.len <= REQUEST_ID_LEN_MAX;
}

void trace_init(Trace *trace, TraceSource *source, Str request_id, Str traceparent) {
  if (traceparent.ptr != NULL && traceparent_is_valid(traceparent)) {
    memcpy(trace->traceparent, traceparent.ptr, TRACEPARENT_LEN);
  } else {
    memcpy(trace->traceparent, "00-", 3);
    hex64_write(next(source), trace->traceparent + 3);
    hex64_write(next(source), trace->traceparent + 19);
    trace->traceparent[35] = '-';
    hex64_write(next(source), trace->traceparent + 36);
    memcpy(trace->traceparent + 52, "-00", 3); /* not sampled: no span of it is recorded */
  }
  trace->request_id = request_id.ptr != NULL && request_id_is_valid(request_id) ? request_id : trace_id(trace);
}
