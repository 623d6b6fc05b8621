#include "files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curves.h"
#include "experiments/common/json.h"
#include "experiments/common/make_folder.h"
#include "experiments/common/text_file.h"
#include "judgement.h"
#include "summary.h"

enum { PATH_SIZE = EXP_TEXT_MAX + 64 };

/* --- attack.csv ----------------------------------------------------------------------------------------- */

/* In quotes where it must be. */
static void put_text(FILE *file, const char *text) {
    if (!strpbrk(text, ",\"\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++)
        fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', file);
}

/* What rows have in common: method,epsilon,target,run,model,snnl_weight,seed,white_box. */
static void put_start(FILE *file, const exp_attack_evaluation *e, const char *method, double epsilon,
                      int shown) {
    const exp_attack_model *m = &e->models[shown];
    const exp_train_options *o = &m->run.options;
    char target[EXP_TEXT_MAX], weight[32];
    fprintf(file, "%s,%.9g,", method, epsilon);
    put_text(file, exp_attack_target_text(e, target, sizeof target));
    fputc(',', file);
    put_text(file, m->name);
    fputc(',', file);
    put_text(file, o->model);
    fprintf(file, ",%s,%llu,%d,", exp_number_text(o->snnl_weight, weight), (unsigned long long)o->seed,
            shown == 0);
}

static void put_rows(FILE *file, const exp_attack_evaluation *e) {
    const exp_attack_settings *s = e->settings;
    fputs("method,epsilon,target,run,model,snnl_weight,seed,white_box,examples,accuracy,counted,success\n",
          file);
    for (int m = 0; m < e->model_count; m++) {
        put_start(file, e, "none", 0, m);
        fprintf(file, "%d,%.9g,,\n", e->examples, e->clean[m]);
    }
    for (int i = 0; i < e->row_count; i++) {
        const exp_attack_row *row = &e->rows[i];
        put_start(file, e, exp_attack_methods[s->methods[row->method]], s->epsilons[row->epsilon].value,
                  row->model);
        fprintf(file, "%d,%.9g,%d,", e->examples, row->accuracy, row->counted);
        fprintf(file, isfinite(row->success) ? "%.9g\n" : "\n", row->success);
    }
}

static nn_status write_table(const exp_attack_evaluation *e, const char *path, nn_error *error) {
    char *text = NULL;
    size_t length = 0;
    FILE *file = exp_memory_open(&text, &length);
    if (!file)
        return nn_fail_memory(error, path);
    put_rows(file, e);
    nn_status status = exp_memory_close(file, &text) ? nn_file_write_atomic(path, text, length, error)
                                                     : nn_fail_memory(error, path);
    free(text);
    return status;
}

/* --- all ------------------------------------------------------------------------------------------------ */

static nn_status draw(const exp_attack_findings *f, const char *folder, nn_error *error) {
    const exp_attack_settings *s = f->evaluation->settings;
    char png[PATH_SIZE], svg[PATH_SIZE];
    snprintf(png, sizeof png, "%s/curves.png", folder);
    snprintf(svg, sizeof svg, "%s/curves.svg", folder);
    nn_status status = exp_attack_curves_draw(f->evaluation, png, svg, error);
    for (int m = 0; m < s->method_count && status == NN_OK; m++) {
        snprintf(png, sizeof png, "%s/examples-%s.png", folder, exp_attack_methods[s->methods[m]]);
        status = exp_attack_sheet_draw(f->sheet, m, png, error);
    }
    if (status == NN_OK && f->gradients->count)
        status = exp_gradient_signs_draw(f->gradients, f->evaluation, folder, error);
    snprintf(png, sizeof png, "%s/credibility.png", folder);
    snprintf(svg, sizeof svg, "%s/credibility.svg", folder);
    if (status == NN_OK && f->credibility)
        status = exp_attack_judgement_draw(f->credibility, f->evaluation, png, svg, error);
    return status;
}

nn_status exp_attack_write(const exp_attack_findings *f, const char *folder, FILE *output, nn_error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/attack.csv", folder);
    nn_status status = write_table(f->evaluation, path, error);
    if (status == NN_OK)
        status = draw(f, folder, error);
    snprintf(path, sizeof path, "%s/summary.json", folder);
    return status == NN_OK ? exp_json_write(exp_attack_summary(f), path, output, error) : status;
}

/* --- images --------------------------------------------------------------------------------------------- */

nn_status exp_attack_dump(const exp_attack_evaluation *e, const exp_attack_made *made, const char *stem,
                          nn_error *error) {
    const exp_attack_settings *s = e->settings;
    const data_set *set = &e->models[0].run.set;
    char path[PATH_SIZE];
    size_t length =
        (size_t)snprintf(path, sizeof path, "%s-%s-", stem, exp_attack_methods[s->methods[made->method]]);
    snprintf(path + length, sizeof path - length, "%s.npy", s->epsilons[made->epsilon].text);
    char *slash = strchr(path + length, '/');
    if (slash)
        *slash = '_';
    size_t dims[] = {(size_t)e->examples, (size_t)set->height, (size_t)set->width, (size_t)set->channels};
    return nn_npy_write_floats(path, 4, dims, made->adversarial, error);
}

static nn_status dump_integers(const char *stem, const char *name, int count, const int32_t *values,
                               nn_error *error) {
    char path[PATH_SIZE];
    size_t dims[] = {(size_t)count};
    int64_t *wide = calloc(dims[0], sizeof *wide);
    if (!wide)
        return nn_fail_memory(error, name);
    for (int i = 0; i < count; i++)
        wide[i] = values[i];
    snprintf(path, sizeof path, "%s-%s.npy", stem, name);
    nn_status status = nn_npy_write_integers(path, 1, dims, wide, error);
    free(wide);
    return status;
}

nn_status exp_attack_dump_classes(const exp_attack_evaluation *e, const char *stem, nn_error *error) {
    nn_status status = dump_integers(stem, "labels", e->examples, e->labels, error);
    if (status == NN_OK && e->settings->aim != EXP_AIM_NONE)
        status = dump_integers(stem, "targets", e->examples, e->classes, error);
    return status;
}
