/* mat.c - the MATLAB 5 file format (MathWorks, "MAT-File Format", the chapter on level 5).
 *
 * 128 bytes of header, then elements: a tag (type, count of bytes) and content. A variable is an element of type
 * MATRIX or, packed by zlib, one of type COMPRESSED that holds the former. A matrix is a sequence of elements in
 * turn, called parts here: flags, dimensions, name, numbers. Parts are padded to 8 bytes; one of up to 4 bytes
 * may have them inside its tag.
 *
 * A compressed variable is unpacked as a stream, up to its name to see whether it is wanted, then straight into
 * the array: never more than its dimensions need. */
#include "mat.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "framework/file.h"

enum { HEADER = 128, TAG = 8, WORD = 4, NAME_MAX_BYTES = 64, CHUNK = 4096 };
enum { TYPE_MATRIX = 14, TYPE_COMPRESSED = 15, TYPE_LAST_NUMBER = DATA_MAT_UINT64 };
enum { CLASS_CELL = 1, CLASS_DOUBLE = 6, CLASS_UINT64 = 15, FLAG_COMPLEX = 0x800 };

/* deflate codes at most 258 bytes in 2 bits; some input may already be inside zlib. */
enum { DEFLATE_BEST_RATIO = 1032, DEFLATE_SLACK = 16 };

static const struct {
    const char *name;
    size_t size;
} types[TYPE_LAST_NUMBER + 1] = {
    [DATA_MAT_INT8] = {"int8", 1},     [DATA_MAT_UINT8] = {"uint8", 1},   [DATA_MAT_INT16] = {"int16", 2},
    [DATA_MAT_UINT16] = {"uint16", 2}, [DATA_MAT_INT32] = {"int32", 4},   [DATA_MAT_UINT32] = {"uint32", 4},
    [DATA_MAT_SINGLE] = {"single", 4}, [DATA_MAT_DOUBLE] = {"double", 8}, [DATA_MAT_INT64] = {"int64", 8},
    [DATA_MAT_UINT64] = {"uint64", 8},
};

/* 0 where it is no type of numbers. */
static size_t type_size(uint32_t type) {
    return type <= TYPE_LAST_NUMBER ? types[type].size : 0;
}

const char *data_mat_type_name(data_mat_type type) {
    return type_size(type) ? types[type].name : "unknown";
}

