/* npz.h - several arrays in one file: NumPy's .npz, a zip archive of .npy files, by libarchive. */
#ifndef NN_NPZ_H
#define NN_NPZ_H

#include "npy.h"

NN_API_BEGIN

/* Whether a path is that of an archive, FILE.npz, or of an array in one, FILE.npz:NAME. */
bool nn_npz_is(const char *path);

/* Reads the array NAME, or the only one, stored or deflated, as nn_npy_read does. NN_EARGUMENT, with the names of all that are
 * there, where it is not or not the only one; NN_EFORMAT for damaged and encrypted archives, and for an array of more than
 * 16 GiB. */
nn_status nn_npz_read(const char *path, nn_npy *array, nn_error *error);

/* Writing: begun, given its arrays, ended. The archive takes its name at the end, and only if all went well. Every archive
 * that was begun is to be ended, after a failure of whatever else too, with `whole` false: then nothing is left. */
typedef struct nn_npz nn_npz;
nn_status nn_npz_begin(nn_npz **npz, const char *path, nn_error *error);
nn_status nn_npz_floats(nn_npz *npz, const char *name, int rank, const size_t *dims, const float *elements,
                        nn_error *error);
nn_status nn_npz_integers(nn_npz *npz, const char *name, int rank, const size_t *dims,
                          const int64_t *elements, nn_error *error);
nn_status nn_npz_end(nn_npz *npz, bool whole, nn_error *error); /* NULL is fine */

NN_API_END

#endif
