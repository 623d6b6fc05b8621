/* SVG files that the report takes in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/report/html.h"
#include "fuzz.h"

FUZZ_TARGET(svg) {
    static const char *const never[] = {"<script", "<foreign", "<iframe", "<a ", "<!", "<?"};
    char *page = NULL;
    size_t size = 0;
    nn_error error = {0};
    const char *path = fuzz_file("figure.svg", bytes, count);
    FILE *memory = open_memstream(&page, &size);
    fuzz_require(memory != NULL, "there is memory");
    nn_status status = exp_html_picture(memory, path, &error);
    fclose(memory);
    fuzz_require_reason(status, &error, path);
    fuzz_require(status == NN_OK || size == 0, "what is refused leaves nothing");
    for (size_t i = 0; status == NN_OK && i < 6; i++)
        fuzz_require(!strstr(page, never[i]), "a picture is only a picture");
    free(page);
}
