/* npy.h - arrays in NumPy's .npy files, versions 1 and 2 (format: NumPy Enhancement Proposal 1).
 *
 * Read: float32, float64, bool and every integer type, little-endian, C order, any shape. Written: float32
 * and int64. Big-endian, Fortran-ordered, complex, structured and object arrays are refused with what to do.
 */
#ifndef NN_NPY_H
#define NN_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

NN_API_BEGIN

enum { NN_NPY_MAX_RANK = 32 };

typedef struct nn_npy {
    char kind;   /* 'f' floating point, 'i' signed, 'u' unsigned integer, 'b' bool */
    size_t size; /* bytes of an element */
    int rank;
    size_t dims[NN_NPY_MAX_RANK];
    size_t count;                  /* elements: the product of dims */
    const unsigned char *elements; /* not necessarily aligned */
    unsigned char *file;           /* the memory behind elements */
} nn_npy;

/* Reads a file; what it says of itself is checked against its length. Release with nn_npy_free. */
nn_status nn_npy_read(const char *path, nn_npy *array, nn_error *error);

/* The same of `count` bytes that are in memory, which become the array's, or are freed on failure; `name` for messages. */
nn_status nn_npy_parse(const char *name, unsigned char *bytes, size_t count, nn_npy *array, nn_error *error);
void nn_npy_free(nn_npy *array);

/* Element `index` (< count) as a number. Integers beyond 2^53 are rounded. */
double nn_npy_number(const nn_npy *array, size_t index);

/* Element `index` of an array of integers or bools, an unsigned one above INT64_MAX wrapped; 0 for floats. */
int64_t nn_npy_integer(const nn_npy *array, size_t index);

/* Writes an array whole or not at all. A shape of rank 0 is a single number. */
nn_status nn_npy_write_floats(const char *path, int rank, const size_t *dims, const float *elements,
                              nn_error *error);
nn_status nn_npy_write_integers(const char *path, int rank, const size_t *dims, const int64_t *elements,
                                nn_error *error);

/* The bytes of such a file, of floats or, where these are NULL, of integers; to be freed. */
nn_status nn_npy_make(const char *name, int rank, const size_t *dims, const float *floats,
                      const int64_t *integers, unsigned char **bytes, size_t *count, nn_error *error);

NN_API_END

#endif
