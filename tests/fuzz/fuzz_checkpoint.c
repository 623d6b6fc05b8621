/* Checkpoints, in a run folder and by themselves, with the checksum that is there and with the right one.
 *
 * The parts of an input are the header and the tensors. */
#include "experiments/common/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "small_store.h"

static nn_optimizer *optimizer(void) {
    static nn_optimizer made;
    nn_error error = {0};
    if (!made.store)
        fuzz_require(nn_optimizer_begin(&made, fuzz_small_store(), (nn_optimizer_options){.momentum = 0.9f},
                                        &error) == NN_OK,
                     "an optimizer is made");
    made.steps = 77;
    return &made;
}

static void open_alone(const char *path) {
    nn_safetensors *file;
    nn_error error = {0};
    nn_optimizer *o = optimizer();
    nn_status status = nn_checkpoint_open(&file, path, &error);
    fuzz_require_reason(status, &error, path);
    if (status == NN_OK) {
        status = nn_checkpoint_restore(file, o, &error);
        fuzz_require_reason(status, &error, NULL);
        fuzz_require(status == NN_OK || o->steps == 77, "a failure leaves the optimizer as it was");
        fuzz_small_store_restore(o->store, status != NN_OK);
    }
    nn_safetensors_close(file);
}

static void load_from_folder(const char *folder_path) {
    data_set set = {.name = "mnist"};
    exp_run_folder folder = {0};
    exp_checkpoint_found found;
    nn_error error = {0};
    nn_optimizer *o = optimizer();
    snprintf(folder.path, sizeof folder.path, "%s", folder_path);
    const exp_checkpoint checkpoint = {&folder, &exp_train_defaults, &set, o};
    nn_status status = exp_checkpoint_load(&checkpoint, &found, &error);
    fuzz_require_reason(status, &error, NULL);
    if (status == NN_OK && found.any) {
        const exp_position *p = &found.position;
        fuzz_require(isfinite(p->seconds) && isfinite(p->timed_seconds) && p->seconds >= 0 &&
                         p->timed_seconds >= 0,
                     "times are numbers");
        fuzz_require(p->step <= p->steps, "a run stands within its steps");
    }
    fuzz_small_store_restore(o->store, status != NN_OK);
}

static void load(fuzz_part header, fuzz_part tensors, bool checksum) {
    size_t size;
    unsigned char *bytes =
        fuzz_compose_safetensors(header.bytes, header.count, tensors.bytes, tensors.count, checksum, &size);
    open_alone(fuzz_file("run/checkpoint.safetensors", bytes, size));
    load_from_folder(fuzz_path("run"));
    free(bytes);
}

FUZZ_TARGET(checkpoint) {
    fuzz_part parts[2];
    fuzz_cut(bytes, count, parts, 2);
    load(parts[0], parts[1], false);
    load(parts[0], parts[1], true);
}
