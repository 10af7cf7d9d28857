/* network.c - see network.h. Each direction is a queue of bytes, of which a first part has arrived. Connections stay in memory to the end,
 * so that what is still on its way never finds nothing. */
#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct Direction {
  char *bytes; /* sent and not read */
  size_t len, cap, arrived;
  bool has_ended; /* the sender's last byte is on its way */
  bool end_arrived;
  int64_t last_us; /* when the last piece arrives: they keep their order */
} Direction;

struct Connection {
  unsigned number;
  NetProfile profile;
  Process *process;
  Direction to[2]; /* by the end that reads */
  bool is_closed[2], is_broken[2];
  bool is_faulted, is_lost;
  NetNotifyFn *notify[2];
  void *context[2];
  Connection *next_waiting;
  Connection *next;
};

struct NetListener {
  unsigned port;
  Process *process;
  NetNotifyFn *notify;
  void *context;
  Connection *first, *last;
  bool is_closed;
  NetListener *next;
};

typedef enum ArrivalKind { ARRIVES_BYTES = 0, ARRIVES_END, ARRIVES_RESET, ARRIVES_ROOM } ArrivalKind;

typedef struct Arrival {
  Connection *connection;
  NetEnd end;
  ArrivalKind kind;
  size_t len;
} Arrival;

static struct {
  NetListener *listeners;
  Connection *connections;
  unsigned count;
} network;

static void tell(const Connection *connection, NetEnd end) {
  if (connection->notify[end] != NULL && !connection->is_closed[end]) connection->notify[end](connection->context[end]);
}

static void on_arrival(void *context) {
  Arrival arrival = *(Arrival *)context;
  free(context);
  Connection *connection = arrival.connection;
  Direction *direction = &connection->to[arrival.end];
  if (connection->is_lost || connection->is_closed[arrival.end]) return;
  if (arrival.kind == ARRIVES_BYTES) direction->arrived += arrival.len;
  if (arrival.kind == ARRIVES_END) direction->end_arrived = true;
  if (arrival.kind == ARRIVES_RESET) connection->is_broken[arrival.end] = true;
  tell(connection, arrival.end);
}

static int64_t delay_us(const Connection *connection) {
  return random_between(schedule_random(), connection->profile.delay_min_us, connection->profile.delay_max_us);
}

static void send_arrival(Connection *connection, NetEnd to, ArrivalKind kind, size_t len) {
  Arrival *arrival = malloc(sizeof *arrival);
  assert(arrival != NULL);
  *arrival = (Arrival){connection, to, kind, len};
  Direction *direction = &connection->to[to];
  int64_t at_us = schedule_now_us() + delay_us(connection);
  if (at_us < direction->last_us) at_us = direction->last_us;
  if (kind != ARRIVES_ROOM) direction->last_us = at_us;
  schedule_at(at_us, on_arrival, arrival);
}

/* ---- faults ---- */

static void on_cut(void *context) {
  Connection *connection = context;
  if (connection->is_closed[NET_CLIENT] && connection->is_closed[NET_SERVER]) return;
  trace("connection %u is cut", connection->number);
  connection->is_faulted = connection->is_broken[NET_CLIENT] = connection->is_broken[NET_SERVER] = true;
  tell(connection, NET_CLIENT);
  tell(connection, NET_SERVER);
}

static void on_lost(void *context) {
  Connection *connection = context;
  if (connection->is_closed[NET_CLIENT] && connection->is_closed[NET_SERVER]) return;
  trace("connection %u is lost", connection->number);
  connection->is_faulted = connection->is_lost = true;
}

bool net_is_faulted(const Connection *connection) { return connection->is_faulted; }

void net_process_died(const Process *process, bool power_lost) {
  for (NetListener *listener = network.listeners; listener != NULL; listener = listener->next)
    if (listener->process == process) listener->is_closed = true;
  for (Connection *connection = network.connections; connection != NULL; connection = connection->next) {
    if (connection->process != process || connection->is_closed[NET_SERVER]) continue;
    connection->is_faulted = true;
    connection->is_closed[NET_SERVER] = true;
    if (power_lost)
      connection->is_lost = true;
    else
      send_arrival(connection, NET_CLIENT, ARRIVES_RESET, 0);
  }
}

/* ---- opening ---- */

NetListener *net_listen(unsigned port, Process *process, NetNotifyFn *notify, void *context) {
  NetListener *listener = calloc(1, sizeof *listener);
  assert(listener != NULL);
  *listener = (NetListener){.port = port, .process = process, .notify = notify, .context = context, .next = network.listeners};
  network.listeners = listener;
  return listener;
}

void net_listener_close(NetListener *listener) {
  listener->is_closed = true;
  for (Connection *waiting; (waiting = net_accept(listener)) != NULL;) net_close(waiting, NET_SERVER, true);
}

bool net_has_waiting(const NetListener *listener) { return listener->first != NULL; }

Connection *net_accept(NetListener *listener) {
  Connection *first = listener->first;
  if (first == NULL) return NULL;
  listener->first = first->next_waiting;
  if (listener->first == NULL) listener->last = NULL;
  return first;
}

