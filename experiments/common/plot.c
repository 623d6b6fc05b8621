/* plot.c - running gnuplot on a run's curves.
 *
 * gnuplot reads and writes nameless temporary files, and the pictures are copied into the run folder when it
 * has ended well: an interruption at any moment leaves nothing behind. It is in a process group of its own,
 * so that the terminal's interrupt, which a training run answers by ending in order, does not end it. */
#define _GNU_SOURCE /* asprintf */
#include "plot.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/file.h"
#include "plot_script.h"
#include "train_options.h"

extern char **environ;

/* gnuplot's open files, by number. */
enum { SCRIPT, PNG, MESSAGES, SVG, FILES };

struct drawing {
    char *folder;
    pid_t gnuplot;
    FILE *files[FILES];
};

/* The drawing in the background, at most one. */
static struct {
    pthread_t thread;
    bool started;
    atomic_bool ended; /* set by the thread */
} background_drawing;

static void free_drawing(struct drawing *drawing) {
    for (int i = 0; i < FILES; i++)
        if (drawing->files[i])
            fclose(drawing->files[i]);
    free(drawing->folder);
    free(drawing);
}

/* "FOLDER/NAME", NULL without memory. The caller frees it. */
static char *path_in(const char *folder, const char *name) {
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The heading: what was trained on what, or the folder's name where no config.ini tells. NULL without memory;
 * the caller frees it. */
static char *make_title(const char *folder) {
    exp_train_options found = exp_train_defaults;
    nn_error ignored = {0};
    char *title = NULL, *config = path_in(folder, "config.ini"), weight[32];
    if (config && exp_options_read_file(exp_train_table, &found, config, &ignored) == NN_OK) {
        if (asprintf(&title, "%s on %s, SNNL weight %s", found.model, found.dataset,
                     exp_number_text(found.snnl_weight, weight)) < 0)
            title = NULL;
    } else {
        char *whole = realpath(folder, NULL);
        const char *slash = whole ? strrchr(whole, '/') : NULL;
        title = strdup(slash && slash[1] ? slash + 1 : folder);
        free(whole);
    }
    free(config);
    return title;
}

static nn_status write_script(const struct drawing *drawing, nn_error *error) {
    char *path = path_in(drawing->folder, "metrics.csv");
    if (!path)
        return nn_fail_memory(error, drawing->folder);
    exp_metrics metrics;
    nn_status status = exp_metrics_read(path, &metrics, error);
    free(path);
    if (status != NN_OK)
        return status;
    char *title = make_title(drawing->folder);
    if (title)
        status = exp_plot_script(drawing->files[SCRIPT], &metrics, title, "/dev/fd/3", error);
    else
        status = nn_fail_memory(error, drawing->folder);
    free(title);
    exp_metrics_free(&metrics);
    if (status == NN_OK && (fflush(drawing->files[SCRIPT]) != 0 || ferror(drawing->files[SCRIPT])))
        status = nn_fail(error, NN_EFILE, "cannot write a temporary file: %s", strerror(errno));
    rewind(drawing->files[SCRIPT]);
    return status;
}

/* Starts gnuplot with the drawing's files; returns an errno. */
static int spawn_gnuplot(struct drawing *drawing) {
    char *const arguments[] = {"gnuplot", "--default-settings", "-", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, ordinary;
    sigemptyset(&none);
    sigemptyset(&ordinary);
    sigaddset(&ordinary, SIGINT);
    sigaddset(&ordinary, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int i = 0; i < FILES; i++)
        posix_spawn_file_actions_adddup2(&actions, fileno(drawing->files[i]), i);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ordinary);
    int code = posix_spawnp(&drawing->gnuplot, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* Starts a drawing, which end_drawing takes over; on failure there is none. */
static nn_status start_drawing(const char *folder, struct drawing **started, nn_error *error) {
    struct drawing *drawing = calloc(1, sizeof *drawing);
    if (!drawing || !(drawing->folder = strdup(folder))) {
        free(drawing);
        return nn_fail_memory(error, folder);
    }
    nn_status status = NN_OK;
    /* In the order of their numbers, so that none is overwritten before gnuplot has it under its own. */
    for (int i = 0; i < FILES && status == NN_OK; i++)
        if (!(drawing->files[i] = tmpfile()))
            status = nn_fail(error, NN_EFILE, "cannot make a temporary file: %s", strerror(errno));
    if (status == NN_OK)
        status = write_script(drawing, error);
    if (status == NN_OK) {
        int code = spawn_gnuplot(drawing);
        if (code == ENOENT)
            status =
                nn_fail(error, NN_EFILE,
                        "cannot draw the curves: gnuplot is not installed; install the package gnuplot-nox");
        else if (code != 0)
            status = nn_fail(error, NN_EFILE, "cannot start gnuplot: %s", strerror(code));
    }
    if (status == NN_OK)
        *started = drawing;
    else
        free_drawing(drawing);
    return status;
}

/* All of a file that gnuplot wrote, with a NUL behind it; NULL where that fails. The caller frees it. */
static char *read_whole(FILE *file, size_t *count) {
    off_t size = lseek(fileno(file), 0, SEEK_END);
    char *bytes = size < 0 ? NULL : calloc((size_t)size + 1, 1);
    rewind(file);
    if (bytes)
        *count = fread(bytes, 1, (size_t)size, file);
    return bytes;
}

/* NN_EFILE with gnuplot's first words, unless it ended well. */
static nn_status check_end(const struct drawing *drawing, int state, nn_error *error) {
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return NN_OK;
    if (WIFSIGNALED(state))
        return nn_fail(error, NN_EFILE, "cannot draw the curves: gnuplot was ended by signal %d",
                       WTERMSIG(state));
    size_t count;
    char *words = read_whole(drawing->files[MESSAGES], &count);
    nn_status status = nn_fail(error, NN_EFILE, "cannot draw the curves: gnuplot failed: %.300s",
                               words ? words + strspn(words, " \n") : "");
    free(words);
    return status;
}

static nn_status publish(const struct drawing *drawing, int file, const char *name, nn_error *error) {
    size_t count;
    char *path = path_in(drawing->folder, name), *bytes = read_whole(drawing->files[file], &count);
    nn_status status;
    if (!path || !bytes)
        status = nn_fail_memory(error, name);
    else if (count == 0)
        status = nn_fail(error, NN_EFILE, "cannot draw %s: gnuplot wrote nothing", path);
    else
        status = nn_file_write_atomic(path, bytes, count, error);
    free(path);
    free(bytes);
    return status;
}

/* Waits for gnuplot, puts the pictures in place and frees the drawing. */
static nn_status end_drawing(struct drawing *drawing, nn_error *error) {
    int state;
    pid_t ended;
    while ((ended = waitpid(drawing->gnuplot, &state, 0)) < 0 && errno == EINTR)
        ;
    nn_status status = ended < 0 ? nn_fail(error, NN_EFILE, "cannot wait for gnuplot: %s", strerror(errno))
                                 : check_end(drawing, state, error);
    if (status == NN_OK)
        status = publish(drawing, PNG, "curves.png", error);
    if (status == NN_OK)
        status = publish(drawing, SVG, "curves.svg", error);
    free_drawing(drawing);
    return status;
}

static void *end_in_background(void *started) {
    nn_error unreported = {0};
    end_drawing(started, &unreported);
    background_drawing.ended = true;
    return NULL;
}

static void join_background(void) {
    if (background_drawing.started)
        pthread_join(background_drawing.thread, NULL);
    background_drawing.started = false;
}

/* Hands the drawing to a thread that takes no signals: those are the caller's. */
static nn_status continue_in_background(struct drawing *drawing, nn_error *error) {
    sigset_t all, before;
    sigfillset(&all);
    background_drawing.ended = false;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&background_drawing.thread, NULL, end_in_background, drawing);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    background_drawing.started = code == 0;
    return code == 0 ? NN_OK : end_drawing(drawing, error);
}

nn_status exp_plot_run(const char *folder, bool background, nn_error *error) {
    if (background && background_drawing.started && !background_drawing.ended)
        return NN_OK;
    join_background();
    struct drawing *drawing = NULL;
    nn_status status = start_drawing(folder, &drawing, error);
    if (status != NN_OK)
        return status;
    return background ? continue_in_background(drawing, error) : end_drawing(drawing, error);
}
