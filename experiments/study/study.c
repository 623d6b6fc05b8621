#include "study.h"

#include <ini.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "experiments/common/classifier.h"
#include "experiments/common/ini_file.h"
#include "experiments/common/presets.h"

enum { SETTINGS_MAX = 48, RUNS_MAX = 10000, LINE_MAX = 2 * EXP_STUDY_TEXT_MAX };

const char *const exp_study_sizes[] = {"default", "quick", "full", NULL};

/* One line of a block. */
typedef struct setting {
    const exp_option *option;
    bool sized; /* written for one size */
    int line;
    int count;
    char *values[EXP_VALUES_MAX]; /* [count], in `text` */
    char text[LINE_MAX];
} setting;

typedef struct reading {
    const char *origin, *rest; /* what is still to be read */
    int line;
    exp_study_size size;
    exp_study *study;
    char block[EXP_STUDY_NAME_MAX]; /* the one being read; "" before the first */
    int block_line;
    int runs;   /* of the blocks before */
    int opened; /* line of a [block] none of whose settings has been seen; 0: none */
    int setting_count;
    setting settings[SETTINGS_MAX], unused; /* unused: the last one for another size */
    int analysis_count;
    struct {
        exp_analysis made;
        bool sized; /* written for one size */
    } analyses[EXP_ANALYSES_MAX];
    nn_error refused; /* the first mistake */
} reading;

static nn_status refuse(reading *r, int line, const char *message) {
    return nn_fail(&r->refused, NN_EARGUMENT, "%s:%d: %s", r->origin, line, message);
}

/* For what was found by another part of the program, which may have lacked memory: that is no mistake of the file's. */
static nn_status refuse_cause(reading *r, int line, const nn_error *cause) {
    if (cause->status == NN_EMEMORY)
        return nn_fail(&r->refused, NN_EMEMORY, "%s: %s", r->origin, cause->message);
    return refuse(r, line, cause->message + strspn(cause->message, "-"));
}

/* --- runs of a block ------------------------------------------------------------------------------------ */

static const setting *find_setting(const reading *r, const char *name) {
    for (int i = 0; i < r->setting_count; i++)
        if (strcmp(r->settings[i].option->name, name) == 0)
            return &r->settings[i];
    return NULL;
}

/* The setting that gave an option, else the preset. */
static int line_of(const reading *r, const char *name) {
    const setting *s = find_setting(r, name);
    s = s ? s : find_setting(r, "preset");
    return s ? s->line : r->block_line;
}

static bool is_seed(const setting *s) {
    return strcmp(s->option->name, "seed") == 0;
}

/* Which value of each setting a run takes. */
static void choose(const reading *r, int seed, int condition, int chosen[SETTINGS_MAX]) {
    for (int i = r->setting_count - 1; i >= 0; i--) {
        const setting *s = &r->settings[i];
        chosen[i] = is_seed(s) ? seed : condition % s->count;
        if (!is_seed(s))
            condition /= s->count;
    }
}

/* As ./train would resolve these settings on its command line. */
static nn_status resolve(const reading *r, const int chosen[SETTINGS_MAX], exp_train_options *options,
                         nn_error *error) {
    char words[SETTINGS_MAX][EXP_TEXT_MAX + 64], *argv[SETTINGS_MAX + 1] = {"train"};
    for (int i = 0; i < r->setting_count; i++) {
        const setting *s = &r->settings[i];
        snprintf(words[i], sizeof words[i], "--%s=%s", s->option->name, s->values[chosen[i]]);
        argv[i + 1] = words[i];
    }
    return exp_train_options_resolve(options, r->setting_count + 1, argv, error);
}

static void describe(const reading *r, const int chosen[SETTINGS_MAX], char text[EXP_CONDITION_MAX]) {
    text[0] = '\0';
    for (int i = 0; i < r->setting_count; i++) {
        const setting *s = &r->settings[i];
        size_t length = strlen(text);
        if (s->count > 1 && !is_seed(s))
            snprintf(text + length, EXP_CONDITION_MAX - length, "%s%s %s", length ? ", " : "",
                     s->option->name, s->values[chosen[i]]);
    }
}

static nn_status check_dataset(reading *r, const char *dataset) {
    char message[DATA_NAMES_TEXT + 200], known[DATA_NAMES_TEXT];
    if (data_is_named(dataset) || data_present(dataset, ""))
        return NN_OK;
    snprintf(
        message, sizeof message,
        "dataset: there is no '%.100s'; there are: %s; or give the path of a folder or archive of pictures",
        dataset, data_names(known));
    return refuse(r, line_of(r, "dataset"), message);
}

