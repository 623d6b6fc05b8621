#include "augment.h"

#include <string.h>

data_normalizer data_normalizer_new(const data_set *set, const float *mean, const float *deviation) {
    data_normalizer normalizer = {.height = set->height, .width = set->width, .channels = set->channels};
    for (int c = 0; c < set->channels; c++)
        for (int value = 0; value < 256; value++)
            normalizer.values[c][value] = (float)((value / 255.0 - mean[c]) / deviation[c]);
    return normalizer;
}

data_view data_view_random(int pad, nn_stream *stream) {
    const uint32_t places = 2 * (uint32_t)pad + 1;
    data_view view;
    view.top = (int)nn_random_below(stream, places) - pad;
    view.left = (int)nn_random_below(stream, places) - pad;
    view.flip = nn_random_below(stream, 2);
    return view;
}

void data_view_apply(const data_normalizer *normalizer, data_view view, const unsigned char *image,
                     float *output) {
    const int height = normalizer->height, width = normalizer->width, channels = normalizer->channels;
    /* Columns first..last-1 of the output, before the flip, lie within the image. */
    const int first = view.left < 0 ? -view.left : 0;
    const int last = view.left > 0 ? width - view.left : width;
    for (int y = 0; y < height; y++) {
        float *row = output + (size_t)y * width * channels;
        const int source_y = y + view.top;
        if (view.top || view.left)
            memset(row, 0, (size_t)width * channels * sizeof *row);
        if (source_y < 0 || source_y >= height)
            continue;
        for (int x = first; x < last; x++) {
            const unsigned char *from = image + ((size_t)source_y * width + x + view.left) * channels;
            float *to = row + (view.flip ? width - 1 - x : x) * channels;
            for (int c = 0; c < channels; c++)
                to[c] = normalizer->values[c][from[c]];
        }
    }
}
