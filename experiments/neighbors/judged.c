#include "judged.h"

#include <stdlib.h>

static nn_status allocate(exp_judged *j, nn_error *error) {
    size_t n = (size_t)j->count, layers = (size_t)exp_dknn_layers(j->dknn);
    j->verdicts = calloc(n, sizeof *j->verdicts);
    j->neighbors = calloc(n * layers * (size_t)exp_dknn_neighbors(j->dknn), sizeof *j->neighbors);
    j->votes = calloc(n * layers * (size_t)exp_dknn_classes(j->dknn), sizeof *j->votes);
    return j->verdicts && j->neighbors && j->votes ? NN_OK
                                                   : nn_fail_memory(error, "the examples' neighbours");
}

nn_status exp_judged_new(exp_judged *j, exp_dknn *dknn, const exp_trained_run *run, const data_split *split,
                         int first, int count, nn_error *error) {
    *j = (exp_judged){.dknn = dknn, .split = split, .first = first, .count = count};
    nn_status status = allocate(j, error);
    size_t size = (size_t)run->set.height * (size_t)run->set.width * (size_t)run->set.channels;
    float *images = calloc((size_t)count * size, sizeof *images);
    if (status == NN_OK && !images)
        status = nn_fail_memory(error, "the examples");
    if (status == NN_OK) {
        const exp_dknn_evidence evidence = {.neighbors = j->neighbors, .votes = j->votes};
        exp_trained_run_images(run, split, first, count, images);
        status = exp_dknn_judge(dknn, images, count, j->verdicts, &evidence, error);
    }
    free(images);
    return status;
}

void exp_judged_free(exp_judged *j) {
    free(j->verdicts);
    free(j->neighbors);
    free(j->votes);
    *j = (exp_judged){0};
}

int exp_judged_label(const exp_judged *j, int i) {
    return j->split->labels[j->first + i];
}

static size_t row(const exp_judged *j, int i, int layer) {
    return (size_t)i * (size_t)exp_dknn_layers(j->dknn) + (size_t)layer;
}

const int32_t *exp_judged_neighbors(const exp_judged *j, int i, int layer) {
    return j->neighbors + row(j, i, layer) * (size_t)exp_dknn_neighbors(j->dknn);
}

const int32_t *exp_judged_votes(const exp_judged *j, int i, int layer) {
    return j->votes + row(j, i, layer) * (size_t)exp_dknn_classes(j->dknn);
}

static bool more_credible(const exp_dknn_verdict *a, const exp_dknn_verdict *b, exp_dknn_variant variant) {
    if (a->credibility[variant] != b->credibility[variant])
        return a->credibility[variant] > b->credibility[variant];
    return a->nonconformity < b->nonconformity;
}

int exp_judged_most_credible(const exp_judged *j, exp_dknn_variant variant) {
    int best = 0;
    for (int i = 1; i < j->count; i++)
        if (more_credible(&j->verdicts[i], &j->verdicts[best], variant))
            best = i;
    return best;
}

int exp_judged_least_credible(const exp_judged *j, exp_dknn_variant variant) {
    int worst = 0;
    for (int i = 1; i < j->count; i++)
        if (more_credible(&j->verdicts[worst], &j->verdicts[i], variant))
            worst = i;
    return worst;
}
