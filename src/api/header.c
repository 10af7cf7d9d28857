/* header.c - reading the request headers that faces decide by. */
#include "api/header.h"

#include "codec/content_coding.h"

enum { ETAGS_MAX = 100, IDEMPOTENCY_KEY_BYTES_MAX = 255 };

/* ---- One pass over all headers ---- */

static bool join(Arena *arena, Str *value, Str more) {
  if (value->ptr == NULL) {
    *value = more;
    return true;
  }
  Str joined = arena_printf(arena, "%.*s, %.*s", STR_ARGS(*value), STR_ARGS(more));
  if (joined.ptr == NULL) return false;
  *value = joined;
  return true;
}

static Str *wanted_header(ApiHeaders *headers, Str name) {
  switch (name.len) {
    case 6:
      if (memcmp(name.ptr, "accept", 6) == 0) return &headers->accept;
      return memcmp(name.ptr, "prefer", 6) == 0 ? &headers->prefer : NULL;
    case 8: return memcmp(name.ptr, "if-match", 8) == 0 ? &headers->if_match : NULL;
    case 12: return memcmp(name.ptr, "content-type", 12) == 0 ? &headers->content_type : NULL;
    case 13: return memcmp(name.ptr, "if-none-match", 13) == 0 ? &headers->if_none_match : NULL;
    case 15: return memcmp(name.ptr, "idempotency-key", 15) == 0 ? &headers->idempotency_key : NULL;
    case 16: return memcmp(name.ptr, "content-encoding", 16) == 0 ? &headers->content_encoding : NULL;
    default: return NULL;
  }
}

bool api_headers_read(const HttpRequest *request, Arena *arena, ApiHeaders *ret) {
  ApiHeaders headers = {0};
  for (size_t i = 0; i < request->header_count; i++) {
    Str *slot = wanted_header(&headers, request->headers[i].name);
    if (slot != NULL && !join(arena, slot, request->headers[i].value)) return false;
  }
  *ret = headers;
  return true;
}

/* ---- Lists, quoted strings and parameters ---- */

/* Cuts *rest at the first `separator` that stands outside a quoted string. False when all is taken. */
static bool next_unquoted(Str *rest, char separator, Str *ret_part) {
  if (rest->ptr == NULL) return false;
  bool is_quoted = false;
  for (size_t i = 0; i < rest->len; i++) {
    char byte = rest->ptr[i];
    if (is_quoted && byte == '\\') {
      i++;
    } else if (byte == '"') {
      is_quoted = !is_quoted;
    } else if (byte == separator && !is_quoted) {
      *ret_part = str_trim((Str){rest->ptr, i});
      *rest = (Str){rest->ptr + i + 1, rest->len - i - 1};
      return true;
    }
  }
  *ret_part = str_trim(*rest);
  *rest = (Str){0};
  return true;
}

static Str without_quotes(Str value) {
  if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') return str_slice(value, 1, value.len - 1);
  return value;
}

/* "name = value" → its two sides, trimmed; the value's ptr is NULL where there is no "=". */
static void split_parameter(Str text, Str *ret_name, Str *ret_value) {
  size_t at = str_find_byte(text, '=', 0);
  *ret_name = str_trim(str_slice(text, 0, at));
  *ret_value = at < text.len ? without_quotes(str_trim(str_slice(text, at + 1, text.len))) : (Str){0};
}

bool media_type_parse(Str value, Str *ret_type, Str *ret_parameters) {
  size_t end = str_find_byte(value, ';', 0);
  Str type = str_trim(str_slice(value, 0, end));
  size_t slash = str_find_byte(type, '/', 0);
  if (slash == 0 || slash + 1 >= type.len) return false;
  *ret_type = type;
  *ret_parameters = end < value.len ? str_slice(value, end + 1, value.len) : STR("");
  return true;
}

Str media_type_parameter(Str parameters, Str name) {
  Str rest = parameters, part;
  while (next_unquoted(&rest, ';', &part)) {
    Str part_name, part_value;
    split_parameter(part, &part_name, &part_value);
    if (part_value.ptr != NULL && str_equal_ignore_case(part_name, name)) return part_value;
  }
  return (Str){0};
}

/* ---- Accept ---- */

/* RFC 9110 §12.4.2: "0", "1", with up to three digits behind the point. Thousandths; -1 when malformed. */
static int weight_parse(Str text) {
  if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1')) return -1;
  if (text.len > 1 && text.ptr[1] != '.') return -1;
  int weight = (text.ptr[0] - '0') * 1000;
  int unit = 100;
  for (size_t i = 2; i < text.len; i++, unit /= 10) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return -1;
    weight += (text.ptr[i] - '0') * unit;
  }
  return weight <= 1000 ? weight : -1;
}

