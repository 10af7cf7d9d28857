/* secret.c - a secret's file is complete from the moment it has its name: it is written under another and linked to its own, which fails
 * where one is there. */
#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "codec/base64.h"

Code secret_make(size_t length, Arena *arena, Str *ret, Error *err) {
  char *bytes = arena_alloc(arena, length);
  TRY_ALLOC(bytes);
  for (size_t filled = 0; filled < length;) {
    ssize_t n = getrandom(bytes + filled, length - filled, 0);
    if (n < 0 && errno != EINTR) return error_set(err, CODE_UNAVAILABLE, "the system gives no random bytes: %s", strerror(errno));
    if (n > 0) filled += (size_t)n;
  }
  Buf text = buf_on(arena, SECRET_BYTES_MAX);
  base64url_write(&text, (Str){bytes, length});
  explicit_bzero(bytes, length);
  return buf_finish(&text, ret, err);
}

static Code fail(Error *err, const char *what, const char *path) {
  int number = errno;
  return error_set(err, number == ENOENT ? CODE_NOT_FOUND : CODE_UNAVAILABLE, "can't %s %.120s: %s", what, path, strerror(number));
}

static Code read_all(int fd, const char *path, Arena *arena, Str *ret, Error *err) {
  char *bytes = arena_alloc(arena, SECRET_BYTES_MAX + 1);
  TRY_ALLOC(bytes);
  size_t len = 0;
  for (;;) {
    ssize_t n = read(fd, bytes + len, SECRET_BYTES_MAX + 1 - len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(err, "read", path);
    if (n == 0) break;
    len += (size_t)n;
    if (len > SECRET_BYTES_MAX)
      return error_set(err, CODE_BAD_REQUEST, "the secret in %.120s is longer than %d bytes", path, SECRET_BYTES_MAX);
  }
  Str text = str_trim((Str){bytes, len});
  if (text.len == 0) return error_set(err, CODE_BAD_REQUEST, "the secret in %.120s is empty", path);
  *ret = text;
  return CODE_OK;
}

Code secret_read(Str path, Arena *arena, Str *ret, Error *err) {
  Str name = arena_str(arena, path);
  TRY_ALLOC(name.ptr);
  int fd = open(name.ptr, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(err, "open", name.ptr);
  Code code = read_all(fd, name.ptr, arena, ret, err);
  (void)close(fd);
  return code;
}

static Code write_all(int fd, Str text, const char *path, Error *err) {
  while (text.len > 0) {
    ssize_t n = write(fd, text.ptr, text.len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(err, "write", path);
    text = str_slice(text, (size_t)n, text.len);
  }
  return fsync(fd) == 0 ? CODE_OK : fail(err, "write", path);
}

/* mkstemp makes the file with mode 0600. A file of that name which another program made meanwhile is left as it is. */
static Code place_secret(const char *path, Arena *arena, Str secret, Error *err) {
  Str other = arena_printf(arena, "%s.XXXXXX", path);
  TRY_ALLOC(other.ptr);
  char *other_path = (char *)other.ptr;
  int fd = mkstemp(other_path);
  if (fd < 0) {
    (void)fail(err, "make", path);
    return CODE_UNAVAILABLE;
  }
  Code code = write_all(fd, secret, path, err);
  if (code == CODE_OK) code = write_all(fd, STR("\n"), path, err);
  (void)close(fd);
  if (code == CODE_OK && link(other_path, path) != 0 && errno != EEXIST) code = fail(err, "make", path);
  (void)unlink(other_path);
  return code == CODE_NOT_FOUND ? CODE_UNAVAILABLE : code;
}

Code secret_read_or_make(Str path, Arena *arena, Str *ret, Error *err) {
  Code code = secret_read(path, arena, ret, err);
  if (code != CODE_NOT_FOUND) return code;
  Str secret, name = arena_str(arena, path);
  TRY_ALLOC(name.ptr);
  TRY(secret_make(SECRET_BYTES_RECOMMENDED, arena, &secret, err));
  TRY(place_secret(name.ptr, arena, secret, err));
  return secret_read(path, arena, ret, err);
}
