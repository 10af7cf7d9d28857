/* server.c - see server.h. */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../property.h"
#include "auth/token.h"
#include "base/datetime.h"
#include "contract.h"
#include "contract/load.h"
#include "server/app.h"

enum { ANSWER_BYTES_MAX = 16 * 1024 * 1024, PATIENCE_MS = 20000, MOMENT_MS = 15, ARGUMENTS_MAX = 24 };

#define SECRET "fuzz-secret-0123456789-fuzz-secret-0123456789"

static struct {
  RequestServer shown;
  char folder[32], socket[64], database[64];
  ServeConfig config;
  App *app;
  sqlite3 *db;
  Arena *arena;
  bool is_started;
} server;

static const char rows[] =
    "BEGIN IMMEDIATE; DELETE FROM places; DELETE FROM reviews; DELETE FROM products; DELETE FROM categories;"
    "INSERT INTO categories (code, name, parent_code) VALUES ('tea', 'Tea', NULL), ('leaf', 'Leaf', 'tea'), ('hidden', 'hidden', NULL);"
    "INSERT INTO products (id, sku, name, price, stock, tags, secret, owner, cost, category_code, status, active) VALUES "
    "('" PRODUCT_KEY "', 'SKU-1', 'Tea', '12.5', 5, '[\"a\",\"b\"]', '" HUSH "', 'ann', 3, 'tea', 'OPEN', 1),"
    "('" PRODUCT_KEY_2 "', NULL, 'Leaf tea', NULL, 0, NULL, '" HUSH "', 'zoe', NULL, NULL, 'closed-2', NULL);"
    "INSERT INTO reviews (id, product_id, author, stars, text, published, at) VALUES "
    "('" REVIEW_KEY "', '" PRODUCT_KEY "', 'ann', 5, 'good', 1, '2026-11-23T12:00:00.000000Z'),"
    "('" REVIEW_KEY_2 "', '" PRODUCT_KEY "', 'nobody', 1, '" PRIVATE "', 0, '2026-11-23T12:00:00.000000Z');"
    "INSERT INTO places (shelf, line, product_id, note) VALUES (1, 'OPEN', '" PRODUCT_KEY
    "', 'first'), (2, 'closed-2', NULL, NULL); COMMIT";

void request_server_reset(void) {
  char *why = NULL;
  if (sqlite3_exec(server.db, rows, NULL, NULL, &why) == SQLITE_OK) return;
  fprintf(stderr, "the rows could not be made: %s\n", why);
  abort();
}

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

/* Patient where the machine is slow, strict where a request is large. */
static void configure(void) {
  Str store = arena_printf(server.arena, "sqlite:%s", server.database), listen = arena_printf(server.arena, "unix:%s", server.socket);
  const char *arguments[ARGUMENTS_MAX] = {
      "contract",          "--listen", listen.ptr,         "--store", store.ptr,       "--log", "off",       "--threads",           "1",
      "--jwt-secret",      SECRET,     "--queue-wait-max", "20s",     "--changes-max", "200",   "--explain", "--graphql-batch-max", "3",
      "--request-timeout", "15s"};
  size_t count = 0;
  while (arguments[count] != NULL) count++;
  OptionsOutcome outcome;
  OptionList positional;
  Error err = {0};
  PROPERTY(options_parse(&SERVE_OPTIONS, arguments, count, no_environment, server.arena, &server.config, &outcome, &positional, &err) ==
           CODE_OK);
}

static Contract *load(void) {
  ContractFile file = {STR("fuzz.graphql"), {REQUEST_CONTRACT, sizeof REQUEST_CONTRACT - 1}};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  if (contract_load(&file, 1, server.arena, &contract, &diagnostics, NULL) == CODE_OK) return contract;
  for (size_t i = 0; i < diagnostics.count; i++) fprintf(stderr, "%.*s\n", STR_ARGS(diagnostics.items[i].message));
  abort();
}

static void make_tokens(void) {
  static const Str staff = STR_INIT("staff");
  HmacKey *key = NULL;
  PROPERTY(hmac_key_create(STR(SECRET), &key, NULL) == CODE_OK);
  for (size_t i = 0; i < 3; i++) {
    TokenSpec spec = {.subject = i == 0   ? STR("ann")
                                 : i == 1 ? STR("zoe")
                                          : STR("sam"),
                      .roles = &staff,
                      .role_count = i == 2,
                      .issued_us = timestamp_now()};
    Str token;
    PROPERTY(token_make(key, &spec, server.arena, &token, NULL) == CODE_OK);
    server.shown.tokens[i] = arena_printf(server.arena, "Bearer %.*s", STR_ARGS(token));
  }
  hmac_key_destroy(key);
}

