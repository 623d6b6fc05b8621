/* Every file of every fuzz target's corpus, through that target: seeds, and what once was wrong. The file at fault is the
 * last one named. */
#include "tests/support/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { LARGEST = 1 << 20, TARGETS_MAX = 64 };

/* In memory of exactly the file's size, so that a byte read too many is noticed. */
static void replay(const fuzz_target *target, const char *path) {
    printf("%s\n", path);
    fflush(stdout);
    FILE *file = fopen(path, "rb");
    unsigned char *room = malloc(LARGEST);
    assert_true(file && room);
    size_t count = fread(room, 1, LARGEST, file);
    assert_true(count < LARGEST);
    fclose(file);
    unsigned char *exact = malloc(count);
    assert_true(exact || count == 0);
    if (count)
        memcpy(exact, room, count);
    free(room);
    target->run(exact, count);
    free(exact);
}

static void corpus(void **state) {
    const fuzz_target *target = *state;
    char folder[128], path[512];
    int files = 0;
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", target->name);
    DIR *listing = opendir(folder);
    if (!listing)
        fail_msg("the target %s has no seeds: %s is missing", target->name, folder);
    for (const struct dirent *entry; (entry = readdir(listing));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay(target, path);
        files++;
    }
    closedir(listing);
    assert_true(files > 0);
}

/* What every target is called with first. */
static void nothing(void **state) {
    const fuzz_target *target = *state;
    target->run((const unsigned char *)"", 0);
}

static void parts_are_cut_as_far_as_there_is_something(void **state) {
    (void)state;
    const unsigned char bytes[] = {2, 0, 'a', 'b', 9, 0, 'c'};
    fuzz_part parts[3];
    fuzz_cut(bytes, sizeof bytes, parts, 3);
    assert_int_equal(parts[0].count, 2);
    assert_memory_equal(parts[0].bytes, "ab", 2);
    assert_int_equal(parts[1].count, 1);
    assert_memory_equal(parts[1].bytes, "c", 1);
    assert_int_equal(parts[2].count, 0);
    fuzz_cut(bytes, 1, parts, 2);
    assert_int_equal(parts[0].count, 0);
    assert_int_equal(parts[1].count, 1);
}

int main(void) {
    static struct CMUnitTest tests[2 * TARGETS_MAX + 1];
    static char names[2 * TARGETS_MAX][64];
    size_t count = 0;
    for (fuzz_target *target = fuzz_targets; target && count < 2 * TARGETS_MAX; target = target->next) {
        const CMUnitTestFunction functions[] = {corpus, nothing};
        for (size_t i = 0; i < 2; i++, count++) {
            snprintf(names[count], sizeof names[count], "%s of %s", i ? "nothing" : "corpus", target->name);
            tests[count] =
                (struct CMUnitTest){.name = names[count], .test_func = functions[i], .initial_state = target};
        }
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(parts_are_cut_as_far_as_there_is_something);
    return _cmocka_run_group_tests("corpora", tests, count, NULL, NULL);
}
