#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "curves.h"
#include "experiments/common/progress.h"
#include "framework/kernels/kernels.h"
#include "snapshots.h"

enum { SAMPLES = 1000 }; /* whose classes are counted in a snapshot */

typedef struct gan_run {
    const exp_gan_options *options;
    const volatile sig_atomic_t *stop;
    exp_gan_real real;
    exp_gan_judge judge;
    exp_gan_training training;
    exp_gan_record record;
    exp_gan_contrast contrast; /* of pixels */
    nn_snnl_result reference;  /* of real examples with other real ones */
    uint64_t snapshots[EXP_GAN_SNAPSHOTS];
    int snapshot_count;
    float *z,
        *generated; /* [samples][latent], [samples][row]: the fixed latent vectors, what becomes of them */
    int samples;    /* SAMPLES at least, and all that SNNL is measured of */
    double seconds; /* of training */
    exp_progress progress;
} gan_run;

static bool judged(const gan_run *r) {
    return r->options->classifier[0] != '\0';
}

/* --- opening -------------------------------------------------------------------------------------------- */

static nn_status make_samples(gan_run *r, nn_error *error) {
    r->samples = r->real.examples > SAMPLES ? r->real.examples : SAMPLES;
    r->z = exp_gan_latent(r->options, "gan/samples", r->samples);
    r->generated = calloc((size_t)r->samples * r->real.row, sizeof *r->generated);
    return r->z && r->generated ? NN_OK : nn_fail_memory(error, "the samples");
}

/* What SNNL comes to where both classes are real. */
static nn_status measure_reference(gan_run *r, nn_error *error) {
    const float *held = r->real.held;
    exp_gan_contrast_set(&r->contrast, held, held + (size_t)r->real.examples * r->real.row);
    nn_status status = exp_gan_contrast_measure(&r->contrast, error);
    r->reference = r->contrast.result;
    return status;
}

static nn_status open(gan_run *r, nn_error *error) {
    const exp_gan_options *o = r->options;
    nn_status status = exp_gan_snapshot_steps(o, r->snapshots, &r->snapshot_count, error);
    if (status == NN_OK)
        status = exp_gan_real_open(&r->real, o, error);
    if (status == NN_OK && judged(r))
        status = exp_gan_judge_open(&r->judge, o, &r->real, error);
    if (status == NN_OK)
        status = exp_gan_training_open(&r->training, o, &r->real, error);
    if (status == NN_OK)
        status = exp_gan_contrast_new(&r->contrast, r->real.examples, r->real.row, false, error);
    if (status == NN_OK)
        status = measure_reference(r, error);
    if (status == NN_OK)
        status = make_samples(r, error);
    return status == NN_OK ? exp_gan_record_open(&r->record, o, judged(r) ? &r->judge : NULL, error) : status;
}

static void close(gan_run *r) {
    exp_gan_record_close(&r->record);
    exp_gan_training_close(&r->training);
    exp_gan_judge_close(&r->judge);
    exp_gan_real_close(&r->real);
    exp_gan_contrast_free(&r->contrast);
    free(r->z);
    free(r->generated);
}

static void describe(gan_run *r) {
    const exp_gan_training *t = &r->training;
    exp_progress *p = &r->progress;
    if (r->real.loader)
        exp_progress_say(p, "data     %s from %s, checksum %016llx: %d training images of %d x %d x %d",
                         r->real.name, r->real.set.source, (unsigned long long)r->real.set.checksum,
                         r->real.set.train.count, r->real.height, r->real.width, r->real.channels);
    if (r->real.loader)
        exp_progress_note(p, r->real.name, r->real.set.note);
    else
        exp_progress_say(p, "data     %d Gaussians on a circle", EXP_GAN_CENTERS);
    exp_progress_say(p, "networks generator of %zu parameters, discriminator of %zu",
                     t->generator.store.parameter_count, t->discriminator.store.parameter_count);
    exp_progress_say(p, "kernels  %s, %d threads", nn_kernels_active()->name, nn_threads());
    exp_progress_say(p, "SNNL     of %d real and %d generated examples; %.4f where both are real",
                     r->real.examples, r->real.examples, r->reference.value);
    if (judged(r))
        exp_progress_say(p, "judge    %s: top probability %.3f on real examples", r->options->classifier,
                         r->judge.real.top_probability);
    exp_progress_say(p, "run      %s", r->record.folder);
}

/* --- looking -------------------------------------------------------------------------------------------- */

static bool is_snapshot(const gan_run *r, uint64_t step) {
    for (int i = 0; i < r->snapshot_count; i++)
        if (r->snapshots[i] == step)
            return true;
    return false;
}

