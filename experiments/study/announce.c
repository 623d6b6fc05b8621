#include "announce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "experiments/common/progress.h"

static void format_time(double seconds, char text[48]) {
    const bool known = seconds >= 0 && seconds < 1e8;
    unsigned long s = known ? (unsigned long)(seconds + 0.5) : 0;
    if (!known)
        text[0] = '\0';
    else if (s >= 3600)
        snprintf(text, 48, ", %lu:%02lu:%02lu left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 48, ", %lu:%02lu left", s / 60, s % 60);
}

static void format_accuracy(double accuracy, const char *what, char text[48]) {
    text[0] = '\0';
    if (!isnan(accuracy))
        snprintf(text, 48, "  %s %.2f%%", what, 100 * accuracy);
}

void exp_announce_running(void *context) {
    const exp_announcer *a = context;
    char line[sizeof a->name + 128], left[48], before[48];
    if (a->quiet || !a->terminal)
        return;
    format_time(a->left > 0 ? fmax(0, a->left - (exp_seconds() - a->begin)) : a->left, left);
    format_accuracy(a->accuracy, "last accuracy", before);
    snprintf(line, sizeof line, "run %d/%d  %s%s%s", a->number, a->total, a->name, left, before);
    exp_terminal_line(line);
}

void exp_announce_end(const exp_announcer *announcer) {
    if (announcer->terminal && !announcer->quiet)
        exp_terminal_line("");
}

void exp_announce_done(const exp_announcer *a, double accuracy) {
    char left[48], percent[48];
    if (a->quiet || a->terminal)
        return;
    format_time(a->left, left);
    format_accuracy(accuracy, "accuracy", percent);
    fprintf(stderr, "run %d/%d  %s%s%s\n", a->number, a->total, a->name, percent, left);
}

/* The last line of a log, without its end. */
static void last_line(const char *path, char line[256]) {
    unsigned char *bytes;
    size_t count;
    nn_error ignored = {0};
    line[0] = '\0';
    if (nn_file_read(path, 1 << 24, &bytes, &count, &ignored) != NN_OK)
        return;
    while (count && bytes[count - 1] == '\n')
        count--;
    size_t begin = count;
    while (begin && bytes[begin - 1] != '\n')
        begin--;
    snprintf(line, 256, "%.*s", (int)(count - begin < 255 ? count - begin : 255), (char *)bytes + begin);
    free(bytes);
}

void exp_announce_failure(const exp_announcer *a, int ended, const char *log) {
    char line[256], reason[64] = "";
    last_line(log, line);
    if (WIFSIGNALED(ended))
        snprintf(reason, sizeof reason, "ended by signal %d", WTERMSIG(ended));
    else if (!line[0])
        snprintf(reason, sizeof reason, "ended with status %d", WEXITSTATUS(ended));
    exp_announce_end(a);
    fprintf(stderr, "run %d/%d  %s FAILED: %s%s%s (%s)\n", a->number, a->total, a->name, reason,
            reason[0] && line[0] ? "; " : "", line, log);
}
