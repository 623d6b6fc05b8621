#include "profile_table.h"

#include <stdlib.h>
#include <string.h>

enum { SLOWEST_LAYERS = 12 };

static int longest_first(const void *a, const void *b) {
    double x = ((const nn_profile_line *)a)->seconds, y = ((const nn_profile_line *)b)->seconds;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Adds the lines of each op and direction up in place; their `runs` become calls of the op. Returns how many. */
static int merge_ops(nn_profile_line *lines, int count) {
    int merged = 0;
    for (int i = 0; i < count; i++) {
        int k = 0;
        while (k < merged &&
               (strcmp(lines[k].op, lines[i].op) != 0 || lines[k].backward != lines[i].backward))
            k++;
        if (k == merged) {
            lines[merged++] = lines[i];
            continue;
        }
        lines[k].runs += lines[i].runs;
        lines[k].seconds += lines[i].seconds;
        lines[k].flop += lines[i].flop;
        lines[k].bytes += lines[i].bytes;
    }
    return merged;
}

static void print_time(const char *what, double seconds, const exp_step_times *t, FILE *file) {
    fprintf(file, "%-42s %7s %9.3f %6.1f%%\n", what, "", 1e3 * seconds / (double)t->steps,
            100 * seconds / t->all);
}

static void print_line(const char *what, const nn_profile_line *line, const exp_step_times *t, FILE *file) {
    char name[64];
    snprintf(name, sizeof name, "%s %s", what, line->backward ? "backward" : "forward");
    fprintf(file, "%-42s %7.4g %9.3f %6.1f%%", name, (double)line->runs / (double)t->steps,
            1e3 * line->seconds / (double)t->steps, 100 * line->seconds / t->all);
    if (line->flop > 0)
        fprintf(file, " %9.0f", 1e-9 * line->flop / line->seconds);
    else
        fprintf(file, " %9s", "");
    fprintf(file, " %8.1f\n", 1e-9 * line->bytes / line->seconds);
}

static void print_heading(const char *what, FILE *file) {
    fprintf(file, "%-42s %7s %9s %7s %9s %8s\n", what, "calls", "ms", "share", "GFLOP/s", "GB/s");
}

static void print_layers(const nn_profile_line *lines, int count, const exp_step_times *t, FILE *file) {
    print_heading("slowest layers", file);
    for (int i = 0; i < count && i < SLOWEST_LAYERS; i++) {
        char what[160];
        snprintf(what, sizeof what, "%.20s %.20s", lines[i].op, lines[i].layer);
        print_line(what, &lines[i], t, file);
    }
}

static void print_ops(const nn_profile_line *lines, int count, const nn_plan *plan, const exp_step_times *t,
                      FILE *file) {
    char what[64];
    snprintf(what, sizeof what, "a step, mean of %llu", (unsigned long long)t->steps);
    print_heading(what, file);
    for (int i = 0; i < count; i++)
        print_line(lines[i].op, &lines[i], t, file);
    double plan_seconds = nn_profile_seconds(plan);
    print_time("threads waiting for each other", nn_profile_waiting(plan), t, file);
    print_time("optimizer", t->optimizer, t, file);
    print_time("waiting for data", t->data, t, file);
    print_time("copying data", t->feed, t, file);
    print_time("logging and checks", t->all - plan_seconds - t->optimizer - t->data - t->feed, t, file);
    print_time("all", t->all, t, file);
    fputc('\n', file);
}

nn_status exp_profile_print(const nn_plan *plan, const exp_step_times *times, FILE *file, nn_error *error) {
    int count = nn_profile_count(plan);
    nn_profile_line *lines = calloc((size_t)count + 1, sizeof *lines);
    if (!lines)
        return nn_fail_memory(error, "the profile");
    int used = 0;
    for (int i = 0; i < count; i++) {
        nn_profile_line line = nn_profile_line_at(plan, i);
        if (line.runs)
            lines[used++] = line;
    }
    nn_profile_line *ops = malloc(((size_t)used + 1) * sizeof *ops);
    if (!ops) {
        free(lines);
        return nn_fail_memory(error, "the profile");
    }
    memcpy(ops, lines, (size_t)used * sizeof *ops);
    int op_count = merge_ops(ops, used);
    qsort(ops, (size_t)op_count, sizeof *ops, longest_first);
    qsort(lines, (size_t)used, sizeof *lines, longest_first);
    print_ops(ops, op_count, plan, times, file);
    print_layers(lines, used, times, file);
    free(ops);
    free(lines);
    return NN_OK;
}
