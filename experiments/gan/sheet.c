#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/text_file.h"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

enum { GAP = 4 }; /* between images, white */

static unsigned char byte_of(float value) {
    return (unsigned char)lroundf(255 * fminf(fmaxf((value + 1) / 2, 0), 1));
}

static void put_image(const exp_gan_sheet *s, const float *image, unsigned char *to, size_t stride) {
    for (int y = 0; y < s->height * s->scale; y++)
        for (int x = 0; x < s->width * s->scale; x++)
            for (int c = 0; c < s->channels; c++) {
                int from = (y / s->scale * s->width + x / s->scale) * s->channels + c;
                to[(size_t)y * stride + (size_t)(x * s->channels + c)] = byte_of(image[from]);
            }
}

static void append(void *context, void *bytes, int count) {
    fwrite(bytes, 1, (size_t)count, context);
}

nn_status exp_gan_sheet_write(const exp_gan_sheet *s, const char *folder, const char *name, nn_error *error) {
    int lines = (s->count + s->columns - 1) / s->columns;
    int cell_width = s->width * s->scale + GAP, cell_height = s->height * s->scale + GAP;
    int width = s->columns * cell_width - GAP, height = lines * cell_height - GAP;
    size_t stride = (size_t)width * (size_t)s->channels, bytes = stride * (size_t)height;
    unsigned char *pixels = malloc(bytes);
    exp_text_file file;
    if (!pixels)
        return nn_fail_memory(error, name);
    memset(pixels, 255, bytes);
    for (int i = 0; i < s->count; i++) {
        size_t x = (size_t)(i % s->columns) * (size_t)cell_width,
               y = (size_t)(i / s->columns) * (size_t)cell_height;
        put_image(s, s->images + (size_t)i * (size_t)(s->height * s->width * s->channels),
                  pixels + y * stride + x * (size_t)s->channels, stride);
    }
    nn_status status = exp_text_begin(&file, folder, name, error);
    if (status == NN_OK) {
        bool made =
            stbi_write_png_to_func(append, file.file, width, height, s->channels, pixels, (int)stride);
        status = exp_text_end(&file, error);
        if (!made && status == NN_OK)
            status = nn_fail_memory(error, name);
    }
    free(pixels);
    return status;
}
