/* sqlite_catalog.h - reads an SQLite file's catalogue for introspection. The file is opened for reading only. Blocks. */
#pragma once
#include "store/catalog.h"

/* CODE_UNAVAILABLE: it can't be opened or is no database; err->text is for the operator. */
Code sqlite_catalog_read(Str path, Arena *arena, Catalog *ret, Error *err);
