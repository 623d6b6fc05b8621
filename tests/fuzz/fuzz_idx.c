/* Four IDX files of a data set: images and labels of the test split, then of the training split. An empty one is missing. */
#include "datasets/datasets.h"
#include "fuzz.h"

static void require_labels(const data_set *set, const data_split *split) {
    for (int i = 0; i < split->count; i++)
        fuzz_require(split->labels[i] < set->classes, "labels are below the number of classes");
    fuzz_read(split->pixels, (size_t)split->count * (size_t)set->height * (size_t)set->width);
}

FUZZ_TARGET(idx) {
    static const char *const names[] = {"mnist/t10k-images-idx3-ubyte", "mnist/t10k-labels-idx1-ubyte",
                                        "mnist/train-images-idx3-ubyte", "mnist/train-labels-idx1-ubyte"};
    fuzz_part parts[4];
    data_set set;
    nn_error error = {0};
    fuzz_cut(bytes, count, parts, 4);
    for (int i = 0; i < 4; i++)
        if (parts[i].count > 0)
            fuzz_file(names[i], parts[i].bytes, parts[i].count);
        else
            fuzz_no_file(names[i]);
    nn_status status = data_load(&set, "mnist", fuzz_path("."), 0, 0, &error);
    fuzz_require_reason(status, &error, "idx");
    if (status != NN_OK)
        return;
    fuzz_require(set.test.count > 0 && set.height > 0 && set.width > 0, "a set that is read has images");
    require_labels(&set, &set.test);
    require_labels(&set, &set.train);
    data_free(&set);
}
