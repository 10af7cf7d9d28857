/* explain.c - caisson explain CONTRACT 'GET /v1/…': what would become of a request, without a server. Without a store the tables stand
 * empty in memory: the statements and their plan are real, and nothing is tried. */
#include <stdlib.h>

#include "api/explain_write.h"
#include "auth/jwt.h"
#include "base/datetime.h"
#include "base/file.h"
#include "cli/command.h"
#include "contract/load.h"
#include "migrate/start.h"
#include "server/generation.h"

enum { EXPLANATION_BYTES_MAX = 16 * 1024 * 1024, BODY_BYTES_MAX = 16 * 1024 * 1024, CLAIMS_DEPTH_MAX = 16 };

typedef struct ExplainOptions {
  Str claims, store, body;
  int format; /* CliFormat */
} ExplainOptions;

static const OptionSpec options[] = {
    {"as", OPTION_TEXT, offsetof(ExplainOptions, claims), NULL, "CLAIMS", "who asks: a token's claims as JSON [a stranger]"},
    {"store", OPTION_TEXT, offsetof(ExplainOptions, store), NULL, "URL",
     "try it there, rolled back, with that store's plan [only explain]"},
    {"body", OPTION_TEXT, offsetof(ExplainOptions, body), NULL, "FILE", "the request's JSON body"},
    CLI_FORMAT_OPTION(ExplainOptions, format),
};

static const OptionTable table = {
    .command = "explain",
    .arguments = "CONTRACT 'METHOD /PATH' [options]",
    .summary = "Explains a request: the operation, the rules and what they are for the caller, SQL with\n"
               "its parameters, the store's plan and what would help it, and why something is refused.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_min = 2,
    .positional_max = 2,
    .footer = "Example: caisson explain shop.graphql 'GET /v1/products?limit=5' --as '{\"sub\":\"ann\"}'",
};

typedef struct Explained {
  Cli *cli;
  const ExplainOptions *options;
  Generation *generation;
  Store *store;
  Loop *loop;
  Arena *arena; /* the request's: it holds plans of the engine, and goes before it */
  StoreSession *session;
  Engine *engine;
  HttpExchange exchange;
  HttpHeader headers[1];
  Caller caller;
  ApiRequest request;
  Explanation explanation;
  LoopMessage begin;
  Code code;
  Error err;
} Explained;

/* ---- The request ---- */

static bool read_method(Str text, HttpMethod *ret) {
  static const Str methods[] = {[HTTP_GET] = STR_INIT("GET"),        [HTTP_HEAD] = STR_INIT("HEAD"),   [HTTP_POST] = STR_INIT("POST"),
                                [HTTP_PUT] = STR_INIT("PUT"),        [HTTP_PATCH] = STR_INIT("PATCH"), [HTTP_DELETE] = STR_INIT("DELETE"),
                                [HTTP_OPTIONS] = STR_INIT("OPTIONS")};
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    if (!str_equal_ignore_case(methods[i], text)) continue;
    *ret = (HttpMethod)i;
    return true;
  }
  return false;
}

static Code read_request(Explained *explained, Str line, Error *err) {
  HttpRequest *http = &explained->exchange.request;
  Str rest = str_trim(line), method = {0};
  bool has_method = str_split_next(&rest, ' ', &method) && rest.ptr != NULL;
  http->target = str_trim(rest);
  if (!has_method || !read_method(method, &http->method) || http->target.len == 0 || http->target.ptr[0] != '/')
    return error_set(err, CODE_BAD_REQUEST, "a request is a method and a path: 'GET /v1/products?limit=5'");
  http->method_text = method;
  size_t mark = str_find_byte(http->target, '?', 0);
  http->path = str_slice(http->target, 0, mark);
  if (mark < http->target.len) http->query = str_slice(http->target, mark + 1, http->target.len);
  return CODE_OK;
}

