/* http_client.c - connections, and what both protocols do alike. */
#include "http_client.h"

#include <stdlib.h>

#include "server.h"

static void on_change(void *context) { task_wake(context); }

bool http_connect(HttpClient *client, const NetProfile *profile, bool is_http2) {
  client->net = net_connect(SERVER_PORT, profile);
  client->len = client->asked = client->answered = 0;
  client->heard_us = schedule_now_us();
  if (client->net == NULL) return false;
  net_notify(client->net, NET_CLIENT, on_change, client->task);
  client->http2 = is_http2 ? http2_client_create() : NULL;
  return true;
}

void http_close(HttpClient *client, bool with_reset) {
  if (client->net != NULL) net_close(client->net, NET_CLIENT, with_reset);
  client->net = NULL;
  http2_client_destroy(client->http2);
  client->http2 = NULL;
}

void http_done(HttpClient *client) {
  http_close(client, false);
  free(client->bytes);
  client->bytes = NULL;
}

bool http_ask(HttpClient *client, const HttpRequest *requests, size_t count, int64_t until_us) {
  client->asked = count;
  client->answered = 0;
  return client->http2 == NULL ? http1_ask(client, requests, count, until_us) : http2_ask(client, requests, count, until_us);
}

HttpOutcome http_take(HttpClient *client, int64_t until_us, Arena *arena, size_t *ret_index, HttpAnswer *ret) {
  HttpOutcome outcome =
      client->http2 == NULL ? http1_take(client, until_us, arena, ret_index, ret) : http2_take(client, until_us, arena, ret_index, ret);
  client->answered++;
  return outcome;
}

static bool send_all(HttpClient *client, Str bytes, int64_t until_us) {
  while (bytes.len > 0) {
    ssize_t count = net_send(client->net, NET_CLIENT, bytes);
    if (count == NET_BROKEN || schedule_now_us() >= until_us) return false;
    if (count == NET_NOTHING)
      task_wait(until_us);
    else
      bytes = (Str){bytes.ptr + count, bytes.len - (size_t)count};
  }
  return true;
}

bool http_send(HttpClient *client, Str bytes, int64_t until_us) {
  int64_t pause_us = client->pause_us;
  if (pause_us == 0) return send_all(client, bytes, until_us);
  client->pause_us = 0;
  if (!send_all(client, str_slice(bytes, 0, client->pause_at), until_us)) return false;
  task_sleep(pause_us);
  return send_all(client, str_slice(bytes, client->pause_at, bytes.len), until_us);
}

size_t http_receive(HttpClient *client, char *bytes, size_t max, int64_t until_us, HttpOutcome *ret_outcome) {
  for (;;) {
    ssize_t count = net_receive(client->net, NET_CLIENT, bytes, max);
    *ret_outcome = count == NET_NOTHING ? HTTP_TIMED_OUT : HTTP_CLOSED;
    if (count > 0) {
      client->heard_us = schedule_now_us();
      return (size_t)count;
    }
    if (count != NET_NOTHING || schedule_now_us() >= until_us) return 0;
    task_wait(until_us);
  }
}
