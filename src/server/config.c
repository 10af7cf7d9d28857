/* config.c - the table of `caisson serve`. A new option is a line here and a member in config.h. */
#include "server/config.h"

#include "base/utf8.h"
#include "contract/versions.h"
#include "server/cors.h"

#define AT(member) offsetof(ServeConfig, member)
#define COUNT_MAX 1000000000ull
#define TIME_MAX_MS (24ull * 60 * 60 * 1000)
#define SIZE_MAX_BYTES (1ull << 40)

static const OptionSpec options[] = {
    {"listen", OPTION_LIST, AT(listen), "127.0.0.1:8080", "ADDRESS", "host:port or unix:/path; port 0 picks one; repeatable"},
    {"store", OPTION_TEXT, AT(store), NULL, "URL", "sqlite:PATH, sqlite::memory: or postgresql://… [sqlite:./NAME.db]"},
    {"migrate", OPTION_SWITCH, AT(migrate), NULL, NULL, "apply what is safe at start; --no-migrate only looks [on for SQLite]"},
    {"store-replica", OPTION_LIST, AT(store_replica), NULL, "URL", "a copy that follows the database and answers reads; repeatable [none]"},
    {"replica-lag-max", OPTION_DURATION, AT(replica_lag_max_ms), "5s", "TIME", "further behind, a copy gets no reads", .min = 1,
     .max = TIME_MAX_MS, .is_limit = true},
    {"store-connections", OPTION_COUNT, AT(store_connections_max), NULL, "N", "connections to PostgreSQL at once, in all [20]", .min = 3,
     .max = 10000, .is_limit = true},
    {"store-prepared", OPTION_CHOICE, AT(store_prepared), "auto", NULL, "keep statements prepared; off for poolers that can't",
     "auto|on|off", .is_limit = true},
    {"threads", OPTION_COUNT, AT(threads), NULL, "N", "event loops, a thread each [one for each core]", .min = 1, .max = 1024},
    {"jwt-secret", OPTION_TEXT, AT(jwt_secret), NULL, "TEXT", "the key of HS256 tokens; better given by the environment or a file"},
    {"jwt-secret-file", OPTION_TEXT, AT(jwt_secret_file), NULL, "FILE",
     "a file with the key [made beside an SQLite database: FILE.jwt-secret]"},
    {"jwt-issuer", OPTION_TEXT, AT(jwt_issuer), NULL, "TEXT", "refuse tokens whose iss is another"},
    {"jwt-audience", OPTION_TEXT, AT(jwt_audience), NULL, "TEXT", "refuse tokens whose aud does not name it"},
    {"cors-origin", OPTION_LIST, AT(cors_origin), NULL, "ORIGIN", "let pages of https://example.org (or *) call; repeatable [none]"},
    {"tls-cert", OPTION_LIST, AT(tls_cert), NULL, "FILE", "speak TLS: certificate and chain (PEM); repeatable, chosen by name"},
    {"tls-key", OPTION_LIST, AT(tls_key), NULL, "FILE", "the key of each --tls-cert, in the same order (PEM)"},
    {"tls-ocsp", OPTION_LIST, AT(tls_ocsp), NULL, "FILE",
     "staple this OCSP response (DER) to each --tls-cert, in the same order; SIGHUP reads it again", .is_limit = true},
    {"tls-redirect", OPTION_TEXT, AT(tls_redirect), NULL, "ADDR", "a listener without TLS that sends everybody to https (308)",
     .is_limit = true},
    {"tls-client-ca", OPTION_TEXT, AT(tls_client_ca), NULL, "FILE", "only let in clients with a certificate of one of these issuers (PEM)",
     .is_limit = true},
    {"hsts", OPTION_DURATION, AT(hsts_ms), "0s", "TIME", "tell browsers to use nothing but TLS for so long; 0s: not said",
     .max = 730 * TIME_MAX_MS, .is_limit = true},
    {"log", OPTION_CHOICE, AT(log), "auto", NULL, "the access log, on stderr; auto: text on a terminal, else json", "json|text|off|auto"},
    {"require-if-match", OPTION_FLAG, AT(is_match_required), NULL, NULL, "refuse updates and deletes without If-Match (428)"},
    {"server-timing", OPTION_FLAG, AT(has_server_timing), NULL, NULL, "tell each step's time in a Server-Timing header"},
    {"compress-min", OPTION_SIZE, AT(compress_bytes_min), "1KiB", "SIZE", "answers from this size on leave as zstd, br, gzip; 0: none",
     .max = SIZE_MAX_BYTES},
    {"explain", OPTION_FLAG, AT(can_explain), NULL, NULL, "answer Prefer: explain to whom --explain-rule lets"},
    {"explain-rule", OPTION_TEXT, AT(explain_rule), "'staff' in auth.roles", "RULE", "who may ask for explanations", .is_limit = true},

    {"body-max", OPTION_SIZE, AT(body_bytes_max), "1MiB", "SIZE", "a request's body (413)", .min = 1, .max = SIZE_MAX_BYTES,
     .is_limit = true},
    {"header-max", OPTION_SIZE, AT(header_bytes_max), "16KiB", "SIZE", "a request's head (431)", .min = 256, .max = 1ull << 24,
     .is_limit = true},
    {"uri-max", OPTION_SIZE, AT(uri_bytes_max), "8KiB", "SIZE", "a request's target (414)", .min = 16, .max = 1ull << 24, .is_limit = true},
    {"connections-max", OPTION_COUNT, AT(connections_max), "10000", "N", "open connections", .min = 1, .max = COUNT_MAX, .is_limit = true},
    {"streams-max", OPTION_COUNT, AT(streams_max), "1024", "N", "HTTP/2 streams of one connection", .min = 1, .max = COUNT_MAX,
     .is_limit = true},
    {"control-frames-max", OPTION_COUNT, AT(control_frames_max), "1000", "N",
     "HTTP/2 resets, pings, settings and the like at once, a tenth of it a second for long", .min = 20, .max = COUNT_MAX, .is_limit = true},
    {"ping-interval-min", OPTION_DURATION, AT(ping_interval_min_ms), "10s", "TIME",
     "an HTTP/2 client that pings more often while nothing is sent to it is sent away; 0s: none is", .max = TIME_MAX_MS, .is_limit = true},
    {"ping-interval", OPTION_DURATION, AT(ping_interval_ms), "60s", "TIME",
     "an HTTP/2 client with open streams that sends nothing for so long is pinged; 0s: none is", .max = TIME_MAX_MS, .is_limit = true},
    {"ping-timeout", OPTION_DURATION, AT(ping_timeout_ms), "20s", "TIME",
     "… and its connection closed where nothing comes for so long then", .min = 1, .max = TIME_MAX_MS, .is_limit = true},
    {"connection-age-max", OPTION_DURATION, AT(connection_age_max_ms), "0s", "TIME",
     "a connection takes no more requests then (a tenth more or less); 0s: it always does", .max = 30 * TIME_MAX_MS, .is_limit = true},
    {"requests-in-flight-max", OPTION_COUNT, AT(requests_in_flight_max), "1024", "N", "requests at once; more wait for their turn",
     .min = 1, .max = COUNT_MAX, .is_limit = true},
    {"queue-wait-max", OPTION_DURATION, AT(queue_wait_ms), "400ms", "TIME",
     "a request that would wait longer for its turn, or for the store, is refused (503)", .max = TIME_MAX_MS, .is_limit = true},
    {"request-timeout", OPTION_DURATION, AT(request_timeout_ms), "30s", "TIME", "from a request's head to its answer (503)", .min = 1,
     .max = TIME_MAX_MS, .is_limit = true},
    {"header-timeout", OPTION_DURATION, AT(header_timeout_ms), "10s", "TIME", "for a request's head, and between a body's pieces (408)",
     .min = 1, .max = TIME_MAX_MS, .is_limit = true},
    {"idle-timeout", OPTION_DURATION, AT(idle_timeout_ms), "60s", "TIME", "of a connection between requests", .min = 1, .max = TIME_MAX_MS,
     .is_limit = true},
    {"drain-timeout", OPTION_DURATION, AT(drain_timeout_ms), "30s", "TIME", "for requests under way when the server is stopped",
     .max = TIME_MAX_MS, .is_limit = true},
    {"statement-timeout", OPTION_DURATION, AT(statement_timeout_ms), "5s", "TIME", "of one statement in the store (503)", .min = 1,
     .max = TIME_MAX_MS, .is_limit = true},
    {"store-acquire-timeout", OPTION_DURATION, AT(store_acquire_timeout_ms), "1500ms", "TIME", "wait for a connection to PostgreSQL (503)",
     .min = 1, .max = TIME_MAX_MS, .is_limit = true},
    {"page-size", OPTION_COUNT, AT(page_size), "20", "N", "items of a list, unless limit= says otherwise", .min = 1, .max = COUNT_MAX,
     .is_limit = true},
    {"page-size-max", OPTION_COUNT, AT(page_size_max), "100", "N", "what limit= may ask for (400)", .min = 1, .max = COUNT_MAX,
     .is_limit = true},
    {"groups-max", OPTION_COUNT, AT(groups_max), "1000", "N", "groups of an aggregate, at once (413)", .min = 1, .max = COUNT_MAX,
     .is_limit = true},
    {"nesting-max", OPTION_COUNT, AT(nesting_max), "5", "N", "depth of fields= and of nested writes", .min = 1, .max = 32,
     .is_limit = true},
    {"batch-max", OPTION_COUNT, AT(batch_max), "100", "N", "operations in one request", .min = 1, .max = 100000, .is_limit = true},
    {"filter-max", OPTION_SIZE, AT(filter_bytes_max), "4KiB", "SIZE", "a filter's text (400)", .min = 1, .max = 1ull << 20,
     .is_limit = true},
    {"result-max", OPTION_SIZE, AT(result_bytes_max), "8MiB", "SIZE", "an answer's body", .min = 1024, .max = SIZE_MAX_BYTES,
     .is_limit = true},
    {"export-max", OPTION_COUNT, AT(export_rows_max), "1000000", "N", "rows of a list as NDJSON or CSV", .min = 1, .max = COUNT_MAX,
     .is_limit = true},
    {"import-max", OPTION_SIZE, AT(import_bytes_max), "1GiB", "SIZE", "a body of NDJSON or CSV (413)", .min = 1, .max = SIZE_MAX_BYTES,
     .is_limit = true},
    {"graphql-introspection", OPTION_CHOICE, AT(graphql_introspection), "on", NULL, "GraphQL tells its schema, and hints at names",
     "on|off", .is_limit = true},
    {"graphiql", OPTION_CHOICE, AT(graphiql), "on", NULL, "GraphiQL for browsers at /graphql", "on|off", .is_limit = true},
    {"graphql-depth-max", OPTION_COUNT, AT(graphql_depth_max), "15", "N", "nesting of a GraphQL operation's fields (400)", .min = 1,
     .max = 100, .is_limit = true},
    {"graphql-cost-max", OPTION_COUNT, AT(graphql_cost_max), "10000", "N", "rows that a GraphQL operation could return (400)", .min = 1,
     .max = COUNT_MAX, .is_limit = true},
    {"graphql-aliases-max", OPTION_COUNT, AT(graphql_aliases_max), "50", "N", "aliases in a GraphQL document (400)", .max = COUNT_MAX,
     .is_limit = true},
    {"graphql-document-max", OPTION_SIZE, AT(graphql_document_bytes_max), "64KiB", "SIZE", "a GraphQL document (400)", .min = 1,
     .max = 1ull << 24, .is_limit = true},
    {"graphql-tokens-max", OPTION_COUNT, AT(graphql_tokens_max), "10000", "N", "tokens in a GraphQL document (400)", .min = 1,
     .max = 10000000, .is_limit = true},
    {"graphql-batch-max", OPTION_COUNT, AT(graphql_batch_max), "0", "N", "requests in an array to /graphql (0: no arrays; 400)",
     .max = 1000, .is_limit = true},
    {"graphql-documents", OPTION_TEXT, AT(graphql_documents), NULL, "DIR", "execute the GraphQL documents in this folder only"},
    {"graphql-persisted-max", OPTION_COUNT, AT(graphql_persisted_max), "1000", "N", "documents kept by their SHA-256 (0: none)",
     .max = COUNT_MAX, .is_limit = true},
    {"changes", OPTION_CHOICE, AT(changes), "on", NULL, "keep a record of changes, for those who watch", "on|off", .is_limit = true},
    {"changes-ttl", OPTION_DURATION, AT(changes_ttl_ms), "24h", "TIME", "how long a change is kept for those who come back", .min = 1000,
     .max = 365 * TIME_MAX_MS, .is_limit = true},
    {"changes-max", OPTION_COUNT, AT(changes_max), "1000000", "N", "changes that are kept", .min = 1, .max = COUNT_MAX, .is_limit = true},
    {"watches-max", OPTION_COUNT, AT(watches_max), "10000", "N", "open watches, which are no requests in flight (503)", .min = 1,
     .max = COUNT_MAX, .is_limit = true},
    {"watch-heartbeat", OPTION_DURATION, AT(watch_heartbeat_ms), "15s", "TIME", "a sign of life where a watch has nothing to tell",
     .min = 500, .max = TIME_MAX_MS, .is_limit = true},
    {"watch-lag", OPTION_DURATION, AT(watch_lag_ms), "10s", "TIME", "a watch that takes nothing for so long is ended", .min = 1,
     .max = TIME_MAX_MS, .is_limit = true},
    {"graphql-ws-operations-max", OPTION_COUNT, AT(graphql_ws_operations_max), "100", "N", "GraphQL operations of one WebSocket under way",
     .min = 1, .max = COUNT_MAX, .is_limit = true},
    {"graphql-ws-init-timeout", OPTION_DURATION, AT(graphql_ws_init_timeout_ms), "10s", "TIME",
     "for a GraphQL WebSocket's connection_init (4408)", .min = 1, .max = TIME_MAX_MS, .is_limit = true},
    {"graphql-sse-streams-max", OPTION_COUNT, AT(graphql_sse_streams_max), "1000", "N",
     "event streams for many GraphQL operations each, half of them one caller's at most (0: none are served)", .max = COUNT_MAX,
     .is_limit = true},
    {"graphql-sse-operations-max", OPTION_COUNT, AT(graphql_sse_operations_max), "100", "N",
     "GraphQL operations of one event stream under way (429)", .min = 1, .max = COUNT_MAX, .is_limit = true},
    {"graphql-sse-buffer-max", OPTION_SIZE, AT(graphql_sse_queued_bytes_max), "4MiB", "SIZE",
     "results of an event stream that wait or probably will (429 for more operations)", .min = 1024, .max = SIZE_MAX_BYTES,
     .is_limit = true},
    {"graphql-sse-memory-max", OPTION_SIZE, AT(graphql_sse_waiting_bytes_max), "64MiB", "SIZE",
     "results of all event streams that wait for readers (who holds most is cut)", .min = 1024, .max = SIZE_MAX_BYTES, .is_limit = true},
    {"graphql-sse-reservation", OPTION_DURATION, AT(graphql_sse_reservation_ms), "10s", "TIME",
     "for the reader of a reserved event stream to come", .min = 1, .max = TIME_MAX_MS, .is_limit = true},
    {"grpc-message-max", OPTION_SIZE, AT(grpc_message_bytes_max), "4MiB", "SIZE", "a message of a gRPC or Connect request, packed or not",
     .min = 1, .max = SIZE_MAX_BYTES, .is_limit = true},
    {"websocket-message-max", OPTION_SIZE, AT(websocket_message_bytes_max), "1MiB", "SIZE", "a message that comes by WebSocket (1009)",
     .min = 1, .max = SIZE_MAX_BYTES, .is_limit = true},
    {"websocket-buffer-max", OPTION_SIZE, AT(websocket_queued_bytes_max), "16MiB", "SIZE",
     "what waits for a WebSocket's client to read it (1008)", .min = 1024, .max = SIZE_MAX_BYTES, .is_limit = true},
    {"websocket-ping", OPTION_DURATION, AT(websocket_ping_ms), "30s", "TIME",
     "between a WebSocket's pings; who is silent in between is gone", .min = 1, .max = TIME_MAX_MS, .is_limit = true},
    {"writes-queued-max", OPTION_COUNT, AT(writes_queued_max), "10000", "N", "writes that wait for the store (503)", .min = 1,
     .max = COUNT_MAX, .is_limit = true},
    {"idempotency-keys-max", OPTION_COUNT, AT(idempotency_keys_max), "100000", "N", "answers kept for an Idempotency-Key (503)", .min = 1,
     .max = COUNT_MAX, .is_limit = true},
    {"idempotency-ttl", OPTION_DURATION, AT(idempotency_ttl_ms), "24h", "TIME", "how long such an answer is kept", .min = 1,
     .max = 30 * TIME_MAX_MS, .is_limit = true},
    {"plans-max", OPTION_COUNT, AT(plans_max), "1000", "N", "compiled plans that a loop keeps", .min = 16, .max = 1000000,
     .is_limit = true},
    {"tokens-max", OPTION_COUNT, AT(tokens_cached_max), "1024", "N", "verified tokens that a loop keeps", .min = 4, .max = 1000000,
     .is_limit = true},
    {"jwt-leeway", OPTION_DURATION, AT(jwt_leeway_ms), "0s", "TIME", "how far clocks may differ at a token's exp and nbf", .max = 600000,
     .is_limit = true},
};

