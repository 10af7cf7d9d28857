/* app.h - `caisson serve`: contract, store and workers put together, run until a signal, and taken apart again. */
#pragma once
#include "server/config.h"
#include "server/contract_source.h"

typedef struct App App;

/* What an operator must be told; text for stderr, perhaps of several lines. Any thread. */
typedef void AppWarnFn(void *context, Str text);

/* Takes the contract over, on failure too. `contract_path` is read again on SIGHUP. *config is borrowed and must outlive the App.
 * CODE_BAD_REQUEST: an option's value is wrong; CODE_CONFLICT: the store differs from the contract, *ret_details (on `arena`) says how;
 * CODE_UNAVAILABLE: something outside failed. */
Code app_create(const ServeConfig *config, Str contract_path, Contract *contract, AppWarnFn *warn, void *warn_context, Arena *arena,
                App **ret, Str *ret_details, Error *err);
/* The listeners' addresses, as URLs; they are open. */
OptionList app_addresses(const App *app);
/* Serves until SIGTERM or SIGINT, then drains; at a second one the process ends at once. SIGHUP reads certificates and contract again: one
 * with mistakes, or one to which the store can't be brought, is told to `warn` and changes nothing. *ret_is_idle: every request was
 * answered; else the drain's time was over, and the process must end without app_destroy, because the store still works for some. */
Code app_run(App *app, bool *ret_is_idle, Error *err);
void app_destroy(App *app); /* NULL is fine */

/* The store's URL: the option's, or sqlite:./NAME.db. ptr NULL when memory is out. */
Str app_store_url(const ServeConfig *config, const Contract *contract, Arena *arena);
