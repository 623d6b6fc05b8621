#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/common/json.h"
#include "experiments/common/scatter.h"
#include "framework/kernels/kernels.h"

enum { PATH_SIZE = EXP_TEXT_MAX + 8 };

nn_status exp_embedding_check_folder(const char *out, nn_error *error) {
    char folder[EXP_TEXT_MAX];
    snprintf(folder, sizeof folder, "%s", out);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    else
        strcpy(folder, ".");
    if (access(folder, W_OK | X_OK) != 0)
        return nn_fail(error, NN_EFILE, "--out: cannot write to the folder %s: %s", folder, strerror(errno));
    return NN_OK;
}

/* --- measuring ------------------------------------------------------------------------------------------ */

nn_status exp_embedding_measure_before(exp_embedding *e, nn_error *error) {
    const exp_embed_source *s = e->source;
    nn_snnl_points points = {.count = s->count, .dims = s->dims, .x32 = s->x, .labels = s->labels};
    return s->labels ? nn_snnl_measure(&points, 0, &e->before, NULL, error) : NN_OK;
}

nn_status exp_embedding_measure_after(exp_embedding *e, nn_error *error) {
    const exp_embed_source *s = e->source;
    nn_snnl_points points = {.count = s->count, .dims = 2, .x64 = e->y, .labels = s->labels};
    return s->labels ? nn_snnl_measure(&points, 0, &e->after, NULL, error) : NN_OK;
}

/* --- summary -------------------------------------------------------------------------------------------- */

static void add_measured(cJSON *json, const char *name, const nn_snnl_result *result) {
    cJSON *measured = cJSON_AddObjectToObject(json, name);
    cJSON_AddNumberToObject(measured, "snnl", result->value);
    cJSON_AddNumberToObject(measured, "temperature", result->temperature);
}

static cJSON *describe(const exp_embedding *e) {
    const exp_embed_source *s = e->source;
    cJSON *json = exp_json_new();
    cJSON_AddStringToObject(json, "shown", s->title);
    cJSON_AddNumberToObject(json, "points", s->count);
    cJSON_AddNumberToObject(json, "dims", s->dims);
    if (s->labels)
        cJSON_AddNumberToObject(json, "classes", s->classes);
    cJSON_AddNumberToObject(json, "perplexity", e->options->perplexity);
    cJSON_AddBoolToObject(json, "exact", exp_tsne_is_exact(e->options, s->count));
    if (!exp_tsne_is_exact(e->options, s->count))
        cJSON_AddNumberToObject(json, "theta", e->options->theta);
    cJSON_AddStringToObject(json, "start", e->options->start == EXP_TSNE_RANDOM ? "random" : "principal");
    cJSON_AddNumberToObject(json, "seed", (double)e->options->seed);
    cJSON_AddNumberToObject(json, "iterations", e->iterations);
    cJSON_AddBoolToObject(json, "interrupted", e->interrupted);
    cJSON_AddNumberToObject(json, "kl", e->kl);
    if (e->before.usable > 0) {
        add_measured(json, "representation", &e->before);
        add_measured(json, "embedding", &e->after);
    }
    cJSON_AddNumberToObject(json, "seconds", e->seconds);
    cJSON_AddNumberToObject(json, "threads", nn_threads());
    cJSON_AddStringToObject(json, "kernels", nn_kernels_active()->name);
    cJSON_AddStringToObject(json, "version", exp_version);
    return json;
}

/* --- coordinates and picture ---------------------------------------------------------------------------- */

static nn_status write_coordinates(const exp_embedding *e, const char *path, nn_error *error) {
    size_t dims[2] = {(size_t)e->source->count, 2};
    float *single = calloc(2 * dims[0], sizeof *single);
    if (!single)
        return nn_fail_memory(error, path);
    for (size_t k = 0; k < 2 * dims[0]; k++)
        single[k] = (float)e->y[k];
    nn_status status = nn_npy_write_floats(path, 2, dims, single, error);
    free(single);
    return status;
}

static nn_status draw(const exp_embedding *e, const char *png, const char *svg, nn_error *error) {
    const exp_embed_source *s = e->source;
    char title[sizeof s->title + 16], subtitle[400], early[64] = "";
    if (e->interrupted)
        snprintf(early, sizeof early, ", stopped after %d iterations", e->iterations);
    snprintf(title, sizeof title, "t-SNE: %s", s->title);
    snprintf(subtitle, sizeof subtitle, "%d points, perplexity %g, KL divergence %.3f%s", s->count,
             e->options->perplexity, e->kl, early);
    if (e->before.usable > 0)
        snprintf(subtitle + strlen(subtitle), sizeof subtitle - strlen(subtitle),
                 "; SNNL %.3g in %d dimensions, %.3g in the plane", e->before.value, s->dims, e->after.value);
    exp_scatter scatter = {.title = title,
                           .subtitle = subtitle,
                           .count = s->count,
                           .y = e->y,
                           .labels = s->labels,
                           .classes = s->classes,
                           .names = (const char(*)[DATA_NAME_MAX])s->names};
    return exp_scatter_draw(&scatter, png, svg, error);
}

nn_status exp_embedding_write(const exp_embedding *e, const char *out, FILE *output, nn_error *error) {
    static const char *const endings[] = {"npy", "json", "png", "svg"};
    char path[4][PATH_SIZE];
    for (int k = 0; k < 4; k++)
        snprintf(path[k], sizeof path[k], "%s.%s", out, endings[k]);
    nn_status status = write_coordinates(e, path[0], error);
    if (status == NN_OK)
        status = draw(e, path[2], path[3], error);
    if (status == NN_OK)
        status = exp_json_write(describe(e), path[1], output, error);
    return status;
}
