/* Files from anywhere, given to the programs as a user gives them: each is refused in one line that names the file, before
 * the memory is taken that it asks for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "framework/file.h"
#include "tests/support/mat_writer.h"
#include "tests/support/program.h"

static void put(const char *path, const void *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* A gibibyte of zeros behind `count` bytes, in about a mebibyte: gzip members, one behind the other. */
static void put_bomb(const char *path, const void *bytes, size_t count) {
    enum { MEMBER = 1 << 22, MEMBERS = 1 << 8 };
    static char member[MEMBER / 200];
    static size_t size;
    if (!size) {
        void *zeros = test_bytes(MEMBER);
        gzFile file = gzopen("zeros.gz", "wb9");
        assert_int_equal(gzwrite(file, zeros, MEMBER), MEMBER);
        assert_int_equal(gzclose(file), Z_OK);
        free(zeros);
        FILE *packed = fopen("zeros.gz", "rb");
        size = fread(member, 1, sizeof member, packed);
        fclose(packed);
    }
    gzFile first = gzopen(path, "wb1");
    assert_int_equal(gzwrite(first, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(first), Z_OK);
    FILE *file = fopen(path, "ab");
    for (int i = 0; i < MEMBERS; i++)
        assert_int_equal(fwrite(member, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* --- arrays --------------------------------------------------------------------------------------------- */

/* A .npy file of this shape, and eight bytes. */
static void put_array(const char *path, const char *type, const char *shape) {
    char bytes[256];
    int length = snprintf(bytes + 10, sizeof bytes - 10,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", type, shape);
    memcpy(bytes, "\x93NUMPY\x01", 8);
    bytes[8] = (char)length;
    bytes[9] = 0;
    memset(bytes + 10 + length, 0, 8);
    put(path, bytes, 18 + (size_t)length);
}

static void arrays(void **state) {
    (void)state;
    put_array("labels.npy", "<i8", "(1,)");
    put_array("huge.npy", "<f8", "(1152921504606846976,)");
    assert_int_equal(program_run("measure", "--features huge.npy --labels labels.npy"), 1);
    program_complained(
        "measure: huge.npy: the shape needs 9223372036854775808 bytes of elements, but the file holds 8");
    put_array("huge.npy", "<f8", "(1152921504606846976, 16)");
    assert_int_equal(program_run("measure", "--features huge.npy --labels labels.npy"), 1);
    program_complained("measure: huge.npy: the shape is larger than any memory");
    put_bomb("bomb.npy.gz", "\x93NUMPY\x01", 8);
    assert_int_equal(program_run("measure", "--features bomb.npy.gz --labels labels.npy"), 1);
    program_complained("measure: bomb.npy.gz: unpacks to more than 64 MiB and 200 times its size");
    assert_int_equal(program_run("embed", "--features bomb.npy.gz --labels labels.npy --out e --quiet"), 1);
    program_complained("embed: bomb.npy.gz: unpacks to more than 64 MiB");
}

/* --- data sets ------------------------------------------------------------------------------------------ */

static void idx(void **state) {
    (void)state;
    static const unsigned char billion[] = {0, 0, 8, 3, 0x3b, 0x9a, 0xca, 0, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 1, 3};
    assert_int_equal(mkdir("idx", 0700) + mkdir("idx/mnist", 0700), 0);
    put("idx/mnist/t10k-images-idx3-ubyte", billion, sizeof billion);
    put("idx/mnist/t10k-labels-idx1-ubyte", labels, sizeof labels);
    assert_int_equal(program_run("train", "--quiet --dataset mnist --data idx"), 1);
    program_complained(
        "t10k-images-idx3-ubyte: the header promises 784000000000 bytes of data, the file holds 2");
    put_bomb("idx/mnist/t10k-images-idx3-ubyte.gz", billion, 16);
    assert_int_equal(program_run("train", "--quiet --dataset mnist --data idx"), 1);
    program_complained("t10k-images-idx3-ubyte.gz: unpacks to more than 64 MiB");
}

static void archives(void **state) {
    (void)state;
    assert_int_equal(mkdir("tar", 0700) + mkdir("tar/cifar10", 0700), 0);
    put_bomb("tar/cifar10/cifar-10-binary.tar.gz", "", 0);
    assert_int_equal(program_run("train", "--quiet --dataset cifar10 --data tar"), 1);
    program_complained("cifar-10-binary.tar.gz: unpacks to more than 64 MiB");
}

/* X of 2^31 - 1 by 2^31 - 1, plain and packed. */
static void matrices(void **state) {
    (void)state;
    static const int32_t dims[] = {INT32_MAX, INT32_MAX}, few[] = {1, 1};
    assert_int_equal(mkdir("mat", 0700) + mkdir("mat/svhn", 0700), 0);
    for (int packed = 0; packed < 2; packed++) {
        mat_bytes file = {0}, variable = {0};
        mat_header(&file);
        mat_variable(&variable, "X", MAT_CLASS_UINT8, 2, dims, MAT_UINT8, "x", 1);
        if (packed)
            mat_packed(&file, &variable);
        else
            mat_raw(&file, variable.bytes, variable.count);
        mat_variable(&file, "y", MAT_CLASS_UINT8, 2, few, MAT_UINT8, "\1", 1);
        put("mat/svhn/train_32x32.mat", file.bytes, file.count);
        put("mat/svhn/test_32x32.mat", file.bytes, file.count);
        mat_drop(&file);
        mat_drop(&variable);
        assert_int_equal(program_run("train", "--quiet --dataset svhn --data mat"), 1);
        program_complained("test_32x32.mat: variable 'X' is damaged: its dimensions do not fit its numbers");
    }
}

/* --- settings ------------------------------------------------------------------------------------------- */

static void settings(void **state) {
    (void)state;
    put_bomb("bomb.ini", "# a preset\n", 11);
    assert_int_equal(program_run("train", "--preset bomb.ini"), 2);
    program_complained("train: bomb.ini: holds more than the 1048576 bytes expected at most");
    put("title.ini", "title = \x1b]0;x\x07\n[b]\npreset = mnist_cnn\n", 36);
    assert_int_equal(program_run("reproduce", "--study title.ini --dry-run --out r"), 2);
    program_complained("reproduce: title.ini:1: a byte of value 27: this is no text");
    put("overflow.ini", "seed = 18446744073709551617\n", 28);
    assert_int_equal(program_run("train", "--preset overflow.ini"), 2);
    program_complained("overflow.ini:1: seed: '18446744073709551617' is not a whole number between");
    put("infinite.ini", "lr = 1e999\n", 11);
    assert_int_equal(program_run("train", "--preset infinite.ini"), 2);
    program_complained("infinite.ini:1: lr: '1e999' is not a number");
}

/* --- models --------------------------------------------------------------------------------------------- */

static void put_length(uint64_t length) {
    unsigned char bytes[64] = {0};
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
    put("run/model.safetensors", bytes, sizeof bytes);
}

/* Writes over the text of a metadata key, which must be as long. */
static void put_metadata(const unsigned char *model, size_t count, const char *key, const char *value) {
    char quoted[64];
    unsigned char *copy = test_bytes(count + 1);
    memcpy(copy, model, count);
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    char *text = strstr((char *)copy + 8, quoted);
    assert_non_null(text);
    text += strlen(quoted);
    size_t length = strcspn(text, "\"");
    assert_true(strlen(value) <= length);
    memset(text, ' ', length);
    memcpy(text, value, strlen(value));
    put("run/model.safetensors", copy, count);
    free(copy);
}

static void models(void **state) {
    (void)state;
    nn_error error = {0};
    unsigned char *model;
    size_t count;
    program_data("data", "mnist");
    assert_int_equal(program_run("train",
                                 "--quiet --dataset mnist --data data --model mlp --steps 1 --batch 8 "
                                 "--eval-every 0 --run run"),
                     0);
    test_ok(nn_file_read("run/model.safetensors", 1 << 24, &model, &count, &error), &error);
    static const char *const numbers[][3] = {
        {"deviation", "nan", "its metadata 'deviation' has fewer than 1 numbers"},
        {"deviation", "0", "its metadata 'deviation' has 0, must be above 0"},
        {"deviation", "-1", "its metadata 'deviation' has -1, must be above 0"},
        {"mean", "1e999", "its metadata 'mean' has fewer than 1 numbers"},
        {"image", "1e9 8", "its metadata 'image' has fewer than 3 numbers"},
        {"image", "9 8 1", "was trained on images of 9 x 8 x 1, those of mnist are 8 x 8 x 1"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        put_metadata(model, count, numbers[i][0], numbers[i][1]);
        assert_int_equal(program_run("measure", "--run run --data data"), 1);
        program_complained("measure: run/model.safetensors");
        program_complained(numbers[i][2]);
    }
    free(model);
    put_length((uint64_t)1 << 63);
    assert_int_equal(program_run("measure", "--run run --data data"), 1);
    program_complained("run/model.safetensors: its header would end behind the file");
    put_bomb("run/model.safetensors", "{}", 2);
    assert_int_equal(program_run("measure", "--run run --data data"), 1);
    program_complained("run/model.safetensors: unpacks to more than 64 MiB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays),   cmocka_unit_test(idx),      cmocka_unit_test(archives),
        cmocka_unit_test(matrices), cmocka_unit_test(settings), cmocka_unit_test(models),
    };
    return cmocka_run_group_tests_name("hostile files", tests, program_begin, NULL);
}
