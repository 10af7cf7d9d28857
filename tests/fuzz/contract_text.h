/* contract_text.h - a target's contract, from a text that has no mistakes. */
#pragma once
#include "contract/load.h"
#include "property.h"

/* The caller's: contract_destroy, or kept for the process. */
static inline Contract *contract_of_text(const char *text) {
  Arena *arena = arena_create(0);
  ContractFile file = {STR("fuzz.graphql"), str_of(text)};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  PROPERTY(contract_load(&file, 1, arena, &contract, &diagnostics, NULL) == CODE_OK);
  arena_destroy(arena);
  return contract;
}
