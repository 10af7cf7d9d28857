/* versions.h - several contracts of one service over one store: whether they can be served together, and the tables that all of them need.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "contract/model.h"

enum { CONTRACT_VERSIONS_MAX = 16 };

/* The layout of the store: for each table the columns, keys, relations and indexes of every version that has it. It is for making and
 * comparing tables only: rules and input stay the versions' own. Lives in `arena` and borrows from the contracts; of a single contract it
 * is the contract itself. CODE_CONFLICT: *ret_conflicts has a line for each difference that can't be served, with the place in both. */
Code contract_versions_join(const Contract *const *contracts, size_t count, Arena *arena, const Contract **ret_layout, Str *ret_conflicts,
                            Error *err);

/* By the numbers in their names: v10 is newer than v9. */
int contract_version_compare(Str a, Str b);
/* The index of the newest. */
size_t contract_newest(const Contract *const *contracts, size_t count);
