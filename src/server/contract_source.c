/* contract_source.c - reads whole files with a bound on their sum, so that a folder of gigabytes is an error and no memory. */
#include "server/contract_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/vec.h"

static const size_t READ_BYTES_FIRST = 16384;

typedef struct Reading {
  Arena *arena;
  size_t bytes_left;
  VEC(ContractFile) files;
  Error *err;
} Reading;

static Code fail(Reading *reading, const char *path) {
  return error_set(reading->err, CODE_UNAVAILABLE, "can't read %.160s: %s", path, strerror(errno));
}

static Code read_stream(Reading *reading, FILE *file, const char *path, Str *ret) {
  size_t len = 0, cap = 0;
  char *bytes = NULL;
  for (;;) {
    if (len == cap) {
      size_t grown = cap == 0 ? READ_BYTES_FIRST : cap * 2;
      bytes = arena_grow(reading->arena, bytes, cap, grown);
      if (bytes == NULL) return error_no_memory(reading->err);
      cap = grown;
    }
    size_t n = fread(bytes + len, 1, cap - len, file);
    if (n == 0) break;
    len += n;
    if (len > reading->bytes_left)
      return error_set(reading->err, CODE_TOO_LARGE, "%.160s: a contract has at most %d MiB", path, CONTRACT_BYTES_MAX >> 20);
  }
  if (ferror(file)) return fail(reading, path);
  reading->bytes_left -= len;
  *ret = (Str){bytes, len};
  return CODE_OK;
}

static Code read_file(Reading *reading, const char *path) {
  FILE *file = fopen(path, "rbe");
  if (file == NULL) return fail(reading, path);
  ContractFile read = {.name = str_of(path)};
  Code code = read_stream(reading, file, path, &read.text);
  (void)fclose(file);
  if (code == CODE_OK && !VEC_PUSH(reading->arena, &reading->files, read)) return error_no_memory(reading->err);
  return code;
}

static int is_contract_file(const struct dirent *entry) {
  Str name = str_of(entry->d_name);
  return name.ptr[0] != '.' && str_ends_with(name, STR(".graphql"));
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static Code read_folder(Reading *reading, const char *path) {
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, is_contract_file, by_name);
  if (count < 0) return fail(reading, path);
  Code code = count > 0 ? CODE_OK : error_set(reading->err, CODE_BAD_REQUEST, "the folder %.160s has no .graphql file", path);
  size_t len = strlen(path);
  for (int i = 0; i < count; i++) {
    Str name = arena_printf(reading->arena, "%s%s%s", path, len > 0 && path[len - 1] == '/' ? "" : "/", entries[i]->d_name);
    if (code == CODE_OK) code = name.ptr == NULL ? error_no_memory(reading->err) : read_file(reading, name.ptr);
    free(entries[i]);
  }
  free(entries);
  return code;
}

Code contract_source_read(Str path, Arena *arena, ContractSource *ret, Error *err) {
  Reading reading = {.arena = arena, .bytes_left = CONTRACT_BYTES_MAX, .err = err};
  Str name = arena_str(arena, path);
  TRY_ALLOC(name.ptr);
  struct stat info;
  if (stat(name.ptr, &info) != 0) return fail(&reading, name.ptr);
  TRY(S_ISDIR(info.st_mode) ? read_folder(&reading, name.ptr) : read_file(&reading, name.ptr));
  *ret = (ContractSource){reading.files.items, reading.files.count};
  return CODE_OK;
}
