/* npy.c - the .npy header is a Python dictionary, read here by a parser of just what numpy.save writes. */
#include "npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* --- header: a Python dictionary such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } ---- */

typedef struct text {
    const char *at, *end;
} text;

static void skip_space(text *t) {
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t'))
        t->at++;
}

/* Takes `wanted` if it comes next. */
static bool accept(text *t, const char *wanted) {
    skip_space(t);
    size_t length = strlen(wanted);
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, wanted, length) != 0)
        return false;
    t->at += length;
    return true;
}

/* A quoted string without escapes, of at most 31 characters. */
static bool accept_string(text *t, char string[32]) {
    skip_space(t);
    if (t->at == t->end || (*t->at != '\'' && *t->at != '"'))
        return false;
    char quote = *t->at++;
    size_t length = 0;
    while (t->at < t->end && *t->at != quote) {
        if (length == 31 || *t->at == '\\')
            return false;
        string[length++] = *t->at++;
    }
    string[length] = '\0';
    return accept(t, (char[]){quote, '\0'});
}

static bool accept_number(text *t, size_t *number) {
    skip_space(t);
    const char *start = t->at;
    for (*number = 0; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        size_t digit = (size_t)(*t->at - '0');
        if (!nn_multiply(*number, 10, number) || __builtin_add_overflow(*number, digit, number))
            return false;
    }
    return t->at > start;
}

/* A tuple: (), (3,), (3, 4) */
static bool accept_shape(text *t, nn_npy *array) {
    if (!accept(t, "("))
        return false;
    while (!accept(t, ")")) {
        if (array->rank == NN_NPY_MAX_RANK || !accept_number(t, &array->dims[array->rank++]))
            return false;
        if (!accept(t, ",") && !(t->at < t->end && *t->at == ')'))
            return false;
    }
    return true;
}

static nn_status set_type(const char *path, const char *type, nn_npy *array, nn_error *error) {
    if (type[0] == '>')
        return nn_fail(error, NN_EFORMAT,
                       "%s: elements of type '%s' are big-endian; save the array as little-endian with "
                       "x.astype(x.dtype.newbyteorder('<'))",
                       path, type);
    static const char *const readable[] = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
    for (size_t k = 0; k < sizeof readable / sizeof *readable; k++)
        if ((type[0] == '<' || type[0] == '|') && strcmp(type + 1, readable[k]) == 0) {
            array->kind = readable[k][0];
            array->size = (size_t)(readable[k][1] - '0');
            return NN_OK;
        }
    return nn_fail(
        error, NN_EFORMAT,
        "%s: elements of type '%s' cannot be read; save them as float32, float64 or an integer type", path,
        type);
}

static nn_status fail_header(const char *path, nn_error *error) {
    return nn_fail(error, NN_EFORMAT,
                   "%s: the header is not that of a plain .npy array; save it with numpy.save", path);
}

static nn_status parse_header(const char *path, text header, nn_npy *array, nn_error *error) {
    bool type = false, order = false, shape = false;
    if (!accept(&header, "{"))
        return fail_header(path, error);
    while (!accept(&header, "}")) {
        char key[32], value[32];
        if (!accept_string(&header, key) || !accept(&header, ":"))
            return fail_header(path, error);
        if (strcmp(key, "descr") == 0 && !type && accept_string(&header, value)) {
            if (set_type(path, value, array, error) != NN_OK)
                return error->status;
            type = true;
        } else if (strcmp(key, "fortran_order") == 0 && !order && accept(&header, "False")) {
            order = true;
        } else if (strcmp(key, "fortran_order") == 0 && accept(&header, "True")) {
            return nn_fail(error, NN_EFORMAT,
                           "%s: the array is in Fortran order; save numpy.ascontiguousarray(x) instead",
                           path);
        } else if (strcmp(key, "shape") == 0 && !shape && accept_shape(&header, array)) {
            shape = true;
        } else {
            return fail_header(path, error);
        }
        accept(&header, ",");
    }
    skip_space(&header);
    return type && order && shape && header.at == header.end ? NN_OK : fail_header(path, error);
}

