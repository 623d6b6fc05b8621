/* Presets and config.ini: what is taken can be written and taken again. */
#include <stdlib.h>
#include <string.h>

#include "experiments/common/classifier.h"
#include "experiments/common/train_options.h"
#include "fuzz.h"

static void require_ranges(const exp_train_options *options) {
    char text[EXP_TEXT_MAX];
    for (const exp_option *o = exp_train_table; o->name; o++) {
        const void *place = (const char *)options + o->offset;
        if (o->kind == EXP_COUNT)
            fuzz_require((double)*(const uint64_t *)place >= o->least &&
                             (double)*(const uint64_t *)place <= o->most,
                         "a count is in its range");
        fuzz_read(text, strlen(exp_option_text(o, options, text)));
    }
}

/* config.ini of these options, read again. */
static void require_round_trip(const exp_train_options *options) {
    char *text = NULL, before[EXP_TEXT_MAX], after[EXP_TEXT_MAX];
    size_t length = 0;
    exp_train_options again = exp_train_defaults;
    nn_error error = {0};
    FILE *memory = open_memstream(&text, &length);
    fuzz_require(memory != NULL, "there is memory");
    exp_options_write(exp_train_table, options, memory);
    fclose(memory);
    fuzz_require(exp_options_read(exp_train_table, &again, "config.ini", text, &error) == NN_OK,
                 "what is written can be read");
    for (const exp_option *o = exp_train_table; o->name; o++)
        fuzz_require(!o->recorded ||
                         strcmp(exp_option_text(o, options, before), exp_option_text(o, &again, after)) == 0,
                     "what is read is what was written");
    free(text);
}

FUZZ_TARGET(options) {
    exp_train_options options;
    nn_error error = {0}, unfit = {0};
    const char *path = fuzz_file("run/config.ini", bytes, count);
    nn_status status = exp_train_options_of_run(fuzz_path("run"), &options, &error);
    fuzz_require_reason(status, &error, path);
    if (status != NN_OK)
        return;
    require_ranges(&options);
    require_round_trip(&options);
    fuzz_require_reason(exp_classifier_check(&options, &unfit), &unfit, NULL);
}
