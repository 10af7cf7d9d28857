/* hmac.c - the adapter to OpenSSL's EVP_MAC. A context that has its key is set back to it by an init without one, which saves the key
 * schedule a message. */
#include "auth/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/arena.h"

struct HmacKey {
  EVP_MAC_CTX *context;
};

static EVP_MAC_CTX *context_create(Str secret) {
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
  EVP_MAC_free(mac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (context != NULL && EVP_MAC_init(context, (const unsigned char *)secret.ptr, secret.len, params) == 1) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

Code hmac_key_create(Str secret, HmacKey **ret, Error *err) {
  if (secret.len == 0) return error_set(err, CODE_BAD_REQUEST, "the signing secret is empty");
  HmacKey *key = memory_alloc(sizeof *key);
  TRY_ALLOC(key);
  key->context = context_create(secret);
  if (key->context == NULL) {
    memory_free(key);
    return error_no_memory(err);
  }
  *ret = key;
  return CODE_OK;
}

void hmac_key_destroy(HmacKey *key) {
  if (key == NULL) return;
  EVP_MAC_CTX_free(key->context);
  memory_free(key);
}

bool hmac_sign(HmacKey *key, const Str *parts, size_t count, unsigned char ret[HMAC_SHA256_BYTES]) {
  if (EVP_MAC_init(key->context, NULL, 0, NULL) != 1) return false;
  for (size_t i = 0; i < count; i++)
    if (EVP_MAC_update(key->context, (const unsigned char *)parts[i].ptr, parts[i].len) != 1) return false;
  size_t written = 0;
  return EVP_MAC_final(key->context, ret, &written, HMAC_SHA256_BYTES) == 1 && written == HMAC_SHA256_BYTES;
}

bool hmac_is_equal(const unsigned char a[HMAC_SHA256_BYTES], const unsigned char b[HMAC_SHA256_BYTES]) {
  return CRYPTO_memcmp(a, b, HMAC_SHA256_BYTES) == 0;
}
