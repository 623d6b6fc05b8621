/* loader.c: what is in the batches, seeking, and the background thread's coming and going. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/augment.h"

enum { COUNT = 70, SIDE = 8, CHANNELS = 2, IMAGE = SIDE * SIDE * CHANNELS, CLASSES = 4 };

/* A set of random pixels; class 2 has no examples, class 3 few. */
static const data_set *small_set(void) {
    static unsigned char pixels[COUNT * IMAGE], labels[COUNT];
    static data_set set = {.name = "small",
                           .height = SIDE,
                           .width = SIDE,
                           .channels = CHANNELS,
                           .classes = CLASSES,
                           .train = {COUNT, pixels, labels},
                           .mean = {0.5f, 0.25f},
                           .deviation = {0.5f, 2}};
    static bool made;
    if (made)
        return &set;
    made = true;
    nn_stream stream = nn_stream_named(1, "pixels");
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)nn_random_bits(&stream);
    for (int i = 0; i < COUNT; i++)
        labels[i] = (unsigned char)(i % 7 == 0 ? 3 : i % 2);
    return &set;
}

static data_loader *new_loader(data_batch_options options) {
    const data_set *set = small_set();
    nn_error error = {0};
    data_loader *loader;
    test_ok(data_loader_new(&loader, set, &set->train, options, &error), &error);
    return loader;
}

static float normalized(uint32_t example, size_t i) {
    const data_set *set = small_set();
    const double value = set->train.pixels[example * IMAGE + i] / 255.0;
    return (float)((value - set->mean[i % CHANNELS]) / set->deviation[i % CHANNELS]);
}

static void file_order_with_a_partial_batch(void **state) {
    (void)state;
    data_loader *loader = new_loader((data_batch_options){.batch = 32});
    assert_int_equal(data_loader_batches(loader), 3);
    const data_set *set = small_set();
    for (int step = 0; step < 7; step++) {
        const data_batch *batch = data_loader_next(loader);
        const int expected = step % 3 == 2 ? COUNT - 64 : 32;
        assert_int_equal(batch->step, step);
        assert_int_equal(batch->count, expected);
        assert_int_equal(batch->epoch, step / 3);
        assert_int_equal(batch->epoch_end, step % 3 == 2);
        for (uint32_t i = 0; i < 32; i++) {
            const uint32_t example = (uint32_t)step % 3 * 32 + i;
            const bool used = (int)i < expected;
            assert_int_equal(batch->indices[i], used ? example : 0);
            assert_int_equal(batch->labels[i], used ? set->train.labels[example] : 0);
            for (size_t j = 0; j < IMAGE; j++)
                assert_true(batch->images[i * IMAGE + j] == (used ? normalized(example, j) : 0));
        }
    }
    data_loader_free(loader);
}

static void drops_partial_batches(void **state) {
    (void)state;
    data_loader *loader = new_loader((data_batch_options){.batch = 32, .drop_partial = true});
    assert_int_equal(data_loader_batches(loader), 2);
    for (int step = 0; step < 6; step++) {
        const data_batch *batch = data_loader_next(loader);
        assert_int_equal(batch->count, 32);
        assert_int_equal(batch->epoch, step / 2);
        assert_int_equal(batch->epoch_end, step % 2);
        assert_int_equal(batch->indices[0], step % 2 * 32);
    }
    data_loader_free(loader);
}

static void shuffled_epochs_hold_every_example_once(void **state) {
    (void)state;
    data_loader *loader = new_loader((data_batch_options){.batch = 16, .shuffle = true, .seed = 3});
    for (int epoch = 0; epoch < 3; epoch++) {
        int seen[COUNT] = {0};
        bool end = false;
        while (!end) {
            const data_batch *batch = data_loader_next(loader);
            assert_int_equal(batch->epoch, epoch);
            for (int i = 0; i < batch->count; i++) {
                seen[batch->indices[i]]++;
                assert_true(batch->images[i * IMAGE] == normalized(batch->indices[i], 0));
            }
            end = batch->epoch_end;
        }
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(seen[i], 1);
    }
    data_loader_free(loader);
}

