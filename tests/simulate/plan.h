/* plan.h - what one simulation is: all of it is said by its command line, so that a run can be had again, and smaller. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What may go wrong. */
typedef enum Fault {
  FAULT_SLOW = 1 << 0,   /* late bytes, few at a time, small windows */
  FAULT_CUT = 1 << 1,    /* connections break */
  FAULT_LOST = 1 << 2,   /* connections of which nothing arrives any more */
  FAULT_STOP = 1 << 3,   /* SIGTERM, and started again */
  FAULT_RELOAD = 1 << 4, /* SIGHUP */
  FAULT_KILL = 1 << 5,   /* SIGKILL */
  FAULT_POWER = 1 << 6,  /* the machine loses its power, before some operation of its disk */
  FAULT_DISK = 1 << 7,   /* the disk fails, or is full */
  FAULT_LIMITS = 1 << 8, /* options that leave little room and time */
  FAULT_MEMORY = 1 << 9, /* an allocation fails */
  FAULT_COUNT = 10,
  FAULT_ALL = (1 << FAULT_COUNT) - 1
} Fault;

typedef struct Plan {
  uint64_t seed;
  unsigned clients, steps; /* steps of each client */
  unsigned faults;
  bool is_traced;
} Plan;
