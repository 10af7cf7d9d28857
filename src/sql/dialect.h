/* dialect.h - how databases' SQL differs. A dialect is text only: no driver, no connection. */
#pragma once
#include "base/str.h"

typedef struct SqlDialect SqlDialect; /* sql/dialect_impl.h */

extern const SqlDialect SQL_DIALECT_SQLITE;
extern const SqlDialect SQL_DIALECT_POSTGRES;
