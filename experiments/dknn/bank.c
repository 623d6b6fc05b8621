#include "bank.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "framework/kernels/kernels.h"
#include "framework/memory.h"

enum { BLOCK = 2048, KEPT_FROM = 3 }; /* examples of a block; the request from which on it is kept */

/* --- layers --------------------------------------------------------------------------------------------- */

/* Everything that can be a layer, in forward order. */
static int candidates(const exp_classifier *c, exp_bank_layer all[EXP_BANK_LAYERS_MAX]) {
    int count = 0;
    all[count++] = (exp_bank_layer){.name = "input", .node = c->images};
    for (int i = 0; i < c->taps; i++)
        all[count++] = (exp_bank_layer){.name = exp_tap_name(c, i), .node = nn_tap_node(c->graph, i)};
    all[count++] = (exp_bank_layer){.name = "logits", .node = c->logits};
    return count;
}

static nn_status no_layer(const exp_bank_layer *all, int count, const char *pattern, nn_error *error) {
    char names[400] = "";
    for (int i = 0; i < count && strlen(names) + NN_NAME_MAX + 2 < sizeof names; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "", all[i].name);
    return nn_fail(error, NN_EARGUMENT, "--layers: '%s' names no layer; there are: %s", pattern, names);
}

/* The pixels only where they are named. */
static bool matches(const char *pattern, const exp_bank_layer *layer, int place) {
    return place == 0 ? strcmp(pattern, layer->name) == 0 : fnmatch(pattern, layer->name, 0) == 0;
}

static nn_status choose(bool chosen[EXP_BANK_LAYERS_MAX], const exp_bank_layer *all, int count,
                        const char *layers, nn_error *error) {
    char text[EXP_TEXT_MAX], *rest = NULL;
    if (strlen(layers) >= sizeof text)
        return nn_fail(error, NN_EARGUMENT, "--layers: too long");
    strcpy(text, layers);
    for (char *item = strtok_r(text, ", ", &rest); item; item = strtok_r(NULL, ", ", &rest)) {
        bool found = false;
        for (int i = 0; i < count; i++)
            if (matches(item, &all[i], i))
                chosen[i] = found = true;
        if (!found)
            return no_layer(all, count, item, error);
    }
    return NN_OK;
}

static nn_status find_layers(exp_bank *b, const char *layers, nn_error *error) {
    exp_bank_layer all[EXP_BANK_LAYERS_MAX];
    bool chosen[EXP_BANK_LAYERS_MAX] = {false};
    int count = candidates(&b->run->classifier, all);
    nn_status status = choose(chosen, all, count, layers, error);
    bool none = true;
    for (int i = 0; i < count; i++)
        none = none && !chosen[i];
    for (int i = 0; i < count; i++) {
        if (!(none ? i > 0 : chosen[i]))
            continue;
        all[i].dims = (int)nn_shape_row(nn_node_shape(all[i].node));
        all[i].offset = b->dims;
        b->dims += (size_t)all[i].dims;
        b->layer[b->layers++] = all[i];
    }
    return status;
}

/* --- representations ------------------------------------------------------------------------------------ */

/* Divided by its length; zeros stay zeros. */
static void put_direction(int dims, const float *x, float *out) {
    double square = 0;
    for (int k = 0; k < dims; k++)
        square += (double)x[k] * x[k];
    double factor = square > 0 ? 1 / sqrt(square) : 0;
    for (int k = 0; k < dims; k++)
        out[k] = (float)(x[k] * factor);
}

static void put_predictions(const exp_bank *b, int rows, int32_t *predictions) {
    const exp_classifier *c = &b->run->classifier;
    const float *logits = nn_plan_data(c->evaluation, c->logits);
    for (int i = 0; i < rows; i++, logits += b->classes) {
        predictions[i] = 0;
        for (int k = 1; k < b->classes; k++)
            if (logits[k] > logits[predictions[i]])
                predictions[i] = k;
    }
}

/* One batch: rows `done` and on of what are `count` in all. */
static nn_status represent_batch(const exp_bank *b, const float *images, int rows, int done, int count,
                                 float *values, int32_t *predictions, nn_error *error) {
    const exp_classifier *c = &b->run->classifier;
    size_t image = nn_shape_row(nn_node_shape(c->images));
    memcpy(nn_plan_data(c->evaluation, c->images), images, (size_t)rows * image * sizeof *images);
    memset(nn_plan_labels(c->evaluation, c->labels), 0, (size_t)rows * sizeof(int32_t));
    nn_status status = nn_plan_forward(c->evaluation, (nn_run){.rows = rows}, error);
    if (status != NN_OK)
        return status;
    for (int l = 0; l < b->layers; l++) {
        size_t dims = (size_t)b->layer[l].dims;
        const float *from = nn_plan_data(c->evaluation, b->layer[l].node);
        float *to = values + (size_t)count * b->layer[l].offset + (size_t)done * dims;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
        for (int i = 0; i < rows; i++)
            if (b->unscaled)
                memcpy(to + (size_t)i * dims, from + (size_t)i * dims, dims * sizeof *to);
            else
                put_direction((int)dims, from + (size_t)i * dims, to + (size_t)i * dims);
    }
    if (predictions)
        put_predictions(b, rows, predictions + done);
    return NN_OK;
}

