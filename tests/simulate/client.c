/* client.c - see client.h. */
#include "client.h"

#include <stdio.h>
#include <string.h>

#include "schedule.h"
#include "server.h"

enum { CALLS_MAX = 4, OWN_GROUPS_MAX = 5 };
/* Far beyond the server's own 30 s for a request: who waits so long has been forgotten. */
static const int64_t patience_us = 100 * INT64_C(1000000);

/* ---- connections ---- */

static NetProfile slow_profile(Random *random) {
  static const size_t pieces[] = {1, 3, 100, 1400}, windows[] = {1, 64, 2000, 100000};
  return (NetProfile){.delay_min_us = 0,
                      .delay_max_us = random_between(random, 10, 200000),
                      .piece_max = pieces[random_below(random, 4)],
                      .read_max = pieces[random_below(random, 4)],
                      .window = windows[random_below(random, 4)]};
}

static NetProfile choose_profile(const Client *client, Random *random) {
  unsigned faults = client->plan->faults;
  NetProfile profile = {.delay_min_us = 20, .delay_max_us = 300, .piece_max = 65536, .read_max = 65536, .window = 262144};
  if ((faults & FAULT_SLOW) != 0 && random_chance(random, 3)) profile = slow_profile(random);
  if ((faults & FAULT_CUT) != 0 && random_chance(random, 4)) profile.cut_us = random_between(random, 1, 2000000);
  if ((faults & FAULT_LOST) != 0 && random_chance(random, 10)) profile.lost_us = random_between(random, 1, 2000000);
  return profile;
}

static bool connect_if_needed(Client *client) {
  if (client->http.net != NULL) return true;
  NetProfile profile = choose_profile(client, &client->random);
  if (http_connect(&client->http, &profile, random_chance(&client->random, 2))) return true;
  task_sleep(random_between(&client->random, 1000, 300000));
  return false;
}

/* ---- what to ask ---- */

/* Its groups that may be there and that it isn't writing to. */
static Group *choose_own(Client *client) {
  Group *chosen = NULL;
  size_t count = 0;
  for (size_t i = 0; i < client->model->count; i++) {
    Group *group = client->model->groups[i];
    if (group->owner != client->number || group->is_written || !group_last(group)->exists) continue;
    if (random_chance(&client->random, ++count)) chosen = group;
  }
  return chosen;
}

static size_t count_own(const Client *client) {
  size_t count = 0;
  for (size_t i = 0; i < client->model->count; i++)
    count += client->model->groups[i]->owner == client->number && group_last(client->model->groups[i])->exists;
  return count;
}

static Group *choose_any(Client *client) {
  return client->model->count == 0 ? NULL : client->model->groups[random_below(&client->random, client->model->count)];
}

static Call choose_write(Client *client) {
  Random *random = &client->random;
  Group *own = choose_own(client);
  size_t own_count = count_own(client);
  if (own == NULL || (own_count < OWN_GROUPS_MAX && random_chance(random, 3))) {
    size_t size = random_chance(random, 2) ? 1 : (size_t)random_between(random, 2, GROUP_ROWS_MAX);
    Group *group = model_add(client->model, client->number, random_chance(random, 2), size);
    group->is_doomed = size > 1 && random_chance(random, 5);
    return (Call){.kind = CALL_CREATE, .group = group};
  }
  bool is_delete = own_count >= OWN_GROUPS_MAX || random_chance(random, 6);
  return (Call){.kind = is_delete ? CALL_DELETE : CALL_UPDATE, .group = own};
}

static Call choose_read(Client *client) {
  Random *random = &client->random;
  Group *group = choose_any(client);
  if (group == NULL || random_chance(random, 4)) return (Call){.kind = CALL_LIST};
  if (random_chance(random, 3)) return (Call){.kind = CALL_LIST_GROUP, .group = group};
  return (Call){.kind = CALL_GET, .group = group, .row = random_below(random, group->size)};
}

/* To somebody else's rows. */
static Call choose_intrusion(Client *client) {
  Group *group = choose_any(client);
  if (group == NULL || group->owner == client->number) return choose_read(client);
  return (Call){.kind = random_chance(&client->random, 2) ? CALL_UPDATE : CALL_DELETE, .group = group};
}

static const Face *choose_face(Client *client, const Call *call) {
  static const Face *const faces[] = {&face_rest, &face_graphql, &face_grpc};
  for (;;) {
    const Face *face = faces[random_below(&client->random, sizeof faces / sizeof *faces)];
    if (face->needs_http2 && client->http.http2 == NULL) continue;
    if (face->can == NULL || face->can(call)) return face;
  }
}

