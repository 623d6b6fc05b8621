#define _GNU_SOURCE /* memmem */
/* Checkpoints: a training that goes on from one comes to the same bits, and no damaged file is taken for a whole one. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/small_network.h"

enum { ROWS = 4, BEFORE = 3, STEPS = 7 };

static const nn_optimizer_options optimizers[] = {{.kind = NN_SGD, .momentum = 0.9f, .weight_decay = 0.01f},
                                                  {.kind = NN_ADAM}};

/* A network with running statistics, dropout and a learned temperature, under training. */
typedef struct training {
    small_network *network;
    nn_optimizer optimizer;
} training;

static training begin(nn_optimizer_options options) {
    static const int32_t labels[ROWS] = {0, 1, 0, 1};
    training t;
    small_network_begin((void **)&t.network);
    small_network *f = t.network;
    nn_snnl_options learned = {.mode = NN_TEMPERATURE_LEARNED, .temperature = 3};
    f->loss = nn_add(f->loss, nn_scale(nn_snnl(f->logits, f->labels, "snnl", learned), -0.5f));
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    memcpy(nn_plan_labels(f->plan, f->labels), labels, sizeof labels);
    test_ok(nn_optimizer_begin(&t.optimizer, &f->store, options, &f->error), &f->error);
    return t;
}

static void end(training *t) {
    nn_optimizer_free(&t->optimizer);
    small_network_end((void **)&t->network);
}

static void train(training *t, int first, int last) {
    for (int step = first; step < last; step++) {
        test_ok(small_network_step(t->network, (nn_run){.rows = ROWS, .step = (uint64_t)step}),
                &t->network->error);
        nn_optimizer_step(&t->optimizer, 0.05f);
    }
}

static void expect_same(const training *a, const training *b) {
    const nn_store *x = &a->network->store, *y = &b->network->store;
    const size_t bytes = x->parameter_count * sizeof(float);
    test_same_bits("parameters", x->parameters, y->parameters, bytes);
    test_same_bits("statistics", x->statistics, y->statistics, x->statistic_count * sizeof(float));
    test_same_bits("first", a->optimizer.first, b->optimizer.first, bytes);
    if (a->optimizer.second)
        test_same_bits("second", a->optimizer.second, b->optimizer.second, bytes);
    assert_true(a->optimizer.steps == b->optimizer.steps);
}

static const nn_metadata texts[] = {{"place", "step 3"}, {0}};

static nn_status restore(training *t, const char *path, nn_error *error) {
    nn_safetensors *file;
    nn_status status = nn_checkpoint_open(&file, path, error);
    if (status == NN_OK)
        status = nn_checkpoint_restore(file, &t->optimizer, error);
    nn_safetensors_close(file);
    return status;
}

static void a_training_goes_on_to_the_same_bits(void **state) {
    (void)state;
    const char *path = test_path("good.safetensors");
    for (int k = 0; k < 2; k++) {
        nn_error error = {0};
        training whole = begin(optimizers[k]), half = begin(optimizers[k]), rest = begin(optimizers[k]);
        train(&whole, 0, STEPS);
        train(&half, 0, BEFORE);
        train(&rest, 40, 42); /* to be elsewhere */
        test_ok(nn_checkpoint_save(&half.optimizer, texts, path, &error), &error);
        test_ok(restore(&rest, path, &error), &error);
        expect_same(&half, &rest);
        train(&rest, BEFORE, STEPS);
        expect_same(&whole, &rest);
        const nn_entry *log_t = nn_store_find(&whole.network->store, "snnl.log_t");
        assert_true(log_t && log_t->internal && *nn_store_values(&whole.network->store, log_t) != 0);
        end(&whole), end(&half), end(&rest);
    }
}

static void metadata_and_checksum_are_the_formats(void **state) {
    (void)state;
    nn_error error = {0};
    nn_safetensors *file;
    size_t count;
    unsigned char *bytes;
    training t = begin(optimizers[1]);
    train(&t, 0, BEFORE);
    const char *path = test_path("good.safetensors");
    test_ok(nn_checkpoint_save(&t.optimizer, texts, path, &error), &error);
    test_ok(nn_checkpoint_open(&file, path, &error), &error);
    assert_string_equal(nn_safetensors_text(file, "place"), "step 3");
    assert_string_equal(nn_safetensors_text(file, "optimizer.steps"), "3");
    assert_null(nn_safetensors_text(file, "absent"));

    /* FNV-1a, as published, of all bytes with the sixteen digits as zeros */
    test_ok(nn_file_read(path, 1 << 20, &bytes, &count, &error), &error);
    const char *said = nn_safetensors_text(file, "checksum");
    unsigned char *digits = memmem(bytes, count, said, 16);
    assert_non_null(digits);
    memset(digits, '0', 16);
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    assert_true(hash == strtoull(said, NULL, 16));
    free(bytes);
    nn_safetensors_close(file);
    end(&t);
}

/* --- damage --------------------------------------------------------------------------------------------- */

static void expect_refused(training *t, const training *untouched, const char *path, const char *what) {
    nn_error error = {0};
    nn_status status = restore(t, path, &error);
    if (status != NN_EFORMAT || !error.message[0])
        fail_msg("%s: status %d, '%s'", what, status, error.message);
    expect_same(t, untouched);
}

