/* ./train, run as a user runs it: what it leaves, what it says, and how it fails. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/json.h"
#include "tests/support/program.h"
#include "tests/support/run_files.h"

/* A quick run without rows (and so without pictures) on the data that set_up made. */
#define QUICK "--quiet --dataset mnist --model mlp --batch 10 --lr 0.01 "
#define BARE  QUICK "--steps 3 --log-every 0 "

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    return 0;
}

/* --- tables --------------------------------------------------------------------------------------------- */

enum { COLUMNS = 16, ROWS = 64, FIELD = 32 };

/* A metrics.csv, cell by cell; row 0 is the header. */
typedef struct sheet {
    int rows, columns;
    char cells[ROWS][COLUMNS][FIELD];
} sheet;

static sheet read_sheet(const char *path) {
    sheet s = {0};
    char *text = program_file(path), *rest = text;
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n"), s.rows++) {
        int column = 0;
        assert_true(s.rows < ROWS);
        for (char *cell = strsep(&line, ","); cell; cell = strsep(&line, ","), column++) {
            assert_true(column < COLUMNS);
            snprintf(s.cells[s.rows][column], FIELD, "%s", cell);
        }
        s.columns = s.rows ? s.columns : column;
        assert_int_equal(column, s.columns);
    }
    free(text);
    return s;
}

static double cell(const sheet *s, int row, const char *column) {
    for (int i = 0; i < s->columns; i++)
        if (strcmp(s->cells[0][i], column) == 0) {
            char *end, again[FIELD], *text = (char *)s->cells[row][i];
            double value = strtod(text, &end);
            snprintf(again, sizeof again, "%.9g", value);
            assert_true(end != text && *end == '\0');
            assert_string_equal(again, text); /* nine significant digits */
            return value;
        }
    fail_msg("there is no column '%s'", column);
    return 0;
}

static cJSON *read_json(const char *text) {
    cJSON *json = cJSON_Parse(text);
    if (!json)
        fail_msg("not JSON: '%s'", text);
    return json;
}

static cJSON *read_summary(const char *path) {
    char *text = program_file(path);
    cJSON *json = read_json(text);
    free(text);
    return json;
}

static const char *text_of(const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    if (!text)
        fail_msg("'%s' is no text in the summary", name);
    return text;
}

