/* embed - t-SNE of stored representations, or of a layer of a trained run, to a picture. */
#include <stdlib.h>
#include <string.h>

#include "common/program.h"
#include "common/progress.h"
#include "embed/files.h"
#include "framework/kernels/kernels.h"

enum { RUN_EXAMPLES = 2000 };

static const char usage[] =
    "usage: ./embed --features X.npy [--labels Y.npy] [options]\n"
    "       ./embed --run DIR --tap NAME [--dataset NAME] [--examples N] [options]\n"
    "Places points in the plane by t-SNE, so that neighbours stay neighbours, and draws them, colored by "
    "class. The\n"
    "first form takes float32 or float64 points [b, ...] and integer labels [b]; the second takes a run "
    "folder of\n"
    "./train and shows what a layer makes of the test examples: a tap, input or logits. Writes OUT.png, "
    "OUT.svg,\n"
    "OUT.npy (coordinates) and OUT.json (summary). Ctrl-C writes what there is so far.\n";

typedef struct embed_options {
    char features[EXP_TEXT_MAX], labels[EXP_TEXT_MAX];
    char run[EXP_TEXT_MAX], tap[EXP_TEXT_MAX], dataset[EXP_TEXT_MAX], data[EXP_TEXT_MAX], out[EXP_TEXT_MAX];
    uint64_t examples, iterations, seed, threads;
    double perplexity, theta;
    int start;
    bool json, quiet;
} embed_options;

static const char *const starts[] = {"principal", "random", NULL};
static const embed_options defaults = {
    .examples = RUN_EXAMPLES, .iterations = 1000, .seed = 1, .perplexity = 30, .theta = 0.5};

#define AT(field) offsetof(embed_options, field)

static const exp_option table[] = {
    {"features", EXP_TEXT, AT(features), "X.npy", "points, [b, ...]; or FILE.npz:NAME", .recorded = false},
    {"labels", EXP_TEXT, AT(labels), "Y.npy", "their classes, [b]; or FILE.npz:NAME", .recorded = false},
    {"run", EXP_TEXT, AT(run), "DIR", "run folder", .recorded = false},
    {"tap", EXP_TEXT, AT(tap), "NAME", "which layer of the run: a tap, input or logits", .recorded = false},
    {"dataset", EXP_TEXT, AT(dataset), "NAME|PATH",
     "show another data set than the run's; pictures are made of its size", .recorded = false},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"examples", EXP_COUNT, AT(examples), "N", "the first N test examples of the run's data; 0: all", 0, 1e9,
     .recorded = false},
    {"out", EXP_TEXT, AT(out), "PATH", "files PATH.png, ... (else RUN/embedding-TAP, or embedding)",
     .recorded = false},
    {"perplexity", EXP_NUMBER, AT(perplexity), "P", "effective number of neighbours", 1, 1e6,
     .recorded = false},
    {"iterations", EXP_COUNT, AT(iterations), "N", "steps of the descent", 1, 1e6, .recorded = false},
    {"theta", EXP_NUMBER, AT(theta), "T",
     "above 2,000 points: how coarse far ones are taken (Barnes-Hut); 0: exact", 0, 1, .recorded = false},
    {"start", EXP_CHOICE, AT(start), "NAME", "components, or random places", .choices = starts,
     .recorded = false},
    {"seed", EXP_COUNT, AT(seed), "N", "of a random start", 0, 9e15, .recorded = false},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors; results do not depend on it", 0, 256,
     .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "the summary as one line of JSON on standard output",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress", .recorded = false},
    {0},
};

static nn_status check_usage(embed_options *o, nn_error *error) {
    bool files = o->features[0] || o->labels[0];
    bool run = o->run[0] || o->tap[0] || o->dataset[0] || o->examples != RUN_EXAMPLES;
    if (files == run || (files && !o->features[0]) || (run && !o->run[0]))
        return nn_fail(error, NN_EARGUMENT,
                       "give either --features (and --labels), or --run and --tap (see --help)");
    if (run && !o->tap[0])
        return nn_fail(error, NN_EARGUMENT,
                       "--run needs --tap NAME: a tap of the run (./measure lists them), input or logits");
    if (!o->out[0]) {
        int length = run ? snprintf(o->out, sizeof o->out, "%s/embedding-%s", o->run, o->tap)
                         : snprintf(o->out, sizeof o->out, "embedding");
        if (length >= (int)sizeof o->out)
            return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    }
    return NN_OK;
}

