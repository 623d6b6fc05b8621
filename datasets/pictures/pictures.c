#include "pictures.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datasets/archive.h"
#include "datasets/sources.h"
#include "files.h"
#include "framework/file.h"
#include "framework/kernels/kernels.h"
#include "layout.h"
#include "picture.h"

enum { HEADER_BYTES = 1 << 16, NAMED_MAX = 3, SHARE_MAX = 100 /* one unreadable picture in so many */ };

typedef struct reading {
    data_picture_files files;
    data_layout layout;
    data_extent least, most;   /* of the pictures' sizes, where they were looked at */
    bool looked;               /* they were */
    unsigned char *unreadable; /* [files.count], 1: cannot be read */
} reading;

/* --- headers -------------------------------------------------------------------------------------------- */

/* The picture's size and channels by the first bytes of its file, or all where those do not say. */
static nn_status read_header(const reading *r, size_t file, data_pixels *pixels, nn_error *error) {
    nn_status status = NN_EFORMAT;
    for (size_t most = HEADER_BYTES; status == NN_EFORMAT; most = DATA_PICTURE_BYTES_MAX + 1) {
        const unsigned char *bytes;
        unsigned char *owned;
        size_t count;
        *error = (nn_error){0};
        status = data_picture_file_bytes(&r->files, file, most, &bytes, &count, &owned, error);
        if (status == NN_OK)
            status = data_decode_header(bytes, count, pixels, error);
        free(owned);
        if (count < most || most > HEADER_BYTES)
            break;
    }
    return status;
}

/* Marks what cannot be read; a status other than NN_OK is for want of memory. */
static nn_status note_failure(reading *r, size_t file, nn_status status) {
    if (status == NN_OK || status == NN_EMEMORY)
        return status;
    r->unreadable[file] = 1;
    return NN_OK;
}

/* Takes the sizes and channels of pictures into those of all so far. */
static void take_headers(reading *r, const data_pixels *headers, size_t count, int *channels) {
    for (size_t i = 0; i < count; i++) {
        const data_extent extent = headers[i].extent;
        if (headers[i].channels == 0)
            continue; /* unreadable */
        *channels = headers[i].channels > *channels ? headers[i].channels : *channels;
        r->least.height = extent.height < r->least.height ? extent.height : r->least.height;
        r->least.width = extent.width < r->least.width ? extent.width : r->least.width;
        r->most.height = extent.height > r->most.height ? extent.height : r->most.height;
        r->most.width = extent.width > r->most.width ? extent.width : r->most.width;
    }
}

/* Looks at every picture's header. */
static nn_status look(reading *r, const data_place *places, size_t count, int *channels, nn_error *error) {
    data_pixels *headers = calloc(count + 1, sizeof *headers);
    int starved = headers == NULL;
    const size_t there = headers ? count : 0;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, 16) reduction(+ : starved)
    for (size_t i = 0; i < there; i++) {
        nn_error cause = {0};
        nn_status status = read_header(r, places[i].file, &headers[i], &cause);
        if (status != NN_OK)
            headers[i].channels = 0;
        starved += note_failure(r, places[i].file, status) != NN_OK;
    }
    take_headers(r, headers, there, channels);
    free(headers);
    return starved ? nn_fail_memory(error, r->files.source) : NN_OK;
}

static nn_status choose_form(reading *r, data_form form, data_set *set, nn_error *error) {
    int channels = 0;
    nn_status status = NN_OK;
    r->looked = form.height == 0 || form.channels == 0;
    r->least = (data_extent){INT_MAX, INT_MAX};
    if (r->looked)
        status = look(r, r->layout.train, r->layout.train_count, &channels, error);
    if (r->looked && status == NN_OK)
        status = look(r, r->layout.test, r->layout.test_count, &channels, error);
    const bool same = r->least.height == r->most.height && r->least.width == r->most.width;
    set->height = form.height ? form.height : same ? r->least.height : DATA_PICTURES_SIDE;
    set->width = form.height ? form.width : same ? r->least.width : DATA_PICTURES_SIDE;
    set->channels = form.channels ? form.channels : channels <= 2 ? 1 : 3;
    return status;
}

/* --- images --------------------------------------------------------------------------------------------- */

