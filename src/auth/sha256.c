/* sha256.c - the adapter to OpenSSL's one-shot digest. */
#include "auth/sha256.h"

#include <openssl/evp.h>

bool sha256_hex(Str bytes, char ret[SHA256_HEX_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char digest[SHA256_BYTES];
  unsigned int len = 0;
  if (EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_sha256(), NULL) != 1 || len != SHA256_BYTES) return false;
  for (size_t i = 0; i < SHA256_BYTES; i++) {
    ret[2 * i] = digits[digest[i] >> 4];
    ret[2 * i + 1] = digits[digest[i] & 15];
  }
  return true;
}
