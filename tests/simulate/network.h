/* network.h - connections between clients and the program under test: bytes that take their time, arrive in pieces, stop coming or end. */
#pragma once
#include <sys/types.h>

#include "base/str.h"
#include "schedule.h"

typedef struct Connection Connection;
typedef struct NetListener NetListener;

typedef enum NetEnd { NET_CLIENT = 0, NET_SERVER = 1 } NetEnd;

/* What net_receive and net_send answer besides a count. */
enum { NET_NOTHING = -1 /* none now */, NET_ENDED = -2 /* the other end sends no more */, NET_BROKEN = -3 };

/* How a connection behaves, from its beginning to its end. */
typedef struct NetProfile {
  int64_t delay_min_us, delay_max_us; /* of each piece */
  size_t piece_max;                   /* bytes that arrive together */
  size_t read_max;                    /* bytes that one read of the server's gets */
  size_t window;                      /* bytes that were sent and not yet read */
  int64_t cut_us;                     /* after so long both ends see it broken; 0: never */
  int64_t lost_us;                    /* after so long nothing arrives any more, and nobody is told; 0: never */
} NetProfile;

/* Called in no task or in another's whenever there may be something to read, or room to write. */
typedef void NetNotifyFn(void *context);

NetListener *net_listen(unsigned port, Process *process, NetNotifyFn *notify, void *context);
void net_listener_close(NetListener *listener);
/* The server's end of the oldest connection that waits; NULL: none does. */
Connection *net_accept(NetListener *listener);
bool net_has_waiting(const NetListener *listener);

/* Of the several that listen on the port, one is taken by chance. NULL: nobody listens. */
Connection *net_connect(unsigned port, const NetProfile *profile);
void net_notify(Connection *connection, NetEnd end, NetNotifyFn *notify, void *context);
unsigned net_number(const Connection *connection);

bool net_is_readable(const Connection *connection, NetEnd end); /* bytes, the end or an error */
bool net_is_writable(const Connection *connection, NetEnd end); /* room or an error */
ssize_t net_receive(Connection *connection, NetEnd end, char *bytes, size_t max);
ssize_t net_send(Connection *connection, NetEnd end, Str bytes);
void net_shutdown(Connection *connection, NetEnd end);
void net_close(Connection *connection, NetEnd end, bool with_reset);
/* It was cut or lost by the network, or the server's process has died: an unanswered request is no wonder. */
bool net_is_faulted(const Connection *connection);

/* What a process had is closed by its system; with power_lost nobody is there who could. */
void net_process_died(const Process *process, bool power_lost);
