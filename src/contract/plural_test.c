#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/plural.h"

typedef Str NameFn(Str name, Arena *arena);
typedef struct NamePair {
  const char *from, *to;
} NamePair;

static void check_pairs(NameFn *convert, const NamePair *pairs, size_t count) {
  Arena *arena = arena_create(0);
  for (size_t i = 0; i < count; i++) {
    Str got = convert(str_of(pairs[i].from), arena);
    if (!str_equal(got, str_of(pairs[i].to))) fail_msg("%s: %.*s, not %s", pairs[i].from, STR_ARGS(got), pairs[i].to);
  }
  arena_destroy(arena);
}
#define CHECK_PAIRS(convert, pairs) check_pairs(convert, pairs, sizeof pairs / sizeof pairs[0])

static const NamePair plurals[] = {
    {"Product", "Products"},
    {"Category", "Categories"},
    {"Day", "Days"},
    {"Address", "Addresses"},
    {"Box", "Boxes"},
    {"Branch", "Branches"},
    {"Dish", "Dishes"},
    {"Bus", "Buses"},
    {"Status", "Statuses"},
    {"Person", "People"},
    {"Child", "Children"},
    {"SalesPerson", "SalesPeople"},
    {"Human", "Humans"},
    {"Woman", "Women"},
    {"Leaf", "Leaves"},
    {"Quiz", "Quizzes"},
    {"Analysis", "Analyses"},
    {"Movie", "Movies"},
    {"OrderLine", "OrderLines"},
    {"URL", "URLs"},
    {"API", "APIs"},
    {"Photo", "Photos"},
    {"Index", "Indexes"},
};
static const NamePair kebabs[] = {{"OrderLines", "order-lines"},
                                  {"URLItems", "url-items"},
                                  {"URLs", "urls"},
                                  {"APIs", "apis"},
                                  {"Mp3Files", "mp3-files"},
                                  {"HTTPServers", "http-servers"},
                                  {"A", "a"},
                                  {"snake_case", "snake-case"},
                                  {"X1Y", "x1-y"}};
static const NamePair snakes[] = {
    {"createdAt", "created_at"}, {"categoryId", "category_id"}, {"URLItem", "url_item"}, {"id", "id"}, {"already_snake", "already_snake"}};
static const NamePair camels[] = {
    {"AlbumId", "albumId"}, {"album_id", "albumId"}, {"ALBUM_ID", "albumId"}, {"Order Details", "orderDetails"}, {"URLItem", "urlItem"}};
static const NamePair pascals[] = {{"order_lines", "OrderLines"}, {"Order Details", "OrderDetails"}, {"x", "X"}};

static void names_are_spelled_each_way(void **state) {
  (void)state;
  CHECK_PAIRS(name_kebab, kebabs);
  CHECK_PAIRS(name_snake, snakes);
  CHECK_PAIRS(name_camel, camels);
  CHECK_PAIRS(name_pascal, pascals);
}

static void plurals_are_english(void **state) {
  (void)state;
  CHECK_PAIRS(name_plural, plurals);
}

static void a_plural_finds_its_singular_again(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  for (size_t i = 0; i < sizeof plurals / sizeof plurals[0]; i++) {
    Str got = name_singular(str_of(plurals[i].to), arena);
    if (!str_equal(got, str_of(plurals[i].from))) fail_msg("%s: %.*s", plurals[i].to, STR_ARGS(got));
  }
  arena_destroy(arena);
}

static void what_is_singular_already_stays(void **state) {
  (void)state;
  static const NamePair pairs[] = {
      {"Product", "Product"}, {"Address", "Address"}, {"Status", "Status"}, {"Analysis", "Analysis"}, {"film_text", "film_text"}};
  CHECK_PAIRS(name_singular, pairs);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_spelled_each_way),
      cmocka_unit_test(plurals_are_english),
      cmocka_unit_test(a_plural_finds_its_singular_again),
      cmocka_unit_test(what_is_singular_already_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
