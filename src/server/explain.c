/* explain.c - whom a server explains itself to, and the answer in which it does. */
#include "server/explain.h"

#include "api/explain_write.h"
#include "api/header.h"
#include "api/problem_json.h"

enum { EXPLANATION_BYTES_MAX = 4 * 1024 * 1024 };

Code explain_rule_parse(const ServeConfig *config, Arena *arena, const Expr **ret, Error *err) {
  static const Field verdict = {.name = STR_INIT("explain-rule"), .kind = FIELD_STORED, .type = TYPE_BOOLEAN, .precision = -1, .scale = -1};
  static const ExprLimits limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *rule = NULL;
  if (config->can_explain) {
    Code code = expr_parse(config->explain_rule, NULL, EXPR_USE_DEFAULT, &verdict, &limits, arena, &rule, mistakes, &count, err);
    if (code != CODE_OK && count > 0) return error_set(err, CODE_BAD_REQUEST, "--explain-rule: %.160s", mistakes[0].message);
    if (code != CODE_OK) return code;
  }
  *ret = rule;
  return CODE_OK;
}

bool request_asks_explanation(const Request *request) {
  bool is_served = request->worker->shared->explain_rule != NULL && request->prefer.ptr != NULL;
  return is_served && prefer_parse(request->prefer).is_explained;
}

/* A stream's rows and a batch's operations are known only as they run. */
static bool is_explainable(const ApiRequest *api) {
  for (size_t i = 0; i < api->group.count; i++) {
    if (api->group.calls[i].before != NULL || api->group.calls[i].operation.resource == NULL) return false;
  }
  return api->stream == NULL && api->group.count <= 2;
}

Code request_may_explain(const Request *request, const Problem **ret_problem) {
  const Caller *caller = request->api.caller;
  Arena *arena = request->api.exchange->arena;
  ExprEnv env = {.caller = caller, .now_us = request->api.now_us};
  bool is_allowed = false;
  Error err = {0};
  Code code = expr_eval_bool(request->worker->shared->explain_rule, &env, arena, &is_allowed, &err);
  if (code == CODE_OK && is_allowed && is_explainable(&request->api)) return CODE_OK;
  if (code == CODE_OK && is_allowed) {
    *ret_problem =
        problem_with_hint(arena, CODE_BAD_REQUEST, STR("Streams and batches are not explained"), STR("ask for one operation, in JSON"));
    return CODE_BAD_REQUEST;
  }
  if (code == CODE_OK) code = caller->is_authenticated ? CODE_FORBIDDEN : CODE_UNAUTHENTICATED;
  *ret_problem = problem_with_hint(arena, code, STR("Explanations are not for this caller"), STR("leave Prefer: explain away"));
  return code;
}

typedef struct Explaining {
  Request *request;
  void (*answered)(Request *request);
  Explanation explanation;
} Explaining;

static void respond(Request *request, const Explanation *explanation) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/json")},
                                       {STR_INIT("cache-control"), STR_INIT("no-store")},
                                       {STR_INIT("preference-applied"), STR_INIT("explain")}};
  Buf out = buf_on(request->api.exchange->arena, EXPLANATION_BYTES_MAX);
  explain_write_json(&out, explanation);
  if (out.failed != CODE_OK) {
    Str detail = out.failed == CODE_TOO_LARGE ? STR("The explanation is too long") : STR("out of memory");
    request_refuse(request, problem_create(request->api.exchange->arena, out.failed, detail), 0);
    return;
  }
  request->api.response =
      (HttpResponse){.status = 200, .headers = headers, .header_count = sizeof headers / sizeof headers[0], .body = buf_str(&out)};
}

static void explained(void *context, Code code, const Error *err) {
  Explaining *explaining = context;
  Request *request = explaining->request;
  const Problem *problem = explaining->explanation.problem;
  /* What can't be done at the moment can't be explained either. */
  if (code == CODE_OK && problem != NULL && problem->code == CODE_UNAVAILABLE)
    request_refuse(request, problem, 0);
  else if (code == CODE_OK)
    respond(request, &explaining->explanation);
  else
    request_refuse(request, problem_from_error(request->api.exchange->arena, err), 0);
  explaining->answered(request);
}

void request_explain(Request *request, void (*answered)(Request *request)) {
  Arena *arena = request->api.exchange->arena;
  Explaining *explaining = ARENA_NEW(arena, Explaining);
  if (explaining == NULL) {
    request_refuse(request, problem_no_memory(arena), 0);
    answered(request);
    return;
  }
  explaining->request = request;
  explaining->answered = answered;
  engine_explain(request->api.engine, &request->api.group, true, &explaining->explanation, explained, explaining);
}
