#include "sources.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- reading the list ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    exp_source_kind kind;
    double least, most;
} amounts[] = {{"rotation", EXP_SOURCE_ROTATION, -360, 360},
               {"blur", EXP_SOURCE_BLUR, 0.1, 20},
               {"noise", EXP_SOURCE_NOISY, 0.001, 10}};
enum { AMOUNTS = sizeof amounts / sizeof *amounts };

static nn_status unknown(const char *word, nn_error *error) {
    char all[DATA_NAMES_TEXT];
    return nn_fail(error, NN_EARGUMENT,
                   "--outliers: there is no '%.200s'; there are: %s, uniform, gaussian, noise (both), "
                   "rotation:DEGREES, blur:SIGMA, noise:SIGMA, or paths of pictures",
                   word, data_names(all));
}

static nn_status add(exp_source source, exp_source *sources, int *count, nn_error *error) {
    if (*count == EXP_SOURCES_MAX)
        return nn_fail(error, NN_EARGUMENT, "--outliers: more than %d sources", EXP_SOURCES_MAX);
    for (int k = 0; k < *count; k++)
        if (strcmp(sources[k].name, source.name) == 0)
            return nn_fail(error, NN_EARGUMENT, "--outliers: '%s' is there twice", source.name);
    sources[(*count)++] = source;
    return NN_OK;
}

/* A word with a colon; amount: what is behind it. */
static nn_status parse_amount(const char *word, const char *amount, exp_source *source, nn_error *error) {
    size_t length = (size_t)(amount - word) - 1;
    for (int k = 0; k < AMOUNTS; k++) {
        if (strlen(amounts[k].name) != length || strncmp(word, amounts[k].name, length) != 0)
            continue;
        char *end;
        source->kind = amounts[k].kind;
        source->amount = strtod(amount, &end);
        if (end == amount || *end ||
            !(source->amount >= amounts[k].least && source->amount <= amounts[k].most))
            return nn_fail(error, NN_EARGUMENT, "--outliers: '%s': must be a number from %g to %g", word,
                           amounts[k].least, amounts[k].most);
        return NN_OK;
    }
    return unknown(word, error);
}

/* A folder or an archive of pictures, by the end of whose path it is called. */
static nn_status add_path(const char *word, exp_source *sources, int *count, nn_error *error) {
    exp_source source = {.kind = EXP_SOURCE_DATA};
    size_t length = strlen(word);
    if (length >= sizeof source.path)
        return nn_fail(error, NN_EARGUMENT, "--outliers: a path has %zu characters", length);
    strcpy(source.path, word);
    while (length > 1 && word[length - 1] == '/')
        length--;
    const size_t most = sizeof source.name - 1, taken = length < most ? length : most;
    snprintf(source.name, sizeof source.name, "%.*s", (int)taken, word + length - taken);
    return add(source, sources, count, error);
}

static nn_status parse_word(const char *word, const char *own, exp_source *sources, int *count,
                            nn_error *error) {
    exp_source source = {0};
    const char *colon = strchr(word, ':');
    if (strchr(word, '/'))
        return add_path(word, sources, count, error);
    if (strlen(word) >= sizeof source.name)
        return unknown(word, error);
    snprintf(source.name, sizeof source.name, "%s", word);
    if (strcmp(word, "noise") == 0) {
        nn_status status =
            add((exp_source){.name = "uniform", .kind = EXP_SOURCE_UNIFORM}, sources, count, error);
        return status == NN_OK
                   ? add((exp_source){.name = "gaussian", .kind = EXP_SOURCE_GAUSSIAN}, sources, count, error)
                   : status;
    }
    if (own && strcmp(word, own) == 0)
        return nn_fail(error, NN_EARGUMENT, "--outliers: '%s' is what the run was trained on", word);
    nn_status status = NN_OK;
    if (colon)
        status = parse_amount(word, colon + 1, &source, error);
    else if (strcmp(word, "uniform") == 0)
        source.kind = EXP_SOURCE_UNIFORM;
    else if (strcmp(word, "gaussian") == 0)
        source.kind = EXP_SOURCE_GAUSSIAN;
    else if (data_is_named(word))
        source.kind = EXP_SOURCE_DATA;
    else if (data_is_path(word, ""))
        return add_path(word, sources, count, error);
    else
        status = unknown(word, error);
    return status == NN_OK ? add(source, sources, count, error) : status;
}

nn_status exp_sources_parse(const char *list, const char *own, exp_source sources[EXP_SOURCES_MAX],
                            int *count, nn_error *error) {
    char *text = strdup(list), *rest = NULL;
    nn_status status = text ? NN_OK : nn_fail_memory(error, "the list of sources");
    *count = 0;
    for (char *word = text ? strtok_r(text, ", ", &rest) : NULL; word && status == NN_OK;
         word = strtok_r(NULL, ", ", &rest))
        status = parse_word(word, own, sources, count, error);
    free(text);
    if (status == NN_OK && *count == 0)
        return nn_fail(error, NN_EARGUMENT, "--outliers: the list is empty");
    return status;
}

/* What data_load takes. */
static const char *data_of(const exp_source *source) {
    return source->path[0] ? source->path : source->name;
}

void exp_sources_keep_present(exp_source sources[EXP_SOURCES_MAX], int *count, const char *own,
                              const char *root, char left_out[EXP_SOURCES_TEXT]) {
    int kept = 0;
    left_out[0] = '\0';
    for (int k = 0; k < *count; k++) {
        const char *name = data_of(&sources[k]);
        bool data = sources[k].kind == EXP_SOURCE_DATA;
        if (!data || (strcmp(name, own) != 0 && data_present(name, root)))
            sources[kept++] = sources[k];
        else
            sprintf(left_out + strlen(left_out), "%s%s", left_out[0] ? ", " : "", sources[k].name);
    }
    *count = kept;
}

