/* Whichever allocation fails, the framework says so, gives back what it had, and leaves files and store as they were. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/support/out_of_memory/out_of_memory.h"
#include "tests/support/small_network.h"

enum { ROWS = 4 };

static const nn_optimizer_options adam = {.kind = NN_ADAM};

static void add(uint64_t *hash, const void *bytes, size_t count) {
    *hash = nn_hash(*hash, bytes, count);
}

static void add_store(uint64_t *hash, const nn_store *store) {
    add(hash, store->parameters, store->parameter_count * sizeof(float));
    add(hash, store->statistics, store->statistic_count * sizeof(float));
}

/* --- graphs and plans ------------------------------------------------------------------------------------- */

static nn_status plan_network(nn_graph *graph, bool training, uint64_t *hash, nn_error *error) {
    nn_node *image, *labels, *logits = small_network_layers(graph, &image, &labels, ROWS);
    nn_node *snnl = nn_snnl(nn_tap(logits, "logits"), labels, "snnl",
                            (nn_snnl_options){.mode = NN_TEMPERATURE_LEARNED, .temperature = 3});
    nn_node *loss = nn_add(nn_cross_entropy(logits, labels), nn_scale(snnl, -0.5f));
    nn_plan *plan;
    nn_plan_options options = {.training = training,
                               .loss = training ? loss : NULL,
                               .keep = &loss,
                               .keep_count = 1,
                               .metrics = &snnl,
                               .metrics_count = training ? 0 : 1,
                               .gradients = &image,
                               .gradients_count = training ? 1 : 0};
    nn_status status = nn_plan_new(&plan, graph, options, error);
    if (status == NN_OK)
        status = nn_plan_profile(plan, error);
    if (status == NN_OK)
        status = nn_plan_forward(plan, (nn_run){.rows = ROWS, .metrics = true}, error);
    if (status == NN_OK && training)
        status = nn_plan_backward(plan, (nn_run){.rows = ROWS, .metrics = true}, error);
    if (status == NN_OK) {
        float value = nn_plan_scalar(plan, loss);
        size_t bytes = nn_plan_bytes(plan);
        add(hash, &value, sizeof value);
        add(hash, &bytes, sizeof bytes);
    }
    nn_plan_free(plan);
    return status;
}

static nn_status build_and_run(bool training, uint64_t *hash, nn_error *error) {
    nn_store store;
    nn_optimizer optimizer = {0};
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_status status =
        graph ? plan_network(graph, training, hash, error) : nn_fail_memory(error, "the graph");
    if (status == NN_OK)
        status = nn_optimizer_begin(&optimizer, &store, adam, error);
    if (status == NN_OK) {
        nn_optimizer_step(&optimizer, 0.1f);
        add_store(hash, &store);
    }
    nn_optimizer_free(&optimizer);
    nn_graph_free(graph);
    nn_store_free(&store);
    return status;
}

static nn_status train(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    return build_and_run(true, hash, error);
}

static nn_status infer(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    return build_and_run(false, hash, error);
}

static void test_plans(void **state) {
    (void)state;
    memory_try((memory_trial){.name = "small network: plan, train, optimize", .operation = train});
    memory_try((memory_trial){.name = "small network: plan, infer", .operation = infer});
}

/* A plan whose store could not be had can be made again with the same graph, and nothing is lost on the way. */
static nn_status plan_again(void *context, uint64_t *hash, nn_error *error) {
    (void)context;
    nn_store store;
    nn_plan *plan = NULL;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    if (!graph)
        return nn_fail_memory(error, "the graph");
    nn_node *image, *labels, *logits = small_network_layers(graph, &image, &labels, ROWS);
    nn_plan_options options = {.loss = nn_cross_entropy(logits, labels)};
    nn_status status = nn_plan_new(&plan, graph, options, error);
    if (status == NN_EMEMORY && nn_graph_error(graph)->status == NN_OK) {
        nn_error again = {0};
        if (nn_plan_new(&plan, graph, options, &again) == NN_OK)
            nn_plan_free(plan);
    } else if (status == NN_OK) {
        add_store(hash, &store);
        nn_plan_free(plan);
    }
    nn_graph_free(graph);
    nn_store_free(&store);
    return status;
}

