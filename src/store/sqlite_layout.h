/* sqlite_layout.h - a contract's and a database's layout, as SQLite has them. */
#pragma once
#include "store/layout.h"
#include "store/sqlite_schema.h"

/* By their names without modifiers: "DECIMAL_TEXT(10,2)" is a DECIMAL_TEXT. */
bool sqlite_types_equal(Str a, Str b);
Code sqlite_layout_of_contract(const Contract *contract, Arena *arena, Layout *ret, Error *err);
Code sqlite_layout_of_schema(const SqliteSchema *schema, Arena *arena, Layout *ret, Error *err);
