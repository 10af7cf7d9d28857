/* unicode_tables.c - writes the tables of src/contract/unicode.h as C, as the PCRE2 that it is built with has them. Run by the build. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/unicode.h"

enum { BLOCK = 64, TEXT_MAX = 4 * (UNICODE_MAX + 1) };

typedef struct Text {
  char *bytes; /* characters in order */
  size_t len;
} Text;

static void die(const char *what) {
  fprintf(stderr, "unicode_tables: %s\n", what);
  exit(1);
}

static size_t encode(uint32_t c, char *out) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3f));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3f));
  out[2] = (char)(0x80 | (c >> 6 & 0x3f));
  out[3] = (char)(0x80 | (c & 0x3f));
  return 4;
}

static size_t decode(const char *text, uint32_t *ret) {
  const unsigned char *b = (const unsigned char *)text;
  size_t len = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
  uint32_t c = len == 1 ? b[0] : b[0] & (0x7fu >> len);
  for (size_t i = 1; i < len; i++) c = c << 6 | (b[i] & 0x3f);
  *ret = c;
  return len;
}

typedef void FoundFn(void *context, uint32_t character);

/* Calls `found` for each character of the text that the class matches. */
static void find(const char *pattern, bool ignores_case, const char *bytes, size_t len, FoundFn *found, void *context) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  uint32_t options = PCRE2_UTF | PCRE2_NEVER_UCP | (ignores_case ? PCRE2_CASELESS : 0);
  pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
  pcre2_match_data *match = code == NULL ? NULL : pcre2_match_data_create(1, NULL);
  if (match == NULL) die(pattern);
  if (len > BLOCK * 64) pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  for (size_t at = 0; pcre2_match(code, (PCRE2_SPTR)bytes, len, at, PCRE2_NO_UTF_CHECK, match, NULL) >= 0;) {
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match);
    for (at = span[0]; at < span[1];) {
      uint32_t character = 0;
      at += decode(bytes + at, &character);
      found(context, character);
    }
  }
  pcre2_match_data_free(match);
  pcre2_code_free(code);
}

/* ---- categories ---- */

static unsigned char categories[UNICODE_MAX + 1];

static void mark(void *category, uint32_t character) { categories[character] = *(unsigned char *)category; }

static void write_spans(const Text *all) {
  memset(categories, UNICODE_CN, sizeof categories);
  memset(categories + UNICODE_SURROGATE_FIRST, UNICODE_CS, UNICODE_SURROGATE_LAST - UNICODE_SURROGATE_FIRST + 1);
  for (unsigned char i = 0; i < UNICODE_CATEGORY_COUNT; i++) {
    char pattern[16];
    if (i == UNICODE_CS || i == UNICODE_CN) continue;
    snprintf(pattern, sizeof pattern, "\\p{%.2s}+", &UNICODE_CATEGORY_NAMES[2 * (size_t)i]);
    find(pattern, false, all->bytes, all->len, mark, &i);
  }
  printf("const UnicodeSpan unicode_spans[] = {\n");
  size_t count = 0;
  for (uint32_t c = 0; c <= UNICODE_MAX; c++) {
    if (c > 0 && categories[c] == categories[c - 1]) continue;
    printf("{%u, %d},\n", c, categories[c]);
    count++;
  }
  printf("};\nconst size_t unicode_span_count = %zu;\n", count);
}

/* ---- case ---- */

/* Of these categories are all that have case: letters but for ideographs and the like, an iota below, Roman numerals, letters in circles.
 * To go through them alone is what makes this quick. */
static bool may_have_case(uint32_t c) {
  static const bool cased[UNICODE_CATEGORY_COUNT] = {[UNICODE_LU] = true, [UNICODE_LL] = true, [UNICODE_LT] = true, [UNICODE_LM] = true,
                                                     [UNICODE_MN] = true, [UNICODE_NL] = true, [UNICODE_SO] = true};
  return cased[categories[c]];
}

static void append(void *context, uint32_t character) {
  Text *text = context;
  text->len += encode(character, text->bytes + text->len);
}

typedef struct Folds {
  uint32_t character;
  size_t count;
} Folds;

static void write_fold(void *context, uint32_t other) {
  Folds *folds = context;
  if (other == folds->character) return;
  printf("{%u, %u},\n", folds->character, other);
  folds->count++;
}

/* What a block's characters are when case is ignored is sought in all of them, what each of them is in that. */
static void write_folds(const Text *all) {
  Text cased = {malloc(TEXT_MAX), 0}, near = {malloc(TEXT_MAX), 0};
  if (cased.bytes == NULL || near.bytes == NULL) die("out of memory");
  for (size_t at = 0; at < all->len;) {
    uint32_t c = 0;
    at += decode(all->bytes + at, &c);
    if (may_have_case(c)) append(&cased, c);
  }
  Folds folds = {0};
  printf("const UnicodeFold unicode_folds[] = {\n");
  for (uint32_t block = 0; block <= UNICODE_MAX; block += BLOCK) {
    char pattern[64];
    if (block >= UNICODE_SURROGATE_FIRST && block <= UNICODE_SURROGATE_LAST) continue;
    bool has_cased = false;
    for (uint32_t c = block; c < block + BLOCK; c++) has_cased = has_cased || may_have_case(c);
    if (!has_cased) continue;
    near.len = 0;
    snprintf(pattern, sizeof pattern, "[\\x{%x}-\\x{%x}]+", block, block + BLOCK - 1);
    find(pattern, true, cased.bytes, cased.len, append, &near);
    for (uint32_t c = block; c < block + BLOCK && near.len > 0; c++) {
      if (!may_have_case(c)) continue;
      folds.character = c;
      snprintf(pattern, sizeof pattern, "\\x{%x}", c);
      find(pattern, true, near.bytes, near.len, write_fold, &folds);
    }
  }
  printf("};\nconst size_t unicode_fold_count = %zu;\n", folds.count);
  free(cased.bytes);
  free(near.bytes);
}

int main(void) {
  Text all = {malloc(TEXT_MAX), 0};
  if (all.bytes == NULL) die("out of memory");
  for (uint32_t c = 0; c <= UNICODE_MAX; c++) {
    if (c < UNICODE_SURROGATE_FIRST || c > UNICODE_SURROGATE_LAST) append(&all, c);
  }
  printf("/* Made by scripts/unicode_tables.c. */\n#include \"contract/unicode.h\"\n\n");
  write_spans(&all);
  write_folds(&all);
  free(all.bytes);
  return ferror(stdout) || fflush(stdout) != 0;
}