static int files_in(const char *folder) {
    int count = 0;
    DIR *stream = opendir(folder);
    if (!stream)
        return -1;
    for (const struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

/* --- a whole run ---------------------------------------------------------------------------------------- */

static const char header[] = "step,epoch,images,seconds,lr,loss,cross_entropy,accuracy,snnl/dense1,"
                             "temperature/dense1,snnl/dense2,temperature/dense2,test_loss,test_accuracy\n";

static void expect_metrics(const cJSON *summary) {
    static const int steps[] = {1, 5, 10, 12};
    char *text = program_file("tiny/metrics.csv");
    assert_memory_equal(text, header, strlen(header));
    free(text);
    sheet s = read_sheet("tiny/metrics.csv");
    assert_int_equal(s.rows, 5);
    for (int row = 1; row < s.rows; row++) {
        assert_true(cell(&s, row, "step") == steps[row - 1]);
        assert_true(cell(&s, row, "images") == 32 * steps[row - 1]);
        assert_true(fabs(cell(&s, row, "epoch") - 32 * steps[row - 1] / 500.0) < 1e-8);
        assert_true(cell(&s, row, "seconds") > 0 && cell(&s, row, "lr") > 0);
        assert_true(cell(&s, row, "loss") == cell(&s, row, "cross_entropy") && cell(&s, row, "loss") > 0);
        assert_true(fmod(cell(&s, row, "accuracy") * 32, 1) == 0);
        assert_true(cell(&s, row, "snnl/dense1") > 0 && cell(&s, row, "temperature/dense2") > 0);
        for (int column = s.columns - 2; column < s.columns; column++)
            assert_true((s.cells[row][column][0] == '\0') == (row < 4));
    }
    assert_true(cell(&s, 4, "test_accuracy") == json_number(summary, "test_accuracy"));
    assert_true(cell(&s, 4, "test_loss") == json_number(summary, "test_cross_entropy"));
}

static void expect_summary(const cJSON *summary) {
    assert_string_equal(text_of(summary, "model"), "mlp");
    assert_string_equal(text_of(summary, "dataset"), "shapes");
    assert_true(json_number(summary, "seed") == 1 && json_number(summary, "snnl_weight") == 0);
    assert_true(json_number(summary, "steps") == 12 && fabs(json_number(summary, "epochs") - 0.768) < 1e-8);
    assert_true(fabs(remainder(json_number(summary, "train_accuracy") * 500, 1)) < 1e-6);
    assert_true(fabs(remainder(json_number(summary, "test_accuracy") * 200, 1)) < 1e-6);
    assert_true(json_number(summary, "images_per_second") > 0 && json_number(summary, "seconds") > 0);
    assert_true(json_number(summary, "peak_memory_bytes") > 1e6);
    const cJSON *taps = cJSON_GetObjectItemCaseSensitive(summary, "taps");
    assert_int_equal(cJSON_GetArraySize(taps), 2);
    for (int i = 0; i < 2; i++) {
        const cJSON *tap = cJSON_GetArrayItem(taps, i);
        assert_string_equal(text_of(tap, "name"), i ? "dense2" : "dense1");
        assert_true(json_number(tap, "snnl") > 0 && json_number(tap, "temperature") > 0);
    }
}

static void a_run_leaves_all_its_files(void **state) {
    (void)state;
    const char *line =
        "--dataset shapes --model mlp --train-limit 500 --test-limit 200 --steps 12 --batch 32 "
        "--log-every 5 --run tiny";
    assert_int_equal(program_run("train", "%s", line), 0);
    assert_string_equal(program_output, "");
    program_said(program_errors, "data     shapes from built in, checksum ");
    program_said(program_errors, "500 training and 200 test images of 32 x 32 x 3, 10 classes: circle ");
    program_said(program_errors, "done after 12 steps: tiny");
    const char *files[] = {
        "config.ini", "metrics.csv", "summary.json", "model.safetensors", "checkpoint.safetensors",
        "curves.png", "curves.svg",  "lock"};
    for (int i = 0; i < 8; i++) {
        char path[64];
        snprintf(path, sizeof path, "tiny/%s", files[i]);
        if (!program_file_exists(path))
            fail_msg("there is no %s", path);
    }
    assert_int_equal(files_in("tiny"), 8);
    cJSON *summary = read_summary("tiny/summary.json");
    expect_summary(summary);
    expect_metrics(summary);
    cJSON_Delete(summary);
}

static void a_run_is_repeated_from_its_configuration(void **state) {
    (void)state;
    const char *line =
        QUICK "--epochs 2.5 --snnl-weight 0.1 --snnl-layers dense2,dense1=-0.30000000000000004 "
              "--temperature-mode learned --distance cosine --nesterov --momentum 0.5 --augment "
              "--balanced --seed 1234567890123456 --log-every 3 --threads 1 --run first";
    assert_int_equal(program_run("train", "%s", line), 0);
    assert_int_equal(program_run("train", "--quiet --preset first/config.ini --run second --threads 3"), 0);
    run_files_same("first", "second");
}

/* Evaluations come every so many epochs and at the end; the loss is what the weights say. */
static void rows_and_weights(void **state) {
    (void)state;
    assert_int_equal(program_run("train",
                                 QUICK "--epochs 3.25 --eval-every 2 --log-every 1 --snnl-weight 0.5 "
                                       "--snnl-layers dense1=-0.25,dense2 --run weighted"),
                     0);
    sheet s = read_sheet("weighted/metrics.csv");
    assert_int_equal(s.rows, 40); /* 12 batches an epoch */
    for (int row = 1; row < s.rows; row++) {
        double expected = cell(&s, row, "cross_entropy") + 0.25 * cell(&s, row, "snnl/dense1") -
                          0.5 * cell(&s, row, "snnl/dense2");
        assert_true(fabs(cell(&s, row, "loss") - expected) < 1e-6);
        assert_true((s.cells[row][s.columns - 1][0] != '\0') == (row == 24 || row == 39));
    }
    assert_int_equal(program_run("train", BARE "--eval-every 0 --run unlogged"), 0);
    s = read_sheet("unlogged/metrics.csv");
    assert_int_equal(s.rows, 1);
    cJSON *summary = read_summary("unlogged/summary.json");
    static const char *const evaluated[] = {"test_accuracy", "test_ece", "reliability", "train_accuracy",
                                            "train_cross_entropy"};
    for (int i = 0; i < 5; i++)
        assert_null(cJSON_GetObjectItemCaseSensitive(summary, evaluated[i]));
    cJSON_Delete(summary);
}

static void json_is_one_line(void **state) {
    (void)state;
    assert_int_equal(program_run("train", BARE "--json --seed 1234567890123456 --run json"), 0);
    assert_string_equal(program_errors, "");
    const char *end = strchr(program_output, '\n');
    assert_true(end && end[1] == '\0');
    cJSON *line = read_json(program_output), *summary = read_summary("json/summary.json");
    assert_true(cJSON_Compare(line, summary, true));
    program_said(program_output, "\"seed\":1234567890123456,");
    cJSON_Delete(line);
    cJSON_Delete(summary);

    program_next.output = "/dev/full";
    assert_int_equal(program_run("train", BARE "--json --run unheard"), 1);
    program_complained("train: cannot write the summary to standard output");
}

static void folders_are_named_after_preset_and_seed(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(program_run("train", "--preset mnist_cnn " BARE "--seed 7"), 0);
    assert_int_equal(program_run("train", "--preset mnist_cnn " BARE "--snnl-weight -0.25"), 0);
    assert_true(program_file_exists("runs/mnist_cnn-seed7/summary.json"));
    assert_true(program_file_exists("runs/mnist_cnn-seed7-2/summary.json"));
    assert_true(program_file_exists("runs/mnist_cnn-seed1-snnl-0.25/summary.json"));
    assert_int_equal(files_in("runs"), 3);
}

static void help_and_version(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "--batch 0 --help"), 0);
    program_said(program_output, "usage: ./train ");
    program_said(program_output, "--snnl-weight [W]");
    program_said(program_output,
                 "--temperature T                    temperature if fixed, start if learned [100]");
    assert_string_equal(program_errors, "");
    assert_int_equal(program_run("train", "--version"), 0);
    program_said(program_output, "entangle train ");
}

