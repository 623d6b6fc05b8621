#include "option_list.h"

#include <string.h>

#include "datasets/datasets.h"
#include "models/models.h"
#include "presets.h"

/* --- words ---------------------------------------------------------------------------------------------- */

/* Calls take for every name that a table has; each table ends with an entry whose name is NULL. */
typedef void take_word(const char *word, FILE *file);

static void each_preset(take_word *take, FILE *file) {
    for (const exp_preset *p = exp_presets; p->name; p++)
        take(p->name, file);
}

static void each_study(take_word *take, FILE *file) {
    for (const exp_preset *p = exp_studies; p->name; p++)
        take(p->name, file);
}

static void each_model(take_word *take, FILE *file) {
    for (const model_network *m = model_networks; m->name; m++)
        take(m->name, file);
}

static void each_data_set(take_word *take, FILE *file) {
    for (const data_source *s = data_sources; s->name; s++)
        take(s->name, file);
}

/* Options of these names mean the same in every program. */
static const struct {
    const char *option;
    void (*each)(take_word *take, FILE *file);
} known[] = {
    {"preset", each_preset}, {"study", each_study}, {"model", each_model}, {"dataset", each_data_set}};
enum { KNOWN = sizeof known / sizeof *known };

static void put_word(const char *word, FILE *file) {
    if (!strchr(word, ' '))
        fprintf(file, "%s ", word);
}

static void put_words(const exp_option *o, FILE *file) {
    for (int i = 0; o->kind == EXP_CHOICE && o->choices[i]; i++)
        put_word(o->choices[i], file);
    for (int i = 0; i < KNOWN; i++)
        if (strcmp(o->name, known[i].option) == 0)
            known[i].each(put_word, file);
}

static bool has_words(const exp_option *o) {
    bool found = o->kind == EXP_CHOICE;
    for (int i = 0; i < KNOWN; i++)
        found |= strcmp(o->name, known[i].option) == 0;
    return found;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* As the table names its values. */
static const char *kind_of_value(const exp_option *o) {
    static const char *const folders[] = {"DIR", "RUN", NULL};
    static const char *const files[] = {"FILE", "PATH", NULL};
    if (o->kind == EXP_FLAG)
        return "nothing";
    if (has_words(o))
        return "word";
    if (is_one_of(o->value, folders))
        return "folder";
    return is_one_of(o->value, files) || strstr(o->value, ".npy") ? "file" : "value";
}

void exp_options_list(const exp_option *table, const void *defaults, FILE *file) {
    for (const exp_option *o = table; o->name; o++) {
        const char *value = o->kind == EXP_FLAG ? "" : o->value;
        fprintf(file, "%s\t%s\t", o->name, kind_of_value(o));
        fprintf(file, o->bare ? "[%s]\t" : "%s\t", value);
        exp_option_write(o, defaults, file);
        putc('\t', file);
        put_words(o, file);
        fprintf(file, "\t%s\n", o->help);
    }
}
