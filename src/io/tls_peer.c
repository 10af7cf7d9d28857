/* tls_peer.c - what a client's certificate calls its holder. */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "io/tls_internal.h"

/* A URI is ASCII without spaces (RFC 3986 §2): anything else could be taken for another. */
static bool is_uri(Str text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] <= ' ' || text.ptr[i] > '~') return false;
  }
  return str_find_byte(text, ':', 0) < text.len;
}

/* The first URI among the subject's alternative names, as SPIFFE has it. False: there is none. */
static bool write_uri(X509 *certificate, Buf *out) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  bool has_uri = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && !has_uri; i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_STRING *value = name->d.uniformResourceIdentifier;
    Str text = {(const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
    has_uri = is_uri(text);
    if (has_uri) buf_add(out, text);
  }
  GENERAL_NAMES_free(names);
  return has_uri;
}

/* RFC 4514, in UTF-8: "CN=billing,O=Shop". */
static bool write_subject(X509 *certificate, Buf *out) {
  BIO *bio = BIO_new(BIO_s_mem());
  char *bytes;
  if (bio == NULL) return false;
  bool is_written =
      X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0;
  long len = BIO_get_mem_data(bio, &bytes);
  if (is_written && len > 0) buf_add(out, (Str){bytes, (size_t)len});
  BIO_free(bio);
  return is_written;
}

bool tls_peer_write_name(struct ssl_st *ssl, Buf *out) {
  X509 *certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == NULL) return true;
  return (write_uri(certificate, out) || write_subject(certificate, out)) && out->failed == CODE_OK;
}
