#include "op_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "test_ops.h"

/* Elements of an argument that are tried by finite differences, at most; an eighth of it where the output has
 * LARGE elements. */
enum { DIFFERENCES = 40, LARGE = 4096 };

int op_rows(const op_check *check) {
    return check->rows ? check->rows : check->inputs[0].dims[0];
}

static void *copy_of(const void *from, size_t bytes) {
    return memcpy(test_bytes(bytes), from, bytes);
}

/* --- one run -------------------------------------------------------------------------------------------- */

typedef struct setup {
    nn_store store;
    nn_graph *graph;
    nn_node *inputs[OP_INPUTS], *output, *loss;
    nn_plan *plan;
} setup;

/* Fails the test when the op is not to be had. */
static void build_graph(setup *s, const op_check *check, op_mode mode) {
    nn_threads_set(mode.threads ? mode.threads : 2);
    nn_store_begin(&s->store, 11);
    s->graph = nn_graph_new(&s->store);
    for (int i = 0; i < check->input_count; i++)
        s->inputs[i] = nn_input(s->graph, i ? "second" : "first", check->inputs[i]);
    s->output = check->build(check, s->inputs);
    s->loss = test_weighted_sum(s->output, "weighted");
    if (mode.twice)
        s->loss = nn_add(s->loss, test_weighted_sum(check->build(check, s->inputs), "weighted again"));
    if (!s->loss)
        fail_msg("%s: %s", check->name, nn_graph_error(s->graph)->message);
}

static void make_plan(setup *s, const op_check *check, op_mode mode) {
    nn_error error = {0};
    nn_plan_options options = {.training = !check->evaluation,
                               .loss = s->loss,
                               .keep = &s->output,
                               .keep_count = 1,
                               .gradients = s->inputs,
                               .gradients_count = check->input_count,
                               .separate = mode.separate,
                               .poison = mode.poison};
    test_ok(nn_plan_new(&s->plan, s->graph, options, &error), &error);
}

/* Random values for what is learned; variances are positive. */
static void fill_store(nn_store *store) {
    for (int e = 0; e < store->entry_count; e++) {
        const nn_entry *entry = &store->entries[e];
        float *values = nn_store_values(store, entry), *random = test_normal(entry->count, entry->name);
        bool variance = strstr(entry->name, "running_var") != NULL;
        for (size_t i = 0; i < entry->count; i++)
            values[i] = variance ? 0.5f + fabsf(random[i]) : random[i];
        free(random);
    }
}

static void fill_inputs(const setup *s, const op_check *check) {
    for (int i = 0; i < check->input_count; i++) {
        size_t count = nn_shape_count(check->inputs[i]);
        float *random = test_normal(count, i ? "second" : "first");
        memcpy(nn_plan_data(s->plan, s->inputs[i]), random, count * sizeof(float));
        free(random);
    }
}

static void add_argument(op_result *r, const float *values, size_t count) {
    r->counts[r->argument_count] = count;
    r->arguments[r->argument_count++] = copy_of(values, count * sizeof(float));
}

static void collect_arguments(const setup *s, const op_check *check, op_result *r) {
    for (int i = 0; i < check->input_count; i++)
        add_argument(r, nn_plan_data(s->plan, s->inputs[i]),
                     (size_t)op_rows(check) * nn_shape_row(check->inputs[i]));
    for (int kind = NN_PARAMETER; kind <= NN_STATISTIC; kind++)
        for (int e = 0; e < s->store.entry_count; e++)
            if ((int)s->store.entries[e].kind == kind)
                add_argument(r, nn_store_values(&s->store, &s->store.entries[e]), s->store.entries[e].count);
}