/* What ./train would find out only when it has started. */
static nn_status check_run(reading *r, const exp_train_options *options) {
    nn_error cause = {0};
    if (check_dataset(r, options->dataset) != NN_OK)
        return r->refused.status;
    if (exp_classifier_check(options, &cause) == NN_OK)
        return NN_OK;
    bool layers = strstr(cause.message, "--snnl-layers") != NULL;
    return refuse_cause(r, line_of(r, layers ? "snnl-layers" : "model"), &cause);
}

static nn_status make_run(reading *r, int seed, int condition, exp_study_run *run) {
    int chosen[SETTINGS_MAX];
    nn_error cause = {0};
    choose(r, seed, condition, chosen);
    *run = (exp_study_run){0};
    if (resolve(r, chosen, &run->options, &cause) != NN_OK)
        return refuse_cause(r, r->block_line, &cause);
    run->options.dataset_named = false;
    describe(r, chosen, run->condition);
    exp_study_identify(run);
    return seed == 0 ? check_run(r, &run->options) : NN_OK;
}

static nn_status count_runs(reading *r, exp_study_block *block) {
    char message[128];
    double runs = 1;
    for (int i = 0; i < r->setting_count; i++)
        runs *= r->settings[i].count;
    const setting *seeds = find_setting(r, "seed");
    block->seeds = seeds ? seeds->count : 1;
    snprintf(message, sizeof message, "the block's lists make %.0f runs%s, more than %d", runs + r->runs,
             r->runs ? " with those before" : "", RUNS_MAX);
    if (runs + r->runs > RUNS_MAX)
        return refuse(r, r->block_line, message);
    r->runs += (int)runs;
    block->conditions = (int)runs / block->seeds;
    return NN_OK;
}

static nn_status add_block(reading *r, exp_study_block **block) {
    exp_study *study = r->study;
    for (int i = 0; i < study->block_count; i++)
        if (strcmp(study->blocks[i].name, r->block) == 0)
            return refuse(r, r->block_line, "there is a block of this name already");
    exp_study_block *more = realloc(study->blocks, (size_t)(study->block_count + 1) * sizeof *study->blocks);
    if (!more)
        return nn_fail_memory(&r->refused, r->origin);
    study->blocks = more;
    *block = &more[study->block_count++];
    **block = (exp_study_block){0};
    strcpy((*block)->name, r->block);
    return NN_OK;
}

static nn_status list_varied(reading *r, exp_study_block *block) {
    block->varied = calloc((size_t)r->setting_count + 1, sizeof *block->varied);
    if (!block->varied)
        return nn_fail_memory(&r->refused, r->origin);
    for (int i = 0; i < r->setting_count; i++) {
        const setting *s = &r->settings[i];
        if (s->count < 2 || is_seed(s))
            continue;
        exp_varied *v = &block->varied[block->varied_count++];
        snprintf(v->name, sizeof v->name, "%s", s->option->name);
        v->count = s->count;
        for (int k = 0; k < s->count; k++)
            snprintf(v->values[k], sizeof v->values[k], "%.60s", s->values[k]);
    }
    return NN_OK;
}

/* In the file's order; those for which this size has `no` are left out. */
static void list_analyses(const reading *r, exp_study_block *block) {
    for (int i = 0; i < r->analysis_count; i++)
        if (strcmp(r->analyses[i].made.arguments, "no") != 0)
            block->analyses[block->analysis_count++] = r->analyses[i].made;
}

