/* pictures.h - a folder or an archive of pictures as a data set: PNG, JPEG and BMP (decode.h) in class folders (layout.h).
 *
 * The images' size: the one asked for, else the one that all pictures have, else 32 x 32. Their channels: those asked for,
 * else gray where every picture is stored as gray, else color. A picture of another form is made over (picture.h).
 *
 * A picture that cannot be read is left out, and named in the set's note; more than one in a hundred make NN_EFORMAT. The
 * result does not depend on the number of threads that decode. */
#ifndef DATA_PICTURES_H
#define DATA_PICTURES_H

#include "datasets/datasets.h"

enum { DATA_PICTURES_SIDE = 32 };

/* As a data_source's load, of the form where it is not 0. */
nn_status data_load_pictures(const char *path, data_form form, data_set *set, nn_error *error);

#endif
