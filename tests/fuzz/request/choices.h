/* choices.h - a fuzzer's bytes as a row of choices, from which requests are made by a grammar: whatever the bytes are, they stand for
 * something, and a few changed bytes change a few choices. When they are used up, every choice is the first one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "contract/model.h"

typedef struct Choices {
  const uint8_t *at, *end;
} Choices;

/* Below `below`, which is 1 to 65536. */
static inline uint32_t choose(Choices *choices, uint32_t below) {
  uint32_t value = 0;
  for (uint32_t left = below - 1; left > 0 && choices->at < choices->end; left >>= 8) value = value << 8 | *choices->at++;
  return value % below;
}
/* Once in `n` times; never when the bytes are used up. */
static inline bool chance(Choices *choices, uint32_t n) { return choose(choices, n) == n - 1; }
/* Up to `max` bytes as they are. */
static inline Str choose_bytes(Choices *choices, size_t max) {
  size_t len = choose(choices, (uint32_t)max + 1), left = (size_t)(choices->end - choices->at);
  if (len > left) len = left;
  Str bytes = {(const char *)choices->at, len};
  choices->at += len;
  return bytes;
}
#define CHOOSE(choices, table) ((table)[choose((choices), (uint32_t)(sizeof(table) / sizeof *(table)))])

/* ---- request_value.c ---- */

/* A scalar as JSON: mostly one that the field takes. */
void write_json_scalar(Choices *choices, FieldType type, const EnumType *enum_type, Buf *out);
/* What the field may be given: lists and embedded objects too. */
void write_json_value(Choices *choices, const Field *field, size_t depth, Buf *out);
/* The same as a text without quotes, as a path or a query has it. */
void write_plain_value(Choices *choices, const Field *field, Buf *out);
/* An expression of the rule language over the resource. */
void write_filter(Choices *choices, const Resource *resource, size_t depth, Buf *out);
/* Bytes as a URL's query holds them. */
void write_escaped(Str bytes, Buf *out);
/* The key of a row that is there, or that might be. */
Str choose_key(Choices *choices);
const Resource *choose_resource(Choices *choices, const Contract *contract);
const Field *choose_field(Choices *choices, const Resource *resource);
/* Credentials, tracing and what else any request may carry, each a header line. */
void write_common_headers(Choices *choices, Buf *out);
