#include "codec/compressor.h"

Code compress_whole(Compressor *compressor, Str bytes, Buf *out, Error *err) {
  if (compressor == NULL) return error_no_memory(err);
  Code code = compressor->add(compressor, bytes, true, out, err);
  compressor->destroy(compressor);
  return code;
}
