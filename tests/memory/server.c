/* server.c - see server.h. Each thread that the program starts is known by where its countdown to a failing allocation lies. */
#include "server.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/datetime.h"
#include "base/file.h"
#include "contract/load.h"
#include "server/app.h"

enum { THREADS_MAX = 64, ARGUMENTS_MAX = 32, RELOAD_SECONDS_MAX = 20, WARNING_BYTES_MAX = 1000 };

#define SECRET "memory-secret-0123456789-memory-secret-0123456789"

typedef struct Started {
  size_t *countdown;
  ServerThread kind;
} Started;

static struct {
  char folder[40], socket[64], contract_path[64];
  const char *contract_source;
  const char *arguments[ARGUMENTS_MAX];
  ServeConfig config;
  Arena *arena;
  App *app;
  HmacKey *key;
  pthread_t loop;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  Started threads[THREADS_MAX];
  ServerThread next_kind; /* of the thread that is started next */
  bool is_listening, has_fired;
  Code made;
  Error err;
  char warning[WARNING_BYTES_MAX];
  unsigned warnings;
  int64_t tokens;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- threads ---- */

typedef struct Begin {
  void *(*run)(void *context);
  void *context;
  ServerThread kind;
} Begin;

static Started *thread_enter(ServerThread kind) {
  Started *entered = NULL;
  pthread_mutex_lock(&server.lock);
  for (size_t i = 0; i < THREADS_MAX && entered == NULL; i++) {
    if (server.threads[i].countdown == NULL) entered = &server.threads[i];
  }
  assert(entered != NULL && "more threads than there is room for");
  *entered = (Started){&memory_fail_countdown, kind};
  pthread_mutex_unlock(&server.lock);
  return entered;
}

static void thread_leave(Started *entered) {
  pthread_mutex_lock(&server.lock);
  entered->countdown = NULL;
  pthread_mutex_unlock(&server.lock);
}

static void *thread_main(void *context) {
  Begin begin = *(Begin *)context;
  free(context);
  Started *entered = thread_enter(begin.kind);
  void *result = begin.run(begin.context);
  thread_leave(entered);
  return result;
}

int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *context);

int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *context) {
  Begin *begin = malloc(sizeof *begin);
  assert(begin != NULL);
  pthread_mutex_lock(&server.lock);
  *begin = (Begin){run, context, server.next_kind};
  server.next_kind = SERVER_STORE;
  pthread_mutex_unlock(&server.lock);
  int failed = __real_pthread_create(ret, attributes, thread_main, begin);
  if (failed != 0) free(begin);
  return failed;
}

/* The thread is waiting for work, and sees it when it gets some: by the lock or the socket through which it does. */
void server_fail(ServerThread thread, size_t n) {
  pthread_mutex_lock(&server.lock);
  for (size_t i = 0; i < THREADS_MAX; i++) {
    if (server.threads[i].countdown != NULL && server.threads[i].kind == thread)
      __atomic_store_n(server.threads[i].countdown, n, __ATOMIC_SEQ_CST);
  }
  pthread_mutex_unlock(&server.lock);
}

bool server_fired(ServerThread thread) {
  bool has_fired = false;
  pthread_mutex_lock(&server.lock);
  for (size_t i = 0; i < THREADS_MAX; i++) {
    if (server.threads[i].countdown != NULL && server.threads[i].kind == thread)
      has_fired = has_fired || __atomic_load_n(server.threads[i].countdown, __ATOMIC_SEQ_CST) == 0;
  }
  pthread_mutex_unlock(&server.lock);
  return has_fired;
}

/* ---- what is served ---- */

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

static void on_warning(void *context, Str text) {
  (void)context;
  pthread_mutex_lock(&server.lock);
  size_t len = text.len < sizeof server.warning - 1 ? text.len : sizeof server.warning - 1;
  memcpy(server.warning, text.ptr, len);
  server.warning[len] = '\0';
  server.warnings++;
  pthread_cond_broadcast(&server.changed);
  pthread_mutex_unlock(&server.lock);
}

