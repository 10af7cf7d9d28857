/* token.c - caisson token: a token that a server of this folder takes. */
#include <glob.h>
#include <stddef.h>

#include "auth/secret.h"
#include "auth/token.h"
#include "base/datetime.h"
#include "cli/command.h"
#include "contract/load.h"
#include "server/jwt_secret.h"
#include "store/store.h"

typedef struct TokenOptions {
  Str subject;
  OptionList roles, claims;
  uint64_t ttl_ms;
  Str issuer, audience, secret, secret_file, store;
} TokenOptions;

#define AT(member) offsetof(TokenOptions, member)
static const OptionSpec options[] = {
    {"sub", OPTION_TEXT, AT(subject), NULL, "ID", "whom it is for: auth.id in rules"},
    {"role", OPTION_LIST, AT(roles), NULL, "ROLE", "one of auth.roles; repeatable"},
    {"claim", OPTION_LIST, AT(claims), NULL, "NAME=JSON", "auth.claims.NAME, as in --claim 'org=\"acme\"'; repeatable"},
    {"ttl", OPTION_DURATION, AT(ttl_ms), "1h", "TIME", "how long it is valid; 0s: for ever", .max = 100ull * 366 * 24 * 3600 * 1000},
    {"jwt-issuer", OPTION_TEXT, AT(issuer), NULL, "TEXT", "iss"},
    {"jwt-audience", OPTION_TEXT, AT(audience), NULL, "TEXT", "aud"},
    {"jwt-secret", OPTION_TEXT, AT(secret), NULL, "TEXT", "the key that signs"},
    {"jwt-secret-file", OPTION_TEXT, AT(secret_file), NULL, "FILE", "a file with the key"},
    {"store", OPTION_TEXT, AT(store), NULL, "URL", "take the key beside this database"},
};
static const OptionTable table = {
    .command = "token",
    .arguments = "[options] [CONTRACT]",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_max = 1,
    .summary = "Prints a signed token for development. The key is the option's; else the one beside the database:\n"
               "--store's, the default one of CONTRACT, the only *.jwt-secret in this folder, or the default one\n"
               "of the contract here.",
    .footer = "curl -H \"Authorization: Bearer $(caisson token --sub ada --role staff)\" localhost:8080/v1/…",
};

/* The only file of the pattern in this folder; ptr NULL where there is none, or more than one. */
static Str only_match(const char *pattern, Arena *arena) {
  glob_t found = {0};
  Str path = {NULL, 0};
  if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1) path = arena_str(arena, str_of(found.gl_pathv[0]));
  globfree(&found);
  return path;
}

static ExitStatus store_of_contract(Cli *cli, Str path, Str *ret_url) {
  Contract *contract = NULL;
  ExitStatus status = cli_load_contract(cli, path, &contract);
  if (status != EXIT_DONE) return status;
  *ret_url = store_url_or_default((Str){0}, contract->service_name, cli->arena);
  contract_destroy(contract);
  return EXIT_DONE;
}

/* Fills what jwt_secret_find goes by. */
static ExitStatus find_source(Cli *cli, const TokenOptions *chosen, OptionList positional, JwtSecretSource *ret) {
  *ret = (JwtSecretSource){chosen->secret, chosen->secret_file, chosen->store};
  if (chosen->secret.len != 0 || chosen->secret_file.len != 0 || chosen->store.len != 0) return EXIT_DONE;
  if (positional.count > 0) return store_of_contract(cli, positional.items[0], &ret->store_url);
  ret->file = only_match("*.jwt-secret", cli->arena);
  if (ret->file.ptr != NULL) return EXIT_DONE;
  Str contract = only_match("*.graphql", cli->arena);
  if (contract.ptr != NULL) return store_of_contract(cli, contract, &ret->store_url);
  Error err;
  (void)error_set(&err, CODE_BAD_REQUEST, "there is no key here to sign with: say which by --jwt-secret-file, --store or the CONTRACT");
  (void)cli_fail(cli, &err);
  return EXIT_WRONG_USAGE;
}

static Code parse_claims(Cli *cli, OptionList given, TokenClaim **ret, Error *err) {
  TokenClaim *claims = ARENA_ARRAY(cli->arena, TokenClaim, given.count);
  TRY_ALLOC(claims);
  for (size_t i = 0; i < given.count; i++) {
    size_t equals = str_find_byte(given.items[i], '=', 0);
    if (equals == 0 || equals >= given.items[i].len)
      return error_set(err, CODE_BAD_REQUEST, "--claim wants NAME=JSON, not \"%.80s\"", given.items[i].ptr);
    claims[i].name = str_slice(given.items[i], 0, equals);
    Error inner = {0};
    if (json_parse(str_slice(given.items[i], equals + 1, given.items[i].len), JSON_DEPTH_DEFAULT, cli->arena, &claims[i].value, &inner) !=
        CODE_OK)
      return error_set(err, CODE_BAD_REQUEST, "--claim %.*s: the value is not JSON: %.120s (a string needs its quotes: '%.*s=\"…\"')",
                       STR_ARGS(claims[i].name), inner.text, STR_ARGS(claims[i].name));
  }
  *ret = claims;
  return CODE_OK;
}

static Code sign(Cli *cli, const TokenOptions *chosen, const TokenClaim *claims, const JwtSecretSource *source, Str *ret, Error *err) {
  Str secret;
  bool is_ephemeral = false;
  TRY(jwt_secret_find(source, cli->arena, &secret, &is_ephemeral, err));
  if (is_ephemeral)
    return error_set(err, CODE_BAD_REQUEST, "a server on this store signs with a secret of its own: give both --jwt-secret-file");
  HmacKey *key = NULL;
  TRY(hmac_key_create(secret, &key, err));
  TokenSpec spec = {.subject = chosen->subject,
                    .roles = chosen->roles.items,
                    .role_count = chosen->roles.count,
                    .claims = claims,
                    .claim_count = chosen->claims.count,
                    .issuer = chosen->issuer,
                    .audience = chosen->audience,
                    .issued_us = timestamp_now(),
                    .ttl_us = (int64_t)chosen->ttl_ms * 1000};
  Code code = token_make(key, &spec, cli->arena, ret, err);
  hmac_key_destroy(key);
  return code;
}

static ExitStatus wrong_usage(const Cli *cli, const Error *err) {
  ExitStatus status = cli_fail(cli, err);
  return status == EXIT_OUTSIDE ? status : EXIT_WRONG_USAGE;
}

static ExitStatus command_token(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  TokenOptions chosen = {0};
  OptionList positional;
  if (!cli_parse(cli, &table, &chosen, &positional, &status)) return status;
  Error err = {0};
  TokenClaim *claims = NULL;
  if (parse_claims(cli, chosen.claims, &claims, &err) != CODE_OK) return wrong_usage(cli, &err);
  JwtSecretSource source;
  status = find_source(cli, &chosen, positional, &source);
  if (status != EXIT_DONE) return status;
  Str token;
  if (sign(cli, &chosen, claims, &source, &token, &err) != CODE_OK) return wrong_usage(cli, &err);
  Buf text = buf_on(cli->arena, token.len + 2);
  buf_add(&text, token);
  buf_add_byte(&text, '\n');
  return cli_print(&text);
}

const Command COMMAND_TOKEN = {.options = &table, .run = command_token, .summary = "[options] [CONTRACT]: a signed token, for development"};