/* --- interruptions -------------------------------------------------------------------------------------- */

static void interrupt(int signal_number, const char *run) {
    char line[256], path[64];
    snprintf(line, sizeof line, QUICK "--epochs 1000000 --log-every 1 --eval-every 0 --run %s", run);
    pid_t pid = program_start("train", line);
    snprintf(path, sizeof path, "%s/metrics.csv", run);
    for (int rows = 0; rows < 3; usleep(10000)) { /* until it trains */
        char *text = program_file_exists(path) ? program_file(path) : NULL;
        rows = 0;
        for (const char *at = text; at && (at = strchr(at, '\n')); at++)
            rows++;
        free(text);
    }
    assert_int_equal(kill(pid, signal_number), 0);
    assert_int_equal(program_end(pid), 130);
    assert_string_equal(program_errors, "");
    snprintf(path, sizeof path, "%s/summary.json", run);
    cJSON *summary = read_summary(path);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(summary, "interrupted")));
    assert_true(json_number(summary, "steps") >= 2);
    cJSON_Delete(summary);
    assert_int_equal(program_run("measure", "--run %s", run), 0); /* the model is whole */
}

static void an_interrupted_run_saves_its_model(void **state) {
    (void)state;
    interrupt(SIGINT, "interrupted");
    interrupt(SIGTERM, "terminated");
}

/* --- data ----------------------------------------------------------------------------------------------- */

static void missing_data(void **state) {
    (void)state;
    /* the preset's: the built-in set stands in, and everything says so */
    assert_int_equal(program_run("train",
                                 "--quiet --preset mnist_cnn --data nowhere --model mlp --steps 1 --batch 8 "
                                 "--log-every 0 --eval-every 0 --run stand-in"),
                     0);
    program_complained(
        "NOTE: the data set mnist is not in nowhere: training on the built-in 'shapes' instead. To get "
        "it: ENTANGLE_DATA='nowhere' entangle-fetch mnist");
    char *config = program_file("stand-in/config.ini");
    program_said(config, "\ndataset = shapes\n");
    free(config);
    cJSON *summary = read_summary("stand-in/summary.json");
    assert_string_equal(text_of(summary, "dataset"), "shapes");
    cJSON_Delete(summary);
    /* named: an error that says how to get it */
    assert_int_equal(program_run("train", "--dataset notmnist --run named"), 1);
    program_complained("entangle-fetch notmnist");
    assert_int_equal(program_run("train", "--dataset=cifar10 --run named"), 1);
    program_complained("entangle-fetch cifar10");
    assert_false(program_file_exists("named"));
    /* a name that does not exist is a mistake, wherever it stands */
    test_file("wrong.ini", "dataset = minst\n", 16);
    assert_int_equal(program_run("train", "--preset wrong.ini --run named"), 2);
    program_complained("unknown data set 'minst'");
}