nn_status exp_bank_represent(const exp_bank *b, const float *images, int count, float *values,
                             int32_t *predictions, nn_error *error) {
    size_t image = nn_shape_row(nn_node_shape(b->run->classifier.images));
    int batch = b->run->classifier.batch;
    nn_status status = NN_OK;
    for (int done = 0; done < count && status == NN_OK; done += batch) {
        int rows = count - done < batch ? count - done : batch;
        status =
            represent_batch(b, images + (size_t)done * image, rows, done, count, values, predictions, error);
    }
    return status;
}

/* --- blocks --------------------------------------------------------------------------------------------- */

/* Memory for a block's representations, kept where it will be asked for again, it seems, and there is enough allowed. */
static float *block_memory(exp_bank *b, int number, int count) {
    size_t bytes = (size_t)count * b->dims * sizeof(float);
    if (++b->asked[number] >= KEPT_FROM && bytes <= b->memory &&
        (b->kept[number] = nn_memory_new(bytes)) != NULL) {
        b->memory -= bytes;
        return b->kept[number];
    }
    if (!b->scratch)
        b->scratch = nn_memory_new((size_t)b->block * b->dims * sizeof *b->scratch);
    return b->scratch;
}

static nn_status compute_block(exp_bank *b, int number, int count, float *values, nn_error *error) {
    int batch = b->run->classifier.batch;
    nn_status status = NN_OK;
    for (int done = 0; done < count && status == NN_OK; done += batch) {
        int rows = count - done < batch ? count - done : batch;
        exp_trained_run_images(b->run, &b->split, number * b->block + done, rows, b->images);
        status = represent_batch(b, b->images, rows, done, count, values, NULL, error);
    }
    return status;
}

nn_status exp_bank_block(exp_bank *b, int number, const float **values, int *count, nn_error *error) {
    int left = b->count - number * b->block;
    *count = left < b->block ? left : b->block;
    *values = b->kept[number];
    if (*values)
        return NN_OK;
    float *memory = block_memory(b, number, *count);
    if (!memory)
        return nn_fail_memory(error, "the training examples' representations");
    nn_status status = compute_block(b, number, *count, memory, error);
    if (status != NN_OK && memory == b->kept[number]) { /* half of it is not kept */
        free(memory);
        b->kept[number] = NULL;
    }
    *values = memory;
    return status;
}

/* --- opening -------------------------------------------------------------------------------------------- */

static size_t quarter_of_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page / 4 : (size_t)1 << 30;
}

static nn_status open_blocks(exp_bank *b, int training, nn_error *error) {
    int batch = b->run->classifier.batch;
    b->split = b->run->set.train;
    if (training > 0 && training < b->split.count)
        b->split.count = training;
    b->count = b->split.count;
    b->block = BLOCK;
    b->blocks = (b->count + b->block - 1) / b->block;
    b->kept = calloc((size_t)b->blocks + 1, sizeof *b->kept);
    b->asked = calloc((size_t)b->blocks + 1, sizeof *b->asked);
    b->images =
        calloc((size_t)batch * nn_shape_row(nn_node_shape(b->run->classifier.images)), sizeof *b->images);
    if (!b->kept || !b->asked || !b->images)
        return nn_fail_memory(error, "the training examples' representations");
    if (b->count == 0)
        return nn_fail(error, NN_EARGUMENT, "%s has no training examples", b->run->set.name);
    return NN_OK;
}

nn_status exp_bank_open(exp_bank *b, exp_trained_run *run, const char *layers, int training, size_t memory,
                        nn_error *error) {
    *b = (exp_bank){.run = run, .classes = run->set.classes, .memory = memory ? memory : quarter_of_memory()};
    nn_status status = find_layers(b, layers, error);
    return status == NN_OK ? open_blocks(b, training, error) : status;
}

void exp_bank_close(exp_bank *b) {
    free(b->images);
    for (int i = 0; b->kept && i < b->blocks; i++)
        free(b->kept[i]);
    free(b->kept);
    free(b->asked);
    free(b->scratch);
    *b = (exp_bank){0};
}
