/* loader.c - batches, made ahead by a background thread.
 *
 * There are two slots. The thread fills one while the caller works with the other; `filled`, `taken` and
 * `released` count batches since the last seek, and batch n lives in slot n % 2. Only the thread writes to
 * slots, and only to those that are not filled; everything else that both sides touch is guarded by the
 * mutex. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "order.h"

enum { SLOTS = 2 };

struct data_loader {
    /* constant once the thread runs */
    const data_split *split;
    data_batch_options options;
    data_normalizer normalizer;
    size_t example_size; /* values, or bytes, of one image */
    uint64_t epoch_draws, epoch_batches;
    nn_stream augment;

    data_order order; /* the thread's own */
    data_batch slots[SLOTS];

    pthread_t thread;
    bool running; /* the thread, the mutex and the condition exist */
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* any of the below */
    bool stop;
    uint64_t first_step; /* the step of batch 0 */
    uint64_t seeks;
    uint64_t filled, taken, released;
};

/* Makes batch `step` of the run: its draws follow those of the batches before it. */
static void fill(data_loader *loader, data_batch *batch, uint64_t step) {
    const size_t size = loader->example_size, capacity = (size_t)loader->options.batch;
    const uint64_t position = step % loader->epoch_batches * capacity;
    const uint64_t left = loader->epoch_draws - position;
    const size_t count = left < capacity ? (size_t)left : capacity;
    batch->step = step;
    batch->epoch = (int)(step / loader->epoch_batches);
    batch->epoch_end = (step + 1) % loader->epoch_batches == 0;
    batch->count = (int)count;

    const uint64_t first = step / loader->epoch_batches * loader->epoch_draws + position;
    for (size_t i = 0; i < count; i++) {
        const uint32_t example = data_order_at(&loader->order, first + i);
        data_view view = {0};
        if (loader->options.augment) {
            nn_stream stream = loader->augment;
            stream.position = (first + i) * DATA_VIEW_NUMBERS;
            view = data_view_random(loader->options.pad, &stream);
        }
        data_view_apply(&loader->normalizer, view, loader->split->pixels + example * size,
                        batch->images + i * size);
        batch->labels[i] = loader->split->labels[example];
        batch->indices[i] = example;
    }
    memset(batch->images + count * size, 0, (capacity - count) * size * sizeof *batch->images);
    memset(batch->labels + count, 0, (capacity - count) * sizeof *batch->labels);
    memset(batch->indices + count, 0, (capacity - count) * sizeof *batch->indices);
}

