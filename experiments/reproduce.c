/* reproduce - runs studies: grids of trainings declared in experiments/studies/, each trained once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/presets.h"
#include "common/start.h"
#include "study/estimate.h"
#include "study/runs.h"
#include "study/summary.h"

enum { FAILED = 1, WRONG_USAGE = 2, INTERRUPTED = 130, STUDIES_MAX = 64 };

static const char usage[] =
    "usage: ./reproduce [--study NAME ...] [--out DIR] [options]\n"
    "Trains what the studies in experiments/studies/ ask for, one run after another, and sums them up. "
    "Stopped "
    "at any\n"
    "moment, it goes on where it was when started again; a run that is finished is never repeated. Leaves in "
    "DIR a\n"
    "folder for every run, results.csv and taps.csv. Options, with their defaults:\n";

typedef struct reproduce_options {
    char study[EXP_TEXT_MAX], out[EXP_TEXT_MAX], data[EXP_TEXT_MAX];
    uint64_t threads;
    int missing; /* exp_missing_data */
    bool list, dry_run, quiet;
} reproduce_options;

static const char *const missing_data[] = {"skip", "shapes", NULL};
static const reproduce_options defaults = {.out = "reproduction"};

#define AT(field) offsetof(reproduce_options, field)

static const exp_option table[] = {
    {"study", EXP_TEXT, AT(study), "NAME", "a study, or an ini file; may be given several times; else all",
     .recorded = false},
    {"out", EXP_TEXT, AT(out), "DIR", "folder for all that is made", .recorded = false},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"missing", EXP_CHOICE, AT(missing), "WAY",
     "runs whose data set is not there are left out, or done on "
     "the built-in shapes",
     .choices = missing_data},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors", 0, 256, .recorded = false},
    {"list", EXP_FLAG, AT(list), NULL, "name the studies and end", .recorded = false},
    {"dry-run", EXP_FLAG, AT(dry_run), NULL, "name the runs, and what is done of them, and end",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress on stderr", .recorded = false},
    {0},
};

static volatile sig_atomic_t stop;

static void on_interrupt(int signal_number) {
    (void)signal_number;
    stop = 1;
}

/* The first Ctrl-C ends the run under way in order, the second one everything at once. */
static void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --- studies -------------------------------------------------------------------------------------------- */

static nn_status add_study(const char *name, exp_study *studies, int *count, nn_error *error) {
    if (*count == STUDIES_MAX)
        return nn_fail(error, NN_EARGUMENT, "--study: more than %d studies", STUDIES_MAX);
    return exp_study_read(&studies[(*count)++], name, error);
}

/* Every --study of the command line, which has been parsed; without one, all studies there are. */
static nn_status read_studies(int argc, char **argv, exp_study *studies, int *count, nn_error *error) {
    nn_status status = NN_OK;
    *count = 0;
    for (int i = 1; i < argc && status == NN_OK; i++) {
        if (strcmp(argv[i], "--study") == 0 && i + 1 < argc)
            status = add_study(argv[++i], studies, count, error);
        else if (strncmp(argv[i], "--study=", 8) == 0)
            status = add_study(argv[i] + 8, studies, count, error);
    }
    if (*count > 0 || status != NN_OK)
        return status;
    for (const exp_preset *p = exp_studies; p->name && status == NN_OK; p++)
        status = add_study(p->name, studies, count, error);
    return status;
}

static int count_runs(const exp_study_block *block) {
    return block->seeds * block->conditions;
}

