/* contract_source.h - a contract's text from a file, or from all .graphql files of a folder in name order. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "contract/load.h"

typedef struct ContractSource {
  ContractFile *files;
  size_t count;
} ContractSource;

/* All of *ret lives in `arena`. CODE_UNAVAILABLE: missing or can't be read (the operator's text, with the path); CODE_TOO_LARGE: beyond
 * CONTRACT_BYTES_MAX in all; CODE_BAD_REQUEST: a folder without any. */
Code contract_source_read(Str path, Arena *arena, ContractSource *ret, Error *err);