static nn_status parse(const char *path, size_t length, nn_npy *array, nn_error *error) {
    const unsigned char *bytes = array->file;
    if (length < 12 || memcmp(bytes, magic, sizeof magic) != 0)
        return nn_fail(error, NN_EFORMAT, "%s: not a .npy file", path);
    int version = bytes[6];
    if ((version != 1 && version != 2) || bytes[7] != 0)
        return nn_fail(error, NN_EFORMAT,
                       "%s: version %d.%d of the .npy format; only 1.0 and 2.0 can be read", path, version,
                       bytes[7]);
    size_t prefix = version == 1 ? 10 : 12, header = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (version == 2)
        header |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (header > length - prefix)
        return nn_fail(error, NN_EFORMAT, "%s: the file is cut short within its header", path);
    const char *start = (const char *)bytes + prefix;
    nn_status status = parse_header(path, (text){start, start + header}, array, error);
    if (status != NN_OK)
        return status;

    size_t held = length - prefix - header, wanted = array->size;
    bool fits = true;
    for (int k = 0; k < array->rank; k++)
        fits &= nn_multiply(wanted, array->dims[k], &wanted);
    if (!fits)
        return nn_fail(error, NN_EFORMAT, "%s: the shape is larger than any memory", path);
    if (wanted != held)
        return nn_fail(error, NN_EFORMAT, "%s: the shape needs %zu bytes of elements, but the file holds %zu",
                       path, wanted, held);
    array->count = held / array->size;
    array->elements = bytes + prefix + header;
    return NN_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the bytes are the array's from now on, which frees them */
nn_status nn_npy_parse(const char *name, unsigned char *bytes, size_t count, nn_npy *array, nn_error *error) {
    *array = (nn_npy){.file = bytes};
    nn_status status = parse(name, count, array, error);
    if (status != NN_OK)
        nn_npy_free(array);
    return status;
}

nn_status nn_npy_read(const char *path, nn_npy *array, nn_error *error) {
    unsigned char *bytes;
    size_t count;
    *array = (nn_npy){0};
    nn_status status = nn_file_read(path, SIZE_MAX, &bytes, &count, error);
    return status == NN_OK ? nn_npy_parse(path, bytes, count, array, error) : status;
}

void nn_npy_free(nn_npy *array) {
    free(array->file);
    *array = (nn_npy){0};
}

/* --- elements ------------------------------------------------------------------------------------------- */

/* The bytes of an element, least significant first: .npy's order whatever the processor's. */
static uint64_t element_bits(const nn_npy *array, size_t index) {
    const unsigned char *bytes = array->elements + index * array->size;
    uint64_t bits = 0;
    for (size_t k = 0; k < array->size; k++)
        bits |= (uint64_t)bytes[k] << (8 * k);
    return bits;
}

int64_t nn_npy_integer(const nn_npy *array, size_t index) {
    if (array->kind == 'f')
        return 0;
    uint64_t bits = element_bits(array, index);
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the size is 1 to 8 bytes */
    uint64_t sign = array->kind == 'i' ? (uint64_t)1 << (8 * array->size - 1) : 0;
    return (int64_t)((bits ^ sign) - sign); /* extends the sign to all 64 bits */
}

double nn_npy_number(const nn_npy *array, size_t index) {
    uint64_t bits = element_bits(array, index);
    if (array->kind == 'f' && array->size == 4) {
        uint32_t single = (uint32_t)bits;
        float number;
        memcpy(&number, &single, sizeof number);
        return number;
    }
    if (array->kind == 'f') {
        double number;
        memcpy(&number, &bits, sizeof number);
        return number;
    }
    return array->kind == 'u' ? (double)bits : (double)nn_npy_integer(array, index);
}

/* --- writing -------------------------------------------------------------------------------------------- */

/* Version 1, padded so that the elements start at a multiple of 64 bytes. Returns the whole file, elements
 * zero. */
static unsigned char *begin_file(const char *type, int rank, const size_t *dims, size_t size, size_t *start,
                                 size_t *count) {
    char header[64 + 24 * NN_NPY_MAX_RANK];
    int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    *count = 1;
    for (int k = 0; k < rank; k++) {
        length += snprintf(header + length, sizeof header - (size_t)length, k ? ", %zu" : "%zu", dims[k]);
        if (!nn_multiply(*count, dims[k], count))
            return NULL;
    }
    length += snprintf(header + length, sizeof header - (size_t)length, rank == 1 ? ",), }" : "), }");
    *start = (10 + (size_t)length + 1 + 63) / 64 * 64;

    size_t bytes;
    if (!nn_multiply(*count, size, &bytes) || bytes > SIZE_MAX - *start)
        return NULL;
    unsigned char *file = calloc(1, *start + bytes);
    if (!file)
        return NULL;
    memset(file, ' ', *start);
    memcpy(file, magic, sizeof magic);
    file[6] = 1;
    file[7] = 0;
    file[8] = (unsigned char)((*start - 10) & 255);
    file[9] = (unsigned char)((*start - 10) >> 8);
    memcpy(file + 10, header, (size_t)length);
    file[*start - 1] = '\n';
    return file;
}

static void put_bits(unsigned char *bytes, uint64_t bits, size_t size) {
    for (size_t k = 0; k < size; k++)
        bytes[k] = (unsigned char)(bits >> (8 * k));
}

nn_status nn_npy_make(const char *name, int rank, const size_t *dims, const float *floats,
                      const int64_t *integers, unsigned char **bytes, size_t *count, nn_error *error) {
    if (rank < 0 || rank > NN_NPY_MAX_RANK)
        return nn_fail(error, NN_EARGUMENT, "%s: an array of rank %d; a .npy file holds at most rank %d",
                       name, rank, NN_NPY_MAX_RANK);
    size_t size = floats ? 4 : 8, start, elements;
    unsigned char *file = *bytes = begin_file(floats ? "<f4" : "<i8", rank, dims, size, &start, &elements);
    if (!file)
        return nn_fail_memory(error, name);
    for (size_t k = 0; k < elements; k++) {
        uint32_t single = 0;
        if (floats)
            memcpy(&single, &floats[k], sizeof single);
        put_bits(file + start + k * size, floats ? single : (uint64_t)integers[k], size);
    }
    *count = start + elements * size;
    return NN_OK;
}

static nn_status write_array(const char *path, int rank, const size_t *dims, const float *floats,
                             const int64_t *integers, nn_error *error) {
    unsigned char *bytes;
    size_t count = 0;
    nn_status status = nn_npy_make(path, rank, dims, floats, integers, &bytes, &count, error);
    if (status != NN_OK)
        return status;
    status = nn_file_write_atomic(path, bytes, count, error);
    free(bytes);
    return status;
}

nn_status nn_npy_write_floats(const char *path, int rank, const size_t *dims, const float *elements,
                              nn_error *error) {
    return write_array(path, rank, dims, elements, NULL, error);
}

nn_status nn_npy_write_integers(const char *path, int rank, const size_t *dims, const int64_t *elements,
                                nn_error *error) {
    return write_array(path, rank, dims, NULL, elements, error);
}
