#include "safetensors.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "layout.h"
#include "random.h"

/* How a file with a checksum begins behind its length, and where in it the checksum's digits are. */
static const char checksum_lead[] = "{\"__metadata__\":{\"checksum\":\"", no_checksum[] = "0000000000000000";
enum {
    LENGTH_BYTES = 8,
    CHECKSUM_PLACE = LENGTH_BYTES + sizeof checksum_lead - 1,
    CHECKSUM_DIGITS = sizeof no_checksum - 1
};
static const size_t file_limit = (size_t)1 << 34;

/* Of a header. Some 150 bytes describe a tensor, and cJSON takes up to forty times its text's size. */
static const size_t header_limit = (size_t)4 << 20;

static void checksum_text(const unsigned char *bytes, size_t count, char text[CHECKSUM_DIGITS + 1]) {
    const size_t end = CHECKSUM_PLACE + CHECKSUM_DIGITS;
    uint64_t hash = nn_hash(nn_hash_start, bytes, CHECKSUM_PLACE);
    hash = nn_hash(hash, no_checksum, CHECKSUM_DIGITS);
    hash = nn_hash(hash, bytes + end, count - end);
    snprintf(text, CHECKSUM_DIGITS + 1, "%016llx", (unsigned long long)hash);
}

static void put_checksum(unsigned char *bytes, size_t count) {
    char text[CHECKSUM_DIGITS + 1];
    checksum_text(bytes, count, text);
    memcpy(bytes + CHECKSUM_PLACE, text, CHECKSUM_DIGITS);
}

/* --- writing -------------------------------------------------------------------------------------------- */

static bool describe(cJSON *header, const nn_file_tensor *tensor, size_t offset) {
    cJSON *object = cJSON_AddObjectToObject(header, tensor->name);
    nn_shape shape = nn_layout_shape(tensor->entry);
    double place[2] = {(double)offset, (double)(offset + tensor->entry->count * sizeof(float))};
    cJSON *dims = cJSON_CreateIntArray(shape.dims, shape.rank), *offsets = cJSON_CreateDoubleArray(place, 2);
    return object && cJSON_AddStringToObject(object, "dtype", "F32") &&
           cJSON_AddItemToObject(object, "shape", dims) &&
           cJSON_AddItemToObject(object, "data_offsets", offsets);
}

/* The header as text to be freed, NULL without memory; *bytes is the size of all tensors. */
static char *make_header(const nn_file_tensor *tensors, int count, const nn_metadata *metadata, bool checksum,
                         size_t *bytes) {
    cJSON *header = cJSON_CreateObject();
    cJSON *texts = cJSON_AddObjectToObject(header, "__metadata__");
    bool good = texts && (!checksum || cJSON_AddStringToObject(texts, "checksum", no_checksum));
    good = good && cJSON_AddStringToObject(texts, "format", "pt");
    for (; metadata && metadata->key; metadata++)
        good = good && cJSON_AddStringToObject(texts, metadata->key, metadata->value);
    *bytes = 0;
    for (int i = 0; i < count; i++) {
        good = good && describe(header, &tensors[i], *bytes);
        *bytes += tensors[i].entry->count * sizeof(float);
    }
    char *text = good ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    return text;
}

static void put_tensors(const nn_file_tensor *tensors, int count, unsigned char *out) {
    for (int i = 0; i < count; i++) {
        nn_layout_export(tensors[i].entry, tensors[i].values, out);
        out += tensors[i].entry->count * sizeof(float);
    }
}

nn_status nn_safetensors_write(const nn_file_tensor *tensors, int count, const nn_metadata *metadata,
                               bool checksum, const char *path, nn_error *error) {
    size_t tensor_bytes;
    char *header = make_header(tensors, count, metadata, checksum, &tensor_bytes);
    if (!header)
        return nn_fail_memory(error, path);
    size_t text = strlen(header), padded = (text + 7) / 8 * 8, total = LENGTH_BYTES + padded + tensor_bytes;
    unsigned char *bytes = malloc(total);
    nn_status status = bytes ? NN_OK : nn_fail_memory(error, path);
    if (bytes) {
        for (int i = 0; i < LENGTH_BYTES; i++)
            bytes[i] = (unsigned char)((uint64_t)padded >> 8 * i);
        memset(bytes + LENGTH_BYTES, ' ', padded);
        memcpy(bytes + LENGTH_BYTES, header, text);
        put_tensors(tensors, count, bytes + LENGTH_BYTES + padded);
        if (checksum)
            put_checksum(bytes, total);
        status = nn_file_write_atomic(path, bytes, total, error);
    }
    free(bytes);
    free(header);
    return status;
}

/* --- reading -------------------------------------------------------------------------------------------- */

struct nn_safetensors {
    char *path;
    unsigned char *bytes;
    size_t count;
    cJSON *header;
    unsigned char *tensors;
    size_t tensor_bytes;
};

static nn_status damaged(const nn_safetensors *file, const char *what, nn_error *error) {
    return nn_fail(error, NN_EFORMAT, "%s: %s: not a whole safetensors file", file->path, what);
}

