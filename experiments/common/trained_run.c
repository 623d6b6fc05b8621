#include "trained_run.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/augment.h"

/* As a JSON array, to be freed; NULL without memory. */
static char *names_of_classes(const data_set *set) {
    cJSON *names = cJSON_CreateArray();
    bool good = names != NULL;
    for (int i = 0; i < set->classes && good; i++)
        good = cJSON_AddItemToArray(names, cJSON_CreateString(set->class_names[i]));
    char *text = good ? cJSON_PrintUnformatted(names) : NULL;
    cJSON_Delete(names);
    return text;
}

nn_status exp_trained_run_options(const exp_run_request *request, exp_train_options *options,
                                  nn_error *error) {
    nn_status status = exp_train_options_of_run(request->run, options, error);
    if (status == NN_OK && request->dataset)
        snprintf(options->dataset, sizeof options->dataset, "%s", request->dataset);
    return status;
}

nn_status exp_trained_model_save(const exp_classifier *classifier, const exp_train_options *options,
                                 const data_set *set, const char *path, nn_error *error) {
    char size[64], mean[128] = "", deviation[128] = "";
    snprintf(size, sizeof size, "%d %d %d", set->height, set->width, set->channels);
    for (int c = 0; c < set->channels; c++) {
        snprintf(mean + strlen(mean), sizeof mean - strlen(mean), "%s%.9g", c ? " " : "", set->mean[c]);
        snprintf(deviation + strlen(deviation), sizeof deviation - strlen(deviation), "%s%.9g", c ? " " : "",
                 set->deviation[c]);
    }
    char *classes = names_of_classes(set);
    if (!classes)
        return nn_fail_memory(error, path);
    nn_metadata metadata[] = {{"model", options->model},
                              {"dataset", set->name},
                              {"classes", classes},
                              {"image", size},
                              {"mean", mean},
                              {"deviation", deviation},
                              {0}};
    nn_status status = nn_safetensors_save(&classifier->store, metadata, path, error);
    free(classes);
    return status;
}

static nn_status read_numbers(const char *path, const char *key, int count, float *numbers, nn_error *error) {
    char text[256];
    nn_status status = nn_safetensors_metadata(path, key, text, sizeof text, error);
    char *next = text;
    for (int i = 0; i < count && status == NN_OK; i++) {
        char *end;
        numbers[i] = strtof(next, &end);
        if (end == next || !isfinite(numbers[i]))
            status = nn_fail(error, NN_EFORMAT, "%s: its metadata '%s' has fewer than %d numbers", path, key,
                             count);
        next = end;
    }
    return status;
}

static nn_status load_model(exp_trained_run *run, const char *path, nn_error *error) {
    const data_set *set = &run->set;
    float image[3];
    nn_status status = read_numbers(path, "image", 3, image, error);
    if (status == NN_OK &&
        (image[0] != (float)set->height || image[1] != (float)set->width || image[2] != (float)set->channels))
        status = nn_fail(error, NN_ESHAPE,
                         "%s was trained on images of %g x %g x %g, those of %s are %d x %d x %d", path,
                         image[0], image[1], image[2], set->name, set->height, set->width, set->channels);
    if (status == NN_OK)
        status = read_numbers(path, "mean", set->channels, run->mean, error);
    if (status == NN_OK)
        status = read_numbers(path, "deviation", set->channels, run->deviation, error);
    for (int c = 0; c < set->channels && status == NN_OK; c++)
        if (!(run->deviation[c] > 0))
            status = nn_fail(error, NN_EFORMAT, "%s: its metadata 'deviation' has %g, must be above 0", path,
                             run->deviation[c]);
    if (status == NN_OK)
        status = nn_safetensors_load(&run->classifier.store, path, error);
    return status;
}

/* The form that pictures have to be given: that of the images that the model was trained on. */
static nn_status read_form(const char *path, data_form *form, nn_error *error) {
    float image[3];
    nn_status status = read_numbers(path, "image", 3, image, error);
    for (int i = 0; i < 3 && status == NN_OK; i++)
        if (!(image[i] >= 1 && image[i] <= 65536))
            status = nn_fail(error, NN_EFORMAT, "%s: its metadata 'image' holds %g, no size", path, image[i]);
    if (status == NN_OK)
        *form = (data_form){(int)image[0], (int)image[1], (int)image[2]};
    return status;
}

