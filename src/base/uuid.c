/* uuid.c - version 7 by RFC 9562 §5.7: 48 bits of milliseconds, then 74 bits that start random in each millisecond and go up by a
 * random step within it (§6.2, method 2), so that one thread's ids are in strict order and none can be guessed from another. */
#include "base/uuid.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

/* Thread-local, although state should hang off an object: ids are made deep inside defaults and rules, and a lock or an object that
 * passes through all of them would cost more than it explains. Only the order of ids depends on it. */
typedef struct UuidState {
  unsigned char random[256]; /* the kernel gives so much without interruption; 16 ids for one system call */
  size_t random_left;
  uint64_t ms;
  uint16_t high; /* rand_a: 12 bits */
  uint64_t low;  /* rand_b: 62 bits */
} UuidState;

static __thread UuidState uuid_state;

static void take_random(UuidState *state, void *out, size_t size) {
  if (state->random_left < size) {
    ssize_t got;
    do got = getrandom(state->random, sizeof state->random, 0);
    while (got < 0 && errno == EINTR);
    assert(got == (ssize_t)sizeof state->random);
    state->random_left = sizeof state->random;
  }
  state->random_left -= size;
  unsigned char *from = state->random + state->random_left;
  memcpy(out, from, size);
  memset(from, 0, size); /* used bytes do not stay where a leak of memory could show them */
}

static void start_millisecond(UuidState *state, uint64_t ms) {
  take_random(state, &state->low, sizeof state->low);
  take_random(state, &state->high, sizeof state->high);
  state->ms = ms;
  state->low &= (UINT64_C(1) << 62) - 1;
  state->high &= 0x0FFF;
}

static void next_in_millisecond(UuidState *state) {
  uint32_t step;
  take_random(state, &step, sizeof step);
  state->low += (uint64_t)step + 1;
  if (state->low >> 62 == 0) return;
  state->low &= (UINT64_C(1) << 62) - 1;
  /* Full: borrow from the next millisecond (RFC 9562 §6.2 allows time to run ahead). */
  if (++state->high > 0x0FFF) start_millisecond(state, state->ms + 1);
}

static void write_hex(char *out, uint64_t bits, int digits) {
  for (int i = digits - 1; i >= 0; i--, bits >>= 4) out[i] = "0123456789abcdef"[bits & 15];
}

void uuid_make(char out[UUID_TEXT_LEN]) {
  UuidState *state = &uuid_state;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
  /* A clock that was set back does not break the order. */
  if (ms > state->ms)
    start_millisecond(state, ms);
  else
    next_in_millisecond(state);
  write_hex(out, state->ms >> 16, 8);
  out[8] = '-';
  write_hex(out + 9, state->ms, 4);
  out[13] = '-';
  write_hex(out + 14, 0x7000u | state->high, 4);
  out[18] = '-';
  write_hex(out + 19, 0x8000u | state->low >> 48, 4); /* the variant: 10 and 14 bits */
  out[23] = '-';
  write_hex(out + 24, state->low, 12);
}

bool uuid_parse(Str s, char out[UUID_TEXT_LEN]) {
  if (s.len != UUID_TEXT_LEN) return false;
  char text[UUID_TEXT_LEN];
  for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
    char c = s.ptr[i];
    bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
    if (c >= 'A' && c <= 'F') c = (char)(c | 0x20);
    bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_dash_place ? c != '-' : !is_hex) return false;
    text[i] = c;
  }
  memcpy(out, text, UUID_TEXT_LEN);
  return true;
}
