/* Generator and discriminator: gradients of each, also through the other, by finite differences; what they refuse. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "models/gan.h"
#include "tests/support/support.h"

static const model_gan_options small_images = {
    .batch = 5, .latent = 3, .height = 8, .width = 12, .channels = 2, .filters = 4, .seed = 3};
static const model_gan_options points = {
    .batch = 6, .latent = 2, .height = 1, .width = 1, .channels = 2, .filters = 8, .seed = 4};

typedef struct pair {
    const model_gan_options *options;
    model_generator generator;
    model_discriminator discriminator;
    float *z, *real;
    size_t count; /* of a batch's numbers */
} pair;

static void begin(pair *p, const model_gan_options *o, double real_target) {
    nn_error error = {0};
    *p = (pair){.options = o};
    test_ok(model_generator_begin(&p->generator, o, &error), &error);
    test_ok(model_discriminator_begin(&p->discriminator, o, real_target, &error), &error);
    p->count = (size_t)o->batch * p->generator.row;
    p->z = test_normal((size_t)o->batch * (size_t)o->latent, "z");
    p->real = test_normal(p->count, "real");
}

static void end(pair *p) {
    model_generator_end(&p->generator);
    model_discriminator_end(&p->discriminator);
    free(p->z);
    free(p->real);
}

/* --- losses --------------------------------------------------------------------------------------------- */

static const float *generate(pair *p) {
    const float *images;
    nn_error error = {0};
    test_ok(model_generator_run(&p->generator, p->z, &images, &error), &error);
    return images;
}

/* The generator's loss through the discriminator; with `gradients` those of the generator's parameters are set. */
static double generator_loss(pair *p, bool gradients) {
    double loss;
    const float *slope;
    nn_error error = {0};
    test_ok(model_discriminator_judge(&p->discriminator, generate(p), &loss, &slope, &error), &error);
    if (gradients)
        test_ok(model_generator_learn(&p->generator, slope, &error), &error);
    return loss;
}

static double discriminator_loss(pair *p, bool gradients) {
    model_discriminator_result result;
    nn_error error = {0};
    (void)gradients;
    test_ok(model_discriminator_learn(&p->discriminator, p->real, generate(p), &result, &error), &error);
    return result.loss;
}

/* --- finite differences --------------------------------------------------------------------------------- */

/* Along a random direction within each entry of the store: the loss's slope is the gradient's inner product with
 * it. Differences of float losses are good to a few thousandths. */
static void check_slopes(pair *p, nn_store *store, double (*loss)(pair *, bool), const char *name) {
    const float h = 1.5e-3f;
    loss(p, true);
    float *gradients = test_zeros(store->parameter_count);
    memcpy(gradients, store->gradients, store->parameter_count * sizeof *gradients);
    for (int e = 0; e < store->entry_count; e++) {
        const nn_entry *entry = &store->entries[e];
        if (entry->kind != NN_PARAMETER)
            continue;
        float *values = nn_store_values(store, entry), *way = test_normal(entry->count, "direction");
        float *kept = test_zeros(entry->count);
        double size = 0, expected = 0, slope = 0;
        memcpy(kept, values, entry->count * sizeof *kept);
        for (size_t i = 0; i < entry->count; i++)
            size += (double)way[i] * way[i];
        for (int side = -1; side <= 1; side += 2) {
            for (size_t i = 0; i < entry->count; i++)
                values[i] = kept[i] + (float)side * h * way[i] / (float)sqrt(size);
            slope += side * loss(p, false) / (2 * h);
        }
        for (size_t i = 0; i < entry->count; i++)
            expected += gradients[entry->offset + i] * way[i] / sqrt(size);
        memcpy(values, kept, entry->count * sizeof *kept);
        if (!(fabs(slope - expected) <= 0.03 * fabs(expected) + 1e-3))
            fail_msg("%s, %s: gradient %.6g, slope %.6g", name, entry->name, expected, slope);
        free(way);
        free(kept);
    }
    free(gradients);
}

