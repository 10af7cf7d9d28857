/* value.c - values, keys, filters and headers for requests of every face. Most are what the server takes, so that a request comes far; some
 * are not. */
#include "base/utf8.h"
#include "choices.h"
#include "codec/json.h"
#include "contract.h"
#include "server.h"

/* ---- scalars ---- */

static const Str texts[] = {
    STR_INIT("Tea"),   STR_INIT("a"),     STR_INIT(""),     STR_INIT("\xC3\xA9\xF0\x9F\x8D\xB5"),
    STR_INIT("SKU-1"), STR_INIT("x' OR"), STR_INIT("%_\\"), STR_INIT("null"),
    STR_INIT("a,b;c"), STR_INIT("\"q\""), STR_INIT("a\nb"), STR_INIT("0123456789012345678901234567890123456789012345678901234567890123")};
static const Str integers[] = {STR_INIT("0"),
                               STR_INIT("1"),
                               STR_INIT("5"),
                               STR_INIT("-1"),
                               STR_INIT("2147483647"),
                               STR_INIT("-2147483648"),
                               STR_INIT("2147483648"),
                               STR_INIT("20"),
                               STR_INIT("5.0"),
                               STR_INIT("1e2"),
                               STR_INIT("9223372036854775807"),
                               STR_INIT("-9223372036854775809")};
static const Str numbers[] = {STR_INIT("0"),         STR_INIT("1.5"),   STR_INIT("-0.25"),
                              STR_INIT("12.50"),     STR_INIT("1e300"), STR_INIT("1e-5"),
                              STR_INIT("999999.99"), STR_INIT("0.001"), STR_INIT("123456789012345678901234567890.5")};
static const Str moments[] = {STR_INIT("2026-11-23T12:00:00Z"), STR_INIT("2026-11-23T12:00:00.123456+02:00"),
                              STR_INIT("0001-01-01T00:00:00Z"), STR_INIT("9999-12-31T23:59:59.999999Z"),
                              STR_INIT("2026-06-30T23:59:60Z"), STR_INIT("2026-02-30T00:00:00Z")};
static const Str days[] = {STR_INIT("2026-11-23"), STR_INIT("2024-02-29"), STR_INIT("0001-01-01"), STR_INIT("2026-13-01")};
static const Str uuids[] = {STR_INIT(PRODUCT_KEY), STR_INIT(NO_KEY), STR_INIT("01890A5D-AC96-774B-BCCE-B302099A8001"), STR_INIT("not-one")};
static const Str blobs[] = {STR_INIT("AAEC"), STR_INIT(""), STR_INIT("/+8="), STR_INIT("_-8"), STR_INIT("A")};
static const Str mails[] = {STR_INIT("ann@example.org"), STR_INIT("a@b"), STR_INIT("no mail")};
static const Str links[] = {STR_INIT("https://example.org/a?b#c"), STR_INIT("mailto:x"), STR_INIT("https://")};
static const Str oddities[] = {STR_INIT("null"),       STR_INIT("true"),     STR_INIT("\"\""),
                               STR_INIT("[]"),         STR_INIT("{}"),       STR_INIT("1e999"),
                               STR_INIT("-"),          STR_INIT("[[[[]]]]"), STR_INIT("{\"a\":1,\"a\":2}"),
                               STR_INIT("\"\\ud800\"")};

/* What the type's values look like; *ret_is_quoted: JSON has them as strings. */
static Str scalar_text(Choices *choices, FieldType type, const EnumType *enum_type, bool *ret_is_quoted) {
  *ret_is_quoted = true;
  switch (type) {
    case TYPE_INT: *ret_is_quoted = false; return CHOOSE(choices, integers);
    case TYPE_BIGINT: *ret_is_quoted = !chance(choices, 4); return CHOOSE(choices, integers);
    case TYPE_FLOAT: *ret_is_quoted = false; return CHOOSE(choices, numbers);
    case TYPE_DECIMAL: *ret_is_quoted = !chance(choices, 4); return CHOOSE(choices, numbers);
    case TYPE_BOOLEAN: *ret_is_quoted = false; return chance(choices, 2) ? STR("true") : STR("false");
    case TYPE_DATETIME: return CHOOSE(choices, moments);
    case TYPE_DATE: return CHOOSE(choices, days);
    case TYPE_UUID: return CHOOSE(choices, uuids);
    case TYPE_BYTES: return CHOOSE(choices, blobs);
    case TYPE_EMAIL: return CHOOSE(choices, mails);
    case TYPE_URL: return CHOOSE(choices, links);
    case TYPE_ENUM:
      return enum_type == NULL || chance(choices, 8) ? STR("NONE")
                                                     : enum_type->values[choose(choices, (uint32_t)enum_type->value_count)].name;
    case TYPE_ID: return choose_key(choices);
    default: return CHOOSE(choices, texts);
  }
}