static void collect_results(const setup *s, const op_check *check, op_result *r) {
    size_t rows = (size_t)op_rows(check);
    nn_shape shape = nn_node_shape(s->output);
    r->count = shape.rank ? rows * nn_shape_row(shape) : 1;
    r->output = copy_of(nn_plan_data(s->plan, s->output), r->count * sizeof(float));
    r->weights = test_weights(r->count);
    for (int i = 0; i < check->input_count; i++)
        r->gradients[r->gradient_count++] =
            copy_of(nn_plan_gradient(s->plan, s->inputs[i]), r->counts[i] * sizeof(float));
    for (int e = 0; e < s->store.entry_count; e++)
        if (s->store.entries[e].kind == NN_PARAMETER)
            r->gradients[r->gradient_count++] = copy_of(s->store.gradients + s->store.entries[e].offset,
                                                        s->store.entries[e].count * sizeof(float));
    r->statistic_count = s->store.statistic_count;
    r->statistics = copy_of(s->store.statistics, r->statistic_count * sizeof(float));
}

op_result op_run(const op_check *check, op_mode mode) {
    setup s = {0};
    op_result result = {0};
    nn_error error = {0};
    build_graph(&s, check, mode);
    make_plan(&s, check, mode);
    fill_store(&s.store);
    fill_inputs(&s, check);
    collect_arguments(&s, check, &result);
    for (int i = 0; i < (mode.steps ? mode.steps : 1); i++) {
        nn_run run = {.rows = op_rows(check), .step = mode.first_step + (uint64_t)i};
        test_ok(nn_plan_forward(s.plan, run, &error), &error);
        test_ok(nn_plan_backward(s.plan, run, &error), &error);
    }
    collect_results(&s, check, &result);
    nn_plan_free(s.plan);
    nn_graph_free(s.graph);
    nn_store_free(&s.store);
    nn_threads_set(0);
    return result;
}

void op_result_free(op_result *r) {
    for (int i = 0; i < OP_ARGUMENTS; i++) {
        free(r->arguments[i]);
        free(r->gradients[i]);
    }
    free(r->output);
    free(r->weights);
    free(r->statistics);
    *r = (op_result){0};
}

void op_refused(const op_check *check, nn_status status, const char *part) {
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *inputs[OP_INPUTS];
    for (int i = 0; i < check->input_count; i++)
        inputs[i] = nn_input(graph, i ? "second" : "first", check->inputs[i]);
    nn_node *node = check->build(check, inputs);
    nn_error error = *nn_graph_error(graph);
    if (node)
        fail_msg("%s: not refused", check->name);
    test_fails(error.status, status, &error, part);
    nn_graph_free(graph);
    nn_store_free(&store);
}

/* --- against the oracle --------------------------------------------------------------------------------- */

typedef struct oracle {
    double *arguments[OP_ARGUMENTS], *gradients[OP_ARGUMENTS], *y, *dy;
} oracle;

static double *doubles(const float *from, size_t n) {
    double *to = test_bytes(n * sizeof *to);
    for (size_t i = 0; from && i < n; i++)
        to[i] = from[i];
    return to;
}

static oracle ask_oracle(const op_check *check, const op_result *r) {
    oracle o = {.y = doubles(NULL, r->count), .dy = doubles(r->weights, r->count)};
    for (int a = 0; a < r->argument_count; a++) {
        o.arguments[a] = doubles(r->arguments[a], r->counts[a]);
        o.gradients[a] = doubles(NULL, r->counts[a]);
    }
    check->forward(check, o.arguments, o.y);
    check->backward(check, o.arguments, o.dy, o.gradients);
    return o;
}

static void oracle_free(oracle *o) {
    for (int a = 0; a < OP_ARGUMENTS; a++) {
        free(o->arguments[a]);
        free(o->gradients[a]);
    }
    free(o->y);
    free(o->dy);
}

static double oracle_loss(const op_check *check, const op_result *r, oracle *o) {
    double loss = 0;
    memset(o->y, 0, r->count * sizeof *o->y);
    check->forward(check, o->arguments, o->y);
    for (size_t i = 0; i < r->count; i++)
        loss += o->dy[i] * o->y[i];
    return loss;
}

