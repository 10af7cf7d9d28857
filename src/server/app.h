/* app.h - `caisson serve`: contract, store and workers put together, run until a signal, and taken apart again. */
#pragma once
#include "server/config.h"
#include "server/contract_source.h"

typedef struct App App;

/* What an operator must be told; text for stderr, perhaps of several lines. Any thread. */
typedef void AppWarnFn(void *context, Str text);

/* The versions of one service: each contract, and where it was read from. */
typedef struct AppContracts {
  const Str *paths; /* read again on SIGHUP */
  Contract **items;
  size_t count;
} AppContracts;

/* Takes the contracts over, on failure too. *config and contracts->paths are borrowed and must outlive the App.
 * CODE_BAD_REQUEST: an option's value is wrong; CODE_CONFLICT: the contracts contradict each other, or the store differs from them,
 * *ret_details (on `arena`) says how; CODE_UNAVAILABLE: something outside failed. */
Code app_create(const ServeConfig *config, const AppContracts *contracts, AppWarnFn *warn, void *warn_context, Arena *arena, App **ret,
                Str *ret_details, Error *err);
/* The listeners' addresses, as URLs; they are open. */
OptionList app_addresses(const App *app);
/* Serves until SIGTERM or SIGINT, then drains; at a second one the process ends at once. SIGHUP reads certificates and contracts again, the
 * contracts all or none: mistakes, or that the store can't be brought to them, are told to `warn` and change nothing. *ret_is_idle: every
 * request was answered; else the drain's time was over, and the process must end without app_destroy, because the store still works for
 * some. */
Code app_run(App *app, bool *ret_is_idle, Error *err);
void app_destroy(App *app); /* NULL is fine */

/* The store's URL: the option's, or sqlite:./NAME.db. ptr NULL when memory is out. */
