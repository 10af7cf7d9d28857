/* postgres_layout.h - a contract's and a database's layout, as PostgreSQL has them. */
#pragma once
#include "store/layout.h"
#include "store/postgres_schema.h"

/* By whichever names and modifiers they go. */
bool postgres_types_equal(Str a, Str b);
/* What postgres_schema_read is told: the schemas that tables of the contract are qualified with, comma-separated. */
Code postgres_schemas_of(const Contract *contract, Arena *arena, Str *ret, Error *err);
Code postgres_layout_of_contract(const Contract *contract, Arena *arena, Layout *ret, Error *err);
Code postgres_layout_of_schema(const PostgresSchema *schema, Arena *arena, Layout *ret, Error *err);
