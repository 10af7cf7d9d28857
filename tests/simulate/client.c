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
  if (http1_connect(&client->http, &profile)) return true;
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
    return (Call){.kind = CALL_CREATE, .group = model_add(client->model, client->number, random_chance(random, 2), size)};
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

static Call choose_call(Client *client) {
  uint64_t chosen = random_below(&client->random, 10);
  Call call = chosen < 5 ? choose_write(client) : chosen < 9 ? choose_read(client) : choose_intrusion(client);
  call.caller = client->number;
  call.number = (int64_t)(++client->requests * 1000) + client->number;
  (void)snprintf(call.request_id, sizeof call.request_id, "c%d-%zu", client->number, client->requests);
  return call;
}

/* ---- asking ---- */

static void trace_call(const Call *call, const char *what) {
  trace("%s %s %s%s%lld: %s", call->request_id, call_name(call), call->group == NULL ? "" : call->group->name,
        call_is_write(call) ? " := " : " ", (long long)(call_is_write(call) ? call->number : (int64_t)call->row), what);
}

static void check_forgotten(const Client *client, const Call *call, HttpOutcome outcome) {
  if (outcome == HTTP_TIMED_OUT && !net_is_faulted(client->http.net))
    violation("%s: neither answered nor closed for %lld s", call->request_id, (long long)(patience_us / 1000000));
}

static void take_answer(Client *client, const Call *call, const HttpAnswer *http) {
  CallAnswer answer;
  char status[48];
  (void)snprintf(status, sizeof status, "%d", http->status);
  trace_call(call, status);
  if (!str_equal(http->request_id, str_of(call->request_id)) && http->status != 408)
    violation("%s: the answer is that of %.*s", call->request_id, STR_ARGS(http->request_id));
  if (!face_rest.read(http, call, client->arena, &answer))
    violation("%s: an answer that nobody can have expected: %d %.*s", call->request_id, http->status,
              (int)(http->body.len < 300 ? http->body.len : 300), http->body.ptr);
  call_settle(client->model, call, &answer);
}

/* Takes the answers in the order of the questions; what comes no more stays unanswered. */
static void receive_answers(Client *client, const Call *calls, size_t count) {
  bool is_open = true;
  for (size_t i = 0; i < count; i++) {
    HttpAnswer answer = {0};
    HttpOutcome outcome = HTTP_CLOSED;
    if (is_open) outcome = http1_receive(&client->http, schedule_now_us() + patience_us, client->arena, &answer);
    if (outcome == HTTP_ANSWERED) {
      take_answer(client, &calls[i], &answer);
      if (answer.is_last) is_open = false;
      continue;
    }
    if (is_open) check_forgotten(client, &calls[i], outcome);
    is_open = false;
    trace_call(&calls[i], "no answer");
    call_unanswered(&calls[i]);
  }
  if (!is_open) http1_close(&client->http, false);
}

static void take_step(Client *client) {
  Call calls[CALLS_MAX];
  size_t count = random_chance(&client->random, 3) ? 1 + random_below(&client->random, CALLS_MAX) : 1;
  Buf request = buf_on(client->arena, SIZE_MAX / 2);
  for (size_t i = 0; i < count; i++) {
    calls[i] = choose_call(client);
    call_begin(&calls[i]);
    trace_call(&calls[i], "asked");
    face_rest.write(&request, &calls[i], str_of(client->token));
  }
  (void)http1_send(&client->http, buf_str(&request), schedule_now_us() + patience_us);
  /* One who goes before the answer comes, and one who lets it wait. */
  if (random_chance(&client->random, 40)) http1_close(&client->http, random_chance(&client->random, 2));
  if (client->http.net != NULL && random_chance(&client->random, 30)) task_sleep(random_between(&client->random, 0, 20000000));
  if (client->http.net != NULL) return receive_answers(client, calls, count);
  for (size_t i = 0; i < count; i++) call_unanswered(&calls[i]);
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
    if (client->http.net != NULL && random_chance(&client->random, 20)) http1_close(&client->http, false);
  }
  http1_done(&client->http);
  arena_destroy(client->arena);
  client->ended(client->ended_context);
}
