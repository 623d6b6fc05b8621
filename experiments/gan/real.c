#include "real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/data_options.h"
#include "experiments/common/train_options.h"

const double exp_gan_circle = 2, exp_gan_deviation = 0.1;

/* Pixels from 0 to 1 become values from -1 to 1. */
static const float middle[DATA_CHANNELS_MAX] = {0.5f, 0.5f, 0.5f, 0.5f};

static void draw_points(nn_stream *stream, int count, float *points) {
    for (int i = 0; i < count; i++) {
        double angle = 2 * M_PI * nn_random_below(stream, EXP_GAN_CENTERS) / EXP_GAN_CENTERS;
        points[2 * i] = (float)(exp_gan_circle * cos(angle) + exp_gan_deviation * nn_random_normal(stream));
        points[2 * i + 1] =
            (float)(exp_gan_circle * sin(angle) + exp_gan_deviation * nn_random_normal(stream));
    }
}

static nn_status hold(exp_gan_real *r, nn_error *error) {
    r->held = calloc(2 * (size_t)r->examples * r->row, sizeof *r->held);
    return r->held ? NN_OK : nn_fail_memory(error, "the examples to measure with");
}

static nn_status open_mixture(exp_gan_real *r, const exp_gan_options *o, nn_error *error) {
    snprintf(r->name, sizeof r->name, "mixture");
    r->height = r->width = 1;
    r->channels = 2;
    r->row = 2;
    r->examples = (int)o->examples;
    r->stream = nn_stream_named(o->seed, "gan/mixture");
    r->points = calloc((size_t)r->batch * r->row, sizeof *r->points);
    if (!r->points)
        return nn_fail_memory(error, "a batch");
    nn_status status = hold(r, error);
    nn_stream stream = nn_stream_named(o->seed, "gan/held");
    if (status == NN_OK)
        draw_points(&stream, 2 * r->examples, r->held);
    return status;
}

/* The first images of an order that the seed decides. */
static nn_status hold_images(exp_gan_real *r, const exp_gan_options *o, nn_error *error) {
    const data_split *split = r->set.test.count ? &r->set.test : &r->set.train;
    data_loader *loader;
    r->examples = split->count / 2 < (int)o->examples ? split->count / 2 : (int)o->examples;
    if (r->examples < 2)
        return nn_fail(error, NN_EARGUMENT, "%s has too few examples to measure with", r->name);
    data_batch_options batches = {
        .batch = 2 * r->examples, .shuffle = true, .seed = o->seed, .mean = middle, .deviation = middle};
    nn_status status = hold(r, error);
    if (status == NN_OK)
        status = data_loader_new(&loader, &r->set, split, batches, error);
    if (status != NN_OK)
        return status;
    memcpy(r->held, data_loader_next(loader)->images, 2 * (size_t)r->examples * r->row * sizeof *r->held);
    data_loader_free(loader);
    return NN_OK;
}

static nn_status open_images(exp_gan_real *r, const exp_gan_options *o, nn_error *error) {
    data_set *set = &r->set;
    nn_status status = data_load_as(set, o->dataset, exp_data_root(o->data), exp_image_form(o->image_size),
                                    (int)o->train_limit, 0, error);
    if (status != NN_OK)
        return status;
    if (set->train.count < r->batch)
        return nn_fail(error, NN_EARGUMENT, "%s has %d training examples, fewer than a batch of %d",
                       set->name, set->train.count, r->batch);
    snprintf(r->name, sizeof r->name, "%s", set->name);
    r->height = set->height;
    r->width = set->width;
    r->channels = set->channels;
    r->row = (size_t)r->height * (size_t)r->width * (size_t)r->channels;
    data_batch_options batches = {.batch = r->batch,
                                  .shuffle = true,
                                  .drop_partial = true,
                                  .seed = o->seed,
                                  .mean = middle,
                                  .deviation = middle};
    status = data_loader_new(&r->loader, set, &set->train, batches, error);
    return status == NN_OK ? hold_images(r, o, error) : status;
}

nn_status exp_gan_real_open(exp_gan_real *r, const exp_gan_options *o, nn_error *error) {
    *r = (exp_gan_real){.batch = (int)o->batch};
    return exp_gan_is_mixture(o) ? open_mixture(r, o, error) : open_images(r, o, error);
}

void exp_gan_real_close(exp_gan_real *r) {
    data_loader_free(r->loader);
    data_free(&r->set);
    free(r->points);
    free(r->held);
    *r = (exp_gan_real){0};
}

const float *exp_gan_real_next(exp_gan_real *r) {
    if (r->loader)
        return data_loader_next(r->loader)->images;
    draw_points(&r->stream, r->batch, r->points);
    return r->points;
}
