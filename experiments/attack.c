/* attack - adversarial examples for a trained run: how far its accuracy falls, what other runs make of them, how its
 * input gradients are structured, and whether Deep k-Nearest Neighbors notice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack/files.h"
#include "attack/summary.h"
#include "common/make_folder.h"
#include "common/program.h"
#include "common/progress.h"
#include "framework/threads.h"

enum { LEAST_GRADIENTS = 4 };

static const char usage[] =
    "usage: ./attack --run DIR [--methods fgsm,bim,pgd] [--epsilon LIST] [--to RUN,RUN,...] [options]\n"
    "Moves every pixel of test images by at most epsilon (pixels are 0 to 1) so that the run, a folder of "
    "./train, errs:\n"
    "fgsm in one step along the sign of the gradient, bim in several, pgd in several from a random start. "
    "Writes to the\n"
    "folder --out: attack.csv, accuracy against epsilon (curves.png, .svg), adversarial examples "
    "(examples-METHOD.png),\n"
    "the signs of the input gradients by t-SNE (gradients.png, .svg), and summary.json.\n";

typedef struct attack_options {
    char run[EXP_TEXT_MAX], to[EXP_TEXT_MAX], dataset[EXP_TEXT_MAX], data[EXP_TEXT_MAX], out[EXP_TEXT_MAX],
        dump[EXP_TEXT_MAX];
    char methods[EXP_TEXT_MAX], epsilon[EXP_TEXT_MAX], target[EXP_TEXT_MAX];
    uint64_t examples, iterations, seed, threads, gradient_examples;
    double step;
    bool credibility;
    int credibility_method;
    char credibility_epsilon[EXP_TEXT_MAX];
    uint64_t neighbors, calibration, training;
    bool json, quiet;
} attack_options;

static const attack_options defaults = {.methods = "fgsm,bim,pgd",
                                        .target = "none",
                                        .examples = 1000,
                                        .iterations = 20,
                                        .seed = 1,
                                        .gradient_examples = 1000,
                                        .neighbors = 75,
                                        .calibration = 750};

#define AT(field) offsetof(attack_options, field)

static const exp_option table[] = {
    {"run", EXP_TEXT, AT(run), "DIR", "run folder: the network that is attacked", .recorded = false},
    {"methods", EXP_TEXT, AT(methods), "LIST", "of fgsm, bim, pgd", .recorded = false},
    {"epsilon", EXP_TEXT, AT(epsilon), "LIST",
     "most that a pixel is moved, as 0.1,0.2 or 4/255,8/255 (else 0.05,...,0.3 for gray images, "
     "1/255,...,16/255 for "
     "others)",
     .recorded = false},
    {"target", EXP_TEXT, AT(target), "CLASS",
     "a class to be reached, by name or number; next: the one after the true one; least-likely: by the clean "
     "image's "
     "logits; none: any wrong one",
     .recorded = false},
    {"iterations", EXP_COUNT, AT(iterations), "N", "steps of bim and pgd", 1, 1e6, .recorded = false},
    {"step", EXP_NUMBER, AT(step), "S", "size of those steps; 0: 2.5 epsilon / iterations, at most epsilon",
     0, 1, .recorded = false},
    {"seed", EXP_COUNT, AT(seed), "N", "of pgd's random starts", 0, 9e15, .recorded = false},
    {"examples", EXP_COUNT, AT(examples), "N", "the first N test examples; 0: all", 0, 1e9,
     .recorded = false},
    {"to", EXP_TEXT, AT(to), "RUN,...", "folders of other runs that are shown the same adversarial images",
     .recorded = false},
    {"dataset", EXP_TEXT, AT(dataset), "NAME|PATH",
     "attack on another data set than the run's; pictures are made of its size", .recorded = false},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"gradient-examples", EXP_COUNT, AT(gradient_examples), "N",
     "input gradients whose signs are embedded, of the first examples; 0: none", 0, 1e6, .recorded = false},
    {"credibility", EXP_FLAG, AT(credibility), NULL,
     "what Deep k-Nearest Neighbors say of one attack (minutes)", .recorded = false},
    {"credibility-method", EXP_CHOICE, AT(credibility_method), "NAME", "which", .choices = exp_attack_methods,
     .recorded = false},
    {"credibility-epsilon", EXP_TEXT, AT(credibility_epsilon), "E",
     "how far (else 0.25 for gray images, 8/255 for others)", .recorded = false},
    {"neighbors", EXP_COUNT, AT(neighbors), "K", "of each layer, for --credibility", 1, 1e6,
     .recorded = false},
    {"calibration", EXP_COUNT, AT(calibration), "N",
     "the first N test examples calibrate --credibility; the --examples after them are judged", 1, 1e6,
     .recorded = false},
    {"training", EXP_COUNT, AT(training), "N", "training examples to find neighbours among; 0: all", 0, 1e9,
     .recorded = false},
    {"out", EXP_TEXT, AT(out), "DIR", "folder for results (else RUN/attack)", .recorded = false},
    {"dump", EXP_TEXT, AT(dump), "PATH",
     "adversarial images as PATH-METHOD-EPSILON.npy, classes as PATH-labels.npy", .recorded = false},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors; results do not depend on it", 0, 256,
     .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "the summary as one line of JSON on standard output",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress", .recorded = false},
    {0},
};

/* --- the job -------------------------------------------------------------------------------------------- */