void write_json_scalar(Choices *choices, FieldType type, const EnumType *enum_type, Buf *out) {
  bool is_quoted = false;
  if (chance(choices, 32)) {
    buf_add(out, CHOOSE(choices, oddities));
    return;
  }
  Str text = scalar_text(choices, type, enum_type, &is_quoted);
  if (is_quoted)
    json_write_string(out, text);
  else
    buf_add(out, text);
}

static void write_object(Choices *choices, const Embedded *type, size_t depth, Buf *out) {
  bool is_first = true;
  buf_add_byte(out, '{');
  for (size_t i = 0; i < type->field_count; i++) {
    if (chance(choices, 4)) continue;
    if (!is_first) buf_add_byte(out, ',');
    is_first = false;
    json_write_string(out, type->fields[i]->name);
    buf_add_byte(out, ':');
    write_json_value(choices, type->fields[i], depth + 1, out);
  }
  buf_add_byte(out, '}');
}

static void write_item(Choices *choices, const Field *field, size_t depth, Buf *out) {
  if (field->type == TYPE_EMBEDDED)
    write_object(choices, field->embedded, depth, out);
  else if (field->type == TYPE_JSON)
    buf_add(out, CHOOSE(choices, oddities));
  else
    write_json_scalar(choices, field->type, field->enum_type, out);
}

void write_json_value(Choices *choices, const Field *field, size_t depth, Buf *out) {
  if (depth > 6 || chance(choices, 16)) {
    buf_add(out, STR("null"));
  } else if (field->is_list && !chance(choices, 16)) {
    buf_add_byte(out, '[');
    for (uint32_t i = 0, count = choose(choices, 4); i < count; i++) {
      if (i > 0) buf_add_byte(out, ',');
      write_item(choices, field, depth, out);
    }
    buf_add_byte(out, ']');
  } else {
    write_item(choices, field, depth, out);
  }
}

void write_escaped(Str bytes, Buf *out) {
  for (size_t i = 0; i < bytes.len; i++) {
    char c = bytes.ptr[i];
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~*,:;()", c) != NULL;
    if (is_plain && c != '\0')
      buf_add_byte(out, c);
    else
      buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
  }
}

void write_plain_value(Choices *choices, const Field *field, Buf *out) {
  bool is_quoted;
  if (chance(choices, 16))
    write_escaped(choose_bytes(choices, 12), out);
  else
    write_escaped(scalar_text(choices, field->type, field->enum_type, &is_quoted), out);
}

/* ---- what there is ---- */

Str choose_key(Choices *choices) {
  static const Str keys[] = {STR_INIT(PRODUCT_KEY), STR_INIT(PRODUCT_KEY_2), STR_INIT(REVIEW_KEY), STR_INIT(REVIEW_KEY_2),
                             STR_INIT("tea"),       STR_INIT("hidden"),      STR_INIT("1,OPEN"),   STR_INIT(NO_KEY),
                             STR_INIT("leaf"),      STR_INIT("2,CLOSED"),    STR_INIT("1"),        STR_INIT("")};
  return CHOOSE(choices, keys);
}

const Resource *choose_resource(Choices *choices, const Contract *contract) {
  return contract->resources[choose(choices, (uint32_t)contract->resource_count)];
}

const Field *choose_field(Choices *choices, const Resource *resource) {
  return resource->fields[choose(choices, (uint32_t)resource->field_count)];
}

/* ---- filters ---- */

static void write_operand(Choices *choices, const Field *field, Buf *out) {
  static const Str roots[] = {STR_INIT("auth.id"), STR_INIT("now()"), STR_INIT("auth.roles"), STR_INIT("auth.claims.x"), STR_INIT("null")};
  bool is_quoted = false;
  if (chance(choices, 6)) {
    buf_add(out, CHOOSE(choices, roots));
    return;
  }
  Str text = scalar_text(choices, field->type, field->enum_type, &is_quoted);
  if (!is_quoted) {
    buf_add(out, text);
    return;
  }
  if (field->type == TYPE_DATETIME) buf_add(out, STR("timestamp("));
  json_write_string(out, text);
  if (field->type == TYPE_DATETIME) buf_add_byte(out, ')');
}

static void write_comparison(Choices *choices, const Resource *resource, Buf *out) {
  static const Str operators[] = {STR_INIT(" == "), STR_INIT(" != "),  STR_INIT(" < "),
                                  STR_INIT(" >= "), STR_INIT(" in ["), STR_INIT(" + 1 > ")};
  static const Str calls[] = {STR_INIT(".startsWith("), STR_INIT(".contains("), STR_INIT(".endsWith("), STR_INIT(".matches("),
                              STR_INIT(".size() == (")};
  const Field *field = choose_field(choices, resource);
  buf_add(out, field->name);
  if (field->kind == FIELD_TO_ONE) {
    const Field *inner = choose_field(choices, field->relation->target);
    buf_printf(out, ".%.*s", STR_ARGS(inner->name));
    field = inner;
  }
  if (chance(choices, 4)) {
    buf_add(out, CHOOSE(choices, calls));
    write_operand(choices, field, out);
    buf_add_byte(out, ')');
    return;
  }
  Str sign = CHOOSE(choices, operators);
  buf_add(out, sign);
  write_operand(choices, field, out);
  if (str_ends_with(sign, STR("["))) buf_add_byte(out, ']');
}

