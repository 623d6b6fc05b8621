/* The members of a tar archive, as it is and with every header's checksum put right. */
#include "datasets/tar.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { BLOCK = 512, CHECKSUM = 148, CHECKSUM_BYTES = 8, SIZE = 124, SIZE_BYTES = 11, MEMBERS_MAX = 10000 };

static void walk(const unsigned char *bytes, size_t count) {
    data_tar tar = {.path = "archive.tar", .bytes = bytes, .count = count};
    data_tar_member member;
    nn_error error = {0};
    bool end = false;
    nn_status status = NN_OK;
    for (int i = 0; !end && status == NN_OK; i++) {
        fuzz_require(i < MEMBERS_MAX, "the walk ends");
        status = data_tar_next(&tar, &member, &end, &error);
        if (end || status != NN_OK)
            break;
        fuzz_require(memchr(member.name, '\0', sizeof member.name) != NULL, "a name ends");
        fuzz_require(member.bytes >= bytes && member.bytes + member.count <= bytes + count,
                     "a member lies in the archive");
        fuzz_read(member.bytes, member.count);
    }
    fuzz_require_reason(status, &error, "archive.tar");
}

static void find(const unsigned char *bytes, size_t count) {
    const data_tar tar = {.path = "archive.tar", .bytes = bytes, .count = count};
    data_tar_member member;
    nn_error error = {0};
    bool found;
    nn_status status = data_tar_find(tar, "folder/file", &member, &found, &error);
    fuzz_require_reason(status, &error, "archive.tar");
    if (status == NN_OK && found)
        fuzz_read(member.bytes, member.count);
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

FUZZ_TARGET(tar) {
    unsigned char *copy = malloc(count ? count : 1);
    fuzz_require(copy != NULL, "there is memory");
    walk(bytes, count);
    memcpy(copy, bytes, count);
    put_checksums(copy, count);
    walk(copy, count);
    find(copy, count);
    free(copy);
}