/* How well a range fits: 0 not at all, 1 by "*" + "/" + "*", 2 by its type, 3 wholly. */
static int range_specificity(Str range, Str type) {
  if (str_equal(range, STR("*/*"))) return 1;
  if (str_equal_ignore_case(range, type)) return 3;
  if (range.len < 3 || !str_ends_with(range, STR("/*"))) return 0;
  Str family = str_slice(range, 0, range.len - 1);
  return str_equal_ignore_case(family, str_slice(type, 0, family.len)) ? 2 : 0;
}

int accept_weight(Str accept, Str type) {
  if (accept.ptr == NULL || str_trim(accept).len == 0) return 1000;
  int best_specificity = 0;
  int best_weight = 0;
  Str rest = accept, part;
  while (next_unquoted(&rest, ',', &part)) {
    Str range, parameters;
    if (!media_type_parse(part, &range, &parameters)) continue;
    Str weight_text = media_type_parameter(parameters, STR("q"));
    int weight = weight_text.ptr == NULL ? 1000 : weight_parse(weight_text);
    int specificity = range_specificity(range, type);
    if (weight < 0 || specificity == 0) continue;
    if (specificity > best_specificity || (specificity == best_specificity && weight > best_weight)) {
      best_specificity = specificity;
      best_weight = weight;
    }
  }
  return best_weight;
}

Str accept_version(Str accept) {
  Str rest = accept, range, type, parameters;
  while (str_split_next(&rest, ',', &range)) {
    if (!media_type_parse(str_trim(range), &type, &parameters)) continue;
    Str version = media_type_parameter(parameters, STR("version"));
    if (version.ptr != NULL) return version;
  }
  return (Str){0};
}

/* ---- Entity tags ---- */

/* RFC 9110 §8.8.3: etagc is any visible character but the quote, and obs-text. */
static bool is_etag_byte(char byte) {
  unsigned char c = (unsigned char)byte;
  return c == 0x21 || (c >= 0x23 && c <= 0x7e) || c >= 0x80;
}

/* Reads one entity tag at the start of *rest and moves behind it. */
static bool take_etag(Str *rest, Str *ret_tag, bool *ret_is_weak) {
  Str s = *rest;
  bool is_weak = str_starts_with(s, STR("W/"));
  size_t at = is_weak ? 2 : 0;
  if (at >= s.len || s.ptr[at] != '"') return false;
  size_t begin = ++at;
  while (at < s.len && is_etag_byte(s.ptr[at])) at++;
  if (at >= s.len || s.ptr[at] != '"') return false;
  *ret_tag = (Str){s.ptr + begin, at - begin};
  *ret_is_weak = is_weak;
  *rest = (Str){s.ptr + at + 1, s.len - at - 1};
  return true;
}

static bool is_list_space(char byte) { return byte == ' ' || byte == '\t' || byte == ','; }

/* Moves over white space and commas (empty list items are allowed, RFC 9110 §5.6.1); true where a comma was among them. */
static bool skip_separators(Str *rest) {
  bool has_comma = false;
  while (rest->len > 0 && is_list_space(rest->ptr[0])) {
    has_comma = has_comma || rest->ptr[0] == ',';
    *rest = (Str){rest->ptr + 1, rest->len - 1};
  }
  return has_comma;
}

/* A coded answer's tag is the plain one's with "-" and the coding behind it (server/compress.c); the resource is the same. */
static Str without_coding(Str tag) {
  for (Coding coding = CODING_IDENTITY + 1; coding < CODING_COUNT; coding++) {
    Str name = CONTENT_CODINGS[coding].name;
    if (!str_ends_with(tag, name)) continue;
    Str plain = str_slice(tag, 0, tag.len - name.len);
    if (str_ends_with(plain, STR("-"))) return str_slice(plain, 0, plain.len - 1);
  }
  return tag;
}

