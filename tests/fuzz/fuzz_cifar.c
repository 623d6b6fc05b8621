/* CIFAR-10's six files and its class names, in the folder and in the archive: small inputs stand for the large files.
 *
 * The parts of an input are the names, which are no file where they are empty, and the six files in a short form: two bytes,
 * the records and the bytes behind the last of them, then the records' labels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/datasets.h"
#include "fuzz.h"

enum { FILES = 6, RECORD = 3073, RECORDS_MAX = 4, BLOCK = 512, NAME = 100 };
enum { FILE_MOST = (RECORDS_MAX + 1) * RECORD, ARCHIVE_MOST = (FILES + 1) * (FILE_MOST + 3 * BLOCK) + 1 };

static const char *const names[FILES] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

/* A file from its short form: how many bytes it has. */
static size_t expand(fuzz_part part, unsigned char *file) {
    const size_t records = part.count > 0 ? part.bytes[0] % (RECORDS_MAX + 1) : 0,
                 rest = part.count > 1 ? part.bytes[1] : 0;
    memset(file, 7, FILE_MOST);
    for (size_t r = 0; r < records; r++)
        file[r * RECORD] = r + 2 < part.count ? part.bytes[r + 2] : 0;
    return records * RECORD + rest;
}

/* Appends a member to an archive of zeros. */
static size_t add_member(unsigned char *archive, size_t place, const char *name, const void *bytes,
                         size_t count) {
    char *header = (char *)archive + place;
    unsigned sum = 0;
    snprintf(header, NAME, "cifar-10-batches-bin/%s", name);
    snprintf(header + 124, 12, "%011zo", count);
    header[156] = '0';
    memset(header + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    memcpy(header + BLOCK, bytes, count);
    return place + BLOCK + (count + BLOCK - 1) / BLOCK * BLOCK;
}

static nn_status load(const char *root, data_set *set) {
    nn_error error = {0};
    nn_status status = data_load(set, "cifar10", root, 0, 0, &error);
    fuzz_require_reason(status, &error, "cifar");
    if (status != NN_OK)
        return status;
    fuzz_require(set->train.count == 5 * set->test.count && set->test.count > 0, "six files are alike");
    for (int i = 0; i < set->train.count; i++)
        fuzz_require(set->train.labels[i] < set->classes, "labels are below the number of classes");
    fuzz_read(set->train.pixels, (size_t)set->train.count * (RECORD - 1));
    return NN_OK;
}

FUZZ_TARGET(cifar) {
    static unsigned char file[FILE_MOST], archive[ARCHIVE_MOST];
    fuzz_part parts[FILES + 1];
    data_set folder, packed;
    char path[128];
    fuzz_cut(bytes, count, parts, FILES + 1);
    memset(archive, 0, sizeof archive);
    size_t text = parts[0].count < FILE_MOST ? parts[0].count : FILE_MOST, place = 0;
    fuzz_no_file("a/cifar10/cifar-10-batches-bin/batches.meta.txt");
    if (text > 0) {
        fuzz_file("a/cifar10/cifar-10-batches-bin/batches.meta.txt", parts[0].bytes, text);
        place = add_member(archive, 0, "batches.meta.txt", parts[0].bytes, text);
    }
    for (int i = 0; i < FILES; i++) {
        const size_t size = expand(parts[i + 1], file);
        snprintf(path, sizeof path, "a/cifar10/cifar-10-batches-bin/%s", names[i]);
        fuzz_file(path, file, size);
        place = add_member(archive, place, names[i], file, size);
    }
    fuzz_file("b/cifar10/cifar-10-binary.tar.gz", archive, place + 2 * BLOCK);
    nn_status status = load(fuzz_path("a"), &folder);
    fuzz_require(load(fuzz_path("b"), &packed) == status, "folder and archive are read alike");
    if (status == NN_OK)
        fuzz_require(folder.checksum == packed.checksum, "folder and archive hold the same");
    data_free(&folder);
    data_free(&packed);
}
