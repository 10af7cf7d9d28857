/* expr_random.c - see expr_random.h. */
#include "expr_random.h"

#include <stdio.h>

#include "base/datetime.h"

typedef struct Scope {
  Str prefix; /* "" or "x1." */
  const Resource *resource;
} Scope;

typedef struct Generator {
  Random *random;
  Buf *out;
  const ExprRandomOptions *options;
  Scope scopes[4];
  size_t scope_count;
  size_t name_count;
} Generator;

static void gen(Generator *g, ExprType type, size_t depth);
static void gen_boolean(Generator *g, size_t depth);

static size_t below(Generator *g, size_t n) { return random_below(g->random, n); }
static bool one_in(Generator *g, size_t n) { return random_one_in(g->random, n); }
static void put(Generator *g, const char *text) { buf_add(g->out, str_of(text)); }

/* ---- literals ---- */

static void put_string(Generator *g, Str text) {
  buf_add_byte(g->out, '"');
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '"' || text.ptr[i] == '\\') buf_add_byte(g->out, '\\');
    buf_add_byte(g->out, text.ptr[i]);
  }
  buf_add_byte(g->out, '"');
}

static void put_bytes(Generator *g, Str bytes) {
  put(g, "b'");
  for (size_t i = 0; i < bytes.len; i++) buf_printf(g->out, "\\x%02x", (unsigned)(unsigned char)bytes.ptr[i]);
  put(g, "'");
}

static void put_literal(Generator *g, ExprType type) {
  char text[TIMESTAMP_TEXT_MAX];
  Value value = world_random_scalar(g->random, type);
  switch (value.type) {
    case VALUE_BOOL: put(g, value.boolean ? "true" : "false"); break;
    case VALUE_INT: buf_printf(g->out, "%lld", (long long)value.integer); break;
    case VALUE_FLOAT: json_write_double(g->out, value.number); break;
    case VALUE_DECIMAL: /* beside a Decimal it is read exactly */
      buf_add(g->out, value.text);
      if (memchr(value.text.ptr, '.', value.text.len) == NULL) put(g, ".0");
      break;
    case VALUE_BYTES: put_bytes(g, value.text); break;
    case VALUE_TIMESTAMP: buf_printf(g->out, "timestamp('%.*s')", (int)timestamp_write(value.integer, text), text); break;
    case VALUE_DATE: buf_printf(g->out, "date('%.*s')", (int)date_write(value.integer, text), text); break;
    case VALUE_DURATION: buf_printf(g->out, "duration('%lldus')", (long long)value.integer); break;
    default: put_string(g, value.text); break;
  }
}

/* ---- paths ---- */

static ExprType type_of(const Field *field) {
  switch (field->type) {
    case TYPE_INT:
    case TYPE_BIGINT: return EXPR_TYPE_INT;
    case TYPE_FLOAT: return EXPR_TYPE_FLOAT;
    case TYPE_DECIMAL: return EXPR_TYPE_DECIMAL;
    case TYPE_BOOLEAN: return EXPR_TYPE_BOOL;
    case TYPE_DATETIME: return EXPR_TYPE_TIMESTAMP;
    case TYPE_DATE: return EXPR_TYPE_DATE;
    case TYPE_BYTES: return EXPR_TYPE_BYTES;
    case TYPE_JSON:
    case TYPE_EMBEDDED: return EXPR_TYPE_JSON;
    default: return EXPR_TYPE_STRING;
  }
}

typedef struct Path {
  char text[160];
  const Field *end;
} Path;

static void path_add(Path *path, Str name) {
  size_t len = strlen(path->text);
  if (len + name.len + 2 > sizeof path->text) return;
  if (len > 0 && path->text[len - 1] != '.') path->text[len++] = '.';
  memcpy(path->text + len, name.ptr, name.len);
  path->text[len + name.len] = '\0';
}