nn_status exp_trained_run_open(exp_trained_run *run, const exp_run_request *request,
                               const exp_train_options *options, exp_purpose purpose, nn_error *error) {
    char path[EXP_TEXT_MAX + 32];
    *run = (exp_trained_run){.options = *options};
    snprintf(path, sizeof path, "%s/model.safetensors", request->run);
    data_form form = {0};
    nn_status status =
        data_is_path(options->dataset, exp_data_root(request->data)) ? read_form(path, &form, error) : NN_OK;
    if (status == NN_OK)
        status = data_load_as(&run->set, options->dataset, exp_data_root(request->data), form,
                              (int)options->train_limit, (int)request->examples, error);
    if (status == NN_OK && run->set.test.count == 0)
        status = nn_fail(error, NN_EARGUMENT, "%s has no test examples", run->set.name);
    if (status == NN_OK)
        status = exp_classifier_build(&run->classifier, options, &run->set, purpose, error);
    return status == NN_OK ? load_model(run, path, error) : status;
}

/* The form of the images and the classes. A file of before the classes had names tells their number by its last layer. */
static nn_status read_set(data_set *set, const nn_safetensors *file, nn_error *error) {
    const char *image = nn_safetensors_text(file, "image"), *dataset = nn_safetensors_text(file, "dataset"),
               *classes = nn_safetensors_text(file, "classes");
    snprintf(set->name, sizeof set->name, "%s", dataset ? dataset : "");
    if (!image || sscanf(image, "%d %d %d", &set->height, &set->width, &set->channels) != 3 ||
        set->height < 1 || set->width < 1 || set->channels < 1 || set->channels > DATA_CHANNELS_MAX)
        return nn_fail(error, NN_EFORMAT, "its metadata has no size of images");
    cJSON *names = classes ? cJSON_Parse(classes) : NULL;
    set->classes = names ? cJSON_GetArraySize(names) : nn_safetensors_rows(file, "logits.bias");
    for (int i = 0; i < set->classes && i < DATA_CLASSES_MAX; i++) {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(names, i));
        snprintf(set->class_names[i], DATA_NAME_MAX, "%s", name ? name : "");
    }
    cJSON_Delete(names);
    if (set->classes < 1 || set->classes > DATA_CLASSES_MAX)
        return nn_fail(error, NN_EFORMAT, "its metadata has no classes");
    return NN_OK;
}

nn_status exp_trained_model_open(exp_trained_run *run, const char *folder, exp_purpose purpose,
                                 nn_error *error) {
    char path[EXP_TEXT_MAX + 32];
    nn_safetensors *file = NULL;
    nn_error wrong = {0};
    *run = (exp_trained_run){0};
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    nn_status status = exp_train_options_of_run(folder, &run->options, error);
    if (status == NN_OK)
        status = nn_safetensors_open(&file, path, error);
    if (status == NN_OK && read_set(&run->set, file, &wrong) != NN_OK)
        status = nn_fail(error, wrong.status, "%s: %s", path, wrong.message);
    nn_safetensors_close(file);
    run->options.batch = 1;
    if (status == NN_OK)
        status = exp_classifier_build(&run->classifier, &run->options, &run->set, purpose, error);
    return status == NN_OK ? load_model(run, path, error) : status;
}

void exp_trained_run_close(exp_trained_run *run) {
    exp_classifier_free(&run->classifier);
    data_free(&run->set);
}

nn_status exp_trained_run_split(const exp_trained_run *run, const data_split *split, data_loader **loader,
                                nn_error *error) {
    data_batch_options batches = exp_evaluation_batches(run->classifier.batch);
    batches.mean = run->mean;
    batches.deviation = run->deviation;
    return data_loader_new(loader, &run->set, split, batches, error);
}

nn_status exp_trained_run_tests(const exp_trained_run *run, data_loader **loader, nn_error *error) {
    return exp_trained_run_split(run, &run->set.test, loader, error);
}

void exp_trained_run_images(const exp_trained_run *run, const data_split *split, int first, int count,
                            float *images) {
    data_normalizer normalizer = data_normalizer_new(&run->set, run->mean, run->deviation);
    size_t size = (size_t)run->set.height * (size_t)run->set.width * (size_t)run->set.channels;
    for (size_t i = 0; i < (size_t)count; i++)
        data_view_apply(&normalizer, (data_view){0}, split->pixels + ((size_t)first + i) * size,
                        images + i * size);
}
