/* Training that is stopped, in order or not, and goes on: it comes to the same bits, whenever that was; and what --resume
 * refuses.
 *
 * Trainings are processes forked from this one, so that they can die. Which file operation they die at is exact: fsync,
 * rename and write are replaced here for the whole program. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiments/common/lock.h"
#include "experiments/common/training.h"
#include "framework/kernels/kernels.h"
#include "tests/support/json.h"
#include "tests/support/program.h"
#include "tests/support/run_files.h"

enum { DIED = 99 };

/* --- dying ---------------------------------------------------------------------------------------------- */

static int operations, deadly;     /* file operations so far, and the one to die at; 0: none */
static int syncs, stopping;        /* calls of fsync so far, and the one to stop in order at; 0: none */
static volatile sig_atomic_t stop; /* as after Ctrl-C */

static void count_operation(void) {
    if (++operations == deadly)
        _exit(DIED);
}

/* Nothing here needs to outlast a power failure. */
int fsync(int file) {
    (void)file;
    count_operation();
    stop = stop || ++syncs == stopping;
    return 0;
}

int rename(const char *from, const char *to) {
    count_operation();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* Dies when half is written. */
ssize_t write(int file, const void *bytes, size_t count) {
    if (deadly && operations + 1 == deadly)
        syscall(SYS_write, file, bytes, count / 2);
    count_operation();
    return syscall(SYS_write, file, bytes, count);
}

/* --- trainings ------------------------------------------------------------------------------------------ */

static data_set images;

static char *path_before;

static int set_up(void **state) {
    nn_error error = {0};
    program_begin(state);
    program_data("data", "mnist");
    test_ok(data_load(&images, "mnist", "data", 0, 0, &error), &error);
    path_before = strdup(getenv("PATH"));
    setenv("PATH", "", 1); /* no gnuplot: pictures take longer than all the rest */
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    setenv("PATH", path_before, 1);
    free(path_before);
    data_free(&images);
    return 0;
}

/* How a training is to end before its time, and with how many threads it runs. */
typedef struct fate {
    int deadly, stopping, threads;
} fate;

static void live(const exp_train_options *options, fate f) {
    exp_summary summary;
    nn_error error = {0};
    nn_threads_set(f.threads ? f.threads : 1);
    deadly = f.deadly;
    stopping = f.stopping;
    nn_status status = exp_train(options, &images, &stop, &summary, &error);
    if (status != NN_OK)
        fprintf(stderr, "%s\n", error.message);
    _exit(status == NN_OK ? (summary.interrupted ? 130 : 0) : 1);
}

/* Its exit code. */
static int train(const exp_train_options *options, fate f) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        live(options, f);
    assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int go_on(const char *run, fate f) {
    exp_train_options options;
    nn_error error = {0};
    test_ok(exp_train_options_of_run(run, &options, &error), &error);
    strcpy(options.run, run);
    options.resume = options.quiet = true;
    return train(&options, f);
}

/* The options in `lines`, in the form of config.ini, for a run of that name. */
static exp_train_options options_of(const char *lines, const char *run) {
    exp_train_options options = exp_train_defaults;
    nn_error error = {0};
    test_ok(exp_options_read(exp_train_table, &options, "test", "dataset = mnist\nmodel = mlp\nbatch = 32\n",
                             &error),
            &error);
    test_ok(exp_options_read(exp_train_table, &options, "test", lines, &error), &error);
    strcpy(options.run, run);
    options.quiet = true;
    return options;
}

static void remove_run(const char *run) {
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -rf %s", run);
    assert_int_equal(system(command), 0);
}

/* Of fsync calls: config.ini takes two, then every checkpoint four, the first for the rows, and the model after it two. */
enum { FIRST_SAVE = 3, SAVE_SYNCS = 5 };
/* Of all operations: config.ini takes four, then a checkpoint eight and the model four. */
enum { FIRST_SAVE_OPERATION = 5, SAVE_OPERATIONS = 12 };

/* --- the same bits -------------------------------------------------------------------------------------- */

/* 120 examples in batches of 32: four steps an epoch, the last one smaller. */
static const char *const cases[] = {
    /* momentum, augmentation, cosine with warm-up; in the middle of an epoch */
    "epochs = 3\nlr = 0.02\nwarmup = 0.5\naugment = yes\nlog-every = 1\nsave-every = 3\nsnnl-weight = 0.1\n",
    /* the same at an epoch's end, by the step schedule, with fewer rows and evaluations than steps */
    "epochs = 3.5\nlr = 0.02\nschedule = step\nnesterov = yes\nlog-every = 3\neval-every = 2\nsave-every = "
    "4\n",
    /* adam, learned temperatures, balanced batches */
    "steps = 11\noptimizer = adam\nlr = 0.001\ntemperature-mode = learned\nsnnl-weight = -0.2\nbalanced = "
    "yes\n"
    "weight-decay = 0.01\nschedule = exponential\nlog-every = 1\nsave-every = 3\n",
    /* batch normalisation's running statistics */
    "model = cifar_resnet\nsteps = 7\nlr = 0.05\naugment = yes\nbalanced = yes\ntemperature-mode = learned\n"
    "snnl-weight = 0.1\nlog-every = 2\nsave-every = 2\nschedule = constant\n"};

static void resumed_equals_uninterrupted(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        exp_train_options whole = options_of(cases[i], "whole"), dying = options_of(cases[i], "died"),
                          stopped = options_of(cases[i], "stopped");
        assert_int_equal(train(&whole, (fate){0}), 0);
        /* before the second checkpoint, its rows written: once with other threads, once killed again at once */
        assert_int_equal(train(&dying, (fate){.deadly = FIRST_SAVE_OPERATION + SAVE_OPERATIONS}), DIED);
        assert_int_equal(go_on("died", (fate){.threads = 3, .deadly = 6}), DIED);
        assert_int_equal(go_on("died", (fate){.threads = 2}), 0);
        run_files_same("whole", "died");
        /* in order, at the first checkpoint */
        assert_int_equal(train(&stopped, (fate){.stopping = FIRST_SAVE, .threads = 3}), 130);
        cJSON *summary = json_file("stopped/summary.json");
        assert_true(json_number(summary, "steps") == (double)whole.save_every);
        cJSON_Delete(summary);
        assert_int_equal(go_on("stopped", (fate){0}), 0);
        run_files_same("whole", "stopped");
        remove_run("whole died stopped");
    }
}

