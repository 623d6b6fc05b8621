#include "gradients.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/common/scatter.h"

/* Mean over the points with a partner of log((n - 1) / (n_class - 1)): at infinite temperature all others are
 * neighbours alike. */
static double limit_of(const exp_attack_evaluation *e, int count) {
    int of_class[DATA_CLASSES_MAX] = {0}, usable = 0;
    double sum = 0;
    for (int i = 0; i < count; i++)
        of_class[e->labels[i]]++;
    for (int c = 0; c < DATA_CLASSES_MAX; c++)
        if (of_class[c] > 1) {
            usable += of_class[c];
            sum += of_class[c] * log((count - 1.0) / (of_class[c] - 1.0));
        }
    return usable ? sum / usable : 0;
}

static void take_signs(exp_gradient_signs *s, size_t size) {
    int vanished = 0;
    for (int i = 0; i < s->count; i++) {
        float *signs = s->signs + (size_t)i * size;
        bool any = false;
        for (size_t k = 0; k < size; k++) {
            signs[k] = (float)((signs[k] > 0) - (signs[k] < 0));
            any = any || signs[k] != 0;
        }
        vanished += !any;
    }
    s->vanished = (double)vanished / s->count;
}

static nn_status embed(exp_gradient_signs *s, const exp_attack_evaluation *e, nn_error *error) {
    exp_tsne_options options = exp_tsne_defaults;
    options.perplexity = s->perplexity = fmin(options.perplexity, exp_tsne_largest_perplexity(s->count));
    options.stop = e->stop;
    return exp_tsne(&options, s->count, (int)e->models[0].size, s->signs, s->y, &s->kl, error);
}

nn_status exp_gradient_signs_new(exp_gradient_signs *s, const exp_attack_evaluation *e, int count,
                                 nn_error *error) {
    size_t size = e->models[0].size;
    *s = (exp_gradient_signs){.count = count, .limit = limit_of(e, count)};
    s->signs = calloc((size_t)count * size, sizeof *s->signs);
    s->y = calloc(2 * (size_t)count, sizeof *s->y);
    if (!s->signs || !s->y)
        return nn_fail_memory(error, "gradients: use --gradient-examples");
    nn_status status = exp_attack_model_gradient(&e->models[0], count, e->images, e->labels, s->signs, error);
    take_signs(s, size);
    nn_snnl_points points = {.count = count, .dims = (int)size, .x32 = s->signs, .labels = e->labels};
    if (status == NN_OK)
        status = nn_snnl_measure(&points, 0, &s->snnl, NULL, error);
    return status == NN_OK ? embed(s, e, error) : status;
}

void exp_gradient_signs_free(exp_gradient_signs *s) {
    free(s->signs);
    free(s->y);
}

nn_status exp_gradient_signs_draw(const exp_gradient_signs *s, const exp_attack_evaluation *e,
                                  const char *folder, nn_error *error) {
    const exp_attack_model *m = &e->models[0];
    const exp_train_options *o = &m->run.options;
    char title[EXP_TEXT_MAX + 128], subtitle[200], png[EXP_TEXT_MAX + 32], svg[EXP_TEXT_MAX + 32], weight[32];
    snprintf(title, sizeof title, "SNNL %.3f of gradient signs: %s on %.64s, weight %s", s->snnl.value,
             o->model, m->run.set.name, exp_number_text(o->snnl_weight, weight));
    snprintf(subtitle, sizeof subtitle,
             "t-SNE of the sign of the input gradient of cross-entropy; %d test images, SNNL by class at its "
             "best T = "
             "%.4g, at most %.3f",
             s->count, s->snnl.temperature, s->limit);
    snprintf(png, sizeof png, "%s/gradients.png", folder);
    snprintf(svg, sizeof svg, "%s/gradients.svg", folder);
    exp_scatter scatter = {.title = title,
                           .subtitle = subtitle,
                           .count = s->count,
                           .y = s->y,
                           .labels = e->labels,
                           .classes = m->run.set.classes,
                           .names = m->run.set.class_names};
    return exp_scatter_draw(&scatter, png, svg, error);
}