static void print_list(const exp_study *studies, int count) {
    for (int s = 0; s < count; s++) {
        printf("%s: %s\n", studies[s].name, studies[s].title);
        for (int b = 0; b < studies[s].block_count; b++) {
            const exp_study_block *block = &studies[s].blocks[b];
            printf("  %-24s %3d conditions, %2d seeds, %4d runs\n", block->name, block->conditions,
                   block->seeds, count_runs(block));
        }
    }
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static void print_time(double seconds) {
    unsigned long minutes = (unsigned long)(seconds / 60 + 0.5);
    if (isnan(seconds))
        puts("how long they take is known once the first one is done");
    else
        printf("they take about %lu:%02lu h\n", minutes / 60, minutes % 60);
}

/* What would be trained. */
static nn_status print_plan(const exp_study_table *results, nn_error *error) {
    int states[4] = {0};
    double seconds;
    for (int i = 0; i < results->count; i++) {
        const exp_study_result *r = &results->results[i];
        if (r->repeated)
            continue;
        states[r->state]++;
        printf("%-8s %s\n", exp_run_states[r->state], exp_study_path(results, r->run, ""));
    }
    int left = states[EXP_RUN_MISSING] + states[EXP_RUN_FAILED];
    printf("%d runs done, %d skipped, %d to do", states[EXP_RUN_DONE], states[EXP_RUN_SKIPPED], left);
    nn_status status = exp_study_seconds_left(results, &seconds, error);
    if (status == NN_OK && left > 0) {
        fputs(": ", stdout);
        print_time(seconds);
    } else
        fputc('\n', stdout);
    return status;
}

/* Says once for every data set that is not there what becomes of its runs. */
static void note_absent(const exp_study_table *results, const char *root) {
    for (int i = 0; i < results->count; i++) {
        const exp_study_run *run = results->results[i].run;
        bool said = !run->absent[0];
        for (int k = 0; k < i && !said; k++)
            said = strcmp(results->results[k].run->absent, run->absent) == 0;
        if (!said)
            fprintf(stderr,
                    "NOTE: the data set %s is not in %s: its runs are %s. To get it: ENTANGLE_DATA='%s' "
                    "scripts/fetch %s\n",
                    run->absent, root, run->skipped ? "left out" : "done on the built-in 'shapes' instead",
                    root, run->absent);
    }
}

static int fail(const nn_error *error) {
    fprintf(stderr, "reproduce: %s\n", error->message);
    return error->status == NN_EARGUMENT ? WRONG_USAGE : FAILED;
}

static int train(const reproduce_options *o, const exp_study *studies, int count, exp_study_table *results) {
    exp_runs_setting setting = {
        .data = exp_data_root(o->data), .threads = o->threads, .quiet = o->quiet, .stop = &stop};
    exp_runs_tally tally;
    nn_error error = {0};
    catch_interrupts();
    if (exp_study_train(results, &setting, &tally, &error) != NN_OK)
        return fail(&error);
    if (tally.interrupted) {
        fprintf(stderr, "interrupted with %d of %d runs done; the same command goes on\n",
                tally.found + tally.trained, tally.runs);
        return INTERRUPTED;
    }
    for (int s = 0; s < count; s++) {
        exp_study_print(results, &studies[s], stdout);
        puts("");
    }
    if (tally.failed)
        fprintf(stderr, "reproduce: %d of %d runs failed; the same command tries them again\n", tally.failed,
                tally.runs);
    return tally.failed ? FAILED : 0;
}

static int run(const reproduce_options *o, exp_study *studies, int count) {
    const char *root = exp_data_root(o->data);
    exp_study_table results;
    nn_error error = {0};
    for (int s = 0; s < count; s++)
        exp_study_find_data(&studies[s], root, (exp_missing_data)o->missing);
    int code = 0;
    if (exp_study_table_new(&results, studies, count, o->out, &error) != NN_OK)
        code = fail(&error);
    else {
        note_absent(&results, root);
        if (!o->dry_run)
            code = train(o, studies, count, &results);
        else if (print_plan(&results, &error) != NN_OK)
            code = fail(&error);
    }
    exp_study_table_free(&results);
    return code;
}

int main(int argc, char **argv) {
    static exp_study studies[STUDIES_MAX];
    reproduce_options options = defaults;
    nn_error error = {0};
    int count = 0, code = 0;
    exp_start(argv);
    if (exp_options_informed(table, &defaults, "reproduce", usage, argc, argv))
        return 0;
    nn_status status = exp_options_parse(table, &options, argc, argv, &error);
    if (status == NN_OK)
        status = read_studies(argc, argv, studies, &count, &error);
    if (status != NN_OK) {
        fprintf(stderr, "reproduce: %s\n", error.message);
        code = WRONG_USAGE;
    } else if (options.list)
        print_list(studies, count);
    else
        code = run(&options, studies, count);
    for (int s = 0; s < count; s++)
        exp_study_free(&studies[s]);
    if (code == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
        fputs("reproduce: cannot write to standard output\n", stderr);
        code = FAILED;
    }
    return code;
}
