/* decode.c and picture.c on PNG and BMP files made from known pixels, and on JPEG files by libjpeg, whose decoder's pixels
 * stand below. */
#include "tests/support/picture_files.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "datasets/pictures/picture.h"
#include "framework/file.h"

enum { HEIGHT = 5, WIDTH = 7 };

static unsigned char *noise(size_t count) {
    nn_stream stream = nn_stream_named(2, "picture");
    unsigned char *pixels = malloc(count);
    assert_non_null(pixels);
    for (size_t i = 0; i < count; i++)
        pixels[i] = (unsigned char)nn_random_below(&stream, 256);
    return pixels;
}

static void expect_refusal(const unsigned char *bytes, size_t count, const char *part) {
    data_pixels pixels;
    nn_error error = {0};
    unsigned char *exact = malloc(count ? count : 1); /* so that a byte read too many is noticed */
    memcpy(exact, bytes, count);
    test_fails(data_decode(exact, count, &pixels, &error), NN_EFORMAT, &error, part);
    assert_null(pixels.values);
    free(exact);
}

static void decodes_png_and_bmp(void **state) {
    (void)state;
    nn_error error = {0};
    data_pixels pixels;
    size_t count;
    for (int channels = 1; channels <= 5; channels++) { /* 5: a BMP */
        const int stored = channels == 5 ? 3 : channels;
        const size_t size = (size_t)(HEIGHT * WIDTH * stored);
        unsigned char *values = noise(size),
                      *file = channels == 5 ? picture_bmp(HEIGHT, WIDTH, values, &count)
                                            : picture_png(HEIGHT, WIDTH, channels, values, &count);
        test_ok(data_decode_header(file, count, &pixels, &error), &error);
        assert_true(pixels.extent.height == HEIGHT && pixels.extent.width == WIDTH &&
                    pixels.channels == stored);
        test_ok(data_decode(file, count, &pixels, &error), &error);
        assert_true(pixels.extent.height == HEIGHT && pixels.extent.width == WIDTH &&
                    pixels.channels == stored);
        assert_memory_equal(pixels.values, values, size);
        data_pixels_free(&pixels);
        free(values);
        free(file);
    }
}

static unsigned char *corpus_file(const char *name, size_t *count) {
    char path[128];
    nn_error error = {0};
    unsigned char *bytes;
    snprintf(path, sizeof path, "tests/fuzz/corpus/picture/seed-%s", name);
    test_ok(nn_file_read(path, 1 << 20, &bytes, count, &error), &error);
    return bytes;
}

static void expect_near(int actual, int wanted) {
    if (abs(actual - wanted) > 3)
        fail_msg("%d, libjpeg has %d", actual, wanted);
}

static void decodes_jpeg(void **state) {
    (void)state;
    static const unsigned char gray[] = {2, 23, 53, 77, 98, 122, 152, 173, 202, 221}; /* in each of 9 rows */
    static const unsigned char color[3][4][3] = {
        /* every fourth row, every third column */
        {{3, 0, 5}, {31, 2, 58}, {75, 3, 141}, {101, 4, 195}},
        {{61, 103, 17}, {91, 107, 70}, {134, 108, 153}, {161, 109, 207}},
        {{116, 217, 19}, {145, 221, 71}, {189, 221, 154}, {215, 223, 208}}};
    nn_error error = {0};
    data_pixels baseline, progressive, single;
    size_t count;
    unsigned char *file = corpus_file("jpeg-gray", &count);
    test_ok(data_decode(file, count, &single, &error), &error);
    free(file);
    file = corpus_file("jpeg-baseline", &count);
    test_ok(data_decode(file, count, &baseline, &error), &error);
    free(file);
    file = corpus_file("jpeg-progressive", &count);
    test_ok(data_decode(file, count, &progressive, &error), &error);
    free(file);
    assert_true(single.channels == 1 && single.extent.height == 9 && single.extent.width == 10);
    assert_true(baseline.channels == 3 && baseline.extent.height == 9 && baseline.extent.width == 10);
    for (int i = 0; i < 90; i++)
        expect_near(single.values[i], gray[i % 10]);
    for (int i = 0; i < 36; i++)
        expect_near(baseline.values[((i / 12 * 4) * 10 + i / 3 % 4 * 3) * 3 + i % 3],
                    color[i / 12][i / 3 % 4][i % 3]);
    assert_memory_equal(baseline.values, progressive.values,
                        9 * 10 * 3); /* the same numbers, sent in another order */
    data_pixels_free(&single);
    data_pixels_free(&baseline);
    data_pixels_free(&progressive);
}

