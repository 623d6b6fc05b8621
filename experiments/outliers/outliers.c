#include "outliers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "density.h"
#include "temperatures.h"

/* Of images whose densities are computed together, and of training points kept. */
enum { CHUNK_BYTES = 256 << 20, CHUNK_LEAST = 64, KEPT_BYTES = 512 << 20 };

typedef struct job {
    exp_outliers *out;
    exp_trained_run *run;
    exp_dknn *dknn;
    const exp_outliers_options *o;
    exp_bank bank; /* its layers: the taps that have densities, in the columns' order, then the logits */
} job;

/* Images that are scored together, and where the scores go. */
typedef struct scoring {
    const char *name;
    const float *images; /* normalised */
    int count;
    const exp_dknn_verdict *verdicts; /* [count] */
    double *values;                   /* [columns][count] */
} scoring;

static bool stopped(const job *j) {
    return j->o->stop && *j->o->stop;
}

static void report(const job *j, const char *name, const char *doing, double done) {
    if (!j->o->report)
        return;
    snprintf(j->out->doing, sizeof j->out->doing, "%s: %s", name, doing);
    j->o->report(j->o->context, j->out->doing, done);
}

int exp_outliers_column(const exp_outliers *outliers, exp_score score) {
    int k = 0;
    while (outliers->column[k].score != score)
        k++;
    return k;
}

/* --- columns -------------------------------------------------------------------------------------------- */

static void add_column(exp_outliers *out, exp_score score, const char *layer, double temperature) {
    out->column[out->columns++] = (exp_outlier_column){score, layer, temperature};
}

/* The DkNN's layers that are taps, and the logits, as a list of the bank's. */
static nn_status list_layers(const job *j, const exp_tap_temperature *taps, int count, char *list,
                             size_t size, nn_error *error) {
    size_t length = 0;
    list[0] = '\0';
    for (int l = 0; l < exp_dknn_layers(j->dknn) && length < size; l++)
        for (int t = 0; t < count && length < size; t++)
            if (strcmp(taps[t].name, exp_dknn_layer(j->dknn, l)) == 0)
                length += (size_t)snprintf(list + length, size - length, "%s,", taps[t].name);
    if (length + sizeof "logits" > size)
        return nn_fail(error, NN_EARGUMENT, "--layers: too many for their densities; choose fewer");
    strcpy(list + length, "logits");
    return NN_OK;
}

static double temperature_of(const char *layer, const exp_tap_temperature *taps) {
    while (strcmp(taps->name, layer) != 0)
        taps++;
    return taps->temperature;
}

static nn_status open_bank(job *j, const char *folder, nn_error *error) {
    exp_tap_temperature taps[EXP_TAPS_MAX];
    char list[EXP_TEXT_MAX];
    bool cosine = j->run->options.distance == NN_COSINE;
    int count, references = exp_dknn_training(j->dknn);
    references = references < EXP_OUTLIER_REFERENCES ? references : EXP_OUTLIER_REFERENCES;
    nn_status status = exp_temperatures_read(folder, taps, EXP_TAPS_MAX, &count, error);
    if (status == NN_OK)
        status = list_layers(j, taps, count, list, sizeof list, error);
    if (status == NN_OK)
        status = exp_bank_open(&j->bank, j->run, list, references, KEPT_BYTES, error);
    if (status != NN_OK)
        return status;
    j->bank.unscaled = !cosine;
    j->out->references = j->bank.count;
    static const exp_score network[] = {EXP_SCORE_SOFTMAX, EXP_SCORE_ENERGY, EXP_SCORE_CREDIBILITY,
                                        EXP_SCORE_SUPPORT};
    for (int k = 0; k < 4; k++)
        add_column(j->out, network[k], NULL, 0);
    for (int l = 0; l + 1 < j->bank.layers; l++)
        for (exp_score score = EXP_SCORE_DENSITY; score <= EXP_SCORE_AGREEMENT; score++)
            add_column(j->out, score, j->bank.layer[l].name,
                       (cosine ? 2 : 1) * temperature_of(j->bank.layer[l].name, taps));
    return NN_OK;
}

/* --- densities ------------------------------------------------------------------------------------------ */

/* Everything about images first .. first + count - 1 of a scoring that rests on the bank. */
typedef struct chunk {
    int first, count;
    float *values; /* as exp_bank_represent leaves them */
    int32_t *predictions;
    double *log_sums; /* [count][classes] */
    exp_density *density[EXP_BANK_LAYERS_MAX];
} chunk;

static void chunk_free(chunk *c) {
    free(c->values);
    free(c->predictions);
    free(c->log_sums);
    for (int l = 0; l < EXP_BANK_LAYERS_MAX; l++)
        exp_density_free(c->density[l]);
}

