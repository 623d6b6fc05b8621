/* random.h - counter-based random numbers: one named stream per purpose.
 *
 * A stream is a key made from the run's seed and a purpose's name ("init/conv1.weight", "shuffle",
 * "augment"). The n-th number of a stream is a pure function of (key, n): streams never disturb each other,
 * any position can be read without the ones before it, and results do not depend on threads or on the order
 * of calls. Generator: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 */
#ifndef NN_RANDOM_H
#define NN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "api.h"

NN_API_BEGIN

typedef struct nn_stream {
    uint64_t key;
    uint64_t position; /* index of the next 32-bit number; the whole state, to be saved and restored */
} nn_stream;

/* One Philox4x32-10 block: four 32-bit numbers from a 128-bit counter and a 64-bit key. */
void nn_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

nn_stream nn_stream_named(uint64_t seed, const char *name);

uint32_t nn_random_bits(nn_stream *stream); /* uniform over all 32-bit values */
float nn_random_uniform(nn_stream *stream); /* uniform in [0, 1), multiples of 2^-24 */
float nn_random_normal(nn_stream *stream);  /* mean 0, variance 1 (Box-Muller; takes two numbers) */
uint32_t nn_random_below(nn_stream *stream, uint32_t n); /* unbiased in 0..n-1, n >= 1 (rejection) */

/* Fisher-Yates shuffle of order[0..n-1]. */
void nn_random_shuffle(nn_stream *stream, uint32_t *order, uint32_t n);

/* The 64-bit FNV-1a hash of a byte string, continued from `hash` (start with nn_hash_start): names of
 * streams, checksums of data sets. */
extern const uint64_t nn_hash_start;
uint64_t nn_hash(uint64_t hash, const void *bytes, size_t count);

NN_API_END

#endif