static void make_folder(const ServerSetup *setup) {
  static const char *const places[] = {"/dev/shm", "/tmp"};
  Error err = {0};
  Str text = {NULL, 0};
  for (size_t i = 0; i < 2; i++) {
    (void)snprintf(server.folder, sizeof server.folder, "%s/caisson-memory-XXXXXX", places[i]);
    if (mkdtemp(server.folder) != NULL) break;
  }
  (void)snprintf(server.socket, sizeof server.socket, "%s/s", server.folder);
  (void)snprintf(server.contract_path, sizeof server.contract_path, "%s/c.graphql", server.folder);
  Code code = file_read(str_of(setup->contract), 1 << 20, server.arena, &text, &err);
  if (code == CODE_OK) code = file_write(str_of(server.contract_path), text, FILE_MODE_SHARED, &err);
  assert(code == CODE_OK && "the contract can't be copied");
}

static void remove_folder(void) {
  static const char *const names[] = {"s", "c.graphql", "d.db", "d.db-wal", "d.db-shm"};
  char path[80];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", server.folder, names[i]);
    (void)unlink(path);
  }
  (void)rmdir(server.folder);
}

/* Patient where the machine is slow: what hangs is to be seen by the client. */
static void configure(const ServerSetup *setup) {
  Arena *arena = server.arena;
  const char *store = setup->store != NULL ? setup->store : arena_printf(arena, "sqlite:%s/d.db", server.folder).ptr;
  const char *arguments[ARGUMENTS_MAX] = {"contract",
                                          "--listen",
                                          arena_printf(arena, "unix:%s", server.socket).ptr,
                                          "--store",
                                          store,
                                          "--log",
                                          "off",
                                          "--threads",
                                          "1",
                                          "--jwt-secret",
                                          SECRET,
                                          "--queue-wait-max",
                                          "60s",
                                          "--request-timeout",
                                          "90s",
                                          "--changes-max",
                                          "500",
                                          "--graphql-batch-max",
                                          "10",
                                          "--explain",
                                          "--explain-rule",
                                          "true",
                                          "--server-timing",
                                          "--migrate"};
  size_t count = 0;
  while (arguments[count] != NULL) count++;
  if (setup->tls_folder != NULL) {
    arguments[count++] = "--tls-cert";
    arguments[count++] = arena_printf(arena, "%s/cert.pem", setup->tls_folder).ptr;
    arguments[count++] = "--tls-key";
    arguments[count++] = arena_printf(arena, "%s/key.pem", setup->tls_folder).ptr;
  }
  memcpy(server.arguments, arguments, sizeof arguments);
  OptionsOutcome outcome;
  OptionList positional;
  Error err = {0};
  Code code = options_parse(&SERVE_OPTIONS, server.arguments, count, no_environment, arena, &server.config, &outcome, &positional, &err);
  if (code != CODE_OK) (void)fprintf(stderr, "%s\n", err.text);
  assert(code == CODE_OK);
  if (setup->keeps_no_plans) server.config.plans_max = 0; /* fewer than the option takes */
}

static Contract *load(Arena *arena) {
  ContractSource source;
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_source_read(str_of(server.contract_path), arena, &source, NULL);
  if (code == CODE_OK) code = contract_load(source.files, source.count, arena, &contract, &diagnostics, NULL);
  assert(code == CODE_OK && "the contract has mistakes");
  return contract;
}

static Code make(Arena *arena, size_t fail_after, Error *err) {
  static Str path;
  Contract *contract = load(arena);
  path = str_of(server.contract_path);
  AppContracts contracts = {.paths = &path, .items = &contract, .count = 1};
  Str details = {0};
  memory_fail_after(fail_after);
  Code code = app_create(&server.config, &contracts, on_warning, NULL, arena, &server.app, &details, err);
  server.has_fired = fail_after != 0 && memory_fail_countdown == 0;
  memory_fail_after(0);
  return code;
}

/* ---- life ---- */

static void say_listening(void) {
  pthread_mutex_lock(&server.lock);
  server.is_listening = true;
  server.next_kind = SERVER_SIGNAL;
  pthread_cond_broadcast(&server.changed);
  pthread_mutex_unlock(&server.lock);
}