/* At every file operation of a run, and again at some operation of what goes on from there. */
static void it_may_die_at_any_moment(void **state) {
    (void)state;
    const char *lines = "epochs = 2\nlr = 0.02\naugment = yes\nlog-every = 1\nsave-every = 3\n";
    exp_train_options whole = options_of(lines, "whole"), dying = options_of(lines, "died");
    int ended = DIED, deaths = 0;
    assert_int_equal(train(&whole, (fate){0}), 0);
    for (int i = 1; ended == DIED; i++) {
        ended = train(&dying, (fate){.deadly = i});
        deaths += ended == DIED;
        if (!program_file_exists("died/config.ini"))
            assert_int_equal(train(&dying, (fate){0}), 0);
        else if (ended == DIED) {
            int again = go_on("died", (fate){.deadly = i * 5 % 23 + 1});
            assert_true(again == DIED || again == 0);
            deaths += again == DIED;
            assert_true(again == 0 || go_on("died", (fate){0}) == 0);
        }
        run_files_same("whole", "died");
        for (int k = 0; k < 2; k++)
            assert_int_equal(
                access(k ? "died/checkpoint.new.safetensors" : "died/checkpoint.previous.safetensors", F_OK),
                -1);
        remove_run("died");
    }
    assert_int_equal(ended, 0);
    assert_true(deaths > 50);
    remove_run("whole");
}

/* A run that has died with a checkpoint of step 3 and one of step 6, and the whole run to compare it with. */
static void make_dead_run(const char *run) {
    exp_train_options options = options_of(cases[0], run);
    assert_int_equal(train(&options, (fate){.deadly = FIRST_SAVE_OPERATION + 2 * SAVE_OPERATIONS}), DIED);
}

static void make_whole_run(void) {
    exp_train_options options = options_of(cases[0], "whole");
    if (!program_file_exists("whole"))
        assert_int_equal(train(&options, (fate){0}), 0);
}

