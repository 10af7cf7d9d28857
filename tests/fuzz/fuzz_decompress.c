/* fuzz_decompress.c - "CODING CUT bytes" as what an import or a gRPC message may come as: whatever it is, it is read to its end or refused,
 * gives no more at once than was asked for, and how it is cut into pieces makes no difference. What is coded here comes back. */
#include <string.h>

#include "codec/gzip.h"
#include "codec/zstd.h"
#include "property.h"

enum { OUT_BYTES_MAX = 1024 * 1024, WHOLE_BYTES = 64 * 1024 };

static const struct {
  Compressor *(*compressor)(int level);
  Decompressor *(*decompressor)(void);
  int level;
} codings[] = {{gzip_compressor_create, gzip_decompressor_create, GZIP_LEVEL_FAST},
               {zstd_compressor_create, zstd_decompressor_create, ZSTD_LEVEL_FAST}};

typedef struct Outcome {
  Code code;
  bool is_between, is_cut; /* is_cut: there was more than OUT_BYTES_MAX */
} Outcome;

/* In pieces of `piece` bytes, each asked for so many at a time. */
static Outcome read_all(size_t coding, Str coded, size_t piece, size_t at_once, Buf *out) {
  Decompressor *decompressor = codings[coding].decompressor();
  PROPERTY(decompressor != NULL);
  Outcome outcome = {.code = CODE_OK};
  for (size_t at = 0; at < coded.len && outcome.code == CODE_OK && !outcome.is_cut; at += piece) {
    Str bytes = str_slice(coded, at, at + piece);
    for (bool has_more = true; has_more && outcome.code == CODE_OK;) {
      size_t left = bytes.len, before = out->len;
      Error err = {0};
      outcome.code = decompressor->read(decompressor, &bytes, at_once, out, &err);
      PROPERTY(bytes.len <= left && out->len - before <= at_once);
      PROPERTY(outcome.code == CODE_OK || (outcome.code == CODE_BAD_REQUEST && err.text[0] != '\0'));
      bool is_full = out->len - before == at_once;
      PROPERTY(outcome.code != CODE_OK || is_full || bytes.len < left || left == 0); /* it goes on */
      has_more = is_full || bytes.len > 0;
      outcome.is_cut = out->len > OUT_BYTES_MAX;
      if (outcome.is_cut) break;
    }
  }
  outcome.is_between = decompressor->is_between;
  decompressor->destroy(decompressor);
  return outcome;
}

static void check_cuts(size_t coding, Str coded, size_t piece, size_t at_once) {
  Buf whole = buf_on_heap((size_t)2 * OUT_BYTES_MAX), cut = buf_on_heap((size_t)2 * OUT_BYTES_MAX);
  Outcome first = read_all(coding, coded, coded.len + 1, WHOLE_BYTES, &whole), second = read_all(coding, coded, piece, at_once, &cut);
  if (!first.is_cut && !second.is_cut) {
    PROPERTY(first.code == second.code);
    size_t common = whole.len < cut.len ? whole.len : cut.len;
    PROPERTY(common == 0 || memcmp(whole.ptr, cut.ptr, common) == 0);
    PROPERTY(first.code != CODE_OK || (whole.len == cut.len && first.is_between == second.is_between));
  }
  buf_done(&whole);
  buf_done(&cut);
}

/* gRPC's messages are one member. */
static void check_member(Str coded) {
  Buf member = buf_on_heap(OUT_BYTES_MAX), pieces = buf_on_heap((size_t)2 * OUT_BYTES_MAX);
  if (gzip_decompress(coded, &member, NULL) == CODE_OK) {
    Outcome outcome = read_all(0, coded, coded.len + 1, WHOLE_BYTES, &pieces);
    PROPERTY(outcome.code == CODE_OK && outcome.is_between && str_equal(buf_str(&member), buf_str(&pieces)));
  }
  buf_done(&member);
  buf_done(&pieces);
}

static void check_return(size_t coding, Str text) {
  Buf coded = buf_on_heap(OUT_BYTES_MAX), back = buf_on_heap((size_t)2 * OUT_BYTES_MAX);
  PROPERTY(compress_whole(codings[coding].compressor(codings[coding].level), text, &coded, NULL) == CODE_OK);
  Outcome outcome = read_all(coding, buf_str(&coded), 7, 100, &back);
  PROPERTY(outcome.code == CODE_OK && outcome.is_between && str_equal(buf_str(&back), text));
  buf_done(&coded);
  buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  size_t coding = data[0] % (sizeof codings / sizeof codings[0]);
  Str bytes = {(const char *)data + 2, size - 2};
  check_cuts(coding, bytes, 1 + data[1] % 16, 1 + (size_t)(data[1] / 16) * 50);
  if (coding == 0) check_member(bytes);
  if (size < 4096) check_return(coding, bytes);
  return 0;
}
