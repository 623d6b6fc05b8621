/* transform.c: what must stay as it is, what is known by symmetry, and the formulas written out pixel by pixel. */
#include "experiments/outliers/transform.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 40 * 40 * 3 };

static float *noise(exp_image_form form) {
    float *image = test_zeros(exp_image_size(form));
    nn_stream stream = nn_stream_named(3, "image");
    for (size_t k = 0; k < exp_image_size(form); k++)
        image[k] = nn_random_uniform(&stream);
    return image;
}

static float at(exp_image_form form, const float *image, int y, int x, int c) {
    y = y < 0 ? 0 : y >= form.height ? form.height - 1 : y;
    x = x < 0 ? 0 : x >= form.width ? form.width - 1 : x;
    return image[(y * form.width + x) * form.channels + c];
}

static void near(const char *what, double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%s: %.9g, expected %.9g", what, actual, expected);
}

static void convert(exp_image_form from, const float *image, exp_image_form to, float *out) {
    nn_error error = {0};
    assert_true(exp_image_convertible(from, to));
    test_ok(exp_image_convert(from, image, to, out, &error), &error);
}

/* --- another form --------------------------------------------------------------------------------------- */

static void the_same_form_is_the_same_image(void **state) {
    (void)state;
    exp_image_form form = {7, 9, 3};
    float *image = noise(form), out[MOST];
    convert(form, image, form, out);
    test_same_bits("image", image, out, exp_image_size(form) * sizeof *out);
    free(image);
}

static void constants_stay(void **state) {
    (void)state;
    static const int sides[] = {1, 5, 8, 28, 32, 40};
    for (int a = 0; a < 6; a++)
        for (int b = 0; b < 6; b++)
            for (int channels = 1; channels <= 3; channels += 2) {
                float image[MOST], out[MOST];
                exp_image_form from = {sides[a], sides[5 - a], channels},
                               to = {sides[b], sides[b], 4 - channels};
                for (size_t k = 0; k < exp_image_size(from); k++)
                    image[k] = 0.3f;
                convert(from, image, to, out);
                for (size_t k = 0; k < exp_image_size(to); k++)
                    near("constant", out[k], 0.3, 1e-6);
            }
}

static void gray_and_color(void **state) {
    (void)state;
    const float color[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.2f, 0.4f, 0.8f}, gray[] = {0.25f, 0.75f};
    float out[12];
    convert((exp_image_form){2, 2, 3}, color, (exp_image_form){2, 2, 1}, out);
    near("red", out[0], 0.299, 1e-7);
    near("green", out[1], 0.587, 1e-7);
    near("blue", out[2], 0.114, 1e-7);
    near("mixed", out[3], 0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.8, 1e-7);
    convert((exp_image_form){1, 2, 1}, gray, (exp_image_form){1, 2, 3}, out);
    for (int k = 0; k < 6; k++)
        assert_true(out[k] == gray[k / 3]);
    assert_false(exp_image_convertible((exp_image_form){1, 1, 2}, (exp_image_form){1, 1, 3}));
    assert_true(exp_image_convertible((exp_image_form){1, 1, 4}, (exp_image_form){2, 3, 4}));
}

/* A plane is a plane in any size, but for what is near the border, to a tenth of a pixel: the weights' centre is not
 * quite in its place where an image shrinks. */
static void ramps_stay_ramps(void **state) {
    (void)state;
    static const int sides[] = {9, 20, 32, 40};
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++) {
            exp_image_form from = {sides[a], 32, 1}, to = {sides[b], 28, 1};
            float image[MOST], out[MOST];
            double margin = fmax(1, sides[a] / (double)sides[b]) * sides[b] / sides[a];
            for (int k = 0; k < 32 * sides[a]; k++)
                image[k] = (float)((k / 32 + 0.5) / sides[a] + 3 * (k % 32 + 0.5) / 32);
            convert(from, image, to, out);
            for (int y = (int)ceil(margin); y < sides[b] - margin; y++)
                for (int x = 2; x < 26; x++)
                    near("ramp", out[y * 28 + x], (y + 0.5) / sides[b] + 3 * (x + 0.5) / 28,
                         0.1 * (1.0 / sides[a] + 3.0 / 32));
        }
}

/* Twice as large: places at a quarter and three quarters. Half as large: weights 1, 3, 3, 1 of 8. */
static void by_a_factor_of_two(void **state) {
    (void)state;
    exp_image_form small = {1, 6, 1}, large = {1, 12, 1};
    float *image = noise(large), out[12];
    convert(small, image, large, out);
    for (int x = 0; x < 12; x++)
        near("larger", out[x],
             0.75 * at(small, image, 0, x / 2, 0) + 0.25 * at(small, image, 0, x / 2 + (x % 2 ? 1 : -1), 0),
             1e-6);
    convert(large, image, small, out);
    for (int x = 0; x < 6; x++)
        near("smaller", out[x],
             (at(large, image, 0, 2 * x - 1, 0) + 3 * at(large, image, 0, 2 * x, 0) +
              3 * at(large, image, 0, 2 * x + 1, 0) + at(large, image, 0, 2 * x + 2, 0)) /
                 8.0,
             1e-6);
    free(image);
}

