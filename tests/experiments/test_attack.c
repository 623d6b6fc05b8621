/* ./attack, run as a user runs it: what its numbers must be among themselves and against the images that it dumps, and
 * what is refused. */
#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/attack/evaluate.h"
#include "tests/support/json.h"
#include "tests/support/program.h"

enum { EXAMPLES = PROGRAM_TEST, IMAGE = PROGRAM_SIDE * PROGRAM_SIDE };

/* Two runs that learn nearly all of data/mnist, and one on drawn shapes. */
static int set_up(void **state) {
    static const char train[] =
        "--quiet --model mlp --no-augment --batch 16 --lr 0.02 --log-every 0 --eval-every 0 ";
    program_begin(state);
    program_easy_data("data", "mnist");
    return program_run("train", "%s--dataset mnist --epochs 6 --run run", train) ||
           program_run("train", "%s--dataset mnist --epochs 6 --run other --seed 2 --snnl-weight 0.1",
                       train) ||
           program_run("train", "%s--dataset shapes --epochs 1 --train-limit 64 --run shapes", train);
}

static cJSON *read_summary(const char *folder) {
    char path[64];
    snprintf(path, sizeof path, "%s/summary.json", folder);
    char *text = program_file(path);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    free(text);
    return json;
}

static cJSON *attack(const char *folder, const char *options) {
    if (program_run("attack", "--run run --quiet --gradient-examples 0 --out %s %s", folder, options) != 0)
        fail_msg("%s: %s", options, program_errors);
    assert_string_equal(program_output, "");
    assert_string_equal(program_errors, "");
    return read_summary(folder);
}

static const cJSON *attack_at(const cJSON *json, int k) {
    const cJSON *found = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "attacks"), k);
    assert_non_null(found);
    return found;
}

static const cJSON *shown_at(const cJSON *one, int k) {
    const cJSON *found = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(one, "transfer"), k);
    assert_non_null(found);
    return found;
}

static double accuracy_at(const cJSON *json, int k) {
    return json_number(attack_at(json, k), "accuracy");
}

static const char *text_of(const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    assert_non_null(text);
    return text;
}

/* --- gradients ------------------------------------------------------------------------------------------ */

static double loss_at(exp_attack_model *m, const float *image, int32_t class) {
    nn_error error = {0};
    exp_classifier *c = &m->run.classifier;
    exp_attack_normalise(m, 1, image, nn_plan_data(c->attack, c->images));
    *nn_plan_labels(c->attack, c->labels) = class;
    test_ok(nn_plan_forward(c->attack, (nn_run){.rows = 1}, &error), &error);
    return nn_plan_scalar(c->attack, c->cross_entropy);
}

/* Along the gradient with respect to pixels of 0 to 1 the loss rises by its length: what normalisation divides by is
 * part of it. */
static void gradients_are_of_pixels(void **state) {
    (void)state;
    const double h = 1e-3;
    nn_error error = {0};
    exp_attack_model m;
    exp_run_request request = {.run = "run", .data = "data"};
    test_ok(exp_attack_model_open(&m, &request, EXP_ATTACK, false, &error), &error);
    assert_string_equal(m.name, "run");
    for (int i = 0; i < 5; i++) {
        float image[IMAGE], gradient[IMAGE], moved[IMAGE];
        int32_t label;
        exp_attack_test_images(&m, i, 1, image, &label);
        label = (label + 3) % 10; /* not the class it has: that has hardly a gradient */
        test_ok(exp_attack_model_gradient(&m, 1, image, &label, gradient, &error), &error);
        double length = 0, losses[2];
        for (int k = 0; k < IMAGE; k++)
            length += (double)gradient[k] * gradient[k];
        length = sqrt(length);
        for (int side = 0; side < 2; side++) {
            for (int k = 0; k < IMAGE; k++)
                moved[k] = (float)(image[k] + (side ? h : -h) * gradient[k] / length);
            losses[side] = loss_at(&m, moved, label);
        }
        double slope = (losses[1] - losses[0]) / (2 * h);
        if (!(fabs(slope - length) <= 0.02 * length))
            fail_msg("image %d: the slope is %g, the gradient %g", i, slope, length);
    }
    exp_attack_model_close(&m);
}

/* --- accuracy ------------------------------------------------------------------------------------------- */

