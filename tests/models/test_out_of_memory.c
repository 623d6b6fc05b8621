/* Every model, built, planned for training with a loss on every tap and for inference, and run, as allocations fail. */
#include <stdio.h>
#include <stdlib.h>

#include "models/gan.h"
#include "models/models.h"
#include "tests/support/out_of_memory/out_of_memory.h"
#include "tests/support/support.h"

enum { BATCH = 2, CLASSES = 3 };

typedef struct subject {
    const model_network *model;
    bool training;
    nn_store
        *store; /* frozen by the first plan, so that not every try fills it with millions of initial values */
} subject;

/* Cross-entropy minus the SNNL of all taps. */
static nn_node *loss_of(nn_graph *graph, nn_node *logits, nn_node *labels) {
    nn_node *loss = nn_cross_entropy(logits, labels);
    int taps = nn_tap_count(graph);
    for (int i = 0; i < taps; i++) {
        char name[NN_NAME_MAX + 8];
        snprintf(name, sizeof name, "snnl/%s", nn_tap_name(graph, i));
        nn_node *snnl =
            nn_snnl(nn_tap_node(graph, i), labels, name, (nn_snnl_options){.mode = NN_TEMPERATURE_LEARNED});
        loss = nn_add(loss, nn_scale(snnl, -0.1f));
    }
    return loss;
}

static nn_status make_plan(const subject *s, nn_graph *graph, uint64_t *hash, nn_error *error) {
    int side = s->model->smallest;
    nn_node *images = nn_input(graph, "image", NN_SHAPE4(BATCH, side, side, 1));
    nn_node *labels = nn_labels(graph, "label", BATCH, CLASSES);
    nn_node *logits = s->model->build(images, CLASSES), *loss = loss_of(graph, logits, labels);
    nn_plan_options options = {
        .training = s->training, .loss = s->training ? loss : NULL, .keep = &loss, .keep_count = 1};
    nn_plan *plan;
    nn_status status = nn_plan_new(&plan, graph, options, error);
    if (status == NN_OK) {
        size_t bytes = nn_plan_bytes(plan);
        *hash = nn_hash(*hash, &bytes, sizeof bytes);
    }
    nn_plan_free(plan);
    return status;
}

static nn_status plan(void *context, uint64_t *hash, nn_error *error) {
    const subject *s = context;
    nn_graph *graph = nn_graph_new(s->store);
    nn_status status = graph ? make_plan(s, graph, hash, error) : nn_fail_memory(error, "the graph");
    nn_graph_free(graph);
    return status;
}

/* The graph alone, and the table of its parameters. */
static nn_status build(void *context, uint64_t *hash, nn_error *error) {
    const subject *s = context;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    if (!graph)
        return nn_fail_memory(error, "the graph");
    nn_node *images = nn_input(graph, "image", NN_SHAPE4(BATCH, s->model->smallest, s->model->smallest, 1));
    loss_of(graph, s->model->build(images, CLASSES), nn_labels(graph, "label", BATCH, CLASSES));
    *hash = nn_hash(*hash, &store.parameter_count, sizeof store.parameter_count);
    const nn_error *mistake = nn_graph_error(graph);
    nn_status status =
        mistake->status == NN_OK ? NN_OK : nn_fail(error, mistake->status, "%s", mistake->message);
    nn_graph_free(graph);
    nn_store_free(&store);
    return status;
}

static void try(const char *what, memory_operation *operation, subject *s) {
    char name[64];
    snprintf(name, sizeof name, "%s: %s", s->model->name, what);
    memory_try((memory_trial){.name = name, .operation = operation, .context = s});
}

static void test_table(void **state) {
    (void)state;
    for (const model_network *m = model_networks; m->name; m++) {
        nn_store store;
        nn_store_begin(&store, 1);
        subject inference = {.model = m, .store = &store},
                training = {.model = m, .training = true, .store = &store};
        try("graph with SNNL", build, &training);
        try("plan for training with SNNL", plan, &training);
        try("plan for inference", plan, &inference);
        nn_store_free(&store);
    }
}

static nn_status build_pair(void *context, uint64_t *hash, nn_error *error) {
    const model_gan_options *options = context;
    model_generator generator;
    model_discriminator discriminator = {0};
    nn_status status = model_generator_begin(&generator, options, error);
    if (status == NN_OK)
        status = model_discriminator_begin(&discriminator, options, 0.9, error);
    if (status == NN_OK)
        *hash =
            nn_hash(*hash, &discriminator.store.parameter_count, sizeof discriminator.store.parameter_count);
    model_generator_end(&generator);
    model_discriminator_end(&discriminator);
    return status;
}

static void test_gan(void **state) {
    (void)state;
    model_gan_options images = {
        .batch = BATCH, .latent = 3, .height = 8, .width = 8, .channels = 1, .filters = 2};
    model_gan_options points = {
        .batch = BATCH, .latent = 3, .height = 1, .width = 1, .channels = 2, .filters = 2};
    memory_try((memory_trial){
        .name = "generator, discriminator: images", .operation = build_pair, .context = &images});
    memory_try((memory_trial){
        .name = "generator, discriminator: points", .operation = build_pair, .context = &points});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_gan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