/* --- turning -------------------------------------------------------------------------------------------- */

static void quarter_turns_move_pixels(void **state) {
    (void)state;
    for (int side = 7; side <= 8; side++)
        for (int channels = 1; channels <= 3; channels += 2) {
            exp_image_form form = {side, side, channels};
            float *image = noise(form), out[MOST];
            for (int turns = -4; turns <= 4; turns++) {
                exp_image_rotate(form, image, 90 * turns, out);
                for (int k = 0; k < side * side * channels; k++) {
                    int y = k / channels / side, x = k / channels % side;
                    for (int t = 0; t < (turns + 4) % 4;
                         t++) { /* what was turned to the left comes from the right */
                        int before = y;
                        y = x;
                        x = side - 1 - before;
                    }
                    assert_true(out[k] == at(form, image, y, x, k % channels));
                }
            }
            free(image);
        }
}

/* A spot to the right of the middle goes up, and comes back. */
static void counterclockwise(void **state) {
    (void)state;
    exp_image_form form = {41, 41, 1};
    float image[41 * 41] = {0}, out[41 * 41];
    for (int k = 0; k < 9; k++)
        image[(19 + k / 3) * 41 + 33 + k % 3] = (k / 3 == 1 ? 2 : 1) * (k % 3 == 1 ? 2 : 1) / 16.0f;
    exp_image_rotate(form, image, 45, out);
    double y = 0, x = 0, all = 0;
    for (int k = 0; k < 41 * 41; k++) {
        all += out[k];
        y += out[k] * (k / 41);
        x += out[k] * (k % 41);
    }
    near("mass", all, 1, 0.05);
    near("row", y / all, 20 - 14 * sqrt(0.5), 0.2);
    near("column", x / all, 20 + 14 * sqrt(0.5), 0.2);
}

static void a_plane_turns(void **state) {
    (void)state;
    exp_image_form form = {21, 31, 1};
    float image[21 * 31], out[21 * 31];
    for (int k = 0; k < 21 * 31; k++)
        image[k] = (float)(0.02 * (k % 31 - 15) + 0.01 * (k / 31 - 10));
    exp_image_rotate(form, image, 30, out);
    for (int y = -5; y <= 5; y++)
        for (int x = -5; x <= 5; x++) /* the value at (x, y) was at (x, y) turned back */
            near("plane", out[(y + 10) * 31 + x + 15],
                 0.02 * (x * cos(M_PI / 6) - y * sin(M_PI / 6)) +
                     0.01 * (x * sin(M_PI / 6) + y * cos(M_PI / 6)),
                 1e-6);
}

/* --- blur and noise ------------------------------------------------------------------------------------- */

static void blur_by_the_formula(void **state) {
    (void)state;
    exp_image_form form = {6, 9, 3};
    float *image = noise(form), scratch[MOST], out[MOST];
    for (double sigma = 0.4; sigma < 4; sigma *= 3) {
        int reach = (int)ceil(3 * sigma);
        exp_image_blur(form, image, sigma, scratch, out);
        for (int k = 0; k < 6 * 9 * 3; k++) {
            double sum = 0, total = 0;
            for (int dy = -reach; dy <= reach; dy++)
                for (int dx = -reach; dx <= reach; dx++) {
                    double weight = exp(-(dy * dy + dx * dx) / (2 * sigma * sigma));
                    total += weight;
                    sum += weight * at(form, image, k / 27 + dy, k / 3 % 9 + dx, k % 3);
                }
            near("blur", out[k], sum / total, 1e-6);
        }
    }
    free(image);
}

static void noise_has_its_deviation(void **state) {
    (void)state;
    exp_image_form form = {40, 40, 3};
    float image[MOST], out[MOST];
    nn_stream stream = nn_stream_named(1, "noise");
    double sum = 0, squares = 0;
    for (int k = 0; k < MOST; k++)
        image[k] = 0.5f;
    exp_image_add_noise(form, image, 0.1, &stream, out);
    for (int k = 0; k < MOST; k++) {
        sum += out[k] - 0.5;
        squares += (out[k] - 0.5) * (out[k] - 0.5);
    }
    near("mean", sum / MOST, 0, 0.006); /* four standard errors */
    near("deviation", sqrt(squares / MOST), 0.1, 0.005);
    exp_image_add_noise(form, image, 5, &stream, out);
    int edges = 0;
    for (int k = 0; k < MOST; k++) {
        assert_true(out[k] >= 0 && out[k] <= 1);
        edges += out[k] == 0 || out[k] == 1;
    }
    assert_true(edges > MOST / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_form_is_the_same_image),
        cmocka_unit_test(constants_stay),
        cmocka_unit_test(gray_and_color),
        cmocka_unit_test(ramps_stay_ramps),
        cmocka_unit_test(by_a_factor_of_two),
        cmocka_unit_test(quarter_turns_move_pixels),
        cmocka_unit_test(counterclockwise),
        cmocka_unit_test(a_plane_turns),
        cmocka_unit_test(blur_by_the_formula),
        cmocka_unit_test(noise_has_its_deviation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
