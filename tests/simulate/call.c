/* call.c - see call.h. */
#include "call.h"

#include <stdio.h>

#include "schedule.h"

static bool is_own(const Call *call) { return call->group != NULL && call->group->owner == call->caller; }

bool call_is_write(const Call *call) { return call->kind <= CALL_DELETE; }

/* It may come true, and the model waits for that. */
static bool is_kept(const Call *call) { return call_is_write(call) && is_own(call) && !call->group->is_doomed; }

const char *call_name(const Call *call) {
  static const char *const names[] = {"create", "update", "delete", "get", "list group", "list"};
  return names[call->kind];
}

void call_begin(Call *call) {
  call->begun_us = schedule_now_us();
  if (is_kept(call)) group_write_begins(call->group, call->kind != CALL_DELETE, call->number);
}

void call_write(const Call *call, Str token, Arena *arena, HttpRequest *ret) {
  call->face->write(call, arena, ret);
  ret->request_id = str_of(call->request_id);
  ret->token = token;
}

/* ---- rows ---- */

static void must_be_visible(const Call *call, const Group *group, bool exists, int64_t number) {
  char possible[256], seen[32] = "nothing";
  if (group_may_be_seen(group, call->caller, exists, number, call->begun_us, schedule_now_us())) return;
  if (exists) (void)snprintf(seen, sizeof seen, "%lld", (long long)number);
  violation("%s: client %d was shown %s of %s, of client %d, %s, which now is %s", call->request_id, call->caller, seen, group->name,
            group->owner, group->is_public ? "public" : "private", group_describe(group, possible, sizeof possible));
}

static bool is_of(const SeenRow *row, const Group *group) { return str_equal(row->group, str_of(group->name)); }

/* All rows of a group in one answer: as many as it has, or none, with one number. */
static void check_group(const Call *call, const Group *group, const CallAnswer *answer) {
  size_t count = 0;
  int64_t number = 0;
  for (size_t i = 0; i < answer->count; i++) {
    const SeenRow *row = &answer->rows[i];
    if (!is_of(row, group)) continue;
    if (row->number != row->copy || (count > 0 && row->number != number))
      violation("%s: half a write of %s: %lld beside %lld and %lld", call->request_id, group->name, (long long)row->number,
                (long long)row->copy, (long long)number);
    number = row->number;
    count++;
  }
  if (count != 0 && count != group->size) violation("%s: %zu of the %zu rows of %s", call->request_id, count, group->size, group->name);
  must_be_visible(call, group, count > 0, number);
}

static void check_list(const Model *model, const Call *call, const CallAnswer *answer) {
  for (size_t i = 0; i < answer->count; i++) {
    const SeenRow *row = &answer->rows[i];
    const Group *group = model_find(model, row->group.ptr, row->group.len);
    if (group == NULL) violation("%s: a row of \"%.*s\", which nobody made", call->request_id, STR_ARGS(row->group));
    if (!answer->is_whole) must_be_visible(call, group, true, row->number);
  }
  for (size_t i = 0; answer->is_whole && i < model->count; i++) check_group(call, model->groups[i], answer);
}

static void check_get(const Call *call, const CallAnswer *answer) {
  const SeenRow *row = answer->rows;
  char name[40];
  (void)snprintf(name, sizeof name, "%s.%zu", call->group->name, call->row);
  if (answer->count != 1 || !str_equal(row->name, str_of(name)))
    violation("%s: \"%.*s\" is the answer to a question for %s", call->request_id, STR_ARGS(row->name), name);
  if (row->number != row->copy) violation("%s: half a write of %s", call->request_id, name);
  must_be_visible(call, call->group, true, row->number);
}

/* ---- writes ---- */

static void check_written(const Call *call, const CallAnswer *answer) {
  for (size_t i = 0; i < answer->count; i++)
    if (!is_of(&answer->rows[i], call->group) || answer->rows[i].number != call->number)
      violation("%s: a write of %lld to %s is answered with %lld of %.*s", call->request_id, (long long)call->number, call->group->name,
                (long long)answer->rows[i].number, STR_ARGS(answer->rows[i].group));
}

static void settle_doomed_write(const Call *call, const CallAnswer *answer) {
  if (answer->outcome == CALL_REFUSED || answer->outcome == CALL_FAILED) return;
  violation("%s: two rows of one name were taken into %s", call->request_id, call->group->name);
}

static void settle_strangers_write(const Call *call, const CallAnswer *answer) {
  if (answer->outcome == CALL_DONE) violation("%s: client %d has written to %s", call->request_id, call->caller, call->group->name);
  if (answer->outcome == CALL_REFUSED && !call->group->is_public)
    violation("%s: client %d was told that there is a %s", call->request_id, call->caller, call->group->name);
}

static void settle_write(const Call *call, const CallAnswer *answer) {
  switch (answer->outcome) {
    case CALL_DONE: check_written(call, answer); return group_write_done(call->group);
    case CALL_ABSENT: group_write_refused(call->group); return must_be_visible(call, call->group, false, 0);
    case CALL_REFUSED: violation("%s: a write of %s was refused to its owner", call->request_id, call->group->name); return;
    case CALL_FAILED: group_write_unknown(call->group);
  }
}

static void settle(const Model *model, const Call *call, const CallAnswer *answer) {
  if (is_kept(call)) return settle_write(call, answer);
  if (call_is_write(call) && is_own(call)) return settle_doomed_write(call, answer);
  if (call_is_write(call)) return settle_strangers_write(call, answer);
  if (answer->outcome == CALL_FAILED) return;
  if (answer->outcome == CALL_REFUSED) violation("%s: nobody may be refused to read", call->request_id);
  if (answer->outcome == CALL_ABSENT) return must_be_visible(call, call->group, false, 0);
  if (call->kind == CALL_GET) return check_get(call, answer);
  if (call->kind == CALL_LIST_GROUP) return check_group(call, call->group, answer);
  check_list(model, call, answer);
}

void call_settle(const Model *model, const Call *call, const HttpAnswer *http, Arena *arena) {
  CallAnswer answer;
  bool is_own_id = str_equal(http->request_id, str_of(call->request_id));
  /* Who is refused before his question was read is answered under an id that the server makes; it is no client's. */
  bool is_unread = (http->status == 408 || http->status == 503) && !str_contains(http->request_id, STR("-"));
  bool is_lacking = call->may_lack_id && http->request_id.len == 0;
  if (!is_own_id && !is_unread && !is_lacking)
    violation("%s: the answer, %d, is that of %.*s", call->request_id, http->status, STR_ARGS(http->request_id));
  if (!call->face->read(http, call, arena, &answer))
    violation("%s: by %s, nobody can have expected this answer: %d %.*s %.*s", call->request_id, call->face->name, http->status,
              STR_ARGS(http->grpc_status), (int)(http->body.len < 300 ? http->body.len : 300), http->body.ptr);
  settle(model, call, &answer);
}

void call_unanswered(const Call *call) {
  if (is_kept(call)) group_write_unknown(call->group);
}
