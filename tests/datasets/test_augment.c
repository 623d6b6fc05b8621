/* augment.c against a padded image that is really made, and the statistics of random views. */
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/augment.h"

static const float mean[] = {0.5f, 0.1f, 0.9f, 0.3f}, deviation[] = {0.25f, 1, 0.01f, 2};

static unsigned char *random_image(const data_set *set) {
    const size_t count = (size_t)(set->height * set->width * set->channels);
    unsigned char *image = malloc(count);
    nn_stream stream = nn_stream_named(1, "image");
    for (size_t i = 0; i < count; i++)
        image[i] = (unsigned char)nn_random_bits(&stream);
    return image;
}

static void normalizes_every_byte(void **state) {
    (void)state;
    const data_set set = {.height = 16, .width = 16, .channels = 4};
    const data_normalizer normalizer = data_normalizer_new(&set, mean, deviation);
    unsigned char image[16 * 16 * 4];
    double expected[16 * 16 * 4];
    float output[16 * 16 * 4];
    for (int i = 0; i < 16 * 16 * 4; i++) {
        image[i] = (unsigned char)(i / 4);
        expected[i] = (i / 4 / 255.0 - mean[i % 4]) / deviation[i % 4];
    }
    data_view_apply(&normalizer, (data_view){0}, image, output);
    for (int i = 0; i < 16 * 16 * 4; i++)
        test_close("normalized byte", output + i, expected + i, 1, 1e-6);
}

/* The view cut out of an image with `pad` rows and columns of zeros around it, and mirrored. */
static void naive_view(const data_set *set, int pad, data_view view, const unsigned char *image,
                       double *output) {
    const int h = set->height, w = set->width, channels = set->channels, wide = w + 2 * pad;
    double *padded = calloc((size_t)((h + 2 * pad) * wide * channels), sizeof *padded);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < channels; c++)
                padded[((y + pad) * wide + x + pad) * channels + c] =
                    (image[(y * w + x) * channels + c] / 255.0 - mean[c]) / deviation[c];
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < channels; c++)
                output[(y * w + (view.flip ? w - 1 - x : x)) * channels + c] =
                    padded[((y + pad + view.top) * wide + x + pad + view.left) * channels + c];
    free(padded);
}

static void views_match_a_padded_image(void **state) {
    (void)state;
    const data_set sets[] = {{.height = 5, .width = 7, .channels = 3},
                             {.height = 4, .width = 4, .channels = 1},
                             {.height = 1, .width = 1, .channels = 4}};
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        const data_set *set = &sets[s];
        const data_normalizer normalizer = data_normalizer_new(set, mean, deviation);
        const int pad = set->height;
        const size_t count = (size_t)(set->height * set->width * set->channels);
        unsigned char *image = random_image(set);
        double *expected = malloc(count * sizeof *expected);
        float *output = malloc(count * sizeof *output);
        for (int top = -pad; top <= pad; top++)
            for (int left = -pad; left <= pad; left++)
                for (int flip = 0; flip < 2; flip++) {
                    const data_view view = {top, left, flip};
                    naive_view(set, pad, view, image, expected);
                    memset(output, 0xff, count * sizeof *output); /* NaN */
                    data_view_apply(&normalizer, view, image, output);
                    test_close("view", output, expected, count, 1e-6);
                }
        free(image);
        free(expected);
        free(output);
    }
}

/* Chi-square over the 25 places times 2 flips; 49 degrees of freedom exceed 94.6 once in ten thousand times.
 */
static void random_views_are_uniform(void **state) {
    (void)state;
    enum { PAD = 2, CELLS = 50, DRAWS = 50000 };
    int counts[CELLS] = {0};
    nn_stream stream = nn_stream_named(3, "views");
    for (int i = 0; i < DRAWS; i++) {
        const data_view view = data_view_random(PAD, &stream);
        assert_in_range(view.top + PAD, 0, 4);
        assert_in_range(view.left + PAD, 0, 4);
        counts[((view.top + PAD) * 5 + view.left + PAD) * 2 + view.flip]++;
    }
    double chi_square = 0;
    for (int i = 0; i < CELLS; i++)
        chi_square += (counts[i] - DRAWS / CELLS) * (double)(counts[i] - DRAWS / CELLS) / (DRAWS / CELLS);
    assert_true(chi_square < 94.6);
    assert_true(chi_square > 10);
}

static void view_is_a_function_of_the_stream(void **state) {
    (void)state;
    nn_stream a = nn_stream_named(5, "views"), b;
    a.position = 1234;
    b = a;
    const data_view first = data_view_random(4, &a), again = data_view_random(4, &b);
    assert_int_equal(first.top, again.top);
    assert_int_equal(first.left, again.left);
    assert_int_equal(first.flip, again.flip);
    assert_int_equal(a.position, 1234 + DATA_VIEW_NUMBERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalizes_every_byte),
        cmocka_unit_test(views_match_a_padded_image),
        cmocka_unit_test(random_views_are_uniform),
        cmocka_unit_test(view_is_a_function_of_the_stream),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
