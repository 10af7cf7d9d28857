/* simulation.h - one run from a plan, in this process, which is good for one only. */
#pragma once
#include "plan.h"

typedef struct SimulationResult {
  bool has_failed; /* what was wrong was printed */
  uint64_t digest; /* of everything that happened */
  uint64_t requests;
  unsigned lives; /* of the server */
} SimulationResult;

SimulationResult simulation_run(const Plan *plan, const char *contract);