/* A walk over relations and into objects that ends anywhere. */
static Path random_path(Generator *g) {
  Path path = {0};
  const Scope *scope = &g->scopes[below(g, g->scope_count)];
  memcpy(path.text, scope->prefix.ptr, scope->prefix.len);
  const Resource *resource = scope->resource;
  for (;;) {
    const Field *field = resource->fields[below(g, resource->field_count)];
    if (!g->options->has_foreign && field->column_type.len > 0) continue;
    path_add(&path, field->name);
    path.end = field;
    if (field->kind == FIELD_TO_ONE && one_in(g, 2) && strlen(path.text) < 100) {
      resource = field->relation->target;
      continue;
    }
    break;
  }
  while (path.end->kind == FIELD_STORED && path.end->type == TYPE_EMBEDDED && !path.end->is_list && !one_in(g, 4)) {
    const Embedded *embedded = path.end->embedded;
    path.end = embedded->fields[below(g, embedded->field_count)];
    path_add(&path, path.end->name);
  }
  return path;
}

enum { PATH_TRIES = 40 };

/* A stored path of the type; false where none was found in some tries. */
static bool find_path(Generator *g, ExprType type, bool is_list, Path *ret) {
  for (size_t i = 0; i < PATH_TRIES; i++) {
    Path path = random_path(g);
    if (path.end->kind != FIELD_STORED || path.end->is_list != is_list || type_of(path.end) != type) continue;
    *ret = path;
    return true;
  }
  return false;
}

static bool find_relation(Generator *g, FieldKind kind, Path *ret) {
  for (size_t i = 0; i < PATH_TRIES; i++) {
    *ret = random_path(g);
    if (ret->end->kind == kind) return true;
  }
  return false;
}

static void put_path_or_literal(Generator *g, ExprType type) {
  Path path;
  if (type != EXPR_TYPE_DURATION && !one_in(g, 4) && find_path(g, type, false, &path))
    put(g, path.text);
  else
    put_literal(g, type);
}

/* ---- values ---- */

static void gen_number(Generator *g, ExprType type, size_t depth) {
  static const char *const operators[] = {" + ", " - ", " * ", " / ", " % "};
  size_t count = type == EXPR_TYPE_INT ? 5 : type == EXPR_TYPE_FLOAT ? 4 : 3;
  if (type == EXPR_TYPE_INT && one_in(g, 4)) {
    Path path;
    bool is_list = one_in(g, 2) && find_relation(g, FIELD_TO_MANY, &path);
    /* A hidden list is null, and its size too; the view of the rows in memory has no way to say so. */
    if (is_list && (g->options->has_row_tests || path.end->access[RULE_READ] == NULL))
      buf_printf(g->out, "size(%s)", path.text);
    else if (one_in(g, 2) && find_path(g, EXPR_TYPE_STRING, true, &path))
      buf_printf(g->out, "size(%s)", path.text);
    else {
      put(g, "size(");
      gen(g, one_in(g, 4) ? EXPR_TYPE_BYTES : EXPR_TYPE_STRING, depth - 1);
      put(g, ")");
    }
    return;
  }
  put(g, "(");
  if (one_in(g, 6)) {
    put(g, "-(");
    gen(g, type, depth - 1);
    put(g, "))");
    return;
  }
  gen(g, type, depth - 1);
  put(g, operators[below(g, count)]);
  gen(g, type != EXPR_TYPE_INT && one_in(g, 4) ? EXPR_TYPE_INT : type, depth - 1);
  put(g, ")");
}

static void gen_time(Generator *g, ExprType type, size_t depth) {
  bool is_timestamp = type == EXPR_TYPE_TIMESTAMP;
  if (is_timestamp && one_in(g, 5)) {
    put(g, "now()");
    return;
  }
  put(g, "(");
  gen(g, EXPR_TYPE_TIMESTAMP, depth - 1);
  put(g, is_timestamp && one_in(g, 2) ? " + " : " - ");
  gen(g, is_timestamp ? EXPR_TYPE_DURATION : EXPR_TYPE_TIMESTAMP, depth - 1);
  put(g, ")");
}

static void gen(Generator *g, ExprType type, size_t depth) {
  if (type == EXPR_TYPE_BOOL) {
    gen_boolean(g, depth);
    return;
  }
  if (depth == 0 || one_in(g, 2)) {
    put_path_or_literal(g, type);
    return;
  }
  if (one_in(g, 6)) {
    put(g, "(");
    gen_boolean(g, depth - 1);
    put(g, " ? ");
    if (one_in(g, 6))
      put(g, "null");
    else
      gen(g, type, depth - 1);
    put(g, " : ");
    put_path_or_literal(g, type);
    put(g, ")");
    return;
  }
  if (type == EXPR_TYPE_INT || type == EXPR_TYPE_FLOAT || type == EXPR_TYPE_DECIMAL)
    gen_number(g, type, depth);
  else if (type == EXPR_TYPE_TIMESTAMP || type == EXPR_TYPE_DURATION)
    gen_time(g, type, depth);
  else
    put_path_or_literal(g, type);
}

