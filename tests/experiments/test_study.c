/* Study files: the runs that they make and their order, what is refused and where, and which runs are the same. */
#include "experiments/study/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/common/presets.h"
#include "tests/support/support.h"

static exp_study parse(const char *text) {
    exp_study study;
    nn_error error = {0};
    test_ok(exp_study_parse(&study, "test", EXP_SIZE_DEFAULT, "test.ini", text, &error), &error);
    return study;
}

/* The only run of a block with these lines. */
static exp_study_run run_of(const char *lines) {
    char text[1024];
    snprintf(text, sizeof text, "[block]\n%s", lines);
    exp_study study = parse(text);
    assert_int_equal(study.blocks[0].seeds * study.blocks[0].conditions, 1);
    exp_study_run run = study.blocks[0].runs[0];
    exp_study_free(&study);
    return run;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static void a_grid(void **state) {
    (void)state;
    exp_study study = parse("# weights and batches\n"
                            "title = Weights; and batches\n"
                            "\n"
                            "[fashion]   ; a block\r\n"
                            "snnl-weight = -1 | 0|0.5\r\n"
                            "seed = 7 | 3\n"
                            "  ; the preset may stand anywhere\n"
                            "preset = fashion_cnn\n"
                            "batch =  32 |  64 \n"
                            "epochs = 2\n"
                            "snnl-layers = conv1,conv[2-3]=0.2\n");
    assert_string_equal(study.name, "test");
    assert_string_equal(study.title, "Weights; and batches");
    assert_int_equal(study.block_count, 1);
    const exp_study_block *block = &study.blocks[0];
    assert_string_equal(block->name, "fashion");
    assert_true(block->seeds == 2 && block->conditions == 6);
    /* seeds outermost, then the order of the file, the last list fastest */
    static const double weights[] = {-1, -1, 0, 0, 0.5, 0.5};
    static const char *const conditions[] = {"snnl-weight -1, batch 32",  "snnl-weight -1, batch 64",
                                             "snnl-weight 0, batch 32",   "snnl-weight 0, batch 64",
                                             "snnl-weight 0.5, batch 32", "snnl-weight 0.5, batch 64"};
    for (int i = 0; i < 12; i++) {
        const exp_study_run *run = &block->runs[i];
        assert_int_equal(run->options.seed, i < 6 ? 7 : 3);
        assert_true(run->options.snnl_weight == weights[i % 6]);
        assert_int_equal(run->options.batch, i % 2 ? 64 : 32);
        assert_string_equal(run->condition, conditions[i % 6]);
        assert_true(run->options.epochs == 2 && run->options.optimizer == NN_ADAM);
        assert_string_equal(run->options.dataset, "fashion-mnist");
        assert_string_equal(run->options.snnl_layers, "conv1,conv[2-3]=0.2");
        assert_false(run->options.dataset_named || run->skipped);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(run->name, block->runs[k].name);
    }
    exp_study_free(&study);
}

static void several_blocks(void **state) {
    (void)state;
    exp_study study = parse("[one]\npreset = mnist_cnn | shapes_resnet\n"
                            "[two]\npreset = mnist_cnn\nmodel = mlp\naugment = yes | no");
    assert_string_equal(study.title, "test");
    assert_int_equal(study.block_count, 2);
    const exp_study_block *one = &study.blocks[0], *two = &study.blocks[1];
    assert_true(one->seeds == 1 && one->conditions == 2 && two->seeds == 1 && two->conditions == 2);
    assert_string_equal(one->runs[0].options.model, "mnist_cnn");
    assert_string_equal(one->runs[1].options.model, "cifar_resnet");
    assert_string_equal(one->runs[1].condition, "preset shapes_resnet");
    assert_string_equal(one->runs[1].options.snnl_layers, "block[1-8]");
    assert_true(two->runs[0].options.augment && !two->runs[1].options.augment);
    assert_string_equal(two->runs[0].options.snnl_layers, "*"); /* the preset's are those of its model */
    exp_study_free(&study);
}

/* --- refusals ------------------------------------------------------------------------------------------- */

#define BLOCK "[b]\npreset = mnist_cnn\n"

static const char *const refused[][2] = {
    {"", "f.ini:1: the study has no [block]"},
    {"# nothing\ntitle = x\n\n", "f.ini:3: the study has no [block]"},
    {"epochs = 2\n" BLOCK,
     "f.ini:1: 'epochs' stands before the first [block], where only title, about, paper, place"},
    {BLOCK "epoch = 2\n",
     "f.ini:3: 'epoch' is not for a study; there are: preset, model, dataset, image-size, init, "
     "init-skip, init-checksum, "},
    {BLOCK "quiet = yes\n", "f.ini:3: 'quiet' is not for a study; there are: "},
    {BLOCK "run = here\n", "f.ini:3: 'run' is not for a study; there are: "},
    {BLOCK "title = late\n", "f.ini:3: 'title' is not for a study"},
    {BLOCK "epochs = two\n", "f.ini:3: epochs: 'two' is not a number"},
    {BLOCK "batch = 1 | 0\n", "f.ini:3: batch: '0' is not a whole number between 1 and 65536"},
    {BLOCK "batch = 1 , 2\n", "f.ini:3: batch: '1 , 2' is not a whole number"},
    {BLOCK "\n# here\ndistance = cosine | far\n",
     "f.ini:5: distance: 'far' is not one of: euclidean, cosine"},
    {BLOCK "augment = maybe\n", "f.ini:3: augment: 'maybe' is neither yes nor no"},
    {BLOCK "seed = 1 | | 2\n", "f.ini:3: seed: an empty value"},
    {BLOCK "seed = 1 |\n", "f.ini:3: seed: an empty value"},
    {BLOCK "seed =\n", "f.ini:3: seed: an empty value"},
    {BLOCK "snnl-weight = 0.1 | 1 | 0.10\n", "f.ini:3: snnl-weight: '0.10' is given twice"},
    {BLOCK "snnl-layers = * | *\n", "f.ini:3: snnl-layers: '*' is given twice"},
    {BLOCK "seed = 1\nepochs = 1\nseed = 2\n", "f.ini:5: seed: given twice in this block"},
    {BLOCK "seed\n", "f.ini:3: neither [block] nor name = value"},
    {"[b\npreset = mnist_cnn\n", "f.ini:1: a block begins with a line [NAME]"},
    {"[]\npreset = mnist_cnn\n", "f.ini:1: a block begins with a line [NAME]"},
    {"\n[b]\nepochs = 2\n", "f.ini:2: the block names no preset"},
    {BLOCK "[c]\n[d]\npreset = mnist_cnn\n", "f.ini:3: the block has no settings"},
    {BLOCK "[c]\n", "f.ini:3: the block has no settings"},
    {BLOCK "\n" BLOCK, "f.ini:4: there is a block of this name already"},
    {"[b]\npreset = mnist_cnn | mnst\n", "f.ini:2: preset: there is no 'mnst'; there are: cifar_resnet, "},
    {"[b]\npreset = nosuch.ini\n", "f.ini:2: cannot open nosuch.ini: No such file"},
    {BLOCK "epochs = 1\nmodel = cnn\n", "f.ini:4: model: there is no 'cnn'; there are: mlp, mnist_cnn, "},
    {BLOCK "dataset = mnist | minst\n", "f.ini:3: dataset: there is no 'minst'; there are: mnist, "},
    {BLOCK "snnl-layers = conv1 | conv4\n",
     "f.ini:3: snnl-layers: 'conv4' names no tap; there are: conv1, conv2, conv3"},
    {BLOCK "snnl-layers = conv1=x\n", "f.ini:3: snnl-layers: the weight of 'conv1' is not a number"},
    {BLOCK "model = mlp\nsnnl-layers = conv1\n",
     "f.ini:4: snnl-layers: 'conv1' names no tap; there are: dense1, "},
    {BLOCK "seed = 1|2|3|4|5|6|7|8|9|10\nbatch = 1|2|3|4|5|6|7|8|9|10\nsteps = 1|2|3|4|5|6|7|8|9|10\n"
           "warmup = 1|2|3|4|5|6|7|8|9|10\nlr = 0.1|0.2\n",
     "f.ini:1: the block's lists make 20000 runs, more than 10000"},
};

static void refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        exp_study study;
        nn_error error = {0};
        nn_status status = exp_study_parse(&study, "f", EXP_SIZE_DEFAULT, "f.ini", refused[i][0], &error);
        assert_true(status == NN_EARGUMENT || status == NN_EFORMAT);
        test_fails(status, status, &error, refused[i][1]);
        exp_study_free(&study);
    }
}

