/* unicode.h - what regular expressions want to know of characters: their general categories, and which differ in case only. Both are asked
 * of PCRE2 when the program is built (scripts/unicode_tables.c), so that a database which is told the characters one by one and PCRE2,
 * which is told their names, go by the same Unicode. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Of two letters each, in the order of UnicodeCategory. */
#define UNICODE_CATEGORY_NAMES "LuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCoCsCn"

typedef enum UnicodeCategory {
  UNICODE_LU,
  UNICODE_LL,
  UNICODE_LT,
  UNICODE_LM,
  UNICODE_LO,
  UNICODE_MN,
  UNICODE_MC,
  UNICODE_ME,
  UNICODE_ND,
  UNICODE_NL,
  UNICODE_NO,
  UNICODE_PC,
  UNICODE_PD,
  UNICODE_PS,
  UNICODE_PE,
  UNICODE_PI,
  UNICODE_PF,
  UNICODE_PO,
  UNICODE_SM,
  UNICODE_SC,
  UNICODE_SK,
  UNICODE_SO,
  UNICODE_ZS,
  UNICODE_ZL,
  UNICODE_ZP,
  UNICODE_CC,
  UNICODE_CF,
  UNICODE_CO,
  UNICODE_CS,
  UNICODE_CN,
  UNICODE_CATEGORY_COUNT
} UnicodeCategory;

enum { UNICODE_MAX = 0x10ffff, UNICODE_SURROGATE_FIRST = 0xd800, UNICODE_SURROGATE_LAST = 0xdfff };

/* From `first` to the next span's: of one category. */
typedef struct UnicodeSpan {
  uint32_t first;
  uint8_t category;
} UnicodeSpan;

/* Beside itself, `other` is what `character` is when case is ignored; a character may have several, each a line. */
typedef struct UnicodeFold {
  uint32_t character, other;
} UnicodeFold;

extern const UnicodeSpan unicode_spans[];
extern const size_t unicode_span_count;
extern const UnicodeFold unicode_folds[]; /* in order */
extern const size_t unicode_fold_count;