const OptionTable SERVE_OPTIONS = {
    .command = "serve",
    .arguments = "CONTRACT... [options]",
    .summary = "Serves a contract: a file, or a folder of .graphql files. Several are versions of one\n"
               "service, over one store.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_min = 1,
    .positional_max = CONTRACT_VERSIONS_MAX,
};

Code serve_config_check(const ServeConfig *config, Error *err) {
  if (config->page_size > config->page_size_max)
    return error_set(err, CODE_BAD_REQUEST, "--page-size must not be larger than --page-size-max");
  if (config->jwt_secret.len != 0 && config->jwt_secret_file.len != 0)
    return error_set(err, CODE_BAD_REQUEST, "--jwt-secret and --jwt-secret-file are both given: one is enough");
  if (config->listen.count == 0) return error_set(err, CODE_BAD_REQUEST, "--listen is empty");
  for (size_t i = 0; i < config->cors_origin.count; i++) {
    Str origin = config->cors_origin.items[i];
    if (!cors_origin_is_sound(origin))
      return error_set(err, CODE_BAD_REQUEST,
                       "--cors-origin wants an origin as browsers send it, such as https://example.org (lower case, no path, no default "
                       "port), or *; not \"%.*s\"",
                       STR_ARGS(utf8_cut(origin, 80)));
  }
  if (config->tls_cert.count != config->tls_key.count)
    return error_set(err, CODE_BAD_REQUEST, "each --tls-cert needs its --tls-key, and each --tls-key its --tls-cert");
  if (config->tls_ocsp.count > config->tls_cert.count)
    return error_set(err, CODE_BAD_REQUEST, "each --tls-ocsp belongs to a --tls-cert, in the same order");
  if (config->tls_cert.count == 0 && (config->tls_client_ca.len != 0 || config->tls_redirect.len != 0 || config->hsts_ms != 0))
    return error_set(err, CODE_BAD_REQUEST, "--tls-client-ca, --tls-redirect and --hsts need --tls-cert and --tls-key");
  return CODE_OK;
}