static void test_plan_again(void **state) {
    (void)state;
    memory_try((memory_trial){.name = "a plan, and again after a failure", .operation = plan_again});
}

/* --- files ------------------------------------------------------------------------------------------------ */

/* A trained network and a file that it is saved to or loaded from. */
typedef struct saving {
    small_network *network;
    nn_optimizer optimizer;
    bool checkpoint;
    char path[256];
} saving;

static const nn_metadata texts[] = {{"place", "step 3"}, {"name", "a text"}, {0}};

static saving begin_saving(bool checkpoint) {
    saving s = {.checkpoint = checkpoint};
    small_network_begin((void **)&s.network);
    small_network *f = s.network;
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    test_ok(nn_optimizer_begin(&s.optimizer, &f->store, adam, &f->error), &f->error);
    test_ok(small_network_step(f, (nn_run){.rows = ROWS}), &f->error);
    nn_optimizer_step(&s.optimizer, 0.1f);
    snprintf(s.path, sizeof s.path, "%s", test_path("file"));
    return s;
}

static void end_saving(saving *s) {
    nn_optimizer_free(&s->optimizer);
    small_network_end((void **)&s->network);
    remove(s->path);
}

static void put_old_file(void *context) {
    (void)context;
    test_file("file", "old", 3);
}

/* Where saving has failed the old file is there still, and in any case nothing beside it. */
static void expect_file(void *context, bool saved) {
    (void)context;
    char start[4] = "";
    FILE *file = fopen(test_path("file"), "rb");
    assert_non_null(file);
    size_t count = fread(start, 1, sizeof start, file);
    fclose(file);
    assert_true(saved ? count == sizeof start : count == 3 && memcmp(start, "old", 3) == 0);
    DIR *folder = opendir(test_path("."));
    assert_non_null(folder);
    int files = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        files += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(files, 1);
}

static nn_status save(void *context, uint64_t *hash, nn_error *error) {
    (void)hash;
    saving *s = context;
    return s->checkpoint ? nn_checkpoint_save(&s->optimizer, texts, s->path, error)
                         : nn_safetensors_save(&s->network->store, texts, s->path, error);
}

static void forget(void *context) {
    nn_store *store = &((saving *)context)->network->store;
    for (size_t i = 0; i < store->parameter_count; i++)
        store->parameters[i] = 7;
}

/* Where loading has failed the store is as it was. */
static void expect_store(void *context, bool loaded) {
    const nn_store *store = &((saving *)context)->network->store;
    for (size_t i = 0; i < store->parameter_count && !loaded; i++)
        assert_true(store->parameters[i] == 7);
}

static nn_status load_checkpoint(saving *s, uint64_t *hash, nn_error *error) {
    nn_safetensors *file;
    nn_status status = nn_checkpoint_open(&file, s->path, error);
    if (status == NN_OK)
        status = nn_checkpoint_restore(file, &s->optimizer, error);
    if (status == NN_OK)
        add(hash, nn_safetensors_text(file, "name"), sizeof "a text");
    nn_safetensors_close(file);
    return status;
}

static nn_status load_model(saving *s, uint64_t *hash, nn_error *error) {
    char text[16];
    nn_status status = nn_safetensors_metadata(s->path, "name", text, sizeof text, error);
    if (status == NN_OK)
        status = nn_safetensors_load(&s->network->store, s->path, error);
    if (status == NN_OK)
        add(hash, text, strlen(text));
    return status;
}

static nn_status load(void *context, uint64_t *hash, nn_error *error) {
    saving *s = context;
    nn_status status = s->checkpoint ? load_checkpoint(s, hash, error) : load_model(s, hash, error);
    if (status == NN_OK)
        add_store(hash, &s->network->store);
    return status;
}