static uint32_t word_at(const unsigned char *b, bool big_endian) {
    return big_endian ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                      : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* --- the file ------------------------------------------------------------------------------------------- */

/* A variable in the file: of type MATRIX or COMPRESSED. */
struct element {
    uint32_t type, count;
    const unsigned char *content;
};

/* The element at *position, which moves behind it. */
static nn_status next_element(const data_mat *mat, size_t *position, struct element *element,
                              nn_error *error) {
    const size_t start = *position, left = mat->count - start;
    if (left < TAG)
        return nn_fail(error, NN_EFORMAT, "%s: cut short in the tag at byte %zu; fetch it again", mat->path,
                       start);
    element->type = word_at(mat->bytes + start, mat->big_endian);
    element->count = word_at(mat->bytes + start + WORD, mat->big_endian);
    element->content = mat->bytes + start + TAG;
    if (element->type != TYPE_MATRIX && element->type != TYPE_COMPRESSED)
        return nn_fail(error, NN_EFORMAT, "%s: damaged: type %u at byte %zu, a variable has %d or %d",
                       mat->path, element->type, start, TYPE_MATRIX, TYPE_COMPRESSED);
    if (element->count > left - TAG)
        return nn_fail(error, NN_EFORMAT,
                       "%s: cut short: the variable at byte %zu has %u bytes, the file %zu; fetch it again",
                       mat->path, start, element->count, left - TAG);
    *position = start + TAG + element->count;
    return NN_OK;
}

static nn_status check_header(data_mat *mat, nn_error *error) {
    const unsigned char *b = mat->bytes;
    if (mat->count < HEADER)
        return nn_fail(error, NN_EFORMAT, "%s: %zu bytes are too few for a MATLAB 5 header of %d", mat->path,
                       mat->count, HEADER);
    mat->big_endian = b[126] == 'M' && b[127] == 'I';
    if (!mat->big_endian && !(b[126] == 'I' && b[127] == 'M'))
        return nn_fail(error, NN_EFORMAT, "%s: no MATLAB 5 file: it has no byte order mark", mat->path);
    const unsigned version = mat->big_endian ? b[124] << 8 | b[125] : b[125] << 8 | b[124];
    if (version != 0x100)
        return nn_fail(error, NN_EFORMAT,
                       "%s: version 0x%04x of the MATLAB format%s; only 0x0100 can be read", mat->path,
                       version, version == 0x200 ? " (7.3: save it with -v7)" : "");
    return NN_OK;
}

nn_status data_mat_open(data_mat *mat, const char *path, size_t limit, nn_error *error) {
    *mat = (data_mat){.path = path};
    nn_status status = nn_file_read(path, limit, &mat->bytes, &mat->count, error);
    if (status == NN_OK)
        status = check_header(mat, error);
    struct element element;
    for (size_t position = HEADER; status == NN_OK && position < mat->count;)
        status = next_element(mat, &position, &element, error);
    return status;
}

void data_mat_close(data_mat *mat) {
    free(mat->bytes);
    *mat = (data_mat){0};
}

/* --- a variable as a stream of bytes -------------------------------------------------------------------- */

struct stream {
    const data_mat *mat;
    char name[NAME_MAX_BYTES + 1]; /* for messages, once it is known */
    size_t left;                   /* of the matrix, by its tag */
    const unsigned char *next;     /* where it is not compressed */
    bool compressed;
    z_stream zlib;
};

static nn_status fail_stream(const struct stream *s, nn_error *error, const char *what) {
    return nn_fail(error, NN_EFORMAT, "%s: variable '%s' is damaged: %s; fetch the file again", s->mat->path,
                   s->name[0] ? s->name : "?", what);
}

/* Unpacks up to `count` bytes; *ended says that the packed data ended, before or right with the last byte. */
static nn_status inflate_some(struct stream *s, void *to, size_t count, size_t *got, bool *ended,
                              nn_error *error) {
    s->zlib.next_out = to;
    s->zlib.avail_out = (uInt)count; /* fits: a part's count has 32 bits */
    const int code = inflate(&s->zlib, Z_SYNC_FLUSH);
    *got = count - s->zlib.avail_out;
    *ended = code == Z_STREAM_END;
    if (code == Z_MEM_ERROR)
        return nn_fail_memory(error, s->mat->path);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return fail_stream(s, error, s->zlib.msg ? s->zlib.msg : "its compression is not zlib's");
    return NN_OK;
}

/* Takes the next `count` bytes of the matrix. */
static nn_status take(struct stream *s, void *to, size_t count, nn_error *error) {
    if (count > s->left)
        return fail_stream(s, error, "a part of it is larger than the whole");
    if (count == 0)
        return NN_OK;
    s->left -= count;
    if (!s->compressed) {
        memcpy(to, s->next, count);
        s->next += count;
        return NN_OK;
    }
    size_t got;
    bool ended;
    nn_status status = inflate_some(s, to, count, &got, &ended, error);
    if (status == NN_OK && got < count)
        status = fail_stream(s, error, "its compressed data is cut short");
    return status;
}

static nn_status skip(struct stream *s, size_t count, nn_error *error) {
    unsigned char chunk[CHUNK];
    nn_status status = NN_OK;
    for (size_t some; count > 0 && status == NN_OK; count -= some) {
        some = count < CHUNK ? count : CHUNK;
        status = take(s, chunk, some, error);
    }
    return status;
}

static nn_status stream_open(struct stream *s, const data_mat *mat, const struct element *element,
                             nn_error *error) {
    *s = (struct stream){.mat = mat, .left = element->count, .next = element->content};
    if (element->type == TYPE_MATRIX)
        return NN_OK;
    s->zlib.next_in = (unsigned char *)element->content; /* only read */
    s->zlib.avail_in = element->count;
    if (inflateInit(&s->zlib) != Z_OK)
        return nn_fail_memory(error, mat->path);
    s->compressed = true;
    s->left = TAG;
    unsigned char tag[TAG] = {0};
    nn_status status = take(s, tag, TAG, error);
    if (status == NN_OK && word_at(tag, mat->big_endian) != TYPE_MATRIX)
        status = fail_stream(s, error, "its compressed data holds no matrix");
    if (status == NN_OK)
        s->left = word_at(tag + WORD, mat->big_endian);
    return status;
}

static void stream_close(struct stream *s) {
    if (s->compressed)
        inflateEnd(&s->zlib);
}

/* Checks that nothing but padding follows, and the compressed data's own checksum. */
static nn_status stream_finish(struct stream *s, nn_error *error) {
    if (s->left >= TAG)
        return fail_stream(s, error, "it goes on behind its numbers");
    nn_status status = skip(s, s->left, error);
    if (status != NN_OK || !s->compressed)
        return status;
    unsigned char more;
    size_t got;
    bool ended;
    status = inflate_some(s, &more, 1, &got, &ended, error);
    if (status == NN_OK && got > 0)
        status = fail_stream(s, error, "its compressed data unpacks to more than its size");
    else if (status == NN_OK && !ended)
        status = fail_stream(s, error, "its compressed data is cut short");
    return status;
}

/* --- the parts of a matrix ------------------------------------------------------------------------------ */

struct part {
    uint32_t type, count;
    bool small; /* its bytes are in the tag: */
    unsigned char bytes[WORD];
};

static nn_status next_part(struct stream *s, struct part *part, nn_error *error) {
    unsigned char tag[TAG] = {0};
    nn_status status = take(s, tag, TAG, error);
    if (status != NN_OK)
        return status;
    part->type = word_at(tag, s->mat->big_endian);
    part->count = word_at(tag + WORD, s->mat->big_endian);
    part->small = part->type >> 16 != 0;
    if (!part->small)
        return NN_OK;
    part->count = part->type >> 16;
    part->type &= 0xffff;
    memcpy(part->bytes, tag + WORD, WORD);
    return part->count <= WORD ? NN_OK : fail_stream(s, error, "a part inside its tag has over 4 bytes");
}

/* Takes the part's bytes and its padding, which may be missing at the matrix's end. */
static nn_status take_part(struct stream *s, const struct part *part, void *to, nn_error *error) {
    if (part->small) {
        memcpy(to, part->bytes, part->count);
        return NN_OK;
    }
    nn_status status = take(s, to, part->count, error);
    const size_t padding = (TAG - part->count % TAG) % TAG;
    return status == NN_OK ? skip(s, padding < s->left ? padding : s->left, error) : status;
}

struct head {
    uint32_t class;
    bool complex;
    int rank;
    size_t dims[DATA_MAT_RANK_MAX];
};

static nn_status take_flags(struct stream *s, struct head *head, nn_error *error) {
    struct part part;
    unsigned char flags[2 * WORD] = {0};
    nn_status status = next_part(s, &part, error);
    if (status == NN_OK && (part.type != DATA_MAT_UINT32 || part.count != sizeof flags))
        status = fail_stream(s, error, "it does not start with array flags");
    if (status == NN_OK)
        status = take_part(s, &part, flags, error);
    if (status == NN_OK) {
        const uint32_t word = word_at(flags, s->mat->big_endian);
        head->class = word & 0xff;
        head->complex = word & FLAG_COMPLEX;
    }
    return status;
}

static nn_status take_dims(struct stream *s, struct head *head, nn_error *error) {
    struct part part;
    unsigned char dims[DATA_MAT_RANK_MAX * WORD] = {0};
    nn_status status = next_part(s, &part, error);
    if (status == NN_OK && (part.type != DATA_MAT_INT32 || part.count % WORD || part.count < 2 * WORD ||
                            part.count > sizeof dims))
        status = fail_stream(s, error, "its dimensions are not 2 to 32 numbers");
    if (status == NN_OK)
        status = take_part(s, &part, dims, error);
    if (status != NN_OK)
        return status;
    head->rank = (int)(part.count / WORD);
    for (int i = 0; i < head->rank; i++) {
        const uint32_t dim = word_at(dims + i * WORD, s->mat->big_endian);
        if (dim > INT32_MAX)
            return fail_stream(s, error, "it has a negative dimension");
        head->dims[i] = dim;
    }
    return NN_OK;
}

static nn_status take_name(struct stream *s, nn_error *error) {
    struct part part;
    char name[NAME_MAX_BYTES] = "";
    nn_status status = next_part(s, &part, error);
    if (status == NN_OK && (part.type != DATA_MAT_INT8 || part.count > sizeof name))
        status = fail_stream(s, error, "its name is no text of up to 64 bytes");
    if (status == NN_OK)
        status = take_part(s, &part, name, error);
    if (status == NN_OK)
        memcpy(s->name, name, part.count);
    return status;
}

/* Flags, dimensions and name, as far as the class has them: what is no array stays nameless. */
static nn_status take_head(struct stream *s, struct head *head, nn_error *error) {
    *head = (struct head){0};
    nn_status status = take_flags(s, head, error);
    if (status != NN_OK || head->class < CLASS_CELL || head->class > CLASS_UINT64)
        return status;
    status = take_dims(s, head, error);
    return status == NN_OK ? take_name(s, error) : status;
}

/* --- numbers -------------------------------------------------------------------------------------------- */

static void reverse_bytes(unsigned char *bytes, size_t count, size_t size) {
    for (size_t i = 0; i < count; i++, bytes += size)
        for (size_t k = 0; k < size / 2; k++) {
            /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): zlib has written it */
            const unsigned char byte = bytes[k];
            bytes[k] = bytes[size - 1 - k];
            bytes[size - 1 - k] = byte;
        }
}

