/* openapi.c - what the OpenAPI document of a large contract costs: CPU milliseconds to write it, the least of several rounds.
 *   openapi [RESOURCES]
 * Prints one line. It is written once for each contract, at start, and kept. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/openapi.h"
#include "contract/load.h"

enum { ROUNDS = 5, BYTES_MAX = 256 * 1024 * 1024 };

static double cpu_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fail(const char *what, const Error *err) {
  (void)fprintf(stderr, "openapi: %s: %s\n", what, err->text);
  exit(1);
}

/* Each resource refers to the one before it, and has fields of several types. */
static void write_contract(Buf *out, size_t resources) {
  buf_add(out, STR("extend schema @service(name: \"large\")\nenum State { OPEN CLOSED }\ntype Place { street: String! city: String }\n"));
  for (size_t i = 0; i < resources; i++) {
    buf_printf(out, "type Thing%zu @resource @access(read: \"true\", write: \"auth.id != null\") {\n", i);
    buf_add(out, STR("  id: ID!\n  sku: String! @unique @pattern(regex: \"^[A-Z]{3}$\")\n  name: String! @length(min: 1, max: 200)\n"
                     "  price: Decimal! @range(min: \"0\") @decimal(precision: 12, scale: 2)\n  stock: Int! @default(value: 0)\n"
                     "  state: State!\n  place: Place\n  at: DateTime! @default(expr: \"now()\") @readonly\n  tags: [String!]\n"));
    if (i > 0) buf_printf(out, "  before: Thing%zu @relation(inverse: \"after\")\n", i - 1);
    if (i + 1 < resources) buf_printf(out, "  after: [Thing%zu!]! @relation(inverse: \"before\")\n", i + 1);
    buf_add(out, STR("}\n"));
  }
}

int main(int argc, char **argv) {
  size_t resources = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
  static const EngineLimits limits = {.page_size = 20, .page_size_max = 100, .nesting_max = 5, .batch_max = 100, .filter_bytes_max = 4096};
  const OpenapiOptions options = {.limits = &limits};
  Arena *arena = arena_create(0);
  Buf sdl = buf_on_heap(BYTES_MAX);
  write_contract(&sdl, resources);
  Contract *contract = NULL;
  DiagnosticList diagnostics = {0};
  Error err = {0};
  const ContractFile file = {STR("large.graphql"), buf_str(&sdl)};
  if (arena == NULL || contract_load(&file, 1, arena, &contract, &diagnostics, &err) != CODE_OK) fail("the contract", &err);
  double least = 0;
  size_t bytes = 0;
  for (int round = 0; round < ROUNDS; round++) {
    Arena *scratch = arena_create(0);
    Buf out = buf_on_heap(BYTES_MAX);
    double begin = cpu_ms();
    if (scratch == NULL || openapi_write(contract, &options, scratch, &out, &err) != CODE_OK) fail("the document", &err);
    double took = cpu_ms() - begin;
    if (round == 0 || took < least) least = took;
    bytes = out.len;
    buf_done(&out);
    arena_destroy(scratch);
  }
  printf("OpenAPI of %zu resources: %.1f ms of CPU, %zu KB (goal: less than 20 ms for 200)\n", resources, least, bytes / 1024);
  contract_destroy(contract);
  arena_destroy(arena);
  buf_done(&sdl);
  return resources == 200 && least >= 20 ? 1 : 0;
}