static Code read_body(Explained *explained, Error *err) {
  static const HttpHeader json = {STR_INIT("content-type"), STR_INIT("application/json")};
  if (explained->options->body.len == 0) return CODE_OK;
  Str path = explained->options->body;
  Error why = {0};
  Code code = file_read(path, BODY_BYTES_MAX, explained->cli->arena, &explained->exchange.request.body, &why);
  if (code != CODE_OK) return error_set(err, code, "can't read %.100s: %s", path.ptr, why.text);
  explained->headers[0] = json;
  explained->exchange.request.headers = explained->headers;
  explained->exchange.request.header_count = 1;
  return CODE_OK;
}

static Code read_claims(Explained *explained, Error *err) {
  Arena *arena = explained->cli->arena;
  Str text = explained->options->claims;
  if (text.len == 0) return CODE_OK;
  JsonValue *claims = ARENA_NEW(arena, JsonValue);
  TRY_ALLOC(claims);
  Error why = {0};
  Code code = json_parse(text, CLAIMS_DEPTH_MAX, arena, claims, &why);
  if (code != CODE_OK || claims->type != JSON_OBJECT)
    return error_set(err, CODE_BAD_REQUEST, "--as takes a JSON object of claims%s%s", code != CODE_OK ? ": " : "", why.text);
  code = jwt_caller_read(claims, arena, &explained->caller, &why);
  if (code == CODE_OK) explained->caller.certificate = json_get(claims, STR(CALLER_CERTIFICATE_CLAIM));
  return code == CODE_OK ? CODE_OK : error_set(err, CODE_BAD_REQUEST, "--as: %s", why.text);
}

/* ---- What it needs ---- */

static Code make_tables(Explained *explained, const Contract *contract, bool is_scratch, Error *err) {
  Str differences = {NULL, 0};
  Code code = is_scratch ? tables_start(explained->store, contract, true, explained->cli->arena, &differences, err)
                         : tables_compare(explained->store, contract, explained->cli->arena, &differences, err);
  if (code == CODE_CONFLICT)
    return error_set(err, code, "the store is not as the contract says: %.*s",
                     STR_ARGS(str_slice(differences, 0, str_find_byte(differences, '\n', 0))));
  return code;
}

static Code open_all(Explained *explained, Contract *contract, const ServeConfig *config, Error *err) {
  bool is_scratch = explained->options->store.len == 0;
  StoreOptions store = {.url = is_scratch ? STR("sqlite::memory:") : explained->options->store,
                        .statement_timeout_us = (int64_t)config->statement_timeout_ms * 1000,
                        .writes_queued_max = 1,
                        .absent = STORE_ABSENT_IS_REFUSED,
                        .report = cli_report_store,
                        .report_context = explained->cli};
  explained->arena = arena_create(0);
  if (explained->arena == NULL) return contract_destroy(contract), error_no_memory(err);
  TRY(generation_create(&contract, NULL, 1, config, 1, NULL, &explained->generation, err));
  TRY(store_open(&store, &explained->store, err));
  TRY(make_tables(explained, contract, is_scratch, err));
  TRY(loop_create(&explained->loop, err));
  TRY(store_session_open(explained->store, explained->loop, &explained->session, err));
  const Api *api = explained->generation->versions[0].api;
  return engine_create(contract, explained->session, &api->limits, &explained->engine, err);
}

static void close_all(Explained *explained) {
  arena_destroy(explained->arena);
  engine_destroy(explained->engine);
  store_session_close(explained->session);
  store_close(explained->store);
  loop_destroy(explained->loop);
  generation_release(explained->generation);
}

/* ---- The explanation ---- */

static void done(void *context, Code code, const Error *err) {
  Explained *explained = context;
  explained->code = code;
  if (code != CODE_OK) explained->err = *err;
  loop_stop(explained->loop);
}

static void begin(void *context) {
  Explained *explained = context;
  bool is_run = explained->options->store.len > 0;
  engine_explain(explained->engine, &explained->request.group, is_run, &explained->explanation, done, explained);
}

