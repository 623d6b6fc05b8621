/* conv_reference.h - the convolution's micro-kernels in plain C: the definitions of their contracts. */
#include "kernels.h"

enum { REFERENCE_VECTOR = 4 };

static void reference_tile(const nn_conv_tile *t, const float *x, const float *w, const float *bias,
                           float *y) {
    int lanes = t->filters > REFERENCE_VECTOR ? 2 * REFERENCE_VECTOR : REFERENCE_VECTOR;
    for (int p = 0; p < t->pixels; p++)
        for (int k = 0; k < t->filters; k++) {
            float sum = bias ? bias[k] : 0;
            for (int r = 0; r < t->rows; r++)
                for (int j = 0; j < t->run; j++)
                    sum += x[(size_t)p * t->x_pixel + (size_t)r * t->x_row + (size_t)j] *
                           w[(size_t)r * t->w_row + (size_t)j * (size_t)lanes + (size_t)k];
            float *out = y + (size_t)p * t->y_pixel + k;
            *out = t->accumulate ? *out + sum : sum;
        }
}

static void reference_weight_tile(const nn_conv_weight_tile *t, const float *x, const float *dy, float *dw) {
    for (int k = 0; k < t->filters; k++)
        for (int j = 0; j < t->run; j++) {
            float sum = 0;
            for (size_t i = 0; i < (size_t)t->images; i++)
                for (size_t r = 0; r < (size_t)t->rows; r++)
                    for (size_t p = 0; p < (size_t)t->pixels; p++)
                        sum += dy[i * t->dy_image + r * t->dy_row + p * t->dy_pixel + (size_t)k] *
                               x[i * t->x_image + r * t->x_row + p * t->x_pixel + (size_t)j];
            dw[(size_t)k * t->dw_filter + (size_t)j] += sum;
        }
}

static const nn_conv_kernels conv_kernels = {
    .vector = REFERENCE_VECTOR, .tile = reference_tile, .weight_tile = reference_weight_tile};
