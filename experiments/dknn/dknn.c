#include "dknn.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/knn/knn.h"
#include "framework/kernels/kernels.h"

/* Bytes that points of images judged together may take, with what is made of them for the search: an eighth of the
 * machine's at most; and the least number of these. */
static const size_t chunk_bytes = (size_t)2 << 30;
enum { CHUNK_LEAST = 256 };

const exp_dknn_options exp_dknn_defaults = {.layers = "", .neighbors = 75, .calibration = 750};

struct exp_dknn {
    exp_dknn_options o;
    exp_bank bank;
    exp_dknn_scores scores;
};

/* Images whose neighbours are looked for together. */
typedef struct chunk {
    int count;
    float *points;      /* as exp_bank_represent leaves them */
    int32_t *network;   /* [count] */
    int32_t *neighbors; /* [layers][count][k] */
    double *distances;
    int32_t *votes; /* [count][layers][classes] */
    exp_knn *knn[EXP_BANK_LAYERS_MAX];
} chunk;

/* How far a call has come, in images. */
typedef struct course {
    int begun, all;
} course;

static bool stopped(const exp_dknn *d) {
    return d->o.stop && *d->o.stop;
}

int exp_dknn_layers(const exp_dknn *d) {
    return d->bank.layers;
}

const char *exp_dknn_layer(const exp_dknn *d, int layer) {
    return d->bank.layer[layer].name;
}

int exp_dknn_dims(const exp_dknn *d, int layer) {
    return d->bank.layer[layer].dims;
}

int exp_dknn_neighbors(const exp_dknn *d) {
    return d->o.neighbors;
}

int exp_dknn_classes(const exp_dknn *d) {
    return d->bank.classes;
}

int exp_dknn_training(const exp_dknn *d) {
    return d->bank.count;
}

const exp_dknn_scores *exp_dknn_calibration(const exp_dknn *d) {
    return &d->scores;
}

/* --- neighbours ----------------------------------------------------------------------------------------- */

static void chunk_free(chunk *c) {
    free(c->points);
    free(c->network);
    free(c->neighbors);
    free(c->distances);
    free(c->votes);
    for (int l = 0; l < EXP_BANK_LAYERS_MAX; l++)
        exp_knn_free(c->knn[l]);
}

static nn_status chunk_new(const exp_dknn *d, chunk *c, int count, nn_error *error) {
    size_t n = (size_t)count, layers = (size_t)d->bank.layers, k = (size_t)d->o.neighbors;
    *c = (chunk){.count = count};
    c->points = calloc(n * d->bank.dims, sizeof *c->points);
    c->network = calloc(n, sizeof *c->network);
    c->neighbors = calloc(n * layers * k, sizeof *c->neighbors);
    c->distances = calloc(n * layers * k, sizeof *c->distances);
    c->votes = calloc(n * layers * (size_t)d->bank.classes, sizeof *c->votes);
    return c->points && c->network && c->neighbors && c->distances && c->votes
               ? NN_OK
               : nn_fail_memory(error, "the neighbours");
}

/* A search in each layer, once the images' points are known. */
static nn_status start_searches(const exp_dknn *d, chunk *c, nn_error *error) {
    nn_status status = NN_OK;
    for (int l = 0; l < d->bank.layers && status == NN_OK; l++) {
        const exp_bank_layer *layer = &d->bank.layer[l];
        exp_knn_options options = {.queries = c->count,
                                   .dims = layer->dims,
                                   .nearest = d->o.neighbors,
                                   .x = c->points + (size_t)c->count * layer->offset,
                                   .stop = d->o.stop};
        status = exp_knn_new(&c->knn[l], &options, error);
    }
    return status;
}

static void report(const exp_dknn *d, const chunk *c, course at, int blocks) {
    if (d->o.report)
        d->o.report(d->o.context, (at.begun + c->count * (double)blocks / d->bank.blocks) / (double)at.all);
}

static nn_status search_blocks(exp_dknn *d, chunk *c, course at, nn_error *error) {
    nn_status status = NN_OK;
    for (int b = 0; b < d->bank.blocks && status == NN_OK && !stopped(d); b++) {
        const float *points;
        int count;
        status = exp_bank_block(&d->bank, b, &points, &count, error);
        for (int l = 0; l < d->bank.layers && status == NN_OK; l++)
            status = exp_knn_add(c->knn[l], count, points + (size_t)count * d->bank.layer[l].offset, error);
        report(d, c, at, b + 1);
    }
    return status;
}

static void count_votes(const exp_dknn *d, chunk *c) {
    size_t k = (size_t)d->o.neighbors, classes = (size_t)d->bank.classes, layers = (size_t)d->bank.layers;
    for (size_t l = 0; l < layers; l++)
        for (size_t i = 0; i < (size_t)c->count; i++) {
            const int32_t *neighbors = c->neighbors + (l * (size_t)c->count + i) * k;
            for (size_t n = 0; n < k; n++)
                c->votes[(i * layers + l) * classes + d->bank.split.labels[neighbors[n]]]++;
        }
}

