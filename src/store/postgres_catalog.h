/* postgres_catalog.h - reads a PostgreSQL database's catalogue for introspection. Nothing is changed. Blocks. */
#pragma once
#include "store/catalog.h"
#include "store/store.h"

/* `schemas`: those that are wanted, comma-separated; len 0: the one that a bare name means. CODE_BAD_REQUEST: the address can't be read;
 * CODE_UNAVAILABLE: the database can't. */
Code postgres_catalog_read(const StoreOptions *given, Str schemas, Arena *arena, Catalog *ret, Error *err);