Code etag_list_parse(Str value, bool is_weak_kept, Arena *arena, Precondition *ret, Error *err) {
  Precondition result = {.is_given = true};
  Str rest = str_trim(value);
  if (str_equal(rest, STR("*"))) {
    result.is_any = true;
    *ret = result;
    return CODE_OK;
  }
  size_t cap = 0;
  for (size_t i = 0; i < rest.len; i++) cap += rest.ptr[i] == '"';
  cap = cap / 2;
  if (cap > ETAGS_MAX) return error_set(err, CODE_BAD_REQUEST, "more than %d entity tags", ETAGS_MAX);
  Str *tags = ARENA_ARRAY(arena, Str, cap == 0 ? 1 : cap);
  TRY_ALLOC(tags);
  size_t read_count = 0;
  skip_separators(&rest);
  while (rest.len > 0) {
    Str tag;
    bool is_weak;
    if (!take_etag(&rest, &tag, &is_weak)) return error_set(err, CODE_BAD_REQUEST, "an entity tag stands in double quotes, as in \"abc\"");
    tag = without_coding(tag);
    if (!is_weak || is_weak_kept) tags[result.etag_count++] = tag;
    read_count++;
    if (!skip_separators(&rest) && rest.len > 0) return error_set(err, CODE_BAD_REQUEST, "entity tags are separated by commas");
  }
  if (read_count == 0) return error_set(err, CODE_BAD_REQUEST, "no entity tag is given");
  result.etags = tags;
  *ret = result;
  return CODE_OK;
}

/* ---- Prefer ---- */

enum { PREFERENCE_RETURN = 0, PREFERENCE_HANDLING, PREFERENCE_TX, PREFERENCE_EXPLAIN, PREFERENCES };

static bool is_value(Str value, const char *wanted) { return str_equal_ignore_case(value, str_of(wanted)); }

/* False where the preference or its value is not known. */
static bool apply_preference(Str name, Str value, Preferences *preferences, bool has_seen[PREFERENCES]) {
  static const Str names[PREFERENCES] = {STR_INIT("return"), STR_INIT("handling"), STR_INIT("tx"), STR_INIT("explain")};
  size_t which = 0;
  while (which < PREFERENCES && !str_equal_ignore_case(name, names[which])) which++;
  if (which == PREFERENCES) return false;
  if (has_seen[which]) return true;
  has_seen[which] = true;
  switch (which) {
    case PREFERENCE_RETURN:
      preferences->is_minimal = is_value(value, "minimal");
      preferences->is_representation = is_value(value, "representation");
      return preferences->is_minimal || preferences->is_representation;
    case PREFERENCE_HANDLING:
      preferences->is_lenient = is_value(value, "lenient");
      preferences->is_strict = is_value(value, "strict");
      return preferences->is_lenient || preferences->is_strict;
    case PREFERENCE_EXPLAIN: return preferences->is_explained = true;
    default: preferences->is_dry_run = is_value(value, "rollback"); return preferences->is_dry_run;
  }
}

Preferences prefer_parse(Str value) {
  Preferences preferences = {0};
  bool has_seen[PREFERENCES] = {false, false, false};
  Str rest = value, part;
  while (next_unquoted(&rest, ',', &part)) {
    /* Parameters of a preference follow a semicolon; none of ours has any. */
    Str preference = part, first;
    if (!next_unquoted(&preference, ';', &first)) continue;
    Str name, text;
    split_parameter(first, &name, &text);
    if (name.len == 0) continue;
    if (!apply_preference(name, text, &preferences, has_seen) && preferences.unknown.ptr == NULL) preferences.unknown = first;
  }
  return preferences;
}

/* ---- Idempotency-Key ---- */

static bool is_visible(char byte) { return byte >= 0x21 && byte <= 0x7e; }

/* A quoted string's text, escapes as they stand: they only tell keys apart. */
static bool take_quoted_key(Str value, Str *ret) {
  size_t at = 1;
  while (at < value.len && value.ptr[at] != '"') {
    if (value.ptr[at] != ' ' && !is_visible(value.ptr[at])) return false;
    at += value.ptr[at] == '\\' ? 2 : 1;
  }
  if (at >= value.len) return false;
  *ret = str_slice(value, 1, at);
  Str rest = str_trim(str_slice(value, at + 1, value.len));
  return rest.len == 0 || rest.ptr[0] == ';';
}

static bool is_bare_key(Str value) {
  for (size_t i = 0; i < value.len; i++) {
    if (!is_visible(value.ptr[i]) || value.ptr[i] == '"' || value.ptr[i] == ',' || value.ptr[i] == ';') return false;
  }
  return true;
}

Code idempotency_key_parse(Str value, Str *ret, Error *err) {
  Str given = str_trim(value), key = given;
  bool is_quoted = given.len > 0 && given.ptr[0] == '"';
  if (is_quoted ? !take_quoted_key(given, &key) : !is_bare_key(given)) {
    return error_set(err, CODE_BAD_REQUEST, "Idempotency-Key is one string in double quotes");
  }
  if (key.len == 0 || key.len > IDEMPOTENCY_KEY_BYTES_MAX)
    return error_set(err, CODE_BAD_REQUEST, "Idempotency-Key has 1 to %d characters", IDEMPOTENCY_KEY_BYTES_MAX);
  *ret = key;
  return CODE_OK;
}
