#define _GNU_SOURCE /* pipe2, asprintf */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

program_setting program_next;
char *program_output, *program_errors;

static int output_pipe[2], errors_pipe[2];

int program_begin(void **state) {
    (void)state;
    test_file("begun", "", 0);
    assert_int_equal(chdir(test_path(".")), 0);
    unsetenv("ENTANGLE_DATA");
    return 0;
}

/* --- processes ------------------------------------------------------------------------------------------ */

/* This test is build/MODE/tests/experiments/test_..., the program build/MODE/bin/NAME. */
static void find_program(char path[PATH_MAX], const char *name) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 64);
    assert_true(length > 0);
    path[length] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(path, '/') = '\0';
    snprintf(path + strlen(path), 64, "/bin/%s", name);
    if (access(path, X_OK) != 0)
        fail_msg("%s is not built", path);
}

static void become(const char *path, char *name, char *arguments) {
    char *argv[64] = {name}, *rest = NULL;
    int argc = 1;
    for (char *word = strtok_r(arguments, " ", &rest); word && argc < 63; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    int output = program_next.output ? open(program_next.output, O_WRONLY) : output_pipe[1];
    dup2(output, STDOUT_FILENO);
    int errors =
        program_next.errors ? open(program_next.errors, O_WRONLY | O_CREAT | O_EXCL, 0666) : errors_pipe[1];
    dup2(errors, STDERR_FILENO);
    if (program_next.file_limit) {
        struct rlimit limit = {program_next.file_limit, program_next.file_limit};
        signal(SIGXFSZ, SIG_IGN); /* writing fails, as on a full disk, instead of ending the program */
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    alarm(120);
    execv(path, argv);
    _exit(126);
}

/* ./train begins with one preset, whichever the last `make PRESET` has made the default. The caller frees the text. */
static char *with_preset(const char *name, const char *arguments) {
    static const char *const own[] = {"--preset", "--resume", "--help", "--version"};
    char *text;
    bool given = strcmp(name, "train") != 0;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        given |= strstr(arguments, own[i]) != NULL;
    assert_true(asprintf(&text, "%s%s", given ? "" : "--preset=shapes_resnet ", arguments) >= 0);
    return text;
}

pid_t program_start(const char *name, const char *arguments) {
    char path[PATH_MAX], program[64], *copy = with_preset(name, arguments);
    find_program(path, name);
    snprintf(program, sizeof program, "./%s", name);
    assert_true(pipe2(output_pipe, O_CLOEXEC) == 0 && pipe2(errors_pipe, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(path, program, copy);
    close(output_pipe[1]);
    close(errors_pipe[1]);
    free(copy);
    program_next = (program_setting){0};
    return pid;
}

/* All that comes out of a pipe, which is closed, instead of *text. */
static void collect(int pipe, char **text) {
    enum { LARGEST = 1 << 16 };
    free(*text);
    *text = test_bytes(LARGEST + 1);
    size_t length = 0;
    for (;;) {
        ssize_t got = read(pipe, *text + length, LARGEST - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    close(pipe);
}

int program_end(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    collect(output_pipe[0], &program_output);
    collect(errors_pipe[0], &program_errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *name, const char *format, ...) {
    char arguments[4096];
    va_list list;
    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    return program_end(program_start(name, arguments));
}

void program_said(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' does not say '%s'", text, part);
}

void program_complained(const char *part) {
    program_said(program_errors, part);
    assert_string_equal(program_output, "");
    const char *end = strchr(program_errors, '\n');
    if (!end || end[1] != '\0')
        fail_msg("not one line: '%s'", program_errors);
}

/* --- files ---------------------------------------------------------------------------------------------- */

bool program_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

char *program_file(const char *path) {
    unsigned char *bytes;
    size_t count;
    nn_error error = {0};
    test_ok(nn_file_read(path, 1 << 24, &bytes, &count, &error), &error);
    char *text = test_bytes(count + 1);
    memcpy(text, bytes, count);
    free(bytes);
    return text;
}

static void put(FILE *file, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 255), file);
}

static FILE *create(const char *folder, const char *name, const char *file_name) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s", folder, name, file_name);
    FILE *file = fopen(path, "wb");
    if (!file)
        fail_msg("cannot write %s", path);
    return file;
}

static void write_split(const char *folder, const char *name, const char *split, int count, int brighter) {
    char images_name[64], labels_name[64];
    snprintf(images_name, sizeof images_name, "%s-images-idx3-ubyte", split);
    snprintf(labels_name, sizeof labels_name, "%s-labels-idx1-ubyte", split);
    FILE *images = create(folder, name, images_name), *labels = create(folder, name, labels_name);
    put(images, 0x803);
    put(images, (uint32_t)count);
    put(images, PROGRAM_SIDE);
    put(images, PROGRAM_SIDE);
    put(labels, 0x801);
    put(labels, (uint32_t)count);
    nn_stream stream = nn_stream_named(5, split);
    for (int i = 0; i < count; i++) {
        int label = (int)nn_random_below(&stream, 10);
        fputc(label, labels);
        for (int k = 0; k < PROGRAM_SIDE * PROGRAM_SIDE; k++)
            fputc((k % 10 == label ? brighter : 0) + (int)nn_random_below(&stream, 250 - (uint32_t)brighter),
                  images);
    }
    assert_true(fclose(images) == 0 && fclose(labels) == 0);
}

static void write_data(const char *folder, const char *name, int brighter) {
    char path[PATH_MAX];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
    write_split(folder, name, "train", PROGRAM_TRAIN, brighter);
    write_split(folder, name, "t10k", PROGRAM_TEST, brighter);
}

void program_data(const char *folder, const char *name) {
    write_data(folder, name, 30);
}

void program_easy_data(const char *folder, const char *name) {
    write_data(folder, name, 150);
}
