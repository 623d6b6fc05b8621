/* Options, studies, searches, trainings and what is read of them, as allocations fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/common/metrics.h"
#include "experiments/common/points_file.h"
#include "experiments/common/representations.h"
#include "experiments/common/trained_run.h"
#include "experiments/common/training.h"
#include "experiments/dknn/dknn.h"
#include "experiments/knn/knn.h"
#include "experiments/outliers/density.h"
#include "experiments/study/results.h"
#include "experiments/tsne/tsne.h"
#include "tests/support/out_of_memory/out_of_memory.h"
#include "tests/support/program.h"

enum { COUNT = 40, DIMS = 3, CLASSES = 4 };

static float points[COUNT * DIMS];
static unsigned char classes[COUNT];

static void add(uint64_t *hash, const void *bytes, size_t count) {
    *hash = nn_hash(*hash, bytes, count);
}

static char path_before[4096];

static int begin(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    snprintf(path_before, sizeof path_before, "%s", getenv("PATH"));
    setenv("PATH", "/nowhere", 1); /* no gnuplot, which would take its time for every failure */
    float *random = test_normal(COUNT * DIMS, "points");
    memcpy(points, random, sizeof points);
    free(random);
    for (int i = 0; i < COUNT; i++)
        classes[i] = (unsigned char)(i % CLASSES);
    return 0;
}

static int end(void **state) {
    (void)state;
    return setenv("PATH", path_before, 1);
}

/* --- options and studies ---------------------------------------------------------------------------------- */

static nn_status resolve(void *context, uint64_t *hash, nn_error *error) {
    char *argv[] = {"train", "--preset", context, "--snnl-weight", "0.5", "--batch=32"};
    exp_train_options options;
    nn_status status = exp_train_options_resolve(&options, sizeof argv / sizeof *argv, argv, error);
    if (status == NN_OK)
        add(hash, &options.batch, sizeof options.batch);
    return status;
}

static void test_options(void **state) {
    (void)state;
    test_file("own.ini", "model = mlp\nbatch = 16\n", 23);
    memory_try((memory_trial){.name = "options: preset", .operation = resolve, .context = "mnist_cnn"});
    memory_try(
        (memory_trial){.name = "options: preset from a file", .operation = resolve, .context = "./own.ini"});
}

static nn_status parse(void *context, uint64_t *hash, nn_error *error) {
    exp_study study;
    nn_status status = exp_study_parse(&study, "test", EXP_SIZE_QUICK, "test.ini", context, error);
    for (int b = 0; b < study.block_count && status == NN_OK; b++)
        for (int i = 0; i < study.blocks[b].seeds * study.blocks[b].conditions; i++)
            add(hash, study.blocks[b].runs[i].name, strlen(study.blocks[b].runs[i].name));
    exp_study_free(&study);
    return status;
}

static char study_text[] = "title = A study\n"
                           "about = What is asked\n"
                           "[first]\npreset = mnist_cnn\nsnnl-weight = 0 | 0.1\nseed = 1 | 2\n"
                           "then.neighbors = --run {run} --out {out}\n"
                           "[second]\npreset = mnist_cnn\nbatch = 32 | 64\nquick.batch = 16 | 32\n";

static void test_study(void **state) {
    (void)state;
    memory_try((memory_trial){.name = "study: parse", .operation = parse, .context = study_text});
}

/* --- searches --------------------------------------------------------------------------------------------- */

static nn_status find_neighbors(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    enum { NEAREST = 3 };
    int32_t index[COUNT * NEAREST];
    exp_knn_options options = {
        .queries = COUNT, .dims = DIMS, .nearest = NEAREST, .x = points, .among = true};
    exp_knn *knn;
    nn_status status = exp_knn_new(&knn, &options, error);
    if (status == NN_OK)
        status = exp_knn_add(knn, COUNT, points, error);
    if (status == NN_OK) {
        exp_knn_take(knn, index, NULL);
        add(hash, index, sizeof index);
    }
    exp_knn_free(knn);
    return status;
}

static nn_status find_density(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    double sums[COUNT * CLASSES];
    exp_density_options options = {
        .queries = COUNT, .dims = DIMS, .classes = CLASSES, .x = points, .temperature = 1};
    exp_density *density;
    nn_status status = exp_density_new(&density, &options, error);
    if (status == NN_OK)
        status = exp_density_add(density, COUNT, points, classes, error);
    if (status == NN_OK) {
        exp_density_take(density, sums);
        add(hash, sums, sizeof sums);
    }
    exp_density_free(density);
    return status;
}

