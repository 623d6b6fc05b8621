/* reproduce - the whole study in one command: points in the plane, grids of trainings declared in experiments/studies/,
 * each trained once, and a report of what they came to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/presets.h"
#include "common/program.h"
#include "common/program_names.h"
#include "common/progress.h"
#include "framework/threads.h"
#include "report/report.h"
#include "study/analysis.h"
#include "study/estimate.h"
#include "study/runs.h"
#include "study/summary.h"
#include "toy/run.h"

enum { STUDIES_MAX = 64 };

static const char usage[] = "usage: ./reproduce [--quick | --full] [--out DIR] [options]\n"
                            "Trains what the studies in experiments/studies/ ask for, one run after another, "
                            "and leaves in DIR one page with all "
                            "figures\nand tables (report.html), results.csv, taps.csv and a folder for every "
                            "run. Stopped at any moment, it goes on "
                            "where it\nwas when started again; a run that is finished is never repeated. "
                            "Options, with their defaults:\n";

typedef struct reproduce_options {
    char study[EXP_TEXT_MAX], out[EXP_TEXT_MAX], data[EXP_TEXT_MAX], note[EXP_TEXT_MAX];
    uint64_t threads;
    int missing; /* exp_missing_data, or AUTOMATIC */
    bool quick, full, list, dry_run, report_only, quiet;
} reproduce_options;

enum { AUTOMATIC = 2 };
static const char *const missing_data[] = {"skip", "shapes", "auto", NULL};
static const reproduce_options defaults = {.out = "reproduction", .missing = AUTOMATIC};

#define AT(field) offsetof(reproduce_options, field)

static const exp_option table[] = {
    {"quick", EXP_FLAG, AT(quick), NULL, "a quarter of an hour or less on two processors", .recorded = false},
    {"full", EXP_FLAG, AT(full), NULL, "trainings as long as the paper's: days", .recorded = false},
    {"study", EXP_TEXT, AT(study), "NAME", "a study, or an ini file; may be given several times; else all",
     .recorded = false},
    {"out", EXP_TEXT, AT(out), "DIR", "folder for all that is made", .recorded = false},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"missing", EXP_CHOICE, AT(missing), "WAY",
     "runs whose data set is not there are left out, or done on the built-in shapes; auto: that only where "
     "there is no data "
     "set at all",
     .choices = missing_data},
    {"note", EXP_TEXT, AT(note), "TEXT", "what the report's head is to say of the data", .recorded = false},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors", 0, 256, .recorded = false},
    {"list", EXP_FLAG, AT(list), NULL, "name the studies and end", .recorded = false},
    {"dry-run", EXP_FLAG, AT(dry_run), NULL, "name the runs, and what is done of them, and end",
     .recorded = false},
    {"report-only", EXP_FLAG, AT(report_only), NULL, "write the report of what is there; train nothing",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress on stderr", .recorded = false},
    {0},
};

/* --- studies -------------------------------------------------------------------------------------------- */

static exp_study_size size_of(const reproduce_options *o) {
    return o->quick ? EXP_SIZE_QUICK : o->full ? EXP_SIZE_FULL : EXP_SIZE_DEFAULT;
}

static nn_status add_study(const char *name, exp_study_size size, exp_study *studies, int *count,
                           nn_error *error) {
    if (*count == STUDIES_MAX)
        return nn_fail(error, NN_EARGUMENT, "--study: more than %d studies", STUDIES_MAX);
    return exp_study_read(&studies[(*count)++], name, size, error);
}

static int compare_places(const void *a, const void *b) {
    const exp_study *x = a, *y = b;
    return x->place != y->place ? (x->place > y->place) - (x->place < y->place) : strcmp(x->name, y->name);
}

