/* write_row.h - one row of a write and what it gives back. Internal to query/. */
#pragma once
#include "query/write.h"

/* Does what the row says, with what is nested in it; row->row is then as it is stored. */
Code write_row_run(Write *write, WriteRow *row, Error *err);
/* Answers what a constraint of the store refused. `is_changed`: by stored_index; NULL: the whole row is new. */
Code write_refuse_conflict(Write *write, const WriteRow *row, const bool *is_changed, const StoreConflict *conflict,
                           const Error *store_error, Error *err);
/* The tag of the whole resource as the caller sees it, before the change. */
Code write_etag(Write *write, const WriteRow *row, uint64_t *ret, Error *err);
/* Before a row is deleted: hands it to the sink, if the call wants it back. */
Code write_answer_deleted(Write *write, const WriteRow *row, Error *err);
/* Hands the rows of the call to its sink, as their writer may see them, and completes the result. */
Code write_answer(Write *write, Error *err);
