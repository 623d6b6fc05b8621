/* window.c - how a sliding window (a convolution's kernel, a pool) covers one dimension of an image. */
#include "framework/op.h"
#include "ops.h"

int nn_window_outputs(int in, int size, int stride, int padding, int *before) {
    if (padding == NN_SAME) {
        int out = (int)((in + stride - 1L) / stride);
        long total = (out - 1L) * stride + size - in;
        *before = total > 0 ? (int)(total / 2) : 0;
        return out;
    }
    *before = padding;
    long span = in + 2L * padding;
    return span < size ? 0 : (int)((span - size) / stride + 1);
}
