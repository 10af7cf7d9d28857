/* regex_search.c - see regex_search.h. Thompson's simulation: the expression becomes instructions with repetitions written out, and the
 * text is read once, with the set of all instructions that may be next. */
#include "contract/regex_search.h"

#include "base/utf8.h"
#include "base/vec.h"

enum { NONE = UINT32_MAX, NO_CHARACTER = UINT32_MAX };

/* Without a node: on to `next` and to `other`, where that is one; without either it has matched. */
typedef struct Instruction {
  const RegexNode *node;
  uint32_t next, other;
} Instruction;

typedef struct Program {
  Arena *arena;
  VEC(Instruction) code;
  bool failed; /* memory is out */
} Program;

/* ---- from the last part to the first, so that what comes behind is known ---- */

static uint32_t emit_part(Program *program, const RegexNode *node, uint32_t next);

static uint32_t emit(Program *program, Instruction instruction) {
  if (!VEC_PUSH(program->arena, &program->code, instruction)) {
    program->failed = true;
    return 0;
  }
  return (uint32_t)program->code.count - 1;
}

static uint32_t emit_sequence(Program *program, const RegexNode *part, uint32_t next) {
  return part == NULL ? next : emit_part(program, part, emit_sequence(program, part->next, next));
}

static uint32_t emit_choice(Program *program, const RegexNode *node, uint32_t next) {
  uint32_t entry = NONE;
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    uint32_t branch = emit_part(program, part, next);
    entry = entry == NONE ? branch : emit(program, (Instruction){NULL, entry, branch});
  }
  return entry;
}

static uint32_t emit_repeat(Program *program, const RegexNode *node, uint32_t next) {
  uint32_t entry = next;
  if (node->max == REGEX_NO_MAX) {
    entry = emit(program, (Instruction){NULL, next, NONE});
    uint32_t body = emit_part(program, node->first, entry);
    if (!program->failed) program->code.items[entry].other = body;
  }
  for (int i = node->min; i < node->max; i++) entry = emit(program, (Instruction){NULL, emit_part(program, node->first, entry), next});
  for (int i = 0; i < node->min; i++) entry = emit_part(program, node->first, entry);
  return entry;
}

static uint32_t emit_part(Program *program, const RegexNode *node, uint32_t next) {
  switch (node->kind) {
    case REGEX_SEQUENCE: return emit_sequence(program, node->first, next);
    case REGEX_CHOICE: return emit_choice(program, node, next);
    case REGEX_REPEAT: return emit_repeat(program, node, next);
    default: return emit(program, (Instruction){node, next, NONE});
  }
}

/* ---- the simulation ---- */

typedef struct Set {
  uint32_t *items;
  size_t count;
} Set;

typedef struct Search {
  const Instruction *code;
  uint32_t *seen;  /* by instruction: the place, counted from 1, at which it was added last */
  uint32_t *stack; /* each instruction is on it twice at most */
  size_t steps_left;
  uint32_t place;
  uint32_t before, behind; /* the characters around the place */
  bool has_matched;
} Search;

static bool is_word(uint32_t c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

static bool anchor_holds(const Search *search, RegexKind kind) {
  bool is_edge = is_word(search->before) != is_word(search->behind);
  switch (kind) {
    case REGEX_TEXT_START: return search->before == NO_CHARACTER;
    case REGEX_TEXT_END: return search->behind == NO_CHARACTER;
    case REGEX_LINE_START: return search->before == NO_CHARACTER || search->before == '\n';
    case REGEX_LINE_END: return search->behind == NO_CHARACTER || search->behind == '\n';
    case REGEX_WORD_EDGE: return is_edge;
    default: return !is_edge;
  }
}

static bool takes(const RegexNode *node, uint32_t character) {
  if (node->kind == REGEX_CHARACTER) return node->character == character;
  size_t low = 0, high = node->class->range_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (node->class->ranges[middle].last < character)
      low = middle + 1;
    else
      high = middle;
  }
  bool is_in = low < node->class->range_count && node->class->ranges[low].first <= character;
  return is_in != node->class->is_negated;
}

/* Adds the instructions that take a character and can be come to from `at` without one. */
static void add(Search *search, Set *set, uint32_t at) {
  size_t depth = 0;
  search->stack[depth++] = at;
  while (depth > 0 && search->steps_left > 0) {
    uint32_t index = search->stack[--depth];
    search->steps_left--;
    if (search->seen[index] == search->place) continue;
    search->seen[index] = search->place;
    const Instruction *instruction = &search->code[index];
    bool takes_one = instruction->node != NULL && instruction->node->kind <= REGEX_CLASS;
    if (takes_one) {
      set->items[set->count++] = index;
    } else if (instruction->node == NULL) {
      search->has_matched = search->has_matched || instruction->next == NONE;
      if (instruction->other != NONE) search->stack[depth++] = instruction->other;
      if (instruction->next != NONE) search->stack[depth++] = instruction->next;
    } else if (anchor_holds(search, instruction->node->kind)) {
      search->stack[depth++] = instruction->next;
    }
  }
}

static void read_text(Search *search, Str subject, uint32_t entry, Set now, Set next) {
  size_t at = 0;
  search->place = 1;
  search->before = NO_CHARACTER;
  search->behind = at < subject.len ? utf8_next(subject, &at) : NO_CHARACTER;
  add(search, &now, entry);
  while (!search->has_matched && search->behind != NO_CHARACTER && search->steps_left > 0) {
    search->place++;
    search->before = search->behind;
    search->behind = at < subject.len ? utf8_next(subject, &at) : NO_CHARACTER;
    next.count = 0;
    for (size_t i = 0; i < now.count; i++) {
      const Instruction *instruction = &search->code[now.items[i]];
      if (takes(instruction->node, search->before)) add(search, &next, instruction->next);
    }
    add(search, &next, entry); /* it may begin anywhere */
    Set emptied = now;
    now = next;
    next = emptied;
  }
}

static bool search_in(Arena *arena, const RegexNode *node, Str subject, bool *ret_match) {
  Program program = {.arena = arena};
  uint32_t entry = emit_part(&program, node, emit(&program, (Instruction){NULL, NONE, NONE}));
  size_t count = program.code.count;
  Search search = {.code = program.code.items,
                   .seen = ARENA_ARRAY(arena, uint32_t, count),
                   .stack = ARENA_ARRAY(arena, uint32_t, 2 * count + 1),
                   .steps_left = REGEX_SEARCH_STEPS_MAX};
  Set now = {.items = ARENA_ARRAY(arena, uint32_t, count)}, next = {.items = ARENA_ARRAY(arena, uint32_t, count)};
  if (program.failed || search.seen == NULL || search.stack == NULL || now.items == NULL || next.items == NULL) return false;
  read_text(&search, subject, entry, now, next);
  if (!search.has_matched && search.steps_left == 0) return false;
  *ret_match = search.has_matched;
  return true;
}

bool regex_search(const RegexNode *node, Str subject, bool *ret_match) {
  Arena *arena = arena_create(0);
  bool is_known = arena != NULL && search_in(arena, node, subject, ret_match);
  arena_destroy(arena);
  return is_known;
}
