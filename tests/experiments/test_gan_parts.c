/* Parts of ./gan: the loss of real and generated examples against an oracle, training steps, settings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/gan/training.h"
#include "framework/kernels/kernels.h"
#include "tests/support/snnl_oracle.h"

enum { COUNT = 14, DIMS = 5 };

/* Real examples and generated ones apart from them, as one problem of two classes. */
static oracle_problem two_classes(void) {
    oracle_problem p = {.count = 2 * COUNT, .dims = DIMS};
    p.x32 = test_normal(2 * COUNT * DIMS, "examples");
    p.x = test_bytes(2 * COUNT * DIMS * sizeof *p.x);
    p.labels = test_bytes(2 * COUNT * sizeof *p.labels);
    for (int i = 0; i < 2 * COUNT * DIMS; i++) {
        p.x32[i] += i < COUNT * DIMS ? 0 : 0.7f;
        p.x[i] = p.x32[i];
    }
    for (int i = 0; i < 2 * COUNT; i++)
        p.labels[i] = i >= COUNT;
    return p;
}

static exp_gan_contrast contrast_of(const oracle_problem *p) {
    exp_gan_contrast c;
    nn_error error = {0};
    test_ok(exp_gan_contrast_new(&c, COUNT, DIMS, true, &error), &error);
    exp_gan_contrast_set(&c, p->x32, p->x32 + COUNT * DIMS);
    return c;
}

/* The mean squared distance of pairs i, j of real examples, i = j included. */
static double real_distance(const oracle_problem *p) {
    double sum = 0;
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            for (int d = 0; d < DIMS; d++)
                sum += pow(p->x[i * DIMS + d] - p->x[j * DIMS + d], 2);
    return sum / COUNT / COUNT;
}

static void following_temperatures(void **state) {
    (void)state;
    const double temperatures[] = {1.5, 0.2, 0.05};
    oracle_problem p = two_classes();
    exp_gan_contrast c = contrast_of(&p);
    nn_error error = {0};
    const float *gradient;
    double value = 0, *expected = test_bytes(COUNT * DIMS * sizeof *expected);
    test_ok(exp_gan_contrast_follow(&c, temperatures, 3, &gradient, &error), &error);
    for (int k = 0; k < 3; k++) {
        double t = temperatures[k] * real_distance(&p), *slope = oracle_gradient(&p, t);
        value += oracle_loss(&p, t) / 3;
        for (int i = 0; i < COUNT * DIMS; i++)
            expected[i] += slope[COUNT * DIMS + i] / 3;
        free(slope);
    }
    oracle_compare("mean over temperatures", c.result.value, value, 1e-5);
    test_close("gradient", gradient, expected, COUNT * DIMS, 1e-6);
    free(expected);
    exp_gan_contrast_free(&c);
    oracle_drop(&p);
}

static void following_the_optimal_temperature(void **state) {
    (void)state;
    oracle_problem p = two_classes();
    exp_gan_contrast c = contrast_of(&p);
    nn_error error = {0};
    const float *gradient;
    test_ok(exp_gan_contrast_follow(&c, NULL, 0, &gradient, &error), &error);
    for (double t = 1e-2; t < 1e3; t *= 1.3)
        assert_true(c.result.value <= oracle_loss(&p, t) + 1e-6);
    oracle_compare("loss", c.result.value, oracle_loss(&p, c.result.temperature), 1e-5);
    double *slope = oracle_gradient(&p, c.result.temperature);
    test_close("gradient", gradient, slope + COUNT * DIMS, COUNT * DIMS, 1e-6);
    free(slope);
    exp_gan_contrast_free(&c);
    oracle_drop(&p);
}

static void examples_without_end(void **state) {
    (void)state;
    oracle_problem p = two_classes();
    p.x32[COUNT * DIMS] = NAN;
    exp_gan_contrast c = contrast_of(&p);
    nn_error error = {0};
    test_fails(exp_gan_contrast_measure(&c, &error), NN_ENUMERIC, &error,
               "generated examples are NaN or infinite");
    exp_gan_contrast_free(&c);
    oracle_drop(&p);
}

/* --- training on the mixture ---------------------------------------------------------------------------- */

typedef struct session {
    exp_gan_options options;
    exp_gan_real real;
    exp_gan_training training;
} session;