/* Every --study of the command line, which has been parsed; without one, all studies there are. */
static nn_status read_studies(int argc, char **argv, exp_study_size size, exp_study *studies, int *count,
                              nn_error *error) {
    nn_status status = NN_OK;
    *count = 0;
    for (int i = 1; i < argc && status == NN_OK; i++) {
        if (strcmp(argv[i], "--study") == 0 && i + 1 < argc)
            status = add_study(argv[++i], size, studies, count, error);
        else if (strncmp(argv[i], "--study=", 8) == 0)
            status = add_study(argv[i] + 8, size, studies, count, error);
    }
    if (*count > 0 || status != NN_OK)
        return status;
    for (const exp_preset *p = exp_studies; p->name && status == NN_OK; p++)
        status = add_study(p->name, size, studies, count, error);
    if (status == NN_OK)
        qsort(studies, (size_t)*count, sizeof *studies, compare_places);
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
    const bool known = seconds >= 0 && seconds < 1e9;
    unsigned long minutes = known ? (unsigned long)(seconds / 60 + 0.5) : 0;
    if (!known)
        puts("how long they take is known once the first one is done");
    else
        printf("they take about %lu:%02lu h\n", minutes / 60, minutes % 60);
}

static void print_analyses(const exp_study_table *results, const exp_study_result *r, int states[4]) {
    char folder[EXP_ANALYSIS_PATH_MAX];
    for (int k = 0; k < r->block->analysis_count; k++) {
        if (exp_study_analysis_repeated(results, r, k))
            continue;
        states[r->analyses[k].state]++;
        printf("%-8s %s\n", exp_run_states[r->analyses[k].state],
               exp_analysis_folder(results, r, &r->block->analyses[k], folder));
    }
}

