/* ./gan, run as a user runs it: what it leaves, that it repeats, interruptions, and what is refused. */
#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/json.h"
#include "tests/support/program.h"

/* Small networks on the digits of program_data, which are in ./data, and a trained run. */
#define SMALL                                                                                                \
    "--quiet --dataset mnist --filters 4 --latent 3 --batch 8 --examples 12 --log-every 2 --snapshots 0,3 "

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    program_data("data", "fashion-mnist");
    assert_int_equal(program_run("train",
                                 "--quiet --dataset mnist --model mlp --batch 16 --epochs 2 --lr 0.01 "
                                 "--log-every 0 --run classifier"),
                     0);
    return program_run("train", "--quiet --dataset fashion-mnist --model mlp --batch 16 --steps 2 --lr 0.01 "
                                "--log-every 0 --run other");
}

/* --- reading what was written --------------------------------------------------------------------------- */

static const char *in(const char *run, const char *name) {
    static char path[4][128];
    static int next;
    char *at = path[next++ % 4];
    snprintf(at, sizeof path[0], "%s/%s", run, name);
    return at;
}

static void expect_png(const char *path) {
    unsigned char *png;
    size_t count;
    nn_error error = {0};
    test_ok(nn_file_read(path, 1 << 24, &png, &count, &error), &error);
    assert_true(count > 500);
    assert_memory_equal(png + 1, "PNG", 3);
    assert_memory_equal(png + count - 8, "IEND", 4);
    free(png);
}

/* Width and height from a PNG file's header. */
static void png_size(const char *path, int size[2]) {
    unsigned char *png;
    size_t count;
    nn_error error = {0};
    test_ok(nn_file_read(path, 1 << 24, &png, &count, &error), &error);
    for (int i = 0; i < 2; i++)
        size[i] = png[16 + 4 * i] << 24 | png[17 + 4 * i] << 16 | png[18 + 4 * i] << 8 | png[19 + 4 * i];
    free(png);
}

static const cJSON *item(const cJSON *json, const char *name) {
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, name);
    if (!found)
        fail_msg("there is no '%s'", name);
    return found;
}