/* ---- Booleans ---- */

static const ExprType scalar_types[] = {EXPR_TYPE_INT,   EXPR_TYPE_FLOAT,     EXPR_TYPE_DECIMAL, EXPR_TYPE_STRING,
                                        EXPR_TYPE_BYTES, EXPR_TYPE_TIMESTAMP, EXPR_TYPE_DATE,    EXPR_TYPE_DURATION};
static ExprType any_scalar(Generator *g) { return scalar_types[below(g, sizeof scalar_types / sizeof *scalar_types)]; }
static bool is_number(ExprType type) { return type == EXPR_TYPE_INT || type == EXPR_TYPE_FLOAT || type == EXPR_TYPE_DECIMAL; }

/* An enum's column beside names, another of its columns, or text. */
static void gen_enum(Generator *g) {
  static const char *const operators[] = {" == ", " != ", " < ", " <= ", " > ", " >= "};
  Path path = {0};
  for (size_t i = 0; i < PATH_TRIES; i++) {
    path = random_path(g);
    if (path.end->kind == FIELD_STORED && path.end->type == TYPE_ENUM) break;
  }
  if (path.end->kind != FIELD_STORED || path.end->type != TYPE_ENUM) {
    put(g, "has(id)");
    return;
  }
  const EnumType *type = path.end->enum_type;
  if (path.end->is_list) {
    put_string(g, world_random_name(g->random, type));
    buf_printf(g->out, " in %s", path.text);
  } else if (one_in(g, 3)) {
    buf_printf(g->out, "%s in [", path.text);
    put_string(g, world_random_name(g->random, type));
    put(g, ", ");
    put_string(g, world_random_name(g->random, type));
    put(g, "]");
  } else if (one_in(g, 4)) {
    buf_printf(g->out, "%s.contains('E')", path.text);
  } else if (one_in(g, 4)) {
    buf_printf(g->out, "(has(id) ? %s : 'OPEN') == ", path.text);
    put_string(g, world_random_name(g->random, type));
  } else {
    buf_printf(g->out, "%s%s", path.text, operators[below(g, 6)]);
    Path other;
    if (one_in(g, 4) && find_path(g, EXPR_TYPE_STRING, false, &other) && other.end->type == TYPE_STRING)
      put(g, other.text);
    else
      put_string(g, world_random_name(g->random, type));
  }
}

/* Enums and UUIDs refuse strings that aren't theirs; they have their own productions. */
static bool is_free_text(const Field *field) { return field->type != TYPE_ENUM && field->type != TYPE_UUID; }

static void put_text(Generator *g) {
  Path path;
  for (size_t i = 0; i < 8; i++) {
    if (one_in(g, 4) || !find_path(g, EXPR_TYPE_STRING, false, &path)) break;
    if (!is_free_text(path.end)) continue;
    put(g, path.text);
    return;
  }
  put_literal(g, EXPR_TYPE_STRING);
}

static void gen_operand(Generator *g, ExprType type, size_t depth) {
  if (type == EXPR_TYPE_STRING)
    put_text(g);
  else
    gen(g, type, depth);
}

static void gen_comparison(Generator *g, size_t depth) {
  static const char *const operators[] = {" == ", " != ", " < ", " <= ", " > ", " >= "};
  ExprType type = any_scalar(g);
  ExprType other = is_number(type) && one_in(g, 3) ? scalar_types[below(g, 3)] : type;
  gen_operand(g, type, depth);
  put(g, operators[below(g, 6)]);
  gen_operand(g, other, depth);
}

static void gen_null_test(Generator *g, size_t depth) {
  const char *operator= one_in(g, 2) ? " == null" : " != null";
  Path path;
  if (g->options->has_row_tests && one_in(g, 3) && find_relation(g, FIELD_TO_ONE, &path)) {
    if (one_in(g, 3))
      buf_printf(g->out, "has(%s)", path.text);
    else
      buf_printf(g->out, "%s%s", path.text, operator);
    return;
  }
  if (one_in(g, 3) && find_path(g, any_scalar(g), one_in(g, 3), &path)) {
    buf_printf(g->out, "has(%s)", path.text);
    return;
  }
  gen_operand(g, any_scalar(g), depth);
  put(g, operator);
}

