#define _GNU_SOURCE /* realpath */
#include "data_options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 4096 };

nn_status exp_dataset_settle(char dataset[EXP_TEXT_MAX], const char *root, nn_error *error) {
    char found[DATA_PATH_MAX], path[PATH_MAX];
    if (data_is_named(dataset) || !data_find_pictures(found, dataset, root) || !realpath(found, path))
        return NN_OK;
    for (const char *byte = path; *byte; byte++)
        if ((unsigned char)*byte < ' ' || (*byte == ' ' && !byte[1]))
            return nn_fail(error, NN_EARGUMENT,
                           "--dataset: a path with control characters, or a blank at its end, cannot be "
                           "recorded: rename it");
    if (strlen(path) >= EXP_TEXT_MAX)
        return nn_fail(error, NN_EARGUMENT, "--dataset: the path has more than %d characters",
                       EXP_TEXT_MAX - 1);
    strcpy(dataset, path);
    return NN_OK;
}

/* Takes a side's digits from *text. */
static bool read_side(const char **text, int *side) {
    char *end;
    const long value = strtol(*text, &end, 10);
    const bool read = **text >= '0' && **text <= '9' && value >= 1 && value <= SIDE_MAX;
    *text = end;
    *side = (int)value;
    return read;
}

static bool read_size(const char *text, data_form *form) {
    if (!read_side(&text, &form->width))
        return false;
    form->height = form->width;
    return *text == '\0' || (*text++ == 'x' && read_side(&text, &form->height) && *text == '\0');
}

nn_status exp_image_size_settle(char text[EXP_TEXT_MAX], nn_error *error) {
    data_form form = {0};
    if (!text[0])
        return NN_OK;
    if (!read_size(text, &form))
        return nn_fail(error, NN_EARGUMENT,
                       "--image-size: '%.40s' is neither N nor WIDTHxHEIGHT, 1 to %d each", text, SIDE_MAX);
    if (form.width == form.height)
        snprintf(text, EXP_TEXT_MAX, "%d", form.width);
    else
        snprintf(text, EXP_TEXT_MAX, "%dx%d", form.width, form.height);
    return NN_OK;
}

data_form exp_image_form(const char *text) {
    data_form form = {0};
    if (text[0])
        read_size(text, &form);
    return form;
}
