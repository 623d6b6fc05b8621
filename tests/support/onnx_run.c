#include "onnx_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- tensors -------------------------------------------------------------------------------------------- */

static onnx_tensor *add_tensor(onnx_file *f, const char *name, int rank, const size_t *dims) {
    assert_true(f->tensor_count < ONNX_TENSORS && rank <= 4);
    for (int i = 0; i < f->tensor_count; i++) /* each name is given once */
        assert_string_not_equal(f->tensors[i].name, name);
    onnx_tensor *t = &f->tensors[f->tensor_count++];
    *t = (onnx_tensor){.rank = rank, .count = 1};
    strcpy(t->name, name);
    for (int i = 0; i < rank; i++)
        t->count *= t->dims[i] = dims[i];
    t->values = calloc(t->count, sizeof *t->values);
    assert_non_null(t->values);
    return t;
}

const onnx_tensor *onnx_find(const onnx_file *f, const char *name) {
    for (int i = 0; i < f->tensor_count; i++)
        if (strcmp(f->tensors[i].name, name) == 0)
            return &f->tensors[i];
    fail_msg("there is no '%s' (yet)", name);
    return NULL;
}

/* TensorProto: dims 1, data_type 2 (1 float, 7 int64), name 8, raw_data 9. */
static void read_initializer(onnx_file *f, wire message) {
    char name[ONNX_TEXT];
    size_t dims[4];
    int rank = 0;
    wire_field field;
    bool whole = wire_only(message, 2).integer == 7;
    assert_true(whole || wire_only(message, 2).integer == 1);
    for (wire w = message; wire_next(&w, &field);)
        if (field.number == 1) {
            assert_true(rank < 4);
            dims[rank++] = (size_t)field.integer;
        }
    onnx_tensor *t = add_tensor(f, wire_text(wire_only(message, 8).bytes, name, sizeof name), rank, dims);
    wire raw = wire_only(message, 9).bytes;
    assert_int_equal(raw.end - raw.at, t->count * (whole ? 8 : 4));
    for (size_t i = 0; i < t->count; i++) {
        int64_t integer;
        float single;
        memcpy(whole ? (void *)&integer : &single, raw.at + i * (whole ? 8 : 4), whole ? 8 : 4);
        t->values[i] = whole ? (double)integer : (double)single;
    }
}

/* --- a node --------------------------------------------------------------------------------------------- */

typedef struct node {
    char type[ONNX_TEXT], output[ONNX_TEXT];
    int input_count;
    const onnx_tensor *inputs[5]; /* NULL: left out */
    wire message;
} node;

/* NodeProto: input 1, output 2, op_type 4, attribute 5. */
static node read_node(const onnx_file *f, wire message) {
    node n = {.message = message};
    wire_field field;
    char name[ONNX_TEXT];
    wire_text(wire_only(message, 4).bytes, n.type, sizeof n.type);
    wire_text(wire_only(message, 2).bytes, n.output, sizeof n.output);
    for (wire w = message; wire_next(&w, &field);)
        if (field.number == 1) {
            assert_true(n.input_count < 5);
            wire_text(field.bytes, name, sizeof name);
            n.inputs[n.input_count++] = name[0] ? onnx_find(f, name) : NULL;
        }
    return n;
}

/* AttributeProto: name 1, f 2, i 3, s 4, ints 8. False where the node does not have it. */
static bool find_attribute(const node *n, const char *wanted, wire *found) {
    char name[ONNX_TEXT];
    wire_field field;
    for (wire w = n->message; wire_next(&w, &field);)
        if (field.number == 5 &&
            strcmp(wire_text(wire_only(field.bytes, 1).bytes, name, sizeof name), wanted) == 0) {
            *found = field.bytes;
            return true;
        }
    return false;
}