/* Fills in everything of the chunk; to be freed after a failure too. */
static nn_status chunk_search(exp_dknn *d, chunk *c, const float *images, int count, course at,
                              nn_error *error) {
    nn_status status = chunk_new(d, c, count, error);
    if (status == NN_OK)
        status = exp_bank_represent(&d->bank, images, count, c->points, c->network, error);
    if (status == NN_OK)
        status = start_searches(d, c, error);
    if (status == NN_OK)
        status = search_blocks(d, c, at, error);
    if (status != NN_OK || stopped(d))
        return status;
    for (int l = 0; l < d->bank.layers; l++) {
        size_t place = (size_t)l * (size_t)count * (size_t)d->o.neighbors;
        exp_knn_take(c->knn[l], c->neighbors + place, c->distances + place);
    }
    count_votes(d, c);
    return NN_OK;
}

/* --- verdicts ------------------------------------------------------------------------------------------- */

static int nonconformity(const exp_dknn *d, const chunk *c, int image, int class) {
    int votes = 0;
    for (int l = 0; l < d->bank.layers; l++)
        votes += c->votes[((size_t)image * (size_t)d->bank.layers + (size_t)l) * (size_t)d->bank.classes +
                          (size_t) class];
    return d->o.neighbors * d->bank.layers - votes;
}

/* The least nonconformity has the largest p, and the second least the second largest. */
static exp_dknn_verdict judge_one(const exp_dknn *d, const chunk *c, int image) {
    exp_dknn_verdict verdict = {.network = c->network[image]};
    int second = d->scores.most; /* at most: every neighbour of another class */
    verdict.nonconformity = nonconformity(d, c, image, 0);
    for (int class = 1; class < d->bank.classes; class ++) {
        int score = nonconformity(d, c, image, class);
        if (score < verdict.nonconformity) {
            second = verdict.nonconformity;
            verdict.nonconformity = score;
            verdict.prediction = class;
        } else if (score < second) {
            second = score;
        }
    }
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++) {
        verdict.credibility[v] = exp_dknn_p(&d->scores, (exp_dknn_variant)v, verdict.nonconformity);
        verdict.confidence[v] =
            1 - (d->bank.classes > 1 ? exp_dknn_p(&d->scores, (exp_dknn_variant)v, second) : 0);
    }
    return verdict;
}

static void put_p(const exp_dknn *d, const chunk *c, int image, double *p) {
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++)
        for (int class = 0; class < d->bank.classes; class ++)
            *p++ = exp_dknn_p(&d->scores, (exp_dknn_variant)v, nonconformity(d, c, image, class));
}

/* done: images of the call before this chunk; below 0, its first ones are none of the call's. */
static void put_evidence(const exp_dknn *d, const chunk *c, int done, const exp_dknn_evidence *evidence) {
    size_t k = (size_t)d->o.neighbors, classes = (size_t)d->bank.classes, layers = (size_t)d->bank.layers;
    size_t skipped = done < 0 ? (size_t)-done : 0, image = done < 0 ? 0 : (size_t)done;
    for (size_t i = skipped; i < (size_t)c->count; i++, image++) {
        for (size_t l = 0; l < layers; l++) {
            size_t to = (image * layers + l) * k, from = (l * (size_t)c->count + i) * k;
            if (evidence->neighbors)
                memcpy(evidence->neighbors + to, c->neighbors + from, k * sizeof *c->neighbors);
            if (evidence->distances)
                memcpy(evidence->distances + to, c->distances + from, k * sizeof *c->distances);
        }
        if (evidence->votes)
            memcpy(evidence->votes + image * layers * classes, c->votes + i * layers * classes,
                   layers * classes * sizeof *c->votes);
        if (evidence->p)
            put_p(d, c, (int)i, evidence->p + image * EXP_DKNN_VARIANTS * classes);
    }
}

/* --- calls ---------------------------------------------------------------------------------------------- */

/* What a call goes through: the calibration examples, unless their scores are known, then its images. */
typedef struct sequence {
    int ahead, all;      /* calibration examples; all of it */
    int *scores;         /* [ahead], as far as they are known */
    const float *images; /* [all - ahead], the caller's */
    float *gathered;     /* room for a chunk, where there are calibration examples */
} sequence;

/* The images of a chunk. */
static const float *gather(const exp_dknn *d, const sequence *s, int first, int count) {
    size_t image = nn_shape_row(nn_node_shape(d->bank.run->classifier.images));
    int calibration = s->ahead - first < count ? s->ahead - first : count;
    if (calibration <= 0)
        return s->images + (size_t)(first - s->ahead) * image;
    exp_trained_run_images(d->bank.run, &d->bank.run->set.test, first, calibration, s->gathered);
    memcpy(s->gathered + (size_t)calibration * image,
           s->images + (size_t)(first + calibration - s->ahead) * image,
           (size_t)(count - calibration) * image * sizeof *s->images);
    return s->gathered;
}

