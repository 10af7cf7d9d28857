/* plural.c - a few rules and a list of exceptions, for the last word of a name. */
#include "contract/plural.h"

#include "base/buf.h"

enum { NAME_TEXT_MAX = 4096 };

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
/* What isn't ASCII is taken for a letter, so that no character is torn. */
static bool is_word_byte(char c) { return is_upper(c) || is_lower(c) || is_digit(c) || ((unsigned char)c & 0x80) != 0; }
static char to_lower(char c) { return is_upper(c) ? (char)(c - 'A' + 'a') : c; }
static char to_upper(char c) { return is_lower(c) ? (char)(c - 'a' + 'A') : c; }

/* The next word at or after *at; len 0 at the end. */
static Str word_next(Str name, size_t *at) {
  size_t i = *at;
  while (i < name.len && !is_word_byte(name.ptr[i])) i++;
  size_t begin = i;
  for (; i < name.len && is_word_byte(name.ptr[i]); i++) {
    if (i == begin || !is_upper(name.ptr[i])) continue;
    bool is_after_lower = !is_upper(name.ptr[i - 1]);
    bool ends_acronym = i + 1 < name.len && is_lower(name.ptr[i + 1]);
    /* The s of URLs belongs to the acronym. */
    bool is_plural_s =
        ends_acronym && name.ptr[i + 1] == 's' && (i + 2 == name.len || is_upper(name.ptr[i + 2]) || !is_word_byte(name.ptr[i + 2]));
    if (is_after_lower || (ends_acronym && !is_plural_s)) break;
  }
  *at = i;
  return str_slice(name, begin, i);
}

static Str name_join(Str name, Arena *arena, char separator, bool is_first_capital, bool is_rest_capital) {
  Buf out = buf_on(arena, NAME_TEXT_MAX);
  size_t at = 0;
  for (Str word = word_next(name, &at); word.len > 0; word = word_next(name, &at)) {
    bool is_capital = out.len == 0 ? is_first_capital : is_rest_capital;
    if (out.len > 0 && separator != '\0') buf_add_byte(&out, separator);
    for (size_t i = 0; i < word.len; i++) buf_add_byte(&out, i == 0 && is_capital ? to_upper(word.ptr[i]) : to_lower(word.ptr[i]));
  }
  Str ret = {0};
  if (buf_finish(&out, &ret, NULL) != CODE_OK) return (Str){0};
  return ret.ptr == NULL ? STR("") : ret;
}

Str name_snake(Str name, Arena *arena) { return name_join(name, arena, '_', false, false); }
Str name_kebab(Str name, Arena *arena) { return name_join(name, arena, '-', false, false); }
Str name_camel(Str name, Arena *arena) { return name_join(name, arena, '\0', false, true); }
Str name_pascal(Str name, Arena *arena) { return name_join(name, arena, '\0', true, true); }

typedef struct Irregular {
  Str singular, plural;
} Irregular;

static const Irregular irregulars[] = {
    {STR_INIT("person"), STR_INIT("people")},
    {STR_INIT("child"), STR_INIT("children")},
    {STR_INIT("man"), STR_INIT("men")},
    {STR_INIT("woman"), STR_INIT("women")},
    {STR_INIT("foot"), STR_INIT("feet")},
    {STR_INIT("tooth"), STR_INIT("teeth")},
    {STR_INIT("goose"), STR_INIT("geese")},
    {STR_INIT("mouse"), STR_INIT("mice")},
    {STR_INIT("ox"), STR_INIT("oxen")},
    {STR_INIT("leaf"), STR_INIT("leaves")},
    {STR_INIT("half"), STR_INIT("halves")},
    {STR_INIT("knife"), STR_INIT("knives")},
    {STR_INIT("life"), STR_INIT("lives")},
    {STR_INIT("wife"), STR_INIT("wives")},
    {STR_INIT("shelf"), STR_INIT("shelves")},
    {STR_INIT("wolf"), STR_INIT("wolves")},
    {STR_INIT("thief"), STR_INIT("thieves")},
    {STR_INIT("loaf"), STR_INIT("loaves")},
    {STR_INIT("calf"), STR_INIT("calves")},
    {STR_INIT("hero"), STR_INIT("heroes")},
    {STR_INIT("potato"), STR_INIT("potatoes")},
    {STR_INIT("tomato"), STR_INIT("tomatoes")},
    {STR_INIT("echo"), STR_INIT("echoes")},
    {STR_INIT("quiz"), STR_INIT("quizzes")},
    {STR_INIT("criterion"), STR_INIT("criteria")},
    {STR_INIT("phenomenon"), STR_INIT("phenomena")},
    {STR_INIT("movie"), STR_INIT("movies")},
    {STR_INIT("cookie"), STR_INIT("cookies")},
    {STR_INIT("pie"), STR_INIT("pies")},
    {STR_INIT("tie"), STR_INIT("ties")},
    {STR_INIT("house"), STR_INIT("houses")},
    {STR_INIT("cause"), STR_INIT("causes")},
    {STR_INIT("course"), STR_INIT("courses")},
    {STR_INIT("case"), STR_INIT("cases")},
    {STR_INIT("base"), STR_INIT("bases")},
    {STR_INIT("phase"), STR_INIT("phases")},
    {STR_INIT("purchase"), STR_INIT("purchases")},
    {STR_INIT("release"), STR_INIT("releases")},
    {STR_INIT("lease"), STR_INIT("leases")},
    {STR_INIT("database"), STR_INIT("databases")},
    {STR_INIT("response"), STR_INIT("responses")},
    {STR_INIT("expense"), STR_INIT("expenses")},
    {STR_INIT("license"), STR_INIT("licenses")},
    {STR_INIT("warehouse"), STR_INIT("warehouses")},
    {STR_INIT("horse"), STR_INIT("horses")},
    {STR_INIT("axe"), STR_INIT("axes")},
    {STR_INIT("cache"), STR_INIT("caches")},
    {STR_INIT("analysis"), STR_INIT("analyses")},
    {STR_INIT("basis"), STR_INIT("bases")},
    {STR_INIT("crisis"), STR_INIT("crises")},
    {STR_INIT("diagnosis"), STR_INIT("diagnoses")},
    {STR_INIT("hypothesis"), STR_INIT("hypotheses")},
    {STR_INIT("synopsis"), STR_INIT("synopses")},
    {STR_INIT("thesis"), STR_INIT("theses")},
    {STR_INIT("use"), STR_INIT("uses")},
    {STR_INIT("clause"), STR_INIT("clauses")},
    {STR_INIT("exercise"), STR_INIT("exercises")},
    {STR_INIT("size"), STR_INIT("sizes")},
    {STR_INIT("prize"), STR_INIT("prizes")},
    {STR_INIT("headache"), STR_INIT("headaches")},
};
enum { IRREGULAR_COUNT = sizeof irregulars / sizeof irregulars[0] };

