/* start.h - what whoever opens a store does about its tables: looks, adds what is safe to add where that is allowed, refuses the rest. The
 * planner is migrate's own (plan.h); what is safe is a choice among its steps. */
#pragma once
#include "store/store.h"

/* Makes the tables of `contract`, or adds what is missing, all or nothing. CODE_CONFLICT: there is more between the two, or nothing may be
 * changed; *ret_details tells what, a line each, and the statements and the command that would set it right. */
Code tables_start(Store *store, const Contract *contract, bool is_allowed_to_change, Arena *arena, Str *ret_details, Error *err);
/* Changes nothing. CODE_CONFLICT: *ret_differences, a line each. */
Code tables_compare(Store *store, const Contract *contract, Arena *arena, Str *ret_differences, Error *err);