/* With a zero byte in place of the one behind the text, which there is: cJSON reads one too far where a text ends within an
 * object. */
static cJSON *parse_text(char *text, size_t count) {
    const char behind = text[count];
    text[count] = '\0';
    cJSON *json = cJSON_ParseWithLengthOpts(text, count + 1, NULL, true);
    text[count] = behind;
    return json;
}

static nn_status parse_header(nn_safetensors *file, nn_error *error) {
    if (file->count < LENGTH_BYTES)
        return damaged(file, "shorter than 8 bytes", error);
    if (memcmp(file->bytes, "PK\3\4", 4) == 0)
        return damaged(
            file, "a zip archive, as torch.save writes (safetensors.torch.save_file writes what is wanted)",
            error);
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | file->bytes[i];
    if (length > file->count - LENGTH_BYTES)
        return damaged(file, "its header would end behind the file", error);
    if (length > header_limit)
        return nn_fail(error, NN_EFORMAT, "%s: a header of %llu bytes; at most %zu can be read", file->path,
                       (unsigned long long)length, header_limit);
    file->tensors = file->bytes + LENGTH_BYTES + length;
    file->tensor_bytes = file->count - LENGTH_BYTES - (size_t)length;
    file->header = parse_text((char *)file->bytes + LENGTH_BYTES, (size_t)length);
    return cJSON_IsObject(file->header) ? NN_OK : damaged(file, "its header is not a JSON object", error);
}

nn_status nn_safetensors_open(nn_safetensors **result, const char *path, nn_error *error) {
    nn_safetensors *file = *result = calloc(1, sizeof *file);
    if (!file || !(file->path = strdup(path)))
        return nn_fail_memory(error, path);
    nn_status status = nn_file_read(path, file_limit, &file->bytes, &file->count, error);
    return status == NN_OK ? parse_header(file, error) : status;
}

void nn_safetensors_close(nn_safetensors *file) {
    if (!file)
        return;
    cJSON_Delete(file->header);
    free(file->bytes);
    free(file->path);
    free(file);
}

nn_status nn_safetensors_verify(const nn_safetensors *file, nn_error *error) {
    char found[CHECKSUM_DIGITS + 1];
    const size_t end = CHECKSUM_PLACE + CHECKSUM_DIGITS;
    if (file->count < end || memcmp(file->bytes + LENGTH_BYTES, checksum_lead, sizeof checksum_lead - 1) != 0)
        return nn_fail(error, NN_EFORMAT, "%s: it has no checksum", file->path);
    checksum_text(file->bytes, file->count, found);
    if (memcmp(file->bytes + CHECKSUM_PLACE, found, CHECKSUM_DIGITS) != 0)
        return nn_fail(error, NN_EFORMAT, "%s: it is damaged (its checksum is %s and should be %.16s)",
                       file->path, found, (const char *)file->bytes + CHECKSUM_PLACE);
    return NN_OK;
}

const char *nn_safetensors_text(const nn_safetensors *file, const char *key) {
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(file->header, "__metadata__");
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(all, key));
}

int nn_safetensors_rows(const nn_safetensors *file, const char *name) {
    const cJSON *tensor = cJSON_GetObjectItemCaseSensitive(file->header, name);
    double rows =
        cJSON_GetNumberValue(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(tensor, "shape"), 0));
    return rows >= 1 && rows <= INT_MAX ? (int)rows : 0;
}

uint64_t nn_safetensors_hash(const nn_safetensors *file) {
    return nn_hash(nn_hash_start, file->bytes, file->count);
}

static bool read_dims(const cJSON *shape, nn_stored_tensor *tensor) {
    const cJSON *item;
    if (!cJSON_IsArray(shape))
        return false;
    cJSON_ArrayForEach(item, shape) {
        double dim = cJSON_GetNumberValue(item);
        if (tensor->rank == NN_STORED_RANK_MAX || !(dim >= 0 && dim <= 9e15) || dim != (double)(size_t)dim)
            return false;
        tensor->dims[tensor->rank++] = (size_t)dim;
    }
    return true;
}

/* The bytes that a tensor of the header says are its own. */
static bool find_bytes(const nn_safetensors *file, const cJSON *item, const unsigned char **bytes,
                       size_t *size) {
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    double first = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, 0));
    double last = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, 1));
    if (!(first >= 0 && first <= last && last <= (double)file->tensor_bytes) ||
        first != (double)(size_t)first || last != (double)(size_t)last)
        return false;
    *bytes = file->tensors + (size_t)first;
    *size = (size_t)last - (size_t)first;
    return true;
}

