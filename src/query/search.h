/* search.h - full-text search (@search) as a part of a statement: a client's text becomes words, the words a parameter, and the statement
 * joins the rows in which they are found. Only fields that the caller may read in every row are looked through: what is found in a field
 * tells of it. Internal to query/. */
#pragma once
#include "query/plan_input.h"

typedef struct PlanSearch {
  bool is_asked;
  bool is_vain; /* the caller may read none of the fields: no row is found */
  uint32_t param;
} PlanSearch;

/* `text` ptr NULL: nothing is searched for. CODE_BAD_REQUEST where there is nothing to look for, or nothing to look in. */
Code plan_search(PlanInput *input, const Resource *resource, Str text, PlanSearch *ret, Error *err);
/* Bounds the select's rows to those that were found. *ret_rank is the text of their rank, the best the smallest; ptr NULL: none. */
Code search_write(SqlWriter *writer, SqlSelect *select, SqlScope *row, const PlanSearch *search, Str *ret_rank, Error *err);
