#include "tar.h"

#include <string.h>

enum { BLOCK = 512, NAME = 100, PREFIX = 155 };

/* The header's fields, all text; numbers are octal. */
struct header {
    char name[NAME], mode[8], owner[8], group[8], size[12], time[12], checksum[8], type, link[NAME];
    char magic[6], version[2], owner_name[32], group_name[32], device[16], prefix[PREFIX], unused[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

/* Octal digits between optional spaces, ended by a space, a zero byte or the field's end. */
static bool parse_octal(const char *field, int width, size_t *value) {
    int i = 0;
    while (i < width && field[i] == ' ')
        i++;
    const int first = i;
    for (*value = 0; i < width && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value << 3 | (size_t)(field[i] - '0'); /* at most 12 digits: 36 bits */
    return i > first && (i == width || field[i] == ' ' || field[i] == '\0');
}

static bool is_zero(const unsigned char *block) {
    for (int i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

/* The sum of the header's bytes, with its checksum field taken as spaces. */
static bool checksum_matches(const struct header *header, const unsigned char *block) {
    size_t stored, sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool own = i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);
        sum += own ? ' ' : block[i];
    }
    return parse_octal(header->checksum, sizeof header->checksum, &stored) && stored == sum;
}

/* Reads one header block and finds its content, GNU's long names being members of their own here. */
static nn_status read_member(data_tar *tar, struct header *header, data_tar_member *member, bool *end,
                             nn_error *error) {
    if (tar->count - tar->position < BLOCK)
        return nn_fail(error, NN_EFORMAT, "%s: the archive is cut short: no end mark after byte %zu",
                       tar->path, tar->position);
    const unsigned char *block = tar->bytes + tar->position;
    *end = is_zero(block);
    if (*end)
        return NN_OK;
    memcpy(header, block, BLOCK);
    if (!checksum_matches(header, block))
        return nn_fail(error, NN_EFORMAT, "%s: no tar header, or a damaged one, at byte %zu", tar->path,
                       tar->position);
    const size_t left = tar->count - tar->position - BLOCK;
    if (!parse_octal(header->size, sizeof header->size, &member->count))
        return nn_fail(error, NN_EFORMAT, "%s: the size in the tar header at byte %zu is not octal",
                       tar->path, tar->position);
    if (member->count > left)
        return nn_fail(error, NN_EFORMAT,
                       "%s: the member at byte %zu promises %zu bytes, the archive holds %zu", tar->path,
                       tar->position, member->count, left);
    member->type = (char)(header->type ? header->type : '0'); /* a zero byte before ustar */
    member->bytes = block + BLOCK;
    const size_t padded = (member->count + BLOCK - 1) / BLOCK * BLOCK;
    tar->position += BLOCK + (padded < left ? padded : left);
    return NN_OK;
}

/* PREFIX/NAME from a header; ustar only has the prefix. */
static void take_name(const struct header *header, char name[DATA_TAR_NAME_MAX]) {
    size_t length = 0;
    if (memcmp(header->magic, "ustar", 6) == 0 && header->prefix[0]) {
        length = strnlen(header->prefix, PREFIX);
        memcpy(name, header->prefix, length);
        name[length++] = '/';
    }
    const size_t rest = strnlen(header->name, NAME);
    memcpy(name + length, header->name, rest);
    name[length + rest] = '\0';
}

nn_status data_tar_next(data_tar *tar, data_tar_member *member, bool *end, nn_error *error) {
    char long_name[DATA_TAR_NAME_MAX] = "";
    for (;;) {
        struct header header;
        data_tar_member next = {0};
        nn_status status = read_member(tar, &header, &next, end, error);
        if (status != NN_OK || *end)
            return status;
        if (next.type == 'L') {
            if (next.count >= sizeof long_name)
                return nn_fail(error, NN_EFORMAT, "%s: a member's name has %zu characters", tar->path,
                               next.count);
            memcpy(long_name, next.bytes, next.count);
            long_name[next.count] = '\0';
            continue;
        }
        if (long_name[0])
            strcpy(next.name, long_name);
        else
            take_name(&header, next.name);
        *member = next;
        return NN_OK;
    }
}

nn_status data_tar_find(data_tar tar, const char *name, data_tar_member *member, bool *found,
                        nn_error *error) {
    tar.position = 0;
    *found = false;
    for (bool end = false; !*found;) {
        nn_status status = data_tar_next(&tar, member, &end, error);
        if (status != NN_OK || end)
            return status;
        const char *its_name = strncmp(member->name, "./", 2) == 0 ? member->name + 2 : member->name;
        *found = member->type == '0' && strcmp(its_name, name) == 0;
    }
    return NN_OK;
}