/* Three blocks of 4,000 runs. */
static void runs_are_counted_over_all_blocks(void **state) {
    (void)state;
    char text[4096] = "";
    for (int block = 'a'; block <= 'c'; block++) {
        snprintf(text + strlen(text), 64, "[%c]\npreset = mnist_cnn\nseed = 1", block);
        for (int i = 2; i <= 50; i++)
            snprintf(text + strlen(text), 16, "|%d", i);
        strcat(text, "\nbatch = 1|2|3|4|5|6|7|8\nsteps = 1|2|3|4|5|6|7|8|9|10\n");
    }
    exp_study study;
    nn_error error = {0};
    test_fails(exp_study_parse(&study, "f", EXP_SIZE_DEFAULT, "f.ini", text, &error), NN_EARGUMENT, &error,
               "f.ini:11: the block's lists make 12000 runs with those before, more than 10000");
    exp_study_free(&study);
}

static void long_lines(void **state) {
    (void)state;
    char text[4096] = BLOCK "snnl-layers = ";
    exp_study study;
    nn_error error = {0};
    size_t length = strlen(text);
    memset(text + length, 'x', 600);
    test_fails(exp_study_parse(&study, "f", EXP_SIZE_DEFAULT, "f.ini", text, &error), NN_EARGUMENT, &error,
               "f.ini:3: snnl-layers: the value is longer than 511 characters");
    exp_study_free(&study);
    memset(text + length, 'x', 3000);
    test_fails(exp_study_parse(&study, "f", EXP_SIZE_DEFAULT, "f.ini", text, &error), NN_EARGUMENT, &error,
               "f.ini:3: the line is too long");
    exp_study_free(&study);
    strcpy(text + length - strlen("snnl-layers = "), "seed = 0");
    for (int i = 1; i <= EXP_VALUES_MAX; i++)
        snprintf(text + strlen(text), 16, "|%d", i);
    test_fails(exp_study_parse(&study, "f", EXP_SIZE_DEFAULT, "f.ini", text, &error), NN_EARGUMENT, &error,
               "f.ini:3: seed: more than 64 values");
    exp_study_free(&study);
}

