/* model.c - see model.h. */
#include "model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule.h"
#include "server.h"

static void value_add(Group *group, ModelValue value) {
  if (group->value_count == group->value_cap) {
    group->value_cap = group->value_cap * 2 + 8;
    group->values = realloc(group->values, group->value_cap * sizeof *group->values);
    assert(group->values != NULL);
  }
  group->values[group->value_count++] = value;
}

Group *model_add(Model *model, int owner, bool is_public, size_t size) {
  if (model->count == model->cap) {
    model->cap = model->cap * 2 + 16;
    model->groups = realloc(model->groups, model->cap * sizeof(Group *));
    assert(model->groups != NULL);
  }
  Group *group = calloc(1, sizeof *group);
  assert(group != NULL);
  *group = (Group){.owner = owner, .is_public = is_public, .size = size};
  (void)snprintf(group->name, sizeof group->name, "g%zu", model->count);
  value_add(group, (ModelValue){.exists = false, .until_us = TIME_NEVER});
  model->groups[model->count++] = group;
  return group;
}

void model_done(Model *model) {
  for (size_t i = 0; i < model->count; i++) {
    free(model->groups[i]->values);
    free(model->groups[i]);
  }
  free((void *)model->groups);
}

size_t group_row_number(const Group *group, size_t row) { return group->is_doomed && row + 1 == group->size ? 0 : row; }

Group *model_find(const Model *model, const char *name, size_t len) {
  for (size_t i = 0; i < model->count; i++)
    if (strlen(model->groups[i]->name) == len && memcmp(model->groups[i]->name, name, len) == 0) return model->groups[i];
  return NULL;
}

void group_write_begins(Group *group, bool exists, int64_t number) {
  assert(!group->is_written);
  group->is_written = true;
  value_add(group, (ModelValue){exists, number, schedule_now_us(), TIME_NEVER, 0});
}

/* What came before is over, but for writes of which nobody knows whether the server still has them before it. */
void group_write_done(Group *group) {
  group->is_written = false;
  for (size_t i = 0; i + 1 < group->value_count; i++) {
    ModelValue *value = &group->values[i];
    if (value->until_us == TIME_NEVER && value->life != server_life()) value->until_us = schedule_now_us();
  }
}

void group_write_refused(Group *group) {
  group->is_written = false;
  group->value_count--;
}

void group_write_unknown(Group *group) {
  group->is_written = false;
  group->values[group->value_count - 1].life = server_life();
}

bool group_may_be_seen(const Group *group, int viewer, bool exists, int64_t number, int64_t from_us, int64_t to_us) {
  bool is_visible = group->is_public || group->owner == viewer;
  if (!is_visible) return !exists;
  for (size_t i = 0; i < group->value_count; i++) {
    const ModelValue *value = &group->values[i];
    if (value->from_us > to_us || value->until_us < from_us || value->exists != exists) continue;
    if (!exists || value->number == number) return true;
  }
  return false;
}

const char *group_describe(const Group *group, char *text, size_t size) {
  size_t len = 0;
  text[0] = '\0';
  for (size_t i = 0; i < group->value_count && len < size; i++) {
    const ModelValue *value = &group->values[i];
    if (value->until_us != TIME_NEVER) continue;
    int more = value->exists ? snprintf(text + len, size - len, "%s%lld", len == 0 ? "" : " or ", (long long)value->number)
                             : snprintf(text + len, size - len, "%snothing", len == 0 ? "" : " or ");
    len += more > 0 ? (size_t)more : 0;
  }
  return text;
}

const ModelValue *group_last(const Group *group) { return &group->values[group->value_count - 1]; }
