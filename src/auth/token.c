/* token.c - the writing counterpart of jwt.c: RFC 7515's compact form, HS256. */
#include "auth/token.h"

#include "auth/jwt.h"
#include "base/buf.h"
#include "codec/base64.h"

static Code check_claims(const TokenSpec *spec, Error *err) {
  static const char *const own[] = {"sub", "roles", "iss", "aud", "iat", "exp", CALLER_CERTIFICATE_CLAIM};
  for (size_t i = 0; i < spec->claim_count; i++) {
    Str name = spec->claims[i].name;
    for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
      if (str_equal(name, str_of(own[k])))
        return error_set(err, CODE_BAD_REQUEST, "the claim %s has an option of its own, or is set by the program", own[k]);
    for (size_t k = 0; k < i; k++)
      if (str_equal(name, spec->claims[k].name)) return error_set(err, CODE_BAD_REQUEST, "the claim %.*s is given twice", STR_ARGS(name));
  }
  return CODE_OK;
}

static void write_name(Buf *out, Str name) {
  if (out->ptr[out->len - 1] != '{') buf_add_byte(out, ',');
  json_write_string(out, name);
  buf_add_byte(out, ':');
}

static void write_text(Buf *out, Str name, Str value) {
  write_name(out, name);
  json_write_string(out, value);
}

static void write_payload(Buf *out, const TokenSpec *spec) {
  if (!buf_reserve(out, 1)) return; /* write_name looks at the last byte */
  buf_add_byte(out, '{');
  if (spec->subject.ptr != NULL) write_text(out, STR("sub"), spec->subject);
  if (spec->role_count > 0) {
    write_name(out, STR("roles"));
    for (size_t i = 0; i < spec->role_count; i++) {
      buf_add_byte(out, i == 0 ? '[' : ',');
      json_write_string(out, spec->roles[i]);
    }
    buf_add_byte(out, ']');
  }
  if (spec->issuer.len != 0) write_text(out, STR("iss"), spec->issuer);
  if (spec->audience.len != 0) write_text(out, STR("aud"), spec->audience);
  for (size_t i = 0; i < spec->claim_count; i++) {
    write_name(out, spec->claims[i].name);
    json_write(out, &spec->claims[i].value);
  }
  int64_t issued_s = spec->issued_us / 1000000;
  write_name(out, STR("iat"));
  buf_add_int64(out, issued_s);
  if (spec->ttl_us > 0) {
    write_name(out, STR("exp"));
    buf_add_int64(out, issued_s + (spec->ttl_us + 999999) / 1000000);
  }
  buf_add_byte(out, '}');
}

Code token_make(HmacKey *key, const TokenSpec *spec, Arena *arena, Str *ret, Error *err) {
  TRY(check_claims(spec, err));
  Buf payload = buf_on(arena, JWT_BYTES_MAX);
  write_payload(&payload, spec);
  Str text;
  TRY(buf_finish(&payload, &text, err));

  Buf token = buf_on(arena, JWT_BYTES_MAX);
  base64url_write(&token, STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
  buf_add_byte(&token, '.');
  base64url_write(&token, text);
  Str signed_text = buf_str(&token);
  unsigned char tag[HMAC_SHA256_BYTES];
  if (!hmac_sign(key, &signed_text, 1, tag)) return error_no_memory(err);
  buf_add_byte(&token, '.');
  base64url_write(&token, (Str){(const char *)tag, sizeof tag});
  return buf_finish(&token, ret, err);
}
