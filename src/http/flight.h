/* flight.h - requests in flight, and the line of connections that wait for their turn to begin one. A server (a loop) begins no more than
 * its share at a time; whoever comes then stands in line, a connection once, so that each has its turn whatever the others ask for. Who
 * would stand there too long is refused at once, who has stood there too long as well.
 *
 * A refusal costs a good part of what an answer costs. Who was refused and asks again at once is therefore kept waiting, for as long as
 * others stand in line, before he may stand there or is refused again: the more come back, the less it costs to say no to them.
 *
 * A request whose body is on its way is not in flight: nobody works for it, and whoever sends slowly would hold his place for nothing. It
 * costs memory alone: so many bytes may be on their way as if everything in flight had a whole body, and so many requests as there may be
 * connections; beyond that the oldest make room. Only for the files of http/. */
#pragma once
#include "http/connection.h"

/* False: too many are under way already, and the request is to be refused. Entered in any case, until it leaves. `beside`: how many of its
 * connection are under way; one that has many leaves room for the others. */
bool http_flight_enter(HttpExchange *exchange, size_t beside) MUST_USE;
void http_flight_leave(HttpExchange *exchange); /* nothing where it is neither in flight nor arriving */
/* The same question for one whose body is still to come, which enters when it is there. Arriving where it is true. */
bool http_flight_arrive(HttpExchange *exchange, size_t beside) MUST_USE;
#define HTTP_TOO_MANY_REQUESTS STR("The server has too many requests to answer")
#define HTTP_TOO_MANY_BODIES STR("The server has too many requests whose bodies are on their way")
void http_flight_note_arrived(HttpExchange *exchange, size_t bytes); /* nothing where it is not arriving */
/* Nothing may begin now: too much is in flight, or has begun in this turn. What is worked on together stays within the processor's cache:
 * of a thousand that begin at once each costs half as much again as of a hundred. */
bool http_flight_is_full(const HttpServer *server);
/* A request of the connection that comes now should stand in line: it is full, and the wait will be short, or it comes too early. */
bool http_flight_has_line(const Connection *connection);
/* There was no room for a request of the connection. */
void http_flight_note_refused(Connection *connection);

/* The connection stands in line from now on (if it doesn't yet), until http_connection_take_turn is called. */
void http_flight_wait(Connection *connection);
void http_flight_forget(Connection *connection); /* it is gone */
/* At the end of a turn: the oldest bodies make room where too much is on its way, and those in front take their turns while there is room.
 */
void http_flight_run(HttpServer *server);
/* Who has stood there too long takes his turn too, and is refused. */
void http_flight_expire(HttpServer *server);
