#include "training.h"

#include <stdlib.h>
#include <string.h>

static void draw(nn_stream *stream, size_t count, float *z) {
    for (size_t i = 0; i < count; i++)
        z[i] = nn_random_normal(stream);
}

float *exp_gan_latent(const exp_gan_options *o, const char *name, int count) {
    size_t all = (size_t)count * o->latent;
    nn_stream stream = nn_stream_named(o->seed, name);
    float *z = calloc(all, sizeof *z);
    if (z)
        draw(&stream, all, z);
    return z;
}

/* --- opening -------------------------------------------------------------------------------------------- */

static nn_status open_networks(exp_gan_training *t, nn_error *error) {
    const exp_gan_options *o = t->options;
    model_gan_options networks = {.batch = (int)o->batch,
                                  .latent = (int)o->latent,
                                  .height = t->real->height,
                                  .width = t->real->width,
                                  .channels = t->real->channels,
                                  .filters = (int)o->filters,
                                  .seed = o->seed};
    nn_optimizer_options adam = {.kind = NN_ADAM, .beta1 = (float)o->momentum};
    nn_status status = model_generator_begin(&t->generator, &networks, error);
    if (status == NN_OK)
        status = nn_optimizer_begin(&t->generator_optimizer, &t->generator.store, adam, error);
    if (status == NN_OK && t->judged)
        status = model_discriminator_begin(&t->discriminator, &networks, o->real_target, error);
    if (status == NN_OK && t->judged)
        status = nn_optimizer_begin(&t->discriminator_optimizer, &t->discriminator.store, adam, error);
    return status;
}

nn_status exp_gan_training_open(exp_gan_training *t, const exp_gan_options *o, exp_gan_real *real,
                                nn_error *error) {
    *t = (exp_gan_training){.options = o,
                            .real = real,
                            .judged = o->objective != EXP_GAN_SNNL,
                            .entangled = o->objective != EXP_GAN_ADVERSARIAL,
                            .latent = nn_stream_named(o->seed, "gan/latent")};
    t->z = calloc(o->batch * o->latent, sizeof *t->z);
    t->gradient = calloc(o->batch * real->row, sizeof *t->gradient);
    if (!t->z || !t->gradient)
        return nn_fail_memory(error, "a batch");
    nn_status status = open_networks(t, error);
    if (status == NN_OK && t->entangled)
        status = exp_gan_contrast_new(&t->contrast, (int)o->batch, real->row, true, error);
    if (status == NN_OK)
        status = exp_gan_temperatures(o, t->temperatures, &t->temperature_count, error);
    return status;
}

void exp_gan_training_close(exp_gan_training *t) {
    nn_optimizer_free(&t->generator_optimizer);
    nn_optimizer_free(&t->discriminator_optimizer);
    model_generator_end(&t->generator);
    model_discriminator_end(&t->discriminator);
    exp_gan_contrast_free(&t->contrast);
    free(t->z);
    free(t->gradient);
    *t = (exp_gan_training){0};
}

/* --- steps ---------------------------------------------------------------------------------------------- */

/* D takes a step, and its verdict's gradient becomes that of the images. */
static nn_status judge(exp_gan_training *t, const float *real, const float *images, double *loss,
                       nn_error *error) {
    model_discriminator_result result;
    const float *gradient;
    nn_status status = model_discriminator_learn(&t->discriminator, real, images, &result, error);
    if (status != NN_OK)
        return status;
    nn_optimizer_step(&t->discriminator_optimizer, (float)t->options->rate);
    status = model_discriminator_judge(&t->discriminator, images, loss, &gradient, error);
    if (status != NN_OK)
        return status;
    memcpy(t->gradient, gradient, t->options->batch * t->real->row * sizeof *gradient);
    t->sums.discriminator += result.loss;
    t->sums.accuracy_real += result.real_accuracy;
    t->sums.accuracy_generated += result.generated_accuracy;
    return NN_OK;
}

/* Subtracts `weight` times the SNNL of the batch from the loss, and its gradient from that of the images. */
static nn_status entangle(exp_gan_training *t, const float *real, const float *images, double weight,
                          double *loss, nn_error *error) {
    exp_gan_contrast_set(&t->contrast, real, images);
    const float *slope;
    if (exp_gan_contrast_follow(&t->contrast, t->temperatures, t->temperature_count, &slope, error) != NN_OK)
        return error->status;
    for (size_t i = 0; i < t->options->batch * t->real->row; i++)
        t->gradient[i] -= (float)weight * slope[i];
    *loss -= weight * t->contrast.result.value;
    t->sums.snnl += t->contrast.result.value;
    return NN_OK;
}

static nn_status blame(const exp_gan_training *t, nn_error *error) {
    nn_error cause = *error;
    *error = (nn_error){0};
    return nn_fail(error, cause.status, "step %llu: %s: try a lower --lr", (unsigned long long)t->steps + 1,
                   cause.message);
}

static nn_status take_step(exp_gan_training *t, nn_error *error) {
    const exp_gan_options *o = t->options;
    const float *real = exp_gan_real_next(t->real), *images;
    double loss = 0, weight = t->judged ? o->snnl_weight : 1;
    draw(&t->latent, o->batch * o->latent, t->z);
    memset(t->gradient, 0, o->batch * t->real->row * sizeof *t->gradient);
    nn_status status = model_generator_run(&t->generator, t->z, &images, error);
    if (status == NN_OK && t->judged)
        status = judge(t, real, images, &loss, error);
    if (status == NN_OK && t->entangled)
        status = entangle(t, real, images, weight, &loss, error);
    if (status == NN_OK)
        status = model_generator_learn(&t->generator, t->gradient, error);
    t->sums.generator += loss;
    return status;
}

nn_status exp_gan_training_step(exp_gan_training *t, nn_error *error) {
    if (take_step(t, error) != NN_OK)
        return error->status == NN_ENUMERIC ? blame(t, error) : error->status;
    nn_optimizer_step(&t->generator_optimizer, (float)t->options->rate);
    t->steps++;
    t->sums.steps++;
    return NN_OK;
}

exp_gan_losses exp_gan_training_losses(exp_gan_training *t) {
    exp_gan_losses means = t->sums;
    if (means.steps) {
        means.discriminator /= means.steps;
        means.generator /= means.steps;
        means.accuracy_real /= means.steps;
        means.accuracy_generated /= means.steps;
        means.snnl /= means.steps;
    }
    t->sums = (exp_gan_losses){0};
    return means;
}
