/* ops.h - constructors of nodes: what models are written with.
 *
 * Each op's mathematics is in the file of its family. Layers with parameters take a name, under which the
 * parameters are stored and exported ("block1.conv1" -> "block1.conv1.weight"). All return NULL after a
 * mistake (see graph.h). Options are structs with named fields; 0 is a sensible default unless said
 * otherwise. */
#ifndef NN_OPS_H
#define NN_OPS_H

#include "../graph.h"
#include "../snnl/snnl.h"

NN_API_BEGIN

enum {
    NN_VALID = 0,
    NN_SAME = -1
}; /* paddings beside plain numbers; SAME: output = input / stride, rounded up */

/* conv.c: image [B,H,W,C] -> [B,P,Q,filters] */
typedef struct nn_conv_options {
    int filters;
    int kernel; /* square; or kernel_height and kernel_width */
    int kernel_height, kernel_width;
    int stride;  /* 0 is 1 */
    int padding; /* NN_VALID, NN_SAME, or zeros added on every side */
    bool bias;
    nn_init_kind init; /* of the weights; 0 is NN_INIT_HE */
} nn_conv_options;
nn_node *nn_conv(nn_node *image, const char *name, nn_conv_options options);

/* dense.c: [B, ...] -> [B, units]; always with a bias */
typedef struct nn_dense_options {
    int units;
    nn_init_kind init; /* 0 is NN_INIT_HE */
} nn_dense_options;
nn_node *nn_dense(nn_node *x, const char *name, nn_dense_options options);

/* batch_norm.c: per channel (the last dimension); in training by the batch's statistics, else by running ones
 */
typedef struct nn_batch_norm_options {
    float momentum; /* of the running statistics; 0 is 0.1 */
    float epsilon;  /* 0 is 1e-5 */
} nn_batch_norm_options;
nn_node *nn_batch_norm(nn_node *x, const char *name, nn_batch_norm_options options);

/* activation.c: element by element */
nn_node *nn_relu(nn_node *x);
nn_node *nn_leaky_relu(nn_node *x, float slope); /* 0 <= slope < 1 */
nn_node *nn_tanh(nn_node *x);
nn_node *nn_sigmoid(nn_node *x);

/* elementwise.c */
nn_node *nn_add(nn_node *a, nn_node *b); /* same shapes */
nn_node *nn_scale(nn_node *x, float factor);
nn_node *nn_dot(nn_node *a,
                nn_node *b); /* same shapes -> scalar, the sum of all a_i b_i. With b an input: backward then
                                          * starts from any given gradient of a */

/* pool.c: image -> image; average pooling counts only cells inside the image */
typedef struct nn_pool_options {
    int size;
    int stride;  /* 0 is size */
    int padding; /* NN_VALID, NN_SAME or a number below size */
} nn_pool_options;
nn_node *nn_max_pool(nn_node *image, nn_pool_options options);
nn_node *nn_average_pool(nn_node *image, nn_pool_options options);
nn_node *nn_global_average_pool(nn_node *image); /* [B,H,W,C] -> [B,C] */

/* upsample.c: [B,H,W,C] -> [B,H factor,W factor,C], each pixel a square of factor x factor */
nn_node *nn_upsample(nn_node *image, int factor);

/* shape.c */
nn_node *nn_flatten(nn_node *x);                 /* [B, ...] -> [B, product] */
nn_node *nn_reshape(nn_node *x, nn_shape shape); /* [B, ...] -> shape, whose first dimension is B too */

/* dropout.c: in training, zeroes each element with probability rate and scales the rest by 1 / (1 - rate) */
nn_node *nn_dropout(nn_node *x, const char *name, float rate); /* 0 <= rate < 1 */

/* cross_entropy.c: logits [B,classes] and labels -> scalar, the mean over the batch */
nn_node *nn_cross_entropy(nn_node *logits, nn_node *labels);
nn_node *nn_accuracy(nn_node *logits,
                     nn_node *labels); /* share of rows whose first largest logit is the label's */
/* logits and targets from 0 to 1, of the same shape -> scalar, the mean over all elements */
nn_node *nn_binary_cross_entropy(nn_node *logits, nn_node *targets);

/* snnl.c: representations [B, ...] and labels -> scalar; what else was found is in its nn_snnl_result,
 * readable by nn_plan_report(). */
typedef enum nn_temperature_mode {
    NN_TEMPERATURE_OPTIMAL, /* argmin of each batch's loss */
    NN_TEMPERATURE_LEARNED, /* T = temperature / t; in training a gradient step of 0.1 a batch on log t,
                             * downhill and by 1 at most */
    NN_TEMPERATURE_FIXED
} nn_temperature_mode;
typedef struct nn_snnl_options {
    nn_distance distance;
    nn_temperature_mode mode;
    float temperature; /* of FIXED, and the start of LEARNED; 0 is 100 */
} nn_snnl_options;
nn_node *nn_snnl(nn_node *x, nn_node *labels, const char *name, nn_snnl_options options);

NN_API_END

#endif
