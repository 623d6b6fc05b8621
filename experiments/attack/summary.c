#include "summary.h"

#include <math.h>

#include "experiments/common/json.h"
#include "framework/kernels/kernels.h"

/* --- attacks -------------------------------------------------------------------------------------------- */

static void describe_model(cJSON *json, const exp_attack_evaluation *e, int shown) {
    const exp_attack_model *m = &e->models[shown];
    cJSON_AddStringToObject(json, "run", m->name);
    cJSON_AddStringToObject(json, "path", m->path);
    cJSON_AddStringToObject(json, "model", m->run.options.model);
    exp_json_number(json, "snnl_weight", m->run.options.snnl_weight);
    exp_json_count(json, "seed", m->run.options.seed);
    exp_json_number(json, "clean_accuracy", e->clean[shown]);
}

static void add_row(cJSON *json, const exp_attack_row *row) {
    exp_json_number(json, "accuracy", row->accuracy);
    exp_json_number(json, "success", row->success);
    exp_json_count(json, "counted", (unsigned long long)row->counted);
}

/* One attack: its rows of all models stand together. */
static void add_attack(cJSON *attacks, const exp_attack_evaluation *e, const exp_attack_row *rows) {
    const exp_attack_settings *s = e->settings;
    cJSON *json = exp_json_add_object(attacks);
    exp_attack attack = exp_attack_with(s, s->methods[rows->method], s->epsilons[rows->epsilon].value);
    cJSON_AddStringToObject(json, "method", exp_attack_methods[attack.method]);
    exp_json_number(json, "epsilon", attack.epsilon);
    exp_json_number(json, "step", exp_attack_step(&attack));
    add_row(json, rows);
    cJSON *transfer = cJSON_AddArrayToObject(json, "transfer");
    for (int m = 1; m < e->model_count; m++) {
        cJSON *shown = exp_json_add_object(transfer);
        cJSON_AddStringToObject(shown, "run", e->models[m].name);
        add_row(shown, &rows[m]);
    }
}

static void add_attacks(cJSON *json, const exp_attack_evaluation *e) {
    cJSON *targets = cJSON_AddArrayToObject(json, "targets");
    for (int m = 1; m < e->model_count; m++) {
        cJSON *target = exp_json_add_object(targets);
        describe_model(target, e, m);
    }
    cJSON *attacks = cJSON_AddArrayToObject(json, "attacks");
    for (int i = 0; i < e->row_count; i += e->model_count)
        add_attack(attacks, e, &e->rows[i]);
}

/* --- gradients and credibility -------------------------------------------------------------------------- */

static void add_gradients(cJSON *json, const exp_gradient_signs *s) {
    cJSON *gradients = cJSON_AddObjectToObject(json, "gradients");
    exp_json_count(gradients, "examples", (unsigned long long)s->count);
    exp_json_number(gradients, "snnl", s->snnl.value);
    exp_json_number(gradients, "temperature", s->snnl.temperature);
    exp_json_number(gradients, "limit", s->limit);
    exp_json_number(gradients, "vanished", s->vanished);
    exp_json_number(gradients, "perplexity", s->perplexity);
    exp_json_number(gradients, "kl", s->kl);
}

static void add_judgement(cJSON *json, const char *name, const exp_credibility_judgement *j) {
    cJSON *judgement = cJSON_AddObjectToObject(json, name);
    exp_json_number(judgement, "network_accuracy", j->network_accuracy);
    exp_json_number(judgement, "dknn_accuracy", j->accuracy);
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++) {
        cJSON *variant = cJSON_AddObjectToObject(judgement, exp_dknn_variants[v]);
        exp_json_number(variant, "mean", exp_calibration_confidence(&j->reliability[v]));
        cJSON *bins = cJSON_AddArrayToObject(variant, "bins");
        for (int b = 0; b < EXP_JUDGEMENT_BINS; b++) {
            exp_reliability of = exp_calibration_bin(&j->reliability[v], b);
            cJSON *bin = exp_json_add_object(bins);
            exp_json_count(bin, "count", (unsigned long long)of.count);
            exp_json_number(bin, "accuracy", of.count ? of.accuracy : NAN);
        }
    }
}

static void add_credibility(cJSON *json, const exp_attack_credibility *c) {
    cJSON *credibility = cJSON_AddObjectToObject(json, "credibility");
    cJSON_AddStringToObject(credibility, "method", exp_attack_methods[c->method]);
    exp_json_number(credibility, "epsilon", c->epsilon.value);
    exp_json_count(credibility, "neighbors", (unsigned long long)c->neighbors);
    exp_json_count(credibility, "calibration", (unsigned long long)c->calibration);
    exp_json_count(credibility, "examples", (unsigned long long)c->examples);
    add_judgement(credibility, "clean", &c->clean);
    add_judgement(credibility, "adversarial", &c->adversarial);
    cJSON *auroc = cJSON_AddObjectToObject(credibility, "auroc");
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++)
        exp_json_number(auroc, exp_dknn_variants[v], c->auroc[v]);
}

cJSON *exp_attack_summary(const exp_attack_findings *f) {
    const exp_attack_evaluation *e = f->evaluation;
    char target[EXP_TEXT_MAX];
    cJSON *json = exp_json_new();
    describe_model(json, e, 0);
    cJSON_AddStringToObject(json, "dataset", e->models[0].run.set.name);
    exp_json_count(json, "examples", (unsigned long long)e->examples);
    cJSON_AddStringToObject(json, "target", exp_attack_target_text(e, target, sizeof target));
    exp_json_count(json, "iterations", (unsigned long long)e->settings->iterations);
    exp_json_count(json, "start_seed", e->settings->seed);
    add_attacks(json, e);
    if (f->gradients->count)
        add_gradients(json, f->gradients);
    if (f->credibility)
        add_credibility(json, f->credibility);
    exp_json_number(json, "seconds", f->seconds);
    cJSON_AddNumberToObject(json, "threads", nn_threads());
    cJSON_AddStringToObject(json, "kernels", nn_kernels_active()->name);
    cJSON_AddStringToObject(json, "version", exp_version);
    return json;
}