static void a_row_cut_short_is_written_again(void **state) {
    (void)state;
    make_whole_run();
    make_dead_run("torn");
    FILE *file = fopen("torn/metrics.csv", "a");
    fputs("9,2.25,2", file);
    fclose(file);
    test_file("torn/model.safetensors.4711.tmp", "x", 1); /* as a killed program leaves it */
    assert_int_equal(go_on("torn", (fate){0}), 0);
    run_files_same("whole", "torn");
    assert_false(program_file_exists("torn/model.safetensors.4711.tmp"));
}

/* --- damage --------------------------------------------------------------------------------------------- */

static void damage(const char *path) {
    int file = open(path, O_RDWR);
    unsigned char byte;
    off_t middle = lseek(file, 0, SEEK_END) / 2;
    assert_true(pread(file, &byte, 1, middle) == 1);
    byte ^= 4;
    assert_true(pwrite(file, &byte, 1, middle) == 1);
    close(file);
}

static void a_damaged_checkpoint_is_passed_over(void **state) {
    (void)state;
    make_whole_run();
    make_dead_run("damaged");
    damage("damaged/checkpoint.safetensors");
    assert_int_equal(program_run("train", "--run damaged --resume --quiet"), 0);
    program_complained("NOTE: damaged/checkpoint.safetensors: it is damaged (its checksum is ");
    program_complained("going on from the checkpoint before it");
    run_files_same("whole", "damaged");

    make_dead_run("cut");
    assert_int_equal(truncate("cut/checkpoint.safetensors", 1000), 0);
    assert_int_equal(program_run("train", "--run cut --resume --quiet"), 0);
    program_complained("NOTE: cut/checkpoint.safetensors: ");
    run_files_same("whole", "cut");

    make_dead_run("renaming"); /* killed between two names */
    assert_int_equal(unlink("renaming/checkpoint.safetensors"), 0);
    assert_int_equal(program_run("train", "--run renaming --resume --quiet"), 0);
    assert_string_equal(program_errors, "");
    run_files_same("whole", "renaming");
}

static void only_damaged_checkpoints(void **state) {
    (void)state;
    make_dead_run("hopeless");
    damage("hopeless/checkpoint.safetensors");
    damage("hopeless/checkpoint.previous.safetensors");
    char *before = program_file("hopeless/metrics.csv");
    assert_int_equal(program_run("train", "--run hopeless --resume"), 1);
    program_said(program_errors, "train: hopeless/checkpoint.safetensors: it is damaged");
    program_said(program_errors,
                 "no other checkpoint is whole, so the run cannot go on: repeat it in a new folder "
                 "with ./train --preset hopeless/config.ini\n");
    char *after = program_file("hopeless/metrics.csv");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* --- options -------------------------------------------------------------------------------------------- */

static void options_may_not_change_the_run(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"--lr 0.3",
         "--lr: with 0.3 it would be another run than that in options, which has 0.02: leave it out"},
        {"--seed 2", "--seed: with 2 "},
        {"--log-every 2", "--log-every: with 2 "},
        {"--snnl-weight 0", "--snnl-weight: with 0 "},
        {"--no-augment", "--augment: with no "},
        {"--preset mnist_cnn", "--model: with mnist_cnn "},
        {"--epochs 2", "--epochs, --steps: a run of 12 steps cannot become one of 8: it can only grow"},
        {"--steps 11", "--epochs, --steps: a run of 12 steps cannot become one of 11"},
        {"--nosuch", "--nosuch: there is no such option"},
    };
    make_whole_run();
    make_dead_run("options");
    char *before = program_file("options/metrics.csv");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("train", "--run options --resume --quiet %s", lines[i][0]), 2);
        program_complained(lines[i][1]);
    }
    char *after = program_file("options/metrics.csv");
    assert_string_equal(before, after);
    free(before);
    free(after);
    /* what changes nothing may be said */
    assert_int_equal(program_run("train", "--run options --resume --lr 2e-2 --seed 1 --threads 2 --quiet"),
                     0);
    assert_string_equal(program_errors, "");
    run_files_same("whole", "options");
}

static void an_edited_configuration_is_noticed(void **state) {
    (void)state;
    make_dead_run("edited");
    FILE *file = fopen("edited/config.ini", "a");
    fputs("weight-decay = 0.5\n", file);
    fclose(file);
    assert_int_equal(program_run("train", "--run edited --resume --quiet"), 2);
    program_complained(
        "edited/config.ini has weight-decay = 0.5 now, but its checkpoint was made with 0: put that back");
}

