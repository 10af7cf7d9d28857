/* config.h - what `caisson serve` can be told: one table, from which parsing, the environment, --help and the documentation come. */
#pragma once
#include "server/options.h"

typedef enum LogFormat { LOG_JSON = 0, LOG_TEXT, LOG_OFF, LOG_AUTO } LogFormat;

typedef struct ServeConfig {
  OptionList listen;
  Str store;        /* len 0: sqlite:./NAME.db */
  uint64_t threads; /* 0: one for each core */
  Str jwt_secret, jwt_secret_file, jwt_issuer, jwt_audience;
  uint64_t jwt_leeway_ms;
  OptionList cors_origin;
  OptionList tls_cert, tls_key; /* as many of one as of the other; none: cleartext */
  OptionList tls_ocsp;          /* of the first tls_cert, in their order */
  Str tls_redirect;             /* empty: no such listener */
  Str tls_client_ca;
  uint64_t hsts_ms; /* 0: not said */
  OptionList store_replica;
  uint64_t replica_lag_max_ms;
  OptionSwitch migrate;
  int store_prepared; /* StorePrepared */
  uint64_t store_connections_max, store_acquire_timeout_ms;
  int log; /* LogFormat */
  bool is_match_required;
  bool has_server_timing;
  uint64_t compress_bytes_min; /* 0: nothing is compressed */
  bool can_explain;            /* Prefer: explain, for whom explain_rule lets */
  Str explain_rule;
  /* INTERFACE §6 */
  uint64_t body_bytes_max, header_bytes_max, uri_bytes_max;
  uint64_t connections_max, streams_max, control_frames_max, requests_in_flight_max, queue_wait_ms;
  uint64_t ping_interval_min_ms, ping_interval_ms, ping_timeout_ms, connection_age_max_ms;
  uint64_t request_timeout_ms, header_timeout_ms, idle_timeout_ms, drain_timeout_ms, statement_timeout_ms;
  uint64_t page_size, page_size_max, groups_max, nesting_max, batch_max, filter_bytes_max, result_bytes_max, export_rows_max,
      import_bytes_max;
  uint64_t graphql_depth_max, graphql_cost_max, graphql_aliases_max, graphql_batch_max, graphql_document_bytes_max, graphql_tokens_max;
  uint64_t graphql_persisted_max;
  Str graphql_documents;               /* a folder; len 0: whatever is asked is executed */
  int graphql_introspection, graphiql; /* 0: on */
  uint64_t graphql_ws_operations_max, graphql_ws_init_timeout_ms;
  uint64_t graphql_sse_streams_max, graphql_sse_operations_max, graphql_sse_queued_bytes_max, graphql_sse_waiting_bytes_max,
      graphql_sse_reservation_ms;
  uint64_t grpc_message_bytes_max;
  uint64_t websocket_message_bytes_max, websocket_queued_bytes_max, websocket_ping_ms;
  uint64_t idempotency_keys_max, idempotency_ttl_ms;
  int changes; /* 0: on */
  uint64_t changes_ttl_ms, changes_max, watches_max, watch_heartbeat_ms, watch_lag_ms;
  uint64_t writes_queued_max, plans_max, tokens_cached_max;
} ServeConfig;

extern const OptionTable SERVE_OPTIONS;

/* What one option alone can't tell: combinations. CODE_BAD_REQUEST: wrong usage. */
Code serve_config_check(const ServeConfig *config, Error *err);