/* The face's own refusal: the request can't be read as one. */
static ExitStatus unreadable(const Explained *explained) {
  const Problem *problem = explained->request.problem;
  Error err = {0};
  if (problem == NULL) {
    (void)error_set(&err, CODE_BAD_REQUEST, "the request is answered without an operation");
  } else {
    (void)error_set(&err, CODE_BAD_REQUEST, "%.*s%s%.*s", STR_ARGS(problem->detail), problem->hint.len > 0 ? ": " : "",
                    STR_ARGS(problem->hint));
  }
  return cli_fail(explained->cli, &err);
}

static ExitStatus explain(Explained *explained) {
  const Api *api = explained->generation->versions[0].api;
  Cli *cli = explained->cli;
  explained->exchange.arena = explained->arena;
  explained->exchange.loop = explained->loop;
  explained->request = (ApiRequest){.exchange = &explained->exchange,
                                    .api = api,
                                    .engine = explained->engine,
                                    .caller = &explained->caller,
                                    .now_us = timestamp_now(),
                                    .face = api_face(api, &explained->exchange.request)};
  if (explained->request.face == NULL) {
    Error err = {0};
    (void)error_set(&err, CODE_BAD_REQUEST, "nothing is served at this path: it begins with /%.*s/",
                    STR_ARGS(api->contract->service_version));
    return cli_fail(cli, &err);
  }
  if (explained->request.face->decode(&explained->request) != CODE_OK || explained->request.is_answered) return unreadable(explained);
  explained->begin = (LoopMessage){.run = begin, .context = explained};
  loop_post(explained->loop, &explained->begin);
  loop_run(explained->loop);
  if (explained->code != CODE_OK) return cli_fail(cli, &explained->err);
  Buf out = buf_on(cli->arena, EXPLANATION_BYTES_MAX);
  if (explained->options->format == CLI_JSON) {
    explain_write_json(&out, &explained->explanation);
    buf_add_byte(&out, '\n');
  } else {
    explain_write_text(&out, &explained->explanation);
  }
  return cli_print(&out);
}

static const char *environment(const char *name) { return getenv(name); }

/* The limits are a server's: its options' defaults, or what the environment says. */
static Code read_limits(Cli *cli, Str path, ServeConfig *ret, Error *err) {
  const char *const args[] = {path.ptr};
  OptionsOutcome outcome;
  OptionList positional;
  return options_parse(&SERVE_OPTIONS, args, 1, environment, cli->arena, ret, &outcome, &positional, err);
}

static ExitStatus command_explain(Cli *cli) {
  ExplainOptions chosen = {0};
  OptionList positional;
  ExitStatus status = EXIT_DONE;
  ServeConfig config = {0};
  Contract *contract = NULL;
  Error err = {0};
  if (!cli_parse(cli, &table, &chosen, &positional, &status)) return status;
  Explained explained = {.cli = cli, .options = &chosen};
  bool is_readable = read_request(&explained, positional.items[1], &err) == CODE_OK && read_claims(&explained, &err) == CODE_OK;
  if (!is_readable) return (void)cli_fail(cli, &err), EXIT_WRONG_USAGE;
  char forms[STORE_FORMS_BYTES];
  if (chosen.store.len > 0 && store_driver_of(chosen.store) == NULL)
    return cli_wrong_usage(cli, &table, "--store wants %s", store_forms(forms));
  if (read_body(&explained, &err) != CODE_OK || read_limits(cli, positional.items[0], &config, &err) != CODE_OK) return cli_fail(cli, &err);
  status = cli_load_contract(cli, positional.items[0], &contract);
  if (status != EXIT_DONE) return status;
  Code code = open_all(&explained, contract, &config, &err);
  status = code == CODE_OK ? explain(&explained) : cli_fail(cli, &err);
  close_all(&explained);
  return status;
}

const Command COMMAND_EXPLAIN = {
    .options = &table, .run = command_explain, .summary = "CONTRACT 'GET /v1/...': what would become of a request, and why"};
