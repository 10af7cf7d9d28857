/* proto_names.c - the contract's names as Protocol Buffers spells them, and told apart where two would be one. */
#include "api/proto_build.h"
#include "contract/plural.h"

enum { SUFFIX_FIRST = 2, SUFFIX_MAX = 100000 };

Str proto_kept(ProtoBuilder *builder, Str made) {
  if (made.ptr == NULL) builder->has_no_memory = true;
  return made.ptr == NULL ? STR("") : made;
}

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static char to_upper(char c) { return is_lower(c) ? (char)(c - 32) : c; }
static char to_lower(char c) { return is_upper(c) ? (char)(c + 32) : c; }

/* A name that is in PascalCase stays as it is, acronyms and all. */
Str proto_type_name(ProtoBuilder *builder, Str name) {
  bool is_pascal = name.len > 0 && is_upper(name.ptr[0]) && !str_contains(name, STR("_"));
  Str made = is_pascal ? name : proto_kept(builder, name_pascal(name, builder->arena));
  return made.len > 0 && is_upper(made.ptr[0]) ? made : proto_text_of(builder, "T%.*s", STR_ARGS(made));
}

/* As protoc does: underscores go, and the letter behind one is a capital. */
Str proto_json_name(ProtoBuilder *builder, Str name) {
  char *out = arena_alloc(builder->arena, name.len + 1);
  if (out == NULL) return proto_kept(builder, (Str){0});
  size_t len = 0;
  bool is_capital = false;
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] != '_') out[len++] = is_capital ? to_upper(name.ptr[i]) : name.ptr[i];
    is_capital = name.ptr[i] == '_';
  }
  return (Str){out, len};
}

Str proto_upper_name(ProtoBuilder *builder, Str name) {
  Str snake = proto_kept(builder, name_snake(name, builder->arena));
  char *out = arena_alloc(builder->arena, snake.len + 1);
  if (out == NULL) return proto_kept(builder, (Str){0});
  for (size_t i = 0; i < snake.len; i++) out[i] = to_upper(snake.ptr[i]);
  return (Str){out, snake.len};
}

/* What protoc takes for equal: names that differ in case and underscores alone. */
static Str squashed(ProtoBuilder *builder, Str name) {
  char *out = arena_alloc(builder->arena, name.len + 1);
  if (out == NULL) return proto_kept(builder, (Str){0});
  size_t len = 0;
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] != '_') out[len++] = to_lower(name.ptr[i]);
  }
  return (Str){out, len};
}

/* False where it is taken. */
static bool take(ProtoBuilder *builder, Map *names, Str key) {
  if (map_get(names, key) != NULL) return false;
  if (!map_put(names, key, builder)) builder->has_no_memory = true;
  return true;
}

Str proto_member_name(ProtoBuilder *builder, ProtoMessageDraft *message, Str name) {
  Str base = proto_kept(builder, name_snake(name, builder->arena));
  if (base.len == 0 || !is_lower(base.ptr[0])) base = proto_text_of(builder, "field_%.*s", STR_ARGS(base));
  Str made = base;
  for (int i = SUFFIX_FIRST; i < SUFFIX_MAX && !builder->has_no_memory; i++) {
    if (take(builder, &message->names, squashed(builder, made))) break;
    made = proto_text_of(builder, "%.*s_%d", STR_ARGS(base), i);
  }
  return made;
}

Str proto_symbol(ProtoBuilder *builder, Map *taken, Str name, Str fallback) {
  if (take(builder, taken, squashed(builder, name))) return name;
  Str between = str_contains(name, STR("_")) ? STR("_") : STR(""); /* a value's name has one, a type's has none */
  Str made = fallback;
  for (int i = SUFFIX_FIRST; i < SUFFIX_MAX && !builder->has_no_memory; i++) {
    if (take(builder, taken, squashed(builder, made))) break;
    made = proto_text_of(builder, "%.*s%.*s%d", STR_ARGS(fallback), STR_ARGS(between), i);
  }
  return made;
}

Str proto_full_name(ProtoBuilder *builder, Str name) {
  return proto_text_of(builder, "%.*s.%.*s", STR_ARGS(builder->own->file.package), STR_ARGS(name));
}
