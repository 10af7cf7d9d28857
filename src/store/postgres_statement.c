/* postgres_statement.c - see postgres_statement.h. */
#include "store/postgres_statement.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { BUCKETS = 256 };

struct PostgresStatements {
  PostgresStatement *buckets[BUCKETS];
  PostgresStatement *newest, *oldest;
  size_t count, max;
  uint64_t last_name;
};

PostgresStatements *postgres_statements_create(size_t max) {
  PostgresStatements *statements = memory_alloc(sizeof *statements);
  if (statements == NULL) return NULL;
  memset(statements, 0, sizeof *statements);
  statements->max = max;
  return statements;
}

void postgres_statements_destroy(PostgresStatements *statements) {
  if (statements == NULL) return;
  for (PostgresStatement *statement = statements->newest, *older; statement != NULL; statement = older) {
    older = statement->older;
    memory_free(statement);
  }
  memory_free(statements);
}

static void unlink_use(PostgresStatements *statements, PostgresStatement *statement) {
  if (statement->newer != NULL)
    statement->newer->older = statement->older;
  else
    statements->newest = statement->older;
  if (statement->older != NULL)
    statement->older->newer = statement->newer;
  else
    statements->oldest = statement->newer;
}

static void link_newest(PostgresStatements *statements, PostgresStatement *statement) {
  statement->newer = NULL;
  statement->older = statements->newest;
  if (statements->newest != NULL)
    statements->newest->newer = statement;
  else
    statements->oldest = statement;
  statements->newest = statement;
}

static PostgresStatement *statement_make(PostgresStatements *statements, const StoreStatement *shape) {
  size_t forms_size = shape->param_count * sizeof(PostgresForm);
  PostgresStatement *statement = memory_alloc(sizeof *statement + forms_size);
  if (statement == NULL) return NULL;
  memset(statement, 0, sizeof *statement);
  statement->id = shape->id;
  statement->forms = (PostgresForm *)(statement + 1);
  postgres_forms_read(shape->sql, statement->forms, shape->param_count);
  PostgresStatement **bucket = &statements->buckets[shape->id % BUCKETS];
  statement->next = *bucket;
  *bucket = statement;
  statements->count++;
  postgres_statement_rename(statements, statement);
  return statement;
}

PostgresStatement *postgres_statement_get(PostgresStatements *statements, const StoreStatement *shape) {
  PostgresStatement *statement = statements->buckets[shape->id % BUCKETS];
  while (statement != NULL && statement->id != shape->id) statement = statement->next;
  if (statement != NULL) {
    if (statements->newest == statement) return statement;
    unlink_use(statements, statement);
  } else {
    statement = statement_make(statements, shape);
  }
  if (statement != NULL) link_newest(statements, statement);
  return statement;
}

void postgres_statement_rename(PostgresStatements *statements, PostgresStatement *statement) {
  snprintf(statement->name, sizeof statement->name, "c%llu", (unsigned long long)++statements->last_name);
}

bool postgres_statements_evict(PostgresStatements *statements, char ret_name[POSTGRES_NAME_MAX]) {
  PostgresStatement *statement = statements->oldest;
  if (statements->count <= statements->max || statement == NULL) return false;
  memcpy(ret_name, statement->name, POSTGRES_NAME_MAX);
  if (statement->state == POSTGRES_UNPREPARED) ret_name[0] = '\0';
  PostgresStatement **link = &statements->buckets[statement->id % BUCKETS];
  while (*link != statement) link = &(*link)->next;
  *link = statement->next;
  unlink_use(statements, statement);
  statements->count--;
  memory_free(statement);
  return true;
}
