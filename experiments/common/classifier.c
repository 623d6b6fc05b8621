#include "classifier.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *exp_tap_name(const exp_classifier *c, int tap) {
    return nn_tap_name(c->graph, tap);
}

/* --- weights -------------------------------------------------------------------------------------------- */

static nn_status no_tap(const exp_classifier *c, const char *pattern, nn_error *error) {
    char all[400] = "";
    for (int i = 0; i < c->taps; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", exp_tap_name(c, i));
    return nn_fail(error, NN_EARGUMENT, "--snnl-layers: '%s' names no tap; there are: %s", pattern, all);
}

/* One "GLOB" or "GLOB=W" of --snnl-layers. */
static nn_status weigh(exp_classifier *c, char *item, double common, nn_error *error) {
    char *equals = strchr(item, '='), *end = "";
    double weight = common;
    if (equals) {
        *equals = '\0';
        weight = strtod(equals + 1, &end);
    }
    if (*end || !isfinite(weight) || (equals && equals[1] == '\0'))
        return nn_fail(error, NN_EARGUMENT, "--snnl-layers: the weight of '%s' is not a number", item);
    bool found = false;
    for (int i = 0; i < c->taps; i++)
        if (fnmatch(item, exp_tap_name(c, i), 0) == 0) {
            c->weight[i] = common == 0 ? 0 : weight;
            found = true;
        }
    return found ? NN_OK : no_tap(c, item, error);
}

static nn_status weigh_taps(exp_classifier *c, const exp_train_options *options, nn_error *error) {
    char layers[EXP_TEXT_MAX], *rest = NULL;
    strcpy(layers, options->snnl_layers);
    nn_status status = NN_OK;
    for (char *item = strtok_r(layers, ", ", &rest); item && status == NN_OK;
         item = strtok_r(NULL, ", ", &rest))
        status = weigh(c, item, options->snnl_weight, error);
    return status;
}

/* --- building ------------------------------------------------------------------------------------------- */

static void add_losses(exp_classifier *c, const exp_train_options *options) {
    nn_snnl_options snnl = {.distance = options->distance,
                            .mode = options->temperature_mode,
                            .temperature = (float)options->temperature};
    c->cross_entropy = nn_cross_entropy(c->logits, c->labels);
    c->accuracy = nn_accuracy(c->logits, c->labels);
    c->loss = c->cross_entropy;
    for (int i = 0; i < c->taps; i++) {
        char name[NN_NAME_MAX + 8];
        snprintf(name, sizeof name, "snnl/%s", exp_tap_name(c, i));
        c->snnl[i] = nn_snnl(nn_tap_node(c->graph, i), c->labels, name, snnl);
        if (c->weight[i] != 0)
            c->loss = nn_add(c->loss, nn_scale(c->snnl[i], (float)-c->weight[i]));
    }
}

static nn_status plan_training(exp_classifier *c, nn_error *error) {
    nn_node *keep[EXP_TAPS_MAX + 2] = {c->cross_entropy, c->accuracy}, *metrics[EXP_TAPS_MAX];
    int kept = 2, measured = 0;
    for (int i = 0; i < c->taps; i++)
        if (c->weight[i] != 0)
            keep[kept++] = c->snnl[i];
        else
            metrics[measured++] = c->snnl[i];
    nn_plan_options options = {.training = true,
                               .loss = c->loss,
                               .keep = keep,
                               .keep_count = kept,
                               .metrics = metrics,
                               .metrics_count = measured};
    return nn_plan_new(&c->training, c->graph, options, error);
}

static nn_status plan_evaluation(exp_classifier *c, bool keep_taps, nn_error *error) {
    nn_node *keep[EXP_TAPS_MAX + 3] = {c->logits, c->cross_entropy, c->accuracy};
    int kept = 3;
    for (int i = 0; keep_taps && i < c->taps; i++)
        keep[kept++] = nn_tap_node(c->graph, i);
    nn_plan_options options = {
        .keep = keep, .keep_count = kept, .metrics = c->snnl, .metrics_count = c->taps};
    return nn_plan_new(&c->evaluation, c->graph, options, error);
}

/* The attacked loss is the cross-entropy alone: SNNL would tie the examples of a batch to each other. */
static nn_status plan_attack(exp_classifier *c, nn_error *error) {
    nn_plan_options options = {.loss = c->cross_entropy,
                               .keep = &c->logits,
                               .keep_count = 1,
                               .gradients = &c->images,
                               .gradients_count = 1,
                               .fixed = true};
    return nn_plan_new(&c->attack, c->graph, options, error);
}

static nn_status find_model(const exp_train_options *options, const model_network **m, nn_error *error) {
    char all[256] = "";
    for (const model_network *other = model_networks; other->name; other++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", other == model_networks ? "" : ", ",
                 other->name);
    *m = model_find(options->model);
    return *m ? NN_OK
              : nn_fail(error, NN_EARGUMENT, "--model: there is no '%s'; there are: %s", options->model, all);
}

static nn_status check_size(const model_network *m, const data_set *set, nn_error *error) {
    int side = set->height < set->width ? set->height : set->width;
    if (side < m->smallest)
        return nn_fail(error, NN_ESHAPE,
                       "--model %s takes images of at least %d x %d, those of %s are %d x %d", m->name,
                       m->smallest, m->smallest, set->name, set->height, set->width);
    return NN_OK;
}

/* From images to logits, and which taps carry which weight. */
static nn_status build_network(exp_classifier *c, const exp_train_options *options, const data_set *set,
                               nn_error *error) {
    const model_network *m;
    nn_status status = find_model(options, &m, error);
    if (status == NN_OK)
        status = check_size(m, set, error);
    if (status != NN_OK)
        return status;
    c->graph = nn_graph_new(&c->store);
    if (!c->graph)
        return nn_fail_memory(error, "the graph");
    c->images = nn_input(c->graph, "image", NN_SHAPE4(c->batch, set->height, set->width, set->channels));
    c->labels = nn_labels(c->graph, "label", c->batch, set->classes);
    c->logits = m->build(c->images, set->classes);
    c->taps = nn_tap_count(c->graph);
    return weigh_taps(c, options, error);
}

nn_status exp_classifier_check(const exp_train_options *options, nn_error *error) {
    const data_set any = {.height = 32, .width = 32, .channels = 3, .classes = 10};
    exp_classifier c = {.batch = 1};
    nn_store_begin(&c.store, 0);
    nn_status status = build_network(&c, options, &any, error);
    exp_classifier_free(&c);
    return status;
}

nn_status exp_classifier_build(exp_classifier *c, const exp_train_options *options, const data_set *set,
                               exp_purpose purpose, nn_error *error) {
    *c = (exp_classifier){.batch = (int)options->batch};
    nn_store_begin(&c->store, options->seed);
    nn_status status = build_network(c, options, set, error);
    if (status != NN_OK)
        return status;
    add_losses(c, options);
    if (purpose == EXP_TRAIN)
        status = plan_training(c, error);
    if (purpose == EXP_ATTACK)
        status = plan_attack(c, error);
    bool keep_taps = purpose == EXP_DUMP || purpose == EXP_ATTACK;
    return status == NN_OK ? plan_evaluation(c, keep_taps, error) : status;
}

void exp_classifier_free(exp_classifier *c) {
    nn_plan_free(c->training);
    nn_plan_free(c->evaluation);
    nn_plan_free(c->attack);
    nn_graph_free(c->graph);
    nn_store_free(&c->store);
    *c = (exp_classifier){0};
}

/* --- running -------------------------------------------------------------------------------------------- */

void exp_classifier_feed(const exp_classifier *c, nn_plan *plan, const data_batch *batch) {
    size_t image = nn_shape_row(nn_node_shape(c->images));
    memcpy(nn_plan_data(plan, c->images), batch->images, (size_t)batch->count * image * sizeof(float));
    memcpy(nn_plan_labels(plan, c->labels), batch->labels, (size_t)batch->count * sizeof(int32_t));
}

void exp_classifier_read(const exp_classifier *c, const nn_plan *plan, bool metrics, exp_measurement *m) {
    m->cross_entropy = m->loss = nn_plan_scalar(plan, c->cross_entropy);
    m->accuracy = nn_plan_scalar(plan, c->accuracy);
    for (int i = 0; i < c->taps; i++) {
        if (!metrics && !(plan == c->training && c->weight[i] != 0))
            continue;
        const nn_snnl_result *result = nn_plan_report(plan, c->snnl[i]);
        m->snnl[i] = result->value;
        m->temperature[i] = result->temperature;
        m->loss -= c->weight[i] * result->value;
    }
}

data_batch_options exp_evaluation_batches(int batch) {
    return (data_batch_options){.batch = batch};
}

static void calibrate(const exp_classifier *c, const data_batch *batch, exp_calibration *calibration) {
    const float *logits = nn_plan_data(c->evaluation, c->logits);
    const int classes = (int)nn_shape_row(nn_node_shape(c->logits));
    for (int b = 0; b < batch->count; b++)
        exp_calibration_add_logits(calibration, logits + (size_t)b * (size_t)classes, classes,
                                   batch->labels[b]);
}

nn_status exp_classifier_evaluate(exp_classifier *c, data_loader *loader, bool taps, exp_measurement *m,
                                  nn_error *error) {
    *m = (exp_measurement){0};
    data_loader_seek(loader, 0);
    for (int i = data_loader_batches(loader); i > 0; i--) {
        const data_batch *batch = data_loader_next(loader);
        nn_run run = {.rows = batch->count, .metrics = taps};
        exp_measurement one = {0};
        exp_classifier_feed(c, c->evaluation, batch);
        if (nn_plan_forward(c->evaluation, run, error) != NN_OK)
            return error->status;
        exp_classifier_read(c, c->evaluation, taps, &one);
        calibrate(c, batch, &m->calibration);
        double share = batch->count / (double)(m->examples + batch->count);
        m->examples += batch->count;
        m->loss += share * (one.loss - m->loss);
        m->cross_entropy += share * (one.cross_entropy - m->cross_entropy);
        m->accuracy += share * (one.accuracy - m->accuracy);
        for (int k = 0; taps && k < c->taps; k++) {
            m->snnl[k] += share * (one.snnl[k] - m->snnl[k]);
            m->temperature[k] += share * (log(one.temperature[k]) - m->temperature[k]);
        }
    }
    for (int k = 0; taps && k < c->taps; k++)
        m->temperature[k] = exp(m->temperature[k]);
    return NN_OK;
}