static nn_status chunk_new(const job *j, chunk *c, int first, int count, nn_error *error) {
    *c = (chunk){.first = first, .count = count};
    c->values = malloc((size_t)count * j->bank.dims * sizeof *c->values);
    c->predictions = malloc((size_t)count * sizeof *c->predictions);
    c->log_sums = malloc((size_t)count * (size_t)j->bank.classes * sizeof *c->log_sums);
    return c->values && c->predictions && c->log_sums ? NN_OK : nn_fail_memory(error, "the densities");
}

/* The place of a column's scores for the chunk. */
static double *place(const scoring *s, const chunk *c, int column) {
    return s->values + (size_t)column * (size_t)s->count + c->first;
}

static void put_logit_scores(const job *j, const scoring *s, const chunk *c) {
    const exp_bank_layer *layer = &j->bank.layer[j->bank.layers - 1];
    const float *logits = c->values + (size_t)c->count * layer->offset;
    double *softmax = place(s, c, exp_outliers_column(j->out, EXP_SCORE_SOFTMAX)),
           *energy = place(s, c, exp_outliers_column(j->out, EXP_SCORE_ENERGY));
    for (int i = 0; i < c->count; i++) {
        softmax[i] = exp_score_log_softmax(logits + (size_t)i * (size_t)layer->dims, layer->dims);
        energy[i] = exp_score_energy(logits + (size_t)i * (size_t)layer->dims, layer->dims);
    }
}

static int first_layer_column(const job *j) {
    return j->out->columns - 2 * (j->bank.layers - 1);
}

static nn_status start_densities(const job *j, chunk *c, nn_error *error) {
    nn_status status = NN_OK;
    for (int l = 0; l + 1 < j->bank.layers && status == NN_OK; l++) {
        const exp_bank_layer *layer = &j->bank.layer[l];
        exp_density_options options = {.queries = c->count,
                                       .dims = layer->dims,
                                       .classes = j->bank.classes,
                                       .x = c->values + (size_t)c->count * layer->offset,
                                       .temperature =
                                           j->out->column[first_layer_column(j) + 2 * l].temperature};
        status = exp_density_new(&c->density[l], &options, error);
    }
    return status;
}

static nn_status add_references(job *j, chunk *c, nn_error *error) {
    nn_status status = NN_OK;
    for (int b = 0; b < j->bank.blocks && status == NN_OK && !stopped(j) && j->bank.layers > 1; b++) {
        const float *points;
        int count;
        status = exp_bank_block(&j->bank, b, &points, &count, error);
        for (int l = 0; l + 1 < j->bank.layers && status == NN_OK; l++)
            status = exp_density_add(c->density[l], count, points + (size_t)count * j->bank.layer[l].offset,
                                     j->bank.split.labels + (size_t)b * (size_t)j->bank.block, error);
    }
    return status;
}

static void put_density_scores(const job *j, const scoring *s, const chunk *c) {
    int classes = j->bank.classes;
    for (int l = 0; l + 1 < j->bank.layers; l++) {
        double *density = place(s, c, first_layer_column(j) + 2 * l),
               *agreement = place(s, c, first_layer_column(j) + 2 * l + 1);
        exp_density_take(c->density[l], c->log_sums);
        for (int i = 0; i < c->count; i++) {
            const double *sums = c->log_sums + (size_t)i * (size_t)classes;
            density[i] = exp_score_density(sums, classes);
            agreement[i] = exp_score_agreement(sums, classes, c->predictions[i]);
        }
    }
}

static nn_status score_chunk(job *j, const scoring *s, int first, int count, nn_error *error) {
    size_t image = nn_shape_row(nn_node_shape(j->run->classifier.images));
    chunk c;
    nn_status status = chunk_new(j, &c, first, count, error);
    if (status == NN_OK)
        status = exp_bank_represent(&j->bank, s->images + (size_t)first * image, count, c.values,
                                    c.predictions, error);
    if (status == NN_OK)
        put_logit_scores(j, s, &c);
    if (status == NN_OK)
        status = start_densities(j, &c, error);
    if (status == NN_OK)
        status = add_references(j, &c, error);
    if (status == NN_OK)
        put_density_scores(j, s, &c);
    chunk_free(&c);
    return status;
}

/* --- all scores ----------------------------------------------------------------------------------------- */

static void put_neighbor_scores(const job *j, const scoring *s) {
    int most = exp_dknn_calibration(j->dknn)->most;
    double *credibility =
               s->values + (size_t)exp_outliers_column(j->out, EXP_SCORE_CREDIBILITY) * (size_t)s->count,
           *support = s->values + (size_t)exp_outliers_column(j->out, EXP_SCORE_SUPPORT) * (size_t)s->count;
    for (int i = 0; i < s->count; i++) {
        credibility[i] = s->verdicts[i].credibility[j->o->variant];
        support[i] = most - s->verdicts[i].nonconformity;
    }
}