static void ints_of(const node *n, const char *name, int count, int *values) {
    wire attribute;
    wire_field field;
    int found = 0;
    assert_true(find_attribute(n, name, &attribute));
    assert_int_equal(wire_only(attribute, 20).integer, 7);
    while (wire_next(&attribute, &field))
        if (field.number == 8) {
            assert_true(found < count);
            values[found++] = (int)field.integer;
        }
    assert_int_equal(found, count);
}

static double float_of(const node *n, const char *name) {
    wire attribute;
    assert_true(find_attribute(n, name, &attribute));
    assert_int_equal(wire_only(attribute, 20).integer, 1);
    return wire_only(attribute, 2).real;
}

static void want_string(const node *n, const char *name, const char *value) {
    wire attribute;
    char text[ONNX_TEXT];
    assert_true(find_attribute(n, name, &attribute));
    assert_int_equal(wire_only(attribute, 20).integer, 3);
    assert_string_equal(wire_text(wire_only(attribute, 4).bytes, text, sizeof text), value);
}

/* --- windows -------------------------------------------------------------------------------------------- */

typedef struct window {
    int kernel[2], strides[2], pads[4];
    size_t out[2];
} window;

static window window_of(const node *n) {
    window w;
    const onnx_tensor *x = n->inputs[0];
    ints_of(n, "kernel_shape", 2, w.kernel);
    ints_of(n, "strides", 2, w.strides);
    ints_of(n, "pads", 4, w.pads);
    assert_int_equal(x->rank, 4);
    for (int i = 0; i < 2; i++) {
        int padded = (int)x->dims[2 + i] + w.pads[i] + w.pads[2 + i] - w.kernel[i];
        assert_true(padded >= 0);
        w.out[i] = (size_t)(padded / w.strides[i] + 1);
    }
    return w;
}

/* The value of image b, channel c under cell (r, s) of the window at (p, q); NULL outside. */
static const double *under(const onnx_tensor *x, const window *w, size_t b, size_t c, size_t p, size_t q,
                           int r, int s) {
    long row = (long)p * w->strides[0] - w->pads[0] + r, column = (long)q * w->strides[1] - w->pads[1] + s;
    if (row < 0 || column < 0 || row >= (long)x->dims[2] || column >= (long)x->dims[3])
        return NULL;
    return &x->values[((b * x->dims[1] + c) * x->dims[2] + (size_t)row) * x->dims[3] + (size_t)column];
}

static void run_conv(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0], *k = n->inputs[1], *bias = n->input_count > 2 ? n->inputs[2] : NULL;
    window w = window_of(n);
    assert_true(k->rank == 4 && k->dims[1] == x->dims[1] && k->dims[2] == (size_t)w.kernel[0] &&
                k->dims[3] == (size_t)w.kernel[1]);
    onnx_tensor *y = add_tensor(f, n->output, 4, (size_t[]){x->dims[0], k->dims[0], w.out[0], w.out[1]});
    double *value = y->values;
    for (size_t b = 0; b < y->dims[0]; b++)
        for (size_t m = 0; m < y->dims[1]; m++)
            for (size_t p = 0; p < y->dims[2]; p++)
                for (size_t q = 0; q < y->dims[3]; q++, value++) {
                    const double *weight = k->values + m * (k->count / k->dims[0]);
                    *value = bias ? bias->values[m] : 0;
                    for (size_t c = 0; c < x->dims[1]; c++)
                        for (int r = 0; r < w.kernel[0]; r++)
                            for (int s = 0; s < w.kernel[1]; s++, weight++) {
                                const double *at = under(x, &w, b, c, p, q, r, s);
                                *value += at ? *at * *weight : 0;
                            }
                }
}

