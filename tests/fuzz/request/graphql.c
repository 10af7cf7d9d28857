/* graphql.c - requests of the GraphQL face, by its schema: documents with selections and arguments of the right types, mostly. */
#include "codec/json.h"
#include "contract.h"
#include "requests.h"
#include "server.h"

enum { DOCUMENT_BYTES_MAX = 64 * 1024, DEPTH_MAX = 7 };

static void write_value(Choices *choices, GraphqlRef ref, size_t depth, Buf *out);

static void write_input_object(Choices *choices, const GraphqlType *type, size_t depth, Buf *out) {
  buf_add_byte(out, '{');
  size_t only = type->is_one_of ? choose(choices, (uint32_t)type->input_count) : SIZE_MAX;
  for (size_t i = 0; i < type->input_count; i++) {
    const GraphqlInput *input = &type->inputs[i];
    bool is_taken = only != SIZE_MAX                   ? i == only
                    : graphql_is_required(input->type) ? !chance(choices, 16)
                                                       : depth < DEPTH_MAX && chance(choices, 5);
    if (!is_taken) continue;
    buf_printf(out, " %.*s: ", STR_ARGS(input->name));
    write_value(choices, input->type, depth + 1, out);
  }
  buf_add_byte(out, '}');
}

static void write_scalar(Choices *choices, const GraphqlType *type, Buf *out) {
  static const Str expressions[] = {STR_INIT("\"stock > 1\""), STR_INIT("\"name.contains('a')\""),
                                    STR_INIT("\"reviews.exists(r, r.stars > 2)\"")};
  if (type->scalar == TYPE_STRING && chance(choices, 4))
    buf_add(out, CHOOSE(choices, expressions));
  else
    write_json_scalar(choices, type->scalar, NULL, out);
}

static void write_value(Choices *choices, GraphqlRef ref, size_t depth, Buf *out) {
  static const Str oddities[] = {STR_INIT("null"), STR_INIT("$v"), STR_INIT("XX"), STR_INIT("1.5"), STR_INIT("\"\"\"a\n b\"\"\""),
                                 STR_INIT("[[]]")};
  if (chance(choices, 24)) {
    buf_add(out, CHOOSE(choices, oddities));
  } else if (ref.depth > 0) {
    buf_add_byte(out, '[');
    for (uint32_t i = 0, count = choose(choices, 3); i < count && depth < DEPTH_MAX; i++) {
      buf_add_byte(out, ' ');
      write_value(choices, graphql_item(ref), depth + 1, out);
    }
    buf_add_byte(out, ']');
  } else if (ref.type->kind == GRAPHQL_ENUM_TYPE) {
    buf_add(out, ref.type->items[choose(choices, (uint32_t)ref.type->item_count)].name);
  } else if (ref.type->kind == GRAPHQL_INPUT_TYPE) {
    write_input_object(choices, ref.type, depth, out);
  } else {
    write_scalar(choices, ref.type, out);
  }
}

static void write_arguments(Choices *choices, const GraphqlField *field, size_t depth, Buf *out) {
  bool has_any = false;
  for (size_t i = 0; i < field->argument_count; i++) {
    const GraphqlInput *input = &field->arguments[i];
    if (graphql_is_required(input->type) ? chance(choices, 24) : !chance(choices, 4)) continue;
    buf_add(out, has_any ? STR(" ") : STR("("));
    has_any = true;
    buf_printf(out, "%.*s: ", STR_ARGS(input->name));
    write_value(choices, input->type, depth, out);
  }
  if (has_any) buf_add_byte(out, ')');
}

static void write_selection(Choices *choices, const GraphqlType *type, size_t depth, Buf *out);

static void write_field(Choices *choices, const GraphqlType *type, size_t depth, Buf *out) {
  static const Str directives[] = {STR_INIT(" @skip(if: false)"), STR_INIT(" @include(if: $v)"), STR_INIT(" @skip(if: true)"),
                                   STR_INIT(" @deprecated")};
  const GraphqlField *field = &type->fields[choose(choices, (uint32_t)type->field_count)];
  /* What is deep is made of plain fields, so that it ends. */
  for (size_t i = 0; depth >= DEPTH_MAX && i < type->field_count && graphql_is_composite(field->type.type); i++) field = &type->fields[i];
  if (chance(choices, 6)) buf_printf(out, "a%u: ", (unsigned)choose(choices, 3));
  buf_add(out, field->name);
  write_arguments(choices, field, depth, out);
  if (chance(choices, 12)) buf_add(out, CHOOSE(choices, directives));
  if (graphql_is_composite(field->type.type)) write_selection(choices, field->type.type, depth + 1, out);
}