static Call choose_call(Client *client) {
  uint64_t chosen = random_below(&client->random, 10);
  Call call = chosen < 5 ? choose_write(client) : chosen < 9 ? choose_read(client) : choose_intrusion(client);
  call.caller = client->number;
  call.face = choose_face(client, &call);
  call.may_lack_id = (client->plan->faults & FAULT_MEMORY) != 0;
  call.number = (int64_t)(++client->requests * 1000) + client->number;
  (void)snprintf(call.request_id, sizeof call.request_id, "c%d-%zu", client->number, client->requests);
  return call;
}

/* ---- asking ---- */

static void trace_call(const Call *call, const char *what) {
  trace("%s %s %s%s%lld: %s", call->request_id, call_name(call), call->group == NULL ? "" : call->group->name,
        call_is_write(call) ? " := " : " ", (long long)(call_is_write(call) ? call->number : (int64_t)call->row), what);
}

/* Unless the question itself has not arrived, or the answer is still coming, byte by byte. */
static void check_forgotten(const Client *client, const Call *call, HttpOutcome outcome) {
  if (outcome != HTTP_TIMED_OUT || client->has_missed || net_is_faulted(client->http.net)) return;
  if (schedule_now_us() - client->http.heard_us < patience_us / 2) return;
  violation("%s: neither answered nor closed for %lld s", call->request_id, (long long)(patience_us / 1000000));
}

static void take_answer(Client *client, const Call *calls) {
  HttpAnswer answer = {0};
  size_t index = 0;
  HttpOutcome outcome = http_take(&client->http, client->until_us, client->arena, &index, &answer);
  const Call *call = &calls[index];
  if (outcome == HTTP_ANSWERED) {
    trace_call(call, arena_printf(client->arena, "%d %.*s", answer.status, STR_ARGS(answer.grpc_status)).ptr);
    return call_settle(client->model, call, &answer, client->arena);
  }
  if (client->http.net != NULL) check_forgotten(client, call, outcome);
  trace_call(call, "no answer");
  call_unanswered(call);
  client->has_missed = true;
}

static void ask(Client *client, Call *calls, size_t count) {
  HttpRequest requests[CALLS_MAX];
  for (size_t i = 0; i < count; i++) {
    calls[i] = choose_call(client);
    call_begin(&calls[i]);
    trace_call(&calls[i], arena_printf(client->arena, "asked by %s", calls[i].face->name).ptr);
    call_write(&calls[i], str_of(client->token), client->arena, &requests[i]);
  }
  if (random_chance(&client->random, 30)) {
    client->http.pause_at = random_below(&client->random, 600);
    client->http.pause_us = random_between(&client->random, 1, 20000000);
  }
  client->until_us = schedule_now_us() + patience_us;
  client->has_missed = !http_ask(&client->http, requests, count, client->until_us);
}

/* One who goes before the answer comes, and one who lets it wait. */
static void be_rude(Client *client) {
  if (random_chance(&client->random, 40)) http_close(&client->http, random_chance(&client->random, 2));
  if (client->http.net != NULL && random_chance(&client->random, 30)) task_sleep(random_between(&client->random, 0, 20000000));
}

static void take_step(Client *client) {
  Call calls[CALLS_MAX];
  size_t count = random_chance(&client->random, 3) ? 1 + random_below(&client->random, CALLS_MAX) : 1;
  ask(client, calls, count);
  be_rude(client);
  bool has_left = client->http.net == NULL;
  for (size_t i = 0; i < count; i++) {
    if (has_left)
      call_unanswered(&calls[i]);
    else
      take_answer(client, calls);
  }
  if (client->has_missed) http_close(&client->http, false);
}

void client_run(void *context) {
  Client *client = context;
  client->http.task = task_current();
  client->arena = arena_create(0);
  while (client->steps_left > 0) {
    if (!connect_if_needed(client)) continue;
    take_step(client);
    client->steps_left--;
    arena_reset(client->arena);
    if (random_chance(&client->random, 2)) task_sleep(random_between(&client->random, 0, 100000));
    if (client->http.net != NULL && random_chance(&client->random, 20)) http_close(&client->http, false);
  }
  http_done(&client->http);
  arena_destroy(client->arena);
  client->ended(client->ended_context);
}
