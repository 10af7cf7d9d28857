/* json.c - reading JSON. The stack of open containers is a vector, not C's stack: depth costs memory that is bounded, never a crash.
 * Members of the open containers lie on a second stack; a container that closes copies its own to the arena. */
#include "codec/json.h"

#include <stdio.h>

#include "base/decimal.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "codec/json_sort.h"

typedef struct Item {
  JsonMember member; /* an array's item has no name */
  size_t name_at;
} Item;

typedef struct Frame {
  size_t first_item;
  bool is_object;
} Frame;

enum { ITEMS_INLINE = 32, FRAMES_INLINE = 64, DUPLICATES_PAIRWISE_MAX = 8 };

typedef struct Parser {
  Str text;
  size_t at;
  size_t depth_max;
  Arena *arena;
  Error *err;
  Item *items; /* items_inline until they are more; then on the heap, so that the arena is not left with outgrown copies */
  size_t item_count, item_cap;
  Frame *frames;
  size_t frame_count, frame_cap;
  Item items_inline[ITEMS_INLINE];
  Frame frames_inline[FRAMES_INLINE];
} Parser;

static Code fail_at(const Parser *p, size_t at, const char *what) {
  size_t line = 1, line_start = 0;
  for (size_t i = str_find_byte(p->text, '\n', 0); i < at; i = str_find_byte(p->text, '\n', i + 1)) {
    line++;
    line_start = i + 1;
  }
  size_t column = utf8_length(str_slice(p->text, line_start, at)) + 1;
  return error_set(p->err, CODE_BAD_REQUEST, "line %zu, column %zu: %s", line, column, what);
}

static void skip_blanks(Parser *p) {
  while (p->at < p->text.len) {
    char c = p->text.ptr[p->at];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    p->at++;
  }
}

static bool is_next(const Parser *p, char byte) { return p->at < p->text.len && p->text.ptr[p->at] == byte; }

/* Doubles a stack that starts inside the parser. */
static bool grow_stack(void **stack, const void *inline_stack, size_t *cap, size_t item_size) {
  bool is_inline = *stack == inline_stack;
  void *grown = is_inline ? memory_alloc(*cap * 2 * item_size) : memory_realloc(*stack, *cap * 2 * item_size);
  if (grown == NULL) return false;
  if (is_inline) memcpy(grown, inline_stack, *cap * item_size);
  *stack = grown;
  *cap *= 2;
  return true;
}

static Code push_item(Parser *p, Str name, size_t name_at) {
  if (p->item_count == p->item_cap && !grow_stack((void **)&p->items, p->items_inline, &p->item_cap, sizeof(Item)))
    return error_no_memory(p->err);
  p->items[p->item_count++] = (Item){.member = {.name = name}, .name_at = name_at};
  return CODE_OK;
}

static Code push_frame(Parser *p, bool is_object) {
  if (p->frame_count == p->depth_max) return error_set(p->err, CODE_TOO_LARGE, "nested deeper than %zu levels", p->depth_max);
  if (p->frame_count == p->frame_cap && !grow_stack((void **)&p->frames, p->frames_inline, &p->frame_cap, sizeof(Frame)))
    return error_no_memory(p->err);
  p->frames[p->frame_count++] = (Frame){.first_item = p->item_count, .is_object = is_object};
  return CODE_OK;
}

/* High bits of those bytes of the word that end a run of plain text: a quote, a backslash, a control character, or beyond ASCII. The
 * classic test for a zero byte, (x - 01…) & ~x & 80…; a false hit above a true one does no harm here, as the first one counts. */
static uint64_t special_bytes(uint64_t word) {
  const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | (word - ones * 0x20) | word) & highs;
}

static size_t skip_plain(Str s, size_t at) {
  uint64_t word;
  for (; s.len - at >= sizeof word; at += sizeof word) {
    memcpy(&word, s.ptr + at, sizeof word);
    if (special_bytes(word) != 0) break;
  }
  while (at < s.len && (unsigned char)s.ptr[at] >= 0x20 && (unsigned char)s.ptr[at] < 0x80 && s.ptr[at] != '"' && s.ptr[at] != '\\') at++;
  return at;
}

