#include "progress.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double terminal_interval = 0.2, plain_interval = 10; /* seconds between lines */

double exp_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

exp_progress exp_progress_begin(bool quiet) {
    return (exp_progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO), .last = exp_seconds()};
}

static int terminal_width(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void exp_terminal_line(const char *line) {
    fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
}

static void append(char *line, size_t size, const char *format, ...) {
    size_t length = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, size - length, format, arguments);
    va_end(arguments);
}

static void append_time(char *line, size_t size, double seconds) {
    unsigned long s = isfinite(seconds) && seconds < 1e8 ? (unsigned long)(seconds + 0.5) : 0;
    if (s >= 3600)
        append(line, size, "%lu:%02lu:%02lu left", s / 3600, s / 60 % 60, s % 60);
    else
        append(line, size, "%lu:%02lu left", s / 60, s % 60);
}

void exp_progress_step(exp_progress *p, const exp_classifier *c, const exp_row *row, double epochs,
                       uint64_t steps, double per_second) {
    double keep = 1 - 1 / fmin(20, (double)++p->shown); /* a mean at first, then over about 20 steps */
    p->loss = keep * p->loss + (1 - keep) * row->training.loss;
    p->accuracy = keep * p->accuracy + (1 - keep) * row->training.accuracy;
    double now = exp_seconds();
    if (p->quiet || (now - p->last < (p->terminal ? terminal_interval : plain_interval) && row->step < steps))
        return;
    p->last = now;
    char line[1024] = "";
    append(line, sizeof line, "epoch %.2f/%.3g  step %llu/%llu  loss %.4f  accuracy %.1f%%  %.0f images/s  ",
           row->epoch, epochs, (unsigned long long)row->step, (unsigned long long)steps, p->loss,
           100 * p->accuracy, per_second);
    append_time(line, sizeof line, (double)(steps - row->step) * row->seconds / (double)row->step);
    const char *title = "  snnl";
    for (int i = 0; i < c->taps; i++)
        if (c->weight[i] != 0) {
            append(line, sizeof line, "%s %s %.3f", title, exp_tap_name(c, i), row->training.snnl[i]);
            title = "";
        }
    if (p->terminal) {
        exp_terminal_line(line);
        fputs(row->step == steps ? "\n" : "", stderr);
    } else
        fprintf(stderr, "%s\n", line);
}

void exp_progress_part(exp_progress *p, const char *doing, double done) {
    char line[128];
    double now = exp_seconds();
    if (p->quiet || now - p->last < (p->terminal ? terminal_interval : plain_interval))
        return;
    p->last = now;
    snprintf(line, sizeof line, "%s %3.0f%%", doing, 100 * done);
    if (p->terminal)
        exp_terminal_line(line);
    else
        fprintf(stderr, "%s\n", line);
}

static void print_line(const exp_progress *p, const char *format, va_list arguments) {
    if (p->terminal)
        fputs("\r\033[K", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void exp_progress_say(exp_progress *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!p->quiet)
        print_line(p, format, arguments);
    va_end(arguments);
}

void exp_progress_warn(exp_progress *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line(p, format, arguments);
    va_end(arguments);
}

void exp_progress_note(exp_progress *p, const char *name, const char *note) {
    if (note[0])
        exp_progress_say(p, "NOTE: %s: %s", name, note);
}
