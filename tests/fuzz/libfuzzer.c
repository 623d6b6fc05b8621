/* libfuzzer.c - the entry that libFuzzer calls, in programs with one target each. */
#include <stdint.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_targets->run(bytes, count);
    return 0;
}
