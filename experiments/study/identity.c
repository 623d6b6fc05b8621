/* identity.c - which runs are the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "study.h"

/* Options that have no effect are taken as their defaults: what --snnl-weight alone would mean, and at weight 0 the layers
 * it would go to. How often a run is saved, and whether for TensorBoard too, does not tell it from others
 * either. */
static void drop_unused(exp_train_options *options) {
    options->save_every = 0;
    options->tensorboard = false;
    options->entangling_weight = exp_train_defaults.entangling_weight;
    if (options->snnl_weight == 0)
        strcpy(options->snnl_layers, exp_train_defaults.snnl_layers);
}

/* At weight 0 distance and temperature decide what is measured, not what is trained. */
static void drop_measuring(exp_train_options *options) {
    options->distance = exp_train_defaults.distance;
    options->temperature = exp_train_defaults.temperature;
    options->temperature_mode = exp_train_defaults.temperature_mode;
}

/* Over the text of all recorded options; 0 without memory. */
static uint64_t hash(const exp_train_options *options) {
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return 0;
    exp_options_write(exp_train_table, options, memory);
    uint64_t value = fclose(memory) == 0 ? nn_hash(nn_hash_start, text, length) : 0;
    free(text);
    return value;
}

void exp_study_identify(exp_study_run *run) {
    char weight[32];
    exp_train_options used = run->options;
    drop_unused(&used);
    uint64_t value = hash(&used);
    const char *slash =
        strrchr(used.dataset, '/'); /* of a path the last part, for the eye; the hash has all of it */
    snprintf(run->name, sizeof run->name, "%.60s-%.60s-w%s-seed%llu-%08x", slash ? slash + 1 : used.dataset,
             used.model, exp_number_text(used.snnl_weight, weight), (unsigned long long)used.seed,
             (unsigned)(value ^ value >> 32));
    for (char *byte = run->name; *byte; byte++)
        if (!isalnum((unsigned char)*byte) && !strchr("-_.", *byte))
            *byte = '_';
    used.snnl_weight = 0;
    drop_unused(&used);
    run->unweighted = hash(&used);
    drop_measuring(&used);
    run->unweighted_training = hash(&used);
}

bool exp_study_is_baseline(const exp_study_run *run, const exp_study_run *other, bool measured) {
    return other->options.snnl_weight == 0 && run->unweighted_training == other->unweighted_training &&
           (!measured || run->unweighted == other->unweighted);
}