/* Padding counts neither for the largest nor for the mean. */
static void run_pool(onnx_file *f, const node *n, bool largest) {
    const onnx_tensor *x = n->inputs[0];
    window w = window_of(n);
    onnx_tensor *y = add_tensor(f, n->output, 4, (size_t[]){x->dims[0], x->dims[1], w.out[0], w.out[1]});
    double *value = y->values;
    for (size_t b = 0; b < y->dims[0]; b++)
        for (size_t c = 0; c < y->dims[1]; c++)
            for (size_t p = 0; p < y->dims[2]; p++)
                for (size_t q = 0; q < y->dims[3]; q++, value++) {
                    double best = -INFINITY, sum = 0;
                    int cells = 0;
                    for (int i = 0; i < w.kernel[0] * w.kernel[1]; i++) {
                        const double *at = under(x, &w, b, c, p, q, i / w.kernel[1], i % w.kernel[1]);
                        if (!at)
                            continue;
                        best = fmax(best, *at);
                        sum += *at;
                        cells++;
                    }
                    *value = largest ? best : sum / cells;
                }
}

static void run_global_average(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0];
    onnx_tensor *y = add_tensor(f, n->output, 4, (size_t[]){x->dims[0], x->dims[1], 1, 1});
    size_t pixels = x->dims[2] * x->dims[3];
    for (size_t i = 0; i < x->count; i++)
        y->values[i / pixels] += x->values[i] / (double)pixels;
}

/* --- other operators ------------------------------------------------------------------------------------ */

/* Y = A transpose(B) + C */
static void run_gemm(onnx_file *f, const node *n) {
    const onnx_tensor *a = n->inputs[0], *b = n->inputs[1], *c = n->inputs[2];
    wire attribute;
    assert_true(find_attribute(n, "transB", &attribute) && wire_only(attribute, 3).integer == 1);
    assert_true(a->rank == 2 && b->rank == 2 && c->rank == 1 && a->dims[1] == b->dims[1] &&
                c->dims[0] == b->dims[0]);
    onnx_tensor *y = add_tensor(f, n->output, 2, (size_t[]){a->dims[0], b->dims[0]});
    for (size_t i = 0; i < y->count; i++) {
        size_t row = i / y->dims[1], column = i % y->dims[1];
        y->values[i] = c->values[column];
        for (size_t k = 0; k < a->dims[1]; k++)
            y->values[i] += a->values[row * a->dims[1] + k] * b->values[column * b->dims[1] + k];
    }
}

static void run_batch_norm(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0];
    double epsilon = float_of(n, "epsilon");
    onnx_tensor *y = add_tensor(f, n->output, x->rank, x->dims);
    size_t pixels = x->count / (x->dims[0] * x->dims[1]);
    for (int k = 1; k < 5; k++)
        assert_true(n->inputs[k]->rank == 1 && n->inputs[k]->dims[0] == x->dims[1]);
    for (size_t i = 0; i < x->count; i++) {
        size_t c = i / pixels % x->dims[1];
        y->values[i] = (x->values[i] - n->inputs[3]->values[c]) / sqrt(n->inputs[4]->values[c] + epsilon) *
                           n->inputs[1]->values[c] +
                       n->inputs[2]->values[c];
    }
}

/* The same shape, or b spread over a from its last dimensions on. */
static void run_binary(onnx_file *f, const node *n) {
    const onnx_tensor *a = n->inputs[0], *b = n->inputs[1];
    onnx_tensor *y = add_tensor(f, n->output, a->rank, a->dims);
    for (size_t i = 0; i < a->count; i++) {
        size_t rest = i, at = 0, step = 1;
        for (int k = 1; k <= b->rank; k++) {
            size_t dim = a->dims[a->rank - k], other = b->dims[b->rank - k];
            assert_true(other == 1 || other == dim);
            at += other == 1 ? 0 : rest % dim * step;
            step *= other;
            rest /= dim;
        }
        double u = a->values[i], v = b->values[at];
        y->values[i] = n->type[0] == 'A'   ? u + v
                       : n->type[0] == 'S' ? u - v
                       : n->type[0] == 'M' ? u * v
                                           : u / v;
    }
}