static void other_data_is_refused(void **state) {
    (void)state;
    make_dead_run("data-changed");
    program_data("other", "mnist");
    damage("other/mnist/train-images-idx3-ubyte");
    assert_int_equal(program_run("train", "--run data-changed --resume --quiet --data other"), 1);
    program_complained("the data set mnist from other/mnist has checksum ");
    program_complained("give the same data (--data)");
    assert_int_equal(program_run("train", "--run data-changed --resume --quiet --data nowhere"), 1);
    program_complained("entangle-fetch mnist"); /* nothing stands in for it */
}

static void a_run_may_grow(void **state) {
    (void)state;
    exp_train_options shorter =
                          options_of("epochs = 2\nschedule = constant\nlog-every = 4\nlr = 0.02\n", "grown"),
                      longer =
                          options_of("epochs = 3\nschedule = constant\nlog-every = 4\nlr = 0.02\n", "long");
    assert_int_equal(train(&shorter, (fate){0}), 0);
    assert_int_equal(train(&longer, (fate){0}), 0);
    assert_int_equal(program_run("train", "--run grown --resume --quiet --epochs 3"), 0);
    run_files_same("long",
                   "grown"); /* at a constant rate; else the schedule spans the new length from there on */
    assert_int_equal(program_run("train", "--run grown --resume --steps 14"), 0);
    program_said(program_errors, "resumed  after step 12 of 14\n");
    program_said(program_errors, "done after 14 steps: grown");

    exp_train_options unsaved = options_of("steps = 2\nsave-every = 0\n", "unsaved");
    assert_int_equal(train(&unsaved, (fate){0}), 0);
    assert_false(program_file_exists("unsaved/checkpoint.safetensors"));
    assert_int_equal(program_run("train", "--run unsaved --resume --quiet --steps 3"), 2);
    program_complained("--resume: unsaved is finished and has no checkpoint to train on from");
    assert_true(program_file_exists("unsaved/summary.json"));
}

/* --- where there is nothing to go on with --------------------------------------------------------------- */

static void a_finished_run_stays_as_it_is(void **state) {
    (void)state;
    static const char *const files[] = {"whole/summary.json", "whole/checkpoint.safetensors",
                                        "whole/metrics.csv"};
    struct stat before[3], after;
    make_whole_run();
    for (int i = 0; i < 3; i++)
        assert_int_equal(stat(files[i], &before[i]), 0);
    assert_int_equal(program_run("train", "--run whole --resume"), 0);
    program_complained("whole is finished: nothing to do");
    assert_int_equal(program_run("train", "--run whole --resume --json --epochs 3"), 0);
    cJSON *line = cJSON_Parse(program_output), *summary = json_file("whole/summary.json");
    assert_true(cJSON_Compare(line, summary, true));
    cJSON_Delete(line);
    cJSON_Delete(summary);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stat(files[i], &after), 0);
        assert_true(before[i].st_ino == after.st_ino && before[i].st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    }
    assert_int_equal(program_run("train", "--run whole --resume --lr 1"), 2);
}

static void no_run_and_no_checkpoint(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "--resume"), 2);
    program_complained("--resume: which run? name its folder with --run DIR");
    assert_int_equal(program_run("train", "--run absent --resume"), 2);
    program_complained("--resume: absent holds no run (there is no config.ini in it)");
    assert_false(program_file_exists("absent"));
    make_whole_run();
    exp_train_options early = options_of(cases[0], "early");
    assert_int_equal(train(&early, (fate){.deadly = FIRST_SAVE_OPERATION}), DIED);
    assert_int_equal(program_run("train", "--run early --resume"), 0);
    program_said(program_errors, "resumed  from the beginning: early has no checkpoint yet\n");
    run_files_same("whole", "early");
}

static void one_program_at_a_time(void **state) {
    (void)state;
    int lock;
    nn_error error = {0};
    make_dead_run("busy");
    test_ok(exp_lock_folder("busy", "--run", &lock, &error), &error);
    assert_int_equal(program_run("train", "--run busy --resume --quiet"), 2);
    program_complained(
        "train: another program is at work in busy: wait for its end, or name another folder with --run");
    close(lock);
    assert_int_equal(mkdir("fresh", 0777), 0);
    test_ok(exp_lock_folder("fresh", "--run", &lock, &error), &error);
    assert_int_equal(program_run("train", "--run fresh --dataset mnist --model mlp --steps 1 --quiet"), 2);
    program_complained("another program is at work in fresh");
    assert_false(program_file_exists("fresh/config.ini"));
    close(lock);
}

