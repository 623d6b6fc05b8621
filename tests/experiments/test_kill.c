/* A real ./train, killed at random moments and resumed until it is done: it leaves what an undisturbed one leaves.
 * ENTANGLE_KILLS is how often it is killed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/run_files.h"

enum { KILLS = 10 };

#define LINE                                                                                                 \
    "--quiet --dataset mnist --model mlp --batch 32 --lr 0.02 --warmup 1 --augment --steps 70 "              \
    "--snnl-weight 0.1 "                                                                                     \
    "--temperature-mode learned --log-every 1 --eval-every 3 --save-every 2 "

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The step that the best checkpoint of a run is of; -1: there is none. A damaged one may be there only if it is not alone. */
static int saved_step(const char *run) {
    static const char *const names[] = {"checkpoint.safetensors", "checkpoint.previous.safetensors"};
    int step = -1, damaged = 0;
    for (int i = 0; i < 2; i++) {
        char path[128];
        nn_safetensors *file;
        nn_error error = {0};
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        if (!program_file_exists(path))
            continue;
        if (nn_checkpoint_open(&file, path, &error) != NN_OK)
            damaged++;
        else if (step < 0)
            step = atoi(nn_safetensors_text(file, "step"));
        nn_safetensors_close(file);
    }
    assert_int_equal(damaged, 0); /* the disk keeps what a killed program wrote */
    return step;
}

typedef struct tally {
    int unborn, unsaved, trained,
        finished; /* killed before config.ini, before a checkpoint, after one; too late */
} tally;

/* Starts or resumes a run, and kills it after a while unless `delay` is negative. */
static bool part(const char *run, double delay, tally *t) {
    char path[64];
    snprintf(path, sizeof path, "%s/config.ini", run);
    bool resume = program_file_exists(path);
    int before = saved_step(run);
    char line[512];
    snprintf(line, sizeof line, resume ? "--quiet --resume --run %s" : LINE "--run %s", run);
    pid_t pid = program_start("train", line);
    if (delay >= 0) {
        usleep((useconds_t)(1e6 * delay));
        kill(pid, SIGKILL);
    }
    int code = program_end(pid);
    if (code != 0 && code != 128 + SIGKILL)
        fail_msg("%s ended with %d: %s", line, code, program_errors);
    assert_string_equal(program_errors, "");
    int after = saved_step(run);
    assert_true(after >= before);
    if (code == 0)
        t->finished++;
    else if (!program_file_exists(path))
        t->unborn++;
    else if (after < 0)
        t->unsaved++;
    else
        t->trained++;
    return code == 0;
}

static void killed_at_random_moments(void **state) {
    (void)state;
    const char *wanted = getenv("ENTANGLE_KILLS");
    const int kills = wanted ? atoi(wanted) : KILLS;
    tally t = {0};
    double begin = now();
    assert_int_equal(program_run("train", LINE "--run whole"), 0);
    const double span = 0.4 * (now() - begin);
    nn_stream moments = nn_stream_named((uint64_t)time(NULL), "moments");
    int runs = 0;
    while (t.unborn + t.unsaved + t.trained < kills) {
        char run[32];
        bool done = false;
        snprintf(run, sizeof run, "killed%d", runs++);
        while (!done) {
            bool enough = t.unborn + t.unsaved + t.trained >= kills;
            done = part(run, enough ? -1 : span * (double)nn_random_uniform(&moments), &t);
        }
        run_files_same("whole", run);
    }
    print_message("%d kills in %d runs: %d before config.ini, %d before the first checkpoint, %d after one\n",
                  kills, runs, t.unborn, t.unsaved, t.trained);
}

static char *path_before;

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    path_before = strdup(getenv("PATH"));
    setenv("PATH", "", 1); /* no gnuplot */
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    setenv("PATH", path_before, 1);
    free(path_before);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_at_random_moments)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