/* The oracle's gradients are the slopes of its loss: central differences at elements all over the array. */
static void check_differences(const op_check *check, const op_result *r, oracle *o) {
    const double h = 1e-5;
    for (int a = 0; a < r->gradient_count; a++) {
        size_t tried = r->count < LARGE ? DIFFERENCES : DIFFERENCES / 8, stride = r->counts[a] / tried + 1;
        for (size_t i = 0; i < r->counts[a]; i += stride) {
            double *x = &o->arguments[a][i], at = *x;
            *x = at + h;
            double above = oracle_loss(check, r, o);
            *x = at - h;
            double slope = (above - oracle_loss(check, r, o)) / (2 * h), gradient = o->gradients[a][i];
            *x = at;
            if (!(fabs(slope - gradient) <= 1e-5 * fmax(1, fabs(slope))))
                fail_msg("%s: the oracle's gradient %d, element %zu, is %.9g, its slope %.9g", check->name, a,
                         i, gradient, slope);
        }
    }
}

static void check_oracle(const op_check *check, const op_result *r) {
    char what[160];
    double tolerance = check->tolerance ? check->tolerance : 1e-5;
    oracle o = ask_oracle(check, r);
    snprintf(what, sizeof what, "%s: output", check->name);
    test_close(what, r->output, o.y, r->count, tolerance);
    for (int a = 0; a < r->gradient_count; a++) {
        snprintf(what, sizeof what, "%s: gradient %d", check->name, a);
        test_close(what, r->gradients[a], o.gradients[a], r->counts[a], tolerance);
    }
    check_differences(check, r, &o);
    oracle_free(&o);
}

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* <w, A x> = <A^T w, x>, plus what the last argument, a bias, adds. */
static void check_adjoint(const op_check *check, const op_result *r) {
    double left = dot(r->weights, r->output, r->count), right = 0;
    for (int a = 0; a < check->input_count; a++)
        right += dot(r->gradients[a], r->arguments[a], r->counts[a]);
    if (r->gradient_count == check->input_count + 2) /* weight and bias */
        right += dot(r->gradients[check->input_count + 1], r->arguments[check->input_count + 1],
                     r->counts[check->input_count + 1]);
    double size = sqrt(dot(r->weights, r->weights, r->count) * dot(r->output, r->output, r->count));
    if (!(fabs(left - right) <= 1e-5 * size))
        fail_msg("%s: <w, Ax> is %.9g, <A'w, x> is %.9g", check->name, left, right);
}

/* --- against itself ------------------------------------------------------------------------------------- */

static void check_same(const op_check *check, const op_result *r, const char *how, op_mode mode) {
    char what[160];
    op_result other = op_run(check, mode);
    snprintf(what, sizeof what, "%s, %s: output", check->name, how);
    test_same_bits(what, other.output, r->output, r->count * sizeof(float));
    for (int a = 0; a < r->gradient_count; a++) {
        snprintf(what, sizeof what, "%s, %s: gradient %d", check->name, how, a);
        test_same_bits(what, other.gradients[a], r->gradients[a], r->counts[a] * sizeof(float));
    }
    snprintf(what, sizeof what, "%s, %s: statistics", check->name, how);
    test_same_bits(what, other.statistics, r->statistics, r->statistic_count * sizeof(float));
    op_result_free(&other);
}

/* Two copies of the op: every gradient is twice as large. */
static void check_twice(const op_check *check, const op_result *r) {
    char what[160];
    for (int separate = 0; separate < 2; separate++) {
        op_result twice = op_run(check, (op_mode){.twice = true, .separate = separate, .poison = !separate});
        for (int a = 0; a < r->gradient_count; a++) {
            double *expected = doubles(r->gradients[a], r->counts[a]);
            for (size_t i = 0; i < r->counts[a]; i++)
                expected[i] *= 2;
            snprintf(what, sizeof what, "%s, used twice: gradient %d", check->name, a);
            test_close(what, twice.gradients[a], expected, r->counts[a], 1e-6);
            free(expected);
        }
        op_result_free(&twice);
    }
}

void op_check_run(const op_check *check) {
    op_result r = op_run(check, (op_mode){0});
    check_oracle(check, &r);
    if (check->linear)
        check_adjoint(check, &r);
    check_same(check, &r, "1 thread", (op_mode){.threads = 1});
    check_same(check, &r, "7 threads", (op_mode){.threads = 7});
    check_same(check, &r, "poisoned", (op_mode){.poison = true});
    check_same(check, &r, "separate", (op_mode){.separate = true});
    check_twice(check, &r);
    op_result_free(&r);
}
