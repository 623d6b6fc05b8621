/* op.h - what an op is: for framework/ops/, the planner and framework/onnx/ only.
 *
 * One file per op family holds the mathematics, the shape rule, forward, backward and one constant nn_op.
 * Nodes point at it: there is no enumeration of ops, no switch and no registry. Shape rules do every check;
 * forward and backward cannot fail. */
#ifndef NN_OP_H
#define NN_OP_H

#include "graph.h"

enum { NN_MAX_INPUTS = 4, NN_MAX_STATE = 2, NN_MAX_OPTIONS = 64, NN_MAX_PHASES = 2 };

/* A batch computed in slices is cut into at most so many units of equal size; each is one thread's. */
enum { NN_UNITS = 16 };

typedef struct nn_op nn_op;

struct nn_node {
    const nn_op *op;
    nn_graph *graph;
    int index; /* order of recording */
    char name[NN_NAME_MAX];
    nn_shape shape;
    bool integer; /* int32 labels instead of floats */
    int classes;  /* of labels */
    int entry;    /* of a parameter: its index in the store, else -1 */
    int input_count;
    nn_node *inputs[NN_MAX_INPUTS];
    int state_count;
    int state[NN_MAX_STATE]; /* entries of the store that the op itself reads and writes */
    _Alignas(16) unsigned char options[NN_MAX_OPTIONS];

    /* Set by the shape rule: bytes of memory beside the output. */
    size_t saved_bytes;   /* from this node's forward to its backward */
    size_t scratch_bytes; /* while forward runs, and again while backward runs */
    size_t own_bytes;     /* of each thread, while it computes a slice */
    size_t report_bytes;  /* readable after a run (nn_plan_report) */
};

/* What forward and backward see: every pointer resolved. */
typedef struct nn_call {
    const nn_node *node;
    int rows;            /* examples in this batch or slice, <= the nodes' first dimension */
    bool training;       /* a property of the plan */
    bool differentiated; /* backward will follow */
    uint64_t step;       /* selects dropout's mask */
    uint64_t seed;
    const float *input[NN_MAX_INPUTS];
    float *output; /* may be an input, for ops that work in place */
    const float *output_gradient;
    float *input_gradient[NN_MAX_INPUTS]; /* NULL: not wanted (of parameters neither, in plans where they are
                                         * fixed); may be output_gradient where the op allows it */
    bool accumulate[NN_MAX_INPUTS];       /* add to input_gradient instead of overwriting it */
    float *state[NN_MAX_STATE];
    void *saved, *scratch, *report; /* 64-byte aligned */

    /* Of a slice: */
    int slice; /* number in the batch, below the batch's examples */
    int unit;  /* the unit it belongs to, and whether it is the first slice there */
    bool unit_begins;
    void *own; /* the thread's memory, 64-byte aligned */
    /* In begin and end, with the whole batch's pointers and rows: */
    int slices, slice_rows, units; /* slice_rows: of all slices but the last, which may have fewer */
} nn_call;

/* What an op does in one direction is one phase, or two with everybody waiting in between. A phase computes the
 * whole batch; or it computes slices of it, each alone: then the planner takes the phases of several nodes
 * together, and a slice passes through all of them while it is in the cache. A slice's call has the pointers of
 * inputs, output and their gradients set to the slice's first example; saved, scratch and report are the batch's.
 * begin and end are called by every thread of the team, inside of a parallel region, before the first and after
 * the last slice: work there is shared out with `omp for` and `omp single`, with or without a barrier. */
typedef struct nn_phase {
    void (*whole)(const nn_call *call);
    void (*begin)(const nn_call *call); /* NULL: nothing */
    void (*slice)(const nn_call *call);
    void (*end)(const nn_call *call); /* NULL: nothing */
    bool training;                    /* only in plans for training */
} nn_phase;

/* Most examples of a slice. */
static inline int nn_slice_limit(int batch) {
    return (batch + NN_UNITS - 1) / NN_UNITS;
}

typedef enum nn_in_place {
    NN_IN_PLACE_NEVER,
    NN_IN_PLACE_OVERWRITE, /* output may take the memory of any input of its size, whose values are then gone */
    NN_IN_PLACE_VIEW       /* output has input 0's values: sharing its memory changes nothing */
} nn_in_place;

