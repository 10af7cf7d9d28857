/* The values of INTERFACE §2 in JSON's forms: what is taken, as what, and what is refused with which code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/input.h"
#include "contract/load.h"

static const char contract_text[] =
    "enum Status { OPEN PAID @value(name: \"paid-up\") }\n"
    "type Address { street: String city: String! @length(min: 1, max: 5) zip: Int @default(value: 7) status: Status more: [Address!] }\n"
    "type Thing @resource @access(read: \"true\") { id: ID! string: String @length(min: 1, max: 3) int: Int small: Int @range(min: 1, max: "
    "5) bigint: BigInt float: Float decimal: Decimal\n"
    "  money: Decimal @decimal(precision: 5, scale: 2) @range(min: \"0\") boolean: Boolean datetime: DateTime date: Date @range(min: "
    "\"2000-01-01\") uuid: UUID json: JSON\n"
    "  bytes: Bytes @length(max: 2) email: Email url: URL status: Status address: Address tags: [String!] @length(max: 2) @pattern(regex: "
    "\"^[a-z]+$\") numbers: [BigInt] days: [Date!]\n"
    "  moneys: [Decimal!] @decimal(scale: 2) required: Int! }\n";

typedef struct Fixture {
  Arena *arena;
  Contract *contract;
  const Resource *thing;
} Fixture;

static int set_up(void **state) {
  static Fixture fixture;
  DiagnosticList list = {0};
  Error err = {0};
  ContractFile file = {STR("x"), {contract_text, sizeof contract_text - 1}};
  fixture.arena = arena_create(0);
  assert_int_equal(contract_load(&file, 1, fixture.arena, &fixture.contract, &list, &err), CODE_OK);
  fixture.thing = contract_resource(fixture.contract, STR("Thing"));
  *state = &fixture;
  return 0;
}

static int tear_down(void **state) {
  Fixture *fixture = *state;
  contract_destroy(fixture->contract);
  arena_destroy(fixture->arena);
  return 0;
}

static Code decode(Fixture *fixture, const char *name, const char *json, Value *ret, InputMistakes *mistakes) {
  const Field *field = resource_field(fixture->thing, str_of(name));
  assert_non_null(field);
  JsonValue value = {0};
  Error err = {0};
  InputPath path = {.name = field->name};
  assert_int_equal(json_parse(str_of(json), 64, fixture->arena, &value, &err), CODE_OK);
  return field_value_decode(field, &value, &path, fixture->arena, ret, mistakes, &err);
}

static Value good(Fixture *fixture, const char *name, const char *json) {
  Value value = value_bool(true);
  InputMistakes mistakes = {0};
  Code code = decode(fixture, name, json, &value, &mistakes);
  if (code != CODE_OK) fail_msg("%s: %s: %.*s", name, json, STR_ARGS(mistakes.items[0].detail));
  return value;
}

static void each_type_takes_its_forms(void **state) {
  Fixture *f = *state;
  assert_int_equal(good(f, "int", "5.0").integer, 5);
  assert_int_equal(good(f, "int", "5e2").integer, 500);
  assert_int_equal(good(f, "int", "-2147483648").integer, INT32_MIN);
  assert_int_equal(good(f, "bigint", "\"-9223372036854775808\"").integer, INT64_MIN);
  assert_int_equal(good(f, "bigint", "9223372036854775807").integer, INT64_MAX);
  assert_true(good(f, "float", "1.5").number == 1.5);
  assert_int_equal(good(f, "date", "\"2000-01-02\"").integer, 10958);
  assert_int_equal(good(f, "datetime", "\"1970-01-01T01:00:00.000001+01:00\"").integer, 1);
  assert_true(good(f, "boolean", "false").type == VALUE_BOOL);
  assert_true(value_is_null(&(Value){.type = good(f, "string", "null").type}));
}

static void check_text(Fixture *fixture, const char *name, const char *json, ValueType type, const char *expected) {
  Value value = good(fixture, name, json);
  assert_int_equal(value.type, type);
  if (!str_equal(value.text, str_of(expected))) fail_msg("%s: %s: %.*s", name, json, STR_ARGS(value.text));
}

static void values_keep_what_was_given(void **state) {
  Fixture *f = *state;
  check_text(f, "decimal", "\"1.50\"", VALUE_DECIMAL, "1.5");
  check_text(f, "decimal", "1.50", VALUE_DECIMAL, "1.5");
  check_text(f, "decimal", "\"12345678901234567890123456789012345678\"", VALUE_DECIMAL, "12345678901234567890123456789012345678");
  check_text(f, "money", "\"999.99\"", VALUE_DECIMAL, "999.99");
  check_text(f, "uuid", "\"0190163D-8694-739B-AEA5-966C26F8AD91\"", VALUE_TEXT, "0190163d-8694-739b-aea5-966c26f8ad91");
  check_text(f, "bytes", "\"aGk=\"", VALUE_BYTES, "hi");
  check_text(f, "status", "\"PAID\"", VALUE_TEXT, "paid-up");
  check_text(f, "json", "{ \"b\": [1.0, null], \"a\": \"\\u0041\" }", VALUE_JSON, "{\"b\":[1.0,null],\"a\":\"A\"}");
  check_text(f, "string", "\"\\ud83e\\uded6ab\"", VALUE_TEXT, "\U0001FAD6ab");
  check_text(f, "email", "\"a.b+c@example.co.uk\"", VALUE_TEXT, "a.b+c@example.co.uk");
  check_text(f, "url", "\"https://user@[::1]:8080/a?b=%20#c\"", VALUE_TEXT, "https://user@[::1]:8080/a?b=%20#c");
}

static void lists_and_objects_become_canonical_json(void **state) {
  Fixture *f = *state;
  check_text(f, "tags", "[\"a\", \"b\"]", VALUE_JSON, "[\"a\",\"b\"]");
  check_text(f, "numbers", "[1, \"2\", null]", VALUE_JSON, "[\"1\",\"2\",null]");
  check_text(f, "moneys", "[\"1\", 2.5]", VALUE_JSON, "[\"1.00\",\"2.50\"]");
  check_text(f, "days", "[\"2000-01-01\"]", VALUE_JSON, "[\"2000-01-01\"]");
  check_text(f, "address", "{\"city\":\"x\",\"status\":\"PAID\"}", VALUE_JSON,
             "{\"street\":null,\"city\":\"x\",\"zip\":7,\"status\":\"PAID\",\"more\":null}");
}

typedef struct Bad {
  const char *name, *json;
  const char *expected; /* "CODE pointer detail" in order, one a line */
} Bad;