static void *prepare_batches(void *argument) {
    data_loader *loader = argument;
    pthread_mutex_lock(&loader->mutex);
    for (;;) {
        while (!loader->stop && loader->filled - loader->released == SLOTS)
            pthread_cond_wait(&loader->changed, &loader->mutex);
        if (loader->stop)
            break;
        const uint64_t seeks = loader->seeks, step = loader->first_step + loader->filled;
        data_batch *slot = &loader->slots[loader->filled % SLOTS];
        pthread_mutex_unlock(&loader->mutex);
        fill(loader, slot, step);
        pthread_mutex_lock(&loader->mutex);
        if (loader->seeks == seeks) { /* else this batch is no longer wanted */
            loader->filled++;
            pthread_cond_broadcast(&loader->changed);
        }
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

static nn_status check(const data_set *set, const data_split *split, const data_batch_options *options,
                       nn_error *error) {
    if (split->count < 1)
        return nn_fail(error, NN_EARGUMENT, "%s: no examples in this split", set->name);
    if (options->batch < 1)
        return nn_fail(error, NN_EARGUMENT, "a batch of %d examples: must be 1 or more", options->batch);
    if (options->drop_partial && options->batch > split->count)
        return nn_fail(error, NN_EARGUMENT,
                       "a batch of %d examples, but %s has %d here: no batch is complete", options->batch,
                       set->name, split->count);
    if (options->pad < 0 || options->pad > set->height || options->pad > set->width)
        return nn_fail(error, NN_EARGUMENT, "padding by %d pixels: must be from 0 to the image's %d x %d",
                       options->pad, set->height, set->width);
    for (int c = 0; c < set->channels; c++)
        if (!(options->deviation[c] > 0))
            return nn_fail(error, NN_EARGUMENT, "deviation %g of channel %d: must be above 0",
                           (double)options->deviation[c], c);
    return NN_OK;
}

static nn_status allocate(data_loader *loader, nn_error *error) {
    const size_t batch = (size_t)loader->options.batch;
    size_t bytes;
    if (!nn_multiply(batch, loader->example_size, &bytes) || !nn_multiply(bytes, sizeof(float), &bytes) ||
        bytes > SIZE_MAX - 64)
        return nn_fail_memory(error, "a batch");
    for (int s = 0; s < SLOTS; s++) {
        data_batch *slot = &loader->slots[s];
        slot->images = aligned_alloc(64, (bytes + 63) / 64 * 64);
        slot->labels = malloc(batch * sizeof *slot->labels);
        slot->indices = malloc(batch * sizeof *slot->indices);
        if (!slot->images || !slot->labels || !slot->indices)
            return nn_fail_memory(error, "a batch");
    }
    return NN_OK;
}

static nn_status start(data_loader *loader, nn_error *error) {
    pthread_mutex_init(&loader->mutex, NULL);
    pthread_cond_init(&loader->changed, NULL);
    int code = pthread_create(&loader->thread, NULL, prepare_batches, loader);
    if (code == 0) {
        loader->running = true;
        return NN_OK;
    }
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->mutex);
    return nn_fail(error, NN_EMEMORY, "cannot start the thread that prepares batches: %s", strerror(code));
}

nn_status data_loader_new(data_loader **result, const data_set *set, const data_split *split,
                          data_batch_options options, nn_error *error) {
    *result = NULL;
    options.mean = options.mean ? options.mean : set->mean;
    options.deviation = options.deviation ? options.deviation : set->deviation;
    nn_status status = check(set, split, &options, error);
    if (status != NN_OK)
        return status;
    options.pad = options.pad ? options.pad : set->height / 8;

    data_loader *loader = calloc(1, sizeof *loader);
    if (!loader)
        return nn_fail_memory(error, "a data loader");
    loader->split = split;
    loader->options = options;
    loader->options.mean = loader->options.deviation =
        NULL; /* the caller's; the normalizer has what is needed */
    loader->normalizer = data_normalizer_new(set, options.mean, options.deviation);
    loader->example_size = nn_shape_count((nn_shape){3, {set->height, set->width, set->channels}});
    const uint64_t count = (uint64_t)split->count, batch = (uint64_t)options.batch;
    loader->epoch_batches = options.drop_partial ? count / batch : (count + batch - 1) / batch;
    loader->epoch_draws = options.drop_partial ? loader->epoch_batches * batch : count;
    loader->augment = nn_stream_named(options.seed, "augment");
    status = allocate(loader, error);
    if (status == NN_OK)
        status = data_order_new(&loader->order, split, (uint32_t)loader->epoch_draws, options.shuffle,
                                options.balanced, options.seed, error);
    if (status == NN_OK)
        status = start(loader, error);
    if (status != NN_OK) {
        data_loader_free(loader);
        return status;
    }
    *result = loader;
    return NN_OK;
}

void data_loader_free(data_loader *loader) {
    if (!loader)
        return;
    if (loader->running) {
        pthread_mutex_lock(&loader->mutex);
        loader->stop = true;
        pthread_cond_broadcast(&loader->changed);
        pthread_mutex_unlock(&loader->mutex);
        pthread_join(loader->thread, NULL);
        pthread_cond_destroy(&loader->changed);
        pthread_mutex_destroy(&loader->mutex);
    }
    data_order_free(&loader->order);
    for (int s = 0; s < SLOTS; s++) {
        free(loader->slots[s].images);
        free(loader->slots[s].labels);
        free(loader->slots[s].indices);
    }
    free(loader);
}

int data_loader_batches(const data_loader *loader) {
    return (int)loader->epoch_batches;
}

const data_batch *data_loader_next(data_loader *loader) {
    pthread_mutex_lock(&loader->mutex);
    loader->released = loader->taken;
    pthread_cond_broadcast(&loader->changed);
    while (loader->filled == loader->taken)
        pthread_cond_wait(&loader->changed, &loader->mutex);
    const data_batch *batch = &loader->slots[loader->taken++ % SLOTS];
    pthread_mutex_unlock(&loader->mutex);
    return batch;
}

void data_loader_seek(data_loader *loader, uint64_t step) {
    pthread_mutex_lock(&loader->mutex);
    loader->first_step = step;
    loader->filled = loader->taken = loader->released = 0;
    loader->seeks++;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->mutex);
}
