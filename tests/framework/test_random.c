/* Random numbers: the generator against the published vectors of Random123, the distributions by moments. */
#include <math.h>

#include "tests/support/support.h"

/* kat_vectors of Random123 1.14, philox4x32 with 10 rounds. */
static void test_philox(void **state) {
    (void)state;
    const struct {
        uint32_t counter[4], key[2], output[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t output[4];
        nn_philox(vectors[i].counter, vectors[i].key, output);
        test_same_bits("philox", output, vectors[i].output, sizeof output);
    }
}

/* The published FNV-1a values of "", "a" and "foobar". */
static void test_hash(void **state) {
    (void)state;
    assert_true(nn_hash(nn_hash_start, "", 0) == 0xcbf29ce484222325u);
    assert_true(nn_hash(nn_hash_start, "a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(nn_hash(nn_hash_start, "foobar", 6) == 0x85944171f73967e8u);
    assert_true(nn_hash(nn_hash(nn_hash_start, "foo", 3), "bar", 3) == 0x85944171f73967e8u);
}

/* Number n of a stream is word n % 4 of block n / 4, also where the block's number needs 64 bits. */
static void test_positions(void **state) {
    (void)state;
    const uint64_t starts[] = {0, 1, 2, 3, 4, 1000001, ((uint64_t)1 << 34) - 1, ((uint64_t)1 << 34) + 6};
    nn_stream stream = nn_stream_named(5, "positions");
    const uint32_t key[2] = {(uint32_t)stream.key, (uint32_t)(stream.key >> 32)};
    for (int i = 0; i < 8; i++) {
        stream.position = starts[i];
        for (uint64_t n = starts[i]; n < starts[i] + 9; n++) {
            uint32_t output[4], counter[4] = {(uint32_t)(n / 4), (uint32_t)(n / 4 >> 32), 0, 0};
            nn_philox(counter, key, output);
            assert_int_equal(nn_random_bits(&stream), output[n % 4]);
            assert_true(stream.position == n + 1);
        }
    }
}

static void test_streams_differ(void **state) {
    (void)state;
    nn_stream streams[] = {nn_stream_named(1, "shuffle"), nn_stream_named(2, "shuffle"),
                           nn_stream_named((uint64_t)1 << 32, "shuffle"), nn_stream_named(1, "augment"),
                           nn_stream_named(1, "")};
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < a; b++) {
            assert_true(streams[a].key != streams[b].key);
            int same = 0;
            for (int i = 0; i < 100; i++)
                same += nn_random_bits(&streams[a]) == nn_random_bits(&streams[b]);
            assert_int_equal(same, 0);
        }
    assert_true(nn_stream_named(1, "shuffle").key == nn_stream_named(1, "shuffle").key);
}

enum { DRAWS = 200000 };

/* Fails unless the mean of DRAWS values is within five standard errors of what it should be. */
static void expect_mean(const char *what, double sum, double mean, double deviation) {
    if (!(fabs(sum / DRAWS - mean) < 5 * deviation / sqrt(DRAWS)))
        fail_msg("%s: mean %g, expected %g", what, sum / DRAWS, mean);
}

static void test_uniform(void **state) {
    (void)state;
    nn_stream stream = nn_stream_named(3, "uniform");
    double sum = 0, squares = 0, neighbours = 0, last = 0.5;
    for (int i = 0; i < DRAWS; i++) {
        float u = nn_random_uniform(&stream);
        assert_true(u >= 0 && u < 1);
        assert_true(u * 0x1p24f == floorf(u * 0x1p24f));
        sum += u;
        squares += (double)u * u;
        neighbours += (u - 0.5) * (last - 0.5);
        last = u;
    }
    expect_mean("x", sum, 1.0 / 2, sqrt(1.0 / 12));
    expect_mean("x^2", squares, 1.0 / 3, sqrt(4.0 / 45));
    expect_mean("neighbours", neighbours, 0, 1.0 / 12);
}

static void test_normal_numbers(void **state) {
    (void)state;
    nn_stream stream = nn_stream_named(3, "normal");
    double sums[5] = {0}, beyond = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = nn_random_normal(&stream);
        assert_true(isfinite(x) && fabs(x) < 7);
        for (int k = 1; k <= 4; k++)
            sums[k] += pow(x, k);
        beyond += fabs(x) > 1.959963985;
    }
    assert_true(stream.position == 2 * DRAWS);
    expect_mean("x", sums[1], 0, 1);
    expect_mean("x^2", sums[2], 1, sqrt(2));
    expect_mean("x^3", sums[3], 0, sqrt(15));
    expect_mean("x^4", sums[4], 3, sqrt(96));
    expect_mean("beyond 1.96", beyond, 0.05, sqrt(0.05 * 0.95));
}

static void test_below(void **state) {
    (void)state;
    nn_stream stream = nn_stream_named(3, "below");
    for (int i = 0; i < 100; i++)
        assert_int_equal(nn_random_below(&stream, 1), 0);
    const uint32_t limits[] = {2, 3, 10, 7};
    for (int k = 0; k < 4; k++) {
        double seen[10] = {0}, p = 1.0 / limits[k];
        for (int i = 0; i < DRAWS; i++) {
            uint32_t n = nn_random_below(&stream, limits[k]);
            assert_true(n < limits[k]);
            seen[n]++;
        }
        for (uint32_t n = 0; n < limits[k]; n++)
            expect_mean("share", seen[n], p, sqrt(p * (1 - p)));
    }
    /* Three quarters of the range: with a mere remainder the lower third would come up twice as often. */
    double low = 0;
    const uint32_t large = 0xC0000000u;
    for (int i = 0; i < DRAWS; i++)
        low += nn_random_below(&stream, large) < large / 3;
    expect_mean("lower third", low, 1.0 / 3, sqrt(2.0 / 9));
}

static void test_shuffle(void **state) {
    (void)state;
    enum { N = 1000 };
    nn_stream stream = nn_stream_named(3, "shuffle");
    for (uint32_t n = 0; n <= N; n += n < 5 ? 1 : 199) {
        uint32_t order[N];
        bool seen[N] = {false};
        for (uint32_t i = 0; i < n; i++)
            order[i] = i;
        nn_random_shuffle(&stream, order, n);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(order[i] < n && !seen[order[i]]);
            seen[order[i]] = true;
        }
    }
}

/* All six orders of three come up equally often. */
static void test_shuffle_is_fair(void **state) {
    (void)state;
    nn_stream stream = nn_stream_named(3, "fair");
    double seen[27] = {0}, p = 1.0 / 6;
    for (int i = 0; i < DRAWS; i++) {
        uint32_t order[3] = {0, 1, 2};
        nn_random_shuffle(&stream, order, 3);
        seen[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    const int orders[] = {5, 7, 11, 15, 19, 21}; /* 012 021 102 120 201 210 in base 3 */
    for (int i = 0; i < 6; i++)
        expect_mean("order", seen[orders[i]], p, sqrt(p * (1 - p)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),          cmocka_unit_test(test_hash),
        cmocka_unit_test(test_positions),       cmocka_unit_test(test_streams_differ),
        cmocka_unit_test(test_uniform),         cmocka_unit_test(test_normal_numbers),
        cmocka_unit_test(test_below),           cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_shuffle_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