typedef struct job {
    attack_options *options;
    exp_progress progress;
    const char *doing; /* what the progress shown is of */
    double begin;      /* in seconds */
    const char *targets[EXP_TARGETS_MAX];
    exp_attack_model models[1 + EXP_TARGETS_MAX];
    exp_attack_settings settings;
    exp_attack_evaluation evaluation;
    exp_attack_sheet sheet;
    exp_gradient_signs gradients;
    exp_attack_credibility credibility;
    bool interrupted;
} job;

/* What can be known without data. */
static nn_status check_usage(job *j, nn_error *error) {
    attack_options *o = j->options;
    exp_attack_settings *s = &j->settings;
    int targets = 0;
    exp_epsilon ignored;
    *s = (exp_attack_settings){.aim = exp_attack_read_aim(o->target),
                               .iterations = (int)o->iterations,
                               .step = o->step,
                               .seed = o->seed};
    if (o->credibility && o->dataset[0])
        return nn_fail(
            error, NN_EARGUMENT,
            "--credibility needs the run's own data, for neighbours and calibration: not with --dataset");
    if (!o->run[0])
        return nn_fail(error, NN_EARGUMENT, "--run DIR: which run is to be attacked? (see --help)");
    nn_status status = exp_attack_read_methods(o->methods, s->methods, &s->method_count, error);
    if (status == NN_OK && o->epsilon[0])
        status = exp_attack_read_epsilons(o->epsilon, s->epsilons, &s->epsilon_count, error);
    if (status == NN_OK && o->credibility_epsilon[0])
        status = exp_attack_read_epsilon("credibility-epsilon", o->credibility_epsilon, &ignored, error);
    if (status == NN_OK)
        status = exp_attack_read_runs(o->to, j->targets, &targets, error);
    if (status == NN_OK && o->gradient_examples > 0 && o->gradient_examples < LEAST_GRADIENTS)
        status = nn_fail(error, NN_EARGUMENT, "--gradient-examples: 0, or %d or more", LEAST_GRADIENTS);
    int length = o->out[0] ? (int)strlen(o->out) : snprintf(o->out, sizeof o->out, "%s/attack", o->run);
    if (status == NN_OK && length >= EXP_TEXT_MAX - 64)
        status = nn_fail(error, NN_EARGUMENT, "--out: the path is too long");
    if (status == NN_OK && strlen(o->dump) >= EXP_TEXT_MAX - 64)
        status = nn_fail(error, NN_EARGUMENT, "--dump: the path is too long");
    j->evaluation.model_count = 1 + targets;
    return status;
}

static nn_status open_models(job *j, nn_error *error) {
    const attack_options *o = j->options;
    exp_run_request request = {
        .run = o->run, .dataset = o->dataset[0] ? o->dataset : NULL, .data = o->data, .examples = 0};
    nn_status status = exp_attack_model_open(&j->models[0], &request, EXP_ATTACK, o->credibility, error);
    for (int m = 1; m < j->evaluation.model_count && status == NN_OK; m++) {
        request.run = j->targets[m - 1];
        request.examples = 1;
        status = exp_attack_model_open(&j->models[m], &request, EXP_EVALUATE, false, error);
        if (status == NN_OK)
            status = exp_attack_models_agree(&j->models[0], &j->models[m], error);
    }
    return status;
}

