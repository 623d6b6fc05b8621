/* report_gan.c - generators: how alike real and generated data are over the steps, and what the samples are worth to the run's
 * network, in whose layers they are measured too. */
#include <stdio.h>

#include "analyses.h"
#include "experiments/common/program_names.h"
#include "numbers.h"

static const char program[] = "gan";

static void put_quality(exp_section *section, const exp_block_results *b) {
    static const exp_line lines[] = {
        {"SNNL of real against generated pixels, at the end", "snnl", 1, 4},
        {"the same of real against real ones", "snnl_of_real_with_real", 1, 4},
        {"steps", "steps", 1, 0},
        {"seconds", "seconds", 1, 0},
    };
    char call[EXP_CALL_MAX];
    exp_report_lines_begin(section, b, exp_program_call("gan", call));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        exp_report_line(section, b, program, &lines[i]);
    exp_report_lines_end(section);
}

/* Every snapshot: SNNL, and what the network says of the samples. */
static void put_snapshots(exp_section *section, const exp_study_result *r, int analysis) {
    static const char *const columns[] = {"step", "snnl", "temperature", "samples.top_probability",
                                          "samples.least_share"};
    const exp_named_numbers *numbers = &r->analyses[analysis].numbers;
    fputs("<div class=\"wide\"><table>\n<tr><th>step</th><th>SNNL of pixels</th><th>temperature</th><th>mean "
          "top "
          "probability of samples</th><th>share of the rarest class</th></tr>\n",
          section->page);
    for (int i = 0; i < numbers->count; i++) {
        unsigned long long step;
        int end = 0;
        if (sscanf(numbers->items[i].name, "snapshots.%llu.step%n", &step, &end) != 1 || end == 0)
            continue;
        fputs("<tr>", section->page);
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            char name[64];
            snprintf(name, sizeof name, "snapshots.%llu.%s", step, columns[c]);
            exp_put_number(section->page, exp_named_number_find(numbers, name), c == 0 ? 0 : c == 2 ? 1 : 4);
        }
        fputs("</tr>\n", section->page);
    }
    fputs("</table></div>\n", section->page);
}

nn_status exp_report_gan(exp_section *section, const exp_block_results *b, int analysis, nn_error *error) {
    const exp_study_result *r = exp_block_first_analysed(b, analysis);
    char path[PATH_MAX];
    put_quality(section, b);
    put_snapshots(section, r, analysis);
    nn_status status =
        exp_section_picture(section, exp_block_analysis_file(b, r, analysis, "curves.svg", path),
                            "SNNL of real against generated data over the steps", error);
    if (status != NN_OK)
        return status;
    return exp_section_image(section, exp_block_analysis_file(b, r, analysis, "snapshots.png", path),
                             "Samples, and real and generated data by t-SNE", error);
}
