#include "program_names.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "entangle-";

/* The folder of this program's file, and whether that is installed. */
static bool find_folder(char folder[PATH_MAX], bool *installed) {
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    char *name = strrchr(folder, '/');
    *name++ = '\0';
    *installed = strncmp(name, prefix, strlen(prefix)) == 0;
    return true;
}

static bool are_installed(void) {
    char folder[PATH_MAX];
    bool installed;
    return find_folder(folder, &installed) && installed;
}

const char *exp_program_call(const char *program, char text[EXP_CALL_MAX]) {
    snprintf(text, EXP_CALL_MAX, "%s%s", are_installed() ? prefix : "./", program);
    return text;
}

nn_status exp_program_find(const char *program, char path[PATH_MAX], nn_error *error) {
    char folder[PATH_MAX];
    bool installed;
    if (!find_folder(folder, &installed))
        return nn_fail(error, NN_EFILE, "cannot tell where this program lies: %s", strerror(errno));
    if (snprintf(path, PATH_MAX, "%s/%s%s", folder, installed ? prefix : "", program) >= PATH_MAX)
        return nn_fail(error, NN_EFILE, "%s: the path of '%s' beside it is too long", folder, program);
    if (access(path, X_OK) != 0)
        return nn_fail(error, NN_EFILE, "%s: %s: %s", path, strerror(errno),
                       installed ? "install entangle anew" : "build it with make");
    return NN_OK;
}

void exp_print_calls(const char *text, FILE *file) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    bool installed = are_installed();
    for (const char *at; (at = strstr(text, "./")) && installed; text = at + 2) {
        char name[EXP_CALL_MAX], path[PATH_MAX];
        nn_error error = {0};
        snprintf(name, sizeof name, "%.*s", (int)strspn(at + 2, letters), at + 2);
        fwrite(text, 1, (size_t)(at - text), file);
        fputs(name[0] && exp_program_find(name, path, &error) == NN_OK ? prefix : "./", file);
    }
    fputs(text, file);
}
