/* report_embeddings.c - layers of trained networks in the plane, by t-SNE. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/embed/source.h"
#include "experiments/study/summary.h"
#include "experiments/tsne/tsne.h"
#include "section.h"

enum { EXAMPLES = 400 }; /* of the test set: more dots make a page large, and no clearer */

/* SNNL at its optimal temperature. */
static nn_status measure(const exp_embed_source *source, const double *y, double snnl[2], nn_error *error) {
    nn_snnl_points points = {
        .count = source->count, .dims = source->dims, .x32 = source->x, .labels = source->labels};
    nn_snnl_points plane = {.count = source->count, .dims = 2, .x64 = y, .labels = source->labels};
    nn_snnl_result result = {0};
    nn_status status = nn_snnl_measure(&points, 0, &result, NULL, error);
    snnl[0] = result.value;
    if (status == NN_OK)
        status = nn_snnl_measure(&plane, 0, &result, NULL, error);
    snnl[1] = result.value;
    return status;
}

static void add_class(exp_chart *chart, const exp_embed_source *source, const double *y, int class) {
    char color[EXP_COLOR_MAX];
    int members = 0;
    for (int i = 0; i < source->count; i++)
        members += source->labels[i] == class;
    snprintf(color, sizeof color, "#%06X", exp_class_color(class, source->classes));
    exp_series *series = exp_chart_add(chart, source->names[class], color, EXP_CHART_DOTS, members, false);
    for (int i = 0, k = 0; series && i < source->count; i++)
        if (source->labels[i] == class) {
            series->x[k] = y[2 * i];
            series->y[k++] = y[2 * i + 1];
        }
}

static nn_status embed_points(const exp_embed_source *source, double *y, nn_error *error) {
    exp_tsne_options options = exp_tsne_defaults;
    double kl;
    options.perplexity = fmin(options.perplexity, exp_tsne_largest_perplexity(source->count));
    return exp_tsne(&options, source->count, source->dims, source->x, y, &kl, error);
}

/* One panel; its legend is enough for all of a block. */
static nn_status draw(exp_section *section, const exp_embed_source *source, const char *what, bool legend,
                      nn_error *error) {
    double snnl[2], *y = calloc(2 * (size_t)source->count + 1, sizeof *y);
    char values[64];
    nn_status status = y ? embed_points(source, y, error) : nn_fail_memory(error, "an embedding");
    if (status == NN_OK)
        status = measure(source, y, snnl, error);
    if (status == NN_OK) {
        snprintf(values, sizeof values, "SNNL %.2f, in the plane %.2f", snnl[0], snnl[1]);
        exp_chart *chart = exp_chart_new(what, values, "");
        for (int class = 0; chart && class < source->classes; class ++)
            add_class(chart, source, y, class);
        if (chart)
            chart->no_legend = !legend;
        status = exp_section_chart(section, chart, error);
    }
    free(y);
    return status;
}

static nn_status embed(exp_section *section, const exp_block_results *b, const exp_study_result *r,
                       const char *tap, nn_error *error) {
    exp_run_request request = {
        .run = exp_study_path(b->table, r->run, ""), .data = section->data, .examples = EXAMPLES};
    exp_embed_source source;
    char what[128], label[EXP_CONDITION_MAX];
    bool pixels = strcmp(tap, "input") == 0;
    nn_status status = exp_embed_source_run(&source, &request, tap, error);
    if (pixels)
        snprintf(what, sizeof what, "pixels");
    else
        snprintf(what, sizeof what, "%.40s, %.60s", tap, exp_condition_label(r->run, label));
    if (status == NN_OK)
        status = draw(section, &source, what, pixels, error);
    exp_embed_source_free(&source);
    return status == NN_OK ? NN_OK : exp_section_omit(section, what, error);
}

/* Number k of n of a run's layers that are not inside a block, evenly from the first to the last. */
static const char *layer_at(const exp_study_result *r, int k, int n) {
    int outer = 0, wanted;
    for (int i = 0; i < r->tap_count; i++)
        outer += !exp_is_inner_tap(r->taps[i].name);
    wanted = k * (outer - 1) / (n - 1);
    for (int i = 0; i < r->tap_count; i++)
        if (!exp_is_inner_tap(r->taps[i].name) && wanted-- == 0)
            return r->taps[i].name;
    return NULL;
}

/* The middle layer and the last one; of a network of one layer that. */
static nn_status embed_layers(exp_section *section, const exp_block_results *b, const exp_study_result *r,
                              nn_error *error) {
    const char *middle = layer_at(r, 1, 3), *last = layer_at(r, 2, 3);
    nn_status status = NN_OK;
    if (middle && middle != last)
        status = embed(section, b, r, middle, error);
    return last && status == NN_OK ? embed(section, b, r, last, error) : status;
}

static bool is_shown(const exp_study_result *r) {
    return r->state == EXP_RUN_DONE && r->run->options.snnl_weight >= 0;
}

/* The pixels stand behind the first network's layers, so that those of the others come to lie under them. */
nn_status exp_report_embeddings(exp_section *section, const exp_block_results *b, nn_error *error) {
    nn_status status = NN_OK;
    int networks = 0;
    for (int c = 0; c < b->block->conditions && status == NN_OK; c++) {
        if (!is_shown(&b->results[c]))
            continue;
        if (networks == 0) {
            exp_html_element(section->page, "h3", "%s in the plane", b->block->name);
            exp_html_element(
                section->page, "p",
                "t-SNE of test examples, the first %d where there are more, and the SNNL at its optimal "
                "temperature before and after.",
                EXAMPLES);
            exp_section_grid(section, true);
        }
        status = embed_layers(section, b, &b->results[c], error);
        if (networks++ == 0 && status == NN_OK)
            status = embed(section, b, &b->results[c], "input", error);
    }
    if (networks > 0)
        exp_section_grid_end(section);
    return status;
}
