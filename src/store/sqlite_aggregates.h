/* sqlite_aggregates.h - caisson_sum and caisson_average: exact over integers and decimals, whatever the size of the sum. */
#pragma once
#include <sqlite3.h>

#include "base/error.h"

Code sqlite_aggregates_register(sqlite3 *db, Error *err);
