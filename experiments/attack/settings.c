#include "settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

nn_status exp_attack_read_methods(const char *text, exp_attack_method methods[EXP_ATTACK_METHODS], int *count,
                                  nn_error *error) {
    char copy[EXP_TEXT_MAX], *rest = NULL;
    bool taken[EXP_ATTACK_METHODS] = {false};
    snprintf(copy, sizeof copy, "%s", text);
    *count = 0;
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        int method = 0;
        while (exp_attack_methods[method] && strcmp(word, exp_attack_methods[method]) != 0)
            method++;
        if (method == EXP_ATTACK_METHODS)
            return nn_fail(error, NN_EARGUMENT, "--methods: '%s' is not one of: fgsm, bim, pgd", word);
        if (taken[method])
            return nn_fail(error, NN_EARGUMENT, "--methods: %s is named twice", word);
        taken[method] = true;
        methods[(*count)++] = (exp_attack_method)method;
    }
    return *count > 0 ? NN_OK : nn_fail(error, NN_EARGUMENT, "--methods: name one of: fgsm, bim, pgd");
}

/* --- epsilons ------------------------------------------------------------------------------------------- */

nn_status exp_attack_read_epsilon(const char *option, const char *text, exp_epsilon *epsilon,
                                  nn_error *error) {
    char *end;
    double value = strtod(text, &end);
    bool number = end != text;
    if (number && *end == '/') {
        const char *below = end + 1;
        double divisor = strtod(below, &end);
        number = end != below && divisor > 0;
        value /= divisor;
    }
    if (!number || *end || strlen(text) >= EXP_EPSILON_TEXT || isspace((unsigned char)*text) ||
        !(value >= 0 && value <= 1))
        return nn_fail(error, NN_EARGUMENT, "--%s: '%s' is no number from 0 to 1, nor a fraction like 8/255",
                       option, text);
    epsilon->value = value;
    snprintf(epsilon->text, sizeof epsilon->text, "%s", text);
    return NN_OK;
}

static int compare(const void *a, const void *b) {
    double x = ((const exp_epsilon *)a)->value, y = ((const exp_epsilon *)b)->value;
    return (x > y) - (x < y);
}

nn_status exp_attack_read_epsilons(const char *text, exp_epsilon epsilons[EXP_EPSILONS_MAX], int *count,
                                   nn_error *error) {
    char copy[EXP_TEXT_MAX], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    *count = 0;
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (*count == EXP_EPSILONS_MAX)
            return nn_fail(error, NN_EARGUMENT, "--epsilon: at most %d sizes", EXP_EPSILONS_MAX);
        nn_status status = exp_attack_read_epsilon("epsilon", word, &epsilons[*count], error);
        if (status != NN_OK)
            return status;
        ++*count;
    }
    if (*count == 0)
        return nn_fail(error, NN_EARGUMENT, "--epsilon: name a size, like 0.1 or 8/255");
    qsort(epsilons, (size_t)*count, sizeof *epsilons, compare);
    for (int i = 1; i < *count; i++)
        if (epsilons[i].value == epsilons[i - 1].value)
            return nn_fail(error, NN_EARGUMENT, "--epsilon: %s is named twice", epsilons[i].text);
    return NN_OK;
}

exp_attack exp_attack_with(const exp_attack_settings *s, exp_attack_method method, double epsilon) {
    return (exp_attack){.method = method,
                        .epsilon = epsilon,
                        .iterations = s->iterations,
                        .step = s->step,
                        .targeted = s->aim != EXP_AIM_NONE,
                        .seed = s->seed};
}

const char *exp_attack_default_epsilons(int channels) {
    return channels == 1 ? "0.05,0.1,0.15,0.2,0.25,0.3" : "1/255,2/255,4/255,8/255,16/255";
}

const char *exp_attack_default_epsilon(int channels) {
    return channels == 1 ? "0.25" : "8/255";
}

/* --- targets and runs ----------------------------------------------------------------------------------- */

exp_attack_aim exp_attack_read_aim(const char *text) {
    if (strcmp(text, "none") == 0)
        return EXP_AIM_NONE;
    if (strcmp(text, "next") == 0)
        return EXP_AIM_NEXT;
    return strcmp(text, "least-likely") == 0 ? EXP_AIM_LEAST : EXP_AIM_CLASS;
}

void exp_attack_take_aim(const exp_attack_settings *s, int classes, int count, const int32_t *labels,
                         int32_t *aims) {
    for (int i = 0; i < count; i++) {
        const int32_t by_aim[] = {labels[i], s->target, (labels[i] + 1) % classes, aims[i]};
        aims[i] = by_aim[s->aim];
    }
}

nn_status exp_attack_read_class(const char *text, const data_set *set, int *class, nn_error *error) {
    char all[300] = "", *end;
    for (int k = 0; k < set->classes; k++) {
        *class = k;
        if (strcmp(text, set->class_names[k]) == 0)
            return NN_OK;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", k ? ", " : "", set->class_names[k]);
    }
    long number = strtol(text, &end, 10);
    *class = (int)number;
    if (end != text && *end == '\0' && number >= 0 && number < set->classes)
        return NN_OK;
    return nn_fail(error, NN_EARGUMENT,
                   "--target: '%s' is no class (%s), nor a number below %d, none, next or least-likely", text,
                   all, set->classes);
}

nn_status exp_attack_read_runs(char *text, const char *runs[EXP_TARGETS_MAX], int *count, nn_error *error) {
    char *rest = NULL;
    *count = 0;
    for (char *run = strtok_r(text, ",", &rest); run; run = strtok_r(NULL, ",", &rest)) {
        if (*count == EXP_TARGETS_MAX)
            return nn_fail(error, NN_EARGUMENT, "--to: at most %d runs", EXP_TARGETS_MAX);
        runs[(*count)++] = run;
    }
    return NN_OK;
}
