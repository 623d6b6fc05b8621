/* gnuplot.c - running gnuplot on a script.
 *
 * gnuplot reads and writes nameless temporary files, and the pictures are copied to their places when it has
 * ended well: an interruption at any moment leaves nothing behind. It is in a process group of its own, so that
 * the terminal's interrupt, which a training run answers by ending in order, does not end it. */
#define _GNU_SOURCE
#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/file.h"

/* gnuplot's open files, by number; standard output and error share one. */
enum { SCRIPT, OUTPUT, MESSAGES, FIRST_PICTURE };

struct exp_drawing {
    pid_t gnuplot;
    int pictures;
    char *paths[EXP_PICTURES_MAX];
    FILE *script, *messages, *files[EXP_PICTURES_MAX];
};

void exp_drawing_free(exp_drawing *drawing) {
    if (!drawing)
        return;
    for (int i = 0; i < drawing->pictures; i++) {
        if (drawing->files[i])
            fclose(drawing->files[i]);
        free(drawing->paths[i]);
    }
    if (drawing->script)
        fclose(drawing->script);
    if (drawing->messages)
        fclose(drawing->messages);
    free(drawing);
}

static nn_status open_temporary(FILE **file, nn_error *error) {
    *file = tmpfile();
    return *file
               ? NN_OK
               : nn_fail(error, nn_system_status(errno), "cannot make a temporary file: %s", strerror(errno));
}

/* The files in the order of their numbers in gnuplot, so that none is overwritten before it is there under its
 * own. */
nn_status exp_drawing_new(exp_drawing **drawing, const char *const *paths, nn_error *error) {
    exp_drawing *d = *drawing = calloc(1, sizeof *d);
    if (!d)
        return nn_fail_memory(error, paths[0]);
    nn_status status = open_temporary(&d->script, error);
    if (status == NN_OK)
        status = open_temporary(&d->messages, error);
    for (int i = 0; paths[i] && status == NN_OK; i++) {
        d->pictures = i + 1;
        d->paths[i] = strdup(paths[i]);
        status = d->paths[i] ? open_temporary(&d->files[i], error) : nn_fail_memory(error, paths[i]);
    }
    if (status != NN_OK) {
        exp_drawing_free(d);
        *drawing = NULL;
    }
    return status;
}

FILE *exp_drawing_script(exp_drawing *drawing) {
    return drawing->script;
}

const char *exp_drawing_output(int k) {
    static const char *const names[EXP_PICTURES_MAX] = {"/dev/fd/3", "/dev/fd/4", "/dev/fd/5", "/dev/fd/6",
                                                        "/dev/fd/7", "/dev/fd/8", "/dev/fd/9", "/dev/fd/10"};
    return names[k];
}

void exp_drawing_terminal(FILE *script, int k, bool svg, int font, int width, int height) {
    fprintf(script, "reset\nset encoding utf8\nset terminal %s noenhanced size %d,%d font 'Sans,%d'%s ",
            svg ? "svg" : "pngcairo", width, height, font, svg ? " fontscale 1.333" : "");
    fprintf(script, "background '#FFFFFF'\nmark = %g\nset output '%s'\n", svg ? 0.75 : 1,
            exp_drawing_output(k));
}

/* In double quotes: in single ones gnuplot takes a doubled quote at the beginning for an empty string. */
void exp_drawing_quote(FILE *script, const char *text) {
    putc('"', script);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '`') /* would run a program */
            fputs("\\140", script);
        else if (byte == '"' || byte == '\\')
            fprintf(script, "\\%c", byte);
        else
            putc(byte < 0x20 || byte > 0x7e ? '?' : byte, script);
    }
    putc('"', script);
}

void exp_drawing_number(FILE *script, double value, char after) {
    if (isfinite(value))
        fprintf(script, "%.7g%c", value, after);
    else
        fprintf(script, "NaN%c", after);
}

/* Returns an errno. */
static int spawn(exp_drawing *drawing) {
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
    posix_spawn_file_actions_adddup2(&actions, fileno(drawing->script), SCRIPT);
    posix_spawn_file_actions_adddup2(&actions, fileno(drawing->messages), OUTPUT);
    posix_spawn_file_actions_adddup2(&actions, OUTPUT, MESSAGES);
    for (int i = 0; i < drawing->pictures; i++)
        posix_spawn_file_actions_adddup2(&actions, fileno(drawing->files[i]), FIRST_PICTURE + i);
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

nn_status exp_drawing_start(exp_drawing *drawing, nn_error *error) {
    if (fflush(drawing->script) != 0 || ferror(drawing->script))
        return nn_fail(error, NN_EFILE, "cannot write a temporary file: %s", strerror(errno));
    rewind(drawing->script);
    int code = spawn(drawing);
    if (code == ENOENT)
        return nn_fail(error, NN_EFILE,
                       "cannot draw %s: gnuplot is not installed; install the package gnuplot-nox",
                       drawing->paths[0]);
    return code == 0 ? NN_OK
                     : nn_fail(error, nn_system_status(code), "cannot start gnuplot: %s", strerror(code));
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

static nn_status check_end(const exp_drawing *drawing, int state, nn_error *error) {
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return NN_OK;
    if (WIFSIGNALED(state))
        return nn_fail(error, NN_EFILE, "cannot draw %s: gnuplot was ended by signal %d", drawing->paths[0],
                       WTERMSIG(state));
    size_t count;
    char *words = read_whole(drawing->messages, &count);
    nn_status status = nn_fail(error, NN_EFILE, "cannot draw %s: gnuplot failed: %.300s", drawing->paths[0],
                               words ? words + strspn(words, " \n") : "");
    free(words);
    return status;
}

static nn_status publish(const exp_drawing *drawing, int k, nn_error *error) {
    size_t count;
    char *bytes = read_whole(drawing->files[k], &count);
    nn_status status;
    if (!bytes)
        status = nn_fail_memory(error, drawing->paths[k]);
    else if (count == 0)
        status = nn_fail(error, NN_EFILE, "cannot draw %s: gnuplot wrote nothing", drawing->paths[k]);
    else
        status = nn_file_write_atomic(drawing->paths[k], bytes, count, error);
    free(bytes);
    return status;
}

nn_status exp_drawing_finish(exp_drawing *drawing, nn_error *error) {
    int state;
    pid_t ended;
    while ((ended = waitpid(drawing->gnuplot, &state, 0)) < 0 && errno == EINTR)
        ;
    nn_status status = ended < 0 ? nn_fail(error, NN_EFILE, "cannot wait for gnuplot: %s", strerror(errno))
                                 : check_end(drawing, state, error);
    for (int k = 0; k < drawing->pictures && status == NN_OK; k++)
        status = publish(drawing, k, error);
    return status;
}

nn_status exp_drawing_draw(exp_drawing *drawing, nn_error *error) {
    nn_status status = exp_drawing_start(drawing, error);
    if (status == NN_OK)
        status = exp_drawing_finish(drawing, error);
    exp_drawing_free(drawing);
    return status;
}