enum { NN_READS_OUTPUT = 1 << NN_MAX_INPUTS };
#define NN_READS_INPUT(i) (1u << (i))

struct nn_op {
    const char *name;
    nn_status (*shape)(nn_node *node,
                       nn_error *error); /* checks the inputs, sets the node's shape and bytes */
    nn_phase forward[NN_MAX_PHASES];     /* the last one writes the output */
    nn_phase backward[NN_MAX_PHASES];    /* none: no gradient passes */
    unsigned backward_reads;             /* NN_READS_INPUT(i) | NN_READS_OUTPUT */
    unsigned early_gradients; /* NN_READS_INPUT(i): the first of two phases writes it, not the last */
    nn_in_place in_place;
    bool gradient_in_place; /* input_gradient of one input of the output's size may be output_gradient */
    bool early;             /* scheduled right after its last input: losses on taps */
    bool repeatable; /* the last forward phase, in slices, may run again before backward: it needs saved, and
                             * of the inputs those that backward reads */

    /* For profiles: floating-point operations of matrix products with so many examples, as the formula has them;
     * backward with the gradient of input 0 (`data`) or without. NULL: none. */
    double (*flop)(const nn_node *node, double examples, bool backward, bool data);

    /* Fewer passes over memory: makes `fused`, a node that computes `absorbed`, compute `reader` instead, the one
     * node that reads it. False, and nothing changed, when the op has no such form. NULL: it never has. */
    bool (*absorb)(nn_node *fused, const nn_node *absorbed, const nn_node *reader);
};

static inline bool nn_phase_exists(const nn_phase *phase, bool training) {
    return (phase->whole || phase->slice) && (training || !phase->training);
}

static inline bool nn_passes_gradient(const nn_op *op) {
    return op->backward[0].whole || op->backward[0].slice;
}

extern const nn_op nn_op_input, nn_op_parameter;

/* Ops that others absorb: elementwise.c, activation.c. */
extern const nn_op nn_op_add, nn_op_relu;
float nn_relu_slope(const nn_node *relu); /* 0, or that of a leaky relu */

/* What an exporter asks of nodes of one op beside their shapes. */
typedef struct nn_window {
    int height, width, stride, top, left; /* top and left: padding before the first row and column */
} nn_window;
nn_window nn_conv_window(const nn_node *conv);
nn_window nn_pool_window(const nn_node *pool); /* max or average */
float nn_batch_norm_epsilon(const nn_node *batch_norm);
float nn_scale_factor(const nn_node *scale);

/* Records a node. options (at most NN_MAX_OPTIONS bytes) are copied. NULL when an input is NULL or the shape
 * rule refuses; name NULL gives the op's name and a number. */
nn_node *nn_record(const nn_op *op, const char *name, const void *options, size_t options_size,
                   int input_count, nn_node *const *inputs);

/* The parameter LAYER.SUFFIX as a node of the same graph as `like`; the one node for all uses of that name.
 */
nn_node *nn_parameter(nn_node *like, const char *layer, const char *suffix, nn_entry entry);

/* Declares the state LAYER.SUFFIX (a statistic) and attaches it to the node. Returns the node or NULL. */
nn_node *nn_attach_state(nn_node *node, const char *layer, const char *suffix, nn_entry entry);

/* Elements of a node's tensor in this call: rows of it, or 1 for a scalar. */
size_t nn_call_count(const nn_call *call, const nn_node *node);

/* Puts the graph of `node` in error: for constructors, before there is a node of their own. Returns the
 * status. */
nn_status nn_refuse(const nn_node *node, nn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Shape rule helpers: the error names the op and the node. */
nn_status nn_need_rank(const nn_node *node, int input, int rank, nn_error *error);
nn_status nn_need_labels(const nn_node *node, int input, nn_error *error);

/* Outputs of a sliding window over a dimension of `in` cells, 0 when it does not fit, and the padding before
 * its first cell. padding: NN_VALID, NN_SAME (what is odd goes behind) or a number of cells on both sides. */
int nn_window_outputs(int in, int size, int stride, int padding, int *before);

#endif