/* values: [columns][count], the caller's to free, after a failure too. */
static nn_status score(job *j, scoring s, double **values, nn_error *error) {
    size_t most = CHUNK_BYTES / (sizeof(float) * j->bank.dims);
    int size = most < CHUNK_LEAST ? CHUNK_LEAST : most < (size_t)s.count ? (int)most : s.count;
    s.values = *values = calloc((size_t)j->out->columns * (size_t)s.count, sizeof **values);
    if (!s.values)
        return nn_fail_memory(error, "the scores");
    nn_status status = NN_OK;
    put_neighbor_scores(j, &s);
    for (int first = 0; first < s.count && status == NN_OK && !stopped(j); first += size) {
        report(j, s.name, "densities", first / (double)s.count);
        status = score_chunk(j, &s, first, s.count - first < size ? s.count - first : size, error);
    }
    return status;
}

/* --- sources -------------------------------------------------------------------------------------------- */

static double mean_of(const double *values, int count, bool of_exponentials) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += of_exponentials ? exp(values[i]) : values[i];
    return sum / count;
}

static nn_status detect(const exp_outliers *out, exp_outlier_source *s, int column, nn_error *error) {
    exp_outlier_result *r = &s->results[column];
    const double *in = out->values + (size_t)column * (size_t)out->in,
                 *others = s->values + (size_t)column * (size_t)s->count;
    bool logarithm = out->column[column].score == EXP_SCORE_SOFTMAX;
    r->mean_in = mean_of(in, out->in, logarithm);
    r->mean_out = mean_of(others, s->count, logarithm);
    return exp_detect(in, out->in, others, s->count, &r->detection, NULL, NULL, error);
}

static nn_status judge(job *j, exp_outlier_source *s, const exp_source_images *made, nn_error *error) {
    exp_dknn_verdict *verdicts = calloc((size_t)made->count, sizeof *verdicts);
    if (!verdicts)
        return nn_fail_memory(error, "the verdicts");
    report(j, s->source.name, "nearest neighbors", 0);
    nn_status status = exp_dknn_judge(j->dknn, made->images, made->count, verdicts, NULL, error);
    if (status == NN_OK && !stopped(j))
        status = score(
            j,
            (scoring){
                .name = s->source.name, .images = made->images, .count = made->count, .verdicts = verdicts},
            &s->values, error);
    free(verdicts);
    return status;
}

static nn_status measure_source(job *j, exp_outlier_source *s, nn_error *error) {
    exp_source_images made;
    nn_status status =
        exp_source_make(&s->source, j->run, j->o->root, j->o->first, j->out->in, j->o->seed, &made, error);
    if (status == NN_OK) {
        s->count = made.count;
        exp_source_normalize(j->run, made.count, made.images);
        status = judge(j, s, &made, error);
    }
    free(made.images);
    s->results = calloc((size_t)j->out->columns, sizeof *s->results);
    if (status == NN_OK && !s->results)
        status = nn_fail_memory(error, "the results");
    for (int k = 0; k < j->out->columns && status == NN_OK && !stopped(j); k++)
        status = detect(j->out, s, k, error);
    return status;
}

static nn_status score_own(job *j, nn_error *error) {
    const exp_trained_run *run = j->run;
    int count = j->out->in = j->o->count;
    size_t image = nn_shape_row(nn_node_shape(run->classifier.images));
    float *images = malloc((size_t)count * image * sizeof *images);
    if (!images)
        return nn_fail_memory(error, "the test images");
    exp_trained_run_images(run, &run->set.test, j->o->first, count, images);
    nn_status status = score(
        j, (scoring){.name = run->set.name, .images = images, .count = count, .verdicts = j->o->verdicts},
        &j->out->values, error);
    free(images);
    return status;
}

nn_status exp_outliers_measure(exp_outliers *out, exp_trained_run *run, const char *folder, exp_dknn *dknn,
                               const exp_outliers_options *options, nn_error *error) {
    job j = {.out = out, .run = run, .dknn = dknn, .o = options};
    *out = (exp_outliers){0};
    char weight[32];
    snprintf(out->title, sizeof out->title, "%s on %s, SNNL weight %s", run->options.model, run->set.name,
             exp_number_text(run->options.snnl_weight, weight));
    nn_status status = open_bank(&j, folder, error);
    if (status == NN_OK)
        status = score_own(&j, error);
    for (int k = 0; k < options->source_count && status == NN_OK && !stopped(&j); k++) {
        out->source[k].source = options->sources[k];
        status = measure_source(&j, &out->source[k], error);
        if (status == NN_OK && !stopped(&j))
            out->sources++;
    }
    exp_bank_close(&j.bank);
    return status;
}

void exp_outliers_free(exp_outliers *out) {
    for (int k = 0; k < EXP_SOURCES_MAX; k++) {
        exp_outlier_source *s = &out->source[k];
        free(s->results);
        free(s->values);
    }
    free(out->values);
    *out = (exp_outliers){0};
}