/* Where the last word of the name begins. */
static size_t last_word(Str name) {
  size_t at = 0, begin = 0;
  for (Str word = word_next(name, &at); word.len > 0; word = word_next(name, &at)) begin = (size_t)(word.ptr - name.ptr);
  return begin;
}

static bool is_vowel(char c) { return c != '\0' && strchr("aeiou", to_lower(c)) != NULL; }

static bool ends_with(Str s, const char *suffix) {
  size_t len = strlen(suffix);
  return s.len >= len && str_equal_ignore_case(str_slice(s, s.len - len, s.len), str_of(suffix));
}

/* name without its last `cut` bytes, and `more` behind it; an acronym takes small letters all the same (URLs). */
static Str name_with(Str name, size_t cut, Str more, Arena *arena) {
  return arena_printf(arena, "%.*s%.*s", STR_ARGS(str_slice(name, 0, name.len - cut)), STR_ARGS(more));
}

/* `from` stands at the end of name: the first letter keeps its case. */
static Str name_replace_word(Str name, size_t begin, Str word, Arena *arena) {
  char first = is_upper(name.ptr[begin]) ? to_upper(word.ptr[0]) : word.ptr[0];
  return arena_printf(arena, "%.*s%c%.*s", STR_ARGS(str_slice(name, 0, begin)), first, STR_ARGS(str_slice(word, 1, word.len)));
}

Str name_plural(Str name, Arena *arena) {
  size_t begin = last_word(name);
  Str word = str_slice(name, begin, name.len);
  if (word.len == 0) return arena_str(arena, name);
  for (size_t i = 0; i < IRREGULAR_COUNT; i++) {
    if (str_equal_ignore_case(word, irregulars[i].singular)) return name_replace_word(name, begin, irregulars[i].plural, arena);
  }
  bool is_consonant_y = word.len >= 2 && ends_with(word, "y") && !is_vowel(word.ptr[word.len - 2]);
  if (is_consonant_y) return name_with(name, 1, STR("ies"), arena);
  bool is_sibilant = ends_with(word, "s") || ends_with(word, "x") || ends_with(word, "z") || ends_with(word, "ch") || ends_with(word, "sh");
  return name_with(name, 0, is_sibilant ? STR("es") : STR("s"), arena);
}

Str name_singular(Str name, Arena *arena) {
  size_t begin = last_word(name);
  Str word = str_slice(name, begin, name.len);
  if (word.len == 0) return arena_str(arena, name);
  for (size_t i = 0; i < IRREGULAR_COUNT; i++) {
    if (str_equal_ignore_case(word, irregulars[i].plural)) return name_replace_word(name, begin, irregulars[i].singular, arena);
  }
  if (word.len > 4 && ends_with(word, "ies")) return name_with(name, 3, STR("y"), arena);
  bool has_es = ends_with(word, "sses") || ends_with(word, "shes") || ends_with(word, "ches") || ends_with(word, "xes") ||
                ends_with(word, "uses") || ends_with(word, "zzes");
  if (has_es) return name_with(name, 2, (Str){0}, arena);
  /* APIs, URLs: an acronym's plural has a small s. */
  bool is_acronym = word.len > 2 && word.ptr[word.len - 1] == 's' && is_upper(word.ptr[word.len - 2]);
  bool is_singular = !ends_with(word, "s") || ends_with(word, "ss") || ends_with(word, "us") || ends_with(word, "is") || word.len < 3;
  return is_singular && !is_acronym ? arena_str(arena, name) : name_with(name, 1, (Str){0}, arena);
}
