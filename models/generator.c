/* generator.c - from latent vectors to images, by resize-convolutions, or to points of the plane.
 *
 *   z - dense (H/4 x W/4 x 2F) - norm - relu - upsample - conv F 3x3 - norm - relu - upsample - conv F/2 3x3 - norm -
 *       relu - conv C 3x3 - tanh
 *   z - dense 2F - relu - dense 2F - relu - dense C                                            (points, H = W = 1)
 *
 * F filters; 59 million operations for an image of 28 x 28 at F = 64, forward. */
#include <string.h>

#include "gan.h"

static nn_node *larger(nn_node *h, const char *conv, const char *norm, int filters) {
    h = nn_conv(nn_upsample(h, 2), conv,
                (nn_conv_options){.filters = filters, .kernel = 3, .padding = NN_SAME});
    return nn_relu(nn_batch_norm(h, norm, (nn_batch_norm_options){0}));
}

static nn_node *build_images(nn_node *latent, int height, int width, int channels, int filters) {
    if (!latent)
        return NULL;
    int batch = nn_node_shape(latent).dims[0], first = 2 * filters;
    nn_node *h = nn_dense(latent, "project", (nn_dense_options){.units = height / 4 * (width / 4) * first});
    h = nn_reshape(h, NN_SHAPE4(batch, height / 4, width / 4, first));
    h = nn_relu(nn_batch_norm(h, "project.norm", (nn_batch_norm_options){0}));
    h = larger(h, "up1", "up1.norm", filters);
    h = larger(h, "up2", "up2.norm", filters / 2);
    h = nn_conv(
        h, "image",
        (nn_conv_options){
            .filters = channels, .kernel = 3, .padding = NN_SAME, .bias = true, .init = NN_INIT_XAVIER});
    return nn_tanh(h);
}

static nn_node *build_points(nn_node *latent, int channels, int filters) {
    nn_node *h = nn_relu(nn_dense(latent, "hidden1", (nn_dense_options){.units = 2 * filters}));
    h = nn_relu(nn_dense(h, "hidden2", (nn_dense_options){.units = 2 * filters}));
    h = nn_dense(h, "point", (nn_dense_options){.units = channels, .init = NN_INIT_XAVIER});
    return h ? nn_reshape(h, NN_SHAPE4(nn_node_shape(h).dims[0], 1, 1, channels)) : NULL;
}

nn_node *model_build_generator(nn_node *latent, int height, int width, int channels, int filters) {
    return height == 1 ? build_points(latent, channels, filters)
                       : build_images(latent, height, width, channels, filters);
}

nn_status model_gan_check(const model_gan_options *o, nn_error *error) {
    bool points = o->height == 1 && o->width == 1;
    if (!points && (o->height < 4 || o->width < 4 || o->height % 4 || o->width % 4))
        return nn_fail(error, NN_EARGUMENT,
                       "images of %d x %d pixels cannot be generated: sides must be multiples of 4",
                       o->height, o->width);
    if (o->batch < 2 || o->latent < 1 || o->channels < 1 || o->filters < 2 || o->filters % 2)
        return nn_fail(
            error, NN_EARGUMENT,
            "a batch of %d, %d latent coordinates, %d channels and %d filters make no generator: the "
            "batch must be 2 or more, filters an even number",
            o->batch, o->latent, o->channels, o->filters);
    return NN_OK;
}

static nn_status make_plans(model_generator *g, nn_error *error) {
    nn_plan_options training = {.training = true, .loss = g->loss, .keep = &g->images, .keep_count = 1};
    nn_plan_options evaluation = {.keep = &g->images, .keep_count = 1};
    nn_status status = nn_plan_new(&g->training, g->graph, training, error);
    return status == NN_OK ? nn_plan_new(&g->evaluation, g->graph, evaluation, error) : status;
}

nn_status model_generator_begin(model_generator *g, const model_gan_options *o, nn_error *error) {
    *g = (model_generator){.row = (size_t)o->height * (size_t)o->width * (size_t)o->channels};
    nn_store_begin(&g->store, o->seed);
    nn_status status = model_gan_check(o, error);
    if (status != NN_OK)
        return status;
    g->graph = nn_graph_new(&g->store);
    if (!g->graph)
        return nn_fail_memory(error, "the generator");
    g->latent = nn_input(g->graph, "latent", NN_SHAPE2(o->batch, o->latent));
    g->images = model_build_generator(g->latent, o->height, o->width, o->channels, o->filters);
    g->given =
        nn_input(g->graph, "gradient of the images", NN_SHAPE4(o->batch, o->height, o->width, o->channels));
    g->loss = nn_dot(g->images, g->given);
    return make_plans(g, error);
}

void model_generator_end(model_generator *g) {
    nn_plan_free(g->training);
    nn_plan_free(g->evaluation);
    nn_graph_free(g->graph);
    nn_store_free(&g->store);
    *g = (model_generator){0};
}

static int batch_of(const model_generator *g) {
    return nn_node_shape(g->latent).dims[0];
}

static int latent_of(const model_generator *g) {
    return nn_node_shape(g->latent).dims[1];
}

nn_status model_generator_run(model_generator *g, const float *z, const float **images, nn_error *error) {
    size_t batch = (size_t)batch_of(g);
    memcpy(nn_plan_data(g->training, g->latent), z, batch * (size_t)latent_of(g) * sizeof *z);
    /* The loss of a gradient that is not known yet means nothing, but must be finite. */
    memset(nn_plan_data(g->training, g->given), 0, batch * g->row * sizeof(float));
    *images = nn_plan_data(g->training, g->images);
    return nn_plan_forward(g->training, (nn_run){.rows = (int)batch}, error);
}

nn_status model_generator_learn(model_generator *g, const float *gradient, nn_error *error) {
    int batch = batch_of(g);
    memcpy(nn_plan_data(g->training, g->given), gradient, (size_t)batch * g->row * sizeof *gradient);
    return nn_plan_backward(g->training, (nn_run){.rows = batch}, error);
}

nn_status model_generator_sample(model_generator *g, const float *z, int count, float *images,
                                 nn_error *error) {
    int batch = batch_of(g);
    size_t latent = (size_t)latent_of(g);
    for (int done = 0; done < count; done += batch) {
        int rows = count - done < batch ? count - done : batch;
        memcpy(nn_plan_data(g->evaluation, g->latent), z + (size_t)done * latent,
               (size_t)rows * latent * sizeof *z);
        if (nn_plan_forward(g->evaluation, (nn_run){.rows = rows}, error) != NN_OK)
            return error->status;
        memcpy(images + (size_t)done * g->row, nn_plan_data(g->evaluation, g->images),
               (size_t)rows * g->row * sizeof *images);
    }
    return NN_OK;
}
