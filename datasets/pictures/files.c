#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/archive.h"
#include "decode.h"

const size_t data_pictures_unpacked_max = (size_t)1 << 34;

/* --- names ---------------------------------------------------------------------------------------------- */

static bool is_picture(const char *name) {
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bmp"};
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(ending, endings[i]) == 0)
            return true;
    return false;
}

static bool is_hidden(const char *name) {
    return name[0] == '.' || strcmp(name, "__MACOSX") == 0;
}

static void count_other(data_picture_files *files, const char *name) {
    if (files->others++ == 0)
        snprintf(files->other, sizeof files->other, "%.60s", name);
}

/* Takes a path apart and joins its parts again by single slashes, in place; parts "." are dropped. *hidden says whether any
 * of them is, and *outside whether one is "..". */
static void tidy_path(char *path, bool *hidden, bool *outside) {
    char *rest = NULL, *end = path;
    *hidden = *outside = false;
    for (char *part = strtok_r(path, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        if (strcmp(part, ".") == 0)
            continue;
        const size_t length = strlen(part);
        *outside = *outside || strcmp(part, "..") == 0;
        *hidden = *hidden || is_hidden(part);
        if (end != path)
            *end++ = '/';
        memmove(end, part, length);
        end += length;
    }
    *end = '\0';
}

static nn_status add(data_picture_files *files, const char *path, nn_error *error) {
    if (files->count == DATA_PICTURES_MAX)
        return nn_fail(error, NN_EFORMAT, "%s: more than %d pictures", files->source, DATA_PICTURES_MAX);
    if (files->count == files->capacity) {
        const size_t capacity = files->capacity ? 2 * files->capacity : 1024;
        data_picture_file *grown = realloc(files->list, capacity * sizeof *grown);
        if (!grown)
            return nn_fail_memory(error, files->source);
        files->list = grown;
        files->capacity = capacity;
    }
    data_picture_file *file = &files->list[files->count];
    *file = (data_picture_file){.path = strdup(path), .place = files->count};
    if (!file->path)
        return nn_fail_memory(error, files->source);
    files->count++;
    return NN_OK;
}

static int compare(const void *left, const void *right) {
    const data_picture_file *a = left, *b = right;
    const int order = strcmp(a->path, b->path);
    return order ? order : a->place < b->place ? -1 : a->place > b->place;
}

static void drop(data_picture_file *file) {
    free(file->path);
    free(file->bytes);
}

static void sort(data_picture_files *files) {
    size_t kept = 0;
    if (files->count)
        qsort(files->list, files->count, sizeof *files->list, compare);
    for (size_t i = 0; i < files->count; i++)
        if (i + 1 < files->count && strcmp(files->list[i].path, files->list[i + 1].path) == 0)
            drop(&files->list[i]);
        else
            files->list[kept++] = files->list[i];
    files->count = kept;
}

/* --- folders -------------------------------------------------------------------------------------------- */

static nn_status take_entry(data_picture_files *files, FTS *tree, FTSENT *entry, nn_error *error) {
    if (entry->fts_level > 0 && entry->fts_info != FTS_DP && is_hidden(entry->fts_name)) {
        files->hidden++;
        fts_set(tree, entry, FTS_SKIP);
        return NN_OK;
    }
    switch (entry->fts_info) {
    case FTS_F:
        if (is_picture(entry->fts_name))
            return add(files, entry->fts_path + strlen(files->source) + 1, error);
        count_other(files, entry->fts_name);
        return NN_OK;
    case FTS_D:
    case FTS_DP:
        return NN_OK;
    case FTS_DC: /* a link to a folder that it lies in */
    case FTS_SLNONE:
        files->links++;
        return NN_OK;
    case FTS_DNR:
    case FTS_NS:
    case FTS_ERR:
        return nn_fail(error, NN_EFILE, "cannot read %s: %s", entry->fts_path, strerror(entry->fts_errno));
    default:
        count_other(files, entry->fts_name);
        return NN_OK;
    }
}

static nn_status read_folder(data_picture_files *files, nn_error *error) {
    char *const roots[] = {(char *)files->source, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    if (!tree)
        return nn_fail(error, NN_EFILE, "cannot read %s: %s", files->source, strerror(errno));
    nn_status status = NN_OK;
    for (FTSENT *entry; status == NN_OK && (errno = 0, entry = fts_read(tree));)
        status = take_entry(files, tree, entry, error);
    if (status == NN_OK && errno != 0)
        status = nn_fail(error, NN_EFILE, "cannot read %s: %s", files->source, strerror(errno));
    fts_close(tree);
    return status;
}

/* --- archives ------------------------------------------------------------------------------------------- */

static nn_status take_member(data_picture_files *files, data_archive *archive, data_member *member,
                             nn_error *error) {
    bool hidden, outside;
    tidy_path(member->path, &hidden, &outside);
    const char *slash = strrchr(member->path, '/'), *name = slash ? slash + 1 : member->path;
    if (member->kind == DATA_MEMBER_FOLDER)
        return NN_OK;
    if (outside || hidden || member->kind == DATA_MEMBER_OTHER) {
        ++*(outside ? &files->outside : hidden ? &files->hidden : &files->links);
        return NN_OK;
    }
    if (!is_picture(name)) {
        count_other(files, name);
        return NN_OK;
    }
    nn_status status = add(files, member->path, error);
    if (status != NN_OK)
        return status;
    data_picture_file *file = &files->list[files->count - 1];
    return data_archive_read(archive, DATA_PICTURE_BYTES_MAX, &file->bytes, &file->count, error);
}

static nn_status read_archive(data_picture_files *files, nn_error *error) {
    data_archive *archive;
    nn_status status = data_archive_open(&archive, files->source, data_pictures_unpacked_max, error);
    for (bool end = false; status == NN_OK;) {
        data_member member;
        status = data_archive_next(archive, &member, &end, error);
        if (end)
            break;
        if (status == NN_OK)
            status = take_member(files, archive, &member, error);
    }
    data_archive_close(archive);
    return status;
}

/* --- both ----------------------------------------------------------------------------------------------- */

nn_status data_picture_files_read(data_picture_files *files, const char *source, nn_error *error) {
    struct stat information;
    *files = (data_picture_files){.source = source};
    if (stat(source, &information) != 0)
        return nn_fail(error, NN_EFILE, "cannot open %s: %s", source, strerror(errno));
    files->archive = !S_ISDIR(information.st_mode);
    if (files->archive && !S_ISREG(information.st_mode))
        return nn_fail(error, NN_EFORMAT, "%s: neither a folder nor an archive", source);
    nn_status status = files->archive ? read_archive(files, error) : read_folder(files, error);
    sort(files);
    return status;
}

void data_picture_files_free(data_picture_files *files) {
    for (size_t i = 0; i < files->count; i++)
        drop(&files->list[i]);
    free(files->list);
    *files = (data_picture_files){0};
}

/* Reads until the file's end or `most` bytes. */
static nn_status read_start(int file, size_t most, unsigned char **owned, size_t *count, nn_error *error) {
    struct stat information;
    if (fstat(file, &information) != 0)
        return nn_fail(error, NN_EFILE, "cannot be read: %s", strerror(errno));
    const size_t size = information.st_size > 0 ? (size_t)information.st_size : 0,
                 wanted = size < most ? size : most;
    *owned = malloc(wanted ? wanted : 1);
    if (!*owned)
        return nn_fail_memory(error, "a picture");
    for (*count = 0; *count < wanted;) {
        const ssize_t got = read(file, *owned + *count, wanted - *count);
        if (got < 0 && errno != EINTR)
            return nn_fail(error, NN_EFILE, "cannot be read: %s", strerror(errno));
        if (got == 0)
            break;
        *count += got > 0 ? (size_t)got : 0;
    }
    return NN_OK;
}

nn_status data_picture_file_bytes(const data_picture_files *files, size_t index, size_t most,
                                  const unsigned char **bytes, size_t *count, unsigned char **owned,
                                  nn_error *error) {
    const data_picture_file *picture = &files->list[index];
    char path[4096];
    *owned = NULL;
    *bytes = NULL;
    *count = 0;
    if (files->archive) {
        *bytes = picture->bytes;
        *count = picture->count < most ? picture->count : most;
        return picture->bytes ? NN_OK : nn_fail(error, NN_EFORMAT, "damaged in the archive, or too large");
    }
    int file = -1;
    if (snprintf(path, sizeof path, "%s/%s", files->source, picture->path) < (int)sizeof path)
        file = open(path, O_RDONLY | O_CLOEXEC);
    else
        errno = ENAMETOOLONG;
    if (file < 0)
        return nn_fail(error, NN_EFILE, "cannot be opened: %s", strerror(errno));
    nn_status status = read_start(file, most, owned, count, error);
    close(file);
    *bytes = *owned;
    return status;
}
