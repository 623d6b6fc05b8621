#include "safetensors.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

enum { LENGTH_BYTES = 8 };
static const size_t file_limit = (size_t)1 << 34;

/* The shape that the entry has in a file. */
static nn_shape file_shape(const nn_entry *entry) {
    nn_shape s = entry->shape;
    if (entry->flat)
        return NN_SHAPE2(s.dims[0], (int)nn_shape_row(s));
    return s.rank == 4 ? NN_SHAPE4(s.dims[0], s.dims[3], s.dims[1], s.dims[2]) : s;
}

/* Where element i of the entry stands in the file: channels last here, channels first there. */
static size_t file_index(const nn_entry *entry, size_t i) {
    if (entry->shape.rank != 4)
        return i;
    size_t pixels = (size_t)entry->shape.dims[1] * (size_t)entry->shape.dims[2];
    size_t channels = (size_t)entry->shape.dims[3];
    size_t outer = i / (pixels * channels), pixel = i / channels % pixels, channel = i % channels;
    return (outer * channels + channel) * pixels + pixel;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static bool describe(cJSON *header, const nn_entry *entry, size_t offset) {
    cJSON *tensor = cJSON_AddObjectToObject(header, entry->name);
    nn_shape shape = file_shape(entry);
    double place[2] = {(double)offset, (double)(offset + entry->count * sizeof(float))};
    cJSON *dims = cJSON_CreateIntArray(shape.dims, shape.rank), *offsets = cJSON_CreateDoubleArray(place, 2);
    return tensor && cJSON_AddStringToObject(tensor, "dtype", "F32") &&
           cJSON_AddItemToObject(tensor, "shape", dims) &&
           cJSON_AddItemToObject(tensor, "data_offsets", offsets);
}

/* The header as text to be freed, NULL without memory; *bytes is the size of all tensors. */
static char *make_header(const nn_store *store, const nn_metadata *metadata, size_t *bytes) {
    cJSON *header = cJSON_CreateObject();
    cJSON *texts = cJSON_AddObjectToObject(header, "__metadata__");
    bool good = texts && cJSON_AddStringToObject(texts, "format", "pt");
    for (; metadata && metadata->key; metadata++)
        good = good && cJSON_AddStringToObject(texts, metadata->key, metadata->value);
    *bytes = 0;
    for (int i = 0; i < store->entry_count; i++)
        if (!store->entries[i].internal) {
            good = good && describe(header, &store->entries[i], *bytes);
            *bytes += store->entries[i].count * sizeof(float);
        }
    char *text = good ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    return text;
}

nn_status nn_safetensors_save(const nn_store *store, const nn_metadata *metadata, const char *path,
                              nn_error *error) {
    size_t tensor_bytes;
    char *header = make_header(store, metadata, &tensor_bytes);
    if (!header)
        return nn_fail_memory(error, "the model's file header");
    size_t text = strlen(header), padded = (text + 7) / 8 * 8, total = LENGTH_BYTES + padded + tensor_bytes;
    unsigned char *bytes = malloc(total);
    nn_status status = bytes ? NN_OK : nn_fail_memory(error, "the model's file");
    if (bytes) {
        for (int i = 0; i < LENGTH_BYTES; i++)
            bytes[i] = (unsigned char)((uint64_t)padded >> 8 * i);
        memset(bytes + LENGTH_BYTES, ' ', padded);
        memcpy(bytes + LENGTH_BYTES, header, text);
        unsigned char *out = bytes + LENGTH_BYTES + padded;
        for (int i = 0; i < store->entry_count; i++) {
            const nn_entry *entry = &store->entries[i];
            if (entry->internal)
                continue;
            const float *values = nn_store_values(store, entry);
            for (size_t k = 0; k < entry->count; k++)
                memcpy(out + file_index(entry, k) * sizeof(float), &values[k], sizeof(float));
            out += entry->count * sizeof(float);
        }
        status = nn_file_write_atomic(path, bytes, total, error);
    }
    free(bytes);
    free(header);
    return status;
}

/* --- reading -------------------------------------------------------------------------------------------- */

typedef struct contents {
    const char *path;
    unsigned char *bytes;
    size_t count;
    cJSON *header;
    const unsigned char *tensors;
    size_t tensor_bytes;
} contents;

static nn_status damaged(const contents *file, const char *what, nn_error *error) {
    return nn_fail(error, NN_EFORMAT, "%s: %s: not a whole safetensors file", file->path, what);
}

static nn_status parse_header(contents *file, nn_error *error) {
    if (file->count < LENGTH_BYTES)
        return damaged(file, "shorter than 8 bytes", error);
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | file->bytes[i];
    if (length > file->count - LENGTH_BYTES)
        return damaged(file, "its header would end behind the file", error);
    file->header = cJSON_ParseWithLength((const char *)file->bytes + LENGTH_BYTES, (size_t)length);
    if (!cJSON_IsObject(file->header))
        return damaged(file, "its header is not a JSON object", error);
    file->tensors = file->bytes + LENGTH_BYTES + length;
    file->tensor_bytes = file->count - LENGTH_BYTES - (size_t)length;
    return NN_OK;
}

static bool has_shape(const cJSON *dims, nn_shape shape) {
    if (!cJSON_IsArray(dims) || cJSON_GetArraySize(dims) != shape.rank)
        return false;
    for (int i = 0; i < shape.rank; i++)
        if (cJSON_GetNumberValue(cJSON_GetArrayItem(dims, i)) != shape.dims[i])
            return false;
    return true;
}

/* Finds the bytes of the entry in the file. */
static nn_status locate(const contents *file, const nn_entry *entry, const unsigned char **data,
                        nn_error *error) {
    char text[NN_SHAPE_TEXT];
    const cJSON *tensor = cJSON_GetObjectItemCaseSensitive(file->header, entry->name);
    if (!tensor)
        return nn_fail(error, NN_EFORMAT, "%s has no tensor '%s': it is of another model", file->path,
                       entry->name);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tensor, "dtype"));
    if (!type || strcmp(type, "F32") != 0 ||
        !has_shape(cJSON_GetObjectItemCaseSensitive(tensor, "shape"), file_shape(entry)))
        return nn_fail(error, NN_EFORMAT, "%s: tensor '%s' should be float32, %s: it is of another model",
                       file->path, entry->name, nn_shape_text(file_shape(entry), text));
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(tensor, "data_offsets");
    double first = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, 0));
    double last = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, 1));
    double bytes = (double)(entry->count * sizeof(float));
    if (!(first >= 0 && last <= (double)file->tensor_bytes && last - first == bytes &&
          first == (double)(size_t)first))
        return damaged(file, entry->name, error);
    *data = file->tensors + (size_t)first;
    return NN_OK;
}