/* Three classes have examples: 12 and 15 divide, 16 does not, and 70 leaves a partial batch. */
static void balanced_batches_are_balanced(void **state) {
    (void)state;
    const int sizes[] = {12, 15, 16, 3, 2};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        data_loader *loader = new_loader((data_batch_options){.batch = sizes[s], .balanced = true});
        assert_int_equal(data_loader_batches(loader), (COUNT + sizes[s] - 1) / sizes[s]);
        for (int step = 0; step < 100; step++) {
            const data_batch *batch = data_loader_next(loader);
            int counts[CLASSES] = {0};
            for (int i = 0; i < batch->count; i++)
                counts[batch->labels[i]]++;
            assert_int_equal(counts[2], 0);
            for (int c = 0; c < CLASSES; c++)
                if (c != 2)
                    assert_in_range(counts[c], batch->count / 3, (batch->count + 2) / 3);
        }
        data_loader_free(loader);
    }
}

/* Which view of its image row i of the batch is, if any. */
static bool find_view(const data_batch *batch, int i, int pad, data_view *view) {
    const data_set *set = small_set();
    const data_normalizer normalizer = data_normalizer_new(set, set->mean, set->deviation);
    float expected[IMAGE];
    for (view->top = -pad; view->top <= pad; view->top++)
        for (view->left = -pad; view->left <= pad; view->left++)
            for (int flip = 0; flip < 2; flip++) {
                view->flip = flip;
                data_view_apply(&normalizer, *view, set->train.pixels + batch->indices[i] * IMAGE, expected);
                if (memcmp(expected, batch->images + i * IMAGE, sizeof expected) == 0)
                    return true;
            }
    return false;
}

/* With pad 1, 18 views: all appear in 10 epochs of 70 examples; and with the default pad, height / 8 = 1,
 * too. */
static void augmented_rows_are_views_of_their_images(void **state) {
    (void)state;
    for (int pad = 0; pad < 2; pad++) {
        data_loader *loader =
            new_loader((data_batch_options){.batch = 70, .shuffle = true, .augment = true, .pad = pad});
        int counts[18] = {0};
        for (int step = 0; step < 10; step++) {
            const data_batch *batch = data_loader_next(loader);
            for (int i = 0; i < batch->count; i++) {
                data_view view;
                assert_true(find_view(batch, i, 1, &view));
                counts[(view.top + 1) * 6 + (view.left + 1) * 2 + view.flip]++;
            }
        }
        for (int v = 0; v < 18; v++)
            assert_in_range(counts[v], 1, 100);
        data_loader_free(loader);
    }
}

struct copy {
    float images[16 * IMAGE];
    int32_t labels[16];
    uint32_t indices[16];
    int count, epoch;
    bool epoch_end;
};

static void take_copy(const data_batch *batch, struct copy *to) {
    memset(to, 0, sizeof *to);
    memcpy(to->images, batch->images, sizeof to->images);
    memcpy(to->labels, batch->labels, sizeof to->labels);
    memcpy(to->indices, batch->indices, sizeof to->indices);
    to->count = batch->count;
    to->epoch = batch->epoch;
    to->epoch_end = batch->epoch_end;
}

static const data_batch_options kinds[] = {
    {.batch = 16},
    {.batch = 16, .shuffle = true, .augment = true, .seed = 1},
    {.batch = 16, .balanced = true, .augment = true, .seed = 2},
    {.batch = 16, .shuffle = true, .augment = true, .drop_partial = true, .seed = 3},
};

static void seek_equals_reading_on(void **state) {
    (void)state;
    enum { STEPS = 40 };
    struct copy *sequence = malloc(STEPS * sizeof *sequence), now;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        data_loader *loader = new_loader(kinds[k]);
        for (int step = 0; step < STEPS; step++)
            take_copy(data_loader_next(loader), &sequence[step]);
        nn_stream stream = nn_stream_named(1, "seeks");
        for (int i = 0; i < 30; i++) {
            const uint32_t start = nn_random_below(&stream, STEPS), length = nn_random_below(&stream, 5);
            data_loader_seek(loader, start);
            for (uint32_t step = start; step < start + length && step < STEPS; step++) {
                take_copy(data_loader_next(loader), &now);
                test_same_bits("batch after a seek", &now, &sequence[step], sizeof now);
            }
        }
        data_loader_free(loader);
        /* a fresh one that never read the steps before */
        loader = new_loader(kinds[k]);
        data_loader_seek(loader, STEPS - 1);
        take_copy(data_loader_next(loader), &now);
        test_same_bits("batch of a fresh loader", &now, &sequence[STEPS - 1], sizeof now);
        data_loader_free(loader);
    }
    free(sequence);
}