/* From behind the opening quote to the closing one, where p->at stops. Escapes are only counted. */
static Code scan_string(Parser *p, bool *ret_has_escapes) {
  *ret_has_escapes = false;
  for (;;) {
    p->at = skip_plain(p->text, p->at);
    if (p->at == p->text.len) return fail_at(p, p->at, "the string does not end");
    unsigned char c = (unsigned char)p->text.ptr[p->at];
    size_t start = p->at;
    if (c == '"') return CODE_OK;
    if (c == '\\') {
      *ret_has_escapes = true;
      if (p->text.len - p->at < 2) return fail_at(p, p->text.len, "the string does not end");
      p->at++;
      if ((unsigned char)p->text.ptr[p->at] >= 0x20 && (unsigned char)p->text.ptr[p->at] < 0x80) p->at++;
    } else if (c < 0x20) {
      return fail_at(p, p->at, "a control character in a string must be escaped");
    } else if (utf8_next(p->text, &p->at) == UINT32_MAX) {
      return fail_at(p, start, "not valid UTF-8");
    }
  }
}

static bool take_hex_4(const Parser *p, size_t at, size_t end, uint32_t *ret) {
  if (end - at < 4) return false;
  uint32_t n = 0;
  for (size_t i = at; i < at + 4; i++) {
    char c = p->text.ptr[i], lower = (char)(c | 0x20);
    bool is_letter = lower >= 'a' && lower <= 'f';
    if (!is_letter && (c < '0' || c > '9')) return false;
    n = n << 4 | (uint32_t)(is_letter ? lower - 'a' + 10 : c - '0');
  }
  *ret = n;
  return true;
}

/* At the u of \uXXXX; a surrogate pair is two of them (RFC 8259 §7). */
static Code take_unicode_escape(const Parser *p, size_t *at, size_t end, uint32_t *ret) {
  size_t start = *at - 1;
  uint32_t high, low;
  if (!take_hex_4(p, *at + 1, end, &high)) return fail_at(p, start, "\\u needs four hexadecimal digits");
  *at += 5;
  if (high == 0) return fail_at(p, start, "NUL is not allowed");
  *ret = high;
  if (high < 0xD800 || high > 0xDFFF) return CODE_OK;
  bool has_low = high < 0xDC00 && end - *at >= 6 && p->text.ptr[*at] == '\\' && p->text.ptr[*at + 1] == 'u' &&
                 take_hex_4(p, *at + 2, end, &low) && low >= 0xDC00 && low <= 0xDFFF;
  if (!has_low) return fail_at(p, start, "half of a surrogate pair");
  *at += 6;
  *ret = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  return CODE_OK;
}

static char simple_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return '\0';
  }
}

/* text[start, end) into the arena; it never gets longer. */
static Code decode_string(Parser *p, size_t start, size_t end, Str *ret) {
  char *out = arena_alloc(p->arena, end - start);
  if (out == NULL) return error_no_memory(p->err);
  size_t len = 0;
  for (size_t at = start; at < end;) {
    size_t escape = str_find_byte((Str){p->text.ptr, end}, '\\', at);
    memcpy(out + len, p->text.ptr + at, escape - at);
    len += escape - at;
    at = escape + 1;
    if (escape == end) break;
    char simple = simple_escape(p->text.ptr[at]);
    if (simple != '\0') {
      out[len++] = simple;
      at++;
    } else if (p->text.ptr[at] == 'u') {
      uint32_t code_point = 0;
      TRY(take_unicode_escape(p, &at, end, &code_point));
      len += utf8_encode(code_point, out + len);
    } else {
      return fail_at(p, escape, "an unknown escape");
    }
  }
  *ret = (Str){out, len};
  return CODE_OK;
}

