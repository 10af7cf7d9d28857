/* authenticator.c - the bearer scheme (RFC 6750) over jwt.c, and a set-associative cache of what was verified: four places for each hash,
 * the one that was used longest ago is given up. An entry is shared by reference count, because a request may outlive its place. */
#include "auth/authenticator.h"

#include "auth/jwt.h"

enum { WAYS = 4, IDENTITY_BYTES_MAX = 64 * 1024 };

struct Identity {
  Caller caller;
  Arena *arena; /* holds this identity too */
  Str token;
  uint64_t hash;
  int64_t not_before_us, expires_us;
  uint64_t used_at;  /* the authenticator's tick */
  size_t references; /* requests, and one for the place in the cache */
};

struct Authenticator {
  Arena *arena;
  JwtPolicy policy;
  Identity **places; /* set_count * WAYS */
  size_t set_count;  /* a power of two */
  uint64_t tick;
};

static size_t set_count_for(size_t identities_max) {
  size_t sets = 1;
  while (sets * WAYS < identities_max && sets < (size_t)1 << 24) sets *= 2;
  return sets;
}

static Code copy_policy(Authenticator *made, const AuthenticatorOptions *options, Error *err) {
  made->policy.leeway_us = options->leeway_us;
  made->policy.issuer = arena_str(made->arena, options->issuer);
  made->policy.audience = arena_str(made->arena, options->audience);
  TRY_ALLOC(made->policy.issuer.ptr);
  TRY_ALLOC(made->policy.audience.ptr);
  made->set_count = set_count_for(options->identities_max);
  made->places = ARENA_ARRAY(made->arena, Identity *, made->set_count * WAYS);
  TRY_ALLOC(made->places);
  return hmac_key_create(options->secret, &made->policy.key, err);
}

Code authenticator_create(const AuthenticatorOptions *options, Authenticator **ret, Error *err) {
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  Authenticator *made = ARENA_NEW(arena, Authenticator);
  if (made == NULL) {
    arena_destroy(arena);
    return error_no_memory(err);
  }
  made->arena = arena;
  Code code = copy_policy(made, options, err);
  if (code == CODE_OK)
    *ret = made;
  else
    arena_destroy(arena);
  return code;
}

void authenticator_destroy(Authenticator *authenticator) {
  if (authenticator == NULL) return;
  for (size_t i = 0; i < authenticator->set_count * WAYS; i++) identity_release(authenticator->places[i]);
  hmac_key_destroy(authenticator->policy.key);
  arena_destroy(authenticator->arena);
}

const Caller *identity_caller(const Identity *identity) {
  static const Caller stranger = {.is_authenticated = false};
  return identity == NULL ? &stranger : &identity->caller;
}

int64_t identity_expires_us(const Identity *identity) {
  return identity == NULL || identity->expires_us == INT64_MAX ? 0 : identity->expires_us;
}

void identity_release(Identity *identity) {
  if (identity != NULL && --identity->references == 0) arena_destroy(identity->arena);
}

/* The comparison of tokens need not take constant time: it is reached only by a text whose 64-bit hash is that of a token which was
 * verified. */
static Identity **find_place(Authenticator *authenticator, Str token, uint64_t hash, bool *ret_is_hit) {
  Identity **set = &authenticator->places[(hash & (authenticator->set_count - 1)) * WAYS];
  Identity **oldest = set;
  for (Identity **place = set; place < set + WAYS; place++) {
    if (*place != NULL && (*place)->hash == hash && str_equal((*place)->token, token)) return *ret_is_hit = true, place;
    if (*oldest != NULL && (*place == NULL || (*place)->used_at < (*oldest)->used_at)) oldest = place;
  }
  return *ret_is_hit = false, oldest;
}

static void empty_place(Identity **place) {
  identity_release(*place);
  *place = NULL;
}

static Code verify_into(Authenticator *authenticator, Arena *arena, Str token, uint64_t hash, int64_t now_us, Identity **ret, Error *err) {
  Jwt jwt;
  TRY(jwt_verify(&authenticator->policy, token, now_us, arena, &jwt, err));
  Identity *identity = ARENA_NEW(arena, Identity);
  TRY_ALLOC(identity);
  *identity = (Identity){.caller = jwt.caller,
                         .arena = arena,
                         .token = arena_str(arena, token),
                         .hash = hash,
                         .not_before_us = jwt.not_before_us,
                         .expires_us = jwt.expires_us,
                         .references = 1};
  TRY_ALLOC(identity->token.ptr);
  *ret = identity;
  return CODE_OK;
}

static Code verify(Authenticator *authenticator, Str token, uint64_t hash, int64_t now_us, Identity **ret, Error *err) {
  Arena *arena = arena_create(IDENTITY_BYTES_MAX);
  TRY_ALLOC(arena);
  Code code = verify_into(authenticator, arena, token, hash, now_us, ret, err);
  if (code != CODE_OK) arena_destroy(arena);
  return code;
}

static Code identify_token(Authenticator *authenticator, Str token, int64_t now_us, Identity **ret, Error *err) {
  bool is_hit = false;
  uint64_t hash = str_hash(token);
  Identity **place = find_place(authenticator, token, hash, &is_hit);
  if (is_hit) {
    Code code = jwt_check_times((*place)->not_before_us, (*place)->expires_us, now_us, err);
    if (code != CODE_OK) return empty_place(place), code;
  } else {
    Identity *identity = NULL;
    TRY(verify(authenticator, token, hash, now_us, &identity, err));
    empty_place(place);
    *place = identity;
  }
  (*place)->used_at = ++authenticator->tick;
  (*place)->references++;
  *ret = *place;
  return CODE_OK;
}

/* credentials = "Bearer" 1*SP b64token (RFC 6750 §2.1, RFC 9110 §11.4); the scheme's case does not matter. */
static Code bearer_token(Str authorization, Str *ret_token, Str *ret_challenge, Error *err) {
  size_t space = str_find_byte(authorization, ' ', 0);
  *ret_challenge = STR("invalid_request");
  if (!str_equal_ignore_case(str_slice(authorization, 0, space), STR("Bearer")))
    return error_set(err, CODE_UNAUTHENTICATED, "Only the Bearer scheme is served");
  Str token = str_trim(str_slice(authorization, space, authorization.len));
  if (token.len == 0) return error_set(err, CODE_UNAUTHENTICATED, "The Authorization header has no token");
  *ret_challenge = STR("invalid_token");
  *ret_token = token;
  return CODE_OK;
}

Code authenticator_identify(Authenticator *authenticator, Str authorization, int64_t now_us, Identity **ret, Str *ret_challenge,
                            Error *err) {
  if (authorization.ptr == NULL) return *ret = NULL, CODE_OK;
  Str token = {NULL, 0};
  TRY(bearer_token(authorization, &token, ret_challenge, err));
  return identify_token(authenticator, token, now_us, ret, err);
}