static const Bad bads[] = {
    {"int", "1.5", "TYPE /int must be an integer"},
    {"int", "\"1\"", "TYPE /int must be an integer"},
    {"int", "2147483648", "RANGE /int must fit 32 bits: -2147483648 to 2147483647"},
    {"int", "1e400", "RANGE /int must fit 32 bits: -2147483648 to 2147483647"},
    {"int", "1e-400", "TYPE /int must be an integer"},
    {"small", "0", "RANGE /small must be at least 1"},
    {"small", "6", "RANGE /small must be at most 5"},
    {"bigint", "9223372036854775808", "RANGE /bigint must fit 64 bits: -9223372036854775808 to 9223372036854775807"},
    {"bigint", "\"1.0\"", "TYPE /bigint must be an integer, as a string of digits or a number"},
    {"bigint", "\" 1\"", "TYPE /bigint must be an integer, as a string of digits or a number"},
    {"float", "1e999", "RANGE /float must fit a 64-bit floating point number"},
    {"float", "\"1\"", "TYPE /float must be a number"},
    {"decimal", "\"1.\"", "TYPE /decimal must be a decimal number, as a string"},
    {"decimal", "\"+1\"", "TYPE /decimal must be a decimal number, as a string"},
    {"decimal", "\"NaN\"", "TYPE /decimal must be a decimal number, as a string"},
    {"decimal", "\"123456789012345678901234567890123456789\"", "RANGE /decimal must have at most 38 digits"},
    {"money", "\"1.001\"", "RANGE /money must have at most 2 digits behind the point"},
    {"money", "\"1000\"", "RANGE /money must have at most 3 digits before the point"},
    {"money", "\"-0.01\"", "RANGE /money must be at least 0"},
    {"boolean", "\"true\"", "TYPE /boolean must be true or false"},
    {"string", "\"\"", "LENGTH /string must be at least 1 character"},
    {"string", "\"abcd\"", "LENGTH /string must be at most 3 characters"},
    {"string", "5", "TYPE /string must be a string"},
    {"date", "\"1999-12-31\"", "RANGE /date must be at least 2000-01-01"},
    {"date", "\"2001-02-29\"", "TYPE /date must be a date such as 2026-11-23"},
    {"date", "\"0000-01-01\"", "TYPE /date must be a date such as 2026-11-23"},
    {"datetime", "\"2016-12-31T23:59:60Z\"",
     "TYPE /datetime must be an RFC 3339 date and time with an offset, such as 2026-11-23T12:00:00Z, with at most six fraction digits"},
    {"uuid", "\"x\"", "TYPE /uuid must be a UUID"},
    {"bytes", "\"aGk\"", "TYPE /bytes must be base64 with its padding"},
    {"bytes", "\"aGlq\"", "LENGTH /bytes must be at most 2 bytes"},
    {"email", "\"not an address\"", "TYPE /email must be an e-mail address"},
    {"email", "\"a@-b.c\"", "TYPE /email must be an e-mail address"},
    {"url", "\"javascript:alert(1)\"", "TYPE /url must be an absolute URL, such as https://example.com/"},
    {"url", "\"https://\"", "TYPE /url must be an absolute URL, such as https://example.com/"},
    {"url", "\"http://a b/\"", "TYPE /url must be an absolute URL, such as https://example.com/"},
    {"status", "\"paid-up\"", "ENUM /status must be one of OPEN, PAID"},
    {"required", "null", "REQUIRED /required must not be null"},
    {"tags", "\"a\"", "TYPE /tags must be a list"},
    {"tags", "[\"a\", null, 3]",
     "LENGTH /tags must have at most 2 items\nREQUIRED /tags/1 must not be null\nTYPE /tags/2 must be a string"},
    {"tags", "[\"A\"]", "PATTERN /tags/0 must match ^[a-z]+$"},
    {"address", "[]", "TYPE /address must be an object"},
    {"address", "{\"city\":\"abcdef\",\"zip\":\"1\",\"a/b~\":1,\"more\":[{}]}",
     "LENGTH /address/city must be at most 5 characters\nTYPE /address/zip must be an integer\nREQUIRED /address/more/0/city is required\n"
     "UNKNOWN_FIELD /address/a~1b~0 is not a field of Address"},
};

