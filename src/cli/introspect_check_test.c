/* introspect_check_test.c - what PostgreSQL prints for customary constraints, and the rules that say the same. */
#include "cli/introspect_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const CheckColumn columns[] = {
    {STR_INIT("price"), STR_INIT("price"), "Decimal", false, true},
    {STR_INIT("sale_price"), STR_INIT("salePrice"), "Decimal", false, false},
    {STR_INIT("stars"), STR_INIT("stars"), "Int", false, false},
    {STR_INIT("Name"), STR_INIT("name"), "String", false, true},
    {STR_INIT("status"), STR_INIT("status"), "String", false, false},
    {STR_INIT("mood"), STR_INIT("mood"), "Mood", true, true},
    {STR_INIT("ratio"), STR_INIT("ratio"), "Float", false, true},
    {STR_INIT("open"), STR_INIT("open"), "Boolean", false, true},
    {STR_INIT("day"), STR_INIT("day"), "Date", false, true},
};

static void expect(const char *sql, const char *rule) {
  Arena *arena = arena_create(0);
  Str got = check_translate(str_of(sql), columns, sizeof columns / sizeof columns[0], arena);
  if (rule == NULL)
    assert_null(got.ptr);
  else if (!str_equal(got, str_of(rule)))
    fail_msg("%s is told as <%.*s>, not <%s>", sql, STR_ARGS(got), rule);
  arena_destroy(arena);
}

static void customary_constraints_are_told(void **state) {
  (void)state;
  expect("CHECK ((price > (0)::numeric))", "(price > 0)");
  expect("CHECK ((sale_price < price))", "(salePrice == null || salePrice < price)");
  expect("CHECK (((stars >= 1) AND (stars <= 5)))", "((stars == null || stars >= 1) && (stars == null || stars <= 5))");
  expect("CHECK ((char_length(\"Name\") <= 20))", "(size(name) <= 20)");
  expect("CHECK (((status)::text = ANY ((ARRAY['new'::character varying, 'it''s'::character varying])::text[])))",
         "(status == null || status in [\"new\", \"it's\"])");
  expect("CHECK ((mood <> 'sad'::mood))", "(mood != \"sad\")");
  expect("CHECK (((stars IS NULL) OR (stars <> '-1'::integer)))", "(stars == null || (stars == null || stars != (-1)))");
  expect("CHECK ((ratio < (1)::double precision))", "(ratio < 1.0)");
  expect("CHECK (open)", "(open)");
  expect("CHECK ((day >= '2000-01-01'::date))", "(day >= date(\"2000-01-01\"))");
}

static void what_cannot_be_told_is_not(void **state) {
  (void)state;
  expect("CHECK ((\"Name\" ~ '^[a-z]+$'::text))", NULL);
  expect("CHECK ((NOT open))", NULL);
  expect("CHECK ((lower(\"Name\") = \"Name\"))", NULL);
  expect("CHECK ((price > 0.5))", NULL);
  expect("CHECK ((price > (0)::numeric)) NOT VALID", NULL);
  expect("CHECK ((other > 0))", NULL);
  expect("CHECK ((stars = \"Name\"))", NULL);
  expect("CHECK ((stars >", NULL);
  expect("CHECK ((price > (stars * 2)))", NULL);
  expect("", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(customary_constraints_are_told),
      cmocka_unit_test(what_cannot_be_told_is_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
