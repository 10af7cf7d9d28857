/* queue.h - reads and writes that wait, in the order of arrival: lists through their own `next`, so that nothing is allocated. Not for
 * several threads: whoever shares one has a lock around it. */
#pragma once
#include "store/store.h"

typedef struct StoreReadQueue {
  StoreRead *first, *last;
  size_t count;
} StoreReadQueue;

typedef struct StoreWriteQueue {
  StoreWrite *first, *last;
  size_t count;
} StoreWriteQueue;

void store_read_push(StoreReadQueue *queue, StoreRead *read);
void store_read_push_first(StoreReadQueue *queue, StoreRead *read);
StoreRead *store_read_pop(StoreReadQueue *queue); /* NULL: it is empty */
void store_write_push(StoreWriteQueue *queue, StoreWrite *write);
StoreWrite *store_write_pop(StoreWriteQueue *queue); /* NULL: it is empty */
/* Everything that `from` holds is put behind what `to` holds. */
void store_write_append(StoreWriteQueue *to, StoreWriteQueue *from);
