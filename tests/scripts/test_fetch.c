/* scripts/fetch, run from the repository's root, with a curl of our own first in the PATH: no network. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[256], tools[256], output[4096];

/* A fresh data root, and a curl that runs `script` with the target in $file. */
static void prepare(const char *script) {
    static int number;
    char name[32], path[512];
    snprintf(name, sizeof name, "case%d", number++);
    snprintf(root, sizeof root, "%s/data", test_path(name));
    snprintf(tools, sizeof tools, "%s", test_path(name));
    assert_int_equal(mkdir(tools, 0700), 0);
    snprintf(path, sizeof path, "%s/curl", tools);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && file=$2; shift; done\n%s\n", script);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
}

/* Runs scripts/fetch with `arguments` and returns its exit status; what it prints goes to `output`. */
static int fetch(const char *arguments) {
    char command[1024];
    snprintf(command, sizeof command, "PATH='%s':$PATH ENTANGLE_DATA='%s' scripts/fetch %s 2>&1", tools, root,
             arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t count = fread(output, 1, sizeof output - 1, pipe);
    output[count] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_output(const char *part) {
    if (!strstr(output, part))
        fail_msg("printed '%s', which does not say '%s'", output, part);
}

static bool exists(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return access(path, F_OK) == 0;
}

static void touch(const char *folder, const char *name) {
    char command[1024];
    snprintf(command, sizeof command, "mkdir -p '%s/%s' && touch '%s/%s/%s'", root, folder, root, folder,
             name);
    assert_int_equal(system(command), 0);
}

static void wrong_usage(void **state) {
    (void)state;
    prepare("exit 1");
    assert_int_equal(fetch(""), 2);
    expect_output("no data set named");
    assert_int_equal(fetch("--if-missing"), 2);
    assert_int_equal(fetch("--if-missing nist"), 2);
    expect_output("unknown data set 'nist'");
    assert_int_equal(fetch("mnist nist"), 2);
    assert_false(exists("mnist"));
}

static void nothing_to_do_for_sets_that_are_there(void **state) {
    (void)state;
    prepare("echo called");
    assert_int_equal(fetch("--if-missing shapes"), 0);
    assert_string_equal(output, "");
    touch("mnist", "train-images-idx3-ubyte.gz");
    touch("mnist", "train-labels-idx1-ubyte");
    touch("mnist", "t10k-images-idx3-ubyte.gz");
    touch("mnist", "t10k-labels-idx1-ubyte.gz");
    touch("notmnist", "t10k-images-idx3-ubyte.gz");
    touch("notmnist", "t10k-labels-idx1-ubyte.gz");
    touch("cifar10", "cifar-10-binary.tar.gz");
    assert_int_equal(fetch("--if-missing mnist notmnist cifar10"), 0);
    assert_string_equal(output, "");
    prepare("echo called");
    touch("cifar10/cifar-10-batches-bin", "test_batch.bin");
    assert_int_equal(fetch("--if-missing cifar10"), 0);
    assert_string_equal(output, "");
}

static void failed_download(void **state) {
    (void)state;
    prepare("echo no network; exit 6");
    assert_int_equal(fetch("cifar10"), 1);
    expect_output("fetch: could not get all of cifar10");
    assert_int_equal(fetch("--if-missing cifar10"), 0);
    expect_output("./train uses the built-in shapes set");
    assert_false(exists("cifar10/cifar-10-binary.tar.gz"));
}

static void wrong_checksum_is_thrown_away(void **state) {
    (void)state;
    prepare("echo rubbish > \"$file\"");
    assert_int_equal(fetch("cifar10"), 1);
    expect_output("wrong checksum: thrown away");
    assert_false(exists("cifar10/cifar-10-binary.tar.gz"));
    assert_false(exists("cifar10/cifar-10-binary.tar.gz.part"));
    assert_int_equal(fetch("notmnist"), 1);
    assert_false(exists("notmnist/train-images-idx3-ubyte.gz"));
}

static void good_files_get_their_names(void **state) {
    (void)state;
    prepare("echo content | gzip > \"$file\"");
    assert_int_equal(fetch("notmnist"), 0);
    assert_true(exists("notmnist/train-images-idx3-ubyte.gz"));
    assert_true(exists("notmnist/t10k-labels-idx1-ubyte.gz"));
    assert_false(exists("notmnist/t10k-labels-idx1-ubyte.gz.part"));
    assert_int_equal(fetch("notmnist"), 0); /* all there: curl is not asked again */
    assert_string_equal(output, "");
}

/* The first try leaves a beginning, the second adds the rest; a server that refuses to resume gets a fresh
 * start. */
static void interrupted_download_goes_on(void **state) {
    (void)state;
    prepare("whole=$(dirname \"$0\")/whole.gz\n"
            "[ -e \"$whole\" ] || echo content | gzip > \"$whole\"\n"
            "if [ -e \"$file\" ]; then tail -c +8 \"$whole\" >> \"$file\"; exit 0; fi\n"
            "head -c 7 \"$whole\" > \"$file\"; exit 18");
    for (int file = 0; file < 4; file++)
        assert_int_equal(fetch("notmnist"), 1);
    assert_true(exists("notmnist/t10k-images-idx3-ubyte.gz"));
    assert_int_equal(fetch("notmnist"), 0);

    prepare("[ -e \"$file\" ] && exit 33; echo content | gzip > \"$file\"");
    touch("notmnist", "train-images-idx3-ubyte.gz.part");
    assert_int_equal(fetch("notmnist"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(nothing_to_do_for_sets_that_are_there),
        cmocka_unit_test(failed_download),
        cmocka_unit_test(wrong_checksum_is_thrown_away),
        cmocka_unit_test(good_files_get_their_names),
        cmocka_unit_test(interrupted_download_goes_on),
    };
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
