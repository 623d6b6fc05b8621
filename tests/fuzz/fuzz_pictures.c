/* An archive of pictures as a data set: names, layout, splits. */
#include "datasets/datasets.h"
#include "fuzz.h"

static void require_labels(const data_set *set, const data_split *split) {
    for (int i = 0; i < split->count; i++)
        fuzz_require(split->labels[i] < set->classes, "labels are below the number of classes");
    fuzz_read(split->pixels,
              (size_t)split->count * (size_t)set->height * (size_t)set->width * (size_t)set->channels);
}

FUZZ_TARGET(pictures) {
    const data_form form = {
        .height = count % 3 ? 3 : 0, .width = count % 3 ? 4 : 0, .channels = count % 2 ? 0 : 3};
    data_set set;
    nn_error error = {0};
    nn_status status = data_load_as(&set, fuzz_file("pictures.tar", bytes, count), "", form, 0, 0, &error);
    fuzz_require_reason(status, &error, "pictures.tar");
    if (status != NN_OK)
        return;
    fuzz_require(set.classes >= 2 && set.train.count + set.test.count > 0, "a set that is read has images");
    fuzz_require(set.channels == 1 || set.channels == 3, "images are gray or color");
    for (const char *byte = set.note; *byte; byte++)
        fuzz_require((unsigned char)*byte >= ' ', "a note holds no control bytes");
    require_labels(&set, &set.test);
    require_labels(&set, &set.train);
    data_free(&set);
}