static void seeds_change_order_and_augmentation(void **state) {
    (void)state;
    struct copy a, b;
    for (size_t k = 1; k < sizeof kinds / sizeof *kinds; k++) {
        data_batch_options other = kinds[k];
        other.seed += 100;
        data_loader *first = new_loader(kinds[k]), *second = new_loader(other);
        take_copy(data_loader_next(first), &a);
        take_copy(data_loader_next(second), &b);
        assert_true(memcmp(a.indices, b.indices, sizeof a.indices) != 0);
        assert_true(memcmp(a.images, b.images, sizeof a.images) != 0);
        data_loader_free(first);
        data_loader_free(second);
    }
}

/* The batch in hand stays as it is while the thread works ahead: many turns of checking it twice. */
static void batch_in_hand_is_left_alone(void **state) {
    (void)state;
    data_loader *loader = new_loader(kinds[1]), *ahead = new_loader(kinds[1]);
    struct copy before, after;
    for (int step = 0; step < 200; step++) {
        const data_batch *batch = data_loader_next(loader);
        take_copy(batch, &before);
        data_loader_next(ahead); /* gives the first loader's thread time */
        take_copy(batch, &after);
        test_same_bits("batch in hand", &before, &after, sizeof before);
    }
    data_loader_free(loader);
    data_loader_free(ahead);
}

static void ends_cleanly_at_any_time(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        data_loader *loader = new_loader(kinds[i % 4]);
        for (int step = 0; step < i % 7; step++)
            data_loader_next(loader);
        if (i % 3 == 1)
            data_loader_seek(loader, (uint64_t)i);
        if (i % 3 == 2) {
            data_loader_seek(loader, 3);
            data_loader_seek(loader, 1);
            assert_int_equal(data_loader_next(loader)->step, 1);
        }
        data_loader_free(loader);
    }
    data_loader_free(NULL);
}

static void takes_another_mean_and_deviation(void **state) {
    (void)state;
    const float mean[] = {0, 1}, deviation[] = {1, 4};
    data_loader *loader = new_loader((data_batch_options){.batch = 1, .mean = mean, .deviation = deviation});
    const unsigned char *pixels = small_set()->train.pixels;
    const data_batch *batch = data_loader_next(loader);
    for (size_t i = 0; i < IMAGE; i++)
        assert_true(fabs(batch->images[i] - (pixels[i] / 255.0 - mean[i % 2]) / deviation[i % 2]) < 1e-6);
    data_loader_free(loader);
}

static void expect_refused(data_batch_options options, int count, const char *part) {
    const data_set *set = small_set();
    data_split split = set->train;
    split.count = count;
    nn_error error = {0};
    data_loader *loader;
    test_fails(data_loader_new(&loader, set, &split, options, &error), NN_EARGUMENT, &error, part);
    assert_null(loader);
}

static void refuses_wrong_options(void **state) {
    (void)state;
    const float zero[] = {1, 0}, nan[] = {NAN, 1};
    expect_refused((data_batch_options){.batch = 8}, 0, "small: no examples");
    expect_refused((data_batch_options){.batch = 0}, COUNT, "batch of 0");
    expect_refused((data_batch_options){.batch = -5}, COUNT, "batch of -5");
    expect_refused((data_batch_options){.batch = 71, .drop_partial = true}, COUNT, "small has 70");
    expect_refused((data_batch_options){.batch = 1, .pad = -1}, COUNT, "padding by -1");
    expect_refused((data_batch_options){.batch = 1, .pad = 9}, COUNT, "padding by 9");
    expect_refused((data_batch_options){.batch = 1, .deviation = zero}, COUNT, "deviation 0 of channel 1");
    expect_refused((data_batch_options){.batch = 1, .deviation = nan}, COUNT, "of channel 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_order_with_a_partial_batch),
        cmocka_unit_test(drops_partial_batches),
        cmocka_unit_test(shuffled_epochs_hold_every_example_once),
        cmocka_unit_test(balanced_batches_are_balanced),
        cmocka_unit_test(augmented_rows_are_views_of_their_images),
        cmocka_unit_test(seek_equals_reading_on),
        cmocka_unit_test(seeds_change_order_and_augmentation),
        cmocka_unit_test(batch_in_hand_is_left_alone),
        cmocka_unit_test(ends_cleanly_at_any_time),
        cmocka_unit_test(takes_another_mean_and_deviation),
        cmocka_unit_test(refuses_wrong_options),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
