/* ./reproduce, run as a user runs it: small studies from beginning to end, stopped and gone on with, and in trouble. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/common/metrics.h"
#include "tests/support/program.h"

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    return 0;
}

/* A quick run without rows (and so without pictures) on the data that set_up made. */
#define QUICK "preset = mnist_cnn\nmodel = mlp\nbatch = 10\nlr = 0.001\nlog-every = 0\n"
/* One that does not end by itself, and logs. */
#define ENDLESS                                                                                              \
    "preset = mnist_cnn\nmodel = mlp\nbatch = 10\nepochs = 1000000\nlog-every = 1\neval-every = 0\n"

static void write_study(const char *path, const char *text) {
    test_file(path, text, strlen(text));
}

/* --- what is there -------------------------------------------------------------------------------------- */

/* How many folders FOLDER/runs holds whose names end so. */
static int runs_in(const char *folder, const char *ending) {
    char path[128];
    int count = 0;
    snprintf(path, sizeof path, "%s/runs", folder);
    DIR *stream = opendir(path);
    for (const struct dirent *entry; stream && (entry = readdir(stream));) {
        size_t length = strlen(entry->d_name), wanted = strlen(ending);
        bool ends = length >= wanted && strcmp(entry->d_name + length - wanted, ending) == 0;
        count += entry->d_name[0] != '.' && (wanted ? ends : !strchr(strstr(entry->d_name, "-seed"), '.'));
    }
    if (stream)
        closedir(stream);
    return count;
}

/* OUT/runs/NAME/FILE for the folder whose name begins and ends so; "" where there is none. */
static const char *find_in(const char *out, const char *beginning, const char *ending, const char *file) {
    static char paths[2][600];
    static int next;
    char *path = paths[next++ % 2], runs[128];
    snprintf(runs, sizeof runs, "%s/runs", out);
    DIR *stream = opendir(runs);
    path[0] = '\0';
    for (const struct dirent *entry; stream && (entry = readdir(stream));) {
        size_t length = strlen(entry->d_name), wanted = strlen(ending);
        if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0 && length >= wanted &&
            strcmp(entry->d_name + length - wanted, ending) == 0)
            snprintf(path, sizeof paths[0], "%s/%s/%s", runs, entry->d_name, file);
    }
    if (stream)
        closedir(stream);
    return path;
}

static const char *path_in(const char *out, const char *beginning, const char *ending, const char *file) {
    const char *path = find_in(out, beginning, ending, file);
    if (!path[0])
        fail_msg("%s holds no %s...%s", out, beginning, ending);
    return path;
}

/* results.csv without its two columns of times, which lie before the last one. */
static char *timeless_results(const char *out) {
    char path[128], *kept = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/results.csv", out);
    char *text = program_file(path), *rest = text;
    FILE *memory = open_memstream(&kept, &size);
    for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
        char *status = strrchr(line, ',');
        *status = '\0';
        *strrchr(line, ',') = '\0';
        *strrchr(line, ',') = '\0';
        fprintf(memory, "%s,%s\n", line, status + 1);
    }
    fclose(memory);
    free(text);
    return kept;
}

