/* check_circles.c - what is required in a circle: no row (or no embedded value) could be the first. A depth-first walk with a stack of its
 * own, since a hostile contract's circle may be as long as the contract. */
#include "contract/check.h"

enum { CIRCLE_TEXT_MAX = 300 };

typedef struct Step {
  CheckedType *type;
  size_t next; /* the field to look at next; next - 1 is the one that was followed */
} Step;

typedef enum Mark { MARK_NEW = 0, MARK_ON_STACK, MARK_DONE } Mark;

typedef struct Walk {
  Checker *checker;
  Step *stack;
  size_t depth;
  unsigned char *marks; /* by CheckedType.index */
} Walk;

/* The type that must be there before a row (or value) of this one can be; NULL: none. */
static CheckedType *required_type(const Checker *checker, const CheckedField *checked) {
  const Field *field = checked->field;
  if (field == NULL || !field->is_required) return NULL;
  if (field->kind == FIELD_TO_ONE) return checked->relation == NULL || checked->relation->is_deferred ? NULL : checked->target;
  bool is_embedded = field->kind == FIELD_STORED && field->type == TYPE_EMBEDDED && !field->is_list;
  return is_embedded ? map_get(&checker->type_by_name, checked->sdl->type.name) : NULL;
}

static const CheckedField *followed(const Step *step) { return &step->type->fields[step->next - 1]; }

static bool is_earlier(Span a, Span b) {
  if (a.source->index != b.source->index) return a.source->index < b.source->index;
  return a.begin < b.begin;
}

static void report_circle(Walk *walk, size_t begin) {
  Buf text = buf_on(walk->checker->scratch, SIZE_MAX);
  const CheckedField *first = followed(&walk->stack[begin]);
  for (size_t i = begin; i < walk->depth; i++) {
    const CheckedField *step = followed(&walk->stack[i]);
    if (is_earlier(step->sdl->span, first->sdl->span)) first = step;
    if (text.len < CIRCLE_TEXT_MAX)
      buf_printf(&text, "%.*s.%.*s → ", STR_ARGS(step->owner->sdl->name), STR_ARGS(step->sdl->name));
    else if (i + 1 == walk->depth)
      buf_add(&text, STR("… → "));
  }
  buf_add(&text, walk->stack[begin].type->sdl->name);
  if (text.failed != CODE_OK) walk->checker->report->has_no_memory = true;
  bool is_stored = first->owner->kind == CHECKED_RESOURCE;
  report_add(walk->checker->report, first->sdl->span,
             is_stored ? STR("leave a ! away, or say @relation(deferred: true) on one of them") : STR("leave a ! away"),
             is_stored ? "relations are required in a circle, so that no row could be the first: %.*s"
                       : "embedded types require each other in a circle, so that no value is ever whole: %.*s",
             STR_ARGS(buf_str(&text)));
}

static void walk_from(Walk *walk, CheckedType *root) {
  walk->stack[0] = (Step){.type = root};
  walk->depth = 1;
  walk->marks[root->index] = MARK_ON_STACK;
  while (walk->depth > 0) {
    Step *top = &walk->stack[walk->depth - 1];
    if (top->next == top->type->field_count) {
      walk->marks[top->type->index] = MARK_DONE;
      walk->depth--;
      continue;
    }
    CheckedType *target = required_type(walk->checker, &top->type->fields[top->next++]);
    if (target == NULL || walk->marks[target->index] == MARK_DONE) continue;
    if (walk->marks[target->index] == MARK_NEW) {
      walk->marks[target->index] = MARK_ON_STACK;
      walk->stack[walk->depth++] = (Step){.type = target};
      continue;
    }
    size_t begin = walk->depth - 1;
    while (walk->stack[begin].type != target) begin--;
    if (!report_is_full(walk->checker->report)) report_circle(walk, begin);
  }
}

Code check_circles(Checker *checker, Error *err) {
  Walk walk = {.checker = checker,
               .stack = ARENA_ARRAY(checker->scratch, Step, checker->type_count),
               .marks = ARENA_ARRAY(checker->scratch, unsigned char, checker->type_count)};
  if (walk.stack == NULL || walk.marks == NULL) return error_no_memory(err);
  for (size_t i = 0; i < checker->type_count; i++) {
    CheckedType *type = &checker->types[i];
    bool is_new = walk.marks[i] == MARK_NEW && (type->kind == CHECKED_RESOURCE || type->kind == CHECKED_EMBEDDED);
    if (is_new) walk_from(&walk, type);
  }
  return CODE_OK;
}