/* At the opening quote. */
static Code take_string(Parser *p, Str *ret) {
  bool has_escapes;
  size_t start = ++p->at;
  TRY(scan_string(p, &has_escapes));
  size_t end = p->at++;
  if (has_escapes) return decode_string(p, start, end, ret);
  *ret = (Str){p->text.ptr + start, end - start};
  return CODE_OK;
}

static bool is_number_byte(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

static Code take_number(Parser *p, JsonValue *ret) {
  size_t start = p->at;
  while (p->at < p->text.len && is_number_byte(p->text.ptr[p->at])) p->at++;
  Str text = {p->text.ptr + start, p->at - start};
  DecimalParts parts;
  if (!decimal_split(text, &parts)) return fail_at(p, start, "a malformed number");
  *ret = (JsonValue){.type = JSON_NUMBER, .text = text};
  return CODE_OK;
}

static bool take_word(Parser *p, Str word) {
  if (!str_starts_with((Str){p->text.ptr + p->at, p->text.len - p->at}, word)) return false;
  p->at += word.len;
  return true;
}

static Code take_scalar(Parser *p, JsonValue *ret) {
  char c = p->at < p->text.len ? p->text.ptr[p->at] : '\0';
  if (c == '"') {
    Str text;
    TRY(take_string(p, &text));
    *ret = (JsonValue){.type = JSON_STRING, .text = text};
  } else if (c == '-' || (c >= '0' && c <= '9')) {
    return take_number(p, ret);
  } else if (take_word(p, STR("true"))) {
    *ret = (JsonValue){.type = JSON_BOOL, .boolean = true};
  } else if (take_word(p, STR("false"))) {
    *ret = (JsonValue){.type = JSON_BOOL};
  } else if (take_word(p, STR("null"))) {
    *ret = (JsonValue){.type = JSON_NULL};
  } else {
    return fail_at(p, p->at, p->at == p->text.len ? "a value is missing at the end" : "expected a value");
  }
  return CODE_OK;
}

static Code fail_duplicate(const Parser *p, const Item *item) {
  char what[96];
  snprintf(what, sizeof what, "\"%.*s\" is given twice", STR_ARGS(utf8_cut(item->member.name, 40)));
  return fail_at(p, item->name_at, what);
}

/* Few members are compared in pairs; many are sorted, since pairs of 100,000 members would be an attack. */
static Code refuse_duplicates(const Parser *p, const Item *items, size_t count) {
  if (count <= DUPLICATES_PAIRWISE_MAX) {
    for (size_t i = 1; i < count; i++)
      for (size_t j = 0; j < i; j++)
        if (str_equal(items[i].member.name, items[j].member.name)) return fail_duplicate(p, &items[i]);
    return CODE_OK;
  }
  const JsonMember **sorted = memory_alloc(count * sizeof *sorted);
  if (sorted == NULL) return error_no_memory(p->err);
  for (size_t i = 0; i < count; i++) sorted[i] = &items[i].member;
  json_sort_members(sorted, count);
  const JsonMember *twice = NULL;
  for (size_t i = 1; i < count && twice == NULL; i++)
    if (str_equal(sorted[i]->name, sorted[i - 1]->name)) twice = sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1];
  memory_free(sorted);
  return twice == NULL ? CODE_OK : fail_duplicate(p, (const Item *)twice);
}

static Code close_object(Parser *p, const Item *items, size_t count, JsonValue *ret) {
  TRY(refuse_duplicates(p, items, count));
  if (count > SIZE_MAX / sizeof(JsonMember)) return error_no_memory(p->err);
  JsonMember *members = arena_alloc(p->arena, count * sizeof *members);
  if (members == NULL) return error_no_memory(p->err);
  for (size_t i = 0; i < count; i++) members[i] = items[i].member;
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = count};
  return CODE_OK;
}