/* What would be done. */
static nn_status print_plan(const exp_study_table *results, nn_error *error) {
    int states[4] = {0};
    double seconds;
    for (int i = 0; i < results->count; i++) {
        const exp_study_result *r = &results->results[i];
        if (!r->repeated) {
            states[r->state]++;
            printf("%-8s %s\n", exp_run_states[r->state], exp_study_path(results, r->run, ""));
        }
        print_analyses(results, r, states);
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
    char command[DATA_COMMAND_MAX];
    for (int i = 0; i < results->count; i++) {
        const exp_study_run *run = results->results[i].run;
        bool said = !run->absent[0];
        for (int k = 0; k < i && !said; k++)
            said = strcmp(results->results[k].run->absent, run->absent) == 0;
        if (!said)
            fprintf(stderr, "NOTE: the data set %s is not in %s: its runs are %s. To get it: %s\n",
                    run->absent, root, run->skipped ? "left out" : "done on the built-in 'shapes' instead",
                    data_fetch_command(run->absent, root, command));
    }
}

/* Whether the data set of any run is in the root. */
static bool has_data(const exp_study *studies, int count, const char *root) {
    for (int s = 0; s < count; s++)
        for (int b = 0; b < studies[s].block_count; b++) {
            const exp_study_block *block = &studies[s].blocks[b];
            for (int i = 0; i < block->conditions; i++)
                if (data_present(block->runs[i].options.dataset, root))
                    return true;
        }
    return false;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

typedef struct reproduction {
    const reproduce_options *options;
    exp_study *studies;
    int count;
    const char *command;
    double begin; /* exp_seconds() */
    char toy[EXP_TEXT_MAX + 8];
    exp_study_table results;
} reproduction;

static bool has_points(const reproduction *r, const char *name) {
    char path[sizeof r->toy + 16];
    snprintf(path, sizeof path, "%s/%s", r->toy, name);
    return access(path, F_OK) == 0;
}

/* The points in the plane, once: a run folder in OUT. An unfinished one of before is done again. */
static nn_status move_points(reproduction *r, nn_error *error) {
    char path[sizeof r->toy + 16];
    exp_toy_options options = exp_toy_minimising;
    exp_toy_result result;
    if (has_points(r, "summary.json") && has_points(r, "toy.svg"))
        return NN_OK;
    snprintf(path, sizeof path, "%s/config.ini", r->toy);
    unlink(path);
    snprintf(options.run, sizeof options.run, "%.500s", r->toy);
    options.quiet = true;
    options.threads = r->options->threads;
    nn_status status = exp_toy_run(&options, &exp_stop, &result, error);
    if (result.interrupted) {
        snprintf(path, sizeof path, "%s/summary.json", r->toy);
        unlink(path);
    }
    return status;
}

static nn_status write_report(const reproduction *r, nn_error *error) {
    const reproduce_options *o = r->options;
    exp_report_facts facts = {.command = r->command,
                              .size = exp_study_sizes[size_of(o)],
                              .note = o->note,
                              .data = exp_data_root(o->data),
                              .toy = has_points(r, "toy.svg") ? r->toy : NULL,
                              .seconds = exp_seconds() - r->begin};
    nn_status status = exp_report_write(&r->results, r->studies, r->count, &facts, error);
    if (status == NN_OK)
        printf("report: %s/report.html\n", o->out);
    return status;
}

static int report_results(const reproduction *r, const exp_runs_tally *tally) {
    nn_error error = {0};
    for (int s = 0; s < r->count; s++) {
        exp_study_print(&r->results, &r->studies[s], stdout);
        puts("");
    }
    if (write_report(r, &error) != NN_OK)
        return exp_fail("reproduce", &error);
    if (tally->failed)
        fprintf(stderr, "reproduce: %d of %d runs failed; the same command tries them again\n", tally->failed,
                tally->runs);
    return tally->failed ? EXP_FAILED : 0;
}

static int train(reproduction *r) {
    const reproduce_options *o = r->options;
    exp_runs_setting setting = {
        .data = exp_data_root(o->data), .threads = o->threads, .quiet = o->quiet, .stop = &exp_stop};
    exp_runs_tally tally = {0};
    nn_error error = {0};
    exp_catch_interrupts();
    snprintf(r->toy, sizeof r->toy, "%s/toy", o->out);
    nn_status status = o->report_only ? NN_OK : move_points(r, &error);
    if (status == NN_OK && !exp_stop && !o->report_only)
        status = exp_study_train(&r->results, &setting, &tally, &error);
    if (status != NN_OK)
        return exp_fail("reproduce", &error);
    if (tally.interrupted || exp_stop) {
        fprintf(stderr, "interrupted with %d of %d runs done; the same command goes on\n",
                tally.found + tally.trained, tally.runs);
        return EXP_INTERRUPTED;
    }
    return report_results(r, &tally);
}

static int run(reproduction *r) {
    const reproduce_options *o = r->options;
    const char *root = exp_data_root(o->data);
    nn_error error = {0};
    exp_missing_data missing = (exp_missing_data)o->missing;
    if (o->missing == AUTOMATIC)
        missing = has_data(r->studies, r->count, root) ? EXP_MISSING_SKIP : EXP_MISSING_SHAPES;
    for (int s = 0; s < r->count; s++)
        exp_study_find_data(&r->studies[s], root, missing);
    int code = 0;
    if (exp_study_table_new(&r->results, r->studies, r->count, o->out, &error) != NN_OK)
        code = exp_fail("reproduce", &error);
    else {
        note_absent(&r->results, root);
        if (!o->dry_run)
            code = train(r);
        else if (print_plan(&r->results, &error) != NN_OK)
            code = exp_fail("reproduce", &error);
    }
    exp_study_table_free(&r->results);
    return code;
}

/* A word as a shell takes it. */
static void put_word(FILE *file, const char *word) {
    size_t plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%");
    if (plain > 0 && word[plain] == '\0') {
        fputs(word, file);
        return;
    }
    putc('\'', file);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, file);
    putc('\'', file);
}

/* The command line as the report shows it; NULL without memory, else for the caller to free. */
static char *join(int argc, char **argv) {
    char *command = NULL, call[EXP_CALL_MAX];
    size_t size;
    FILE *memory = open_memstream(&command, &size);
    if (!memory)
        return NULL;
    fputs(exp_program_call("reproduce", call), memory);
    for (int i = 1; i < argc; i++) {
        putc(' ', memory);
        put_word(memory, argv[i]);
    }
    fclose(memory);
    return command;
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
    if (status == NN_OK && options.quick && options.full)
        status = nn_fail(&error, NN_EARGUMENT, "--quick and --full: name one of them");
    if (status == NN_OK)
        status = read_studies(argc, argv, size_of(&options), studies, &count, &error);
    nn_threads_set((int)options.threads);
    char *command = join(argc, argv);
    reproduction r = {.options = &options,
                      .studies = studies,
                      .count = count,
                      .command = command ? command : "reproduce",
                      .begin = exp_seconds()};
    if (status != NN_OK)
        code = exp_refuse("reproduce", &error);
    else if (options.list)
        print_list(studies, count);
    else
        code = run(&r);
    for (int s = 0; s < count; s++)
        exp_study_free(&studies[s]);
    free(command);
    if (code == 0 && exp_check_output(&error) != NN_OK)
        code = exp_fail("reproduce", &error);
    return code;
}
