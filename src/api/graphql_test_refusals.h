/* graphql_test_refusals.h - documents that are refused, and with what: the grammar's productions (GraphQL, September 2025, appendix) one
 * by one, each at the token that it can't take; and arguments that fit their types but not one another, or a limit. */
#pragma once

typedef struct GraphqlRefusal {
  const char *query;
  const char *text; /* a part of what is said: place and message */
} GraphqlRefusal;

static const GraphqlRefusal syntax_refusals[] = {
    {"", "1:1 Syntax error: an operation or a fragment is expected, but the document ends"},
    {"x", "1:1 Syntax error: an operation or a fragment is expected, not \"x\""},
    /* Selection sets and fields */
    {"{ }", "1:3 Syntax error: a field is expected, not \"}\""},
    {"{ a: }", "1:6 Syntax error: a field is expected"},
    {"{ a { } }", "1:7 Syntax error: a field is expected"},
    {"{ a() }", "1:5 Syntax error: an argument is expected"},
    {"{ a(1: 2) }", "1:5 Syntax error"},
    {"{ a(b) }", "1:6 Syntax error"},
    {"{ a(b:) }", "1:7 Syntax error: a value is expected"},
    {"{ a(b: c }", "1:10 Syntax error"},
    {"{ a @ }", "1:7 Syntax error: a directive's name is expected"},
    {"{ a @d() }", "1:8 Syntax error: an argument is expected"},
    /* Fragments */
    {"{ ...a @ }", "1:10 Syntax error: a directive's name is expected"},
    {"{ ... on }", "1:10 Syntax error: a type is expected"},
    {"{ ... on T }", "1:12 Syntax error: \"{\" is expected"},
    {"{ ... on T @ { a } }", "1:14 Syntax error: a directive's name is expected"},
    {"{ ... @d }", "1:10 Syntax error: \"{\" is expected"},
    {"{ ... }", "1:7 Syntax error"},
    {"fragment 1", "1:10 Syntax error: a fragment's name is expected"},
    {"fragment a T { b }", "1:12 Syntax error: \"on\" is expected"},
    {"fragment a on { b }", "1:15 Syntax error: a type is expected"},
    {"fragment a on T @ { b }", "1:19 Syntax error: a directive's name is expected"},
    {"fragment a on T", "1:16 Syntax error: \"{\" is expected, but the document ends"},
    /* Operations, variables and their types */
    {"query a b", "1:9 Syntax error: \"{\" is expected"},
    {"query a @ { b }", "1:11 Syntax error: a directive's name is expected"},
    {"query () { a }", "1:8 Syntax error"},
    {"query (a: Int) { a }", "1:8 Syntax error: \"$\" is expected"},
    {"query ($) { a }", "1:9 Syntax error: a variable's name is expected"},
    {"query ($a Int) { a }", "1:11 Syntax error: \":\" is expected"},
    {"query ($a: ) { a }", "1:12 Syntax error: a type is expected"},
    {"query ($a: [Int) { a }", "1:16 Syntax error: \"]\" is expected"},
    {"query ($a: [[[[[[[[[[[[[[[[[Int]]]]]]]]]]]]]]]]]) { a }", "1:28 Syntax error: a type is expected"}, /* the 17th list */
    {"query ($a: Int =) { a }", "1:17 Syntax error: a value is expected"},
    {"query ($a: Int @) { a }", "1:17 Syntax error: a directive's name is expected"},
    {"query ($a: Int @d(b: $c)) { a }", "1:22 Syntax error"},
    /* Values */
    {"{ a(b: {1: 2}) }", "1:9 Syntax error: a name is expected"},
    {"{ a(b: {c}) }", "1:10 Syntax error"},
    {"{ a(b: {c: }) }", "1:12 Syntax error: a value is expected"},
    {"{ a(b: [1 }) }", "1:11 Syntax error: a value is expected"},
    {"{ a(b: @) }", "1:8 Syntax error: a value is expected"},
    /* Definitions of types are passed over, as far as they are any */
    {"extend", "1:7 Syntax error: a definition of a type is expected, but the document ends"},
    {"extend query", "1:8 Syntax error: a definition of a type is expected, not \"query\""},
    {"scalar", "1:7 Syntax error: a name is expected"},
    {"directive @", "1:12 Syntax error: a name is expected"},
    {"scalar S @", "1:11 Syntax error: a directive's name is expected"},
    {"scalar S @d(", "1:13 Syntax error: a closing bracket is expected"},
    {"type T implements", "1:18 Syntax error: a name is expected"},
    {"type T implements A & 1", "1:23 Syntax error: a name is expected"},
    {"union U = A | { ", "1:15 Syntax error: a name is expected"},
    {"type T { a: Int", "1:16 Syntax error: a closing bracket is expected"},
};