/* --- identity ------------------------------------------------------------------------------------------- */

static void names_are_readable(void **state) {
    (void)state;
    exp_study_run run = run_of("preset = fashion_cnn\nsnnl-weight = 0.1\nseed = 2\n");
    static const char readable[] = "fashion-mnist-mnist_cnn-w0.1-seed2-";
    assert_memory_equal(run.name, readable, strlen(readable));
    assert_int_equal(strlen(run.name), strlen(readable) + 8);
    assert_int_equal(strspn(run.name + strlen(readable), "0123456789abcdef"), 8);
}

/* The hash is over the options as they come out, however they were written. */
static void the_same_run_written_in_two_ways(void **state) {
    (void)state;
    exp_study_run a = run_of("preset = fashion_cnn\nsnnl-weight = 0.1\nepochs = 3\n");
    exp_study_run b = run_of("snnl-weight = 1e-1\ndataset = fashion-mnist\nseed = 1\npreset = mnist_cnn\n");
    assert_string_equal(a.name, b.name);
}

static void every_option_matters(void **state) {
    (void)state;
    static const char *const changes[] = {
        "dataset = mnist",   "model = mlp",       "snnl-weight = 0.2", "snnl-layers = conv[1-3]",
        "distance = cosine", "temperature = 50",  "epochs = 2",        "temperature-mode = learned",
        "steps = 100",       "batch = 64",        "seed = 2",          "optimizer = sgd",
        "lr = 0.002",        "momentum = 0.8",    "nesterov = yes",    "weight-decay = 0.1",
        "decay-all = yes",   "schedule = cosine", "warmup = 1",        "augment = yes",
        "balanced = yes",    "train-limit = 100", "test-limit = 100",  "log-every = 1",
        "eval-every = 2"};
    enum { COUNT = sizeof changes / sizeof *changes };
    char names[COUNT + 1][EXP_RUN_NAME_MAX];
    for (int i = 0; i <= COUNT; i++) {
        char lines[128];
        bool weight = i < COUNT && strstr(changes[i], "snnl-weight");
        snprintf(lines, sizeof lines, "preset = fashion_cnn\n%s\n%s\n", weight ? "" : "snnl-weight = 0.1",
                 i < COUNT ? changes[i] : "");
        strcpy(names[i], run_of(lines).name);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
}

/* What --snnl-weight alone would mean has no effect, nor have the layers at weight 0, nor how often a run is saved: but what
 * is measured does count. */
static void options_without_effect(void **state) {
    (void)state;
    exp_study_run plain = run_of("preset = fashion_cnn\n");
    assert_string_equal(run_of("preset = fashion_cnn\nentangling-weight = 3\n").name, plain.name);
    assert_string_equal(run_of("preset = fashion_cnn\nsnnl-layers = conv1=2\n").name, plain.name);
    assert_string_equal(run_of("preset = fashion_cnn\nsave-every = 7\n").name, plain.name);
    assert_string_not_equal(run_of("preset = fashion_cnn\ndistance = cosine\n").name, plain.name);
    assert_string_not_equal(run_of("preset = fashion_cnn\ntemperature-mode = fixed\n").name, plain.name);
}

static void baselines(void **state) {
    (void)state;
    exp_study_run plain = run_of("preset = fashion_cnn\n");
    exp_study_run weighted = run_of("preset = fashion_cnn\nsnnl-weight = -1\nsnnl-layers = conv2\n");
    exp_study_run cosine =
        run_of("preset = fashion_cnn\nsnnl-weight = 1\ndistance = cosine\ntemperature = 2\n");
    exp_study_run plain_cosine = run_of("preset = fashion_cnn\ndistance = cosine\ntemperature = 2\n");
    assert_true(exp_study_is_baseline(&weighted, &plain, true));
    assert_true(exp_study_is_baseline(&weighted, &plain, false));
    assert_true(exp_study_is_baseline(&cosine, &plain_cosine, true));
    assert_false(exp_study_is_baseline(&cosine, &plain, true)); /* trained alike, measured otherwise */
    assert_true(exp_study_is_baseline(&cosine, &plain, false));
    assert_true(exp_study_is_baseline(&plain, &plain, true));
    assert_false(exp_study_is_baseline(&plain, &weighted, false));
    static const char *const others[] = {"seed = 2\n", "batch = 64\n", "epochs = 2\n", "train-limit = 10\n"};
    for (int i = 0; i < 4; i++) {
        char lines[64];
        snprintf(lines, sizeof lines, "preset = fashion_cnn\n%s", others[i]);
        exp_study_run other = run_of(lines);
        assert_false(exp_study_is_baseline(&weighted, &other, false));
    }
}

/* --- data ----------------------------------------------------------------------------------------------- */

static void data_that_is_not_there(void **state) {
    (void)state;
    static const char text[] =
        "[b]\npreset = mnist_cnn\ndataset = notmnist | shapes | cifar10\nsnnl-weight = 1\n";
    exp_study study = parse(text);
    const exp_study_run *runs = study.blocks[0].runs;
    exp_study_find_data(&study, "/nowhere", EXP_MISSING_SKIP);
    assert_true(runs[0].skipped && !runs[1].skipped && runs[2].skipped);
    assert_string_equal(runs[0].absent, "notmnist");
    assert_string_equal(runs[0].options.dataset, "notmnist");
    assert_string_equal(runs[1].absent, "");
    exp_study_free(&study);
    study = parse(text);
    runs = study.blocks[0].runs;
    exp_study_find_data(&study, "/nowhere", EXP_MISSING_SHAPES);
    for (int i = 0; i < 3; i++) {
        assert_false(runs[i].skipped);
        assert_string_equal(runs[i].options.dataset, "shapes");
        assert_string_equal(runs[i].name, runs[1].name); /* one run now, whose name says shapes */
    }
    assert_string_equal(runs[2].absent, "cifar10");
    assert_memory_equal(runs[2].name, "shapes-mnist_cnn-w1-", 20);
    exp_study_free(&study);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void studies_compiled_in(void **state) {
    (void)state;
    int count = 0;
    for (const exp_preset *p = exp_studies; p->name; p++, count++) {
        exp_study study;
        nn_error error = {0};
        test_ok(exp_study_read(&study, p->name, EXP_SIZE_DEFAULT, &error), &error);
        assert_string_equal(study.name, p->name);
        assert_string_not_equal(study.title, p->name);
        exp_study_free(&study);
    }
    assert_true(count >= 6);
}

static void files(void **state) {
    (void)state;
    static const char text[] = "[b]\npreset = mnist_cnn\nepochs = 1\n", wrong[] = "[b]\npreset = x\n";
    exp_study study;
    nn_error error = {0};
    char path[300];
    snprintf(path, sizeof path, "%s", test_file("my.study.ini", text, strlen(text)));
    test_ok(exp_study_read(&study, path, EXP_SIZE_DEFAULT, &error), &error);
    assert_string_equal(study.name, "my.study");
    assert_int_equal(study.block_count, 1);
    exp_study_free(&study);
    test_file("my.study.ini", wrong, strlen(wrong));
    snprintf(path + strlen(path), 64, ":2: preset: there is no 'x'");
    char *message = strdup(path);
    *strstr(path, ":2:") = '\0';
    test_fails(exp_study_read(&study, path, EXP_SIZE_DEFAULT, &error), NN_EARGUMENT, &error, message);
    free(message);
    exp_study_free(&study);
    test_fails(exp_study_read(&study, "no/such", EXP_SIZE_DEFAULT, &error), NN_EFILE, &error,
               "no/such: No such file");
    exp_study_free(&study);
    test_fails(exp_study_read(&study, "wights", EXP_SIZE_DEFAULT, &error), NN_EARGUMENT, &error,
               "there is no 'wights'; there are: accuracy, ");
    exp_study_free(&study);
}

static exp_study parse_at(exp_study_size size, const char *text) {
    exp_study study;
    nn_error error = {0};
    test_ok(exp_study_parse(&study, "test", size, "test.ini", text, &error), &error);
    return study;
}

/* A key for a size takes the place of the one without, wherever it stands, and is nothing at other sizes. */
static void sizes(void **state) {
    (void)state;
    static const char text[] = "[b]\nquick.epochs = 0.5\npreset = fashion_cnn\nepochs = 2\nseed = 1 | 2 | 3\n"
                               "quick.seed = 1\nfull.seed = 1 | 2 | 3 | 4\nfull.batch = 64 | 256\n";
    static const struct {
        int seeds, conditions;
        double epochs;
        uint64_t last_batch;
    } expected[] = {{3, 1, 2, 128}, {1, 1, 0.5, 128}, {4, 2, 2, 256}};
    for (int size = EXP_SIZE_DEFAULT; size <= EXP_SIZE_FULL; size++) {
        exp_study study = parse_at((exp_study_size)size, text);
        const exp_study_block *b = &study.blocks[0];
        assert_true(b->seeds == expected[size].seeds && b->conditions == expected[size].conditions);
        assert_true(b->runs[0].options.epochs == expected[size].epochs);
        assert_int_equal(b->runs[b->conditions - 1].options.batch, expected[size].last_batch);
        exp_study_free(&study);
    }
    static const char *const wrong[][2] = {
        {"[b]\npreset = fashion_cnn\nslow.seed = 1\n",
         "f.ini:3: 'slow.seed': before the dot stands a size, quick or full"},
        {"[b]\npreset = fashion_cnn\nfull.seed = x\n", "f.ini:3: seed: 'x'"},
        {"[b]\npreset = fashion_cnn\nquick.seed = 1\nquick.seed = 2\n", "f.ini:4: seed: given twice"},
        {"[b]\npreset = fashion_cnn\nquick.sed = 1\n", "f.ini:3: 'sed' is not for a study"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        exp_study study;
        nn_error error = {0};
        test_fails(exp_study_parse(&study, "f", EXP_SIZE_QUICK, "f.ini", wrong[i][0], &error), NN_EARGUMENT,
                   &error, wrong[i][1]);
        exp_study_free(&study);
    }
}

static void what_the_report_is_told(void **state) {
    (void)state;
    exp_study study = parse("title = T\nabout = What, and why?\npaper = Nothing.\nplace = 2.5\ncurves = yes\n"
                            "reliability = no\n[b]\npreset = mnist_cnn\nsnnl-weight = 0 | 1\nseed = 1 | 2\n"
                            "snnl-layers = conv1 | *\n");
    assert_string_equal(study.about, "What, and why?");
    assert_string_equal(study.paper, "Nothing.");
    assert_true(study.place == 2.5 && study.curves && !study.reliability && !study.findings);
    const exp_study_block *b = &study.blocks[0];
    assert_int_equal(b->varied_count, 2);
    assert_string_equal(b->varied[0].name, "snnl-weight");
    assert_string_equal(b->varied[1].name, "snnl-layers");
    assert_true(b->varied[0].count == 2 && b->varied[1].count == 2);
    assert_string_equal(b->varied[0].values[1], "1");
    assert_string_equal(b->varied[1].values[0], "conv1");
    exp_study_free(&study);

    static const char *const wrong[][2] = {
        {"curves = perhaps\n", "f.ini:1: curves: 'perhaps' is neither yes nor no"},
        {"place = first\n", "f.ini:1: place: not a number"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nn_error error = {0};
        test_fails(exp_study_parse(&study, "f", EXP_SIZE_DEFAULT, "f.ini", wrong[i][0], &error), NN_EARGUMENT,
                   &error, wrong[i][1]);
        exp_study_free(&study);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid),
        cmocka_unit_test(several_blocks),
        cmocka_unit_test(refusals),
        cmocka_unit_test(runs_are_counted_over_all_blocks),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(names_are_readable),
        cmocka_unit_test(the_same_run_written_in_two_ways),
        cmocka_unit_test(every_option_matters),
        cmocka_unit_test(options_without_effect),
        cmocka_unit_test(baselines),
        cmocka_unit_test(data_that_is_not_there),
        cmocka_unit_test(studies_compiled_in),
        cmocka_unit_test(files),
        cmocka_unit_test(sizes),
        cmocka_unit_test(what_the_report_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
