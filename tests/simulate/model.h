/* model.h - what must be true of the notes. They live in groups that are written whole, each by its owner, one write at a time. A group has
 * a history of values, each with the time in which it may have been what is stored: from when its write was begun until a later one was
 * acknowledged. What a reader sees must be a value of the time between question and answer. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GROUP_NAME_MAX = 24, GROUP_ROWS_MAX = 6, MODEL_NOBODY = -1 };

typedef struct ModelValue {
  bool exists;
  int64_t number;
  int64_t from_us, until_us;
  unsigned life; /* of the server that may still carry out a write of which nobody was told; 0: none */
} ModelValue;

typedef struct Group {
  char name[GROUP_NAME_MAX];
  int owner;
  bool is_public, is_written; /* a write is under way */
  bool is_doomed;             /* its last row bears its first one's name: all of it must be refused */
  size_t size;
  ModelValue *values;
  size_t value_count, value_cap;
} Group;

typedef struct Model {
  Group **groups;
  size_t count, cap;
} Model;

/* The number in a row's name. */
size_t group_row_number(const Group *group, size_t row);
Group *model_add(Model *model, int owner, bool is_public, size_t size);
void model_done(Model *model);
Group *model_find(const Model *model, const char *name, size_t len);

/* A write of the group's owner begins; its number tells it from all others. */
void group_write_begins(Group *group, bool exists, int64_t number);
void group_write_done(Group *group);
void group_write_refused(Group *group);
void group_write_unknown(Group *group);

/* Somebody was shown the group with this number, or (exists false) was shown that it isn't there for him, at some time between the two. */
bool group_may_be_seen(const Group *group, int viewer, bool exists, int64_t number, int64_t from_us, int64_t to_us);
/* All that it may be now, for a message. */
const char *group_describe(const Group *group, char *text, size_t size);
/* The last one that was begun and not refused. */
const ModelValue *group_last(const Group *group);