/* With the bits of one byte inverted. */
static void expect_flip_refused(training *t, const training *untouched, int file, const char *path,
                                size_t place, int bits) {
    char what[64];
    unsigned char byte, other;
    assert_true(pread(file, &byte, 1, (off_t)place) == 1);
    other = (unsigned char)(byte ^ bits);
    assert_true(pwrite(file, &other, 1, (off_t)place) == 1);
    snprintf(what, sizeof what, "byte %zu, bits %d", place, bits);
    expect_refused(t, untouched, path, what);
    assert_true(pwrite(file, &byte, 1, (off_t)place) == 1);
}

static void no_damage_passes(void **state) {
    (void)state;
    nn_error error = {0};
    training t = begin(optimizers[0]), untouched = begin(optimizers[0]);
    const char *path = test_path("damaged.safetensors");
    test_ok(nn_checkpoint_save(&t.optimizer, texts, path, &error), &error);
    int file = open(path, O_RDWR);
    const size_t count = (size_t)lseek(file, 0, SEEK_END);
    for (size_t i = 0; i < count;
         i++) /* one bit of each byte, in turn another one: also the case of letters */
        expect_flip_refused(&t, &untouched, file, path, i, 1 << (i * 5 + 7) % 8);
    for (size_t i = 0; i < 64; i++) /* the lengths and the checksum */
        for (int bit = 1; bit < 256; bit *= 2)
            expect_flip_refused(&t, &untouched, file, path, i, bit);
    test_ok(restore(&t, path, &error), &error);

    char zeros[256] = {0}; /* as after a power failure */
    assert_true(pwrite(file, zeros, sizeof zeros, (off_t)(count - sizeof zeros)) == sizeof zeros);
    expect_refused(&t, &untouched, path, "zeros at the end");
    for (size_t size = count; size > 0; size -= size > 300 && size < count - 20 ? 37 : 1) {
        char what[64];
        assert_int_equal(ftruncate(file, (off_t)size - 1), 0);
        snprintf(what, sizeof what, "the first %zu of %zu bytes", size - 1, count);
        expect_refused(&t, &untouched, path, what);
    }
    close(file);
    end(&t), end(&untouched);
}

static void other_files_are_refused(void **state) {
    (void)state;
    nn_error error = {0};
    nn_safetensors *file;
    training sgd = begin(optimizers[0]), adam = begin(optimizers[1]);
    const char *path = test_path("sgd.safetensors");
    test_ok(nn_checkpoint_save(&sgd.optimizer, texts, path, &error), &error);
    test_fails(restore(&adam, path, &error), NN_EFORMAT, &error, "has no tensor 'optimizer.second.");
    path = test_path("adam.safetensors");
    test_ok(nn_checkpoint_save(&adam.optimizer, texts, path, &error), &error);
    test_fails(restore(&sgd, path, &error), NN_EFORMAT, &error, "no place for its tensor 'optimizer.second.");

    path = test_path("model.safetensors");
    test_ok(nn_safetensors_save(&sgd.network->store, NULL, path, &error), &error);
    test_fails(nn_checkpoint_open(&file, path, &error), NN_EFORMAT, &error, "it has no checksum");
    nn_safetensors_close(file);
    test_ok(nn_safetensors_write(NULL, 0, texts, true, path, &error), &error);
    test_fails(nn_checkpoint_open(&file, path, &error), NN_EFORMAT, &error, "form");
    nn_safetensors_close(file);
    nn_metadata steps[] = {{"checkpoint", "1"}, {"optimizer.steps", "-1"}, {0}};
    test_ok(nn_safetensors_write(NULL, 0, steps, true, path, &error), &error);
    test_fails(restore(&sgd, path, &error), NN_EFORMAT, &error, "'optimizer.steps' is no whole number");
    steps[0].value = "2";
    test_ok(nn_safetensors_write(NULL, 0, steps, true, path, &error), &error);
    test_fails(restore(&sgd, path, &error), NN_EFORMAT, &error, "its form is 2, this program reads form 1");
    test_fails(restore(&sgd, test_path("absent"), &error), NN_EFILE, &error, "absent");
    end(&sgd), end(&adam);
}

/* A checkpoint from which nothing can go on does not take the place of one from which it can. */
static void what_is_not_finite_is_not_saved(void **state) {
    (void)state;
    nn_error error = {0};
    training t = begin(optimizers[1]);
    const char *path = test_file("kept", "x", 1);
    float *const places[] = {t.network->store.parameters, t.network->store.statistics, t.optimizer.first,
                             t.optimizer.second};
    for (int i = 0; i < 4; i++) {
        float before = places[i][1];
        places[i][1] = i % 2 ? INFINITY : NAN;
        test_fails(nn_checkpoint_save(&t.optimizer, texts, path, &error), NN_ENUMERIC, &error,
                   "has values that are NaN or infinite");
        places[i][1] = before;
        unsigned char *bytes;
        size_t count;
        test_ok(nn_file_read(path, 100, &bytes, &count, &error), &error);
        assert_int_equal(count, 1);
        free(bytes);
    }
    end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_training_goes_on_to_the_same_bits),
        cmocka_unit_test(metadata_and_checksum_are_the_formats),
        cmocka_unit_test(no_damage_passes),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(what_is_not_finite_is_not_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
