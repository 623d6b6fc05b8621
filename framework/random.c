#include "random.h"

#include <math.h>
#include <string.h>

const uint64_t nn_hash_start = 0xcbf29ce484222325u;

uint64_t nn_hash(uint64_t hash, const void *bytes, size_t count) {
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

void nn_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    output[0] = c0;
    output[1] = c1;
    output[2] = c2;
    output[3] = c3;
}

nn_stream nn_stream_named(uint64_t seed, const char *name) {
    uint64_t key = nn_hash(nn_hash_start, name, strlen(name));
    key = nn_hash(key, &seed, sizeof seed);
    return (nn_stream){.key = key};
}

uint32_t nn_random_bits(nn_stream *stream) {
    uint64_t block = stream->position / 4;
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    uint32_t key[2] = {(uint32_t)stream->key, (uint32_t)(stream->key >> 32)};
    uint32_t output[4];
    nn_philox(counter, key, output);
    return output[stream->position++ % 4];
}

float nn_random_uniform(nn_stream *stream) {
    return (float)(nn_random_bits(stream) >> 8) * 0x1p-24f;
}

float nn_random_normal(nn_stream *stream) {
    double radius = sqrt(-2 * log((nn_random_bits(stream) + 0.5) * 0x1p-32));
    double angle = 6.283185307179586 * (nn_random_bits(stream) * 0x1p-32);
    return (float)(radius * cos(angle));
}

uint32_t nn_random_below(nn_stream *stream, uint32_t n) {
    uint32_t unbiased =
        UINT32_MAX - UINT32_MAX % n; /* a multiple of n: numbers from here on are drawn again */
    uint32_t bits;
    do
        bits = nn_random_bits(stream);
    while (bits >= unbiased);
    return bits % n;
}

void nn_random_shuffle(nn_stream *stream, uint32_t *order, uint32_t n) {
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = nn_random_below(stream, i);
        uint32_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}