static void *serve(void *context) {
  (void)context;
  bool is_idle = false;
  server.made = make(server.arena, 0, &server.err);
  say_listening();
  if (server.made != CODE_OK) return NULL;
  server.made = app_run(server.app, &is_idle, &server.err);
  assert(is_idle && "a request is left that nobody has answered");
  app_destroy(server.app);
  return NULL;
}

static void prepare(const ServerSetup *setup) {
  sigset_t signals;
  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGTERM), (void)sigaddset(&signals, SIGINT), (void)sigaddset(&signals, SIGHUP);
  (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
  server.arena = arena_create(0);
  server.contract_source = setup->contract;
  make_folder(setup);
  configure(setup);
}

static void unprepare(void) {
  remove_folder();
  arena_destroy(server.arena);
}

void server_open(const ServerSetup *setup) {
  prepare(setup);
  Code code = hmac_key_create(STR(SECRET), &server.key, NULL);
  assert(code == CODE_OK);
  server.is_listening = false;
  server.next_kind = SERVER_LOOP;
  int failed = pthread_create(&server.loop, NULL, serve, NULL);
  assert(failed == 0);
  pthread_mutex_lock(&server.lock);
  while (!server.is_listening) pthread_cond_wait(&server.changed, &server.lock);
  pthread_mutex_unlock(&server.lock);
  if (server.made != CODE_OK) (void)fprintf(stderr, "%s\n", server.err.text);
  assert(server.made == CODE_OK);
}

void server_close(void) {
  (void)kill(getpid(), SIGTERM);
  (void)pthread_join(server.loop, NULL);
  hmac_key_destroy(server.key);
  unprepare();
}

Code server_make(const ServerSetup *setup, size_t fail_after, bool *ret_has_fired, Error *err) {
  prepare(setup);
  Arena *arena = arena_create(0);
  Code code = make(arena, fail_after, err);
  if (code == CODE_OK) app_destroy(server.app);
  *ret_has_fired = server.has_fired;
  arena_destroy(arena);
  unprepare();
  return code;
}

int server_connect(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", server.socket);
  int failed = connect(fd, (const struct sockaddr *)&address, sizeof address);
  assert(fd >= 0 && failed == 0);
  return fd;
}

void server_remark(unsigned number) {
  Arena *arena = arena_create(0);
  Str text = {NULL, 0};
  Code code = file_read(str_of(server.contract_source), 1 << 20, arena, &text, NULL);
  Buf out = buf_on(arena, 1 << 20);
  size_t at = (size_t)(strstr(text.ptr, "type Product ") - text.ptr);
  buf_add(&out, str_slice(text, 0, at));
  buf_printf(&out, "\"\"\"remark %u\"\"\"\n", number);
  buf_add(&out, str_slice(text, at, text.len));
  if (code == CODE_OK) code = file_write(str_of(server.contract_path), buf_str(&out), FILE_MODE_SHARED, NULL);
  assert(code == CODE_OK && out.failed == CODE_OK);
  arena_destroy(arena);
}

static bool is_about_contract(void) { return strstr(server.warning, "the contract was") != NULL; }

bool server_reload(bool *ret_is_read, char *why, size_t why_size) {
  struct timespec until;
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += RELOAD_SECONDS_MAX;
  pthread_mutex_lock(&server.lock);
  server.warning[0] = '\0';
  (void)kill(getpid(), SIGHUP);
  int failed = 0;
  while (failed == 0 && !is_about_contract()) failed = pthread_cond_timedwait(&server.changed, &server.lock, &until);
  *ret_is_read = strstr(server.warning, "the contract was read again") != NULL;
  (void)snprintf(why, why_size, "%s", server.warning);
  pthread_mutex_unlock(&server.lock);
  return failed == 0;
}

Str server_token(Arena *arena) {
  TokenSpec spec = {.subject = STR("ann"), .issued_us = timestamp_now() - server.tokens++ * 1000000};
  Str token = {NULL, 0};
  Code code = token_make(server.key, &spec, arena, &token, NULL);
  assert(code == CODE_OK);
  return token;
}