/* Checks the numbers' tag against the dimensions and the limit, before memory is taken for them. */
static nn_status check_numbers(const struct stream *s, const struct part *part, const data_mat_array *array,
                               size_t limit, nn_error *error) {
    size_t bytes, possible = s->left;
    const size_t size = type_size(part->type);
    if (size == 0)
        return fail_stream(s, error, "its numbers are of an unknown type");
    if (!nn_multiply(array->count, size, &bytes) || bytes != part->count)
        return fail_stream(s, error, "its dimensions do not fit its numbers");
    if (bytes > limit)
        return nn_fail(error, NN_EFORMAT,
                       "%s: variable '%s' has %zu bytes, more than the %zu expected at most", s->mat->path,
                       s->name, bytes, limit);
    if (s->compressed) {
        const size_t unpacked = ((size_t)s->zlib.avail_in + DEFLATE_SLACK) * DEFLATE_BEST_RATIO;
        possible = unpacked < possible ? unpacked : possible;
    }
    if (!part->small && bytes > possible)
        return fail_stream(s, error, "it promises more numbers than there are");
    return NN_OK;
}

static nn_status take_numbers(struct stream *s, const struct head *head, size_t limit, data_mat_array *array,
                              nn_error *error) {
    if (head->class < CLASS_DOUBLE || head->complex)
        return nn_fail(error, NN_EFORMAT, "%s: variable '%s' is no array of real numbers", s->mat->path,
                       s->name);
    *array = (data_mat_array){.rank = head->rank, .count = 1};
    for (int i = 0; i < head->rank; i++) {
        array->dims[i] = head->dims[i];
        if (!nn_multiply(array->count, head->dims[i], &array->count))
            return fail_stream(s, error, "its dimensions do not fit its numbers");
    }
    struct part part;
    nn_status status = next_part(s, &part, error);
    if (status == NN_OK)
        status = check_numbers(s, &part, array, limit, error);
    if (status != NN_OK)
        return status;
    array->type = (data_mat_type)part.type;
    array->data = malloc(part.count ? part.count : 1);
    if (!array->data)
        return nn_fail_memory(error, s->mat->path);
    status = take_part(s, &part, array->data, error);
    if (status == NN_OK && s->mat->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
        reverse_bytes(array->data, array->count, type_size(part.type));
    return status == NN_OK ? stream_finish(s, error) : status;
}

/* Unpacks the element where it is the variable `name`; *found says so. */
static nn_status try_element(const data_mat *mat, const struct element *element, const char *name,
                             size_t limit, data_mat_array *array, bool *found, nn_error *error) {
    struct stream stream;
    struct head head;
    nn_status status = stream_open(&stream, mat, element, error);
    if (status == NN_OK)
        status = take_head(&stream, &head, error);
    *found = status == NN_OK && strcmp(stream.name, name) == 0;
    if (*found)
        status = take_numbers(&stream, &head, limit, array, error);
    stream_close(&stream);
    return status;
}

nn_status data_mat_find(const data_mat *mat, const char *name, size_t limit, data_mat_array *array,
                        nn_error *error) {
    *array = (data_mat_array){0};
    bool found = false;
    nn_status status = NN_OK;
    for (size_t position = HEADER; status == NN_OK && !found && position < mat->count;) {
        struct element element = {0};
        status = next_element(mat, &position, &element, error);
        if (status == NN_OK)
            status = try_element(mat, &element, name, limit, array, &found, error);
    }
    if (status == NN_OK && !found)
        status = nn_fail(error, NN_EFORMAT, "%s: holds no variable '%s'", mat->path, name);
    if (status != NN_OK) {
        free(array->data);
        *array = (data_mat_array){0};
    }
    return status;
}

double data_mat_number(const data_mat_array *array, size_t i) {
    switch (array->type) {
    case DATA_MAT_INT8:
        return ((const int8_t *)array->data)[i];
    case DATA_MAT_UINT8:
        return ((const uint8_t *)array->data)[i];
    case DATA_MAT_INT16:
        return ((const int16_t *)array->data)[i];
    case DATA_MAT_UINT16:
        return ((const uint16_t *)array->data)[i];
    case DATA_MAT_INT32:
        return ((const int32_t *)array->data)[i];
    case DATA_MAT_UINT32:
        return ((const uint32_t *)array->data)[i];
    case DATA_MAT_SINGLE:
        return ((const float *)array->data)[i];
    case DATA_MAT_DOUBLE:
        return ((const double *)array->data)[i];
    case DATA_MAT_INT64:
        return (double)((const int64_t *)array->data)[i];
    case DATA_MAT_UINT64:
        return (double)((const uint64_t *)array->data)[i];
    }
    return 0;
}