static size_t image_bytes(const data_set *set) {
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

/* More than the machine has would end with the system killing the program. */
static nn_status check_memory(const reading *r, const data_set *set, nn_error *error) {
    const double needed = (double)(r->layout.train_count + r->layout.test_count) * (double)image_bytes(set),
                 there = (double)nn_machine_memory();
    if (needed <= there)
        return NN_OK;
    return nn_fail(
        error, NN_EMEMORY,
        "%s: images of %d x %d would take %.1f GiB, the machine has %.1f: give a smaller --image-size",
        r->files.source, set->width, set->height, needed / (1 << 30), there / (1 << 30));
}

static nn_status make_image(const reading *r, const data_set *set, size_t file, unsigned char *image,
                            nn_error *error) {
    const unsigned char *bytes;
    unsigned char *owned;
    size_t count;
    nn_status status = data_picture_file_bytes(&r->files, file, DATA_PICTURE_BYTES_MAX + (size_t)1, &bytes,
                                               &count, &owned, error);
    if (status == NN_OK)
        status = data_picture_make(bytes, count, (data_extent){set->height, set->width}, set->channels, image,
                                   error);
    free(owned);
    return status;
}

/* Closes the gaps that unreadable pictures leave. */
static void close_gaps(const reading *r, const data_set *set, const data_place *places, data_split *split) {
    const size_t bytes = image_bytes(set);
    int kept = 0;
    for (int i = 0; i < split->count; i++) {
        if (r->unreadable[places[i].file])
            continue;
        if (kept < i)
            memcpy(split->pixels + (size_t)kept * bytes, split->pixels + (size_t)i * bytes, bytes);
        split->labels[kept++] = (unsigned char)places[i].label;
    }
    split->count = kept;
}

static nn_status make_split(reading *r, data_set *set, const data_place *places, size_t count,
                            data_split *split, nn_error *error) {
    const size_t bytes = image_bytes(set);
    int starved = 0;
    if (count == 0)
        return NN_OK;
    nn_status status = data_split_new(set, split, (int)count, error);
    if (status != NN_OK)
        return status;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, 16) reduction(+ : starved)
    for (size_t i = 0; i < count; i++) {
        const size_t file = places[i].file;
        nn_error cause = {0};
        if (!r->unreadable[file])
            starved +=
                note_failure(r, file, make_image(r, set, file, split->pixels + i * bytes, &cause)) != NN_OK;
    }
    if (starved)
        return nn_fail_memory(error, r->files.source);
    close_gaps(r, set, places, split);
    return NN_OK;
}

/* --- what is said of it --------------------------------------------------------------------------------- */