static int lines_with(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

/* --- whole studies -------------------------------------------------------------------------------------- */

static void a_study_from_beginning_to_end(void **state) {
    (void)state;
    write_study("grid.ini",
                "title = A small grid\n[one]\n" QUICK "steps = 5\nsnnl-weight = 0 | 0.1\nseed = 1 | 2\n"
                "[two]\n" QUICK "steps = 5 | 6\nsnnl-weight = 0.1\n");
    assert_int_equal(program_run("reproduce", "--study grid.ini --dry-run --out grid"), 0);
    assert_int_equal(lines_with(program_output, "missing  grid/runs/mnist-mlp-w"), 5);
    program_said(program_output, "0 runs done, 0 skipped, 5 to do: how long they take is known once");
    assert_false(program_file_exists("grid"));

    assert_int_equal(program_run("reproduce", "--study grid.ini --out grid --threads 1"), 0);
    program_said(program_output, "grid: A small grid\n");
    program_said(program_output, "\n[one]\n  snnl-weight 0     2 of 2");
    program_said(program_output, "\n  snnl-weight 0.1   2 of 2");
    program_said(program_output, "\n[two]\n  steps 5           1 of 1");
    program_said(program_errors, "run 1/5  mnist-mlp-w0-seed1-");
    program_said(program_errors, "run 4/5  mnist-mlp-w0.1-seed2-"); /* all of a seed, then the next */
    assert_int_equal(lines_with(program_errors, "\n"), 5);
    assert_int_equal(lines_with(program_errors, "  accuracy "), 5);
    assert_int_equal(runs_in("grid", ""), 5); /* the blocks share one */
    assert_int_equal(runs_in("grid", ".partial"), 0);

    char *results = program_file("grid/results.csv");
    assert_int_equal(lines_with(results, "\n"), 1 + 6);
    assert_int_equal(lines_with(results, ",done\n"), 6);
    free(results);
    char *taps = program_file("grid/taps.csv");
    assert_int_equal(lines_with(taps, "\n"), 1 + 5 * 2);
    free(taps);
}

/* Follows the study above. */
static void a_finished_study_starts_no_run(void **state) {
    (void)state;
    struct stat before, after;
    const char *summary = path_in("grid", "mnist-mlp-w0.1-seed2", "", "summary.json");
    assert_int_equal(stat(summary, &before), 0);
    char *results = program_file("grid/results.csv");
    assert_int_equal(program_run("reproduce", "--study ./grid.ini --out ./grid"), 0);
    assert_string_equal(program_errors, "");
    program_said(program_output, "[one]\n  snnl-weight 0     2 of 2");
    assert_int_equal(stat(summary, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    char *again = program_file("grid/results.csv");
    assert_string_equal(results, again);
    free(results);
    free(again);
    assert_int_equal(program_run("reproduce", "--study grid.ini --out grid --dry-run"), 0);
    assert_int_equal(lines_with(program_output, "done     grid/runs/"), 5);
    program_said(program_output, "5 runs done, 0 skipped, 0 to do\n");
}

/* config.ini repeats a run, to the same weights. */
static void a_run_is_like_one_of_train(void **state) {
    (void)state;
    const char *config = path_in("grid", "mnist-mlp-w0.1-seed2", "", "config.ini");
    assert_int_equal(program_run("train", "--preset %s --run again --quiet", config), 0);
    unsigned char *a, *b;
    size_t a_count, b_count;
    nn_error error = {0};
    const char *model = path_in("grid", "mnist-mlp-w0.1-seed2", "", "model.safetensors");
    test_ok(nn_file_read(model, 1 << 24, &a, &a_count, &error), &error);
    test_ok(nn_file_read("again/model.safetensors", 1 << 24, &b, &b_count, &error), &error);
    assert_int_equal(a_count, b_count);
    test_same_bits("the weights", a, b, a_count);
    free(a);
    free(b);
}

/* --- pairs ---------------------------------------------------------------------------------------------- */

static exp_metrics read_metrics(const char *path) {
    exp_metrics metrics;
    nn_error error = {0};
    test_ok(exp_metrics_read(path, &metrics, &error), &error);
    return metrics;
}

/* The same seed is the same start and the same batches, whatever the weight: only what is learned differs. */
static void seeds_are_paired(void **state) {
    (void)state;
    write_study("pairs.ini", "[b]\n" QUICK "log-every = 1\n");
    assert_int_equal(program_run("reproduce", "--study pairs.ini --out pairs"), 2); /* log-every twice */
    write_study("pairs.ini", "[b]\npreset = mnist_cnn\nmodel = mlp\nbatch = 10\nlog-every = 1\nsteps = 4\n"
                             "snnl-weight = 0 | 0.1\nseed = 1 | 2\n");
    assert_int_equal(program_run("reproduce", "--study pairs.ini --out pairs"), 0);
    double first[2][2], last[2][2];
    for (int seed = 0; seed < 2; seed++)
        for (int weighted = 0; weighted < 2; weighted++) {
            char beginning[64];
            snprintf(beginning, sizeof beginning, "mnist-mlp-w%s-seed%d-", weighted ? "0.1" : "0", seed + 1);
            exp_metrics m = read_metrics(path_in("pairs", beginning, "", "metrics.csv"));
            const double *losses = exp_metrics_column(&m, "cross_entropy");
            assert_int_equal(m.rows, 4);
            first[seed][weighted] = losses[0];
            last[seed][weighted] = losses[3];
            exp_metrics_free(&m);
        }
    for (int seed = 0; seed < 2; seed++) {
        assert_true(first[seed][0] == first[seed][1]);
        assert_true(last[seed][0] != last[seed][1]);
    }
    assert_true(first[0][0] != first[1][0]);
}

/* At weight 0 the temperature and the distance change nothing of the training, as the choice of baselines assumes. */
static void what_is_measured_does_not_change_the_training(void **state) {
    (void)state;
    write_study("measured.ini", "[b]\n" QUICK "steps = 5\ntemperature-mode = optimal | fixed | learned\n"
                                "distance = euclidean | cosine\n");
    assert_int_equal(program_run("reproduce", "--study measured.ini --out measured --quiet"), 0);
    assert_string_equal(program_errors, "");
    assert_int_equal(runs_in("measured", ""), 6);
    char *results = program_file("measured/results.csv"), *rest = results, *accuracy = NULL;
    strsep(&rest, "\n");
    for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
        char *fields[24];
        for (int i = 0; i < 24; i++)
            fields[i] = strsep(&line, ",");
        assert_string_equal(fields[0], "measured");
        if (accuracy)
            assert_string_equal(fields[18], accuracy); /* the test set's cross-entropy */
        else
            accuracy = fields[18];
        assert_true(strtod(fields[18], NULL) > 0);
    }
    free(results);
}

/* --- stops ---------------------------------------------------------------------------------------------- */

static const char six[] = "[b]\n" QUICK "epochs = 12\nsnnl-weight = 0 | 0.1 | 0.2\nseed = 1 | 2\n";

/* Waits until OUT holds so many finished runs and one under way. */
static void wait_for(const char *out, int finished) {
    while (runs_in(out, "") < finished || runs_in(out, ".partial") == 0)
        usleep(2000);
}

static void killed_and_started_again(void **state) {
    (void)state;
    write_study("six.ini", six);
    assert_int_equal(program_run("reproduce", "--study six.ini --out whole --quiet"), 0);
    for (int finished = 1; finished <= 3; finished += 2) {
        pid_t pid = program_start("reproduce", "--study six.ini --out killed --quiet");
        wait_for("killed", finished);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(program_end(pid), 128 + SIGKILL);
        assert_true(runs_in("killed", "") < 6 && program_file_exists("killed/results.csv"));
    }
    assert_int_equal(program_run("reproduce", "--study six.ini --out killed"), 0);
    assert_true(lines_with(program_errors, "run ") <= 3); /* the others were done */
    assert_int_equal(runs_in("killed", ""), 6);
    assert_int_equal(runs_in("killed", ".partial"), 0);
    char *expected = timeless_results("whole"), *results = timeless_results("killed");
    assert_int_equal(lines_with(expected, ",done\n"), 6);
    assert_string_equal(results, expected);
    free(expected);
    free(results);
    expected = program_file("whole/taps.csv");
    results = program_file("killed/taps.csv");
    assert_string_equal(results, expected);
    free(expected);
    free(results);
}

/* A training that was killed with a checkpoint is gone on with: its folder stays, and the result is the same. */
static void a_killed_run_goes_on(void **state) {
    (void)state;
    char kept[600];
    write_study("one.ini", "[b]\n" QUICK "epochs = 40\nsave-every = 100\nsnnl-weight = 0.1\n");
    assert_int_equal(program_run("reproduce", "--study one.ini --out undisturbed --quiet"), 0);
    pid_t pid = program_start("reproduce", "--study one.ini --out resumed --quiet");
    while (!program_file_exists(find_in("resumed", "mnist-mlp-", "", "checkpoint.safetensors")))
        usleep(2000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    program_end(pid);
    const char *partial = find_in("resumed", "mnist-mlp-", ".partial", "marker");
    bool unfinished = partial[0] != '\0'; /* else it was quicker than this test */
    if (unfinished)
        fclose(fopen(partial, "w"));
    assert_int_equal(program_run("reproduce", "--study one.ini --out resumed --quiet"), 0);
    assert_int_equal(runs_in("resumed", ""), 1);
    snprintf(kept, sizeof kept, "%s", find_in("resumed", "mnist-mlp-", "", "marker"));
    assert_true(program_file_exists(kept) == unfinished);
    char *expected = timeless_results("undisturbed"), *results = timeless_results("resumed");
    assert_int_equal(lines_with(expected, ",done\n"), 1);
    assert_string_equal(results, expected);
    free(expected);
    free(results);
}

/* Waits until the training under way in OUT has logged rows. */
static void wait_for_rows(const char *out, const char *beginning) {
    struct stat found = {0};
    while (stat(find_in(out, beginning, ".partial", "metrics.csv"), &found) != 0 || found.st_size < 1000)
        usleep(2000);
}

static void interrupt(int signal_number, const char *out) {
    char line[128], path[128];
    snprintf(line, sizeof line, "--study endless.ini --out %s", out);
    pid_t pid = program_start("reproduce", line);
    wait_for_rows(out, "mnist-mlp-w0-seed7-");
    assert_int_equal(kill(pid, signal_number), 0);
    assert_int_equal(program_end(pid), 130);
    program_said(program_errors, "interrupted with 1 of 3 runs done; the same command goes on\n");
    assert_string_equal(program_output, "");
    assert_true(runs_in(out, "") == 1 && runs_in(out, ".failed") == 0);
    /* the training ended in order too, and is not taken for a finished one */
    char *summary = program_file(path_in(out, "mnist-mlp-w0-seed7-", ".partial", "summary.json"));
    program_said(summary, "\"interrupted\":\ttrue");
    free(summary);
    snprintf(path, sizeof path, "%s/results.csv", out);
    char *results = program_file(path);
    assert_true(lines_with(results, ",done\n") == 1 && lines_with(results, ",missing\n") == 2);
    free(results);
}

static void interrupted_in_order(void **state) {
    (void)state;
    write_study("endless.ini", "[quick]\n" QUICK "steps = 2\n[endless]\n" ENDLESS "seed = 7 | 8\n");
    interrupt(SIGINT, "interrupted");
    interrupt(SIGTERM, "terminated");
}

/* A training does not outlive its runner, however that ends. */
static void no_training_is_left_behind(void **state) {
    (void)state;
    write_study("alone.ini", "[endless]\n" ENDLESS);
    pid_t pid = program_start("reproduce", "--study alone.ini --out alone");
    wait_for_rows("alone", "mnist-mlp-w0-seed1-");
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(program_end(pid), 128 + SIGKILL);
    const char *path = path_in("alone", "mnist-mlp-w0-seed1-", ".partial", "metrics.csv");
    struct stat before, after = {.st_size = -1};
    do { /* a training that lives writes a row every few milliseconds, and the test's alarm ends this loop */
        before = after;
        usleep(200000);
        assert_int_equal(stat(path, &after), 0);
    } while (before.st_size != after.st_size);
}

static void two_at_once(void **state) {
    (void)state;
    pid_t pid = program_start("reproduce", "--study alone.ini --out shared");
    wait_for("shared", 0);
    char self[512], command[1024], said[512] = "";
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(length > 0);
    self[length] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(self, '/') = '\0';
    snprintf(command, sizeof command, "%s/bin/reproduce --study alone.ini --out shared 2>&1", self);
    FILE *second = popen(command, "r");
    assert_non_null(second);
    assert_non_null(fgets(said, sizeof said, second));
    assert_int_equal(pclose(second), 2 << 8);
    program_said(said,
                 "reproduce: another program is at work in shared: wait for its end, or name another folder");
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(program_end(pid), 130);
}

/* --- trouble -------------------------------------------------------------------------------------------- */

static void a_failing_run_does_not_stop_the_others(void **state) {
    (void)state;
    write_study("trouble.ini",
                "[bad]\npreset = mnist_cnn\nmodel = mlp\nlog-every = 0\nsteps = 20\nlr = 0.001 | 1e3\n"
                "optimizer = sgd\nmomentum = 0.9999\n[good]\n" QUICK "steps = 2\n");
    for (int i = 0; i < 2; i++) { /* again it is tried again */
        assert_int_equal(program_run("reproduce", "--study trouble.ini --out trouble"), 1);
        program_said(program_errors, " FAILED: train: ");
        program_said(program_errors, ".failed/train.log)\n");
        program_said(program_errors, "reproduce: 1 of 3 runs failed; the same command tries them again\n");
        assert_int_equal(lines_with(program_errors, "run "), i == 0 ? 3 : 1);
        program_said(program_output, "  lr 1e3          0 of 1\n");
        assert_int_equal(runs_in("trouble", ""), 2);
        assert_int_equal(runs_in("trouble", ".failed"), 1);
        assert_int_equal(runs_in("trouble", ".partial"), 0);
    }
    char *log = program_file(path_in("trouble", "mnist-mlp-w0-seed1-", ".failed", "train.log"));
    program_said(log, "NaN or infinite");
    free(log);
    char *results = program_file("trouble/results.csv");
    assert_true(lines_with(results, ",done\n") == 2 && lines_with(results, ",failed\n") == 1);
    free(results);
    assert_int_equal(program_run("reproduce", "--study trouble.ini --out trouble --dry-run"), 0);
    program_said(program_output, "failed   trouble/runs/mnist-mlp-w0-seed1-");
}

static void a_folder_in_the_way(void **state) {
    (void)state;
    write_study("way.ini", "[b]\n" QUICK "steps = 2\n");
    assert_int_equal(program_run("reproduce", "--study way.ini --out way --quiet"), 0);
    const char *summary = path_in("way", "mnist-mlp-w0-seed1-", "", "summary.json");
    assert_int_equal(unlink(summary), 0);
    assert_int_equal(program_run("reproduce", "--study way.ini --out way"), 1);
    program_complained("holds no finished run: remove it");
}

static void missing_data(void **state) {
    (void)state;
    write_study("missing.ini", "[absent]\npreset = mnist_cnn\ndataset = notmnist\nmodel = mlp\n"
                               "steps = 2\nlog-every = 0\ntest-limit = 50\n"
                               "[there]\n" QUICK "steps = 2\n");
    assert_int_equal(program_run("reproduce", "--study missing.ini --out missing"), 0);
    program_said(program_errors,
                 "NOTE: the data set notmnist is not in data: its runs are left out. To get it: "
                 "ENTANGLE_DATA='data' entangle-fetch notmnist\n");
    program_said(program_errors, "run 1/1  mnist-mlp-w0-seed1-");
    program_said(program_output, "[absent] skipped: no notmnist data\n");
    char *results = program_file("missing/results.csv");
    program_said(results, "missing,absent,notmnist-mlp-w0-seed1-");
    assert_int_equal(lines_with(results, ",skipped\n"), 1);
    free(results);
    assert_int_equal(program_run("reproduce", "--study missing.ini --out missing --missing shapes"), 0);
    program_said(program_errors, "its runs are done on the built-in 'shapes' instead.");
    program_said(program_errors, "run 2/2  shapes-mlp-w0-seed1-");
    program_said(program_output, "[absent] on shapes, for want of notmnist data\n");
    char *config = program_file(path_in("missing", "shapes-mlp-w0-seed1-", "", "config.ini"));
    program_said(config, "\ndataset = shapes\n");
    free(config);
}

static void wrong_usage(void **state) {
    (void)state;
    write_study("wrong.ini", "title = x\n[b]\npreset = mnist_cnn\nepoch = 2\n");
    static const char *const lines[][2] = {
        {"--study wrong.ini",
         "reproduce: wrong.ini:4: 'epoch' is not for a study; there are: preset, model, "},
        {"--study six.ini --study=wrong.ini", "reproduce: wrong.ini:4: "},
        {"--study nosuch", "reproduce: --study: there is no 'nosuch'; there are: accuracy, "},
        {"--study nosuch.ini", "reproduce: cannot open nosuch.ini: No such file"},
        {"--study", "reproduce: --study wants a value: --study NAME"},
        {"--study six.ini other", "'other' is not an option"},
        {"--missing all", "--missing: 'all' is not one of: skip, shapes"},
        {"--seed 3", "--seed: there is no such option"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("reproduce", "%s --out refused", lines[i][0]), 2);
        program_complained(lines[i][1]);
        assert_false(program_file_exists("refused"));
    }
    assert_int_equal(program_run("reproduce", "--study six.ini --out six.ini/x"), 1);
    program_complained("six.ini/x: Not a directory");
    program_next.output = "/dev/full";
    assert_int_equal(program_run("reproduce", "--list"), 1);
    program_complained("reproduce: cannot write to standard output");
}

static void help_and_lists(void **state) {
    (void)state;
    assert_int_equal(program_run("reproduce", "--help"), 0);
    program_said(program_output, "usage: ./reproduce [--quick | --full] [--out DIR]");
    assert_int_equal(program_run("reproduce", "--version"), 0);
    program_said(program_output, "entangle reproduce ");
    assert_int_equal(program_run("reproduce", "--list --study six.ini --study weights"), 0);
    program_said(program_output,
                 "six: six\n  b                          3 conditions,  2 seeds,    6 runs\n");
    program_said(program_output, "weights: From strong disentangling to strong entangling\n");
    assert_int_equal(program_run("reproduce", "--list"), 0);
    program_said(program_output, "accuracy: ");
    program_said(program_output, "temperature: ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_study_from_beginning_to_end),
        cmocka_unit_test(a_finished_study_starts_no_run),
        cmocka_unit_test(a_run_is_like_one_of_train),
        cmocka_unit_test(seeds_are_paired),
        cmocka_unit_test(what_is_measured_does_not_change_the_training),
        cmocka_unit_test(killed_and_started_again),
        cmocka_unit_test(a_killed_run_goes_on),
        cmocka_unit_test(interrupted_in_order),
        cmocka_unit_test(no_training_is_left_behind),
        cmocka_unit_test(two_at_once),
        cmocka_unit_test(a_failing_run_does_not_stop_the_others),
        cmocka_unit_test(a_folder_in_the_way),
        cmocka_unit_test(missing_data),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(help_and_lists),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
