/* openapi_service.c - what is no resource's own: many operations in one transaction, and what is there for those who run the server. */
#include "api/openapi_impl.h"

static void write_tag(Openapi *api, Str tag) {
  json_out_member_open(&api->json, STR("tags"), '[');
  json_out_text(&api->json, tag);
  json_out_close(&api->json, ']');
}

/* ---- POST /v1/batch ---- */

static void batch_operation_schema(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_open(json, '{');
  json_out_member_raw(
      json, STR("type"),
      STR("\"object\",\"required\":[\"method\",\"path\"],\"additionalProperties\":false,\"properties\":{"
          "\"id\":{\"type\":\"string\",\"pattern\":\"^[^.]+$\",\"description\":\"A name, for later operations' `$ref`.\"},"
          "\"method\":{\"type\":\"string\",\"enum\":[\"GET\",\"POST\",\"PUT\",\"PATCH\",\"DELETE\"]},"
          "\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":\"As in a request of its own, with its query.\"},"
          "\"headers\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
          "\"body\":{\"description\":\"As in a request of its own; `{\\\"$ref\\\":\\\"ID.field\\\"}` stands for a value of an earlier "
          "operation's answer.\"}}"));
  json_out_close(json, '}');
}

void openapi_batch_request_schema(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_raw(json, STR("type"), STR("\"object\",\"required\":[\"operations\"],\"additionalProperties\":false"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_member_open(json, STR("operations"), '{');
  json_out_member_raw(json, STR("type"), STR("\"array\""));
  json_out_member_int(json, STR("maxItems"), (int64_t)api->options->limits->batch_max);
  json_out_key(json, STR("items"));
  batch_operation_schema(api);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

void openapi_batch_answer_schema(Openapi *api) {
  json_out_member_raw(
      &api->json, STR("type"),
      STR("\"object\",\"required\":[\"results\"],\"additionalProperties\":false,\"properties\":{\"results\":{\"type\":\"array\","
          "\"items\":{\"type\":\"object\",\"required\":[\"status\",\"headers\",\"body\"],\"additionalProperties\":false,\"properties\":{"
          "\"status\":{\"type\":\"integer\",\"minimum\":200,\"maximum\":399},"
          "\"headers\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
          "\"body\":{\"description\":\"What the operation answers by itself; null where that is nothing.\"}}}}}"));
}

static void write_json_content(Openapi *api, SchemaKind kind) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("content"), '{');
  json_out_member_open(json, STR("application/json"), '{');
  json_out_key(json, STR("schema"));
  openapi_ref(api, kind, NULL);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void batch_path(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_open(json, openapi_text(api, "/%.*s/batch", STR_ARGS(api->contract->service_version)), '{');
  json_out_member_open(json, STR("post"), '{');
  write_tag(api, STR("Batch"));
  json_out_member_text(json, STR("operationId"), STR("batch"));
  json_out_member_text(json, STR("summary"), STR("Do many operations in one transaction"));
  json_out_member_text(
      json, STR("description"),
      STR("The operations run in order, each under its own access rules, and sees what went before it. The first that fails "
          "undoes all, and its problem is the answer, with its index in `operation`."));
  json_out_member_open(json, STR("parameters"), '[');
  openapi_shared_parameters(api, PARAMETER_PREFER | PARAMETER_IDEMPOTENCY_KEY);
  json_out_close(json, ']');
  json_out_member_raw(json, STR("security"), STR("[{},{\"bearer\":[]}]"));
  json_out_member_open(json, STR("requestBody"), '{');
  json_out_member_bool(json, STR("required"), true);
  write_json_content(api, SCHEMA_BATCH_REQUEST);
  json_out_close(json, '}');
  json_out_member_open(json, STR("responses"), '{');
  json_out_member_open(json, STR("200"), '{');
  json_out_member_text(json, STR("description"), STR("All of them are done."));
  openapi_write_headers(api, HEADER_PREFERENCE_APPLIED);
  write_json_content(api, SCHEMA_BATCH_ANSWER);
  json_out_close(json, '}');
  openapi_error_responses(api, ERRORS_UPDATE);
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
}

void openapi_imported_schema(Openapi *api) {
  json_out_member_raw(
      &api->json, STR("type"),
      STR("\"object\",\"description\":\"What became of a stream of rows.\",\"required\":[\"created\"],\"additionalProperties\":false,"
          "\"properties\":{\"created\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0}}"));
}

/* ---- For operators ---- */

static void open_page(Openapi *api, Str path, Str id, Str summary, Str description) {
  JsonOut *json = &api->json;
  json_out_member_open(json, path, '{');
  json_out_member_open(json, STR("get"), '{');
  write_tag(api, STR("Operations"));
  json_out_member_text(json, STR("operationId"), id);
  json_out_member_text(json, STR("summary"), summary);
  json_out_member_text(json, STR("description"), description);
  json_out_member_raw(json, STR("security"), STR("[]"));
  json_out_member_open(json, STR("responses"), '{');
}

static void close_page(Openapi *api, unsigned errors) {
  openapi_error_responses(api, errors | ERROR_408 | ERROR_414 | ERROR_431);
  json_out_close(&api->json, '}');
  json_out_close(&api->json, '}');
  json_out_close(&api->json, '}');
}

static void page_response(Openapi *api, Str status, Str description, Str type, Str schema) {
  JsonOut *json = &api->json;
  json_out_member_open(json, status, '{');
  json_out_member_text(json, STR("description"), description);
  json_out_member_open(json, STR("content"), '{');
  json_out_member_open(json, type, '{');
  json_out_member_raw(json, STR("schema"), schema);
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void probe(Openapi *api, Str path, Str id, Str summary, Str description) {
  static const Str health = STR_INIT("{\"$ref\":\"#/components/schemas/Health\"}");
  openapi_need(api, SCHEMA_HEALTH, NULL);
  open_page(api, path, id, summary, description);
  page_response(api, STR("200"), STR("All checks are good."), STR("application/json"), health);
  page_response(api, STR("503"), STR("Some check is not; it says why."), STR("application/json"), health);
  close_page(api, 0);
}

void openapi_health_schema(Openapi *api) {
  json_out_member_raw(
      &api->json, STR("type"),
      STR("\"object\",\"required\":[\"status\",\"checks\"],\"properties\":{\"status\":{\"type\":\"string\",\"enum\":[\"ok\",\"failed\"]},"
          "\"checks\":{\"type\":\"object\",\"description\":\"Each check by its name.\",\"additionalProperties\":{\"type\":\"object\","
          "\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"string\",\"enum\":[\"ok\",\"failed\"]},"
          "\"detail\":{\"type\":\"string\",\"description\":\"Why not.\"}}}}}"));
}

void openapi_write_service_paths(Openapi *api) {
  batch_path(api);
  probe(api, STR("/livez"), STR("getLiveness"), STR("Is it alive"), STR("Good as long as the server can answer at all."));
  probe(api, STR("/readyz"), STR("getReadiness"), STR("Is it ready"),
        STR("Good while the server is started, has its store and is not being stopped."));
  probe(api, STR("/startupz"), STR("getStartup"), STR("Has it started"), STR("Good as soon as every listener is open."));
  open_page(api, STR("/metrics"), STR("getMetrics"), STR("Read the metrics"), STR("Counters and histograms in Prometheus' text format."));
  page_response(api, STR("200"), STR("The metrics."), STR("text/plain"), STR("{\"type\":\"string\"}"));
  close_page(api, 0);
  open_page(api, STR("/openapi.json"), STR("getOpenapi"), STR("Read the newest version's document"),
            STR("The OpenAPI document of this service; of several versions the newest, or the one that `API-Version` names."));
  page_response(api, STR("200"), STR("The document."), STR("application/json"), STR("{\"type\":\"object\"}"));
  close_page(api, 0);
  open_page(api, openapi_text(api, "/%.*s/openapi.json", STR_ARGS(api->contract->service_version)), STR("getVersionOpenapi"),
            STR("Read this document"), STR("The OpenAPI document of this version."));
  page_response(api, STR("200"), STR("The document."), STR("application/json"), STR("{\"type\":\"object\"}"));
  close_page(api, 0);
}

void openapi_write_service_tags(Openapi *api) {
  json_out_raw(&api->json, STR("{\"name\":\"Batch\",\"description\":\"Many operations in one transaction.\"}"));
  json_out_raw(&api->json, STR("{\"name\":\"Operations\",\"description\":\"For those who run the server.\"}"));
}