static Code close_array(Parser *p, const Item *items, size_t count, JsonValue *ret) {
  if (count > SIZE_MAX / sizeof(JsonValue)) return error_no_memory(p->err);
  JsonValue *values = arena_alloc(p->arena, count * sizeof *values);
  if (values == NULL) return error_no_memory(p->err);
  for (size_t i = 0; i < count; i++) values[i] = items[i].member.value;
  *ret = (JsonValue){.type = JSON_ARRAY, .items = values, .count = count};
  return CODE_OK;
}

/* Behind the closing bracket of the newest frame, whose value becomes that of the item below its own. */
static Code close_frame(Parser *p) {
  const Frame *frame = &p->frames[--p->frame_count];
  const Item *items = p->items + frame->first_item;
  size_t count = p->item_count - frame->first_item;
  JsonValue value;
  TRY(frame->is_object ? close_object(p, items, count, &value) : close_array(p, items, count, &value));
  p->item_count = frame->first_item;
  p->items[p->item_count - 1].member.value = value;
  return CODE_OK;
}

/* Makes the next item of the newest frame: in an object, reads its name and colon. */
static Code begin_item(Parser *p) {
  skip_blanks(p);
  size_t name_at = p->at;
  Str name = {NULL, 0};
  if (p->frames[p->frame_count - 1].is_object) {
    if (!is_next(p, '"')) return fail_at(p, p->at, "expected a member's name in quotes");
    TRY(take_string(p, &name));
    skip_blanks(p);
    if (!is_next(p, ':')) return fail_at(p, p->at, "expected ':'");
    p->at++;
  }
  return push_item(p, name, name_at);
}

/* Reads one value into the newest item; where it opens a container that is not empty, that container's first item is begun. */
static Code begin_value(Parser *p, bool *ret_is_whole) {
  skip_blanks(p);
  *ret_is_whole = true;
  bool is_object = is_next(p, '{');
  if (!is_object && !is_next(p, '[')) {
    JsonValue value;
    TRY(take_scalar(p, &value));
    p->items[p->item_count - 1].member.value = value;
    return CODE_OK;
  }
  TRY(push_frame(p, is_object));
  p->at++;
  skip_blanks(p);
  if (is_next(p, is_object ? '}' : ']')) {
    p->at++;
    return close_frame(p);
  }
  *ret_is_whole = false;
  return begin_item(p);
}

/* After a whole value: the comma and the next item, or the closing bracket, of as many containers as end here. */
static Code after_value(Parser *p) {
  while (p->frame_count > 0) {
    bool is_object = p->frames[p->frame_count - 1].is_object;
    skip_blanks(p);
    if (is_next(p, ',')) {
      p->at++;
      return begin_item(p);
    }
    if (!is_next(p, is_object ? '}' : ']')) return fail_at(p, p->at, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
    p->at++;
    TRY(close_frame(p));
  }
  return CODE_OK;
}

static Code parse_document(Parser *p) {
  TRY(push_item(p, (Str){NULL, 0}, 0));
  do {
    bool is_whole;
    TRY(begin_value(p, &is_whole));
    if (is_whole) TRY(after_value(p));
  } while (p->frame_count > 0);
  skip_blanks(p);
  return p->at == p->text.len ? CODE_OK : fail_at(p, p->at, "text after the end of the value");
}

Code json_parse(Str text, size_t depth_max, Arena *arena, JsonValue *ret, Error *err) {
  Parser p;
  p.text = text;
  p.at = 0;
  p.depth_max = depth_max;
  p.arena = arena;
  p.err = err;
  p.items = p.items_inline;
  p.item_count = 0;
  p.item_cap = ITEMS_INLINE;
  p.frames = p.frames_inline;
  p.frame_count = 0;
  p.frame_cap = FRAMES_INLINE;
  Code code = parse_document(&p);
  if (code == CODE_OK) *ret = p.items[0].member.value;
  if (p.items != p.items_inline) memory_free(p.items);
  if (p.frames != p.frames_inline) memory_free(p.frames);
  return code;
}
