/* regex_size.c - how large an automaton a regular expression becomes. A search by automaton takes no longer for a hostile text than for
 * another, but what is optional, repeated, and optional again may have more arcs than a database makes before it gives up, and anchors that
 * may stand side by side multiply them (PostgreSQL's "regular expression is too complex"). So arcs are counted here, as that construction
 * has them: from state to state one for each kind of character, repetitions written out; where something can be passed over, those that
 * end before it end behind it, too. */
#include <stdlib.h>

#include "base/vec.h"
#include "contract/regex_syntax.h"

/* Where a part begins, or what it makes of that: the arcs that end there, and in how many ways anchors alone lead there. */
typedef struct Reach {
  uint64_t arcs;
  uint64_t anchored;
  bool is_passable; /* of a part: without a character and without an anchor */
} Reach;

typedef struct Edge {
  uint32_t at;
  uint64_t change;
} Edge;

typedef struct Size {
  Arena *arena;
  VEC(Edge) edges; /* where classes begin and end */
  uint64_t kinds;  /* of characters: those that every class takes or leaves together are one */
  uint64_t count;
  bool failed; /* memory is out */
} Size;

/* ---- kinds of characters ---- */

static void add_edge(Size *size, uint32_t at, uint64_t change) {
  if (!VEC_PUSH(size->arena, &size->edges, ((Edge){at, change}))) size->failed = true;
}

/* A number of its own for each class and each character, spread over all bits (splitmix64): sums of them tell sets of classes apart. */
static uint64_t signature_of(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
  number = (number ^ number >> 27) * 0x94d049bb133111eb;
  return number ^ number >> 31;
}

static void add_edges(Size *size, const RegexNode *node) {
  if (node->kind == REGEX_CHARACTER) {
    add_edge(size, node->character, signature_of(node->character));
    add_edge(size, node->character + 1, 0 - signature_of(node->character));
  }
  for (size_t i = 0; node->kind == REGEX_CLASS && i < node->class->range_count; i++) {
    uint64_t signature = signature_of((uintptr_t)node->class);
    add_edge(size, node->class->ranges[i].first, signature);
    add_edge(size, node->class->ranges[i].last + 1, 0 - signature);
  }
  for (const RegexNode *part = node->first; part != NULL; part = part->next) add_edges(size, part);
}

static int compare_edges(const void *a, const void *b) {
  const Edge *left = a, *right = b;
  return left->at < right->at ? -1 : left->at > right->at;
}

static int compare_changes(const void *a, const void *b) {
  const Edge *left = a, *right = b;
  return left->change < right->change ? -1 : left->change > right->change;
}

static void count_kinds(Size *size) {
  uint64_t signature = 0;
  size_t count = 0;
  size->kinds = 1;
  if (size->edges.count == 0) return;
  Edge *edges = size->edges.items;
  qsort(edges, size->edges.count, sizeof *edges, compare_edges);
  for (size_t i = 0; i < size->edges.count; i++) {
    signature += edges[i].change;
    if (i + 1 == size->edges.count || edges[i + 1].at > edges[i].at) edges[count++].change = signature;
  }
  qsort(edges, count, sizeof *edges, compare_changes);
  for (size_t i = 1; i < count; i++) size->kinds += edges[i].change != edges[i - 1].change;
}

static uint64_t kinds_of(const Size *size, const RegexNode *node) {
  if (node->kind == REGEX_CHARACTER) return 1;
  uint64_t characters = node->class->is_negated ? size->kinds : 0;
  for (size_t i = 0; i < node->class->range_count && characters < size->kinds; i++) {
    characters += node->class->ranges[i].last - node->class->ranges[i].first + 1;
  }
  return characters < size->kinds ? characters : size->kinds;
}

/* ---- arcs ---- */

static bool count_part(Size *size, const RegexNode *node, Reach from, Reach *ret);

/* False where there are too many: then it ends at once, so that no sum grows large. */
static bool add(Size *size, uint64_t count) {
  size->count += count;
  return size->count <= REGEX_SIZE_MAX;
}

/* Behind a part: what it leads to, and what is there already where it may be passed over. */
static Reach reach_behind(Reach from, Reach part) {
  if (!part.is_passable) return (Reach){part.arcs, part.anchored, false};
  return (Reach){part.arcs + from.arcs, part.anchored + from.anchored, false};
}