/* Calibration scores are nonconformities with the true class. */
static nn_status calibrate(exp_dknn *d, const sequence *s, const chunk *c, int first, nn_error *error) {
    int end = first + c->count < s->ahead ? first + c->count : s->ahead;
    for (int i = first; i < end; i++)
        s->scores[i] = nonconformity(d, c, i - first, d->bank.run->set.test.labels[i]);
    return end == s->ahead && first < end
               ? exp_dknn_scores_new(&d->scores, d->o.neighbors * d->bank.layers, end, s->scores, error)
               : NN_OK;
}

static nn_status judge_chunk(exp_dknn *d, const sequence *s, int first, int count, exp_dknn_verdict *verdicts,
                             const exp_dknn_evidence *evidence, nn_error *error) {
    chunk c;
    nn_status status = chunk_search(d, &c, gather(d, s, first, count), count, (course){first, s->all}, error);
    if (status == NN_OK && !stopped(d))
        status = calibrate(d, s, &c, first, error);
    if (status == NN_OK && !stopped(d)) {
        for (int i = first < s->ahead ? s->ahead - first : 0; i < count; i++)
            verdicts[first + i - s->ahead] = judge_one(d, &c, i);
        if (evidence)
            put_evidence(d, &c, first - s->ahead, evidence);
    }
    chunk_free(&c);
    return status;
}

/* The training examples pass by once for each chunk: few of them, of about the same size. */
static int chunk_size(const exp_dknn *d, int count) {
    size_t room = nn_machine_memory() / 8 < chunk_bytes ? nn_machine_memory() / 8 : chunk_bytes;
    size_t size = room / ((2 * sizeof(float) + sizeof(int16_t)) * d->bank.dims);
    int most = size < CHUNK_LEAST ? CHUNK_LEAST : size < INT_MAX ? (int)size : INT_MAX;
    int chunks = count / most + (count % most > 0);
    return chunks > 1 ? (count + chunks - 1) / chunks : count;
}

nn_status exp_dknn_judge(exp_dknn *d, const float *images, int count, exp_dknn_verdict *verdicts,
                         const exp_dknn_evidence *evidence, nn_error *error) {
    size_t image = nn_shape_row(nn_node_shape(d->bank.run->classifier.images));
    int ahead = d->scores.at_least ? 0 : d->o.calibration;
    sequence s = {.ahead = ahead, .all = ahead + count, .images = images};
    const int most = chunk_size(d, s.all);
    nn_status status = NN_OK;
    if (ahead) {
        s.scores = calloc((size_t)ahead, sizeof *s.scores);
        s.gathered = calloc((size_t)most * image, sizeof *s.gathered);
        if (!s.scores || !s.gathered)
            status = nn_fail_memory(error, "the calibration examples");
    }
    for (int done = 0; done < s.all && status == NN_OK && !stopped(d); done += most)
        status =
            judge_chunk(d, &s, done, most < s.all - done ? most : s.all - done, verdicts, evidence, error);
    free(s.scores);
    free(s.gathered);
    return status;
}

/* --- opening -------------------------------------------------------------------------------------------- */

static nn_status check(const exp_dknn *d, nn_error *error) {
    const data_set *set = &d->bank.run->set;
    if (d->o.neighbors < 1 || d->o.neighbors > d->bank.count)
        return nn_fail(error, NN_EARGUMENT,
                       "--neighbors: %d of a layer cannot be found among %d training examples of %s",
                       d->o.neighbors, d->bank.count, set->name);
    if (d->o.calibration < 1 || d->o.calibration > set->test.count)
        return nn_fail(error, NN_EARGUMENT,
                       "--calibration: %d examples cannot be taken from the %d test examples of %s",
                       d->o.calibration, set->test.count, set->name);
    return NN_OK;
}

nn_status exp_dknn_new(exp_dknn **dknn, exp_trained_run *run, const exp_dknn_options *options,
                       nn_error *error) {
    exp_dknn *d = calloc(1, sizeof *d);
    *dknn = NULL;
    if (!d)
        return nn_fail_memory(error, "the nearest neighbours");
    d->o = *options;
    nn_status status = exp_bank_open(&d->bank, run, d->o.layers, d->o.training, d->o.memory, error);
    if (status == NN_OK)
        status = check(d, error);
    if (status == NN_OK)
        *dknn = d;
    else
        exp_dknn_free(d);
    return status;
}

void exp_dknn_free(exp_dknn *d) {
    if (!d)
        return;
    exp_dknn_scores_free(&d->scores);
    exp_bank_close(&d->bank);
    free(d);
}
