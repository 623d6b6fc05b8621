#define _GNU_SOURCE /* newlocale */
#include "picture_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* --- pictures ------------------------------------------------------------------------------------------- */

static void put_big_endian(unsigned char *to, size_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* Length, name, content, checksum of both. */
static size_t put_chunk(unsigned char *to, const char *name, const void *content, size_t count) {
    put_big_endian(to, count);
    memcpy(to + 4, name, 4);
    if (count)
        memcpy(to + 8, content, count);
    put_big_endian(to + 8 + count, crc32(0, to + 4, (uInt)(count + 4)));
    return count + 12;
}

unsigned char *picture_png(int height, int width, int channels, const unsigned char *pixels, size_t *count) {
    static const unsigned char start[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                               kinds[] = {0, 0, 4, 2, 6};
    const size_t line = (size_t)width * (size_t)channels, size = (line + 1) * (size_t)height;
    unsigned char header[13] = {0}, *lines = calloc(size, 1), *packed, *png;
    uLongf packed_count = compressBound(size);
    put_big_endian(header, (size_t)width);
    put_big_endian(header + 4, (size_t)height);
    header[8] = 8;
    header[9] = kinds[channels];
    packed = malloc(packed_count);
    png = malloc(packed_count + 100);
    assert_true(lines && packed && png);
    for (int y = 0; y < height; y++)
        memcpy(lines + (size_t)y * (line + 1) + 1, pixels + (size_t)y * line, line);
    assert_int_equal(compress(packed, &packed_count, lines, size), Z_OK);
    memcpy(png, start, sizeof start);
    *count = sizeof start;
    *count += put_chunk(png + *count, "IHDR", header, sizeof header);
    *count += put_chunk(png + *count, "IDAT", packed, packed_count);
    *count += put_chunk(png + *count, "IEND", NULL, 0);
    free(lines);
    free(packed);
    return png;
}

static void put_little_endian(unsigned char *to, size_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

unsigned char *picture_bmp(int height, int width, const unsigned char *pixels, size_t *count) {
    enum { START = 54 };
    const size_t line = ((size_t)width * 3 + 3) / 4 * 4;
    *count = START + line * (size_t)height;
    unsigned char *bmp = calloc(*count, 1);
    assert_non_null(bmp);
    memcpy(bmp, "BM", 2);
    put_little_endian(bmp + 2, *count);
    put_little_endian(bmp + 10, START);
    put_little_endian(bmp + 14, 40);
    put_little_endian(bmp + 18, (size_t)width);
    put_little_endian(bmp + 22, (size_t)height);
    bmp[26] = 1;
    bmp[28] = 24;
    for (int y = 0; y < height; y++) /* the lowest row comes first, blue first */
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                bmp[START + (size_t)(height - 1 - y) * line + (size_t)x * 3 + (size_t)c] =
                    pixels[(y * width + x) * 3 + 2 - c];
    return bmp;
}

unsigned char *picture_plain(int height, int width, int red, int green, int blue, size_t *count) {
    unsigned char *pixels = malloc((size_t)height * (size_t)width * 3);
    assert_non_null(pixels);
    for (int i = 0; i < height * width; i++) {
        pixels[3 * i] = (unsigned char)red;
        pixels[3 * i + 1] = (unsigned char)green;
        pixels[3 * i + 2] = (unsigned char)blue;
    }
    unsigned char *png = picture_png(height, width, 3, pixels, count);
    free(pixels);
    return png;
}

/* --- lists ---------------------------------------------------------------------------------------------- */

static picture_file *add(picture_list *list, picture_kind kind, const char *path, size_t count) {
    assert_true(list->count < (int)(sizeof list->files / sizeof *list->files));
    picture_file *file = &list->files[list->count++];
    *file = (picture_file){.kind = kind, .bytes = calloc(count + 1, 1), .count = count};
    assert_non_null(file->bytes);
    snprintf(file->path, sizeof file->path, "%s", path);
    return file;
}

void picture_add(picture_list *list, const char *path, const void *bytes, size_t count) {
    picture_file *file = add(list, PICTURE_FILE, path, count);
    memcpy(file->bytes, bytes, count);
}

void picture_add_kind(picture_list *list, picture_kind kind, const char *path, const char *target) {
    memcpy(add(list, kind, path, strlen(target))->bytes, target, strlen(target));
}

void picture_add_class(picture_list *list, const char *folder, int class, int count) {
    char path[160];
    size_t size;
    for (int i = 0; i < count; i++) {
        unsigned char *png = picture_plain(6, 6, 40 * class + i % 40, 200 - 50 * class, i % 251, &size);
        snprintf(path, sizeof path, "%s/%03d.png", folder, i);
        picture_add(list, path, png, size);
        free(png);
    }
}

void picture_list_free(picture_list *list) {
    for (int i = 0; i < list->count; i++)
        free(list->files[i].bytes);
    list->count = 0;
}

/* --- folders and archives ------------------------------------------------------------------------------- */

static void make_folders_of(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
}

static void write_file(const char *root, const picture_file *file) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, file->path);
    make_folders_of(path);
    if (file->kind == PICTURE_FOLDER) {
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    } else if (file->kind == PICTURE_PIPE) {
        assert_int_equal(mkfifo(path, 0600), 0);
    } else if (file->kind != PICTURE_FILE) {
        assert_int_equal(symlink((const char *)file->bytes, path), 0);
    } else {
        FILE *stream = fopen(path, "wb");
        assert_non_null(stream);
        assert_int_equal(fwrite(file->bytes, 1, file->count, stream), file->count);
        assert_int_equal(fclose(stream), 0);
    }
}

const char *picture_folder(const char *name, const picture_list *list) {
    const char *root = test_path(name);
    assert_int_equal(mkdir(root, 0700), 0);
    for (int i = 0; i < list->count; i++)
        write_file(root, &list->files[i]);
    return root;
}

static void write_member(struct archive *archive, const picture_file *file) {
    static const unsigned types[] = {AE_IFREG, AE_IFDIR, AE_IFLNK, AE_IFREG, AE_IFIFO};
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, file->path);
    archive_entry_set_filetype(entry, types[file->kind]);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, file->kind == PICTURE_FILE ? (la_int64_t)file->count : 0);
    if (file->kind == PICTURE_SYMLINK)
        archive_entry_set_symlink(entry, (const char *)file->bytes);
    if (file->kind == PICTURE_HARDLINK)
        archive_entry_set_hardlink(entry, (const char *)file->bytes);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (file->kind == PICTURE_FILE)
        assert_int_equal(archive_write_data(archive, file->bytes, file->count), file->count);
    archive_entry_free(entry);
}

const char *picture_archive(const char *name, const picture_list *list) {
    const char *path = test_path(name);
    /* In the C locale libarchive writes no names but in ASCII. */
    locale_t names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(names);
    struct archive *archive = archive_write_new();
    assert_non_null(archive);
    if (strstr(name, ".zip"))
        archive_write_set_format_zip(archive);
    else
        archive_write_set_format_pax_restricted(archive);
    if (strstr(name, "gz"))
        archive_write_add_filter_gzip(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (int i = 0; i < list->count; i++)
        write_member(archive, &list->files[i]);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    uselocale(before);
    freelocale(names);
    return path;
}
