/* replay.c - runs a fuzz target over the files of folders, in an ordinary build: what a fuzzer once found stays a test. */
#include <dirent.h>
#include <string.h>

#include "base/file.h"
#include "property.h"

enum { INPUT_BYTES_MAX = 16 * 1024 * 1024 };

static bool replay_file(const char *folder, const char *name) {
  Arena *arena = arena_create(0);
  Str input;
  Error err;
  Str path = arena_printf(arena, "%s/%s", folder, name);
  if (file_read(path, INPUT_BYTES_MAX, arena, &input, &err) != CODE_OK) {
    fprintf(stderr, "%.*s: %s\n", STR_ARGS(path), err.text);
    return false;
  }
  /* On the heap and exactly as long as the input, so that AddressSanitizer sees a read behind its end. */
  uint8_t *bytes = malloc(input.len == 0 ? 1 : input.len);
  if (bytes == NULL) return false;
  if (input.len > 0) memcpy(bytes, input.ptr, input.len);
  LLVMFuzzerTestOneInput(bytes, input.len);
  free(bytes);
  arena_destroy(arena);
  return true;
}

int main(int argc, char **argv) {
  size_t inputs = 0;
  for (int i = 1; i < argc; i++) {
    DIR *folder = opendir(argv[i]);
    if (folder == NULL) {
      perror(argv[i]);
      return 1;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
      if (entry->d_name[0] == '.') continue;
      if (!replay_file(argv[i], entry->d_name)) return 1;
      inputs++;
    }
    closedir(folder);
  }
  printf("%zu inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