static void run_unary(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0];
    double alpha = strcmp(n->type, "LeakyRelu") == 0 ? float_of(n, "alpha") : 0;
    onnx_tensor *y = add_tensor(f, n->output, x->rank, x->dims);
    for (size_t i = 0; i < x->count; i++) {
        double v = x->values[i];
        y->values[i] = n->type[0] == 'I'   ? v
                       : n->type[0] == 'T' ? tanh(v)
                       : n->type[0] == 'S' ? 1 / (1 + exp(-v))
                       : v > 0             ? v
                                           : alpha * v;
    }
}

static void run_transpose(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0];
    int perm[4];
    size_t dims[4], to[4], from[4];
    ints_of(n, "perm", 4, perm);
    for (int i = 0; i < 4; i++)
        dims[i] = x->dims[perm[i]];
    onnx_tensor *y = add_tensor(f, n->output, 4, dims);
    for (size_t i = 0; i < y->count; i++) {
        for (size_t k = 4, rest = i; k-- > 0; rest /= dims[k])
            to[k] = rest % dims[k];
        for (int k = 0; k < 4; k++)
            from[perm[k]] = to[k];
        y->values[i] =
            x->values[((from[0] * x->dims[1] + from[1]) * x->dims[2] + from[2]) * x->dims[3] + from[3]];
    }
}

/* Flatten at axis 1, or Reshape, in which 0 stands for the input's dimension. */
static void run_reshape(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0], *shape = n->input_count > 1 ? n->inputs[1] : NULL;
    size_t dims[4] = {x->dims[0], x->count / x->dims[0]};
    for (size_t i = 0; shape && i < shape->count; i++)
        dims[i] = shape->values[i] == 0 ? x->dims[i] : (size_t)shape->values[i];
    onnx_tensor *y = add_tensor(f, n->output, shape ? (int)shape->count : 2, dims);
    assert_int_equal(y->count, x->count);
    memcpy(y->values, x->values, x->count * sizeof *x->values);
}

static void run_resize(onnx_file *f, const node *n) {
    const onnx_tensor *x = n->inputs[0], *scales = n->inputs[2];
    size_t dims[4];
    assert_null(n->inputs[1]);
    want_string(n, "mode", "nearest");
    want_string(n, "coordinate_transformation_mode", "asymmetric");
    want_string(n, "nearest_mode", "floor");
    for (int i = 0; i < 4; i++)
        dims[i] = (size_t)((double)x->dims[i] * scales->values[i]);
    onnx_tensor *y = add_tensor(f, n->output, 4, dims);
    for (size_t i = 0; i < y->count; i++) {
        size_t from[4];
        for (size_t k = 4, rest = i; k-- > 0; rest /= dims[k])
            from[k] = (size_t)((double)(rest % dims[k]) / scales->values[k]);
        y->values[i] =
            x->values[((from[0] * x->dims[1] + from[1]) * x->dims[2] + from[2]) * x->dims[3] + from[3]];
    }
}

static bool is_one_of(const char *type, const char *const *types) {
    for (; *types; types++)
        if (strcmp(*types, type) == 0)
            return true;
    return false;
}

static void run_node(onnx_file *f, const node *n) {
    static const char *const binary[] = {"Add", "Sub", "Mul", "Div", NULL};
    static const char *const unary[] = {"Identity", "Tanh", "Sigmoid", "Relu", "LeakyRelu", NULL};
    if (is_one_of(n->type, binary))
        run_binary(f, n);
    else if (is_one_of(n->type, unary))
        run_unary(f, n);
    else if (strcmp(n->type, "Conv") == 0)
        run_conv(f, n);
    else if (strcmp(n->type, "Gemm") == 0)
        run_gemm(f, n);
    else if (strcmp(n->type, "BatchNormalization") == 0)
        run_batch_norm(f, n);
    else if (strcmp(n->type, "MaxPool") == 0 || strcmp(n->type, "AveragePool") == 0)
        run_pool(f, n, n->type[0] == 'M');
    else if (strcmp(n->type, "GlobalAveragePool") == 0)
        run_global_average(f, n);
    else if (strcmp(n->type, "Transpose") == 0)
        run_transpose(f, n);
    else if (strcmp(n->type, "Flatten") == 0 || strcmp(n->type, "Reshape") == 0)
        run_reshape(f, n);
    else if (strcmp(n->type, "Resize") == 0)
        run_resize(f, n);
    else
        fail_msg("'%s' is not known here", n->type);
}

