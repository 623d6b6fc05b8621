/* Data sets of every format are read, and batches made of them, as allocations fail. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "datasets/datasets.h"
#include "tests/support/out_of_memory/out_of_memory.h"
#include "tests/support/program.h"

enum { CIFAR_FILES = 6, CIFAR_RECORD = 3073 };

typedef struct subject {
    const char *name, *root;
    int train_limit, test_limit;
} subject;

static nn_status load(void *context, uint64_t *hash, nn_error *error) {
    const subject *s = context;
    data_set set;
    nn_status status = data_load(&set, s->name, s->root, s->train_limit, s->test_limit, error);
    if (status == NN_OK) {
        *hash = nn_hash(*hash, &set.checksum, sizeof set.checksum);
        *hash = nn_hash(*hash, set.mean, sizeof set.mean);
        data_free(&set);
    }
    return status;
}

static void try_load(const char *what, const char *name, const char *root) {
    subject s = {.name = name, .root = root, .train_limit = 5, .test_limit = 1};
    memory_try((memory_trial){.name = what, .operation = load, .context = &s});
}

static const char *folder(const char *name) {
    const char *path = test_path(name);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

static void run(const char *format, const char *a, const char *b) {
    char command[1024];
    snprintf(command, sizeof command, format, a, b);
    assert_int_equal(system(command), 0);
}

static void test_idx(void **state) {
    (void)state;
    char plain[256], packed[256];
    snprintf(plain, sizeof plain, "%s", test_path("plain"));
    snprintf(packed, sizeof packed, "%s", test_path("packed"));
    program_data(plain, "mnist");
    program_data(packed, "notmnist");
    run("gzip %s/notmnist/*%s", packed, "");
    try_load("idx: load", "mnist", plain);
    try_load("idx: load gzip", "notmnist", packed);
}

static void put_cifar(const char *root) {
    static const char *const names[CIFAR_FILES] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                                   "data_batch_4", "data_batch_5", "test_batch"};
    unsigned char record[CIFAR_RECORD] = {7};
    for (int i = 0; i < CIFAR_FILES; i++) {
        char path[512];
        record[1] = (unsigned char)i;
        snprintf(path, sizeof path, "%s/cifar10/cifar-10-batches-bin/%s.bin", root, names[i]);
        FILE *file = fopen(path, "wb");
        assert_true(file && fwrite(record, 1, sizeof record, file) == sizeof record && fclose(file) == 0);
    }
    run("printf 'a\\nb\\nc\\nd\\ne\\nf\\ng\\nh\\ni\\nj\\n' > "
        "%s/cifar10/cifar-10-batches-bin/batches.meta.txt%s",
        root, "");
}

static void test_cifar(void **state) {
    (void)state;
    char files[256], archive[256];
    snprintf(files, sizeof files, "%s", folder("files"));
    snprintf(archive, sizeof archive, "%s", folder("archive"));
    run("mkdir -p %s/cifar10/cifar-10-batches-bin %s/cifar10", files, archive);
    put_cifar(files);
    run("tar -C %s/cifar10 -czf %s/cifar10/cifar-10-binary.tar.gz cifar-10-batches-bin", files, archive);
    try_load("cifar: load folder", "cifar10", files);
    try_load("cifar: load archive", "cifar10", archive);
}

static void test_mat(void **state) {
    (void)state;
    char root[256];
    snprintf(root, sizeof root, "%s", folder("svhn-root"));
    run("mkdir %s/svhn%s", root, "");
    run("cp tests/golden/mat/svhn-packed-uint8.mat %s/svhn/%s", root, "train_32x32.mat");
    run("cp tests/golden/mat/svhn-plain-double.mat %s/svhn/%s", root, "test_32x32.mat");
    try_load("mat: load packed and plain", "svhn", root);
}

static void test_shapes(void **state) {
    (void)state;
    subject s = {.name = "shapes"};
    memory_try((memory_trial){.name = "shapes: draw", .operation = load, .context = &s});
}

/* --- batches ---------------------------------------------------------------------------------------------- */

typedef struct batches {
    const data_set *set;
    data_batch_options options;
} batches;

static nn_status take_batches(void *context, uint64_t *hash, nn_error *error) {
    const batches *b = context;
    data_loader *loader;
    nn_status status = data_loader_new(&loader, b->set, &b->set->test, b->options, error);
    for (int i = 0; i < 3 && status == NN_OK; i++) {
        const data_batch *batch = data_loader_next(loader);
        *hash = nn_hash(*hash, batch->indices, (size_t)b->options.batch * sizeof *batch->indices);
    }
    data_loader_free(loader);
    return status;
}

static void test_loader(void **state) {
    (void)state;
    data_set set;
    nn_error error = {0};
    test_ok(data_load(&set, "mnist", test_path("plain"), 0, 0, &error), &error);
    batches b = {.set = &set, .options = {.batch = 4, .shuffle = true, .augment = true}};
    memory_try(
        (memory_trial){.name = "loader: shuffled, augmented", .operation = take_batches, .context = &b});
    b.options = (data_batch_options){.batch = 4, .balanced = true, .drop_partial = true};
    memory_try((memory_trial){.name = "loader: balanced", .operation = take_batches, .context = &b});
    data_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_idx), cmocka_unit_test(test_cifar),
                                       cmocka_unit_test(test_mat), cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(test_loader)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