/* Makes the runs of the settings read since the last [block]. */
static nn_status finish_block(reading *r) {
    exp_study_block *block = NULL;
    if (r->refused.status != NN_OK || !r->block[0])
        return r->refused.status;
    if (!find_setting(r, "preset"))
        return refuse(r, r->block_line, "the block names no preset: it needs a line 'preset = NAME'");
    if (add_block(r, &block) != NN_OK || count_runs(r, block) != NN_OK || list_varied(r, block) != NN_OK)
        return r->refused.status;
    list_analyses(r, block);
    block->runs = calloc((size_t)block->seeds * (size_t)block->conditions, sizeof *block->runs);
    if (!block->runs)
        return nn_fail_memory(&r->refused, r->origin);
    for (int i = 0; i < block->seeds * block->conditions && r->refused.status == NN_OK; i++)
        make_run(r, i / block->conditions, i % block->conditions, &block->runs[i]);
    return r->refused.status;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static bool same_value(const exp_option *option, const char *a, const char *b) {
    bool number = option->kind == EXP_NUMBER || option->kind == EXP_COUNT;
    return number ? strtod(a, NULL) == strtod(b, NULL) : strcmp(a, b) == 0;
}

/* Checks one value of a list, with those before it. */
static nn_status check_value(reading *r, const setting *s, const char *value) {
    char preset[EXP_TEXT_MAX + 16];
    exp_train_options scratch = exp_train_defaults;
    nn_error cause = {0};
    char repeated[EXP_TEXT_MAX + 64];
    snprintf(repeated, sizeof repeated, "%s: '%s' is given twice", s->option->name, value);
    if (exp_option_set(exp_train_table, &scratch, "", s->option->name, value, &cause) != NN_OK)
        return refuse(r, s->line, cause.message);
    for (int i = 0; i < s->count; i++)
        if (same_value(s->option, s->values[i], value))
            return refuse(r, s->line, repeated);
    if (strcmp(s->option->name, "preset") != 0)
        return NN_OK;
    snprintf(preset, sizeof preset, "--preset=%s", value);
    if (exp_train_options_resolve(&scratch, 2, (char *[]){"train", preset}, &cause) != NN_OK)
        return refuse(r, s->line, cause.message + strspn(cause.message, "-"));
    return NN_OK;
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    for (size_t length = strlen(text); length && strchr(" \t", text[length - 1]); length--)
        text[length - 1] = '\0';
    return text;
}

static nn_status split_values(reading *r, setting *s) {
    char message[128], *rest = s->text;
    for (char *value = strsep(&rest, "|"); value; value = strsep(&rest, "|")) {
        value = trim(value);
        if (!*value)
            snprintf(message, sizeof message, "%s: an empty value", s->option->name);
        else if (s->count == EXP_VALUES_MAX)
            snprintf(message, sizeof message, "%s: more than %d values", s->option->name, EXP_VALUES_MAX);
        else if (check_value(r, s, value) == NN_OK) {
            s->values[s->count++] = value;
            continue;
        } else
            return r->refused.status;
        return refuse(r, s->line, message);
    }
    return NN_OK;
}

static nn_status refuse_key(reading *r, const char *name) {
    char message[480];
    snprintf(message, sizeof message, "'%.40s' is not for a study; there are: preset", name);
    for (const exp_option *o = exp_train_table; o->name; o++) {
        size_t length = strlen(message);
        if (o->recorded)
            snprintf(message + length, sizeof message - length, ", %s", o->name);
    }
    return refuse(r, r->line, message);
}

static const char then[] = "then.";

static bool is_analysis(const char *name) {
    return strncmp(name, then, sizeof then - 1) == 0;
}

/* "quick.seed": takes the size off a key's front. *size is EXP_SIZE_DEFAULT where there is none. */
static nn_status split_size(reading *r, const char **name, exp_study_size *size) {
    char message[128];
    const char *dot = strchr(*name, '.');
    *size = EXP_SIZE_DEFAULT;
    if (!dot || is_analysis(*name))
        return NN_OK;
    for (int k = EXP_SIZE_QUICK; k <= EXP_SIZE_FULL; k++)
        if (strlen(exp_study_sizes[k]) == (size_t)(dot - *name) &&
            strncmp(exp_study_sizes[k], *name, (size_t)(dot - *name)) == 0)
            *size = (exp_study_size)k;
    snprintf(message, sizeof message, "'%.40s': before the dot stands a size, quick or full", *name);
    *name = dot + 1;
    return *size == EXP_SIZE_DEFAULT ? refuse(r, r->line, message) : NN_OK;
}

/* Where a setting of this name goes: a new place, that of one which it takes the place of, or `unused` where it is for
 * another size or one for this size is there. NULL where it is refused. */
static setting *place_for(reading *r, const char *name, exp_study_size size) {
    char message[128];
    snprintf(message, sizeof message, "%s: given twice in this block; a list is separated by '|'", name);
    if (size != EXP_SIZE_DEFAULT && size != r->size)
        return &r->unused;
    setting *there = (setting *)find_setting(r, name);
    bool sized = size != EXP_SIZE_DEFAULT;
    if (there && there->sized != sized)
        return sized ? there : &r->unused;
    if (there || r->setting_count == SETTINGS_MAX) {
        refuse(r, r->line, message);
        return NULL;
    }
    return &r->settings[r->setting_count++];
}

/* `then.PROGRAM = arguments`, for one size or for all that have none of their own. */
static nn_status take_analysis(reading *r, const char *program, exp_study_size size, const char *value) {
    char message[EXP_STUDY_TEXT_MAX];
    bool sized = size != EXP_SIZE_DEFAULT;
    nn_error cause = {0};
    int at = 0;
    if (exp_analysis_check(program, value, &cause) != NN_OK)
        return refuse(r, r->line, cause.message);
    if (sized && size != r->size)
        return NN_OK;
    while (at < r->analysis_count && strcmp(r->analyses[at].made.program, program) != 0)
        at++;
    bool there = at < r->analysis_count;
    snprintf(message, sizeof message, "then.%s: given twice in this block", program);
    if (there && r->analyses[at].sized == sized)
        return refuse(r, r->line, message);
    if (there && !sized)
        return NN_OK;
    r->analysis_count += !there;
    r->analyses[at].sized = sized;
    snprintf(r->analyses[at].made.program, sizeof r->analyses[at].made.program, "%s", program);
    snprintf(r->analyses[at].made.arguments, sizeof r->analyses[at].made.arguments, "%s", value);
    return NN_OK;
}

static nn_status take_setting(reading *r, const char *name, const char *value) {
    exp_study_size size;
    if (split_size(r, &name, &size) != NN_OK)
        return r->refused.status;
    if (is_analysis(name))
        return take_analysis(r, name + sizeof then - 1, size, value);
    const exp_option *option = exp_option_find(exp_train_table, name);
    if (!option || (!option->recorded && strcmp(name, "preset") != 0))
        return refuse_key(r, name);
    setting *s = place_for(r, name, size);
    if (!s)
        return r->refused.status;
    s->option = option;
    s->sized = size != EXP_SIZE_DEFAULT;
    s->line = r->line;
    s->count = 0;
    snprintf(s->text, sizeof s->text, "%s", value);
    return split_values(r, s);
}

static nn_status take_flag(reading *r, const char *name, const char *value, bool *flag) {
    char message[128];
    snprintf(message, sizeof message, "%s: '%.40s' is neither yes nor no", name, value);
    *flag = strcmp(value, "yes") == 0;
    return *flag || strcmp(value, "no") == 0 ? NN_OK : refuse(r, r->line, message);
}

/* A line before the first block. */
static nn_status take_head(reading *r, const char *name, const char *value) {
    exp_study *study = r->study;
    const struct {
        const char *name;
        char *text;
        size_t size;
        bool *flag;
    } known[] = {{"title", study->title, sizeof study->title, NULL},
                 {"about", study->about, sizeof study->about, NULL},
                 {"paper", study->paper, sizeof study->paper, NULL},
                 {"curves", NULL, 0, &study->curves},
                 {"reliability", NULL, 0, &study->reliability},
                 {"findings", NULL, 0, &study->findings}};
    char message[192], *end;
    if (strcmp(name, "place") == 0) {
        study->place = strtod(value, &end);
        return *value && !*end && isfinite(study->place) ? NN_OK : refuse(r, r->line, "place: not a number");
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) != 0)
            continue;
        if (known[i].flag)
            return take_flag(r, name, value, known[i].flag);
        if ((size_t)snprintf(known[i].text, known[i].size, "%s", value) < known[i].size)
            return NN_OK;
        snprintf(message, sizeof message, "%s: longer than %zu characters", name, known[i].size - 1);
        return refuse(r, r->line, message);
    }
    snprintf(
        message, sizeof message,
        "'%.40s' stands before the first [block], where only title, about, paper, place, curves, reliability "
        "and findings may",
        name);
    return refuse(r, r->line, message);
}

