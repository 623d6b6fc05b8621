/* order.c: permutations, one for each epoch and seed, read in any sequence; and balanced draws. */
#include "tests/support/support.h"

#include <math.h>

#include "datasets/order.h"

enum { COUNT = 100 };

/* Labels 2, 5 and 9 with 50, 30 and 20 examples, interleaved. */
static const data_split *uneven_split(void) {
    static unsigned char labels[COUNT];
    static data_split split = {COUNT, NULL, labels};
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % 10 < 5 ? 2 : i % 10 < 8 ? 5 : 9;
    return &split;
}

static data_order new_order(uint32_t epoch_draws, bool shuffle, bool balanced, uint64_t seed) {
    nn_error error = {0};
    data_order order;
    test_ok(data_order_new(&order, uneven_split(), epoch_draws, shuffle, balanced, seed, &error), &error);
    return order;
}

static void file_order_without_shuffle(void **state) {
    (void)state;
    data_order order = new_order(90, false, false, 1);
    for (int epoch = 0; epoch < 3; epoch++)
        for (uint32_t i = 0; i < 90; i++)
            assert_int_equal(data_order_at(&order, (uint64_t)epoch * 90 + i), i);
    data_order_free(&order);
}

static void every_epoch_is_a_permutation_of_its_own(void **state) {
    (void)state;
    uint32_t epochs[4][COUNT];
    for (uint64_t seed = 0; seed < 2; seed++) {
        data_order order = new_order(COUNT, true, false, seed);
        for (uint64_t epoch = 0; epoch < 2; epoch++) {
            bool seen[COUNT] = {false};
            uint32_t *drawn = epochs[2 * seed + epoch];
            for (uint64_t i = 0; i < COUNT; i++) {
                drawn[i] = data_order_at(&order, epoch * COUNT + i);
                assert_in_range(drawn[i], 0, COUNT - 1);
                assert_false(seen[drawn[i]]);
                seen[drawn[i]] = true;
            }
        }
        data_order_free(&order);
    }
    /* two permutations of 100 agree in one place on average; more than 10 is as good as impossible */
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < a; b++) {
            int equal = 0;
            for (int i = 0; i < COUNT; i++)
                equal += epochs[a][i] == epochs[b][i];
            assert_in_range(equal, 0, 10);
        }
}

/* A shorter epoch draws no example twice, and leaves out others each time. */
static void short_epochs_draw_distinct_examples(void **state) {
    (void)state;
    data_order order = new_order(60, true, false, 1);
    bool ever[COUNT] = {false};
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        bool seen[COUNT] = {false};
        for (uint64_t i = 0; i < 60; i++) {
            const uint32_t example = data_order_at(&order, epoch * 60 + i);
            assert_false(seen[example]);
            seen[example] = ever[example] = true;
        }
    }
    for (int i = 0; i < COUNT; i++)
        assert_true(ever[i]);
    data_order_free(&order);
}

/* Where example 0 comes first, over 4000 epochs: uniform over 100 places. Chi-square with 99 degrees of
 * freedom exceeds 161 once in ten thousand times. */
static void places_are_uniform(void **state) {
    (void)state;
    enum { EPOCHS = 4000 };
    data_order order = new_order(COUNT, true, false, 1);
    int counts[COUNT] = {0};
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++)
        counts[data_order_at(&order, epoch * COUNT)]++;
    double chi_square = 0;
    for (int i = 0; i < COUNT; i++)
        chi_square += pow(counts[i] - EPOCHS / COUNT, 2) / (EPOCHS / COUNT);
    assert_true(chi_square < 161);
    data_order_free(&order);
}

static void balanced_draws_go_round_the_classes(void **state) {
    (void)state;
    const data_split *split = uneven_split();
    const unsigned char classes[] = {2, 5, 9};
    const int sizes[] = {50, 30, 20};
    data_order order = new_order(COUNT, true, true, 1);
    int times[COUNT] = {0};
    for (uint64_t draw = 0; draw < 3 * 300; draw++) {
        const uint32_t example = data_order_at(&order, draw);
        assert_int_equal(split->labels[example], classes[draw % 3]);
        times[example]++;
        /* at a class's end of a pass, each of its examples was drawn equally often */
        const int turn = (int)(draw / 3) + 1, size = sizes[draw % 3];
        if (turn % size == 0)
            for (int i = 0; i < COUNT; i++)
                if (split->labels[i] == classes[draw % 3])
                    assert_int_equal(times[i], turn / size);
    }
    data_order_free(&order);
}

static void balanced_passes_differ(void **state) {
    (void)state;
    data_order order = new_order(COUNT, false, true, 1);
    int equal = 0;
    for (uint64_t turn = 0; turn < 50; turn++)
        equal += data_order_at(&order, 3 * turn) == data_order_at(&order, 3 * (turn + 50));
    assert_in_range(equal, 0, 10);
    data_order_free(&order);
}

static void any_sequence_of_reading_gives_the_same(void **state) {
    (void)state;
    enum { DRAWS = 1000 };
    for (int balanced = 0; balanced < 2; balanced++) {
        data_order order = new_order(90, true, balanced, 6);
        uint32_t drawn[DRAWS];
        for (uint64_t i = 0; i < DRAWS; i++)
            drawn[i] = data_order_at(&order, i);
        nn_stream stream = nn_stream_named(1, "jumps");
        for (int i = 0; i < DRAWS; i++) {
            const uint32_t draw = nn_random_below(&stream, DRAWS);
            assert_int_equal(data_order_at(&order, draw), drawn[draw]);
        }
        data_order_free(&order);
        order = new_order(90, true, balanced, 6);
        assert_int_equal(data_order_at(&order, DRAWS - 1), drawn[DRAWS - 1]);
        data_order_free(&order);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_order_without_shuffle),
        cmocka_unit_test(every_epoch_is_a_permutation_of_its_own),
        cmocka_unit_test(short_epochs_draw_distinct_examples),
        cmocka_unit_test(places_are_uniform),
        cmocka_unit_test(balanced_draws_go_round_the_classes),
        cmocka_unit_test(balanced_passes_differ),
        cmocka_unit_test(any_sequence_of_reading_gives_the_same),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
