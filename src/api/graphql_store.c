/* graphql_store.c - what is bounded here by number is bounded by bytes too, as a stranger chooses the documents. */
#include "api/graphql_store.h"

#include "auth/sha256.h"
#include "base/utf8.h"
#include "query/plan_cache.h"

enum { KEPT_MAX = 2000, KEPT_BYTES_MAX = 32 * 1024 * 1024, PERSISTED_BYTES_MAX = 32 * 1024 * 1024 };

struct GraphqlStore {
  const GraphqlSchema *schema;
  const GraphqlLimits *limits;
  Arena *arena;
  bool has_trusted; /* then only these: */
  Map by_name, by_hash, by_text;
  PlanCache *kept;      /* valid documents by their text */
  PlanCache *persisted; /* texts by their SHA-256; NULL: off */
};

static PlanCache *cache_create(size_t count, size_t bytes, Arena *arena) {
  PlanCache *cache = plan_cache_create(count);
  if (cache == NULL) return NULL;
  plan_cache_bound(cache, bytes);
  if (arena_defer(arena, (ArenaDeferFn *)plan_cache_destroy, cache)) return cache;
  plan_cache_destroy(cache);
  return NULL;
}

Code graphql_store_create(const GraphqlSchema *schema, const GraphqlLimits *limits, Arena *arena, GraphqlStore **ret, Error *err) {
  GraphqlStore *store = ARENA_NEW(arena, GraphqlStore);
  TRY_ALLOC(store);
  *store = (GraphqlStore){
      .schema = schema, .limits = limits, .arena = arena, .by_name = map_on(arena), .by_hash = map_on(arena), .by_text = map_on(arena)};
  store->kept = cache_create(KEPT_MAX, KEPT_BYTES_MAX, arena);
  TRY_ALLOC(store->kept);
  if (limits->persisted_max > 0) {
    store->persisted = cache_create(limits->persisted_max, PERSISTED_BYTES_MAX, arena);
    TRY_ALLOC(store->persisted);
  }
  *ret = store;
  return CODE_OK;
}

/* ---- reading ---- */

static bool is_without_memory(GraphqlMistakes *mistakes) {
  mistakes->has_no_memory = true;
  return false;
}

/* The document lives in `arena`; what is noted, and what validation takes, in the mistakes'. */
static const GraphqlDocument *read_text(const GraphqlStore *store, Str text, Arena *arena, GraphqlMistakes *mistakes) {
  GraphqlParseLimits limits = {store->limits->document_bytes_max, store->limits->tokens_max};
  GraphqlDocument *document = ARENA_NEW(arena, GraphqlDocument);
  if (document == NULL) return is_without_memory(mistakes), NULL;
  if (!graphql_parse(text, &limits, arena, document, mistakes)) return NULL;
  size_t aliases_max = store->limits->aliases_max;
  if (document->alias_count > aliases_max) {
    graphql_mistake(mistakes, CODE_TOO_LARGE, NULL, 0, "The document has more than %zu aliases (--graphql-aliases-max)", aliases_max);
    return NULL;
  }
  graphql_validate(store->schema, document, store->limits->has_introspection, mistakes);
  return graphql_is_refused(mistakes) ? NULL : document;
}

static const GraphqlDocument *read_and_keep(GraphqlStore *store, Str text, Arena *user, GraphqlMistakes *mistakes) {
  Arena *arena = arena_create(0);
  if (arena == NULL) return is_without_memory(mistakes), NULL;
  const GraphqlDocument *document = read_text(store, text, arena, mistakes);
  if (document == NULL) {
    arena_destroy(arena);
    return NULL;
  }
  document = plan_cache_put(store->kept, text, arena, (void *)document, user);
  if (document == NULL) (void)is_without_memory(mistakes);
  return document;
}

/* ---- trusted documents ---- */

static Code refuse_trusted(const GraphqlTrusted *trusted, const GraphqlMistakes *mistakes, Error *err) {
  if (mistakes->has_no_memory || mistakes->list.count == 0) return error_no_memory(err);
  const GraphqlMistake *mistake = &mistakes->list.items[0];
  GraphqlPlace place = mistake->place_count > 0 ? mistake->places[0] : (GraphqlPlace){1, 1};
  return error_set(err, CODE_VALIDATION_FAILED, "%.*s:%u:%u: %.*s", STR_ARGS(utf8_cut(trusted->file, 100)), place.line, place.column,
                   STR_ARGS(utf8_cut(mistake->message, 110)));
}

static Code trust(GraphqlStore *store, const GraphqlTrusted *trusted, Arena *scratch, Error *err) {
  GraphqlMistakes mistakes = graphql_mistakes_on(scratch);
  const GraphqlDocument *document = read_text(store, trusted->text, store->arena, &mistakes);
  if (document == NULL) return refuse_trusted(trusted, &mistakes, err);
  char hex[SHA256_HEX_BYTES];
  Str name = arena_str(store->arena, trusted->name), text = arena_str(store->arena, str_trim(trusted->text)), hash = {NULL, 0};
  if (sha256_hex(trusted->text, hex)) hash = arena_str(store->arena, (Str){hex, sizeof hex});
  bool has_memory = name.ptr != NULL && text.ptr != NULL && hash.ptr != NULL && map_put(&store->by_name, name, (void *)document) &&
                    map_put(&store->by_hash, hash, (void *)document) && map_put(&store->by_text, text, (void *)document);
  /* An editor's line end behind the last brace is no part of what a client hashes. */
  if (has_memory && sha256_hex(text, hex)) hash = arena_str(store->arena, (Str){hex, sizeof hex});
  has_memory = has_memory && hash.ptr != NULL && map_put(&store->by_hash, hash, (void *)document);
  return has_memory ? CODE_OK : error_no_memory(err);
}

