/* The layout of a slab, on random lifetimes. */

#include "framework/plan_internal.h"
#include "tests/support/support.h"

enum { MOST = 60, TIMES = 40 };

static int make_buffers(nn_buffer *buffers, nn_stream *stream) {
    int count = (int)nn_random_below(stream, MOST) + 1;
    for (int i = 0; i < count; i++) {
        int birth = (int)nn_random_below(stream, TIMES);
        buffers[i] = (nn_buffer){.bytes = 1 + nn_random_below(stream, 3) * nn_random_below(stream, 1000),
                                 .birth = birth,
                                 .death = birth + (int)nn_random_below(stream, (uint32_t)(TIMES - birth)),
                                 .shares = -1};
        if (i > 0 && nn_random_below(stream, 5) == 0)
            buffers[i].shares = (int)nn_random_below(stream, (uint32_t)i);
    }
    return count;
}

static void check_layout(const nn_buffer *buffers, int count, size_t slab) {
    size_t highest = 0, most_live = 0;
    for (int i = 0; i < count; i++) {
        const nn_buffer *a = &buffers[i];
        if (a->shares >= 0)
            continue;
        assert_int_equal(a->offset % 64, 0);
        assert_true(a->offset + a->bytes <= slab);
        highest = a->offset + a->bytes > highest ? a->offset + a->bytes : highest;
        for (int j = 0; j < i; j++) {
            const nn_buffer *b = &buffers[j];
            bool together = b->shares < 0 && a->birth <= b->death && b->birth <= a->death;
            assert_true(!together || a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
        }
    }
    for (int time = 0; time < TIMES; time++) {
        size_t live = 0;
        for (int i = 0; i < count; i++)
            if (buffers[i].shares < 0 && buffers[i].birth <= time && time <= buffers[i].death)
                live += buffers[i].bytes;
        most_live = live > most_live ? live : most_live;
    }
    assert_true(slab >= most_live);
    assert_true(slab < highest + 64); /* nothing beyond the last buffer */
}

static void test_random_lifetimes(void **state) {
    (void)state;
    nn_stream stream = nn_stream_named(1, "lifetimes");
    for (int round = 0; round < 500; round++) {
        nn_buffer buffers[MOST];
        nn_error error = {0};
        size_t slab;
        int count = make_buffers(buffers, &stream);
        test_ok(nn_memory_layout(buffers, count, &slab, &error), &error);
        check_layout(buffers, count, slab);
    }
}

static size_t layout(nn_buffer *buffers, int count) {
    nn_error error = {0};
    size_t slab;
    test_ok(nn_memory_layout(buffers, count, &slab, &error), &error);
    return slab;
}

static void test_nothing(void **state) {
    (void)state;
    assert_int_equal(layout(NULL, 0), 0);
}

/* Buffers one after another need the memory of one; at the same time, of all. */
static void test_reuse(void **state) {
    (void)state;
    nn_buffer chain[] = {{.bytes = 128, .birth = 0, .death = 1, .shares = -1},
                         {.bytes = 128, .birth = 2, .death = 3, .shares = -1},
                         {.bytes = 128, .birth = 4, .death = 9, .shares = -1}};
    assert_int_equal(layout(chain, 3), 128);
    nn_buffer meeting[] = {{.bytes = 128, .birth = 0, .death = 2, .shares = -1},
                           {.bytes = 128, .birth = 2, .death = 4, .shares = -1},
                           {.bytes = 128, .birth = 4, .death = 9, .shares = -1}};
    assert_int_equal(layout(meeting, 3), 256);
    nn_buffer together[] = {{.bytes = 100, .birth = 0, .death = 9, .shares = -1},
                            {.bytes = 100, .birth = 3, .death = 3, .shares = -1},
                            {.bytes = 1, .birth = 0, .death = 3, .shares = -1}};
    assert_int_equal(layout(together, 3), 2 * 128 + 64);
}

/* A small buffer goes into the gap that a dead one left. */
static void test_gap(void **state) {
    (void)state;
    nn_buffer buffers[] = {{.bytes = 640, .birth = 0, .death = 9, .shares = -1},
                           {.bytes = 320, .birth = 0, .death = 1, .shares = -1},
                           {.bytes = 256, .birth = 0, .death = 9, .shares = -1},
                           {.bytes = 128, .birth = 2, .death = 3, .shares = -1},
                           {.bytes = 192, .birth = 2, .death = 3, .shares = -1}};
    assert_int_equal(layout(buffers, 5), 640 + 320 + 256);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_lifetimes),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