static void gen_in(Generator *g, size_t depth) {
  ExprType type = scalar_types[below(g, 7)];
  Path list;
  if (one_in(g, 2) && find_path(g, type, true, &list) && (type != EXPR_TYPE_STRING || is_free_text(list.end))) {
    gen_operand(g, type, depth);
    buf_printf(g->out, " in %s", list.text);
    return;
  }
  gen_operand(g, type, depth);
  put(g, " in [");
  for (size_t i = 0, n = 1 + below(g, 3); i < n; i++) {
    if (i > 0) put(g, ", ");
    if (one_in(g, 8))
      put(g, "null");
    else if (type == EXPR_TYPE_STRING)
      put_text(g);
    else if (one_in(g, 2))
      put_literal(g, type);
    else
      put_path_or_literal(g, type);
  }
  put(g, "]");
}

static void gen_text_function(Generator *g) {
  static const char *const functions[] = {".startsWith(", ".endsWith(", ".contains("};
  static const char *const patterns[] = {"'^a'", "'e'", "'^$'", "'^.$'", "'[A-Z]'", "\"\\\\p{L}\""};
  put_text(g);
  if (one_in(g, 4)) {
    buf_printf(g->out, ".matches(%s)", patterns[below(g, 6)]);
    return;
  }
  put(g, functions[below(g, 3)]);
  put_text(g);
  put(g, ")");
}

static void gen_quantifier(Generator *g, size_t depth) {
  Path path;
  const char *function = one_in(g, 2) ? "exists" : "all";
  size_t name = ++g->name_count;
  if (g->scope_count < 3 && !one_in(g, 3) && find_relation(g, FIELD_TO_MANY, &path)) {
    buf_printf(g->out, "%s.%s(x%zu, ", path.text, function, name);
    Scope *scope = &g->scopes[g->scope_count];
    char prefix[24];
    int len = snprintf(prefix, sizeof prefix, "x%zu.", name);
    *scope = (Scope){{prefix, (size_t)len}, path.end->relation->source};
    g->scope_count++;
    gen_boolean(g, depth - 1);
    g->scope_count--;
    put(g, ")");
    return;
  }
  ExprType type = scalar_types[below(g, 7)];
  if (!find_path(g, type, true, &path) || (type == EXPR_TYPE_STRING && !is_free_text(path.end))) {
    gen_comparison(g, depth - 1);
    return;
  }
  buf_printf(g->out, "%s.%s(x%zu, ", path.text, function, name);
  if (one_in(g, 4))
    buf_printf(g->out, "x%zu == null", name);
  else {
    buf_printf(g->out, "x%zu %s ", name, one_in(g, 2) ? "==" : one_in(g, 2) ? "<" : "!=");
    gen_operand(g, type, depth - 1);
  }
  if (one_in(g, 3)) {
    put(g, " || ");
    gen_boolean(g, depth - 1);
  }
  put(g, ")");
}

static void gen_embedded_items(Generator *g) {
  static const char *const bodies[] = {
      "%s.city == \"Tea\"", "%s.zip > 1",          "%s.price >= 0.1",         "%s.open",          "!%s.open",
      "%s.geo.lat < 1.5",   "%s.plain == \"RED\"", "%s.status == 'ARCHIVED'", "7 in %s.geo.deep", "%s.lines.exists(l, l == 'a')",
      "%s.since == null",   "size(%s.lines) > 0",  "%s.big > 3000000000"};
  Path path;
  if (!find_path(g, EXPR_TYPE_JSON, true, &path)) {
    gen_comparison(g, 1);
    return;
  }
  char name[24];
  (void)snprintf(name, sizeof name, "e%zu", ++g->name_count);
  buf_printf(g->out, "%s.%s(%s, ", path.text, one_in(g, 2) ? "exists" : "all", name);
  Str body = str_of(bodies[below(g, sizeof bodies / sizeof *bodies)]);
  size_t at = 0;
  while (at + 1 < body.len && !(body.ptr[at] == '%' && body.ptr[at + 1] == 's')) at++;
  buf_add(g->out, str_slice(body, 0, at));
  buf_add(g->out, str_of(name));
  buf_add(g->out, str_slice(body, at + 2, body.len));
  put(g, ")");
}

