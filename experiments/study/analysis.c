#include "analysis.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/common/text_file.h"

static const char *const programs[EXP_ANALYSES_MAX + 1] = {"neighbors", "attack", "gan", NULL};

enum { WORDS_MAX = 64, ADDED = 5 /* --data DIR --threads N --quiet */ };

/* --- checking ------------------------------------------------------------------------------------------- */

static nn_status check_program(const char *program, nn_error *error) {
    char all[128] = "";
    for (int i = 0; programs[i]; i++) {
        if (strcmp(programs[i], program) == 0)
            return NN_OK;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", programs[i]);
    }
    return nn_fail(error, NN_EARGUMENT, "then.%.40s: no program that makes something of runs; there are: %s",
                   program, all);
}

static nn_status check_placeholders(const char *program, const char *arguments, nn_error *error) {
    static const char *const known[] = {"{run}", "{dataset}", "{out}", "{others}", NULL};
    for (const char *at = strchr(arguments, '{'); at; at = strchr(at + 1, '{')) {
        bool found = false;
        for (int i = 0; known[i]; i++)
            found = found || strncmp(at, known[i], strlen(known[i])) == 0;
        if (!found)
            return nn_fail(error, NN_EARGUMENT,
                           "then.%s: '%.20s': in braces may stand {run}, {dataset}, {out} and {others}",
                           program, at);
    }
    if (!strstr(arguments, "{out}"))
        return nn_fail(error, NN_EARGUMENT, "then.%s: the arguments do not say where {out} belongs", program);
    return NN_OK;
}

nn_status exp_analysis_check(const char *program, const char *arguments, nn_error *error) {
    int words = 0;
    if (check_program(program, error) != NN_OK)
        return error->status;
    if (strcmp(arguments, "no") == 0)
        return NN_OK;
    for (const char *at = arguments; *at; at += strcspn(at, " \t"), at += strspn(at, " \t"))
        words++;
    if (words > WORDS_MAX)
        return nn_fail(error, NN_EARGUMENT, "then.%s: more than %d words", program, WORDS_MAX);
    return check_placeholders(program, arguments, error);
}

/* --- the folder ----------------------------------------------------------------------------------------- */

/* The runs that {others} stands for: `count` of them, side by side. */
static const exp_study_run *others(const exp_study_result *result, int *count) {
    const exp_study_block *block = result->block;
    int seed = (int)((result->run - block->runs) / block->conditions);
    *count = block->conditions;
    return &block->runs[(seed + 1) % block->seeds * block->conditions];
}

const char *exp_analysis_folder(const exp_study_table *table, const exp_study_result *result,
                                const exp_analysis *analysis, char folder[EXP_ANALYSIS_PATH_MAX]) {
    int count = 0;
    const exp_study_run *other = others(result, &count);
    uint64_t hash = nn_hash(nn_hash_start, analysis->arguments, strlen(analysis->arguments));
    for (int i = 0; i < count && strstr(analysis->arguments, "{others}"); i++)
        hash = nn_hash(hash, other[i].name, strlen(other[i].name));
    snprintf(folder, EXP_ANALYSIS_PATH_MAX, "%s/%s-%08x", exp_study_path(table, result->run, ""),
             analysis->program, (unsigned)(hash ^ hash >> 32));
    return folder;
}

/* --- the command line ----------------------------------------------------------------------------------- */

/* The program works in a folder inside that of its run, which lies beside those of the others. */
static void put_others(FILE *file, const exp_study_result *result) {
    int count;
    const exp_study_run *other = others(result, &count);
    for (int i = 0; i < count; i++)
        fprintf(file, "%s../../%s", i ? "," : "", other[i].name);
}

/* Writes what stands for a placeholder at the beginning of `text`, and gives its length; 0: there is none. */
static size_t put_placeholder(FILE *file, const char *text, const exp_study_result *result) {
    const struct {
        const char *name, *value;
    } plain[] = {{"{run}", ".."}, {"{out}", "."}, {"{dataset}", result->run->options.dataset}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strncmp(text, plain[i].name, strlen(plain[i].name)) == 0) {
            fputs(plain[i].value, file);
            return strlen(plain[i].name);
        }
    if (strncmp(text, "{others}", 8) != 0)
        return 0;
    put_others(file, result);
    return 8;
}

/* One word, its placeholders filled in; NULL without memory. */
static char *expand(const char *word, size_t length, const exp_study_result *result) {
    char *text = NULL;
    size_t size;
    FILE *memory = exp_memory_open(&text, &size);
    if (!memory)
        return NULL;
    for (const char *at = word; at < word + length;) {
        size_t taken = put_placeholder(memory, at, result);
        if (taken == 0)
            putc(*at, memory);
        at += taken ? taken : 1;
    }
    exp_memory_close(memory, &text);
    return text;
}

char **exp_analysis_words(const exp_study_result *result, const exp_analysis *analysis, const char *data,
                          uint64_t threads) {
    char **words = calloc(WORDS_MAX + ADDED + 1, sizeof *words), number[32];
    int count = 0;
    bool full = words;
    const char *at = analysis->arguments + strspn(analysis->arguments, " \t");
    while (full && *at) {
        size_t length = strcspn(at, " \t");
        full = (words[count++] = expand(at, length, result)) != NULL;
        at += length;
        at += strspn(at, " \t");
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)threads);
    const char *const added[ADDED] = {"--data", data, "--threads", number, "--quiet"};
    for (int i = 0; full && i < ADDED; i++)
        full = (words[count++] = strdup(added[i])) != NULL;
    if (!full) {
        exp_analysis_words_free(words);
        words = NULL;
    }
    return words;
}

void exp_analysis_words_free(char **words) {
    for (int i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}