static void accuracy_falls(void **state) {
    static const double epsilons[] = {0.1, 0.2, 0.4};
    (void)state;
    cJSON *json = attack("falls", "--epsilon 0.4,0.2,0.1 --methods fgsm,pgd");
    assert_true(json_number(json, "examples") == EXAMPLES && json_number(json, "clean_accuracy") >= 0.9);
    assert_string_equal(text_of(json, "target"), "none");
    assert_string_equal(text_of(json, "run"), "run");
    for (int method = 0; method < 2; method++) {
        double before = json_number(json, "clean_accuracy");
        for (int k = 0; k < 3; k++) {
            const cJSON *one = attack_at(json, 3 * method + k);
            assert_string_equal(text_of(one, "method"), method ? "pgd" : "fgsm");
            assert_true(json_number(one, "epsilon") == epsilons[k]);
            assert_true(json_number(one, "accuracy") <= before);
            assert_true(json_number(one, "counted") == round(EXAMPLES * json_number(json, "clean_accuracy")));
            before = json_number(one, "accuracy");
        }
        assert_true(before < 0.3);
    }
    for (int k = 0; k < 3; k++) /* many steps are worth more than one */
        assert_true(accuracy_at(json, 3 + k) <= accuracy_at(json, k) + 0.05);
    cJSON_Delete(json);
}

/* Of those first classified rightly, all that fail are successes: the rest is right, or was wrong before. */
static void success_and_accuracy_agree(void **state) {
    (void)state;
    cJSON *json = attack("agree", "--epsilon 0,0.15 --methods bim --iterations 3");
    double clean = json_number(json, "clean_accuracy");
    assert_true(accuracy_at(json, 0) == clean && json_number(attack_at(json, 0), "success") == 0);
    double still_right = clean * (1 - json_number(attack_at(json, 1), "success"));
    assert_true(accuracy_at(json, 1) >= still_right - 1e-6 &&
                accuracy_at(json, 1) <= still_right + 1 - clean + 1e-6);
    cJSON_Delete(json);
}

static void a_run_transferred_to_itself(void **state) {
    (void)state;
    cJSON *json = attack("itself", "--to run,other --epsilon 0.1,0.2 --methods fgsm,bim --iterations 4");
    const cJSON *targets = cJSON_GetObjectItemCaseSensitive(json, "targets");
    assert_int_equal(cJSON_GetArraySize(targets), 2);
    assert_true(json_number(cJSON_GetArrayItem(targets, 0), "clean_accuracy") ==
                json_number(json, "clean_accuracy"));
    assert_true(json_number(cJSON_GetArrayItem(targets, 1), "seed") == 2);
    assert_true(json_number(cJSON_GetArrayItem(targets, 1), "snnl_weight") == 0.1);
    for (int k = 0; k < 4; k++) {
        const cJSON *one = attack_at(json, k), *same = shown_at(one, 0), *other = shown_at(one, 1);
        assert_true(json_number(same, "accuracy") == json_number(one, "accuracy"));
        assert_true(json_number(same, "success") == json_number(one, "success"));
        assert_true(json_number(same, "counted") == json_number(one, "counted"));
        assert_true(json_number(other, "counted") <= json_number(one, "counted"));
        assert_true(json_number(other, "accuracy") >= json_number(one, "accuracy"));
    }
    cJSON_Delete(json);
}

static void targets_are_reached(void **state) {
    (void)state;
    static const char *const targets[] = {"next", "least-likely", "3"};
    for (int k = 0; k < 3; k++) {
        char options[128];
        snprintf(options, sizeof options, "--epsilon 0.5 --methods pgd --target %s --dump aimed%d",
                 targets[k], k);
        cJSON *json = attack("aimed", options);
        assert_string_equal(text_of(json, "target"), targets[k]);
        assert_true(json_number(attack_at(json, 0), "success") > 0.9);
        assert_true(json_number(attack_at(json, 0), "counted") <=
                    EXAMPLES * json_number(json, "clean_accuracy") + 0.5);
        cJSON_Delete(json);
    }
    nn_npy labels, next;
    nn_error error = {0};
    test_ok(nn_npy_read("aimed0-labels.npy", &labels, &error), &error);
    test_ok(nn_npy_read("aimed0-targets.npy", &next, &error), &error);
    for (size_t i = 0; i < EXAMPLES; i++)
        assert_true(nn_npy_integer(&next, i) == (nn_npy_integer(&labels, i) + 1) % 10);
    nn_npy_free(&labels);
    nn_npy_free(&next);
}

