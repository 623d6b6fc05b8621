/* Files of points and of their labels, as ./measure and ./embed take them; without labels where those are empty. */
#include "experiments/common/points_file.h"

#include <math.h>

#include "fuzz.h"

FUZZ_TARGET(points) {
    fuzz_part parts[2];
    exp_points_file points;
    nn_error error = {0};
    fuzz_cut(bytes, count, parts, 2);
    const char *features = fuzz_file("points.npy", parts[0].bytes, parts[0].count);
    const char *labels = fuzz_file("labels.npy", parts[1].bytes, parts[1].count);
    nn_status status = exp_points_file_read(&points, features, parts[1].count ? labels : NULL, &error);
    fuzz_require_reason(status, &error, ".npy");
    if (status == NN_OK) {
        fuzz_require(points.count > 0 && points.dims > 0, "there are points");
        fuzz_require((size_t)points.count * (size_t)points.dims == points.features.count,
                     "the points are all that there is");
        for (size_t i = 0; i < points.features.count; i++)
            fuzz_require(isfinite(nn_npy_number(&points.features, i)), "features are finite");
        for (int i = 0; points.labels && i < points.count; i++)
            fuzz_require(points.labels[i] >= 0 && points.labels[i] < points.classes,
                         "labels are below the number of classes");
    }
    exp_points_file_free(&points);
}