static void what_does_not_fit_is_refused_all_at_once(void **state) {
  static const char *const names[] = {"REQUIRED", "TYPE", "RANGE", "LENGTH", "PATTERN", "ENUM", "UNKNOWN_FIELD"};
  Fixture *f = *state;
  for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
    Value value = value_int(42);
    InputMistakes mistakes = {0};
    Code code = decode(f, bads[i].name, bads[i].json, &value, &mistakes);
    if (code != CODE_VALIDATION_FAILED) fail_msg("%s: %s: %d", bads[i].name, bads[i].json, (int)code);
    assert_int_equal(value.integer, 42);
    Buf got = buf_on(f->arena, 4096);
    for (size_t j = 0; j < mistakes.count; j++) {
      const InputMistake *m = &mistakes.items[j];
      buf_printf(&got, "%s%s %.*s %.*s", j > 0 ? "\n" : "", names[m->code], STR_ARGS(m->pointer), STR_ARGS(m->detail));
    }
    if (!str_equal(buf_str(&got), str_of(bads[i].expected)))
      fail_msg("%s: %s\nexpected %s\n     got %.*s", bads[i].name, bads[i].json, bads[i].expected, STR_ARGS(buf_str(&got)));
  }
}

static void a_url_gives_values_as_text(void **state) {
  Fixture *f = *state;
  const struct {
    const char *name, *text;
    bool is_good;
  } cases[] = {{"int", "12", true},       {"int", "x", false},       {"boolean", "true", true}, {"boolean", "1", false},
               {"string", "a b", true},   {"decimal", "1.5", true},  {"status", "OPEN", true},  {"status", "x", false},
               {"tags", "[\"a\"]", true}, {"tags", "a", false},      {"float", "1e3", true},    {"date", "2020-01-01", true},
               {"bigint", "123", true},   {"string", "\xff", false}, {"small", "99", true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    Value value = value_null();
    InputMistakes mistakes = {0};
    Error err = {0};
    Code code =
        field_text_decode(resource_field(f->thing, str_of(cases[i].name)), str_of(cases[i].text), NULL, f->arena, &value, &mistakes, &err);
    if ((code == CODE_OK) != cases[i].is_good) fail_msg("%s=%s: %d", cases[i].name, cases[i].text, (int)code);
  }
}

static void lacking_memory_is_an_error_wherever_it_strikes(void **state) {
  Fixture *f = *state;
  JsonValue json = {0};
  Error err = {0};
  assert_int_equal(json_parse(STR("{\"city\":\"abcdef\",\"more\":[{\"city\":\"x\"}],\"nix\":1}"), 64, f->arena, &json, &err), CODE_OK);
  for (size_t n = 1; n < 40; n++) {
    Arena *arena = arena_create(0);
    Value value = value_null();
    InputMistakes mistakes = {0};
    memory_fail_after(n);
    Code code = field_value_decode(resource_field(f->thing, STR("address")), &json, NULL, arena, &value, &mistakes, &err);
    memory_fail_after(0);
    assert_true(code == CODE_UNAVAILABLE || code == CODE_VALIDATION_FAILED);
    arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_type_takes_its_forms),
      cmocka_unit_test(values_keep_what_was_given),
      cmocka_unit_test(lists_and_objects_become_canonical_json),
      cmocka_unit_test(what_does_not_fit_is_refused_all_at_once),
      cmocka_unit_test(a_url_gives_values_as_text),
      cmocka_unit_test(lacking_memory_is_an_error_wherever_it_strikes),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