/* Every seed of the fuzz target but the one that claims too much, whichever depth or coding it has. */
static void decodes_other_codings(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int height, width, channels;
    } files[] = {{"png-bits", 2, 9, 1}, {"png-rgb16", 2, 3, 3},      {"png-palette", 2, 3, 4},
                 {"png-key", 2, 3, 4},  {"png-interlaced", 5, 5, 4}, {"bmp-top-down", 2, 3, 3},
                 {"bmp-32", 2, 3, 4},   {"bmp-masks", 2, 3, 3},      {"bmp-palette", 2, 3, 3},
                 {"bmp-bits", 2, 9, 3}, {"bmp-old", 2, 3, 3},        {"jpeg-restarts", 27, 30, 3}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        nn_error error = {0};
        data_pixels pixels;
        size_t count;
        unsigned char *file = corpus_file(files[i].name, &count);
        test_ok(data_decode(file, count, &pixels, &error), &error);
        assert_int_equal(pixels.extent.height, files[i].height);
        assert_int_equal(pixels.extent.width, files[i].width);
        assert_int_equal(pixels.channels, files[i].channels);
        if (strcmp(files[i].name, "png-rgb16") ==
            0) /* the upper byte; what is stored are the multiples of 11 */
            for (int k = 0; k < 9; k++)
                assert_int_equal(pixels.values[k], 2 * k * 11 % 256);
        data_pixels_free(&pixels);
        free(file);
    }
}

