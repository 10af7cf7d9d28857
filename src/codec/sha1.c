/* sha1.c - adapts OpenSSL's digest. */
#include "codec/sha1.h"

#include <openssl/evp.h>

bool sha1(Str bytes, unsigned char out[SHA1_BYTES]) {
  unsigned len = 0;
  return EVP_Digest(bytes.ptr, bytes.len, out, &len, EVP_sha1(), NULL) == 1 && len == SHA1_BYTES;
}