nn_status nn_safetensors_next(const nn_safetensors *file, nn_stored_tensor *tensor, bool *found,
                              nn_error *error) {
    const cJSON *item = tensor->place ? ((const cJSON *)tensor->place)->next : file->header->child;
    while (item && strcmp(item->string, "__metadata__") == 0)
        item = item->next;
    *found = item != NULL;
    if (!item)
        return NN_OK;
    *tensor = (nn_stored_tensor){.name = item->string, .place = item};
    tensor->type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "dtype"));
    if (!tensor->type || !read_dims(cJSON_GetObjectItemCaseSensitive(item, "shape"), tensor) ||
        !find_bytes(file, item, &tensor->bytes, &tensor->size))
        return damaged(file, item->string, error);
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

/* Finds the bytes of the tensor in the file. */
static nn_status locate(const nn_safetensors *file, const nn_file_tensor *wanted, const unsigned char **data,
                        nn_error *error) {
    char text[NN_SHAPE_TEXT];
    const nn_shape shape = nn_layout_shape(wanted->entry);
    const cJSON *tensor = cJSON_GetObjectItemCaseSensitive(file->header, wanted->name);
    if (!tensor)
        return nn_fail(error, NN_EFORMAT, "%s has no tensor '%s': it is of another model", file->path,
                       wanted->name);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tensor, "dtype"));
    if (!type || strcmp(type, "F32") != 0 ||
        !has_shape(cJSON_GetObjectItemCaseSensitive(tensor, "shape"), shape))
        return nn_fail(error, NN_EFORMAT, "%s: tensor '%s' should be float32, %s: it is of another model",
                       file->path, wanted->name, nn_shape_text(shape, text));
    size_t size;
    if (!find_bytes(file, tensor, data, &size) || size != wanted->entry->count * sizeof(float))
        return damaged(file, wanted->name, error);
    return NN_OK;
}

static bool is_wanted(const nn_file_tensor *tensors, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0)
            return true;
    return false;
}

static nn_status check_names(const nn_safetensors *file, const nn_file_tensor *tensors, int count,
                             nn_error *error) {
    for (const cJSON *item = file->header->child; item; item = item->next)
        if (strcmp(item->string, "__metadata__") != 0 && !is_wanted(tensors, count, item->string))
            return nn_fail(error, NN_EFORMAT, "%s: the model has no place for its tensor '%.100s'",
                           file->path, item->string);
    return NN_OK;
}

nn_status nn_safetensors_read(const nn_safetensors *file, const nn_file_tensor *tensors, int count,
                              nn_error *error) {
    const unsigned char *data;
    size_t bytes = 0;
    nn_status status = check_names(file, tensors, count, error);
    for (int i = 0; i < count && status == NN_OK; i++) { /* every check before the first change */
        status = locate(file, &tensors[i], &data, error);
        bytes += tensors[i].entry->count * sizeof(float);
    }
    if (status == NN_OK && bytes != file->tensor_bytes)
        return damaged(file, "its tensors do not fill it", error);
    for (int i = 0; i < count && status == NN_OK; i++) {
        status = locate(file, &tensors[i], &data, error);
        if (status == NN_OK)
            nn_layout_import(tensors[i].entry, data, tensors[i].values);
    }
    return status;
}

/* --- a model's file ------------------------------------------------------------------------------------- */

/* What a model's file holds of a store, to be freed; NULL without memory. */
static nn_file_tensor *exported(const nn_store *store, int *count) {
    nn_file_tensor *tensors = calloc((size_t)store->entry_count + 1, sizeof *tensors);
    *count = 0;
    for (int i = 0; tensors && i < store->entry_count; i++) {
        const nn_entry *entry = &store->entries[i];
        if (entry->internal)
            continue;
        nn_file_tensor *tensor = &tensors[(*count)++];
        tensor->entry = entry;
        tensor->values = nn_store_values(store, entry);
        strcpy(tensor->name, entry->name);
    }
    return tensors;
}

nn_status nn_safetensors_save(const nn_store *store, const nn_metadata *metadata, const char *path,
                              nn_error *error) {
    int count;
    nn_file_tensor *tensors = exported(store, &count);
    nn_status status = tensors ? nn_safetensors_write(tensors, count, metadata, false, path, error)
                               : nn_fail_memory(error, path);
    free(tensors);
    return status;
}

nn_status nn_safetensors_load(nn_store *store, const char *path, nn_error *error) {
    int count;
    nn_safetensors *file;
    nn_file_tensor *tensors = exported(store, &count);
    nn_status status = nn_safetensors_open(&file, path, error);
    if (status == NN_OK)
        status = tensors ? nn_safetensors_read(file, tensors, count, error) : nn_fail_memory(error, path);
    nn_safetensors_close(file);
    free(tensors);
    return status;
}

nn_status nn_safetensors_metadata(const char *path, const char *key, char *text, size_t size,
                                  nn_error *error) {
    nn_safetensors *file;
    nn_status status = nn_safetensors_open(&file, path, error);
    if (status == NN_OK) {
        const char *value = nn_safetensors_text(file, key);
        if (value && strlen(value) < size)
            strcpy(text, value);
        else
            status = nn_fail(error, NN_EFORMAT, "%s: its metadata has no '%s'", path, key);
    }
    nn_safetensors_close(file);
    return status;
}
