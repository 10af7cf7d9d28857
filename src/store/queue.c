/* queue.c - see queue.h. */
#include "store/queue.h"

void store_read_push(StoreReadQueue *queue, StoreRead *read) {
  read->next = NULL;
  if (queue->last != NULL)
    queue->last->next = read;
  else
    queue->first = read;
  queue->last = read;
  queue->count++;
}

void store_read_push_first(StoreReadQueue *queue, StoreRead *read) {
  read->next = queue->first;
  queue->first = read;
  if (queue->last == NULL) queue->last = read;
  queue->count++;
}

StoreRead *store_read_pop(StoreReadQueue *queue) {
  StoreRead *read = queue->first;
  if (read == NULL) return NULL;
  queue->first = read->next;
  if (queue->first == NULL) queue->last = NULL;
  queue->count--;
  return read;
}

void store_write_push(StoreWriteQueue *queue, StoreWrite *write) {
  write->next = NULL;
  if (queue->last != NULL)
    queue->last->next = write;
  else
    queue->first = write;
  queue->last = write;
  queue->count++;
}

StoreWrite *store_write_pop(StoreWriteQueue *queue) {
  StoreWrite *write = queue->first;
  if (write == NULL) return NULL;
  queue->first = write->next;
  if (queue->first == NULL) queue->last = NULL;
  queue->count--;
  return write;
}

void store_write_append(StoreWriteQueue *to, StoreWriteQueue *from) {
  if (from->first == NULL) return;
  if (to->last != NULL)
    to->last->next = from->first;
  else
    to->first = from->first;
  to->last = from->last;
  to->count += from->count;
  *from = (StoreWriteQueue){0};
}