Code graphql_store_trust(GraphqlStore *store, const GraphqlTrusted *documents, size_t count, Error *err) {
  Arena *scratch = arena_create(0);
  TRY_ALLOC(scratch);
  Code code = CODE_OK;
  store->has_trusted = true;
  for (size_t i = 0; i < count && code == CODE_OK; i++) code = trust(store, &documents[i], scratch, err);
  arena_destroy(scratch);
  return code;
}

static void refuse_persisted(GraphqlMistakes *mistakes, const char *message, Str name) {
  graphql_mistake(mistakes, CODE_BAD_REQUEST, NULL, 0, "%s", message);
  if (mistakes->list.count > 0) mistakes->list.items[mistakes->list.count - 1].name = name;
}

static bool find_trusted(const GraphqlStore *store, const GraphqlRequest *request, GraphqlMistakes *mistakes, const GraphqlDocument **ret) {
  const GraphqlDocument *document = NULL;
  if (request->document_id.ptr != NULL) document = map_get(&store->by_name, request->document_id);
  if (document == NULL && request->sha256.ptr != NULL) document = map_get(&store->by_hash, request->sha256);
  if (document == NULL && request->query.ptr != NULL) document = map_get(&store->by_text, str_trim(request->query));
  *ret = document;
  if (document != NULL) return true;
  if (request->query.ptr != NULL)
    graphql_mistake(mistakes, CODE_FORBIDDEN, NULL, 0, "This server executes the documents that it knows only, and this is none of them");
  else if (request->document_id.ptr != NULL)
    graphql_mistake(mistakes, CODE_NOT_FOUND, NULL, 0, "There is no document \"%.*s\"", STR_ARGS(utf8_cut(request->document_id, 80)));
  else
    refuse_persisted(mistakes, "PersistedQueryNotFound", STR("PERSISTED_QUERY_NOT_FOUND"));
  return false;
}

/* ---- persisted documents ---- */

static bool is_hash_of(Str hash, Str text, GraphqlMistakes *mistakes) {
  char hex[SHA256_HEX_BYTES];
  if (!sha256_hex(text, hex)) return is_without_memory(mistakes);
  if (str_equal_ignore_case(hash, (Str){hex, sizeof hex})) return true;
  graphql_mistake(mistakes, CODE_BAD_REQUEST, NULL, 0, "extensions.persistedQuery.sha256Hash is not the query's SHA-256");
  return false;
}

/* Only what is valid, so that nobody fills the store with what will never run. */
static void persist(GraphqlStore *store, Str hash, Str text, Arena *user) {
  if (plan_cache_get(store->persisted, hash, user) != NULL) return;
  Arena *arena = arena_create(0);
  Str *kept = arena == NULL ? NULL : ARENA_NEW(arena, Str);
  if (kept != NULL) *kept = arena_str(arena, text);
  if (kept == NULL || kept->ptr == NULL)
    arena_destroy(arena);
  else
    (void)plan_cache_put(store->persisted, hash, arena, kept, user);
}

/* The text that the request names or holds. */
static bool text_of(GraphqlStore *store, const GraphqlRequest *request, Arena *arena, GraphqlMistakes *mistakes, Str *ret) {
  *ret = request->query;
  if (request->sha256.ptr == NULL) return true;
  if (store->persisted == NULL) {
    refuse_persisted(mistakes, "PersistedQueryNotSupported", STR("PERSISTED_QUERY_NOT_SUPPORTED"));
    return false;
  }
  if (request->query.ptr != NULL) return is_hash_of(request->sha256, request->query, mistakes);
  const Str *kept = plan_cache_get(store->persisted, request->sha256, arena);
  if (kept == NULL) {
    refuse_persisted(mistakes, "PersistedQueryNotFound", STR("PERSISTED_QUERY_NOT_FOUND"));
    return false;
  }
  *ret = *kept;
  return true;
}

bool graphql_store_find(GraphqlStore *store, const GraphqlRequest *request, Arena *arena, GraphqlMistakes *mistakes,
                        const GraphqlDocument **ret) {
  if (store->has_trusted) return find_trusted(store, request, mistakes, ret);
  if (request->query.ptr == NULL && request->sha256.ptr == NULL) {
    graphql_mistake(mistakes, CODE_NOT_FOUND, NULL, 0, "This server has no documents of its own: the request must hold its \"query\"");
    return false;
  }
  Str text;
  if (!text_of(store, request, arena, mistakes, &text)) return false;
  *ret = plan_cache_get(store->kept, text, arena);
  if (*ret == NULL) *ret = read_and_keep(store, text, arena, mistakes);
  if (*ret != NULL && request->sha256.ptr != NULL && request->query.ptr != NULL) persist(store, request->sha256, text, arena);
  return *ret != NULL;
}