/* --- images --------------------------------------------------------------------------------------------- */

static nn_npy read_images(const char *path) {
    nn_npy images;
    nn_error error = {0};
    test_ok(nn_npy_read(path, &images, &error), &error);
    assert_true(images.kind == 'f' && images.size == 4 && images.rank == 4 && images.dims[0] == EXAMPLES);
    assert_true(images.dims[1] == PROGRAM_SIDE && images.dims[2] == PROGRAM_SIDE && images.dims[3] == 1);
    return images;
}

/* Against the bytes of the test set's file. */
static void every_pixel_is_inside(void **state) {
    (void)state;
    static const struct {
        const char *path;
        double epsilon;
    } files[] = {{"inside-fgsm-0.1.npy", 0.1},
                 {"inside-bim-0.1.npy", 0.1},
                 {"inside-pgd-0.1.npy", 0.1},
                 {"inside-fgsm-8_255.npy", 8 / 255.0},
                 {"inside-pgd-0.npy", 0}};
    cJSON_Delete(attack("inside", "--epsilon 0,8/255,0.1 --iterations 5 --dump inside"));
    char *file = program_file("data/mnist/t10k-images-idx3-ubyte"),
         *names = program_file("data/mnist/t10k-labels-idx1-ubyte");
    for (int f = 0; f < 5; f++) {
        nn_npy images = read_images(files[f].path);
        double most = 0;
        for (size_t k = 0; k < EXAMPLES * IMAGE; k++) {
            double x = nn_npy_number(&images, k), clean = (float)((unsigned char)file[16 + k] / 255.0);
            assert_true(x >= 0 && x <= 1 && fabs(x - clean) <= files[f].epsilon);
            most = fmax(most, fabs(x - clean));
        }
        assert_true(most >= files[f].epsilon - 1e-7);
        nn_npy_free(&images);
    }
    nn_npy labels;
    nn_error error = {0};
    test_ok(nn_npy_read("inside-labels.npy", &labels, &error), &error);
    for (size_t i = 0; i < EXAMPLES; i++)
        assert_true(nn_npy_integer(&labels, i) == names[8 + i]);
    nn_npy_free(&labels);
    free(file);
    free(names);
}

static void expect_same_files(const char *a, const char *b) {
    nn_npy x = read_images(a), y = read_images(b);
    test_same_bits(b, x.elements, y.elements, x.count * sizeof(float));
    nn_npy_free(&x);
    nn_npy_free(&y);
}

static void results_repeat(void **state) {
    (void)state;
    cJSON_Delete(attack("one", "--methods pgd --epsilon 0.2 --iterations 3 --threads 1 --dump one"));
    cJSON_Delete(attack("three", "--methods pgd --epsilon 0.2 --iterations 3 --threads 3 --dump three"));
    cJSON_Delete(attack("seed", "--methods pgd --epsilon 0.2 --iterations 3 --seed 2 --dump seed"));
    expect_same_files("one-pgd-0.2.npy", "three-pgd-0.2.npy");
    nn_npy one = read_images("one-pgd-0.2.npy"), seed = read_images("seed-pgd-0.2.npy");
    assert_memory_not_equal(one.elements, seed.elements, one.count * sizeof(float));
    nn_npy_free(&one);
    nn_npy_free(&seed);
    cJSON_Delete(attack("fgsm", "--methods fgsm --epsilon 0.2 --dump fgsm"));
    cJSON_Delete(attack("bim", "--methods bim --epsilon 0.2 --step 0.2 --iterations 1 --dump bim"));
    expect_same_files("fgsm-fgsm-0.2.npy", "bim-bim-0.2.npy");
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void expect_file(const char *path, const char *start) {
    char *text = program_file(path);
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("%s does not start with '%s'", path, start);
    free(text);
}

/* Lines of a file, and how often a word begins one. */
static int lines_of(const char *path, const char *word, int *begun) {
    int lines = 0;
    char *text = program_file(path), *rest = NULL;
    *begun = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        lines++;
        *begun += strncmp(line, word, strlen(word)) == 0;
    }
    free(text);
    return lines;
}