static void tell(gan_run *r, const exp_gan_row *row) {
    char losses[96] = "", quality[64] = "";
    const exp_gan_losses *l = &row->losses;
    if (l->steps && r->record.judged)
        snprintf(losses, sizeof losses, "  loss D %.3f G %.3f  D right: real %2.0f%% generated %2.0f%%",
                 l->discriminator, l->generator, 100 * l->accuracy_real, 100 * l->accuracy_generated);
    else if (l->steps)
        snprintf(losses, sizeof losses, "  loss %.4f", l->generator);
    if (row->quality.samples)
        snprintf(quality, sizeof quality, "  top probability %.3f", row->quality.top_probability);
    exp_progress_say(&r->progress, "step %llu/%llu%s  SNNL %.4f%s  %.0f s", (unsigned long long)row->step,
                     (unsigned long long)r->options->steps, losses, row->snnl, quality, row->seconds);
}

static nn_status measure(gan_run *r, int count, exp_gan_row *row, nn_error *error) {
    exp_gan_contrast_set(&r->contrast, r->real.held, r->generated);
    nn_status status = exp_gan_contrast_measure(&r->contrast, error);
    row->snnl = r->contrast.result.value;
    row->temperature = r->contrast.result.temperature;
    if (status == NN_OK && judged(r))
        status = exp_gan_judge_look(&r->judge, r->generated, count, &row->quality, error);
    for (int i = 0; i < r->judge.taps; i++) {
        row->tap_snnl[i] = r->judge.contrast[i].result.value;
        row->tap_temperature[i] = r->judge.contrast[i].result.temperature;
    }
    return status;
}

static nn_status look(gan_run *r, bool snapshot, nn_error *error) {
    int count = snapshot ? r->samples : r->real.examples;
    exp_gan_row row = {
        .step = r->training.steps, .seconds = r->seconds, .losses = exp_gan_training_losses(&r->training)};
    nn_status status = model_generator_sample(&r->training.generator, r->z, count, r->generated, error);
    if (status == NN_OK)
        status = measure(r, count, &row, error);
    if (status == NN_OK)
        status = exp_gan_record_add(&r->record, &row, error);
    if (status != NN_OK)
        return status;
    tell(r, &row);
    if (!snapshot)
        return NN_OK;
    status = exp_gan_record_snapshot(&r->record, r->generated, (size_t)r->real.examples * r->real.row, error);
    return status == NN_OK ? exp_gan_write_sheet(&r->record, &r->real, r->generated, r->samples, error)
                           : status;
}

/* --- the run -------------------------------------------------------------------------------------------- */

static nn_status train(gan_run *r, nn_error *error) {
    const exp_gan_options *o = r->options;
    for (;;) {
        uint64_t step = r->training.steps;
        bool last = step == o->steps || *r->stop, snapshot = last || is_snapshot(r, step);
        if ((snapshot || step == 0 || (o->log_every && step % o->log_every == 0)) &&
            look(r, snapshot, error) != NN_OK)
            return error->status;
        if (last)
            return NN_OK;
        double begin = exp_seconds();
        if (exp_gan_training_step(&r->training, error) != NN_OK)
            return error->status;
        r->seconds += exp_seconds() - begin;
    }
}

static nn_status finish(gan_run *r, exp_gan_result *result, nn_error *error) {
    const exp_gan_options *o = r->options;
    exp_gan_outcome outcome = {.options = o,
                               .real = &r->real,
                               .judge = judged(r) ? &r->judge : NULL,
                               .training = &r->training,
                               .record = &r->record,
                               .reference = r->reference};
    *result = (exp_gan_result){.steps = r->training.steps,
                               .snnl = r->record.rows[r->record.row_count - 1].snnl,
                               .seconds = r->seconds,
                               .interrupted = r->training.steps < o->steps};
    strcpy(result->run, r->record.folder);
    outcome.interrupted = result->interrupted;
    nn_status status = exp_gan_write_networks(&outcome, error);
    if (status == NN_OK && o->pictures) {
        exp_progress_say(&r->progress, "drawing");
        status = exp_gan_draw_curves(&outcome, error);
        if (status == NN_OK)
            status = exp_gan_draw_snapshots(&outcome, error);
    }
    return status == NN_OK ? exp_gan_write_summary(&outcome, error) : status;
}

nn_status exp_gan_run(const exp_gan_options *options, const volatile sig_atomic_t *stop,
                      exp_gan_result *result, nn_error *error) {
    gan_run r = {.options = options, .stop = stop, .progress = exp_progress_begin(options->quiet)};
    *result = (exp_gan_result){0};
    nn_status status = open(&r, error);
    if (status == NN_OK) {
        describe(&r);
        status = train(&r, error);
    }
    if (status == NN_OK)
        status = finish(&r, result, error);
    close(&r);
    return status;
}