/* Adds to a text, which is cut at its end. */
static void say(char text[DATA_NOTE_MAX], const char *separator, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(char text[DATA_NOTE_MAX], const char *separator, const char *format, ...) {
    const size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    const int added = length ? snprintf(text + length, DATA_NOTE_MAX - length, "%s", separator) : 0;
    if (length + (size_t)added < DATA_NOTE_MAX)
        vsnprintf(text + length + added, DATA_NOTE_MAX - length - (size_t)added, format, arguments);
    va_end(arguments);
    nn_remove_controls(text + length); /* which file names may have */
}

/* The first ones by path, with the reasons, for which they are read once more. */
static void name_unreadable(const reading *r, const data_set *set, unsigned char *image,
                            char text[DATA_NOTE_MAX]) {
    int named = 0;
    for (size_t i = 0; i < r->files.count; i++) {
        nn_error cause = {0};
        if (!r->unreadable[i])
            continue;
        if (named++ == NAMED_MAX) {
            say(text, "", ", ...");
            return;
        }
        make_image(r, set, i, image, &cause);
        say(text, named > 1 ? ", " : "", "%.120s (%.100s)", r->files.list[i].path, cause.message);
    }
}

static nn_status judge_unreadable(const reading *r, data_set *set, nn_error *error) {
    const size_t all = r->layout.train_count + r->layout.test_count;
    for (size_t i = 0; i < r->files.count; i++)
        set->unreadable += r->unreadable[i];
    if (set->unreadable == 0)
        return NN_OK;
    char names[DATA_NOTE_MAX] = "";
    unsigned char *image = malloc(image_bytes(set));
    if (!image)
        return nn_fail_memory(error, r->files.source);
    name_unreadable(r, set, image, names);
    free(image);
    if ((size_t)set->unreadable * SHARE_MAX > all)
        return nn_fail(error, NN_EFORMAT, "%s: %d of %zu pictures cannot be read, more than 1%%: %s",
                       r->files.source, set->unreadable, all, names);
    say(set->note, "; ", "%d of %zu pictures cannot be read and are left out: %s", set->unreadable, all,
        names);
    return NN_OK;
}

static void describe(const reading *r, data_set *set) {
    const data_picture_files *f = &r->files;
    const data_layout *l = &r->layout;
    const data_extent least = r->least, most = r->most;
    const bool same = least.height == most.height && least.width == most.width;
    if (r->looked && same && (least.height != set->height || least.width != set->width))
        say(set->note, "; ", "made from pictures of %d x %d (width x height)", least.width, least.height);
    else if (r->looked && !same)
        say(set->note, "; ", "made from pictures of %d x %d to %d x %d (width x height)", least.width,
            least.height, most.width, most.height);
    if (l->divided)
        say(set->note, "; ", "no folder for testing: a tenth of each class, chosen by the files' names");
    if (l->unused)
        say(set->note, "; ", "%zu pictures are in folders for neither training nor testing", l->unused);
    if (l->beside)
        say(set->note, "; ", "%zu pictures are in no class folder", l->beside);
    if (f->others)
        say(set->note, "; ", "%zu other files skipped (%s%s)", f->others, f->other,
            f->others > 1 ? ", ..." : "");
    if (f->hidden)
        say(set->note, "; ", "%zu hidden files or folders skipped", f->hidden);
    if (f->links)
        say(set->note, "; ", "%zu %s skipped", f->links,
            f->archive ? "links or special files" : "links that lead nowhere or round");
    if (f->outside)
        say(set->note, "; ", "%zu files with '..' in their path skipped", f->outside);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

/* The last part of the path, without an archive's ending. */
static void name_set(data_set *set, const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    while (data_archive_named(name) && length > 0 && name[--length] != '.')
        ;
    if (length > 4 && data_archive_named(name) && strncasecmp(name + length - 4, ".tar", 4) == 0)
        length -= 4;
    snprintf(set->name, sizeof set->name, "%.*s", (int)(length < DATA_NAME_MAX ? length : DATA_NAME_MAX - 1),
             *name ? name : "pictures");
}

static nn_status read_all(reading *r, data_form form, data_set *set, nn_error *error) {
    nn_status status = data_picture_files_read(&r->files, set->source, error);
    if (status == NN_OK)
        status = data_layout_find(&r->layout, &r->files, error);
    if (status == NN_OK)
        status = data_name_classes(set, r->layout.names, r->layout.classes, error);
    r->unreadable = status == NN_OK ? calloc(r->files.count, 1) : NULL;
    if (status == NN_OK && !r->unreadable)
        status = nn_fail_memory(error, set->source);
    if (status == NN_OK)
        status = choose_form(r, form, set, error);
    if (status == NN_OK)
        status = check_memory(r, set, error);
    if (status == NN_OK)
        status = make_split(r, set, r->layout.train, r->layout.train_count, &set->train, error);
    if (status == NN_OK)
        status = make_split(r, set, r->layout.test, r->layout.test_count, &set->test, error);
    if (status == NN_OK)
        status = judge_unreadable(r, set, error);
    if (status == NN_OK)
        describe(r, set);
    return status;
}

nn_status data_load_pictures(const char *path, data_form form, data_set *set, nn_error *error) {
    reading r = {0};
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length >= sizeof set->source)
        return nn_fail(error, NN_EARGUMENT, "the path of the pictures has %zu characters, more than %d",
                       length, DATA_PATH_MAX - 1);
    snprintf(set->source, sizeof set->source, "%.*s", (int)length, path);
    name_set(set, set->source);
    nn_status status = read_all(&r, form, set, error);
    free(r.unreadable);
    data_layout_free(&r.layout);
    data_picture_files_free(&r.files);
    return status;
}
