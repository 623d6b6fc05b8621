#include "representations.h"

#include <string.h>

nn_status exp_representation_node(const exp_classifier *c, const char *name, const nn_node **node,
                                  nn_error *error) {
    char all[400] = "input";
    *node = NULL;
    for (int i = 0; i < c->taps; i++) {
        snprintf(all + strlen(all), sizeof all - strlen(all), ", %s", exp_tap_name(c, i));
        if (strcmp(name, exp_tap_name(c, i)) == 0)
            *node = nn_tap_node(c->graph, i);
    }
    if (!*node && strcmp(name, "input") == 0)
        *node = c->images;
    if (!*node && strcmp(name, "logits") == 0)
        *node = c->logits;
    return *node ? NN_OK
                 : nn_fail(error, NN_EARGUMENT, "--tap: there is no '%s'; there are: %s, logits", name, all);
}

nn_status exp_representations(exp_classifier *c, data_loader *loader, const nn_node *node, float *values,
                              int32_t *labels, nn_error *error) {
    size_t row = nn_shape_row(nn_node_shape(node)), done = 0;
    data_loader_seek(loader, 0);
    for (int i = data_loader_batches(loader); i > 0; i--) {
        const data_batch *batch = data_loader_next(loader);
        exp_classifier_feed(c, c->evaluation, batch);
        if (node != c->images &&
            nn_plan_forward(c->evaluation, (nn_run){.rows = batch->count}, error) != NN_OK)
            return error->status;
        memcpy(values + done * row, nn_plan_data(c->evaluation, node),
               (size_t)batch->count * row * sizeof *values);
        if (labels)
            memcpy(labels + done, batch->labels, (size_t)batch->count * sizeof *labels);
        done += (size_t)batch->count;
    }
    return NN_OK;
}