/* So that gradients are far from what rounding makes of them, the discriminator has weights of size. */
static void enlarge(nn_store *store, float factor) {
    for (size_t i = 0; i < store->parameter_count; i++)
        store->parameters[i] *= factor;
}

static void generator_through_discriminator(void **state) {
    (void)state;
    const model_gan_options *cases[] = {&small_images, &points};
    for (int i = 0; i < 2; i++) {
        pair p;
        begin(&p, cases[i], 1);
        enlarge(&p.discriminator.store, 2);
        check_slopes(&p, &p.generator.store, generator_loss, i ? "points" : "images");
        end(&p);
    }
}

static void discriminator_gradients(void **state) {
    (void)state;
    const model_gan_options *cases[] = {&small_images, &points};
    for (int i = 0; i < 2; i++) {
        pair p;
        begin(&p, cases[i], i ? 1 : 0.9);
        check_slopes(&p, &p.discriminator.store, discriminator_loss, i ? "points" : "images");
        end(&p);
    }
}

/* Any gradient of the images: here that of the sum of their squares, by half. */
static double squares(pair *p, bool gradients) {
    const float *images = generate(p);
    double sum = 0;
    nn_error error = {0};
    for (size_t i = 0; i < p->count; i++)
        sum += 0.5 * images[i] * images[i];
    if (gradients) {
        float *copy = test_zeros(p->count);
        memcpy(copy, images, p->count * sizeof *copy);
        test_ok(model_generator_learn(&p->generator, copy, &error), &error);
        free(copy);
    }
    return sum;
}

static void generator_from_any_gradient(void **state) {
    (void)state;
    pair p;
    begin(&p, &small_images, 1);
    check_slopes(&p, &p.generator.store, squares, "squares");
    end(&p);
}

/* Judging moves none of the two networks, and the loss is the one that the definition gives. */
static void judging(void **state) {
    (void)state;
    pair p;
    begin(&p, &points, 1);
    float before = p.discriminator.store.parameters[0];
    double loss = generator_loss(&p, false), expected = 0;
    model_discriminator_result result;
    nn_error error = {0};
    test_ok(model_discriminator_learn(&p.discriminator, p.real, generate(&p), &result, &error), &error);
    const float *real = nn_plan_data(p.discriminator.learning, p.discriminator.real_logits);
    const float *generated = nn_plan_data(p.discriminator.learning, p.discriminator.generated_logits);
    double wrong = 0, right = 0;
    int real_right = 0, generated_right = 0;
    for (int i = 0; i < points.batch; i++) {
        expected += log1p(exp(-generated[i])) / points.batch;
        right += log1p(exp(-real[i])) / points.batch;
        wrong += log1p(exp(generated[i])) / points.batch;
        real_right += real[i] > 0;
        generated_right += !(generated[i] > 0);
    }
    assert_true(fabs(loss - expected) < 1e-5);
    assert_true(fabs(result.loss - right - wrong) < 1e-5);
    assert_true(fabs(result.real_accuracy - (double)real_right / points.batch) < 1e-9);
    assert_true(fabs(result.generated_accuracy - (double)generated_right / points.batch) < 1e-9);
    assert_true(p.discriminator.store.parameters[0] == before);
    end(&p);
}

/* --- samples -------------------------------------------------------------------------------------------- */

static void samples_depend_on_their_latent_vector_alone(void **state) {
    (void)state;
    pair p;
    nn_error error = {0};
    enum { COUNT = 13 };
    begin(&p, &small_images, 1);
    size_t row = p.generator.row, latent = (size_t)small_images.latent;
    float *z = test_normal(COUNT * latent, "many"), *all = test_zeros(COUNT * row), *one = test_zeros(row);
    generate(&p); /* moves the running statistics */
    test_ok(model_generator_sample(&p.generator, z, COUNT, all, &error), &error);
    for (int i = 0; i < COUNT; i++) {
        test_ok(model_generator_sample(&p.generator, z + (size_t)i * latent, 1, one, &error), &error);
        for (size_t k = 0; k < row; k++) {
            assert_true(fabsf(one[k] - all[(size_t)i * row + k]) < 1e-5f);
            assert_true(fabsf(one[k]) <= 1);
        }
    }
    free(z);
    free(all);
    free(one);
    end(&p);
}