/* --- ends that are no ends ------------------------------------------------------------------------------ */

/* After Ctrl-C everything is saved, also between two checkpoints: at a constant rate the model is that of a run of so many
 * steps. */
static void interrupted_between_checkpoints(void **state) {
    (void)state;
    const char *line =
        "--dataset mnist --model mlp --batch 32 --lr 0.001 --schedule constant --eval-every 0 --log-every 0 "
        "--save-every 0 --steps %s --run %s";
    char endless[256], folder[] = "interrupted";
    snprintf(endless, sizeof endless, line, "100000000", folder);
    pid_t pid = program_start("train", endless);
    while (!program_file_exists("interrupted/metrics.csv"))
        usleep(5000);
    usleep(50000);
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(program_end(pid), 130);
    program_said(program_errors, "\nto go on: ./train --run interrupted --resume\n");
    assert_true(program_file_exists("interrupted/checkpoint.safetensors"));
    cJSON *summary = json_file("interrupted/summary.json");
    char steps[32];
    snprintf(steps, sizeof steps, "%.0f", json_number(summary, "steps"));
    cJSON_Delete(summary);
    assert_int_equal(program_run("train", line, steps, "so-long"), 0);
    char *a = program_file("interrupted/model.safetensors"), *b = program_file("so-long/model.safetensors");
    struct stat size;
    assert_int_equal(stat("so-long/model.safetensors", &size), 0);
    test_same_bits("model", a, b, (size_t)size.st_size);
    free(a);
    free(b);
}

static void a_full_disk_keeps_the_old_checkpoint(void **state) {
    (void)state;
    make_whole_run();
    make_dead_run("full");
    program_next.file_limit = 1 << 16;
    assert_int_equal(program_run("train", "--run full --resume --quiet"), 1);
    program_complained(
        "train: cannot write full/checkpoint.new.safetensors: File too large; step 6 is saved: make room, "
        "then ./train --run full --resume");
    assert_int_equal(program_run("train", "--run full --resume --quiet"), 0);
    run_files_same("whole", "full");
}

/* An absurd weight: one step leads to values whose products no number holds. What was saved before is finite, and leads
 * there again. */
static void not_a_number(void **state) {
    (void)state;
    assert_int_equal(
        program_run("train", "--preset shapes_resnet --dataset mnist --model mlp --batch 32 --optimizer sgd "
                             "--lr 1000 --warmup 0 --momentum 0.99 "
                             "--snnl-weight 1e6 --schedule constant --steps 100 --log-every 0 --eval-every 0 "
                             "--save-every 1 --quiet --run nan"),
        1);
    program_complained("train: step ");
    program_complained(", learning rate 1000: ");
    program_complained("NaN or infinite");
    program_complained(" (the checkpoint of step ");
    program_complained(" stays): start anew with a lower --lr, a longer --warmup or a smaller --snnl-weight");
    const char *place = strpbrk(program_errors, "'"); /* the layer or parameter */
    assert_non_null(place);
    char first[1024];
    snprintf(first, sizeof first, "%s", program_errors);
    assert_true(program_file_exists("nan/checkpoint.safetensors"));
    assert_int_equal(program_run("train", "--run nan --resume --quiet"), 1);
    assert_string_equal(program_errors, first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumed_equals_uninterrupted),
        cmocka_unit_test(it_may_die_at_any_moment),
        cmocka_unit_test(a_row_cut_short_is_written_again),
        cmocka_unit_test(a_damaged_checkpoint_is_passed_over),
        cmocka_unit_test(only_damaged_checkpoints),
        cmocka_unit_test(options_may_not_change_the_run),
        cmocka_unit_test(an_edited_configuration_is_noticed),
        cmocka_unit_test(other_data_is_refused),
        cmocka_unit_test(a_run_may_grow),
        cmocka_unit_test(a_finished_run_stays_as_it_is),
        cmocka_unit_test(no_run_and_no_checkpoint),
        cmocka_unit_test(one_program_at_a_time),
        cmocka_unit_test(interrupted_between_checkpoints),
        cmocka_unit_test(a_full_disk_keeps_the_old_checkpoint),
        cmocka_unit_test(not_a_number),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