static bool count_anchor(Size *size, const RegexNode *node, Reach from, Reach *ret) {
  uint64_t ways = node->kind == REGEX_WORD_EDGE || node->kind == REGEX_NO_WORD_EDGE ? 2 : 1;
  *ret = (Reach){ways * (from.arcs + 1), ways * (from.anchored + 1), false};
  return add(size, ret->arcs + ret->anchored);
}

static bool count_sequence(Size *size, const RegexNode *node, Reach from, Reach *ret) {
  Reach all = {.is_passable = true}, at = from;
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    Reach made = {0};
    if (!count_part(size, part, at, &made)) return false;
    if (made.is_passable && !add(size, at.arcs + at.anchored)) return false;
    at = reach_behind(at, made);
    all = (Reach){made.arcs + (made.is_passable ? all.arcs : 0), made.anchored + (made.is_passable ? all.anchored : 0),
                  all.is_passable && made.is_passable};
  }
  *ret = all;
  return add(size, 1);
}

static bool count_choice(Size *size, const RegexNode *node, Reach from, Reach *ret) {
  Reach all = {0};
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    Reach made = {0};
    if (!count_part(size, part, from, &made)) return false;
    all = (Reach){all.arcs + made.arcs, all.anchored + made.anchored, all.is_passable || made.is_passable};
  }
  *ret = all;
  return add(size, 1);
}

/* Each time that is wanted, then each that may be, from which all that is left may be passed over; without an end the last leads back to
 * where it begins, and is counted again from there. */
static bool count_repeat(Size *size, const RegexNode *node, Reach from, Reach *ret) {
  Reach all = {.is_passable = node->min == 0}, at = from;
  int times = node->max != REGEX_NO_MAX ? node->max : node->min == 0 ? 2 : node->min + 1;
  for (int i = 1; i <= times; i++) {
    Reach made = {0};
    if (!count_part(size, node->first, at, &made)) return false;
    if (made.is_passable && !add(size, at.arcs + at.anchored)) return false;
    at = reach_behind(at, made);
    if (i < node->min) continue;
    all = (Reach){all.arcs + made.arcs, all.anchored + made.anchored, all.is_passable || made.is_passable};
    if (i > node->min && !add(size, made.arcs + made.anchored)) return false;
  }
  *ret = all;
  return add(size, 1);
}

static bool count_part(Size *size, const RegexNode *node, Reach from, Reach *ret) {
  switch (node->kind) {
    case REGEX_CHARACTER:
    case REGEX_CLASS: *ret = (Reach){.arcs = kinds_of(size, node) * (from.anchored + 1)}; return add(size, ret->arcs);
    case REGEX_SEQUENCE: return count_sequence(size, node, from, ret);
    case REGEX_CHOICE: return count_choice(size, node, from, ret);
    case REGEX_REPEAT: return count_repeat(size, node, from, ret);
    default: return count_anchor(size, node, from, ret);
  }
}

/* ---- the entry ---- */

/* Of repetitions within each other, all counts multiplied. */
static int copies_of(const RegexNode *node) {
  int most = 1, count = node->kind != REGEX_REPEAT ? 1 : node->max > node->min ? node->max : node->min;
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    int copies = copies_of(part);
    if (copies > most) most = copies;
  }
  if (count == 0) count = 1;
  return most > REGEX_COUNT_MAX / count ? REGEX_COUNT_MAX + 1 : most * count;
}

Code regex_check_size(const RegexNode *node, Arena *arena, Error *err) {
  Size size = {.arena = arena};
  Reach end = {0};
  if (copies_of(node) > REGEX_COUNT_MAX)
    return error_set(err, CODE_BAD_REQUEST, "the regular expression repeats what is repeated: more than %d times in all", REGEX_COUNT_MAX);
  add_edges(&size, node);
  if (size.failed) return error_no_memory(err);
  count_kinds(&size);
  if (!count_part(&size, node, (Reach){0}, &end))
    return error_set(err, CODE_BAD_REQUEST, "the regular expression has too many parts that are optional or repeated");
  return CODE_OK;
}
