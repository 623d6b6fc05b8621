#define _GNU_SOURCE /* dl_iterate_phdr, RTLD_NEXT */
#include "allocator.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What lies below: the sanitizer's allocator, which still sees every call, or the C library's. */
#ifdef __SANITIZE_ADDRESS__
#define BELOW(name) __interceptor_##name
#define below_align __interceptor_memalign
#else
#define BELOW(name) __libc_##name
#define below_align __libc_memalign
#endif
extern void *BELOW(malloc)(size_t);
extern void *BELOW(calloc)(size_t, size_t);
extern void *BELOW(realloc)(void *, size_t);
extern void BELOW(free)(void *);
extern void *below_align(size_t, size_t);

/* --- who calls ------------------------------------------------------------------------------------------ */

enum { RANGES_MAX = 64 };
static struct range {
    uintptr_t first, end;
    bool system;
} ranges[RANGES_MAX];
static int range_count;

static int add_ranges(struct dl_phdr_info *info, size_t size, void *data) {
    static const char *const watched[] = {"libcjson.", "libinih.", "libz.", "/libc."};
    (void)size, (void)data;
    bool of_interest = info->dlpi_name[0] == '\0'; /* the program itself */
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        of_interest |= strstr(info->dlpi_name, watched[i]) != NULL;
    for (int i = 0; of_interest && i < info->dlpi_phnum && range_count < RANGES_MAX; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            uintptr_t first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            ranges[range_count++] = (struct range){first, first + info->dlpi_phdr[i].p_memsz,
                                                   strstr(info->dlpi_name, "/libc.") != NULL};
        }
    return 0;
}

static const struct range *range_of(const void *caller) {
    for (int i = 0; i < range_count; i++)
        if ((uintptr_t)caller >= ranges[i].first && (uintptr_t)caller < ranges[i].end)
            return &ranges[i];
    return NULL;
}

/* --- what is live ----------------------------------------------------------------------------------------- */

/* A hash table with linear probing of watched pointers. */
enum { TABLE_BITS = 16, TABLE_SIZE = 1 << TABLE_BITS };
static uintptr_t table[TABLE_SIZE];
static atomic_flag busy = ATOMIC_FLAG_INIT;
static atomic_bool watching;
static allocator_plan plan;
static allocator_record record;

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
    }
}

static void unlock(void) {
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

static size_t slot_of(uintptr_t pointer) {
    size_t i = (pointer >> 4) * 0x9e3779b97f4a7c15u >> (64 - TABLE_BITS);
    while (table[i] && table[i] != pointer)
        i = (i + 1) % TABLE_SIZE;
    return i;
}

static void add_live(void *pointer) {
    if (!pointer)
        return;
    if (record.live >= TABLE_SIZE / 2)
        abort(); /* a larger table is needed */
    table[slot_of((uintptr_t)pointer)] = (uintptr_t)pointer;
    record.live++;
}

static bool remove_live(void *pointer) {
    size_t i = slot_of((uintptr_t)pointer);
    if (!pointer || !table[i])
        return false;
    table[i] = 0;
    record.live--;
    for (size_t next = (i + 1) % TABLE_SIZE; table[next]; next = (next + 1) % TABLE_SIZE) {
        uintptr_t moved = table[next];
        table[next] = 0;
        table[slot_of(moved)] = moved;
    }
    return true;
}

/* --- the calls -------------------------------------------------------------------------------------------- */

typedef enum verdict { UNWATCHED, GRANTED, REFUSED } verdict;

/* The sanitizer asks for a new thread's stack, and ends the program where there is no memory for the answer: its own
 * business, in which nothing is refused. */
static _Thread_local bool beginning;

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) {
    static int (*below)(pthread_t, pthread_attr_t *);
    beginning = true;
    if (!below) {
        void *found = dlsym(RTLD_NEXT, "pthread_getattr_np");
        memcpy(&below, &found, sizeof below);
    }
    int code = below(thread, attributes);
    beginning = false;
    return code;
}

/* A call that can be done without is one whose failure the caller need not report. */
static verdict judge(void *caller, bool dispensable) {
    const struct range *range = atomic_load(&watching) && !beginning ? range_of(caller) : NULL;
    if (!range)
        return UNWATCHED;
    lock();
    record.calls++;
    bool refused =
        plan.refused > 0 && (plan.onward ? record.calls >= plan.refused : record.calls == plan.refused);
    if (refused && record.refused++ == 0)
        record.caller = caller;
    record.needed += refused && !dispensable && !range->system;
    unlock();
    if (refused)
        errno = ENOMEM;
    return refused ? REFUSED : GRANTED;
}

static void *watch(verdict v, void *pointer) {
    if (v == GRANTED) {
        lock();
        add_live(pointer);
        unlock();
    }
    return pointer;
}

static void *allocate(void *caller, size_t bytes) {
    verdict v = judge(caller, false);
    return v == REFUSED ? NULL : watch(v, BELOW(malloc)(bytes));
}

void *malloc(size_t bytes) {
    return allocate(__builtin_return_address(0), bytes);
}

void *calloc(size_t count, size_t size) {
    verdict v = judge(__builtin_return_address(0), false);
    return v == REFUSED ? NULL : watch(v, BELOW(calloc)(count, size));
}

static void *align(void *caller, size_t alignment, size_t bytes) {
    verdict v = judge(caller, false);
    return v == REFUSED ? NULL : watch(v, below_align(alignment, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return align(__builtin_return_address(0), alignment, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return align(__builtin_return_address(0), alignment, bytes);
}

int posix_memalign(void **pointer, size_t alignment, size_t bytes) {
    void *memory = align(__builtin_return_address(0), alignment, bytes);
    if (memory)
        *pointer = memory;
    return memory ? 0 : ENOMEM;
}

void free(void *pointer) {
    if (pointer && atomic_load(&watching)) {
        lock();
        remove_live(pointer);
        unlock();
    }
    BELOW(free)(pointer);
}

void *realloc(void *pointer, size_t bytes) {
    verdict v = judge(__builtin_return_address(0), bytes <= malloc_usable_size(pointer));
    if (v == REFUSED)
        return NULL;
    if (!atomic_load(&watching))
        return BELOW(realloc)(pointer, bytes);
    lock();
    bool known = remove_live(pointer);
    void *moved = BELOW(realloc)(pointer, bytes);
    if (known || v == GRANTED)
        add_live(moved ? moved : known ? pointer : NULL);
    unlock();
    return moved;
}

char *strndup(const char *text, size_t most) {
    size_t length = strnlen(text, most);
    char *copy = allocate(__builtin_return_address(0), length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = allocate(__builtin_return_address(0), bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *),
                   void *argument) {
    static int (*below)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!below) {
        void *found = dlsym(RTLD_NEXT, "pthread_create");
        memcpy(&below, &found, sizeof below);
    }
    return judge(__builtin_return_address(0), false) == REFUSED ? EAGAIN
                                                                : below(thread, attributes, work, argument);
}

/* --- the test's side -------------------------------------------------------------------------------------- */

void allocator_start(allocator_plan wanted) {
    if (range_count == 0)
        dl_iterate_phdr(add_ranges, NULL);
    memset(table, 0, sizeof table);
    record = (allocator_record){0};
    plan = wanted;
    atomic_store(&watching, true);
}

allocator_record allocator_stop(void) {
    atomic_store(&watching, false);
    return record;
}