static nn_status check_names(const nn_store *store, const contents *file, nn_error *error) {
    for (const cJSON *item = file->header->child; item; item = item->next) {
        const nn_entry *entry = nn_store_find(store, item->string);
        if (strcmp(item->string, "__metadata__") != 0 && (!entry || entry->internal))
            return nn_fail(error, NN_EFORMAT, "%s: the model has no place for its tensor '%.100s'",
                           file->path, item->string);
    }
    return NN_OK;
}

static nn_status fill(nn_store *store, const contents *file, nn_error *error) {
    const unsigned char *data;
    size_t bytes = 0;
    nn_status status = check_names(store, file, error);
    for (int i = 0; i < store->entry_count && status == NN_OK; i++) /* every check before the first change */
        if (!store->entries[i].internal) {
            status = locate(file, &store->entries[i], &data, error);
            bytes += store->entries[i].count * sizeof(float);
        }
    if (status == NN_OK && bytes != file->tensor_bytes)
        return damaged(file, "its tensors do not fill it", error);
    for (int i = 0; i < store->entry_count && status == NN_OK; i++) {
        const nn_entry *entry = &store->entries[i];
        if (entry->internal)
            continue;
        float *values = nn_store_values(store, entry);
        status = locate(file, entry, &data, error);
        for (size_t k = 0; k < entry->count && status == NN_OK; k++)
            memcpy(&values[k], data + file_index(entry, k) * sizeof(float), sizeof(float));
    }
    return status;
}

static nn_status open_file(contents *file, nn_error *error) {
    nn_status status = nn_file_read(file->path, file_limit, &file->bytes, &file->count, error);
    return status == NN_OK ? parse_header(file, error) : status;
}

static void close_file(contents *file) {
    cJSON_Delete(file->header);
    free(file->bytes);
}

nn_status nn_safetensors_load(nn_store *store, const char *path, nn_error *error) {
    contents file = {.path = path};
    nn_status status = open_file(&file, error);
    if (status == NN_OK)
        status = fill(store, &file, error);
    close_file(&file);
    return status;
}

nn_status nn_safetensors_metadata(const char *path, const char *key, char *text, size_t size,
                                  nn_error *error) {
    contents file = {.path = path};
    nn_status status = open_file(&file, error);
    if (status == NN_OK) {
        const cJSON *all = cJSON_GetObjectItemCaseSensitive(file.header, "__metadata__");
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(all, key));
        if (value && strlen(value) < size)
            strcpy(text, value);
        else
            status = nn_fail(error, NN_EFORMAT, "%s: its metadata has no '%s'", path, key);
    }
    close_file(&file);
    return status;
}
