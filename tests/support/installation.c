#define _GNU_SOURCE /* basename */
#include "installation.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST = 60000 };
char installation_output[LARGEST + 1];
static bool made;

/* "release" of build/release/tests/..., "release-clang" with another compiler. */
static void find_build(char build[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", build, PATH_MAX - 1);
    assert_true(length > 0);
    build[length] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(build, '/') = '\0';
}

static void set_environment(const char *build) {
    const char *compiler = strchr(basename(build), '-');
    bool clang = compiler && strstr(compiler, "clang");
    setenv("build", build, 1);
    setenv("mode", basename(build), 1);
    setenv("cc", compiler ? compiler + 1 : "gcc", 1);
    setenv("cxx", clang ? "clang++" : "g++", 1);
    setenv("work", test_path("work"), 1);
    setenv("destination", test_path("destination"), 1);
    setenv("prefix", test_path("destination/usr"), 1);
    /* of the make that runs the tests */
    unsetenv("MAKEFLAGS");
    unsetenv("MFLAGS");
    unsetenv("MAKELEVEL");
    mkdir(test_path("work"), 0700);
}

/* What is installed is put together in one folder of the build: tests that install wait for each other, to their end. */
static void lock(const char *build) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/stage.lock", build);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0 && flock(file, LOCK_EX) == 0);
}

int installation_begin(void **state) {
    char build[PATH_MAX];
    (void)state;
    find_build(build);
    set_environment(build);
    if (strstr(basename(build), "sanitize"))
        return 0;
    lock(build);
    made = true;
    if (installation_sh("make -s MODE=${mode%%-*} CC=$cc install DESTDIR=$destination PREFIX=/usr") == 0)
        return 0;
    print_error("%s", installation_output);
    return 1;
}

void installation_need(void) {
    if (!made)
        skip();
}

static int run(const char *script) {
    static const char head[] =
        "export PATH=$prefix/bin:$PATH LD_LIBRARY_PATH=$prefix/lib PKG_CONFIG_PATH=$prefix/lib/pkgconfig\n"
        "exec 2>&1\n";
    char text[8192];
    assert_true(snprintf(text, sizeof text, "%s%s", head, script) < (int)sizeof text);
    const char *path = test_file("script", text, strlen(text));
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "bash %s", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t count = fread(installation_output, 1, LARGEST, pipe);
    installation_output[count] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int installation_sh(const char *format, ...) {
    char script[8000];
    va_list list;
    va_start(list, format);
    assert_true(vsnprintf(script, sizeof script, format, list) < (int)sizeof script);
    va_end(list);
    return run(script);
}

void installation_check(const char *format, ...) {
    char script[8000];
    va_list list;
    va_start(list, format);
    assert_true(vsnprintf(script, sizeof script, format, list) < (int)sizeof script);
    va_end(list);
    int status = run(script);
    if (status != 0)
        fail_msg("exit status %d of:\n%s\n%s", status, script, installation_output);
}

void installation_said(const char *part) {
    if (!strstr(installation_output, part))
        fail_msg("'%s' does not say '%s'", installation_output, part);
}