/* What depends on the data: epsilons, the class aimed for, how many examples. */
static nn_status settle(job *j, nn_error *error) {
    const attack_options *o = j->options;
    exp_attack_settings *s = &j->settings;
    exp_attack_credibility *c = &j->credibility;
    const data_set *set = &j->models[0].run.set;
    uint64_t all = (uint64_t)set->test.count, examples = o->examples && o->examples < all ? o->examples : all;
    nn_status status = NN_OK;
    if (!o->epsilon[0])
        status = exp_attack_read_epsilons(exp_attack_default_epsilons(set->channels), s->epsilons,
                                          &s->epsilon_count, error);
    if (status == NN_OK && s->aim == EXP_AIM_CLASS)
        status = exp_attack_read_class(o->target, set, &s->target, error);
    *c = (exp_attack_credibility){.method = (exp_attack_method)o->credibility_method,
                                  .neighbors = (int)o->neighbors,
                                  .calibration = (int)o->calibration,
                                  .training = (int)o->training,
                                  .examples = (int)examples};
    if (status == NN_OK)
        status = exp_attack_read_epsilon(
            "credibility-epsilon",
            o->credibility_epsilon[0] ? o->credibility_epsilon : exp_attack_default_epsilon(set->channels),
            &c->epsilon, error);
    if (status == NN_OK && o->credibility)
        status = exp_attack_credibility_check(c, &j->models[0], error);
    j->evaluation.examples = (int)examples;
    return status;
}

static nn_status make_folder(const char *path, nn_error *error) {
    nn_status status = exp_make_folders(path, error);
    if (status == NN_OK && access(path, W_OK | X_OK) != 0)
        status = nn_fail(error, NN_EFILE, "--out: cannot write to the folder %s: %s", path, strerror(errno));
    return status;
}

/* --- progress ------------------------------------------------------------------------------------------- */

static void report(void *context, double done) {
    job *j = context;
    exp_progress_part(&j->progress, j->doing, done);
}

static void describe(job *j) {
    const exp_attack_evaluation *e = &j->evaluation;
    char text[2 * EXP_TEXT_MAX];
    exp_progress_note(&j->progress, e->models[0].run.set.name, e->models[0].run.set.note);
    for (int m = 0; m < e->model_count; m++) {
        exp_attack_model_describe(&e->models[m], text, sizeof text);
        exp_progress_say(&j->progress, "%s %s: accuracy %.2f%% on %d test images of %s",
                         m ? "shown to " : "attacked ", text, 100 * e->clean[m], e->examples,
                         e->models[0].run.set.name);
    }
}

/* A line for each attack: the attacked run, then those that were shown its images. */
static void describe_rows(job *j) {
    const exp_attack_evaluation *e = &j->evaluation;
    const exp_attack_settings *s = e->settings;
    for (int i = 0; i < e->row_count; i += e->model_count) {
        const exp_attack_row *row = &e->rows[i];
        char others[16 * EXP_TARGETS_MAX] = "";
        for (int m = 1; m < e->model_count; m++)
            snprintf(others + strlen(others), sizeof others - strlen(others), "%s %6.2f%%",
                     m > 1 ? "," : "; shown to others", 100 * row[m].accuracy);
        exp_progress_say(&j->progress, "%-4s %-6s  accuracy %6.2f%%, success %6.2f%% of %d%s",
                         exp_attack_methods[s->methods[row->method]], s->epsilons[row->epsilon].text,
                         100 * row->accuracy, 100 * row->success, row->counted, others);
    }
}

static void describe_credibility(job *j) {
    const exp_attack_credibility *c = &j->credibility;
    exp_progress_say(
        &j->progress,
        "DkNN  %d images: accuracy %.2f%%, under %s %s %.2f%% (network %.2f%%); mean credibility %.3f "
        "and %.3f, AUROC %.3f",
        c->examples, 100 * c->clean.accuracy, exp_attack_methods[c->method], c->epsilon.text,
        100 * c->adversarial.accuracy, 100 * c->adversarial.network_accuracy,
        exp_calibration_confidence(&c->clean.reliability[EXP_DKNN_TRIMMED]),
        exp_calibration_confidence(&c->adversarial.reliability[EXP_DKNN_TRIMMED]),
        c->auroc[EXP_DKNN_TRIMMED]);
}

/* --- the work ------------------------------------------------------------------------------------------- */

