/* difference.h - how a database is not as a contract says, for people: a line each. */
#pragma once
#include "migrate/plan.h"

/* The steps that would set it right, told as what is the matter; nothing where none has to be told of. */
Code layout_differences(const StoreMigrator *calls, const Layout *is, const Layout *should, Arena *arena, Buf *out, Error *err);
void difference_write(Buf *out, const Step *step);
/* A step of which nothing shows: it changes no table. */
bool difference_is_none(const Step *step);
