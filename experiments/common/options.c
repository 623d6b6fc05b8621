#include "options.h"

#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ini_file.h"
#include "option_list.h"
#include "program_names.h"

const exp_option *exp_option_find(const exp_option *table, const char *name) {
    for (const exp_option *o = table; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

const char *exp_number_text(double value, char text[32]) {
    if (value == floor(value) && fabs(value) < 1e15) {
        snprintf(text, 32, "%.0f", value);
        return text;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return text;
}

/* --- setting one ---------------------------------------------------------------------------------------- */

static bool read_number(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static nn_status set_number(const exp_option *o, void *place, const char *origin, const char *text,
                            nn_error *error) {
    char least[32], most[32];
    double value;
    bool ranged = o->least != 0 || o->most != 0;
    if (!read_number(text, &value))
        return nn_fail(error, NN_EARGUMENT, "%s%s: '%s' is not a number", origin, o->name, text);
    if (ranged && !(value >= o->least && value <= o->most))
        return nn_fail(error, NN_EARGUMENT, "%s%s: %s is not between %s and %s", origin, o->name, text,
                       exp_number_text(o->least, least), exp_number_text(o->most, most));
    *(double *)place = value;
    return NN_OK;
}

static nn_status set_count(const exp_option *o, void *place, const char *origin, const char *text,
                           nn_error *error) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    if (!digits || errno == ERANGE || (double)value < o->least || (double)value > o->most)
        return nn_fail(error, NN_EARGUMENT, "%s%s: '%s' is not a whole number between %.0f and %.0f", origin,
                       o->name, text, o->least, o->most);
    *(uint64_t *)place = value;
    return NN_OK;
}

static nn_status set_flag(const exp_option *o, void *place, const char *origin, const char *text,
                          nn_error *error) {
    bool yes = strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "no") != 0)
        return nn_fail(error, NN_EARGUMENT, "%s%s: '%s' is neither yes nor no", origin, o->name, text);
    *(bool *)place = yes;
    return NN_OK;
}

static nn_status set_choice(const exp_option *o, void *place, const char *origin, const char *text,
                            nn_error *error) {
    char all[256] = "";
    for (int i = 0; o->choices[i]; i++) {
        if (strcmp(text, o->choices[i]) == 0) {
            *(int *)place = i;
            return NN_OK;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", o->choices[i]);
    }
    return nn_fail(error, NN_EARGUMENT, "%s%s: '%s' is not one of: %s", origin, o->name, text, all);
}

static nn_status set(const exp_option *o, void *target, const char *origin, const char *text,
                     nn_error *error) {
    void *place = (char *)target + o->offset;
    switch (o->kind) {
    case EXP_NUMBER:
        return set_number(o, place, origin, text, error);
    case EXP_COUNT:
        return set_count(o, place, origin, text, error);
    case EXP_FLAG:
        return set_flag(o, place, origin, text, error);
    case EXP_CHOICE:
        return set_choice(o, place, origin, text, error);
    case EXP_TEXT:
        break;
    }
    if (strlen(text) >= EXP_TEXT_MAX)
        return nn_fail(error, NN_EARGUMENT, "%s%s: the value is longer than %d characters", origin, o->name,
                       EXP_TEXT_MAX - 1);
    if (strpbrk(text, "\r\n"))
        return nn_fail(error, NN_EARGUMENT, "%s%s: the value has more than one line", origin, o->name);
    strcpy(place, text);
    return NN_OK;
}

nn_status exp_option_set(const exp_option *table, void *target, const char *origin, const char *name,
                         const char *value, nn_error *error) {
    const exp_option *o = exp_option_find(table, name);
    if (!o)
        return nn_fail(error, NN_EARGUMENT, "%s%s: there is no such option (see --help)", origin, name);
    return set(o, target, origin, value, error);
}

/* --- command line --------------------------------------------------------------------------------------- */

/* The option that "name" or "no-name" switches. */
static const exp_option *find_flag(const exp_option *table, const char *name, bool *yes) {
    *yes = strncmp(name, "no-", 3) != 0;
    const exp_option *o = exp_option_find(table, *yes ? name : name + 3);
    return o && o->kind == EXP_FLAG ? o : NULL;
}

/* A word that follows --name and is its value: anything for most options; where a value may be left out, a
 * number. */
static bool is_value(const exp_option *o, const char *word) {
    double number;
    if (!word)
        return false;
    return o->bare ? read_number(word, &number) : strncmp(word, "--", 2) != 0;
}

/* Takes the option at argv[i]; *next is the place after it. */
static nn_status take(const exp_option *table, void *target, char **argv, int i, int *next, nn_error *error) {
    const char *word = argv[i];
    *next = i + 1;
    if (strncmp(word, "--", 2) != 0)
        return nn_fail(error, NN_EARGUMENT, "'%s' is not an option: options start with -- (see --help)",
                       word);
    char name[64];
    size_t length = strcspn(word + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), word + 2);
    const char *value = word[2 + length] == '=' ? word + 3 + length : NULL;
    bool yes;
    const exp_option *flag = find_flag(table, name, &yes), *o = exp_option_find(table, name);
    if (flag && !value)
        return set(flag, target, "--", yes ? "yes" : "no", error);
    if (o && !value && is_value(o, argv[i + 1])) {
        value = argv[i + 1];
        *next = i + 2;
    }
    if (o && !value && o->bare) {
        *(double *)((char *)target + o->offset) = *(double *)((char *)target + o->bare);
        return NN_OK;
    }
    if (o && !value)
        return nn_fail(error, NN_EARGUMENT, "--%s wants a value: --%s %s", name, name, o->value);
    return exp_option_set(table, target, "--", name, value, error);
}

nn_status exp_options_parse(const exp_option *table, void *target, int argc, char **argv, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = 1; i < argc && status == NN_OK;)
        status = take(table, target, argv, i, &i, error);
    return status;
}

