/* The members of an archive, tar, gzip'd tar or zip, as it is and, of a tar, with every header's checksum put right. */
#include "datasets/archive.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { BLOCK = 512, CHECKSUM = 148, CHECKSUM_BYTES = 8, SIZE = 124, SIZE_BYTES = 11, MEMBER_MOST = 1 << 20 };

static const size_t limit = (size_t)1 << 24;

static nn_status walk_members(data_archive *archive, size_t bytes, nn_error *error) {
    data_member member;
    nn_status status = NN_OK;
    bool end = false;
    for (size_t i = 0; status == NN_OK; i++) {
        fuzz_require(i <= bytes, "the walk ends");
        status = data_archive_next(archive, &member, &end, error);
        if (status != NN_OK || end)
            break;
        fuzz_require(memchr(member.path, '\0', sizeof member.path) != NULL, "a path ends");
        unsigned char *content;
        size_t count;
        if (member.kind != DATA_MEMBER_FILE || i % 4 == 3)
            continue;
        status = data_archive_read(archive, MEMBER_MOST, &content, &count, error);
        fuzz_require(count <= MEMBER_MOST && (content || count == 0), "a member keeps its limit");
        fuzz_require(status == NN_OK || !content, "a failure gives nothing");
        fuzz_read(content, count);
        free(content);
    }
    return status;
}

static void walk(const unsigned char *bytes, size_t count) {
    nn_error error = {0};
    data_archive *archive;
    nn_status status = data_archive_open(&archive, fuzz_file("archive", bytes, count), limit, &error);
    fuzz_require((status == NN_OK) == (archive != NULL), "there is an archive unless opening it failed");
    if (status == NN_OK)
        status = walk_members(archive, count, &error);
    fuzz_require_reason(status, &error, "archive");
    data_archive_close(archive);
}

static void put_checksum(unsigned char *header) {
    unsigned sum = 0;
    memset(header + CHECKSUM, ' ', CHECKSUM_BYTES);
    for (int i = 0; i < BLOCK; i++)
        sum += header[i];
    for (int i = 5; i >= 0; i--, sum >>= 3)
        header[CHECKSUM + i] = (unsigned char)('0' + (sum & 7));
    header[CHECKSUM + 6] = '\0';
}

/* Goes from header to header by the sizes that they give. */
static void put_checksums(unsigned char *bytes, size_t count) {
    for (size_t place = 0; count - place >= BLOCK;) {
        unsigned char *header = bytes + place;
        size_t size = 0;
        for (int i = 0; i < SIZE_BYTES && header[SIZE + i] >= '0' && header[SIZE + i] <= '7'; i++)
            size = size << 3 | (size_t)(header[SIZE + i] - '0');
        if (header[0])
            put_checksum(header);
        place += BLOCK;
        size = (size + BLOCK - 1) / BLOCK * BLOCK;
        place += size < count - place ? size : count - place;
    }
}

FUZZ_TARGET(archive) {
    unsigned char *copy = malloc(count ? count : 1);
    fuzz_require(copy != NULL, "there is memory");
    walk(bytes, count);
    memcpy(copy, bytes, count);
    put_checksums(copy, count);
    walk(copy, count);
    free(copy);
}
