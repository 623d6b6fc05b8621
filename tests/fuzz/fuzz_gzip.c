/* The reader that all others begin with: plain files as they are, gzip'd ones unpacked up to a limit. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "framework/file.h"
#include "fuzz.h"

enum { LIMIT = 1 << 18, BOUND = 64 };

static bool is_packed(const unsigned char *bytes, size_t count) {
    return count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* Reads a file whose content, unless that is NULL, is known. */
static void read_one(const char *path, size_t limit, const unsigned char *expected, size_t expected_count) {
    nn_error error = {0};
    unsigned char *found;
    size_t count;
    nn_status status = nn_file_read(path, limit, &found, &count, &error);
    fuzz_require_reason(status, &error, path);
    fuzz_require(count <= limit, "not more than the limit is taken");
    if (status == NN_OK) {
        fuzz_read(found, count);
        fuzz_require(found[count] == '\0', "a zero byte follows");
        if (expected)
            fuzz_require(count == expected_count && memcmp(found, expected, count) == 0,
                         "what is read is what is there");
    } else {
        fuzz_require(!found && count == 0, "a failure leaves nothing");
        fuzz_require(!expected || expected_count > limit, "what is whole can be read");
    }
    free(found);
}

/* The same bytes as the content of a gzip file. */
static void read_packed(const unsigned char *bytes, size_t count, size_t limit) {
    unsigned char *packed = malloc(compressBound(count) + BOUND);
    z_stream zlib = {.next_in = (unsigned char *)bytes, .avail_in = (uInt)count};
    fuzz_require(packed && deflateInit2(&zlib, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                 "there is memory");
    zlib.next_out = packed;
    zlib.avail_out = (uInt)(compressBound(count) + BOUND);
    fuzz_require(deflate(&zlib, Z_FINISH) == Z_STREAM_END, "deflate has room");
    const char *path = fuzz_file("packed.gz", packed, zlib.total_out);
    deflateEnd(&zlib);
    read_one(path, limit, bytes, count);
    free(packed);
}

FUZZ_TARGET(gzip) {
    const char *path = fuzz_file("file", bytes, count);
    const unsigned char *plain = is_packed(bytes, count) ? NULL : bytes;
    read_one(path, LIMIT, plain, count);
    read_one(path, count / 2, plain, count);
    read_packed(bytes, count, LIMIT);
    read_packed(bytes, count, count ? count - 1 : 0);
}
