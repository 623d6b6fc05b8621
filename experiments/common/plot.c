/* plot.c - a run's curves, drawn now or in the background. */
#define _GNU_SOURCE /* asprintf */
#include "plot.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gnuplot.h"
#include "plot_script.h"
#include "train_options.h"

/* The drawing in the background, at most one. */
static struct {
    pthread_t thread;
    bool started;
    atomic_bool ended; /* set by the thread */
} background_drawing;

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

static nn_status write_script(exp_drawing *drawing, const char *folder, nn_error *error) {
    char *path = path_in(folder, "metrics.csv");
    if (!path)
        return nn_fail_memory(error, folder);
    exp_metrics metrics;
    nn_status status = exp_metrics_read(path, &metrics, error);
    free(path);
    if (status != NN_OK)
        return status;
    char *title = make_title(folder);
    if (title)
        status = exp_plot_script(exp_drawing_script(drawing), &metrics, title, exp_drawing_output(0),
                                 exp_drawing_output(1), error);
    else
        status = nn_fail_memory(error, folder);
    free(title);
    exp_metrics_free(&metrics);
    return status;
}

/* Starts a drawing, which the caller finishes and frees; on failure there is none. */
static nn_status start_drawing(const char *folder, exp_drawing **drawing, nn_error *error) {
    char *png = path_in(folder, "curves.png"), *svg = path_in(folder, "curves.svg");
    nn_status status = png && svg ? exp_drawing_new(drawing, (const char *[]){png, svg, NULL}, error)
                                  : nn_fail_memory(error, folder);
    free(png);
    free(svg);
    if (status != NN_OK)
        return status;
    status = write_script(*drawing, folder, error);
    if (status == NN_OK)
        status = exp_drawing_start(*drawing, error);
    if (status != NN_OK)
        exp_drawing_free(*drawing);
    return status;
}

static nn_status end_drawing(exp_drawing *drawing, nn_error *error) {
    nn_status status = exp_drawing_finish(drawing, error);
    exp_drawing_free(drawing);
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
static nn_status continue_in_background(exp_drawing *drawing, nn_error *error) {
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
    exp_drawing *drawing = NULL;
    nn_status status = start_drawing(folder, &drawing, error);
    if (status != NN_OK)
        return status;
    return background ? continue_in_background(drawing, error) : end_drawing(drawing, error);
}