static void lays_on_white(void **state) {
    (void)state;
    nn_error error = {0};
    unsigned char values[256 * 4], image[256 * 3], gray[256 * 2];
    size_t count;
    for (int a = 0; a < 256; a++) {
        const unsigned char pixel[4] = {10, 100, 250, (unsigned char)a};
        memcpy(values + 4 * a, pixel, 4);
        memcpy(gray + 2 * a, pixel + 2, 2);
    }
    unsigned char *png = picture_png(16, 16, 4, values, &count);
    test_ok(data_picture_make(png, count, (data_extent){16, 16}, 3, image, &error), &error);
    free(png);
    for (int a = 0; a < 256; a++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(image[3 * a + c],
                             (int)(values[4 * a + c] * (a / 255.0) + 255 * (1 - a / 255.0) + 0.5 - 1e-9));
    png = picture_png(16, 16, 2, gray, &count);
    test_ok(data_picture_make(png, count, (data_extent){16, 16}, 1, image, &error), &error);
    free(png);
    for (int a = 0; a < 256; a++)
        assert_int_equal(image[a], (int)(250 * (a / 255.0) + 255 * (1 - a / 255.0) + 0.5 - 1e-9));
}

static void changes_channels(void **state) {
    (void)state;
    nn_error error = {0};
    unsigned char *color = noise(64 * 3), *gray = noise(64), image[64 * 3];
    size_t count;
    unsigned char *png = picture_png(8, 8, 3, color, &count);
    test_ok(data_picture_make(png, count, (data_extent){8, 8}, 1, image, &error), &error);
    free(png);
    for (int i = 0; i < 64; i++) {
        const double wanted = 0.299 * color[3 * i] + 0.587 * color[3 * i + 1] + 0.114 * color[3 * i + 2];
        assert_true(image[i] >= wanted - 0.5 - 1e-9 && image[i] <= wanted + 0.5 + 1e-9);
    }
    png = picture_png(8, 8, 1, gray, &count);
    test_ok(data_picture_make(png, count, (data_extent){8, 8}, 3, image, &error), &error);
    free(png);
    for (int i = 0; i < 64 * 3; i++)
        assert_int_equal(image[i], gray[i / 3]);
    /* Resized, too. */
    png = picture_png(8, 8, 1, gray, &count);
    test_ok(data_picture_make(png, count, (data_extent){1, 1}, 3, image, &error), &error);
    int sum = 0;
    for (int i = 0; i < 64; i++)
        sum += gray[i];
    for (int c = 0; c < 3; c++)
        assert_int_equal(image[c], (sum + 32) / 64);
    free(png);
    free(color);
    free(gray);
}

/* Whole PNG and BMP files are refused with any byte missing; a JPEG without its end. */
static void refuses_cut_files(void **state) {
    (void)state;
    unsigned char *values = noise(HEIGHT * WIDTH * 3);
    size_t count;
    unsigned char *png = picture_png(HEIGHT, WIDTH, 3, values, &count);
    for (size_t cut = 0; cut < count; cut++)
        expect_refusal(png, cut, "");
    unsigned char *bmp = picture_bmp(HEIGHT, WIDTH, values, &count);
    const size_t padding = (4 - WIDTH * 3 % 4) % 4; /* of the last row, which nobody misses */
    for (size_t cut = 0; cut < count - padding; cut++)
        expect_refusal(bmp, cut, "BMP");
    unsigned char *jpeg = corpus_file("jpeg-baseline", &count);
    for (size_t cut = 0; cut < count - 2; cut++)
        expect_refusal(jpeg, cut, "JPEG");
    free(values);
    free(png);
    free(bmp);
    free(jpeg);
}

static void refuses_flipped_bits(void **state) {
    (void)state;
    unsigned char *values = noise(HEIGHT * WIDTH * 3);
    size_t count;
    unsigned char *png = picture_png(HEIGHT, WIDTH, 3, values, &count);
    for (size_t bit = 0; bit < 8 * count; bit += 3) {
        png[bit / 8] ^= (unsigned char)(1 << bit % 8);
        expect_refusal(png, count, "");
        png[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(values);
    free(png);
}

/* 31,623 x 31,623, more than 10^9 pixels, in the header: refused by that, with the size where stb_image gets so far. */
static void refuses_claims_of_size(void **state) {
    (void)state;
    unsigned char *values = noise(HEIGHT * WIDTH * 3);
    size_t count;
    unsigned char *png = picture_png(HEIGHT, WIDTH, 3, values, &count);
    const unsigned char side[4] = {0, 0, 0x7b, 0x87};
    memcpy(png + 16, side, 4);
    memcpy(png + 20, side, 4);
    expect_refusal(png, count, "claims too many pixels");
    unsigned char *bmp = picture_bmp(HEIGHT, WIDTH, values, &count);
    bmp[18] = bmp[22] = 0x87;
    bmp[19] = bmp[23] = 0x7b;
    expect_refusal(bmp, count, "claims to have 31623 x 31623 pixels");
    unsigned char *jpeg = corpus_file("jpeg-baseline", &count);
    for (size_t i = 0; i + 9 < count; i++)
        if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
            jpeg[i + 5] = jpeg[i + 7] = 0x4e;
            jpeg[i + 6] = jpeg[i + 8] = 0x20;
        }
    expect_refusal(jpeg, count, "claims to have 20000 x 20000 pixels");
    free(values);
    free(png);
    free(bmp);
    free(jpeg);
}

/* One pixel, and compressed data that would unpack to 64 MiB. */
static void stops_a_bomb_in_a_png(void **state) {
    (void)state;
    enum { SIZE = 1 << 26 };
    unsigned char pixel = 7, *zeros = calloc(SIZE, 1), *packed = malloc(1 << 17);
    uLongf packed_count = 1 << 17;
    size_t count;
    assert_true(zeros && packed);
    assert_int_equal(compress2(packed, &packed_count, zeros, SIZE, 9), Z_OK);
    free(zeros);
    unsigned char *png = picture_png(1, 1, 1, &pixel, &count), *bomb = calloc(count + packed_count, 1);
    const size_t at = 33; /* behind the header */
    memcpy(bomb, png, at);
    for (int i = 0; i < 4; i++)
        bomb[at + (size_t)i] = (unsigned char)(packed_count >> (24 - 8 * i));
    memcpy(bomb + at + 4, "IDAT", 4);
    memcpy(bomb + at + 8, packed, packed_count);
    const unsigned long sum = crc32(0, bomb + at + 4, (uInt)packed_count + 4);
    for (int i = 0; i < 4; i++)
        bomb[at + 8 + packed_count + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
    memcpy(bomb + at + 12 + packed_count, png + count - 12, 12);
    expect_refusal(bomb, at + 24 + packed_count, "cannot be decoded (outofmem)");
    free(packed);
    free(png);
    free(bomb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_png_and_bmp),   cmocka_unit_test(decodes_jpeg),
        cmocka_unit_test(decodes_other_codings), cmocka_unit_test(lays_on_white),
        cmocka_unit_test(changes_channels),      cmocka_unit_test(refuses_cut_files),
        cmocka_unit_test(refuses_flipped_bits),  cmocka_unit_test(refuses_claims_of_size),
        cmocka_unit_test(stops_a_bomb_in_a_png),
    };
    return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
