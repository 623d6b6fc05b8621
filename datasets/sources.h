/* sources.h - what the readers of data sets have in common. */
#ifndef DATA_SOURCES_H
#define DATA_SOURCES_H

#include "datasets.h"

/* The readers, one file each; see data_source for their contract. */
nn_status data_load_mnist(const char *root, data_set *set, nn_error *error);
nn_status data_load_fashion_mnist(const char *root, data_set *set, nn_error *error);
nn_status data_load_notmnist(const char *root, data_set *set, nn_error *error);
nn_status data_load_cifar10(const char *root, data_set *set, nn_error *error);
nn_status data_load_svhn(const char *root, data_set *set, nn_error *error);
nn_status data_load_shapes(const char *root, data_set *set, nn_error *error);
bool data_present_mnist(const char *root);
bool data_present_fashion_mnist(const char *root);
bool data_present_notmnist(const char *root);
bool data_present_cifar10(const char *root);
bool data_present_svhn(const char *root);
bool data_present_shapes(const char *root);

/* Writes FOLDER/NAME to path and says whether something of that name exists. */
bool data_find(char path[DATA_PATH_MAX], const char *folder, const char *name);

/* NN_EFILE: data set `name` is not in `places`, and how to get it. */
nn_status data_missing(const char *name, const char *places, const char *root, nn_error *error);

/* Memory for `count` examples of the set's size, which has to be filled in. */
nn_status data_split_new(const data_set *set, data_split *split, int count, nn_error *error);

/* Sets the number of classes and their names; NN_EFORMAT where a name is longer than DATA_NAME_MAX allows. */
nn_status data_name_classes(data_set *set, const char *const *names, int count, nn_error *error);

#endif