static void write_quantifier(Choices *choices, const Resource *resource, size_t depth, Buf *out) {
  const Field *field = choose_field(choices, resource);
  if (field->kind != FIELD_TO_MANY) {
    write_comparison(choices, resource, out);
    return;
  }
  buf_printf(out, "%.*s.%s(x, ", STR_ARGS(field->name), chance(choices, 2) ? "all" : "exists");
  write_filter(choices, field->relation->source, depth + 1, out);
  buf_add_byte(out, ')');
}

void write_filter(Choices *choices, const Resource *resource, size_t depth, Buf *out) {
  switch (depth > 5 ? 0 : choose(choices, 8)) {
    case 4:
      write_filter(choices, resource, depth + 1, out);
      buf_add(out, chance(choices, 2) ? STR(" || ") : STR(" && "));
      write_filter(choices, resource, depth + 1, out);
      break;
    case 5:
      buf_add(out, STR("!("));
      write_filter(choices, resource, depth + 1, out);
      buf_add_byte(out, ')');
      break;
    case 6: write_quantifier(choices, resource, depth, out); break;
    case 7: buf_add(out, choose_bytes(choices, 40)); break;
    default: write_comparison(choices, resource, out);
  }
}

/* ---- headers ---- */

static void write_line(Buf *out, const char *name, Str value) {
  buf_printf(out, "%s: ", name);
  /* A line's end would be another header, which other targets look after. */
  for (size_t i = 0; i < value.len; i++)
    buf_add_byte(out, value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0' ? '?' : value.ptr[i]);
  buf_add(out, STR("\r\n"));
}

void write_common_headers(Choices *choices, Buf *out) {
  static const struct {
    const char *name;
    Str values[5];
  } lines[] = {
      {"Accept-Encoding", {STR_INIT("gzip"), STR_INIT("zstd, br;q=0.5"), STR_INIT("identity;q=0, *"), STR_INIT("br"), STR_INIT(";;")}},
      {"Accept",
       {STR_INIT("*/*"), STR_INIT("application/json"), STR_INIT("application/x-ndjson"), STR_INIT("text/csv"),
        STR_INIT("text/html, */*;q=0.1")}},
      {"If-None-Match", {STR_INIT("*"), STR_INIT("\"x\""), STR_INIT("W/\"x\", \"y\""), STR_INIT("x"), STR_INIT("")}},
      {"If-Match", {STR_INIT("*"), STR_INIT("\"x\""), STR_INIT("\"x\",\"y\""), STR_INIT("W/\"x\""), STR_INIT(",")}},
      {"Prefer",
       {STR_INIT("return=minimal"), STR_INIT("tx=rollback"), STR_INIT("handling=strict, return=representation"), STR_INIT("explain"),
        STR_INIT("=;,")}},
      {"Idempotency-Key", {STR_INIT("\"k1\""), STR_INIT("k2"), STR_INIT(""), STR_INIT("\"k1\";a=b"), STR_INIT("\"\\\"\"")}},
      {"API-Version", {STR_INIT("v1"), STR_INIT("1"), STR_INIT("v2"), STR_INIT(""), STR_INIT("V1")}},
      {"Origin", {STR_INIT("https://example.org"), STR_INIT("null"), STR_INIT(""), STR_INIT("http://x"), STR_INIT("://")}},
      {"Last-Event-ID", {STR_INIT("1"), STR_INIT("AAAA"), STR_INIT(""), STR_INIT("0.0"), STR_INIT("-1")}},
      {"traceparent",
       {STR_INIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), STR_INIT("00-0-0-0"), STR_INIT("ff"), STR_INIT(""),
        STR_INIT("00")}},
  };
  const RequestServer *server = request_server();
  uint32_t who = choose(choices, 5);
  if (who < 3) write_line(out, "Authorization", server->tokens[who]);
  if (who == 3 && chance(choices, 4)) write_line(out, "Authorization", choose_bytes(choices, 30));
  for (uint32_t left = choose(choices, 4); left > 0; left--) {
    size_t i = choose(choices, sizeof lines / sizeof lines[0]);
    write_line(out, lines[i].name, chance(choices, 10) ? choose_bytes(choices, 20) : CHOOSE(choices, lines[i].values));
  }
}