static void try_files(bool checkpoint, const char *saves, const char *loads) {
    nn_error error = {0};
    saving s = begin_saving(checkpoint);
    memory_try((memory_trial){
        .name = saves, .operation = save, .context = &s, .before = put_old_file, .after = expect_file});
    test_ok(save(&s, NULL, &error), &error);
    memory_try((memory_trial){
        .name = loads, .operation = load, .context = &s, .before = forget, .after = expect_store});
    end_saving(&s);
}

static void test_models(void **state) {
    (void)state;
    try_files(false, "safetensors: save", "safetensors: load");
}

static void test_checkpoints(void **state) {
    (void)state;
    try_files(true, "checkpoint: save", "checkpoint: load");
}

static const size_t dims[] = {3, 4};

static nn_status write_npy(void *context, uint64_t *hash, nn_error *error) {
    (void)hash;
    float values[12];
    for (int i = 0; i < 12; i++)
        values[i] = (float)i;
    return nn_npy_write_floats(context, 2, dims, values, error);
}

static nn_status read_npy(void *context, uint64_t *hash, nn_error *error) {
    nn_npy array;
    nn_status status = nn_npy_read(context, &array, error);
    if (status == NN_OK)
        add(hash, array.elements, array.count * array.size);
    nn_npy_free(&array);
    return status;
}

static void test_npy(void **state) {
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", test_path("file"));
    memory_try((memory_trial){.name = "npy: write",
                              .operation = write_npy,
                              .context = path,
                              .before = put_old_file,
                              .after = expect_file});
    memory_try((memory_trial){.name = "npy: read", .operation = read_npy, .context = path});
    remove(path);
}

/* --- whole files ------------------------------------------------------------------------------------------ */

static nn_status read_file(void *context, uint64_t *hash, nn_error *error) {
    unsigned char *bytes;
    size_t count;
    nn_status status = nn_file_read(context, SIZE_MAX, &bytes, &count, error);
    if (status == NN_OK)
        add(hash, bytes, count);
    free(bytes);
    return status;
}

/* A plain file, and a packed one that unpacks to more than was thought. */
static void test_read(void **state) {
    (void)state;
    char plain[256], packed[256];
    enum { BYTES = 300000 };
    unsigned char *bytes = test_bytes(BYTES);
    snprintf(plain, sizeof plain, "%s", test_file("plain", bytes, BYTES));
    snprintf(packed, sizeof packed, "%s", test_path("packed.gz"));
    gzFile file = gzopen(packed, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, BYTES), BYTES);
    assert_int_equal(gzclose(file), Z_OK);
    free(bytes);
    memory_try((memory_trial){.name = "file: read", .operation = read_file, .context = plain});
    memory_try((memory_trial){.name = "file: read gzip", .operation = read_file, .context = packed});
    remove(plain);
    remove(packed);
}

/* --- soft nearest neighbor loss --------------------------------------------------------------------------- */

static nn_status measure(void *context, uint64_t *hash, nn_error *error) {
    const nn_snnl_points *points = context;
    static double gradient[32 * 5]; /* for floats too */
    nn_snnl_result result;
    nn_status status = nn_snnl_measure(points, 0, &result, gradient, error);
    if (status == NN_OK) {
        add(hash, &result.value, sizeof result.value);
        add(hash, gradient, sizeof gradient);
    }
    return status;
}

static void test_snnl(void **state) {
    (void)state;
    enum { COUNT = 32, DIMS = 5 };
    float *x = test_normal(COUNT * DIMS, "points");
    double wide[COUNT * DIMS];
    int32_t labels[COUNT];
    for (int i = 0; i < COUNT * DIMS; i++)
        wide[i] = x[i];
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % 3;
    nn_snnl_points points = {.count = COUNT, .dims = DIMS, .x32 = x, .labels = labels};
    memory_try((memory_trial){.name = "snnl: measure, single", .operation = measure, .context = &points});
    points.x32 = NULL;
    points.x64 = wide;
    memory_try((memory_trial){.name = "snnl: measure, double", .operation = measure, .context = &points});
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plans),  cmocka_unit_test(test_plan_again),
                                       cmocka_unit_test(test_models), cmocka_unit_test(test_checkpoints),
                                       cmocka_unit_test(test_npy),    cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_snnl)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