static void damaged_data(void **state) {
    (void)state;
    program_data("damaged", "mnist");
    assert_int_equal(truncate("damaged/mnist/train-images-idx3-ubyte", 1000), 0);
    assert_int_equal(program_run("train", "--data damaged --dataset mnist --model mlp --run broken"), 1);
    program_complained(
        "train: damaged/mnist/train-images-idx3-ubyte: the header promises 7680 bytes of data");
    assert_false(program_file_exists("broken"));
    assert_int_equal(unlink("damaged/mnist/train-images-idx3-ubyte"), 0);
    assert_int_equal(unlink("damaged/mnist/train-labels-idx1-ubyte"), 0);
    assert_int_equal(program_run("train", "--data damaged --dataset mnist --model mlp --run broken"), 2);
    program_complained("no training examples");
}

/* --- wrong usage ---------------------------------------------------------------------------------------- */

static void wrong_usage(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"--nosuch", "--nosuch: there is no such option"},
        {"nosuch", "'nosuch' is not an option"},
        {"--batch 0", "--batch: '0' is not a whole number between 1 and 65536"},
        {"--lr fast", "--lr: 'fast' is not a number"},
        {"--temperature 0", "--temperature: 0 is not between"},
        {"--temperature-mode hot", "--temperature-mode: 'hot' is not one of: optimal, learned, fixed"},
        {"--run", "--run wants a value"},
        {"--preset nosuch", "--preset: there is no 'nosuch'"},
        {"--preset nosuch.ini", "nosuch.ini: No such file"},
        {"--dataset nosuch", "unknown data set 'nosuch'; there are mnist, "},
        {"--dataset mnist --model nosuch", "--model: there is no 'nosuch'; there are: mlp, "},
        {"--dataset mnist --model mlp --snnl-layers dens", "'dens' names no tap; there are: dense1, dense2"},
        {"--dataset mnist --model mlp --snnl-layers dense1=x", "the weight of 'dense1' is not a number"},
        {"--dataset mnist --model mlp --snnl-weight 1 --snnl-layers dense1=",
         "the weight of 'dense1' is not a number"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("train", "%s --steps 1 --run refused", lines[i][0]), 2);
        program_complained(lines[i][1]);
        program_said(program_errors, "train: ");
        assert_false(program_file_exists("refused"));
    }
    assert_int_equal(program_run("train", "--dataset mnist --model mnist_cnn --run refused"), 1);
    program_complained("--model mnist_cnn takes images of at least 27 x 27, those of mnist are 8 x 8");
}

static void run_folders_that_cannot_be(void **state) {
    (void)state;
    assert_int_equal(program_run("train", BARE "--run used"), 0);
    char *before = program_file("used/summary.json");
    assert_int_equal(program_run("train", BARE "--run used"), 2);
    program_complained("--run: used holds a run already");
    char *after = program_file("used/summary.json");
    assert_string_equal(before, after);
    free(before);
    free(after);
    test_file("file", "x", 1);
    assert_int_equal(program_run("train", BARE "--run file/deeper"), 1);
    program_complained("train: cannot make the folder file/deeper: Not a directory");
    assert_int_equal(program_run("train", BARE "--run file"), 1);
    program_complained("train: cannot write file/lock: Not a directory");
    assert_int_equal(program_run("train", BARE "--run /proc/run"), 1);
    program_complained("train: cannot make the folder /proc/run: No such file");
    assert_int_equal(program_run("train", BARE "--run deep/er/run"), 0);
    assert_true(program_file_exists("deep/er/run/model.safetensors"));
}

static void full_disks(void **state) {
    (void)state;
    program_next.file_limit = 100;
    assert_int_equal(program_run("train", BARE "--run full1"), 1);
    program_complained("train: cannot write full1/config.ini: File too large");
    assert_int_equal(files_in("full1"), 1); /* lock */
    program_next.file_limit = 4096;
    assert_int_equal(program_run("train", QUICK "--epochs 10 --log-every 1 --run full2"), 1);
    program_complained("train: cannot write full2/metrics.csv: File too large");
    assert_int_equal(files_in("full2"), 3); /* config.ini and what there is of metrics.csv too */
    program_next.file_limit = 1 << 16;
    assert_int_equal(program_run("train", BARE "--run full3"), 1);
    program_complained("train: cannot write full3/checkpoint.new.safetensors: File too large");
    assert_int_equal(files_in("full3"), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_all_its_files),
        cmocka_unit_test(a_run_is_repeated_from_its_configuration),
        cmocka_unit_test(rows_and_weights),
        cmocka_unit_test(json_is_one_line),
        cmocka_unit_test(folders_are_named_after_preset_and_seed),
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(an_interrupted_run_saves_its_model),
        cmocka_unit_test(missing_data),
        cmocka_unit_test(damaged_data),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(run_folders_that_cannot_be),
        cmocka_unit_test(full_disks),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
