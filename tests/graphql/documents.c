/* documents.c - what the GraphQL face makes of documents, for the comparison with the reference: `documents CONTRACT` reads a line of
 * {"query", "variables", "operationName"} at a time and writes {"stage", "errors": [{"message", "locations"}], "variables"}. */
#include <stdio.h>
#include <stdlib.h>

#include "api/graphql.h"
#include "base/file.h"
#include "contract/load.h"

enum { LINE_BYTES_MAX = 1024 * 1024, ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

static const GraphqlLimits limits = {.depth_max = 100,
                                     .cost_max = 1000000000,
                                     .aliases_max = 10000,
                                     .document_bytes_max = 65536,
                                     .tokens_max = 10000,
                                     .has_introspection = true};

static void write_errors(const GraphqlMistakes *mistakes, Buf *out) {
  buf_add(out, STR("\"errors\":["));
  for (size_t i = 0; i < mistakes->list.count; i++) {
    const GraphqlMistake *mistake = &mistakes->list.items[i];
    buf_add(out, i > 0 ? STR(",{\"message\":") : STR("{\"message\":"));
    json_write_string(out, mistake->message);
    buf_add(out, STR(",\"locations\":["));
    for (size_t k = 0; k < mistake->place_count; k++)
      buf_printf(out, "%s{\"line\":%u,\"column\":%u}", k > 0 ? "," : "", mistake->places[k].line, mistake->places[k].column);
    buf_add(out, STR("]}"));
  }
  buf_add(out, STR("]"));
}

/* How far the document comes: parse, validate, variables, done. */
static const char *run_document(GraphqlRun *run, GraphqlDocument *document, const JsonValue *request) {
  const JsonValue *query = json_get(request, STR("query")), *name = json_get(request, STR("operationName"));
  GraphqlParseLimits parse_limits = {limits.document_bytes_max, limits.tokens_max};
  if (!graphql_parse(query->text, &parse_limits, run->arena, document, run->mistakes)) return "parse";
  graphql_validate(run->schema, document, true, run->mistakes);
  if (graphql_is_refused(run->mistakes)) return "validate";
  run->document = document;
  for (size_t i = 0; i < document->operation_count && run->operation == NULL; i++) {
    if (name == NULL || str_equal(document->operations[i].name, name->text)) run->operation = &document->operations[i];
  }
  if (run->operation == NULL) return "operation";
  return graphql_variables(run, json_get(request, STR("variables"))) ? "done" : "variables";
}

static void answer_line(const GraphqlSchema *schema, Str line, Buf *out) {
  Arena *arena = arena_create(0);
  JsonValue request;
  Error err;
  if (arena == NULL || json_parse(line, JSON_DEPTH_DEFAULT, arena, &request, &err) != CODE_OK) {
    fprintf(stderr, "a line is not JSON\n");
    exit(1);
  }
  GraphqlMistakes mistakes = graphql_mistakes_on(arena);
  GraphqlDocument document;
  GraphqlRun run = {.schema = schema, .limits = &limits, .arena = arena, .mistakes = &mistakes};
  const char *stage = run_document(&run, &document, &request);
  buf_printf(out, "{\"stage\":\"%s\",", stage);
  write_errors(&mistakes, out);
  if (strcmp(stage, "done") == 0) {
    buf_add(out, STR(",\"variables\":"));
    json_write(out, &run.variables);
  }
  buf_add(out, STR("}\n"));
  arena_destroy(arena);
}

static const GraphqlSchema *load(const char *path, Arena *arena, Contract **ret_contract) {
  ContractFile file = {.name = str_of(path)};
  DiagnosticList diagnostics = {0};
  GraphqlSchema *schema;
  Error err;
  bool is_good = file_read(str_of(path), CONTRACT_BYTES_MAX, arena, &file.text, &err) == CODE_OK &&
                 contract_load(&file, 1, arena, ret_contract, &diagnostics, &err) == CODE_OK &&
                 graphql_schema_create(*ret_contract, arena, &schema, &err) == CODE_OK;
  return is_good ? schema : NULL;
}

int main(int argc, char **argv) {
  Arena *arena = arena_create(0);
  Contract *contract = NULL;
  const GraphqlSchema *schema = argc == 2 && arena != NULL ? load(argv[1], arena, &contract) : NULL;
  char *line = malloc(LINE_BYTES_MAX);
  if (schema == NULL || line == NULL) {
    fprintf(stderr, "usage: documents CONTRACT <lines\n");
    free(line);
    return 2;
  }
  Buf out = buf_on_heap(ANSWER_BYTES_MAX);
  while (fgets(line, LINE_BYTES_MAX, stdin) != NULL) {
    buf_clear(&out);
    answer_line(schema, str_of(line), &out);
    fwrite(buf_str(&out).ptr, 1, buf_str(&out).len, stdout);
  }
  buf_done(&out);
  free(line);
  contract_destroy(contract);
  arena_destroy(arena);
  return 0;
}