static nn_status made(void *context, const exp_attack_made *images, nn_error *error) {
    job *j = context;
    exp_attack_sheet_take(&j->sheet, images);
    return j->options->dump[0] ? exp_attack_dump(&j->evaluation, images, j->options->dump, error) : NN_OK;
}

static nn_status attack(job *j, nn_error *error) {
    exp_attack_evaluation *e = &j->evaluation;
    e->settings = &j->settings;
    e->models = j->models;
    e->report = report;
    e->made = made;
    e->context = j;
    e->stop = &exp_stop;
    j->doing = "attacks";
    nn_status status = exp_attack_evaluation_open(e, error);
    if (status == NN_OK)
        status = exp_attack_sheet_new(&j->sheet, e, error);
    if (status == NN_OK && j->options->dump[0])
        status = exp_attack_dump_classes(e, j->options->dump, error);
    if (status == NN_OK) {
        describe(j);
        status = exp_attack_evaluate(e, error);
    }
    if (status == NN_OK && !exp_stop)
        describe_rows(j);
    return status;
}

static nn_status look_at_gradients(job *j, nn_error *error) {
    uint64_t wanted = j->options->gradient_examples, all = (uint64_t)j->evaluation.examples;
    int count = (int)(wanted < all ? wanted : all);
    if (count < LEAST_GRADIENTS)
        return NN_OK;
    nn_status status = exp_gradient_signs_new(&j->gradients, &j->evaluation, count, error);
    if (status == NN_OK && !exp_stop)
        exp_progress_say(&j->progress, "gradients %d signs: SNNL %.4f at temperature %.5g, at most %.4f",
                         count, j->gradients.snnl.value, j->gradients.snnl.temperature, j->gradients.limit);
    return status;
}

static nn_status ask_neighbors(job *j, nn_error *error) {
    j->doing = "neighbours";
    j->credibility.report = report;
    j->credibility.context = j;
    nn_status status = exp_attack_credibility_measure(&j->credibility, &j->evaluation, error);
    if (status == NN_OK && !exp_stop)
        describe_credibility(j);
    return status;
}

static nn_status write_files(job *j, nn_error *error) {
    const attack_options *o = j->options;
    exp_attack_findings findings = {.evaluation = &j->evaluation,
                                    .sheet = &j->sheet,
                                    .gradients = &j->gradients,
                                    .credibility = o->credibility ? &j->credibility : NULL,
                                    .seconds = exp_seconds() - j->begin};
    nn_status status = exp_attack_write(&findings, o->out, o->json ? stdout : NULL, error);
    if (status == NN_OK)
        exp_progress_say(&j->progress, "done in %.1f s: %s", findings.seconds, o->out);
    return status;
}

static nn_status work(job *j, nn_error *error) {
    nn_status status = open_models(j, error);
    if (status == NN_OK)
        status = settle(j, error);
    if (status == NN_OK)
        status = make_folder(j->options->out, error);
    if (status == NN_OK)
        status = attack(j, error);
    if (status == NN_OK && !exp_stop)
        status = look_at_gradients(j, error);
    if (status == NN_OK && !exp_stop && j->options->credibility)
        status = ask_neighbors(j, error);
    j->interrupted = exp_stop != 0; /* later on there is nothing left to interrupt */
    if (status == NN_OK && j->interrupted)
        exp_progress_say(&j->progress, "interrupted: nothing written");
    return status == NN_OK && !j->interrupted ? write_files(j, error) : status;
}

static void close_job(job *j) {
    exp_gradient_signs_free(&j->gradients);
    exp_attack_sheet_free(&j->sheet);
    exp_attack_evaluation_close(&j->evaluation);
    for (int m = 0; m < j->evaluation.model_count; m++)
        exp_attack_model_close(&j->models[m]);
}

int main(int argc, char **argv) {
    attack_options options = defaults;
    job j = {.options = &options};
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(table, &defaults, "attack", usage, argc, argv))
        return 0;
    nn_status status = exp_options_parse(table, &options, argc, argv, &error);
    if (status == NN_OK)
        status = check_usage(&j, &error);
    if (status != NN_OK)
        return exp_refuse("attack", &error);

    exp_catch_interrupts();
    nn_threads_set((int)options.threads);
    j.progress = exp_progress_begin(options.quiet);
    j.begin = exp_seconds();
    status = work(&j, &error);
    close_job(&j);
    if (status != NN_OK)
        return exp_fail("attack", &error);

    return j.interrupted ? EXP_INTERRUPTED : 0;
}