nn_status exp_sources_check(const exp_source *sources, int count, const char *root, nn_error *error) {
    for (int k = 0; k < count; k++)
        if (sources[k].kind == EXP_SOURCE_DATA && !data_present(data_of(&sources[k]), root)) {
            data_set set;
            nn_status status =
                data_load(&set, data_of(&sources[k]), root, 1, 1, error); /* says what is missing */
            if (status != NN_OK)
                return status;
            data_free(&set);
        }
    return NN_OK;
}

/* --- images --------------------------------------------------------------------------------------------- */

static exp_image_form form_of(const data_set *set) {
    return (exp_image_form){set->height, set->width, set->channels};
}

/* Test image i of a set, as values 0..1. */
static void take(const data_set *set, int i, float *out) {
    size_t size = exp_image_size(form_of(set));
    const unsigned char *pixels = set->test.pixels + (size_t)i * size;
    for (size_t k = 0; k < size; k++)
        out[k] = (float)pixels[k] / 255;
}

/* Pictures are read in the run's form. */
static nn_status make_from_data(const exp_source *source, const exp_trained_run *run, const char *root,
                                int most, exp_source_images *made, nn_error *error) {
    exp_image_form form = form_of(&run->set);
    data_set set = {0};
    float *image = NULL;
    const char *name = source->name;
    data_form wanted = {0};
    if (source->path[0])
        wanted = (data_form){form.height, form.width, form.channels};
    nn_status status = data_load_as(&set, data_of(source), root, wanted, 1, most, error);
    exp_image_form from = form_of(&set);
    if (status == NN_OK && set.test.count == 0)
        status = nn_fail(error, NN_EARGUMENT, "--outliers: %s has no test examples", name);
    if (status == NN_OK && !exp_image_convertible(from, form))
        status = nn_fail(error, NN_ESHAPE, "--outliers: images of %s have %d channels, those of %s %d", name,
                         from.channels, run->set.name, form.channels);
    if (status == NN_OK) {
        image = malloc(exp_image_size(from) * sizeof *image);
        made->count = set.test.count;
        made->images = malloc((size_t)made->count * exp_image_size(form) * sizeof *made->images);
        if (!image || !made->images)
            status = nn_fail_memory(error, name);
    }
    for (int i = 0; i < made->count && status == NN_OK; i++) {
        take(&set, i, image);
        status = exp_image_convert(from, image, form, made->images + (size_t)i * exp_image_size(form), error);
    }
    free(image);
    data_free(&set);
    return status;
}

/* The numbers of image i are always in the same places of the stream, two for each value. */
static nn_stream stream_of(const exp_source *source, uint64_t seed, size_t size, int i) {
    char name[EXP_SOURCE_NAME_MAX + 16];
    snprintf(name, sizeof name, "outliers/%s", source->name);
    nn_stream stream = nn_stream_named(seed, name);
    stream.position = (uint64_t)i * 2 * size;
    return stream;
}

static void draw(const exp_source *source, const exp_trained_run *run, uint64_t seed, int i, float *out) {
    exp_image_form form = form_of(&run->set);
    size_t size = exp_image_size(form);
    nn_stream stream = stream_of(source, seed, size, i);
    for (size_t k = 0; k < size; k++) {
        size_t c = k % (size_t)form.channels;
        out[k] = source->kind == EXP_SOURCE_UNIFORM
                     ? nn_random_uniform(&stream)
                     : fminf(fmaxf(run->mean[c] + run->deviation[c] * nn_random_normal(&stream), 0), 1);
    }
}

/* Test image `number`, as image i of the source; scratch: two images. */
static void change(const exp_source *source, const exp_trained_run *run, int number, uint64_t seed, int i,
                   float *scratch, float *out) {
    exp_image_form form = form_of(&run->set);
    size_t size = exp_image_size(form);
    nn_stream stream = stream_of(source, seed, size, i);
    take(&run->set, number, scratch);
    if (source->kind == EXP_SOURCE_ROTATION)
        exp_image_rotate(form, scratch, source->amount, out);
    else if (source->kind == EXP_SOURCE_BLUR)
        exp_image_blur(form, scratch, source->amount, scratch + size, out);
    else
        exp_image_add_noise(form, scratch, source->amount, &stream, out);
}

nn_status exp_source_make(const exp_source *source, const exp_trained_run *run, const char *root, int first,
                          int most, uint64_t seed, exp_source_images *made, nn_error *error) {
    size_t size = exp_image_size(form_of(&run->set));
    int left = run->set.test.count - first;
    *made = (exp_source_images){0};
    if (source->kind == EXP_SOURCE_DATA)
        return make_from_data(source, run, root, most, made, error);
    made->count = left < most ? left : most;
    made->images = malloc((size_t)made->count * size * sizeof *made->images);
    float *scratch = malloc(2 * size * sizeof *scratch);
    for (int i = 0; made->images && scratch && i < made->count; i++)
        if (source->kind < EXP_SOURCE_ROTATION)
            draw(source, run, seed, i, made->images + (size_t)i * size);
        else
            change(source, run, first + i, seed, i, scratch, made->images + (size_t)i * size);
    nn_status status = made->images && scratch ? NN_OK : nn_fail_memory(error, source->name);
    free(scratch);
    return status;
}

void exp_source_normalize(const exp_trained_run *run, int count, float *images) {
    size_t size = (size_t)count * exp_image_size(form_of(&run->set)), channels = (size_t)run->set.channels;
    for (size_t k = 0; k < size; k++)
        images[k] = (images[k] - run->mean[k % channels]) / run->deviation[k % channels];
}
