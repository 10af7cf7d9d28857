/* jwt_secret.h - which secret signs tokens: the option's, a file's, or the one kept beside the database. `serve` and `token` find the same.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef struct JwtSecretSource {
  Str secret;    /* --jwt-secret; len 0: not given */
  Str file;      /* --jwt-secret-file; len 0: not given */
  Str store_url; /* else beside this database */
} JwtSecretSource;

/* The file beside a database that is one, "shop.db.jwt-secret"; ptr NULL where the store is no file (then the secret lives as long as the
 * process), or without memory. */
Str jwt_secret_path(Str store_url, Arena *arena);
/* *ret_is_ephemeral: nobody else can know it. Errors are for the operator. */
Code jwt_secret_find(const JwtSecretSource *source, Arena *arena, Str *ret, bool *ret_is_ephemeral, Error *err);
