/* postgres_library.h - libpq, loaded when the first PostgreSQL store is opened: who stays with SQLite neither needs it nor pays for the
 * twenty libraries that it brings (LDAP, Kerberos, a second TLS). */
#pragma once

#include "base/error.h"

/* Before any other of libpq's functions is called. Loads it once for the process; it stays. Any thread. UNAVAILABLE: it isn't installed, or
 * too old. */
Code postgres_library_load(Error *err);