/* inih's handler of a line `name = value`. */
static int take_line(void *context, const char *section, const char *name, const char *value) {
    reading *r = context;
    if (r->opened && finish_block(r) == NN_OK) {
        snprintf(r->block, sizeof r->block, "%s", section);
        r->block_line = r->opened;
        r->opened = r->setting_count = r->analysis_count = 0;
        if (!r->block[0])
            refuse(r, r->block_line, "a block begins with a line [NAME]");
    }
    if (r->refused.status != NN_OK)
        return 0;
    return (r->block[0] ? take_setting(r, name, value) : take_head(r, name, value)) == NN_OK;
}

static nn_status check_opened(reading *r) {
    return r->opened ? refuse(r, r->opened, "the block has no settings") : NN_OK;
}

/* inih's reader: the next line, counted. */
static char *next_line(char *line, int size, void *context) {
    reading *r = context;
    size_t whole = strcspn(r->rest, "\n"), room = (size_t)size - 2;
    if (!*r->rest)
        return NULL;
    r->line++;
    if (whole > room)
        refuse(r, r->line, "the line is too long");
    snprintf(line, (size_t)size, "%.*s\n", (int)(whole < room ? whole : room), r->rest);
    if (line[strspn(line, " \t")] == '[') {
        check_opened(r);
        r->opened = r->line;
    }
    r->rest += whole + (r->rest[whole] == '\n');
    return line;
}

