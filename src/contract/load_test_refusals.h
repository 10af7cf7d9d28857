/* load_test_refusals.h - contracts that are refused: for load_test.c, and for what is done while memory runs out (tests/memory). In a
 * contract, § stands before each place where a mistake must be reported, in the order of the source; the expected messages stand beside
 * it, one a line ("message = hint"). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SERVICE "extend schema @service(name: \"shop\")\n"
#define OPEN "@access(read: \"true\", write: \"true\") "
/* A resource P of its own, for what needs only a field or two. */
#define P(fields) SERVICE "type P @resource " OPEN "{ id: ID! " fields " }"

typedef struct Refusal {
  const char *text;
  const char *expected;
} Refusal;

static const Refusal load_refusals[] = {
    /* Names. */
    {SERVICE "type §Query @resource " OPEN "{ id: ID! }", "a type can't be named \"Query\": it is built in = choose another name"},
    {P("x: Int") " type §String { a: Int }", "a type can't be named \"String\": it is built in = choose another name"},
    {P("x: Int") " type §Decimal { a: Int }", "a type can't be named \"Decimal\": it is built in = choose another name"},
    {P("x: Int") " enum §PageInfo { A }", "a type can't be named \"PageInfo\": it is built in = choose another name"},
    {P("x: Int") " type §__A { a: Int }",
     "a type can't be named \"__A\": names that begin with __ belong to GraphQL = choose another name"},
    {P("§__x: Int"), "names that begin with __ belong to GraphQL (\"__x\")"},
    {P("a: Int §a: String"), "the field \"a\" stands twice in \"P\""},
    {P("a: Int") "\ntype §P { a: Int }", "the type \"P\" is defined twice = the first is at shop.graphql:2:6"},
    {"§" SERVICE, "the contract has no resource = add one: type Product @resource { id: ID! … }"},
    /* Types. */
    {P("c: §Strng"), "unknown type \"Strng\" = did you mean \"String\"?"},
    {P("c: [[§Int]]"), "lists of lists are not supported = put the inner list into a type without @resource"},
    {P("a§(x: Int): Int §b: Int = 5"), "a field takes no arguments of its own; filters and pages come with every list\na field's default "
                                       "is a directive (\"b\") = write @default(value: …)"},
    {P("x: Int") " interface §I { a: Int }",
     "interfaces are not supported yet (\"I\") = use a type with a field for each case, or an enum that tells them apart"},
    {P("x: Int") " union §U = P",
     "unions are not supported yet (\"U\") = use a type with a field for each case, or an enum that tells them apart"},
    {P("x: Int") " input §I { a: Int }",
     "input types are not supported yet (\"I\") = the inputs are made from the types; a type without @resource is embedded"},
    {P("x: Int") " scalar §Money", "a scalar of one's own (\"Money\") is not supported = the scalars are ID String Int BigInt Float "
                                   "Decimal Boolean DateTime Date UUID JSON Bytes Email URL"},
    {P("x: Int") " extend type §P { y: Int }",
     "\"extend\" is supported for the schema only = write the fields and directives where the type is defined"},
    {SERVICE "type P implements §Node @resource " OPEN "{ id: ID! }",
     "interfaces are not supported yet = write the interface's fields in the type itself"},
    {P("e: E") " enum E { A §A }", "the value \"A\" stands twice in this enum"},
    {P("e: E") " enum E { A B @value(name: §\"A\") }", "two values of this enum are stored as \"A\""},
    {P("e: E") " enum §E { }", "the enum \"E\" has no values"},
    {P("e: E") " type E { p: §P }",
     "an embedded type can't refer to \"P\", which is stored = give the type @resource, or keep the other's id in a field"},
    {P("e: E") " type E { a: Int §@unique }", "\"@unique\" makes no sense on a field of an embedded type"},
    {P("e: E") " type E §@access(read: \"true\") { a: Int }",
     "\"@access\" needs \"@resource\" beside it = a type without @resource is embedded in others, as JSON"},
    {P("e: A") " type A { §b: B! } type B { a: A! }",
     "embedded types require each other in a circle, so that no value is ever whole: A.b → B.a → A = leave a ! away"},
    /* Directives. */
    {P("a: Int §@uniqe"), "unknown directive \"@uniqe\" = did you mean \"@unique\"?"},
    {SERVICE "type P @resource §@key(fields: \"id\") " OPEN "{ id: ID! }",
     "unknown directive \"@key\" = federation's directives are made from the contract; leave them out"},
    {P("a: Int @tag(name: §\"1st\")"), "\"name\" of @tag is no label = letters, digits, _, - and /, a letter first, up to 128 of them"},
    {P("a: Int @cache(maxAge: §-1)"), "maxAge can't be negative"},
    {P("e: E") " type E { a: Int §@cache(maxAge: 1) }", "\"@cache\" makes no sense on a field of an embedded type"},
    {P("a: Int @override(from: §\"\")"), "\"from\" of @override must name a subgraph"},
    {P("a: Int §@interfaceObject"), "\"@interfaceObject\" can't stand on a field = it stands on a type"},
    {P("a: Int @shareable §@shareable"), "\"@shareable\" is given twice"},
    {P("e: E") " type E §@shareable { a: Int }",
     "\"@shareable\" needs \"@resource\" beside it = a type without @resource is embedded in others, as JSON"},
    {P("a: Int §@resource"), "\"@resource\" can't stand on a field = it stands on a type"},
    {P("a: Int @readonly §@readonly"), "\"@readonly\" is given twice"},
    {P("a: Int @range(§mn: 1)"), "\"@range\" has no argument \"mn\" = did you mean \"min\"?"},
    {P("a: String @length(max: §\"3\")"), "\"max\" of @length must be an integer"},
    {P("a: String @length(max: 3, §max: 4)"), "the argument \"max\" is given twice"},
    {P("a: String §@pattern"), "\"@pattern\" needs the argument \"regex\""},
    {P("p: P @relation(onDelete: §CASCAD)"),
     "\"onDelete\" of @relation must be one of RESTRICT, CASCADE, SET_NULL = did you mean \"CASCADE\"?"},
    {P("a: Int @deprecated(sunset: §\"soon\")"), "sunset must be a date (2026-11-23) or a time (2026-11-23T12:00:00Z)"},
    {P("a: Int @deprecated(since: §\"then\", url: §\"nowhere\")"),
     "since must be a date (2026-11-23) or a time (2026-11-23T12:00:00Z)\nurl must be an absolute URL = such as "
     "\"https://example.org/changes\""},
    {P("a: Int @deprecated(since: \"2026-01-02\", sunset: §\"2026-01-01T00:00:00Z\")"), "sunset must not be before since"},
    {SERVICE "extend schema §@service(name: \"x\")\ntype P @resource " OPEN "{ id: ID! }", "\"@service\" stands once in a contract"},
    {"extend schema @service(name: §\"2 go\")\ntype P @resource " OPEN "{ id: ID! }",
     "a service's name begins with a letter and has letters, digits, \"-\" and \"_\", at most 63 = such as \"shop\""},
    {"extend schema @service(name: \"x\", version: §\"graphql\")\ntype P @resource " OPEN "{ id: ID! }",
     "the path \"/graphql\" is the server's own = such as \"v1\""},
    /* Paths, tables and columns. */
    {SERVICE "type A @resource(path: \"x\") " OPEN "{ id: ID! } type B @resource(path: §\"x\") " OPEN "{ id: ID! }",
     "\"A\" and \"B\" have the same path, \"x\" = give another: @resource(path: \"…\")"},
    {SERVICE "type B @resource(path: §\"batch\") " OPEN "{ id: ID! }",
     "the path \"batch\" is the server's own = give another: @resource(path: \"…\")"},
    {SERVICE "type B @resource(path: §\"a/b\") " OPEN "{ id: ID! }",
     "a path has letters, digits, \"-\", \"_\", \".\" and \"~\", and begins with a letter or digit = such as \"order-lines\""},
    {SERVICE "type A @resource(table: \"x\") " OPEN "{ id: ID! } type B @resource(table: §\"X\") " OPEN "{ id: ID! }",
     "\"A\" and \"B\" have the same table, \"X\" = give another: @resource(table: \"…\")"},
    {SERVICE "type A @resource(table: §\"sqlite_x\") " OPEN "{ id: ID! }",
     "the table \"sqlite_x\" can't be used: names like this are the store's own = give another: @resource(table: \"…\")"},
    {P("a: Int b: Int @column(name: §\"A\")"), "\"a\" and \"b\" have the same column, \"A\""},
    /* Keys. */
    {SERVICE "type §A @resource " OPEN "{ a: Int! }", "\"A\" has no key = add `id: ID!`, or mark the key with @id"},
    {SERVICE "type §A @resource " OPEN "{ id: Int! }", "\"A\" has no key = write @id behind the field \"id\""},
    {SERVICE "type A @resource " OPEN "{ id: §ID }", "the key of \"A\" must be required = write `id: ID!`"},
    {SERVICE "type A @resource " OPEN "{ §a: Int @id }", "a key is always there: write ! behind its type (\"a\")"},
    {SERVICE "type A @resource " OPEN "{ §a: JSON! @id }", "a key is a single scalar or a relation (\"a\")"},
    {SERVICE "type A @resource " OPEN "{ §a: Int! @id @hidden }", "a key can't be hidden: it names the row (\"a\")"},
    {SERVICE "type A @resource " OPEN "{ b: B! @id } type B @resource " OPEN "{ §a: A! @id }", "the key of \"B\" would be part of itself"},
    {SERVICE "type V @resource @access(read: \"true\") { a: Int } type A @resource " OPEN "{ id: ID! v: §V }",
     "\"V\" has no key, so that nothing can refer to it = mark its key with @id"},
    /* Relations. */
    {P("§bs: [B!]!") " type B @resource " OPEN "{ id: ID! }",
     "\"bs\" has no other side: \"B\" has no field of type \"P\" = add `p: P` to \"B\""},
    {P("§bs: [B!]!") " type B @resource " OPEN "{ id: ID! ps: [P!]! }",
     "\"bs\" and \"ps\" are lists of each other: no side holds the key = put a type between them that has a relation to each, and a list "
     "of it on both sides"},
    {P("§bs: [B!]!") " type B @resource " OPEN "{ id: ID! p: P q: P }",
     "the other side of \"bs\" could be \"p\" or \"q\" of \"B\" = say which: @relation(inverse: \"p\")"},
    {P("bs: [B!]! @relation(inverse: \"§pp\")") " type B @resource " OPEN "{ id: ID! p: P }",
     "B has no field \"pp\" = did you mean \"p\"?"},
    {P("bs: [B!]! @relation(inverse: §\"id\")") " type B @resource " OPEN "{ id: ID! p: P }", "\"B.id\" is not a relation to one \"P\""},
    {P("bs: [B!]! §cs: [B!]!") " type B @resource " OPEN "{ id: ID! p: P }",
     "\"bs\" is the other side of \"B.p\" already = one list is enough; a list's filter makes others"},
    {P("b: B @relation(inverse: §\"p\")") " type B @resource " OPEN "{ id: ID! p: P }",
     "\"B.p\" is not a list of \"P\" = the side without the key is a list; @unique on the side with the key makes it one to one"},
    {P("bs: [B!]! @relation(§onDelete: CASCADE)") " type B @resource " OPEN "{ id: ID! p: P }",
     "\"onDelete\" stands on the side that holds the key, not on a list"},
    {P("b: B! @relation(onDelete: §SET_NULL)") " type B @resource " OPEN "{ id: ID! }",
     "\"b\" is required, so that it can't be set to null = leave the ! away, or say CASCADE or RESTRICT"},
    {P("b: B @relation(columns: §[\"x\"])") " type B @resource " OPEN "{ a: Int! @id c: Int! @id }",
     "\"b\" takes 2 columns, one for each part of the key of \"B\""},
    {P("§b: B bId: Int @column(name: \"x\")") " type B @resource " OPEN "{ id: ID! }",
     "the relation \"b\" gives the field \"bId\", which is there already = rename one of them"},
    {P("§b: B bId: Int") " type B @resource " OPEN "{ id: ID! }", "\"bId\" holds the key of \"b\" and must be of its type, ID"},
    {P("§p: P!"), "relations are required in a circle, so that no row could be the first: P.p → P = leave a ! away, or say "
                  "@relation(deferred: true) on one of them"},
    {P("§b: B!") " type B @resource " OPEN "{ id: ID! c: C! } type C @resource " OPEN "{ id: ID! p: P! }",
     "relations are required in a circle, so that no row could be the first: P.b → B.c → C.p → P = leave a ! away, or say "
     "@relation(deferred: true) on one of them"},
    {P("a: Int §@relation(deferred: true)"), "\"@relation\" makes no sense on a field that is no relation"},
    {P("b: B §@length(max: 3)") " type B @resource " OPEN "{ id: ID! }", "\"@length\" makes no sense on a relation"},
    {P("bs: [B!]! §@readonly") " type B @resource " OPEN "{ id: ID! p: P }",
     "\"@readonly\" makes no sense on a to-many relation, which is the other side's"},
    /* Constraints against types. */
    {P("a: String §@range(min: 1)"), "\"@range\" makes no sense for the type String"},
    {P("a: Int §@length(min: 1)"), "\"@length\" makes no sense for the type Int"},
    {P("a: Boolean §@pattern(regex: \"x\")"), "\"@pattern\" makes no sense for the type Boolean"},
    {P("a: Float §@decimal(scale: 1)"), "\"@decimal\" makes no sense for the type Float"},
    {P("a: Int @range(min: §\"1\")"), "\"min\" of @range must be an integer"},
    {P("a: Int @range(min: §5, max: 1)"), "min is greater than max"},
    {P("a: Int @range(max: §3000000000)"), "\"max\" of @range must fit 32 bits: -2147483648 to 2147483647"},
    {P("a: Date @range(min: §\"yesterday\")"), "\"min\" of @range must be a date such as 2026-11-23"},
    {P("a: String @length(min: §-1)"), "a length can't be negative"},
    {P("a: String @length(min: §3, max: 2)"), "min is greater than max"},
    {P("a: String §@length"), "\"@length\" needs min or max"},
    {P("a: String @pattern(regex: §\"a(b\")"), "the regular expression is malformed at byte 3: missing closing parenthesis"},
    {P("a: Decimal @decimal(precision: §39)"), "the precision is from 1 to 38"},
    {P("a: Decimal @decimal(precision: 3, scale: §4)"), "the scale is from 0 to the precision (at most 38)"},
    {P("a: JSON §@unique"), "\"@unique\" makes no sense on a list, an embedded object or JSON"},
    /* Defaults against types and constraints. */
    {P("a: Int @range(min: 0) @default(value: §-1)"), "the default of \"a\" must be at least 0"},
    {P("a: Int @range(max: 5) @default(expr: §\"7\")"), "the default of \"a\" must be at most 5"},
    {P("a: String @length(max: 2) @default(value: §\"abc\")"), "the default of \"a\" must be at most 2 characters"},
    {P("a: String @pattern(regex: \"^a$\") @default(value: §\"b\")"), "the default of \"a\" must match ^a$"},
    {P("a: Decimal @decimal(scale: 1) @default(value: §\"1.25\")"), "the default of \"a\" must have at most 1 digit behind the point"},
    {P("a: Int @default(value: §\"1\")"), "the default of \"a\" must be an integer"},
    {P("a: Int @default(value: §1.5)"), "the default of \"a\" must be an integer"},
    {P("a: Int! @default(value: §null)"), "the default of \"a\" must not be null"},
    {P("a: Int §@default(value: 1, expr: \"2\")"), "the default of \"a\" is given twice"},
    {P("a: Int @default(value: 1) §@default(value: 2)"), "\"@default\" is given twice"},
    {P("a: Int §@default"), "the default of \"a\" is not given = @default(value: …) or @default(expr: \"…\")"},
    {P("e: E @default(value: §C)") " enum E { A B }", "the default of \"e\" must be one of A, B"},
    {P("e: E @default(value: §\"A\")") " enum E { A B }", "an enum's value is written bare = write A without quotes"},
    {P("a: String @default(value: §A)"), "a value of \"a\" must be a literal of its type; a string stands in quotes"},
    {P("a: [Int!] @default(value: §[1, \"x\"])"), "the default of \"a\" at /1 must be an integer"},
    {P("e: E @default(value: §§{ b: 1 })") " type E { a: Int! }",
     "the default of \"e\" at /a is required\nthe default of \"e\" at /b is not a field of E"},
    {P("b: B §@default(value: 1)") " type B @resource " OPEN "{ a: Int! @id c: Int! @id }",
     "a relation to a composite key can't have a default (\"b\")"},
    /* Groups. */
    {SERVICE "type P @resource @unique(fields: [\"id\", \"§nme\"]) " OPEN "{ id: ID! name: Int }",
     "P has no field \"nme\" = did you mean \"name\"?"},
    {SERVICE "type P @resource @index(fields: [\"§nme desc\"]) " OPEN "{ id: ID! name: Int }",
     "P has no field \"nme\" = did you mean \"name\"?"},
    {SERVICE "type P @resource @index(fields: [§\"name down\"]) " OPEN "{ id: ID! name: Int }",
     "behind a field's name may stand \"desc\" or \"asc\""},
    {SERVICE "type P @resource @index(fields: [\"name\", §\"name\"]) " OPEN "{ id: ID! name: Int }", "\"name\" stands twice in this list"},
    {SERVICE "type P @resource @index(fields: §[]) " OPEN "{ id: ID! }", "\"fields\" of @index must be a list with something in it"},
    {SERVICE "type P @resource @index(fields: [§\"tags\"]) " OPEN "{ id: ID! tags: [Int!] }",
     "\"tags\" can't stand in @index: it is a list, an embedded object or JSON"},
    {SERVICE "type P @resource §@unique " OPEN "{ id: ID! }",
     "\"@unique\" on a type needs the argument \"fields\" = @unique(fields: [\"…\"])"},
    {P("a: Int @unique(fields: §[\"a\"])"), "\"@unique\" on a field takes no fields = fields stand on a type's @unique"},
    {SERVICE "type P @resource @search(fields: §[\"n\"]) " OPEN "{ id: ID! n: Int }", "\"n\" is no text to search in"},
    {SERVICE "type P @resource @index(fields: [\"n\"], where: §\"n == auth.id\") " OPEN "{ id: ID! n: String }",
     "an index's rule may look at nothing but the row: no caller, no clock, no relations"},
    {SERVICE "type P @resource @cache(maxAge: §-1) " OPEN "{ id: ID! }", "maxAge can't be negative"},
    /* Rules: the place is inside the string. */
    {SERVICE "type P @resource @access(read: \"§nme == 'x'\") { id: ID! name: String }", "P has no field \"nme\" = did you mean \"name\"?"},
    {SERVICE "type P @resource @access(read: \"name == \\\"\\u00e4\\\" && §nme == 'x'\") { id: ID! name: String }",
     "P has no field \"nme\" = did you mean \"name\"?"},
    {SERVICE "type P @resource @check(expr: \"\"\"\n    name == 'ä' &&\n      §nme == 'x'\n  \"\"\") " OPEN "{ id: ID! name: String }",
     "P has no field \"nme\" = did you mean \"name\"?"},
    {P("a: Int §@access"), "\"@access\" says nothing = @access(read: \"true\")"},
    {P("a: Int @access(§delete: \"true\")"), "a field has no rule for delete = a row is deleted as a whole: write the rule on the type"},
    {SERVICE "type P @resource @access(write: \"§old.id == auth.id\") { id: ID! }", NULL},
    {SERVICE "type P @resource @access(read: \"§1 == 1\") { id: ID! }", NULL},
    {P("a: Int @default(expr: \"§'x'\")"), NULL},
    {P("a: DateTime @default(expr: \"§nw()\")"), "there is no function \"nw\" = did you mean \"now\"?"},
    /* Syntax; what follows is read all the same. */
    {SERVICE "type P @resource " OPEN "{\n  id: ID!\n  name §String\n  price: Decimal!\n  stock §= 3\n}\ntype Q {§{ }\n", NULL},
    {P("a: Int") "\ntype A @resource {\n  id: ID!\n§type B @resource " OPEN "{ id: ID! }", "expected \"}\", found \"type\""},
    {P("a: String @default(value: §\"x)") "\n", NULL},
    {P("a: String @default(value: \"§\\x\")"), "an unknown escape; a backslash itself is written \\\\"},
    {P("a: String @default(value: \"§\\ud800\")"), "an escape that is no character: a surrogate, or beyond U+10FFFF"},
    {P("a: Int @default(value: §01)"), NULL},
    {P("a: Int §% b: Int"), "unexpected character \"%\""},
    /* … what stops its reading in the middle of a definition. */
    {P("a: Int") " type A @resource {\n id §ID", "expected \":\" and a type, found \"ID\""},
    {P("a(§: Int): Int"), "expected an argument's name, found \":\""},
    {P("a(x §Int): Int"), "expected \":\" and a type, found \"Int\""},
    {P("a(x: §): Int"), "expected a type, found \")\""},
    {P("a(x: Int = §): Int"), "expected a value, found \")\""},
    {P("a(x: Int @§): Int"), "expected a directive's name, found \")\""},
    {P("a: Int = §)"), "expected a value, found \")\""},
    {P("a: §5"), "expected a type, found \"5\""},
    {SERVICE "type P @resource " OPEN "{ id: ID! a: [Int §}", "expected \"]\", found \"}\""},
    {P("a: Int @§5"), "expected a directive's name, found \"5\""},
    {P("a: Int @unique(fields §[\"a\"])"), "expected \":\", found \"[\""},
    {P("a: Int @default(value: §@)"), "expected a value, found \"@\""},
    {P("a: Int") "\ntype A implements §§{ a: Int }",
     "expected an interface's name, found \"{\"\ninterfaces are not supported yet = write the interface's fields in the type itself"},
    {P("a: Int") "\ntype A @§{ a: Int }", "expected a directive's name, found \"{\""},
    {P("a: Int") "\ntype A §5 { a: Int }", "expected \"{\", found \"5\""},
    {P("a: Int") "\nunion §U = §{ }", "unions are not supported yet (\"U\") = use a type with a field for each case, or an enum that tells "
                                      "them apart\nexpected a type's name, found \"{\""},
    {P("a: Int") "\ndirective §x on FIELD", "expected \"@\", found \"x\""},
    {P("a: Int") "\ndirective @§5 on FIELD", "expected a directive's name, found \"5\""},
    {P("a: Int") "\ndirective @§x(a§) on FIELD", "a directive of one's own (\"@x\") is not supported = `caisson contract --prelude` prints "
                                                 "the directives that there are\nexpected \":\" and a type, found \")\""},
    {P("a: Int") "\ndirective @§x §5", "a directive of one's own (\"@x\") is not supported = `caisson contract --prelude` prints the "
                                       "directives that there are\nexpected \"on\", found \"5\""},
    {P("a: Int") "\ndirective @§x repeatable §5", "a directive of one's own (\"@x\") is not supported = `caisson contract --prelude` "
                                                  "prints the directives that there are\nexpected \"on\", found \"5\""},
    {P("a: Int") "\ndirective @§x on §5", "a directive of one's own (\"@x\") is not supported = `caisson contract --prelude` prints the "
                                          "directives that there are\nexpected a directive location, found \"5\""},
    {P("a: String @default(value: \"§\\u12\")"), "a malformed escape: \\u takes four hexadecimal digits"},
    {P("a: String @default(value: \"§\\u{12\")"), "a malformed escape: \\u takes four hexadecimal digits"},
    /* What directives are given, and what is made of that which is none. */
    {"extend schema @service(name: §null)\ntype P @resource " OPEN "{ id: ID! }", "\"name\" of @service must be given: null says nothing"},
    {"extend schema @service(name: §5)\ntype P @resource " OPEN "{ id: ID! }", "\"name\" of @service must be a string"},
    {P("a: Int @renamed(from: §5)"), "\"from\" of @renamed must be a string"},
    {SERVICE "type P @resource @unique(fields: §\"a\") @index(fields: §[1]) " OPEN "{ id: ID! a: Int }",
     "\"fields\" of @unique must be a list of strings: [\"a\", \"b\"]\n\"fields\" of @index must be a list of strings: [\"a\", \"b\"]"},
    {P("a: Int §@default(database: §\"yes\")"),
     "the default of \"a\" is not given = @default(value: …) or @default(expr: \"…\")\n\"database\" of @default must be true or false"},
    {P("p: P @relation(onDelete: §\"CASCADE\", deferred: §1)"),
     "\"onDelete\" of @relation must be one of RESTRICT, CASCADE, SET_NULL = did you mean \"CASCADE\"?\n\"deferred\" of @relation must be "
     "true or false"},
    {P("a: Decimal @decimal(scale: §\"2\")"), "\"scale\" of @decimal must be an integer"},
    {P("a: Int @cache(maxAge: §99999999999)"), "\"maxAge\" of @cache must be an integer"},
    {P("a: I b: U c: N") " interface §I { a: Int } union §U = P input §N { a: Int }",
     "interfaces are not supported yet (\"I\") = use a type with a field for each case, or an enum that tells them apart\nunions are not "
     "supported yet (\"U\") = use a type with a field for each case, or an enum that tells them apart\ninput types are not supported yet "
     "(\"N\") = the inputs are made from the types; a type without @resource is embedded"},
    {SERVICE "type Product @resource " OPEN "{ id: ID! } type §Products @resource " OPEN "{ id: ID! }",
     "\"Product\" and \"Products\" both give the name \"products\" = choose another name"},
    {P("b: B @relation(inverse: \"c\")") " type B @resource " OPEN "{ id: ID! c: §Nix }", "unknown type \"Nix\""},
    {P("a: [Int!] @default(value: §[1, \"x\"])"), "the default of \"a\" at /1 must be an integer"},
    {P("e: E") " type E { a: Int b: E @default(value: { a: 1, §a: 2 }) }", "\"a\" stands twice in this object"},
};

/* The text without its marks, and where they stood. */
typedef struct Marked {
  char text[4096];
  size_t len;
  uint32_t lines[16], columns[16];
  size_t count;
} Marked;

static void unmark(const char *marked, Marked *ret) {
  uint32_t line = 1, column = 1;
  *ret = (Marked){0};
  for (const char *at = marked; *at != '\0';) {
    if (strncmp(at, "§", 2) == 0) {
      ret->lines[ret->count] = line;
      ret->columns[ret->count++] = column;
      at += 2;
      continue;
    }
    if (*at == '\n') {
      line++;
      column = 1;
    } else if (((unsigned char)*at & 0xC0) != 0x80) {
      column++;
    }
    ret->text[ret->len++] = *at++;
  }
}