static void everything_is_written(void **state) {
    (void)state;
    assert_int_equal(program_run("attack", "--run run --to other --epsilon 0.1,0.3 --iterations 2 --json "
                                           "--gradient-examples 40"),
                     0);
    program_said(program_errors, "attacked  mlp, SNNL weight 0, seed 1: accuracy ");
    program_said(program_errors, "shown to  mlp, SNNL weight 0.1, seed 2: accuracy ");
    program_said(program_errors, "run/attack\n");
    cJSON *json = cJSON_Parse(program_output);
    const cJSON *gradients = cJSON_GetObjectItemCaseSensitive(json, "gradients");
    assert_true(json_number(gradients, "examples") == 40 && json_number(gradients, "perplexity") == 13);
    assert_true(json_number(gradients, "snnl") >= 0 &&
                json_number(gradients, "snnl") <= json_number(gradients, "limit"));
    assert_null(cJSON_GetObjectItemCaseSensitive(json, "credibility"));
    cJSON_Delete(json);
    int begun;
    expect_file("run/attack/attack.csv",
                "method,epsilon,target,run,model,snnl_weight,seed,white_box,examples,"
                "accuracy,counted,success\nnone,0,none,run,mlp,0,1,1,50,");
    assert_int_equal(lines_of("run/attack/attack.csv", "none,0,none,", &begun), 1 + 2 + 3 * 2 * 2);
    assert_int_equal(begun, 2);
    lines_of("run/attack/attack.csv", "pgd,0.3,none,other,mlp,0.1,2,0,50,", &begun);
    assert_int_equal(begun, 1);
    static const char *const pictures[] = {"curves", "examples-fgsm", "examples-bim", "examples-pgd",
                                           "gradients"};
    for (int k = 0; k < 5; k++) {
        char path[64];
        snprintf(path, sizeof path, "run/attack/%s.png", pictures[k]);
        expect_file(path, "\x89PNG");
    }
    char *svg = program_file("run/attack/gradients.svg");
    program_said(svg, "of gradient signs: mlp on mnist");
    program_said(svg, "40 test images");
    free(svg);
    svg = program_file("run/attack/curves.svg");
    program_said(svg, "shown to: mlp, SNNL weight 0.1, seed 2");
    free(svg);
}

static void color_images(void **state) {
    (void)state;
    assert_int_equal(program_run("attack", "--run shapes --methods fgsm --examples 100 --out colors --quiet "
                                           "--gradient-examples 0"),
                     0);
    cJSON *json = read_summary("colors");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "attacks")), 5);
    assert_true(fabs(json_number(attack_at(json, 3), "epsilon") - 8 / 255.0) < 1e-9);
    cJSON_Delete(json);
    assert_true(program_file_exists("colors/examples-fgsm.png") &&
                !program_file_exists("colors/gradients.png"));
}

/* --- credibility ---------------------------------------------------------------------------------------- */

static double counted(const cJSON *judgement, const char *variant, double *right) {
    const cJSON *bins =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(judgement, variant), "bins");
    double count = 0;
    *right = 0;
    assert_int_equal(cJSON_GetArraySize(bins), 10);
    for (int b = 0; b < 10; b++) {
        const cJSON *bin = cJSON_GetArrayItem(bins, b);
        count += json_number(bin, "count");
        if (json_number(bin, "count") > 0)
            *right += json_number(bin, "count") * json_number(bin, "accuracy");
    }
    return count;
}

static void expect_credibility(const char *options, int examples) {
    char line[256];
    snprintf(line, sizeof line,
             "--methods fgsm --epsilon 0.1 --credibility --neighbors 5 --calibration 20 %s", options);
    cJSON *json = attack("judged", line);
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(json, "credibility");
    assert_true(json_number(c, "examples") == examples && json_number(c, "neighbors") == 5);
    static const char *const sets[] = {"clean", "adversarial"}, *const variants[] = {"conformal", "trimmed"};
    double accuracy[2], right;
    for (int s = 0; s < 2; s++) {
        const cJSON *judgement = cJSON_GetObjectItemCaseSensitive(c, sets[s]);
        accuracy[s] = json_number(judgement, "dknn_accuracy");
        for (int v = 0; v < 2; v++) {
            assert_true(counted(judgement, variants[v], &right) == examples);
            assert_true(fabs(right - examples * accuracy[s]) < 1e-3);
        }
    }
    const cJSON *auroc = cJSON_GetObjectItemCaseSensitive(c, "auroc");
    for (int v = 0; v < 2; v++)
        assert_true(json_number(auroc, variants[v]) > 0.5 && json_number(auroc, variants[v]) <= 1);
    assert_true(accuracy[0] > accuracy[1] && accuracy[0] > 0.8);
    cJSON_Delete(json);
}

