#include "export.h"

#include <stdlib.h>
#include <string.h>

/* What model.safetensors says of itself goes with the model. */
static nn_status write(const exp_export_request *request, const exp_trained_run *run, nn_error *error) {
    const exp_classifier *c = &run->classifier;
    char path[EXP_TEXT_MAX + 32];
    nn_safetensors *file;
    nn_onnx_output outputs[EXP_TAPS_MAX + 1] = {{c->logits, "logits"}};
    static const char *const keys[] = {"model", "dataset", "classes", "mean", "deviation"};
    enum { KEYS = sizeof keys / sizeof *keys };
    nn_metadata metadata[KEYS + 1] = {0};
    int known = 0;
    for (int i = 0; i < c->taps; i++)
        outputs[1 + i] = (nn_onnx_output){nn_tap_node(c->graph, i), exp_tap_name(c, i)};
    snprintf(path, sizeof path, "%s/model.safetensors", request->run);
    nn_status status = nn_safetensors_open(&file, path, error);
    for (int i = 0; i < KEYS && status == NN_OK; i++) {
        const char *text = nn_safetensors_text(file, keys[i]);
        if (text)
            metadata[known++] = (nn_metadata){keys[i], text};
    }
    nn_onnx_model exported = {.name = run->options.model,
                              .producer = "entangle",
                              .version = exp_version,
                              .input = c->images,
                              .input_name = "image",
                              .channels_last = request->channels_last,
                              .mean = request->normalized ? NULL : run->mean,
                              .deviation = request->normalized ? NULL : run->deviation,
                              .outputs = outputs,
                              .output_count = request->taps ? 1 + c->taps : 1,
                              .metadata = metadata};
    if (status == NN_OK)
        status = nn_onnx_write(&exported, request->out, error);
    nn_safetensors_close(file);
    return status;
}

nn_status exp_export(const exp_export_request *request, exp_trained_run *run, nn_error *error) {
    nn_status status = exp_trained_model_open(run, request->run, EXP_EVALUATE, error);
    return status == NN_OK ? write(request, run, error) : status;
}