static void begin(session *s, int objective, uint64_t seed) {
    nn_error error = {0};
    char *arguments[] = {"gan", "--dataset", "mixture", "--batch", "128", "--filters", "32"};
    test_ok(exp_gan_options_resolve(&s->options, 7, arguments, &error), &error);
    s->options.objective = objective;
    s->options.seed = seed;
    test_ok(exp_gan_real_open(&s->real, &s->options, &error), &error);
    test_ok(exp_gan_training_open(&s->training, &s->options, &s->real, &error), &error);
}

static void end(session *s) {
    exp_gan_training_close(&s->training);
    exp_gan_real_close(&s->real);
}

static void train(session *s, int steps) {
    nn_error error = {0};
    for (int i = 0; i < steps; i++)
        test_ok(exp_gan_training_step(&s->training, &error), &error);
}

/* SNNL of 256 real and 256 generated points at its optimal temperature. */
static double entanglement(session *s) {
    exp_gan_contrast c;
    nn_error error = {0};
    test_ok(exp_gan_contrast_new(&c, s->real.examples, s->real.row, false, &error), &error);
    float *z = exp_gan_latent(&s->options, "test", s->real.examples);
    memcpy(exp_gan_contrast_real(&c), s->real.held, (size_t)s->real.examples * 2 * sizeof(float));
    test_ok(model_generator_sample(&s->training.generator, z, s->real.examples,
                                   exp_gan_contrast_generated(&c), &error),
            &error);
    test_ok(exp_gan_contrast_measure(&c, &error), &error);
    double value = c.result.value;
    exp_gan_contrast_free(&c);
    free(z);
    return value;
}

static void snnl_alone_trains_a_generator(void **state) {
    (void)state;
    session s;
    begin(&s, EXP_GAN_SNNL, 1);
    double before = entanglement(&s);
    train(&s, 250);
    double after = entanglement(&s);
    if (!(before < 0.2 && after > 0.35 && after < 0.7))
        fail_msg("SNNL from %.4f to %.4f", before, after);
    exp_gan_losses losses = exp_gan_training_losses(&s.training);
    assert_int_equal(losses.steps, 250);
    assert_true(losses.snnl > 0.5 && fabs(losses.generator + losses.snnl) < 1e-9);
    assert_int_equal(exp_gan_training_losses(&s.training).steps, 0);
    end(&s);
}

/* The generator's gradients in the first step. */
static float *first_gradients(int objective, double weight, size_t *count) {
    session s;
    begin(&s, objective, 3);
    s.options.snnl_weight = weight;
    train(&s, 1);
    *count = s.training.generator.store.parameter_count;
    float *gradients = test_zeros(*count);
    memcpy(gradients, s.training.generator.store.gradients, *count * sizeof *gradients);
    end(&s);
    return gradients;
}

/* The first batch, and the networks that it meets, are the same for every objective: so the gradients add up. */
static void both_objectives_are_a_sum(void **state) {
    (void)state;
    size_t count;
    float *judged = first_gradients(EXP_GAN_ADVERSARIAL, 0, &count);
    float *entangled = first_gradients(EXP_GAN_SNNL, 0, &count);
    float *both = first_gradients(EXP_GAN_BOTH, 2.5, &count);
    double *expected = test_bytes(count * sizeof *expected), size = 0, part = 0;
    for (size_t i = 0; i < count; i++) {
        expected[i] = judged[i] + 2.5 * entangled[i];
        size += fabs(expected[i]);
        part += fabs(2.5 * entangled[i]);
    }
    assert_true(part > 0.01 * size);
    test_close("gradients", both, expected, count, 1e-5);
    free(judged);
    free(entangled);
    free(both);
    free(expected);
}

/* All that a few steps of both objectives move, in the order of the stores. */
static float *parameters_after(int threads, uint64_t seed, size_t *count) {
    session s;
    nn_threads_set(threads);
    begin(&s, EXP_GAN_BOTH, seed);
    train(&s, 4);
    const nn_store *g = &s.training.generator.store, *d = &s.training.discriminator.store;
    *count = g->parameter_count + d->parameter_count;
    float *all = test_zeros(*count);
    memcpy(all, g->parameters, g->parameter_count * sizeof *all);
    memcpy(all + g->parameter_count, d->parameters, d->parameter_count * sizeof *all);
    end(&s);
    nn_threads_set(0);
    return all;
}