static NetListener *choose_listener(unsigned port) {
  size_t count = 0;
  for (NetListener *at = network.listeners; at != NULL; at = at->next) count += at->port == port && !at->is_closed;
  size_t chosen = random_below(schedule_random(), count);
  for (NetListener *at = network.listeners; at != NULL; at = at->next)
    if (at->port == port && !at->is_closed && chosen-- == 0) return at;
  return NULL;
}

Connection *net_connect(unsigned port, const NetProfile *profile) {
  NetListener *listener = choose_listener(port);
  if (listener == NULL) return NULL;
  Connection *connection = calloc(1, sizeof *connection);
  assert(connection != NULL);
  *connection = (Connection){.number = ++network.count, .profile = *profile, .process = listener->process, .next = network.connections};
  network.connections = connection;
  if (listener->last != NULL)
    listener->last->next_waiting = connection;
  else
    listener->first = connection;
  listener->last = connection;
  if (profile->cut_us != 0) schedule_at(schedule_now_us() + profile->cut_us, on_cut, connection);
  if (profile->lost_us != 0) schedule_at(schedule_now_us() + profile->lost_us, on_lost, connection);
  listener->notify(listener->context);
  return connection;
}

void net_notify(Connection *connection, NetEnd end, NetNotifyFn *notify, void *context) {
  connection->notify[end] = notify;
  connection->context[end] = context;
}

unsigned net_number(const Connection *connection) { return connection->number; }

/* ---- bytes ---- */

static NetEnd other(NetEnd end) { return end == NET_CLIENT ? NET_SERVER : NET_CLIENT; }

bool net_is_readable(const Connection *connection, NetEnd end) {
  const Direction *direction = &connection->to[end];
  return direction->arrived > 0 || connection->is_broken[end] || direction->end_arrived;
}

static size_t room(const Connection *connection, NetEnd to) {
  const Direction *direction = &connection->to[to];
  return direction->len < connection->profile.window ? connection->profile.window - direction->len : 0;
}

bool net_is_writable(const Connection *connection, NetEnd end) { return connection->is_broken[end] || room(connection, other(end)) > 0; }

ssize_t net_receive(Connection *connection, NetEnd end, char *bytes, size_t max) {
  Direction *direction = &connection->to[end];
  if (direction->arrived == 0) {
    if (connection->is_broken[end]) return NET_BROKEN;
    return direction->end_arrived ? NET_ENDED : NET_NOTHING;
  }
  size_t count = direction->arrived < max ? direction->arrived : max;
  if (end == NET_SERVER && count > connection->profile.read_max) count = 1 + random_below(schedule_random(), connection->profile.read_max);
  memcpy(bytes, direction->bytes, count);
  memmove(direction->bytes, direction->bytes + count, direction->len - count);
  direction->len -= count;
  direction->arrived -= count;
  if (!connection->is_closed[other(end)]) send_arrival(connection, other(end), ARRIVES_ROOM, 0);
  return (ssize_t)count;
}

static void append(Direction *direction, Str bytes) {
  if (direction->cap - direction->len < bytes.len) {
    direction->cap = direction->cap * 2 + bytes.len;
    direction->bytes = realloc(direction->bytes, direction->cap);
    assert(direction->bytes != NULL);
  }
  memcpy(direction->bytes + direction->len, bytes.ptr, bytes.len);
  direction->len += bytes.len;
}

ssize_t net_send(Connection *connection, NetEnd end, Str bytes) {
  NetEnd to = other(end);
  if (connection->is_broken[end]) return NET_BROKEN;
  size_t count = room(connection, to) < bytes.len ? room(connection, to) : bytes.len;
  if (count == 0) return NET_NOTHING;
  if (connection->is_closed[to]) { /* nobody is there: the answer to it is a reset */
    send_arrival(connection, end, ARRIVES_RESET, 0);
    return (ssize_t)count;
  }
  append(&connection->to[to], (Str){bytes.ptr, count});
  for (size_t left = count, piece; left > 0; left -= piece) {
    size_t most = left < connection->profile.piece_max ? left : connection->profile.piece_max;
    piece = 1 + random_below(schedule_random(), most);
    send_arrival(connection, to, ARRIVES_BYTES, piece);
  }
  return (ssize_t)count;
}

void net_shutdown(Connection *connection, NetEnd end) {
  Direction *direction = &connection->to[other(end)];
  if (direction->has_ended || connection->is_broken[end]) return;
  direction->has_ended = true;
  send_arrival(connection, other(end), ARRIVES_END, 0);
}

void net_close(Connection *connection, NetEnd end, bool with_reset) {
  if (connection->is_closed[end]) return;
  bool has_unread = connection->to[end].len > 0;
  connection->is_closed[end] = true;
  connection->notify[end] = NULL;
  if (connection->is_broken[end]) return;
  if (with_reset || has_unread)
    send_arrival(connection, other(end), ARRIVES_RESET, 0);
  else
    net_shutdown(connection, end);
}