static void write_selection(Choices *choices, const GraphqlType *type, size_t depth, Buf *out) {
  buf_add(out, STR(" {"));
  for (uint32_t i = 0, count = 1 + (depth >= DEPTH_MAX ? 0 : choose(choices, 4)); i < count; i++) {
    buf_add_byte(out, ' ');
    uint32_t form = choose(choices, 16);
    if (form == 15 || type->field_count == 0) {
      buf_add(out, STR("__typename"));
    } else if (form == 14 && depth < DEPTH_MAX) {
      const GraphqlSchema *schema = request_server()->graphql;
      const GraphqlType *other = chance(choices, 2) ? schema->row_types[choose(choices, (uint32_t)schema->contract->resource_count)] : type;
      buf_printf(out, "... on %.*s", STR_ARGS(other->name));
      write_selection(choices, other, depth + 1, out);
    } else if (form == 13) {
      buf_add(out, STR("...f"));
    } else {
      write_field(choices, type, depth, out);
    }
  }
  buf_add(out, STR(" }"));
}

static void write_document(Choices *choices, bool *ret_is_subscription, Buf *out) {
  const GraphqlSchema *schema = request_server()->graphql;
  const GraphqlType *roots[] = {schema->query, schema->mutation, schema->query, schema->mutation, schema->query, schema->subscription};
  const char *const words[] = {"query", "mutation", "query", "mutation", "query", "subscription"};
  uint32_t kind = choose(choices, 6);
  *ret_is_subscription = kind == 5;
  if (chance(choices, 24)) {
    buf_add(out, choose_bytes(choices, 200));
    return;
  }
  buf_printf(out, "%s O%s", words[kind], chance(choices, 4) ? "($v: Boolean = true, $w: [ProductWhere!])" : "");
  write_selection(choices, roots[kind], 0, out);
  if (!chance(choices, 4)) return;
  buf_add(out, STR(" fragment f on Product"));
  write_selection(choices, schema->row_types[0], 3, out);
}

static void write_json_body(Choices *choices, Str document, Buf *out) {
  static const char *const more[] = {"",
                                     ",\"variables\":{\"v\":true}",
                                     ",\"variables\":{\"v\":1,\"w\":[{}]}",
                                     ",\"operationName\":\"O\"",
                                     ",\"operationName\":\"X\",\"extensions\":{}",
                                     ",\"extensions\":{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"x\"}}",
                                     ",\"variables\":[]"};
  bool is_batch = chance(choices, 16);
  if (is_batch) buf_add_byte(out, '[');
  buf_add(out, STR("{\"query\":"));
  json_write_string(out, document);
  buf_add(out, str_of(CHOOSE(choices, more)));
  buf_add(out, is_batch ? STR("},{\"query\":\"{__typename}\"}]") : STR("}"));
}

RequestKind write_graphql(Choices *choices, bool is_last, Arena *arena, Buf *out) {
  static const Str accepted[] = {STR_INIT("application/graphql-response+json"), STR_INIT("application/json"), STR_INIT("text/event-stream"),
                                 STR_INIT("multipart/mixed"), STR_INIT("*/*")};
  Buf document = buf_on(arena, DOCUMENT_BYTES_MAX), body = buf_on(arena, (size_t)4 * DOCUMENT_BYTES_MAX);
  RequestKind kind = {0};
  bool is_get = chance(choices, 8);
  write_document(choices, &kind.is_endless, &document);
  buf_add(out, is_get ? STR("GET /graphql?query=") : STR("POST /graphql"));
  if (is_get) write_escaped(str_slice(buf_str(&document), 0, 2000), out);
  buf_printf(out, " HTTP/1.1\r\nHost: x\r\nAccept: %.*s\r\n", STR_ARGS(kind.is_endless ? accepted[2] : CHOOSE(choices, accepted)));
  write_common_headers(choices, out);
  if (!is_get) write_json_body(choices, buf_str(&document), &body);
  write_rest_of_request(choices, is_last, is_get ? (Str){0} : STR("application/json"), buf_str(&body), arena, out);
  return kind;
}