static nn_status embed(void *context, uint64_t *hash, nn_error *error) {
    double y[2 * COUNT], kl;
    exp_tsne_options options = exp_tsne_defaults;
    options.perplexity = 5;
    options.iterations = 3;
    options.exact_points = *(const int *)context;
    nn_status status = exp_tsne(&options, COUNT, DIMS, points, y, &kl, error);
    if (status == NN_OK)
        add(hash, y, sizeof y);
    return status;
}

static void test_searches(void **state) {
    (void)state;
    int all = COUNT, none = 0;
    memory_try((memory_trial){.name = "knn: search", .operation = find_neighbors});
    memory_try((memory_trial){.name = "density: sums", .operation = find_density});
    memory_try((memory_trial){.name = "t-SNE: all pairs", .operation = embed, .context = &all});
    memory_try((memory_trial){.name = "t-SNE: Barnes-Hut", .operation = embed, .context = &none});
}

/* --- files of points -------------------------------------------------------------------------------------- */

static nn_status read_points(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    exp_points_file file;
    nn_status status = exp_points_file_read(&file, "x.npy", "y.npy", error);
    if (status == NN_OK)
        add(hash, file.labels, (size_t)file.count * sizeof *file.labels);
    exp_points_file_free(&file);
    return status;
}

static void test_points(void **state) {
    (void)state;
    nn_error error = {0};
    int64_t labels[COUNT];
    for (int i = 0; i < COUNT; i++)
        labels[i] = classes[i];
    test_ok(nn_npy_write_floats("x.npy", 2, (size_t[]){COUNT, DIMS}, points, &error), &error);
    test_ok(nn_npy_write_integers("y.npy", 1, (size_t[]){COUNT}, labels, &error), &error);
    memory_try((memory_trial){.name = "points: features and labels", .operation = read_points});
}

/* --- trainings -------------------------------------------------------------------------------------------- */

static void run(const char *command) {
    char whole[6000];
    snprintf(whole, sizeof whole, "PATH='%s'; %s", path_before, command);
    assert_int_equal(system(whole), 0);
}

static const exp_train_options *small_options(bool resume) {
    static exp_train_options options;
    options = exp_train_defaults;
    strcpy(options.model, "mlp");
    strcpy(options.dataset, "mnist");
    strcpy(options.data, "data");
    strcpy(options.run, "run");
    options.snnl_weight = 0.1;
    options.batch = 64;
    options.steps = resume ? 4 : 2;
    options.log_every = options.save_every = 1;
    options.quiet = true;
    options.resume = resume;
    return &options;
}

static nn_status train(void *context, uint64_t *hash, nn_error *error) {
    static const volatile sig_atomic_t stop;
    exp_summary summary;
    data_set set;
    nn_status status = data_load(&set, "mnist", "data", 0, 0, error);
    if (status == NN_OK)
        status = exp_train(small_options(*(const bool *)context), &set, &stop, &summary, error);
    data_free(&set);
    if (status == NN_OK)
        add(hash, &summary.test.cross_entropy, sizeof summary.test.cross_entropy);
    return status;
}

static void remove_run(void *context) {
    (void)context;
    run("rm -rf run");
}

/* A summary says that a run is done: it is there in no other case. */
static void expect_summary(void *context, bool succeeded) {
    (void)context;
    assert_true(program_file_exists("run/summary.json") == succeeded);
}

static void begin_run(void *context) {
    (void)context;
    run("rm -rf run && cp -r begun run");
}

/* A run that could not go on is as far as before at least, and can still go on. */
static void expect_checkpoint(void *context, bool succeeded) {
    uint64_t hash = nn_hash_start;
    nn_error error = {0};
    if (!succeeded)
        test_ok(train(context, &hash, &error), &error);
}

static void test_training(void **state) {
    (void)state;
    bool resume = false;
    memory_try((memory_trial){.name = "train: a run of 2 steps",
                              .operation = train,
                              .context = &resume,
                              .before = remove_run,
                              .after = expect_summary,
                              .bears = true,
                              .most = 60});
    run("rm -rf begun && mv run begun");
    resume = true;
    memory_try((memory_trial){.name = "train: resume for 2 steps",
                              .operation = train,
                              .context = &resume,
                              .before = begin_run,
                              .after = expect_checkpoint,
                              .bears = true,
                              .most = 25});
}

/* --- what is made of a run -------------------------------------------------------------------------------- */

