#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/make_folder.h"
#include "experiments/common/program_names.h"
#include "experiments/common/text_file.h"

static nn_status write_config(const char *folder, const exp_gan_options *options, nn_error *error) {
    exp_text_file text;
    char call[EXP_CALL_MAX];
    if (exp_text_begin(&text, folder, "config.ini", error) != NN_OK)
        return error->status;
    fprintf(text.file, "# a run of entangle %s; to repeat it: %s --config %s\n", exp_version,
            exp_program_call("gan", call), text.path);
    exp_options_write(exp_gan_table, options, text.file);
    return exp_text_end(&text, error);
}

static nn_status written(const exp_gan_record *r, nn_error *error) {
    if (fflush(r->csv) == 0 && !ferror(r->csv))
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot write %s/gan.csv: %s", r->folder, strerror(errno));
}

static nn_status begin_csv(exp_gan_record *r, nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/gan.csv", r->folder);
    r->csv = fopen(path, "w");
    if (!r->csv)
        return nn_fail(error, NN_EFILE, "cannot write %s: %s", path, strerror(errno));
    fputs("step,seconds,discriminator_loss,generator_loss,accuracy_real,accuracy_generated,"
          "snnl/pixels,temperature/pixels",
          r->csv);
    for (int i = 0; i < r->taps; i++)
        fprintf(r->csv, ",snnl/%s,temperature/%s", r->tap_names[i], r->tap_names[i]);
    fputs(r->taps ? ",top_probability,class_entropy\n" : "\n", r->csv);
    return written(r, error);
}

static nn_status make_folder(exp_gan_record *r, const exp_gan_options *o, nn_error *error) {
    static const char *const words[] = {"", "-snnl", "-both"};
    char stem[EXP_TEXT_MAX / 2];
    const char *slash = strrchr(o->dataset, '/'); /* of a path the last part */
    if (o->run[0])
        return exp_make_folder_named(r->folder, o->run, error);
    snprintf(stem, sizeof stem, "gan-%.100s%s-seed%llu", slash ? slash + 1 : o->dataset, words[o->objective],
             (unsigned long long)o->seed);
    return exp_make_folder_new(r->folder, stem, error);
}

nn_status exp_gan_record_open(exp_gan_record *r, const exp_gan_options *o, const exp_gan_judge *judge,
                              nn_error *error) {
    *r = (exp_gan_record){.judged = o->objective != EXP_GAN_SNNL, .taps = judge ? judge->taps : 0};
    for (int i = 0; i < r->taps; i++)
        r->tap_names[i] = exp_gan_judge_tap(judge, i);
    nn_status status = make_folder(r, o, error);
    if (status == NN_OK)
        status = write_config(r->folder, o, error);
    return status == NN_OK ? begin_csv(r, error) : status;
}

void exp_gan_record_close(exp_gan_record *r) {
    if (r->csv)
        fclose(r->csv);
    for (int i = 0; i < r->snapshot_count; i++)
        free(r->snapshots[i].generated);
    free(r->rows);
    *r = (exp_gan_record){0};
}

/* A comma, and a number unless it is not known. */
static void put(FILE *csv, bool known, double value) {
    if (known)
        fprintf(csv, ",%.9g", value);
    else
        fputc(',', csv);
}

static void put_row(const exp_gan_record *r, const exp_gan_row *row) {
    const exp_gan_losses *l = &row->losses;
    bool trained = l->steps > 0, judged = trained && r->judged;
    fprintf(r->csv, "%llu,%.9g", (unsigned long long)row->step, row->seconds);
    put(r->csv, judged, l->discriminator);
    put(r->csv, trained, l->generator);
    put(r->csv, judged, l->accuracy_real);
    put(r->csv, judged, l->accuracy_generated);
    put(r->csv, true, row->snnl);
    put(r->csv, true, row->temperature);
    for (int i = 0; i < r->taps; i++) {
        put(r->csv, true, row->tap_snnl[i]);
        put(r->csv, true, row->tap_temperature[i]);
    }
    if (r->taps) {
        put(r->csv, true, row->quality.top_probability);
        put(r->csv, true, row->quality.entropy);
    }
    fputc('\n', r->csv);
}

nn_status exp_gan_record_add(exp_gan_record *r, const exp_gan_row *row, nn_error *error) {
    if (r->row_count == r->row_capacity) {
        size_t capacity = r->row_capacity ? 2 * r->row_capacity : 64;
        exp_gan_row *rows = realloc(r->rows, capacity * sizeof *rows);
        if (!rows)
            return nn_fail_memory(error, "the rows of gan.csv");
        r->rows = rows;
        r->row_capacity = capacity;
    }
    r->rows[r->row_count++] = *row;
    put_row(r, row);
    return written(r, error);
}

nn_status exp_gan_record_snapshot(exp_gan_record *r, const float *generated, size_t count, nn_error *error) {
    exp_gan_snapshot *s = &r->snapshots[r->snapshot_count];
    s->generated = calloc(count, sizeof *s->generated);
    if (!s->generated)
        return nn_fail_memory(error, "a snapshot");
    memcpy(s->generated, generated, count * sizeof *generated);
    s->row = r->row_count - 1;
    r->snapshot_count++;
    return NN_OK;
}

const exp_gan_row *exp_gan_record_at(const exp_gan_record *r, int snapshot) {
    return &r->rows[r->snapshots[snapshot].row];
}