static void neighbors_notice(void **state) {
    (void)state;
    expect_credibility("", EXAMPLES - 20);
    expect_credibility("--examples 10 --credibility-method bim --credibility-epsilon 0.4 --training 100", 10);
}

/* --- interruptions and mistakes ------------------------------------------------------------------------- */

static void an_interruption_writes_nothing(void **state) {
    (void)state;
    program_next.errors = "progress.txt";
    pid_t pid = program_start("attack", "--run run --iterations 1000000 --out stopped");
    for (bool works = false; !works; usleep(10000)) {
        char *text = program_file_exists("progress.txt") ? program_file("progress.txt") : NULL;
        works = text && strstr(text, "attacked");
        free(text);
    }
    usleep(50000);
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(program_end(pid), 130);
    char *text = program_file("progress.txt");
    program_said(text, "interrupted: nothing written");
    free(text);
    assert_false(program_file_exists("stopped/summary.json"));
}

static void bad_input(void **state) {
    (void)state;
    test_file("file", "hello", 5);
    static const char *const lines[][2] = {
        {"--run absent", "absent/config.ini: No such file"},
        {"--run run --to absent", "absent/config.ini: No such file"},
        {"--run run --to shapes",
         "--to shapes: its images are 32 x 32 x 3 of 10 classes, the attacked run's 8 x 8 x 1"},
        {"--run run --data nowhere", "no mnist data"},
        {"--run run --out file/x", "cannot make the folder file"},
        {"--run run --quiet --epsilon 0.1 --dump absent/x", "absent/x-labels.npy"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("attack", "%s", lines[i][0]), 1);
        program_complained(lines[i][1]);
        program_said(program_errors, "attack: ");
    }
    assert_false(program_file_exists("absent"));
}

static void wrong_usage(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"", "--run DIR: which run is to be attacked?"},
        {"--run run --methods cw", "--methods: 'cw' is not one of: fgsm, bim, pgd"},
        {"--run run --epsilon 2", "--epsilon: '2' is no number from 0 to 1"},
        {"--run run --target nothing", "--target: 'nothing' is no class (0, 1, 2"},
        {"--run run --iterations 0", "--iterations"},
        {"--run run --step -1", "--step"},
        {"--run run --gradient-examples 3", "--gradient-examples: 0, or 4 or more"},
        {"--run run --credibility-epsilon x", "--credibility-epsilon: 'x'"},
        {"--run run --credibility-method cw", "--credibility-method: 'cw' is not one of: fgsm, bim, pgd"},
        {"--run run --credibility --calibration 50", "--calibration 50 leaves none of the 50 test examples"},
        {"--run run --credibility --dataset mnist", "--credibility needs the run's own data"},
        {"--run run --dataset nosuch", "unknown data set 'nosuch'"},
        {"--nosuch", "--nosuch: there is no such option"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("attack", "%s", lines[i][0]), 2);
        program_complained(lines[i][1]);
    }
    assert_int_equal(program_run("attack", "--help"), 0);
    program_said(program_output, "usage: ./attack --run DIR");
    assert_int_equal(program_run("attack", "--version"), 0);
    program_said(program_output, "entangle attack ");
}

static void full_disks(void **state) {
    (void)state;
    program_next.output = "/dev/full";
    assert_int_equal(
        program_run("attack", "--run run --methods fgsm --epsilon 0.1 --gradient-examples 0 --quiet --json "
                              "--out full"),
        1);
    program_complained("cannot write the summary to standard output");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_of_pixels),
        cmocka_unit_test(accuracy_falls),
        cmocka_unit_test(success_and_accuracy_agree),
        cmocka_unit_test(a_run_transferred_to_itself),
        cmocka_unit_test(targets_are_reached),
        cmocka_unit_test(every_pixel_is_inside),
        cmocka_unit_test(results_repeat),
        cmocka_unit_test(everything_is_written),
        cmocka_unit_test(color_images),
        cmocka_unit_test(neighbors_notice),
        cmocka_unit_test(an_interruption_writes_nothing),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(full_disks),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