/* Of the test's own shop. */
static const GraphqlRefusal argument_refusals[] = {
    /* Pages */
    {"{ products(first: -1) { nodes { id } } }", "1:3 products: first and last must not be negative"},
    {"{ products(first: 1, last: 1) { nodes { id } } }", "1:3 products: first and last can't be given together"},
    {"{ products(after: \"a\", before: \"b\") { nodes { id } } }", "1:3 products: after and before can't be given together"},
    {"{ products(last: 1, after: \"a\") { nodes { id } } }", "1:3 products: last goes with before, first with after"},
    {"{ products(first: 1, before: \"a\") { nodes { id } } }", "1:3 products: first goes with after, last with before"},
    {"{ products(first: 101) { nodes { id } } }", "1:3 products: at most 100 rows are given at once"},
    {"{ product(id: \"1\") { reviews(first: 101) { nodes { id } } } }", "1:22 reviews: at most 100 rows are given at once"},
    /* Conditions */
    {"{ products(where: {price: {gt: null}}) { nodes { id } } }", "1:3 where: \"gt\" must not be compared with null by this operator"},
    {"{ products(where: {price: {eq: \"dear\"}}) { nodes { id } } }", "1:3 where: \"price\" is compared with what is no value of its type"},
    {"{ products(where: {price: {in: [\"1\", \"dear\"]}}) { nodes { id } } }",
     "1:3 where: \"price\" is compared with what is no value of its type"},
    {"{ products(where: {made: {lt: \"yesterday\"}}) { nodes { id } } }",
     "1:3 where: \"made\" is compared with what is no value of its type"},
    {"{ products(where: {not: {price: {eq: \"dear\"}}}) { nodes { id } } }",
     "1:3 where: \"price\" is compared with what is no value of its type"},
    {"{ products(where: {and: [{price: {eq: \"dear\"}}]}) { nodes { id } } }",
     "1:3 where: \"price\" is compared with what is no value of its type"},
    {"{ products(where: {category: {products: {some: {price: {eq: \"dear\"}}}}}) { nodes { id } } }",
     "1:3 where: \"price\" is compared with what is no value of its type"},
    {"{ products(where: {size: {seen: {eq: \"soon\"}}}) { nodes { id } } }",
     "1:3 where: \"seen\" is compared with what is no value of its type"},
    {"{ products(filter: \"price >\") { nodes { id } } }", "1:3 filter: "},
    {"{ products(filter: \"nothing == 1\") { nodes { id } } }", "1:3 filter: "},
    /* Order */
    {"{ products(orderBy: [{name: ASC}, {stock: ASC}, {name: DESC}]) { nodes { id } } }", "1:3 orderBy: \"name\" is named twice"},
    {"{ products(distinct: true) { totalCount } }", "1:3 products: "},
    /* Aggregates */
    {"{ productsAggregate(by: [stock, stock]) { count } }", "1:3 productsAggregate: a group's key is named twice"},
    {"{ productsAggregate(by: [stock], byPath: [{stock: true}]) { count } }", "1:3 productsAggregate: a group's key is named twice"},
    {"{ productsAggregate(byPath: [{stock: false}]) { count } }", "1:3 productsAggregate: byPath: a field is named by true"},
    {"{ productsAggregate(by: [stock], having: {count: {gt: null}}) { count } }",
     "1:3 productsAggregate: having: null is compared by eq and ne only"},
    {"{ productsAggregate(by: [stock], having: {sum: {price: {gt: \"dear\"}}}) { count } }",
     "1:3 productsAggregate: having: a metric is compared with what is no value of its type"},
    {"{ productsAggregate(by: [stock], orderBy: [{by: {name: ASC}}]) { count } }",
     "1:3 productsAggregate: orderBy: groups are sorted by what they are made by, and by metrics"},
    {"{ productsAggregate(by: [stock], first: -1) { count } }", "1:3 productsAggregate: first and last must not be negative"},
    {"{ productsAggregate(by: [stock], where: {price: {eq: \"dear\"}}) { count } }",
     "1:3 where: \"price\" is compared with what is no value of its type"},
};
