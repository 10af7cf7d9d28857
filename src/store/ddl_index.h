/* ddl_index.h - which indexes a contract's tables must have, whatever the store. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "contract/model.h"

/* An index that a resource's table must have. */
typedef struct DdlIndex {
  const Resource *resource;
  const IndexField *fields;
  size_t count;
  bool is_unique;
} DdlIndex;

/* `number` 2 and above goes behind the name, where the plain one is taken. */
void ddl_write_index_name(Buf *out, const DdlIndex *index, size_t number);

/* All indexes of the resource: the uniques, the contract's indexes, and one for each relation whose keys no other begins with. NULL when
 * memory is out. */
const DdlIndex *ddl_indexes(const Resource *resource, Arena *arena, size_t *ret_count);
