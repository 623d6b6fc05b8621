/* out_of_memory.h - an operation tried again and again, each time with another allocation that fails. */
#ifndef TEST_OUT_OF_MEMORY_H
#define TEST_OUT_OF_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "framework/error.h"

/* Does the work, gives back all memory, and adds what came of it to *hash (begin with nn_hash_start), so that two results
 * can be compared. It asserts nothing and uses no test's helper that allocates. */
typedef nn_status memory_operation(void *context, uint64_t *hash, nn_error *error);

typedef struct memory_trial {
    const char *name; /* for the record that is printed */
    memory_operation *operation;
    void *context;
    /* Both may be NULL: sets the stage, and fails the test where a success has not left what it should, or a failure has
     * changed anything, in files say. */
    void (*before)(void *context);
    void (*after)(void *context, bool succeeded);
    bool bears; /* it may succeed, with the same result, whatever was refused: a picture that is left out */
    int most;   /* allocations refused at most: above, every second, third, ... one; 0: 1000 */
} memory_trial;

/* The n-th allocation fails, for every n, once alone and once with all that follow it. Each time the operation must return
 * NN_EMEMORY with a message and give back all memory; where only the C library went without (a buffer of a stream), it may
 * succeed with the same result. In the end it must succeed with the result of the beginning. */
void memory_try(memory_trial trial);

#endif
