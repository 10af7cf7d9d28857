/* app.h - `caisson serve`: contract, store and workers put together, run until a signal, and taken apart again. */
#pragma once
#include "server/config.h"
#include "server/contract_source.h"

typedef struct App App;

/* What an operator must be told while the server starts; text for stderr. May be NULL. */
typedef void AppWarnFn(void *context, Str text);

/* Takes the contract over, on failure too. `contract_path` is read again on SIGHUP. *config is borrowed and must outlive the App.
 * CODE_BAD_REQUEST: an option's value is wrong; CODE_CONFLICT: the store differs from the contract, *ret_details (on `arena`) says how; CODE_UNAVAILABLE: something outside failed. */
Code app_create(const ServeConfig *config, Str contract_path, Contract *contract, AppWarnFn *warn, void *warn_context, Arena *arena, App **ret,
                Str *ret_details, Error *err);
/* The listeners' addresses, as URLs; they are open. */
OptionList app_addresses(const App *app);
/* Serves until SIGTERM or SIGINT, then drains. Blocks those signals in all threads. */
Code app_run(App *app, Error *err);
void app_destroy(App *app); /* NULL is fine */

/* The store's URL: the option's, or sqlite:./NAME.db. ptr NULL when memory is out. */
Str app_store_url(const ServeConfig *config, const Contract *contract, Arena *arena);