static void remove_files(void) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  char path[96];
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    (void)snprintf(path, sizeof path, "%s%s", server.database, ends[i]);
    (void)unlink(path);
  }
  (void)unlink(server.socket);
  (void)rmdir(server.folder);
}

/* On a thread of its own, whose signals are the server's; the fuzzer keeps its own. */
static void *serve(void *context) {
  static const Str path = STR_INIT("");
  Contract *contract = load();
  AppContracts contracts = {.paths = &path, .items = &contract, .count = 1};
  Str details = {0};
  Error err = {0};
  bool is_idle = true;
  if (app_create(&server.config, &contracts, NULL, NULL, server.arena, &server.app, &details, &err) != CODE_OK) {
    fprintf(stderr, "%s\n%.*s\n", err.text, STR_ARGS(details));
    abort();
  }
  atomic_store((atomic_bool *)context, true);
  (void)app_run(server.app, &is_idle, &err);
  abort(); /* nothing stops it */
}

static void start(void) {
  static atomic_bool is_open;
  pthread_t thread;
  server.is_started = true;
  server.arena = arena_create(0);
  (void)snprintf(server.folder, sizeof server.folder, "/tmp/caisson-fuzz-XXXXXX");
  PROPERTY(mkdtemp(server.folder) != NULL);
  (void)snprintf(server.socket, sizeof server.socket, "%s/s", server.folder);
  (void)snprintf(server.database, sizeof server.database, "%s/db", server.folder);
  (void)atexit(remove_files);
  configure();
  make_tokens();
  GraphqlSchema *graphql = NULL;
  ProtoSchema *proto = NULL;
  const Contract *contract = load();
  PROPERTY(graphql_schema_create(contract, server.arena, &graphql, NULL) == CODE_OK);
  PROPERTY(proto_schema_create(contract, NULL, server.arena, &proto, NULL) == CODE_OK);
  server.shown.contract = contract;
  server.shown.graphql = graphql;
  server.shown.proto = proto;
  PROPERTY(pthread_create(&thread, NULL, serve, &is_open) == 0);
  while (!atomic_load(&is_open)) usleep(1000);
  PROPERTY(sqlite3_open(server.database, &server.db) == SQLITE_OK && sqlite3_busy_timeout(server.db, PATIENCE_MS) == SQLITE_OK);
  PROPERTY(sqlite3_exec(server.db, "PRAGMA synchronous=OFF", NULL, NULL, NULL) == SQLITE_OK);
  request_server_reset();
}

const RequestServer *request_server(void) {
  if (!server.is_started) start();
  return &server.shown;
}

static int connect_to(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", server.socket);
  PROPERTY(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

/* Both directions at once, lest both sides wait for the other to read. */
Str request_server_ask(Str bytes, bool is_endless, Arena *arena, bool *ret_is_silent) {
  Buf answer = buf_on(arena, ANSWER_BYTES_MAX);
  int fd = connect_to();
  *ret_is_silent = false;
  for (;;) {
    struct pollfd one = {.fd = fd, .events = (short)(POLLIN | (bytes.len > 0 ? POLLOUT : 0))};
    int ready = poll(&one, 1, is_endless && bytes.len == 0 ? MOMENT_MS : PATIENCE_MS);
    if (ready < 0 && errno == EINTR) continue; /* libFuzzer looks at its clock by signals */
    if (ready == 0 && is_endless && bytes.len == 0) break;
    if (ready != 1) {
      *ret_is_silent = true;
      break;
    }
    if ((one.revents & POLLIN) != 0) {
      PROPERTY(buf_reserve(&answer, 64 * 1024));
      ssize_t got = recv(fd, answer.ptr + answer.len, answer.cap - answer.len, 0);
      if (got <= 0) break;
      answer.len += (size_t)got;
      /* What was asked for by bytes that no grammar has made. */
      is_endless = is_endless || memmem(answer.ptr, answer.len, "text/event-stream", 17) != NULL;
    } else if ((one.revents & POLLOUT) != 0) {
      ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
      bytes = sent > 0 ? str_slice(bytes, (size_t)sent, bytes.len) : (Str){NULL, 0};
    } else {
      break;
    }
  }
  close(fd);
  return buf_str(&answer);
}