static void expect_same_file(const char *a, const char *b) {
    unsigned char *first, *second;
    size_t size, other;
    nn_error error = {0};
    test_ok(nn_file_read(a, 1 << 24, &first, &size, &error), &error);
    test_ok(nn_file_read(b, 1 << 24, &second, &other, &error), &error);
    assert_int_equal(size, other);
    test_same_bits(a, first, second, size);
    free(first);
    free(second);
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static void expect_csv(const char *run) {
    static const char header[] =
        "step,seconds,discriminator_loss,generator_loss,accuracy_real,"
        "accuracy_generated,snnl/pixels,temperature/pixels,snnl/dense1,"
        "temperature/dense1,snnl/dense2,temperature/dense2,top_probability,class_entropy\n";
    static const int steps[] = {0, 2, 3, 4, 6, 7};
    char *text = program_file(in(run, "gan.csv")), *line = text;
    assert_memory_equal(text, header, strlen(header));
    for (int i = 0; i < 6; i++) {
        line = strchr(line, '\n') + 1;
        assert_int_equal(strtol(line, NULL, 10), steps[i]);
        int commas = 0;
        for (const char *c = line; *c != '\n'; c++)
            commas += *c == ',';
        assert_int_equal(commas, 13);
        assert_int_equal(strstr(line, ",,") && strstr(line, ",,") < strchr(line, '\n'), i == 0);
    }
    assert_true(strchr(line, '\n')[1] == '\0');
    free(text);
}

static void expect_samples(const cJSON *samples, int count) {
    double sum = 0, entropy = 0, least = 1;
    int classes = 0;
    const cJSON *share;
    assert_true(json_number(samples, "count") == count);
    assert_true(json_number(samples, "top_probability") > 0.1 &&
                json_number(samples, "top_probability") <= 1);
    cJSON_ArrayForEach(share, item(samples, "shares")) {
        double p = share->valuedouble;
        sum += p;
        entropy -= p > 0 ? p * log(p) : 0;
        least = p < least ? p : least;
        classes++;
    }
    assert_int_equal(classes, 10);
    assert_true(fabs(sum - 1) < 1e-6);
    assert_true(fabs(json_number(samples, "class_entropy") - entropy) < 1e-6);
    assert_true(fabs(json_number(samples, "least_share") - least) < 1e-6);
}

static void a_run_against_a_discriminator(void **state) {
    (void)state;
    assert_int_equal(
        program_run("gan", SMALL "--steps 7 --run one --classifier classifier --threads 1 --json"), 0);
    assert_string_equal(program_errors, "");
    cJSON *line = cJSON_Parse(program_output), *json = json_file("one/summary.json");
    assert_true(cJSON_Compare(line, json, true));
    assert_true(json_number(json, "steps") == 7 && json_number(json, "examples") == 12);
    assert_string_equal(item(json, "objective")->valuestring, "adversarial");
    assert_true(cJSON_IsFalse(item(json, "interrupted")));
    /* Two sets of real examples; at most log((2 n - 1) / (n - 1)) */
    assert_true(json_number(json, "snnl_of_real_with_real") > 0.3);
    assert_true(json_number(json, "snnl_of_real_with_real") <= log(23.0 / 11) + 1e-6);
    const cJSON *snapshots = item(json, "snapshots");
    static const int steps[] = {0, 3, 7};
    assert_int_equal(cJSON_GetArraySize(snapshots), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *snapshot = cJSON_GetArrayItem(snapshots, i), *taps = item(snapshot, "taps");
        assert_true(json_number(snapshot, "step") == steps[i]);
        assert_true(json_number(snapshot, "snnl") >= 0 &&
                    json_number(snapshot, "snnl") <= log(23.0 / 11) + 1e-6);
        assert_int_equal(cJSON_GetArraySize(taps), 2);
        assert_string_equal(item(cJSON_GetArrayItem(taps, 0), "name")->valuestring, "dense1");
        expect_samples(item(snapshot, "samples"), 1000);
    }
    expect_samples(item(json, "real_samples"), 12);
    cJSON_Delete(line);
    cJSON_Delete(json);
    expect_csv("one");
}

static void pictures(void **state) {
    (void)state;
    int size[2];
    static const char *const names[] = {"curves.png", "snapshots.png", "samples-000000.png",
                                        "samples-000003.png", "samples-000007.png"};
    for (int i = 0; i < 5; i++)
        expect_png(in("one", names[i]));
    png_size("one/samples-000007.png", size); /* 10 x 10 images of 8 x 8 pixels, doubled, 4 between them */
    assert_true(size[0] == 10 * 20 - 4 && size[1] == size[0]);
    char *svg = program_file("one/curves.svg");
    program_said(svg, "</svg>");
    program_said(svg, "Generator of mnist, trained against a discriminator");
    program_said(svg, "log 2: alike");
    program_said(svg, "dense2");
    free(svg);
}

/* The same bits from its config.ini, by another number of threads. */
static void a_run_repeats(void **state) {
    (void)state;
    assert_int_equal(
        program_run("gan", "--quiet --config one/config.ini --run two --threads 3 --no-pictures"), 0);
    expect_same_file("one/generator.safetensors", "two/generator.safetensors");
    expect_same_file("one/discriminator.safetensors", "two/discriminator.safetensors");
    expect_same_file("one/samples-000007.png", "two/samples-000007.png");
    assert_false(program_file_exists("two/curves.png"));
    cJSON *first = json_file("one/summary.json"), *second = json_file("two/summary.json");
    assert_true(cJSON_Compare(item(first, "snapshots"), item(second, "snapshots"), true));
    cJSON_Delete(first);
    cJSON_Delete(second);
    assert_int_equal(program_run("gan", "--quiet --config one/config.ini --run three --seed 2 --no-pictures"),
                     0);
    first = json_file("one/summary.json");
    second = json_file("three/summary.json");
    assert_true(json_number(first, "snnl") != json_number(second, "snnl"));
    cJSON_Delete(first);
    cJSON_Delete(second);
}

static void a_run_by_snnl_alone(void **state) {
    (void)state;
    assert_int_equal(program_run("gan", SMALL "--objective snnl --steps 4 --run alone"), 0);
    assert_false(program_file_exists("alone/discriminator.safetensors"));
    assert_true(program_file_exists("alone/generator.safetensors"));
    char *text = program_file("alone/gan.csv");
    program_said(text, "\n2,");
    program_said(strstr(text, "\n2,"), ",,-"); /* no discriminator, and minus SNNL */
    free(text);
    expect_png("alone/curves.png");
}

static void colors(void **state) {
    (void)state;
    assert_int_equal(
        program_run("gan",
                    "--quiet --dataset shapes --train-limit 50 --objective both --filters 2 --latent 2 "
                    "--batch 4 --examples 6 --steps 1 --snapshots 0 --log-every 0 --run colors"),
        0);
    int size[2];
    png_size("colors/samples-000001.png", size);
    assert_true(size[0] == 10 * 68 - 4);
    expect_png("colors/snapshots.png");
}

static void points(void **state) {
    (void)state;
    assert_int_equal(program_run("gan",
                                 "--dataset mixture --objective snnl --batch 64 --examples 64 --steps 20 "
                                 "--snapshots 0 --log-every 10 --threads 1"),
                     0);
    program_said(program_errors, "8 Gaussians on a circle");
    program_said(program_errors, "step 20/20  loss -");
    program_said(program_errors, "done after 20 steps");
    const char *run = "runs/gan-mixture-snnl-seed1";
    expect_png(in(run, "snapshots.png"));
    expect_png(in(run, "curves.png"));
    assert_false(program_file_exists(in(run, "samples-000020.png")));
}

static void a_run_without_steps(void **state) {
    (void)state;
    assert_int_equal(program_run("gan", SMALL "--steps 0 --run none"), 0);
    cJSON *json = json_file("none/summary.json");
    assert_int_equal(cJSON_GetArraySize(item(json, "snapshots")), 1);
    cJSON_Delete(json);
    expect_png("none/curves.png");
}

/* --- interruptions -------------------------------------------------------------------------------------- */

static void an_interruption_ends_in_order(void **state) {
    (void)state;
    program_next.errors = "progress.txt";
    pid_t pid =
        program_start("gan", "--dataset mnist --filters 4 --latent 3 --batch 8 --examples 12 --steps 1000000 "
                             "--log-every 5 --snapshots 0 --run stopped --threads 1");
    for (bool works = false; !works; usleep(10000)) {
        char *text = program_file_exists("progress.txt") ? program_file("progress.txt") : NULL;
        works = text && strstr(text, "step 10/1000000");
        free(text);
    }
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(program_end(pid), 130);
    char *text = program_file("progress.txt");
    program_said(text, "interrupted after ");
    free(text);
    cJSON *json = json_file("stopped/summary.json");
    assert_true(cJSON_IsTrue(item(json, "interrupted")));
    assert_true(json_number(json, "steps") >= 10 && json_number(json, "steps") < 1000000);
    const cJSON *last = cJSON_GetArrayItem(item(json, "snapshots"), 1);
    assert_true(json_number(last, "step") == json_number(json, "steps"));
    cJSON_Delete(json);
    expect_png("stopped/snapshots.png");
    assert_true(program_file_exists("stopped/generator.safetensors"));
}

/* --- mistakes ------------------------------------------------------------------------------------------- */

static void wrong_usage(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"--stepz 3", "stepz"},
        {"--objective noise", "--objective"},
        {"--filters 5", "--filters: 5 is not an even number"},
        {"--batch 1", "--batch: 1 is too small"},
        {"--snapshots 3,2", "--snapshots: '3,2' does not rise from step to step"},
        {"--snapshots 3,", "--snapshots: '3,' is not a list of steps"},
        {"--snapshots -1", "--snapshots: '-1' is not a list of steps"},
        {"--snapshots 0,1,2,3,4,5", "--snapshots: '0,1,2,3,4,5' has more than 5 steps before the last"},
        {"--temperature hot", "--temperature: 'hot' is neither numbers"},
        {"--temperature 0", "--temperature: '0' is neither numbers"},
        {"--dataset mixture --classifier classifier", "--classifier: the mixture's points have no classes"},
        {"--dataset mnist --batch 500", "mnist has 120 training examples, fewer than a batch of 500"},
        {"--dataset mnist --classifier other",
         "--classifier: other was trained on fashion-mnist, not on mnist"},
        {"--dataset letters", "letters"},
        {"--dataset mixture --steps 0 --run classifier", "classifier holds a run already"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("gan", "--quiet --batch 4 %s", lines[i][0]), 2);
        program_complained(lines[i][1]);
    }
    assert_int_equal(program_run("gan", "nothing"), 2);
}

static void failures(void **state) {
    (void)state;
    test_file("file", "", 0);
    static const char *const lines[][2] = {
        {"--dataset cifar10", "entangle-fetch cifar10"},
        {"--dataset mnist --batch 4 --classifier absent", "absent/config.ini"},
        {"--dataset mixture --steps 0 --run file/run", "file/run"},
        {"--config absent.ini", "absent.ini"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int status = program_run("gan", "--quiet %s", lines[i][0]);
        assert_int_equal(status, i == 3 ? 2 : 1);
        program_complained(lines[i][1]);
    }
}

static void help(void **state) {
    (void)state;
    assert_int_equal(program_run("gan", "--help"), 0);
    program_said(program_output, "usage: ./gan");
    program_said(program_output, "--classifier RUN");
    assert_int_equal(program_run("gan", "--version"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_against_a_discriminator),
        cmocka_unit_test(pictures),
        cmocka_unit_test(a_run_repeats),
        cmocka_unit_test(a_run_by_snnl_alone),
        cmocka_unit_test(colors),
        cmocka_unit_test(points),
        cmocka_unit_test(a_run_without_steps),
        cmocka_unit_test(an_interruption_ends_in_order),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(failures),
        cmocka_unit_test(help),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
