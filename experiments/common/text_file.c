#define _GNU_SOURCE /* fopencookie */
#include "text_file.h"

#include <stdlib.h>
#include <string.h>

#include "framework/file.h"

/* --- streams into memory ---------------------------------------------------------------------------------- */

typedef struct memory_text {
    char **text;
    size_t *count, room; /* *text has room for so many bytes and one more */
} memory_text;

/* Nothing taken is an error, which the stream keeps in mind. */
static ssize_t take(void *cookie, const char *bytes, size_t count) {
    memory_text *m = cookie;
    size_t room = m->room;
    while (room - *m->count < count)
        room *= 2;
    if (room > m->room) {
        char *larger = realloc(*m->text, room + 1);
        if (!larger)
            return 0;
        *m->text = larger;
        m->room = room;
    }
    memcpy(*m->text + *m->count, bytes, count);
    *m->count += count;
    (*m->text)[*m->count] = '\0';
    return (ssize_t)count;
}

static int release(void *cookie) {
    free(cookie);
    return 0;
}

FILE *exp_memory_open(char **text, size_t *count) {
    enum { ROOM = 4096 };
    const cookie_io_functions_t functions = {.write = take, .close = release};
    memory_text *m = malloc(sizeof *m);
    *text = malloc(ROOM + 1);
    *count = 0;
    FILE *memory = m && *text ? fopencookie(m, "w", functions) : NULL;
    if (!memory) {
        free(*text);
        free(m);
        *text = NULL;
        return NULL;
    }
    **text = '\0';
    *m = (memory_text){.text = text, .count = count, .room = ROOM};
    return memory;
}

bool exp_memory_close(FILE *memory, char **text) {
    bool whole = fflush(memory) == 0 && !ferror(memory);
    whole = fclose(memory) == 0 && whole;
    if (!whole) {
        free(*text);
        *text = NULL;
    }
    return whole;
}

/* --- files ------------------------------------------------------------------------------------------------ */

nn_status exp_text_begin(exp_text_file *t, const char *folder, const char *name, nn_error *error) {
    *t = (exp_text_file){0};
    snprintf(t->path, sizeof t->path, "%s/%s", folder, name);
    t->file = exp_memory_open(&t->bytes, &t->count);
    return t->file ? NN_OK : nn_fail_memory(error, name);
}

nn_status exp_text_end(exp_text_file *t, nn_error *error) {
    nn_status status = exp_memory_close(t->file, &t->bytes)
                           ? nn_file_write_atomic(t->path, t->bytes, t->count, error)
                           : nn_fail_memory(error, t->path);
    free(t->bytes);
    return status;
}