static nn_status load(const embed_options *o, exp_embed_source *source, nn_error *error) {
    if (o->features[0])
        return exp_embed_source_files(source, o->features, o->labels[0] ? o->labels : NULL, error);
    exp_run_request request = {.run = o->run,
                               .dataset = o->dataset[0] ? o->dataset : NULL,
                               .data = o->data,
                               .examples = o->examples};
    return exp_embed_source_run(source, &request, o->tap, error);
}

/* --- the work ------------------------------------------------------------------------------------------- */

typedef struct job {
    exp_embedding embedding;
    exp_progress progress;
    double begin; /* of the descent, in seconds */
} job;

static void report(void *context, int iterations, double kl) {
    job *j = context;
    j->embedding.iterations = iterations;
    exp_progress_say(&j->progress, "iteration %4d of %d  KL divergence %.4f  %.1f s", iterations,
                     j->embedding.options->iterations, kl, exp_seconds() - j->begin);
}

static void describe(job *j) {
    const exp_embed_source *s = j->embedding.source;
    exp_progress_say(&j->progress, "points   %s: %d of %d dimensions", s->title, s->count, s->dims);
    exp_progress_note(&j->progress, s->title, s->note);
    exp_progress_say(&j->progress, "method   %s, %s kernels, %d threads",
                     exp_tsne_is_exact(j->embedding.options, s->count) ? "every pair" : "Barnes-Hut",
                     nn_kernels_active()->name, nn_threads());
    if (j->embedding.before.usable > 0)
        exp_progress_say(&j->progress, "SNNL     %.6f at temperature %.6g", j->embedding.before.value,
                         j->embedding.before.temperature);
}

/* Nothing is written where the first iteration was not reached: then iterations is 0. */
static nn_status embed(const embed_options *o, job *j, nn_error *error) {
    exp_embedding *e = &j->embedding;
    const exp_embed_source *s = e->source;
    e->y = calloc(2 * (size_t)s->count, sizeof *e->y);
    if (!e->y)
        return nn_fail_memory(error, "the embedding");
    nn_status status = exp_embedding_measure_before(e, error);
    if (status == NN_OK) {
        describe(j);
        j->begin = exp_seconds();
        status = exp_tsne(e->options, s->count, s->dims, s->x, e->y, &e->kl, error);
    }
    e->seconds = exp_seconds() - j->begin;
    e->interrupted = e->iterations < e->options->iterations;
    if (status == NN_OK && e->iterations > 0)
        status = exp_embedding_measure_after(e, error);
    if (status == NN_OK && e->iterations > 0)
        status = exp_embedding_write(e, o->out, o->json ? stdout : NULL, error);
    return status;
}

static void conclude(const embed_options *o, job *j) {
    const exp_embedding *e = &j->embedding;
    if (e->iterations == 0)
        exp_progress_say(&j->progress, "interrupted before the first iteration: nothing written");
    else
        exp_progress_say(&j->progress, "%s after %d iterations, %.1f s: %s.png, .svg, .npy, .json",
                         e->interrupted ? "interrupted" : "done", e->iterations, e->seconds, o->out);
}

static nn_status run(const embed_options *o, bool *interrupted, nn_error *error) {
    exp_tsne_options options = exp_tsne_defaults;
    exp_embed_source source = {0};
    job j = {.embedding = {.source = &source, .options = &options}, .progress = exp_progress_begin(o->quiet)};
    options.perplexity = o->perplexity;
    options.theta = o->theta;
    options.iterations = (int)o->iterations;
    options.start = (exp_tsne_start)o->start;
    options.seed = o->seed;
    options.report = report;
    options.context = &j;
    options.stop = &exp_stop;
    nn_status status = exp_embedding_check_folder(o->out, error);
    if (status == NN_OK)
        status = load(o, &source, error);
    if (status == NN_OK)
        status = embed(o, &j, error);
    if (status == NN_OK)
        conclude(o, &j);
    *interrupted = j.embedding.interrupted;
    free(j.embedding.y);
    exp_embed_source_free(&source);
    return status;
}

int main(int argc, char **argv) {
    embed_options options = defaults;
    nn_error error = {0};
    bool interrupted;
    exp_start(argv);
    if (exp_options_informed(table, &defaults, "embed", usage, argc, argv))
        return 0;
    nn_status status = exp_options_parse(table, &options, argc, argv, &error);
    if (status == NN_OK)
        status = check_usage(&options, &error);
    if (status != NN_OK)
        return exp_refuse("embed", &error);

    exp_catch_interrupts();
    nn_threads_set((int)options.threads);
    status = run(&options, &interrupted, &error);
    if (status != NN_OK)
        return exp_fail("embed", &error);

    return interrupted ? EXP_INTERRUPTED : 0;
}
