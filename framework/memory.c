#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *nn_memory_new(size_t bytes) {
    const size_t page = 4096, large = 2 << 20, alignment = bytes >= large ? large : page;
    void *memory = aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
    if (!memory)
        return NULL;
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes / large * large, MADV_HUGEPAGE); /* a wish: small pages do as well */
#endif
    return memset(memory, 0, bytes); /* also brings the pages in, so that no step waits for that */
}