bool exp_options_informed(const exp_option *table, const void *defaults, const char *program,
                          const char *usage, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0) {
            printf("entangle %s %s\n", program, exp_version);
            return true;
        }
        if (strcmp(argv[i], "--help=options") == 0) {
            exp_options_list(table, defaults, stdout);
            return true;
        }
        if (strcmp(argv[i], "--help") == 0) {
            exp_print_calls(usage, stdout);
            exp_options_help(table, defaults, stdout);
            return true;
        }
    }
    return false;
}

/* --- files and help ------------------------------------------------------------------------------------- */

enum { LINE_BUFFER = 2 * EXP_TEXT_MAX };

typedef struct reading {
    const exp_option *table;
    void *target;
    nn_error refused; /* the first value that was not taken */
} reading;

static int take_setting(void *context, const char *section, const char *name, const char *value) {
    reading *r = context;
    (void)section;
    return exp_option_set(r->table, r->target, "", name, value, &r->refused) == NN_OK;
}

nn_status exp_options_read(const exp_option *table, void *target, const char *origin, const char *text,
                           nn_error *error) {
    /* Values are whole lines, up to the longest text; Debian's inih takes these settings at run time. */
    ini_max_line = LINE_BUFFER;
    ini_allow_inline_comments = ini_allow_multiline = false;
    reading r = {.table = table, .target = target};
    int line = ini_parse_string(text, take_setting, &r);
    if (line == 0)
        return NN_OK;
    if (r.refused.status != NN_OK)
        return nn_fail(error, r.refused.status, "%s:%d: %s", origin, line, r.refused.message);
    return nn_fail(error, NN_EFORMAT, "%s:%d: not of the form: name = value", origin, line);
}

nn_status exp_options_read_file(const exp_option *table, void *target, const char *path, nn_error *error) {
    char *text;
    nn_status status = exp_ini_file_read(path, LINE_BUFFER, &text, error);
    if (status == NN_OK)
        status = exp_options_read(table, target, path, text, error);
    free(text);
    return status;
}

const char *exp_option_text(const exp_option *o, const void *target, char text[EXP_TEXT_MAX]) {
    const void *place = (const char *)target + o->offset;
    if (o->kind == EXP_TEXT)
        snprintf(text, EXP_TEXT_MAX, "%s", (const char *)place);
    else if (o->kind == EXP_NUMBER)
        exp_number_text(*(const double *)place, text);
    else if (o->kind == EXP_COUNT)
        snprintf(text, EXP_TEXT_MAX, "%llu", (unsigned long long)*(const uint64_t *)place);
    else if (o->kind == EXP_FLAG)
        strcpy(text, *(const bool *)place ? "yes" : "no");
    else
        strcpy(text, o->choices[*(const int *)place]);
    return text;
}

void exp_option_write(const exp_option *o, const void *target, FILE *file) {
    char text[EXP_TEXT_MAX];
    fputs(exp_option_text(o, target, text), file);
}

void exp_options_write(const exp_option *table, const void *target, FILE *file) {
    char text[EXP_TEXT_MAX];
    for (const exp_option *o = table; o->name; o++) {
        exp_option_text(o, target, text);
        if (!o->recorded || (o->optional && (!text[0] || (o->kind == EXP_FLAG && strcmp(text, "no") == 0))))
            continue;
        fprintf(file, "%s = ", o->name);
        exp_option_write(o, target, file);
        fputc('\n', file);
    }
}

void exp_options_help(const exp_option *table, const void *defaults, FILE *file) {
    for (const exp_option *o = table; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, o->kind == EXP_FLAG ? "--[no-]%s" : "--%s %s%s%s", o->name,
                 o->bare ? "[" : "", o->kind == EXP_FLAG ? "" : o->value, o->bare ? "]" : "");
        fprintf(file, "  %-34s ", left);
        exp_print_calls(o->help, file);
        for (int i = 0; o->kind == EXP_CHOICE && o->choices[i]; i++)
            fprintf(file, "%s%s", i ? ", " : ": ", o->choices[i]);
        fputs(" [", file);
        exp_option_write(o, defaults, file);
        fputs("]\n", file);
    }
    fprintf(file, "  %-34s %s\n  %-34s %s\n", "--help", "this text", "--version",
            "the version of the program");
}