static nn_status parse(reading *r, nn_error *error) {
    /* Values are whole lines; Debian's inih takes these settings at run time. */
    ini_max_line = LINE_MAX;
    ini_allow_inline_comments = ini_allow_multiline = false;
    int line = ini_parse_stream(next_line, r, take_line, r);
    if (line != 0 && r->refused.status == NN_OK)
        nn_fail(&r->refused, NN_EFORMAT, "%s:%d: neither [block] nor name = value", r->origin, line);
    if (r->refused.status == NN_OK)
        check_opened(r);
    if (r->refused.status == NN_OK)
        finish_block(r);
    if (r->refused.status == NN_OK && r->study->block_count == 0)
        refuse(r, r->line ? r->line : 1, "the study has no [block]");
    return r->refused.status == NN_OK ? NN_OK : nn_fail(error, r->refused.status, "%s", r->refused.message);
}

nn_status exp_study_parse(exp_study *study, const char *name, exp_study_size size, const char *origin,
                          const char *text, nn_error *error) {
    *study = (exp_study){0};
    snprintf(study->name, sizeof study->name, "%s", name);
    snprintf(study->title, sizeof study->title, "%s", name);
    reading *r = calloc(1, sizeof *r);
    if (!r)
        return nn_fail_memory(error, origin);
    r->size = size;
    r->origin = origin;
    r->rest = text;
    r->study = study;
    nn_status status = parse(r, error);
    free(r);
    return status;
}

/* --- files ---------------------------------------------------------------------------------------------- */

static nn_status read_path(exp_study *study, const char *path, exp_study_size size, nn_error *error) {
    char name[EXP_STUDY_NAME_MAX];
    const char *slash = strrchr(path, '/');
    char *text;
    snprintf(name, sizeof name, "%.60s", slash ? slash + 1 : path);
    char *ending = strstr(name, ".ini");
    if (ending)
        *ending = '\0';
    nn_status status = exp_ini_file_read(path, LINE_MAX, &text, error);
    if (status == NN_OK)
        status = exp_study_parse(study, name, size, path, text, error);
    free(text);
    return status;
}

static nn_status unknown_study(const char *name, nn_error *error) {
    char all[256] = "";
    for (const exp_preset *p = exp_studies; p->name; p++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", p == exp_studies ? "" : ", ", p->name);
    return nn_fail(error, NN_EARGUMENT,
                   "--study: there is no '%s'; there are: %s; or give a path to an ini file", name, all);
}

/* The file as it is now, so that an edited study takes effect without a build; else the text compiled in. */
nn_status exp_study_read(exp_study *study, const char *name, exp_study_size size, nn_error *error) {
    char path[EXP_TEXT_MAX];
    bool given = strchr(name, '/') || strstr(name, ".ini");
    *study = (exp_study){0};
    snprintf(path, sizeof path, given ? "%s" : "experiments/studies/%s.ini", name);
    if (given || access(path, R_OK) == 0)
        return read_path(study, path, size, error);
    for (const exp_preset *p = exp_studies; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return exp_study_parse(study, name, size, path, p->text, error);
    return unknown_study(name, error);
}

void exp_study_free(exp_study *study) {
    for (int i = 0; i < study->block_count; i++) {
        free(study->blocks[i].varied);
        free(study->blocks[i].runs);
    }
    free(study->blocks);
    *study = (exp_study){0};
}

/* --- data ----------------------------------------------------------------------------------------------- */

void exp_study_find_data(exp_study *study, const char *root, exp_missing_data missing) {
    for (int b = 0; b < study->block_count; b++) {
        const exp_study_block *block = &study->blocks[b];
        for (int i = 0; i < block->seeds * block->conditions; i++) {
            exp_study_run *run = &block->runs[i];
            if (data_present(run->options.dataset, root))
                continue;
            snprintf(run->absent, sizeof run->absent, "%.60s", run->options.dataset);
            run->skipped = missing == EXP_MISSING_SKIP;
            if (!run->skipped)
                strcpy(run->options.dataset, "shapes");
            exp_study_identify(run);
        }
    }
}