static void same_for_threads(void **state) {
    (void)state;
    float *first[2] = {0};
    for (int threads = 7; threads >= 1; threads -= threads == 7 ? 5 : 1) {
        pair p;
        nn_threads_set(threads);
        begin(&p, &small_images, 1);
        discriminator_loss(&p, true);
        nn_store *stores[] = {&p.discriminator.store, &p.generator.store};
        for (int i = 0; i < 2; i++) {
            if (i == 1)
                generator_loss(&p, true);
            size_t bytes = stores[i]->parameter_count * sizeof(float);
            if (!first[i]) {
                first[i] = test_zeros(stores[i]->parameter_count);
                memcpy(first[i], stores[i]->gradients, bytes);
            }
            test_same_bits("gradients", stores[i]->gradients, first[i], bytes);
        }
        end(&p);
    }
    free(first[0]);
    free(first[1]);
    nn_threads_set(0);
}

/* The two begin differently although layers may have the same shape. */
static void networks_begin_apart(void **state) {
    (void)state;
    pair p;
    model_gan_options o = points;
    begin(&p, &o, 1);
    const nn_entry *a = nn_store_find(&p.generator.store, "hidden2.weight"),
                   *b = nn_store_find(&p.discriminator.store, "layer2.weight");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->count, b->count);
    assert_memory_not_equal(nn_store_values(&p.generator.store, a),
                            nn_store_values(&p.discriminator.store, b), a->count * sizeof(float));
    end(&p);
}

/* --- shapes --------------------------------------------------------------------------------------------- */

static size_t conv(size_t in, size_t out, size_t kernel) {
    return in * out * kernel * kernel;
}

static void parameters(void **state) {
    (void)state;
    pair p;
    model_gan_options o = {
        .batch = 2, .latent = 64, .height = 28, .width = 28, .channels = 1, .filters = 64, .seed = 1};
    begin(&p, &o, 1);
    size_t generator = 65 * 7 * 7 * 128 + 2 * 128 + conv(128, 64, 3) + 2 * 64 + conv(64, 32, 3) + 2 * 32 +
                       conv(32, 1, 3) + 1;
    size_t discriminator = conv(1, 64, 6) + 64 + conv(64, 128, 6) + 2 * 128 + 7 * 7 * 128 + 1;
    assert_int_equal(p.generator.store.parameter_count, generator);
    assert_int_equal(p.discriminator.store.parameter_count, discriminator);
    nn_shape images = nn_node_shape(p.generator.images);
    assert_true(nn_shape_equal(images, NN_SHAPE4(2, 28, 28, 1)));
    end(&p);
}

static void refuse(model_gan_options o, const char *part) {
    model_generator generator;
    model_discriminator discriminator;
    nn_error error = {0};
    test_fails(model_generator_begin(&generator, &o, &error), NN_EARGUMENT, &error, part);
    test_fails(model_discriminator_begin(&discriminator, &o, 1, &error), NN_EARGUMENT, &error, part);
    model_generator_end(&generator);
    model_discriminator_end(&discriminator);
}

static void refusals(void **state) {
    (void)state;
    model_gan_options o = small_images;
    o.height = 10;
    refuse(o, "images of 10 x 12 pixels cannot be generated: sides must be multiples of 4");
    o.height = 1;
    refuse(o, "images of 1 x 12 pixels");
    o = small_images;
    o.batch = 1;
    refuse(o, "a batch of 1");
    o = small_images;
    o.filters = 5;
    refuse(o, "5 filters make no generator");
    o = points;
    o.latent = 0;
    refuse(o, "0 latent coordinates");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_through_discriminator),
        cmocka_unit_test(discriminator_gradients),
        cmocka_unit_test(generator_from_any_gradient),
        cmocka_unit_test(judging),
        cmocka_unit_test(samples_depend_on_their_latent_vector_alone),
        cmocka_unit_test(same_for_threads),
        cmocka_unit_test(networks_begin_apart),
        cmocka_unit_test(parameters),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