static nn_status open_run(exp_trained_run *opened, nn_error *error) {
    exp_run_request request = {.run = "run", .data = "data"};
    exp_train_options options;
    *opened = (exp_trained_run){0};
    nn_status status = exp_trained_run_options(&request, &options, error);
    return status == NN_OK ? exp_trained_run_open(opened, &request, &options, EXP_ATTACK, error) : status;
}

static nn_status represent(exp_trained_run *opened, uint64_t *hash, nn_error *error) {
    static float values[PROGRAM_TEST * 256];
    const nn_node *node;
    data_loader *loader = NULL;
    nn_status status = exp_representation_node(&opened->classifier, "dense1", &node, error);
    if (status == NN_OK)
        status = exp_trained_run_tests(opened, &loader, error);
    if (status == NN_OK)
        status = exp_representations(&opened->classifier, loader, node, values, NULL, error);
    data_loader_free(loader);
    if (status == NN_OK)
        add(hash, values, sizeof values);
    return status;
}

static nn_status judge(exp_trained_run *opened, uint64_t *hash, nn_error *error) {
    static float images[3 * PROGRAM_SIDE * PROGRAM_SIDE];
    exp_dknn_options options = exp_dknn_defaults;
    options.neighbors = 3;
    options.calibration = 20;
    exp_dknn_verdict verdicts[3];
    exp_dknn *dknn;
    nn_status status = exp_dknn_new(&dknn, opened, &options, error);
    if (status == NN_OK)
        status = exp_dknn_judge(dknn, images, 3, verdicts, NULL, error);
    exp_dknn_free(dknn);
    for (int i = 0; i < 3 && status == NN_OK; i++)
        add(hash, verdicts[i].credibility, sizeof verdicts[i].credibility);
    return status;
}

static nn_status with_run(void *context, uint64_t *hash, nn_error *error) {
    exp_trained_run opened;
    nn_status (*work)(exp_trained_run *, uint64_t *, nn_error *) = context ? judge : represent;
    nn_status status = open_run(&opened, error);
    if (status == NN_OK)
        status = work(&opened, hash, error);
    exp_trained_run_close(&opened);
    return status;
}

static nn_status read_metrics(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    exp_metrics metrics;
    nn_status status = exp_metrics_read("run/metrics.csv", &metrics, error);
    if (status == NN_OK) {
        add(hash, metrics.values, metrics.columns * metrics.rows * sizeof *metrics.values);
        exp_metrics_free(&metrics);
    }
    return status;
}

static nn_status find_summary(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    char *line;
    nn_status status = exp_summary_of_finished("run", &line, error);
    if (line)
        add(hash, line, strlen(line));
    free(line);
    return status;
}

static void test_trained(void **state) {
    (void)state;
    bool yes = true;
    memory_try((memory_trial){.name = "trained run: representations", .operation = with_run, .most = 100});
    memory_try(
        (memory_trial){.name = "trained run: DkNN", .operation = with_run, .context = &yes, .most = 60});
    memory_try((memory_trial){.name = "metrics.csv", .operation = read_metrics});
    memory_try((memory_trial){.name = "summary.json", .operation = find_summary});
}

/* The table of a study of which one run is there, and its files. */
static nn_status tabulate(void *context, uint64_t *hash, nn_error *error) {
    exp_study_table table;
    nn_status status = exp_study_table_new(&table, context, 1, "out", error);
    if (status == NN_OK)
        status = exp_study_table_write(&table, error);
    for (int i = 0; i < table.count && status == NN_OK; i++)
        add(hash, &table.results[i].test_accuracy, sizeof(double));
    exp_study_table_free(&table);
    return status;
}

static void test_table(void **state) {
    (void)state;
    exp_study study;
    nn_error error = {0};
    char command[1024];
    test_ok(exp_study_parse(&study, "test", EXP_SIZE_DEFAULT, "test.ini", study_text, &error), &error);
    const char *name = study.blocks[0].runs[0].name;
    snprintf(command, sizeof command,
             "mkdir -p out/runs && cp -r run out/runs/%s && mkdir -p out/runs/%s/neighbors-none && "
             "cp run/summary.json out/runs/%s/neighbors-none",
             name, name, name);
    run(command);
    memory_try((memory_trial){.name = "study: table of results", .operation = tabulate, .context = &study});
    exp_study_free(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options), cmocka_unit_test(test_study),    cmocka_unit_test(test_searches),
        cmocka_unit_test(test_points),  cmocka_unit_test(test_training), cmocka_unit_test(test_trained),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
