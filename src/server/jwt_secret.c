/* jwt_secret.c - see jwt_secret.h. */
#include "server/jwt_secret.h"

#include "auth/secret.h"
#include "store/store.h"

Str jwt_secret_path(Str store_url, Arena *arena) {
  const StoreDriver *driver = store_driver_of(store_url);
  Str path = driver == NULL || driver->file == NULL ? (Str){NULL, 0} : driver->file(store_url);
  return path.len == 0 ? (Str){NULL, 0} : arena_printf(arena, "%.*s.jwt-secret", STR_ARGS(path));
}

static Code read_given_file(Str path, Arena *arena, Str *ret, Error *err) {
  Code code = secret_read(path, arena, ret, err);
  return code == CODE_NOT_FOUND ? CODE_UNAVAILABLE : code;
}

Code jwt_secret_find(const JwtSecretSource *source, Arena *arena, Str *ret, bool *ret_is_ephemeral, Error *err) {
  *ret_is_ephemeral = false;
  if (source->secret.len != 0) return *ret = source->secret, CODE_OK;
  if (source->file.len != 0) return read_given_file(source->file, arena, ret, err);
  Str path = jwt_secret_path(source->store_url, arena);
  if (path.ptr != NULL) return secret_read_or_make(path, arena, ret, err);
  *ret_is_ephemeral = true;
  return secret_make(SECRET_BYTES_RECOMMENDED, arena, ret, err);
}