static void same_for_threads_other_for_seeds(void **state) {
    (void)state;
    size_t count, again;
    float *first = parameters_after(1, 5, &count);
    for (int threads = 2; threads <= 7; threads += 5) {
        float *other = parameters_after(threads, 5, &again);
        test_same_bits("parameters", other, first, count * sizeof *first);
        free(other);
    }
    float *other = parameters_after(1, 6, &again);
    assert_memory_not_equal(other, first, count * sizeof *first);
    free(other);
    free(first);
}

/* The mixture's points: eight centers on a circle of radius 2, all of them met, each coordinate off by 0.1. */
static void mixture(void **state) {
    (void)state;
    session s;
    begin(&s, EXP_GAN_SNNL, 2);
    int met[EXP_GAN_CENTERS] = {0}, count = 0;
    double squares = 0;
    for (int batch = 0; batch < 20; batch++) {
        const float *x = exp_gan_real_next(&s.real);
        for (int i = 0; i < s.real.batch; i++, count++) {
            int k = (int)lround(atan2(x[2 * i + 1], x[2 * i]) / (2 * M_PI) * EXP_GAN_CENTERS) &
                    (EXP_GAN_CENTERS - 1);
            double angle = 2 * M_PI * k / EXP_GAN_CENTERS;
            met[k]++;
            squares += pow(x[2 * i] - 2 * cos(angle), 2) + pow(x[2 * i + 1] - 2 * sin(angle), 2);
        }
    }
    for (int k = 0; k < EXP_GAN_CENTERS; k++)
        assert_true(fabs((double)met[k] / count - 1.0 / EXP_GAN_CENTERS) < 0.03);
    assert_true(fabs(sqrt(squares / (2 * count)) - 0.1) < 0.005);
    end(&s);
}

/* --- settings ------------------------------------------------------------------------------------------- */

static void usual_settings(void **state) {
    (void)state;
    static const struct {
        char *words[4];
        uint64_t batch, latent;
        double rate;
    } cases[] = {{{"--dataset", "mnist", "--objective", "adversarial"}, 64, 64, 2e-4},
                 {{"--dataset", "mixture", "--objective", "both"}, 64, 2, 5e-3},
                 {{"--dataset", "shapes", "--objective", "snnl"}, 256, 64, 2e-4},
                 {{"--batch", "10", "--lr", "0.1"}, 10, 64, 0.1}};
    for (int i = 0; i < 4; i++) {
        exp_gan_options o;
        nn_error error = {0};
        char *arguments[] = {"gan", cases[i].words[0], cases[i].words[1], cases[i].words[2],
                             cases[i].words[3]};
        test_ok(exp_gan_options_resolve(&o, 5, arguments, &error), &error);
        assert_true(o.batch == cases[i].batch && o.latent == cases[i].latent && o.rate == cases[i].rate);
    }
}

static void snapshot_steps(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t steps;
        int count;
        uint64_t expected[EXP_GAN_SNAPSHOTS];
    } cases[] = {{"0,400,800,2000", 4000, 5, {0, 400, 800, 2000, 4000}},
                 {"0,400,800,2000", 2000, 4, {0, 400, 800, 2000}},
                 {"0,400,800,2000", 500, 3, {0, 400, 500}},
                 {"", 7, 1, {7}},
                 {"3", 0, 1, {0}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exp_gan_options o = exp_gan_defaults;
        uint64_t steps[EXP_GAN_SNAPSHOTS];
        int count;
        nn_error error = {0};
        strcpy(o.snapshots, cases[i].text);
        o.steps = cases[i].steps;
        test_ok(exp_gan_snapshot_steps(&o, steps, &count, &error), &error);
        assert_int_equal(count, cases[i].count);
        assert_memory_equal(steps, cases[i].expected, (size_t)count * sizeof *steps);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(following_temperatures),
        cmocka_unit_test(following_the_optimal_temperature),
        cmocka_unit_test(examples_without_end),
        cmocka_unit_test(snnl_alone_trains_a_generator),
        cmocka_unit_test(both_objectives_are_a_sum),
        cmocka_unit_test(same_for_threads_other_for_seeds),
        cmocka_unit_test(mixture),
        cmocka_unit_test(usual_settings),
        cmocka_unit_test(snapshot_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