/* --- files ---------------------------------------------------------------------------------------------- */

/* ModelProto: ir_version 1, graph 7, opset_import 8. GraphProto: node 1, initializer 5, input 11, output 12. */
void onnx_open(onnx_file *f, const char *path) {
    size_t count;
    nn_error error = {0};
    wire_field field;
    *f = (onnx_file){0};
    test_ok(nn_file_read(path, 1 << 30, &f->bytes, &count, &error), &error);
    f->model = (wire){f->bytes, f->bytes + count};
    f->graph = wire_only(f->model, 7).bytes;
    assert_int_equal(wire_only(f->model, 1).integer, 7);
    assert_int_equal(wire_only(wire_only(f->model, 8).bytes, 2).integer, 13);
    for (wire w = f->graph; wire_next(&w, &field);) {
        if (field.number == 5)
            read_initializer(f, field.bytes);
        f->nodes += field.number == 1;
        f->inputs += field.number == 11;
        f->outputs += field.number == 12;
    }
}

void onnx_close(onnx_file *f) {
    for (int i = 0; i < f->tensor_count; i++)
        free(f->tensors[i].values);
    free(f->bytes);
    *f = (onnx_file){0};
}

void onnx_run(onnx_file *f, const char *name, int rank, const size_t *dims, const float *values) {
    wire_field field;
    onnx_tensor *input = add_tensor(f, name, rank, dims);
    for (size_t i = 0; i < input->count; i++)
        input->values[i] = (double)values[i];
    for (wire w = f->graph; wire_next(&w, &field);)
        if (field.number == 1) {
            node n = read_node(f, field.bytes);
            run_node(f, &n);
        }
}

const char *onnx_metadata(const onnx_file *f, const char *key) {
    static char text[4096];
    wire_field field;
    for (wire w = f->model; wire_next(&w, &field);)
        if (field.number == 14 &&
            strcmp(wire_text(wire_only(field.bytes, 1).bytes, text, sizeof text), key) == 0)
            return wire_text(wire_only(field.bytes, 2).bytes, text, sizeof text);
    return "";
}

/* ValueInfoProto: name 1, type 2 -> tensor_type 1 -> elem_type 1, shape 2 -> dim 1 -> dim_value 1, dim_param 2. */
const char *onnx_dimensions(const onnx_file *f, const char *name) {
    static char text[256];
    char part[64];
    wire_field field, dim;
    for (wire w = f->graph; wire_next(&w, &field);) {
        if ((field.number != 11 && field.number != 12) ||
            strcmp(wire_text(wire_only(field.bytes, 1).bytes, text, sizeof text), name) != 0)
            continue;
        wire tensor = wire_only(wire_only(field.bytes, 2).bytes, 1).bytes, shape = wire_only(tensor, 2).bytes;
        assert_int_equal(wire_only(tensor, 1).integer, 1);
        for (text[0] = '\0'; wire_next(&shape, &dim);) {
            assert_true(wire_next(&dim.bytes, &field));
            if (field.number == 2)
                wire_text(field.bytes, part, sizeof part);
            else
                snprintf(part, sizeof part, "%d", (int)field.integer);
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] ? " " : "", part);
        }
        return text;
    }
    fail_msg("the graph has no input or output '%s'", name);
    return NULL;
}
