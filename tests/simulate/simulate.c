/* simulate.c - runs simulations, each in a process of its own; of one that fails it tells the command, and a smaller one that fails too. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "simulation.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_do_recoverable_leak_check() 0
#endif

#define FAULT_NAMES "slow", "cut", "lost", "stop", "reload", "kill", "power", "disk", "limits", "memory"
enum { RUN_SECONDS_MAX = 300 };

typedef struct Options {
  Plan plan;
  uint64_t seed_count;
  unsigned seconds; /* 0: by the count alone */
  const char *contract;
  bool is_checked; /* each is run twice, which must be the same */
} Options;

/* ---- the command line ---- */

static void write_faults(FILE *out, unsigned faults) {
  static const char *const names[] = {FAULT_NAMES};
  bool is_first = true;
  for (unsigned i = 0; i < FAULT_COUNT; i++) {
    if ((faults & 1u << i) == 0) continue;
    (void)fprintf(out, "%s%s", is_first ? "" : ",", names[i]);
    is_first = false;
  }
  if (is_first) (void)fputs("none", out);
}

static unsigned parse_faults(Str text) {
  static const char *const names[] = {FAULT_NAMES};
  unsigned faults = 0;
  for (Str name; str_split_next(&text, ',', &name);)
    for (unsigned i = 0; i < FAULT_COUNT; i++)
      if (str_equal(name, str_of(names[i]))) faults |= 1u << i;
  return faults;
}

static int usage(void) {
  (void)fputs("simulate [--seed N] [--seeds COUNT | --seconds S] [--clients N] [--steps N]\n"
              "         [--faults slow,cut,lost,stop,reload,kill,power,disk,limits,memory|none] [--trace] [--twice] [--contract FILE]\n",
              stderr);
  return 2;
}

static bool parse(int argc, char **argv, Options *options) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (strcmp(name, "--trace") == 0) {
      options->plan.is_traced = true;
      continue;
    }
    if (strcmp(name, "--twice") == 0) {
      options->is_checked = true;
      continue;
    }
    if (++i == argc) return false;
    uint64_t number = strtoull(argv[i], NULL, 10);
    if (strcmp(name, "--seed") == 0)
      options->plan.seed = number;
    else if (strcmp(name, "--seeds") == 0)
      options->seed_count = number;
    else if (strcmp(name, "--seconds") == 0)
      options->seconds = (unsigned)number;
    else if (strcmp(name, "--clients") == 0)
      options->plan.clients = (unsigned)number;
    else if (strcmp(name, "--steps") == 0)
      options->plan.steps = (unsigned)number;
    else if (strcmp(name, "--faults") == 0)
      options->plan.faults = parse_faults(str_of(argv[i]));
    else if (strcmp(name, "--contract") == 0)
      options->contract = argv[i];
    else
      return false;
  }
  return true;
}

static void print_command(const Plan *plan) {
  (void)printf("simulate --seed %llu --clients %u --steps %u --faults ", (unsigned long long)plan->seed, plan->clients, plan->steps);
  write_faults(stdout, plan->faults);
  (void)printf("\n");
  (void)fflush(stdout);
}

/* ---- one run ---- */

static void run_here(const Plan *plan, const char *contract, int answer, bool is_quiet) {
  if (is_quiet && (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)) _exit(2);
  (void)alarm(RUN_SECONDS_MAX);
  SimulationResult result = simulation_run(plan, contract);
  if (!result.has_failed && __lsan_do_recoverable_leak_check() != 0) {
    (void)printf("violation: memory has leaked\n");
    result.has_failed = true;
  }
  (void)fflush(stdout);
  bool is_told = write(answer, &result, sizeof result) == (ssize_t)sizeof result;
  _exit(is_told ? 0 : 2);
}

/* In a process of its own: one that crashes has failed. */
static SimulationResult run(const Plan *plan, const char *contract, bool is_quiet) {
  SimulationResult result = {.has_failed = true};
  int ends[2], status = 0;
  (void)fflush(stdout);
  bool has_pipe = pipe(ends) == 0;
  assert(has_pipe);
  pid_t child = fork();
  assert(child >= 0);
  if (child == 0) run_here(plan, contract, ends[1], is_quiet);
  (void)close(ends[1]);
  if (read(ends[0], &result, sizeof result) != (ssize_t)sizeof result) result = (SimulationResult){.has_failed = true};
  (void)close(ends[0]);
  (void)waitpid(child, &status, 0);
  if (status != 0) result.has_failed = true;
  if (status != 0 && !is_quiet) (void)printf("the simulation died (status %d)\n", status);
  return result;
}

/* ---- shrinking ---- */

static bool try_smaller(Plan *plan, Plan smaller, const char *contract) {
  if (!run(&smaller, contract, true).has_failed) return false;
  *plan = smaller;
  return true;
}

/* Halves it while that fails too, then takes one away at a time. */
static void shrink_number(Plan *plan, unsigned *number, const char *contract) {
  for (unsigned step = *number / 2; step > 0;) {
    unsigned before = *number;
    Plan kept = *plan;
    *number = before - step;
    if (*number > 0 && run(plan, contract, true).has_failed) continue;
    *plan = kept;
    step /= 2;
  }
}

static void shrink(Plan plan, const char *contract) {
  for (unsigned i = 0; i < FAULT_COUNT; i++) {
    Plan smaller = plan;
    smaller.faults &= ~(1u << i);
    if (smaller.faults != plan.faults) (void)try_smaller(&plan, smaller, contract);
  }
  shrink_number(&plan, &plan.steps, contract);
  shrink_number(&plan, &plan.clients, contract);
  (void)printf("smaller: ");
  print_command(&plan);
}

/* ---- many runs ---- */

static bool run_seed(const Options *options, const Plan *plan, SimulationResult *ret) {
  *ret = run(plan, options->contract, false);
  if (!ret->has_failed && options->is_checked && run(plan, options->contract, true).digest != ret->digest) {
    (void)printf("the same seed was not the same run\n");
    ret->has_failed = true;
  }
  if (!ret->has_failed) return true;
  (void)printf("failed: ");
  print_command(plan);
  return false;
}

int main(int argc, char **argv) {
  Options options = {.plan = {.seed = 1, .clients = 6, .steps = 40, .faults = FAULT_ALL}, .seed_count = 1, .contract = SIMULATE_CONTRACT};
  if (!parse(argc, argv, &options)) return usage();
  time_t end = options.seconds == 0 ? 0 : time(NULL) + (time_t)options.seconds;
  uint64_t requests = 0, lives = 0, count = 0;
  for (; end == 0 ? count < options.seed_count : time(NULL) < end; count++) {
    Plan plan = options.plan;
    plan.seed += count;
    SimulationResult result;
    if (!run_seed(&options, &plan, &result)) {
      if (!plan.is_traced) shrink(plan, options.contract);
      return 1;
    }
    requests += result.requests;
    lives += result.lives;
  }
  (void)printf("%llu seeds from %llu: %llu requests, %llu lives of the server\n", (unsigned long long)count,
               (unsigned long long)options.plan.seed, (unsigned long long)requests, (unsigned long long)lives);
  return 0;
}
