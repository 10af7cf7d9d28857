/* postgres_layout.h - a contract's and a database's layout, as PostgreSQL has them. */
#pragma once
#include "store/layout.h"
#include "store/postgres_schema.h"

Code postgres_layout_of_contract(const Contract *contract, Arena *arena, Layout *ret, Error *err);
Code postgres_layout_of_schema(const PostgresSchema *schema, Arena *arena, Layout *ret, Error *err);
