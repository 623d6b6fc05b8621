/* mat.h - the arrays of numbers in a MATLAB 5 file (.mat, MATLAB's -v6 and -v7), compressed or not.
 *
 * Not for MATLAB's -v7.3, which is HDF5; variables that are no plain array of real numbers (cells, structures,
 * text, sparse, complex) are passed over. */
#ifndef DATA_MAT_H
#define DATA_MAT_H

#include "framework/framework.h"

enum { DATA_MAT_RANK_MAX = 32 };

/* A file in memory, its chain of elements checked. */
typedef struct data_mat {
    const char *path; /* for messages: must outlive this */
    unsigned char *bytes;
    size_t count;
    bool big_endian;
} data_mat;

/* As the format numbers them. */
typedef enum data_mat_type {
    DATA_MAT_INT8 = 1,
    DATA_MAT_UINT8 = 2,
    DATA_MAT_INT16 = 3,
    DATA_MAT_UINT16 = 4,
    DATA_MAT_INT32 = 5,
    DATA_MAT_UINT32 = 6,
    DATA_MAT_SINGLE = 7,
    DATA_MAT_DOUBLE = 9,
    DATA_MAT_INT64 = 12,
    DATA_MAT_UINT64 = 13
} data_mat_type;

typedef struct data_mat_array {
    data_mat_type type; /* of the elements as stored, which may be narrower than the variable's class */
    int rank;           /* 2 or more */
    size_t dims[DATA_MAT_RANK_MAX];
    size_t count; /* product of dims; may be 0 */
    void *data;   /* [count] in this machine's byte order, the first index fastest */
} data_mat_array;

/* Reads the file, of at most `limit` bytes, and checks its header and that its elements fill it. Released with
 * data_mat_close, after a failure too. */
nn_status data_mat_open(data_mat *mat, const char *path, size_t limit, nn_error *error);
void data_mat_close(data_mat *mat);

/* Finds variable `name` and unpacks it. NN_EFORMAT where there is none, where it is no array of real numbers,
 * would take more than `limit` bytes or is damaged. array->data is the caller's to free; NULL on failure. */
nn_status data_mat_find(const data_mat *mat, const char *name, size_t limit, data_mat_array *array,
                        nn_error *error);

/* Element i as a number; integers beyond 2^53 are rounded. */
double data_mat_number(const data_mat_array *array, size_t i);

/* "uint8", "double", ...; "unknown" for a number that is no data_mat_type. */
const char *data_mat_type_name(data_mat_type type);

#endif
