/* coded_stream.h - an answer that is written piece by piece, in a content coding: laid over its exchange, so that whoever writes it need
 * not know. Each piece is coded and sent on at once, whole, and none is kept: memory stays bounded, a trickle arrives as it comes, and a
 * reader that is full is told of as before. */
#pragma once
#include "codec/compressor.h"
#include "http/exchange.h"

/* Before http_begin. The compressor is the exchange's from now on. False, and the compressor is destroyed, when memory is out. */
bool coded_stream_open(HttpExchange *exchange, Compressor *compressor);