static void gen_caller(Generator *g) {
  static const char *const tests[] = {"'staff' in auth.roles",
                                      "auth.claims.admin",
                                      "author.id == auth.id",
                                      "auth.id == null",
                                      "pages == auth.claims.level",
                                      "pages > auth.claims.level",
                                      "title in auth.claims.groups",
                                      "auth.roles.exists(r, r == title)",
                                      "auth.claims.groups.all(r, r != title)",
                                      "price == auth.claims.price",
                                      "createdAt < auth.claims.when",
                                      "pages == auth.id",
                                      "title in auth.roles",
                                      "pages in auth.claims.ids",
                                      "plain in auth.claims.groups",
                                      "tags.exists(t, t in auth.roles)",
                                      "has(auth.claims.name)",
                                      "auth.claims.name == title",
                                      "pages + 1 > auth.claims.level * 2",
                                      "status == auth.id"};
  put(g, tests[below(g, sizeof tests / sizeof *tests)]);
}

static void gen_chain(Generator *g, size_t depth, const char *between) {
  put(g, "(");
  for (size_t i = 0, n = 2 + below(g, 2); i < n; i++) {
    if (i > 0) put(g, between);
    gen_boolean(g, depth - 1);
  }
  put(g, ")");
}

static void gen_uuid(Generator *g) {
  Path path;
  for (size_t i = 0; i < 20; i++) {
    if (!find_path(g, EXPR_TYPE_STRING, false, &path) || path.end->type != TYPE_UUID) continue;
    buf_printf(g->out, "%s %s 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'", path.text, one_in(g, 2) ? "==" : "<");
    return;
  }
  gen_comparison(g, 1);
}

static void gen_boolean(Generator *g, size_t depth) {
  Path path;
  if (depth == 0) {
    if (one_in(g, 2) && find_path(g, EXPR_TYPE_BOOL, false, &path))
      put(g, path.text);
    else
      gen_comparison(g, 0);
    return;
  }
  switch (below(g, 16)) {
    case 0:
    case 1: gen_chain(g, depth, " && "); break;
    case 2:
    case 3: gen_chain(g, depth, " || "); break;
    case 4:
      put(g, "!(");
      gen_boolean(g, depth - 1);
      put(g, ")");
      break;
    case 5: gen_null_test(g, depth - 1); break;
    case 6: gen_in(g, depth - 1); break;
    case 7: gen_text_function(g); break;
    case 8:
    case 9: gen_quantifier(g, depth); break;
    case 10:
      if (one_in(g, 3))
        gen_uuid(g);
      else
        gen_enum(g);
      break;
    case 11: gen_embedded_items(g); break;
    case 12:
      if (g->options->has_caller)
        gen_caller(g);
      else
        gen_comparison(g, depth - 1);
      break;
    case 13:
      put(g, "((");
      gen_boolean(g, depth - 1);
      put(g, one_in(g, 2) ? ") == (" : ") != (");
      gen_boolean(g, depth - 1);
      put(g, "))");
      break;
    case 14:
      put(g, "(");
      gen_boolean(g, depth - 1);
      put(g, " ? ");
      gen_boolean(g, depth - 1);
      put(g, " : ");
      gen_boolean(g, depth - 1);
      put(g, ")");
      break;
    default: gen_comparison(g, depth - 1); break;
  }
}

static Str generate(Random *random, Arena *arena, const Resource *resource, const ExprRandomOptions *options, bool is_value) {
  Buf out = buf_on(arena, 1 << 16);
  Generator g = {.random = random, .out = &out, .options = options};
  g.scopes[0] = (Scope){STR(""), resource};
  g.scope_count = 1;
  if (is_value)
    gen_operand(&g, any_scalar(&g), options->depth);
  else
    gen_boolean(&g, options->depth);
  return buf_str(&out);
}

Str expr_random_boolean(Random *random, Arena *arena, const Resource *resource, const ExprRandomOptions *options) {
  return generate(random, arena, resource, options, false);
}

Str expr_random_value(Random *random, Arena *arena, const Resource *resource, const ExprRandomOptions *options) {
  return generate(random, arena, resource, options, true);
}
