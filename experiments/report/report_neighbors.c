/* report_neighbors.c - the Deep k-Nearest Neighbors of trained networks, and how well outliers are told by it and by other
 * scores. */
#include <stdio.h>
#include <string.h>

#include "analyses.h"
#include "experiments/study/summary.h"

static const char program[] = "neighbors";

static void put_judgements(exp_section *section, const exp_block_results *b) {
    static const exp_line lines[] = {
        {"network, accuracy, %", "network_accuracy", 100, 2},
        {"DkNN, accuracy, %", "accuracy", 100, 2},
        {"both say the same, %", "agreement", 100, 2},
        {"neighbours of another class, of all layers together", "nonconformity", 1, 1},
        {"mean credibility", "variants.conformal.credibility", 1, 3},
        {"the same, where right", "variants.conformal.credibility_when_right", 1, 3},
        {"the same, where wrong", "variants.conformal.credibility_when_wrong", 1, 3},
        {"mean credibility, trimmed", "variants.trimmed.credibility", 1, 3},
    };
    exp_report_lines_begin(section, b, "test examples");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        exp_report_line(section, b, program, &lines[i]);
    exp_report_lines_end(section);
}

/* --- outliers ------------------------------------------------------------------------------------------- */

/* Whether a number is one of outliers.SOURCE.scores.SCORE.auroc; sets the lengths of its parts. */
static bool is_auroc(const char *name, int *source, int *score) {
    static const char begin[] = "outliers.", middle[] = ".scores.", end[] = ".auroc";
    const char *scores = strstr(name, middle);
    size_t length = strlen(name);
    if (strncmp(name, begin, strlen(begin)) != 0 || !scores || length < strlen(end) ||
        strcmp(name + length - strlen(end), end) != 0)
        return false;
    *source = (int)(scores - name - (int)strlen(begin));
    *score = (int)(length - strlen(end) - (size_t)(scores + strlen(middle) - name));
    return true;
}

/* A table for every source, side by side: the numbers of one follow each other. */
static void put_outliers(exp_section *section, const exp_block_results *b, const exp_named_numbers *numbers) {
    char open[EXP_NUMBER_NAME_MAX] = "";
    exp_section_grid(section, false);
    for (int i = 0; i < numbers->count; i++) {
        int source, score;
        const char *name = numbers->items[i].name;
        char heading[EXP_NUMBER_NAME_MAX], label[EXP_NUMBER_NAME_MAX];
        if (!is_auroc(name, &source, &score))
            continue;
        snprintf(heading, sizeof heading, "%.*s: AUROC of", source, name + strlen("outliers."));
        if (strcmp(heading, open) != 0) {
            if (open[0])
                exp_report_lines_end(section);
            exp_report_lines_begin(section, b, strcpy(open, heading));
        }
        snprintf(label, sizeof label, "%.*s", score, strstr(name, ".scores.") + strlen(".scores."));
        exp_report_line(section, b, program,
                        &(exp_line){.label = label, .name = name, .scale = 1, .digits = 3});
    }
    if (open[0])
        exp_report_lines_end(section);
    exp_section_grid_end(section);
}

nn_status exp_report_neighbors(exp_section *section, const exp_block_results *b, int analysis,
                               nn_error *error) {
    const exp_study_result *first = exp_block_first_analysed(b, analysis);
    put_judgements(section, b);
    put_outliers(section, b, &first->analyses[analysis].numbers);
    return exp_report_pictures(section, b, analysis, "neighbors.png", true, error);
}
