/* datasets.h - labelled images in memory, and batches of them.
 *
 * A data set is read whole: pixels as bytes, B,H,W,C, labels as bytes. Batches are normalized with the
 * training set's mean and deviation per channel, optionally augmented, shuffled or class-balanced, and
 * prepared by a background thread. Order and augmentation come from named streams of the run's seed: batch n
 * of a run is a pure function of (data, options, seed, n). */
#ifndef DATA_DATASETS_H
#define DATA_DATASETS_H

#include "../framework/framework.h"

NN_API_BEGIN

enum {
    DATA_CLASSES_MAX = 256,
    DATA_CHANNELS_MAX = 4,
    DATA_NAME_MAX = 64,
    DATA_PATH_MAX = 512,
    DATA_NOTE_MAX = 1024,
    DATA_COMMAND_MAX = 640
};

typedef struct data_split {
    int count;
    unsigned char *pixels; /* [count][height][width][channels] */
    unsigned char *labels; /* [count], each < classes */
} data_split;

typedef struct data_set {
    char name[DATA_NAME_MAX];   /* "cifar10" */
    char source[DATA_PATH_MAX]; /* the file or folder it was read from, for the user's eyes */
    char note[DATA_NOTE_MAX];   /* what the user should know of how it was read; "" where there is nothing */
    int unreadable;             /* pictures left out because they could not be read */
    int height, width, channels;
    int classes;
    char class_names[DATA_CLASSES_MAX][DATA_NAME_MAX];
    data_split train, test; /* train.count may be 0 (notMNIST as provided has a test set only) */
    /* Of the training pixels, as values 0..1. A channel of one value only has deviation 1. */
    float mean[DATA_CHANNELS_MAX], deviation[DATA_CHANNELS_MAX];
    uint64_t checksum; /* over the sizes, pixels and labels that were read, before any limit */
} data_set;

typedef struct data_source {
    const char *name;
    const char *summary; /* one line for --help */
    /* Fills in sizes, class names, splits and source of the zeroed *set from the data root (unused by
     * built-in sets). Whatever a failed load leaves in *set, data_load frees. */
    nn_status (*load)(const char *root, data_set *set, nn_error *error);
    bool (*present)(const char *root); /* whether load would find its files */
} data_source;

/* Every data set by name; ends with a NULL name. Adding one: a file with a load function and a line here. */
extern const data_source data_sources[];

/* Reads data set `name`, else the folder or archive of pictures that is at that path (data_find_pictures), keeps the first
 * train_limit and test_limit examples (0: all), and computes mean, deviation (of the training examples kept; of the test
 * examples where there is no training set) and checksum. A missing file gives NN_EFILE with a message that names the places
 * searched and how to get it (data_fetch_command). */
nn_status data_load(data_set *set, const char *name, const char *root, int train_limit, int test_limit,
                    nn_error *error);

/* Whether there is a data set of this name. */
bool data_is_named(const char *name);

/* Whether `name` means a folder or an archive of pictures: it is no data set's name, and holds a '/', ends as an archive
 * (.tar, .tar.gz, .tgz, .zip) or is found. */
bool data_is_path(const char *name, const char *root);

/* Finds it: at that path, else at that path below the data root. False where there is nothing. */
bool data_find_pictures(char path[DATA_PATH_MAX], const char *name, const char *root);

/* The names of all data sets, "mnist, fashion-mnist, ...". */
enum { DATA_NAMES_TEXT = 256 };
const char *data_names(char text[DATA_NAMES_TEXT]);

/* What images of pictures are to be like; 0: as datasets/pictures/pictures.h says. */
typedef struct data_form {
    int height, width; /* both or none */
    int channels;      /* 1 or 3 */
} data_form;

/* The same for a name or a path, with images of a form. NN_EARGUMENT for a form that a data set with a name does not have:
 * only pictures are resized. */
nn_status data_load_as(data_set *set, const char *name, const char *root, data_form form, int train_limit,
                       int test_limit, nn_error *error);

/* Whether the files of `name` are where data_load would look for them (always true for built-in sets), or whether there is a path. */
bool data_present(const char *name, const char *root);

/* The command that gets data set `name` for the data root: by scripts/fetch where the current folder is the source's, else by
 * entangle-fetch, which is installed with the library. Returns text. */
const char *data_fetch_command(const char *name, const char *root, char text[DATA_COMMAND_MAX]);

void data_free(data_set *set);

typedef struct data_batch_options {
    int batch;    /* examples per batch */
    bool shuffle; /* a new order each epoch; else file order */
    /* Every batch has the same number of each class present in the split, give or take one where they do not
     * divide: each class in an order of its own, starting again when used up. Implies shuffle. An epoch is
     * still as many examples as the split holds. */
    bool balanced;
    bool augment;      /* random crop after padding by `pad` with the mean color, random horizontal flip */
    int pad;           /* 0: height / 8 */
    bool drop_partial; /* leave out an epoch's last, partial batch */
    uint64_t seed;
    /* [channels], e.g. those that a model was trained with; NULL: the set's own */
    const float *mean, *deviation;
} data_batch_options;

typedef struct data_batch {
    float *images;     /* [batch][height][width][channels], normalized */
    int32_t *labels;   /* [batch] */
    uint32_t *indices; /* [batch] position of each example in its split; past `count` all three are zero */
    int count;         /* examples in this batch: `batch`, or less in an epoch's last one */
    uint64_t step;     /* from 0, over all epochs */
    int epoch;         /* from 0 */
    bool epoch_end;    /* this is the last batch of its epoch */
} data_batch;

/* A stream of batches over one split of `set`, which must outlive it, made ahead by a background thread. */
typedef struct data_loader data_loader;

/* NN_EARGUMENT for options out of range and where an epoch would have no batch. */
nn_status data_loader_new(data_loader **loader, const data_set *set, const data_split *split,
                          data_batch_options options, nn_error *error);
void data_loader_free(data_loader *loader); /* NULL is fine */

int data_loader_batches(const data_loader *loader); /* batches per epoch */

/* The next batch, waiting for it if need be. It stays valid until the next call with this loader. */
const data_batch *data_loader_next(data_loader *loader);

/* Continues with batch `step` (counted from the start of training, over all epochs) as if all before it had
 * been read: for evaluation passes (0) and for resuming. */
void data_loader_seek(data_loader *loader, uint64_t step);

NN_API_END

#endif
