#include "picture.h"

#include <stdlib.h>
#include <string.h>

/* In place: on white, without alpha. */
static void lay_on_white(data_pixels *pixels) {
    const int colors = pixels->channels - 1;
    const size_t count = (size_t)pixels->extent.height * (size_t)pixels->extent.width;
    const unsigned char *from = pixels->values;
    unsigned char *to = pixels->values;
    for (size_t i = 0; i < count; i++, from += colors + 1)
        for (int c = 0; c < colors; c++)
            *to++ = (unsigned char)((from[c] * from[colors] + 255 * (255 - from[colors]) + 127) / 255);
    pixels->channels = colors;
}

static void change_channels(const unsigned char *from, int channels, size_t count, unsigned char *to,
                            int wanted) {
    for (size_t i = 0; i < count; i++, from += channels, to += wanted)
        if (wanted == 1)
            *to = (unsigned char)((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
        else
            memset(to, from[0], 3);
}

static nn_status fit(const data_pixels *pixels, data_extent to, int channels, unsigned char *image,
                     nn_error *error) {
    if (pixels->channels == channels)
        return data_resize(pixels->values, pixels->extent, channels, image, to, error);
    const size_t count = (size_t)to.height * (size_t)to.width;
    unsigned char *fitted = malloc(count * (size_t)pixels->channels);
    if (!fitted)
        return nn_fail_memory(error, "a picture");
    nn_status status = data_resize(pixels->values, pixels->extent, pixels->channels, fitted, to, error);
    if (status == NN_OK)
        change_channels(fitted, pixels->channels, count, image, channels);
    free(fitted);
    return status;
}

nn_status data_picture_make(const unsigned char *bytes, size_t count, data_extent to, int channels,
                            unsigned char *image, nn_error *error) {
    data_pixels pixels;
    nn_status status = data_decode(bytes, count, &pixels, error);
    if (status != NN_OK)
        return status;
    if (pixels.channels == 2 || pixels.channels == 4)
        lay_on_white(&pixels);
    status = fit(&pixels, to, channels, image, error);
    data_pixels_free(&pixels);
    return status;
}
