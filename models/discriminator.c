/* discriminator.c - whether an image, or a point of the plane, is real.
 *
 *   image - conv F 6x6/2 - leaky relu - conv 2F 6x6/2 - norm - leaky relu - dense 1
 *   point - dense 2F - leaky relu - dense 2F - leaky relu - dense 1                                        (1 x 1)
 *
 * F filters; slope 0.2. Kernels of 6 x 6 at stride 2 have Winograd's method, which makes them faster than 5 x 5. */
#include <string.h>

#include "gan.h"

static const float slope = 0.2f;

static nn_node *build_for_images(nn_node *images, int filters) {
    nn_conv_options down1 = {.filters = filters, .kernel = 6, .stride = 2, .padding = NN_SAME, .bias = true};
    nn_conv_options down2 = {.filters = 2 * filters, .kernel = 6, .stride = 2, .padding = NN_SAME};
    nn_node *h = nn_leaky_relu(nn_conv(images, "down1", down1), slope);
    h = nn_batch_norm(nn_conv(h, "down2", down2), "down2.norm", (nn_batch_norm_options){0});
    h = nn_flatten(nn_leaky_relu(h, slope));
    return nn_dense(h, "logit", (nn_dense_options){.units = 1, .init = NN_INIT_XAVIER});
}

static nn_node *build_for_points(nn_node *points, int filters) {
    nn_node *h = nn_flatten(points);
    h = nn_leaky_relu(nn_dense(h, "layer1", (nn_dense_options){.units = 2 * filters}), slope);
    h = nn_leaky_relu(nn_dense(h, "layer2", (nn_dense_options){.units = 2 * filters}), slope);
    return nn_dense(h, "logit", (nn_dense_options){.units = 1, .init = NN_INIT_XAVIER});
}

nn_node *model_build_discriminator(nn_node *images, int filters) {
    if (!images)
        return NULL;
    nn_shape shape = nn_node_shape(images);
    return shape.rank == 4 && shape.dims[1] == 1 ? build_for_points(images, filters)
                                                 : build_for_images(images, filters);
}

static void build(model_discriminator *d, const model_gan_options *o) {
    nn_shape images = NN_SHAPE4(o->batch, o->height, o->width, o->channels), targets = NN_SHAPE2(o->batch, 1);
    d->real = nn_input(d->graph, "real", images);
    d->generated = nn_input(d->graph, "generated", images);
    d->real_targets = nn_input(d->graph, "real targets", targets);
    d->false_targets = nn_input(d->graph, "generated targets", targets);
    d->wanted_targets = nn_input(d->graph, "wanted targets", targets);
    d->real_logits = model_build_discriminator(d->real, o->filters);
    d->generated_logits = model_build_discriminator(d->generated, o->filters);
    d->learning_loss = nn_add(nn_binary_cross_entropy(d->real_logits, d->real_targets),
                              nn_binary_cross_entropy(d->generated_logits, d->false_targets));
    d->judging_loss = nn_binary_cross_entropy(d->generated_logits, d->wanted_targets);
}

static nn_status make_plans(model_discriminator *d, nn_error *error) {
    nn_node *logits[] = {d->real_logits, d->generated_logits};
    nn_plan_options learning = {.training = true, .loss = d->learning_loss, .keep = logits, .keep_count = 2};
    nn_plan_options judging = {.training = true,
                               .fixed = true,
                               .loss = d->judging_loss,
                               .gradients = &d->generated,
                               .gradients_count = 1};
    nn_status status = nn_plan_new(&d->learning, d->graph, learning, error);
    return status == NN_OK ? nn_plan_new(&d->judging, d->graph, judging, error) : status;
}

static void fill(float *targets, int count, double value) {
    for (int i = 0; i < count; i++)
        targets[i] = (float)value;
}

nn_status model_discriminator_begin(model_discriminator *d, const model_gan_options *o, double real_target,
                                    nn_error *error) {
    *d = (model_discriminator){.batch = o->batch,
                               .row = (size_t)o->height * (size_t)o->width * (size_t)o->channels};
    nn_store_begin(&d->store, o->seed);
    nn_status status = model_gan_check(o, error);
    if (status != NN_OK)
        return status;
    d->graph = nn_graph_new(&d->store);
    if (!d->graph)
        return nn_fail_memory(error, "the discriminator");
    build(d, o);
    status = make_plans(d, error);
    if (status == NN_OK) {
        fill(nn_plan_data(d->learning, d->real_targets), d->batch, real_target);
        fill(nn_plan_data(d->learning, d->false_targets), d->batch, 0);
        fill(nn_plan_data(d->judging, d->wanted_targets), d->batch, 1);
    }
    return status;
}

void model_discriminator_end(model_discriminator *d) {
    nn_plan_free(d->learning);
    nn_plan_free(d->judging);
    nn_graph_free(d->graph);
    nn_store_free(&d->store);
    *d = (model_discriminator){0};
}

static double share_positive(const float *logits, int count) {
    int positive = 0;
    for (int i = 0; i < count; i++)
        positive += logits[i] > 0;
    return (double)positive / count;
}

static void feed(const model_discriminator *d, nn_plan *plan, const nn_node *node, const float *images) {
    memcpy(nn_plan_data(plan, node), images, (size_t)d->batch * d->row * sizeof *images);
}

nn_status model_discriminator_learn(model_discriminator *d, const float *real, const float *generated,
                                    model_discriminator_result *result, nn_error *error) {
    nn_run run = {.rows = d->batch};
    feed(d, d->learning, d->real, real);
    feed(d, d->learning, d->generated, generated);
    nn_status status = nn_plan_forward(d->learning, run, error);
    if (status != NN_OK)
        return status;
    *result = (model_discriminator_result){
        .loss = nn_plan_scalar(d->learning, d->learning_loss),
        .real_accuracy = share_positive(nn_plan_data(d->learning, d->real_logits), d->batch),
        .generated_accuracy = 1 - share_positive(nn_plan_data(d->learning, d->generated_logits), d->batch)};
    return nn_plan_backward(d->learning, run, error);
}

nn_status model_discriminator_judge(model_discriminator *d, const float *generated, double *loss,
                                    const float **gradient, nn_error *error) {
    nn_run run = {.rows = d->batch};
    feed(d, d->judging, d->generated, generated);
    nn_status status = nn_plan_forward(d->judging, run, error);
    *loss = nn_plan_scalar(d->judging, d->judging_loss);
    *gradient = nn_plan_gradient(d->judging, d->generated);
    return status == NN_OK ? nn_plan_backward(d->judging, run, error) : status;
}
