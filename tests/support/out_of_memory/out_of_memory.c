#define _GNU_SOURCE /* strcasestr, dladdr */
#include "out_of_memory.h"

#include <dlfcn.h>
#include <string.h>

#include "../support.h"
#include "allocator.h"

enum { MOST = 1000, SAID_MOST = 8 };

typedef struct outcome {
    nn_status status;
    uint64_t hash;
    nn_error error;
    allocator_record record;
} outcome;

static outcome run(const memory_trial *trial, allocator_plan plan) {
    outcome o = {.hash = nn_hash_start};
    if (trial->before)
        trial->before(trial->context);
    allocator_start(plan);
    o.status = trial->operation(trial->context, &o.hash, &o.error);
    o.record = allocator_stop();
    if (trial->after)
        trial->after(trial->context, o.status == NN_OK);
    return o;
}

static int said; /* messages about the trial under way */

/* Says what is wrong with an outcome; false, for callers to return. */
static bool wrong(const memory_trial *trial, allocator_plan plan, const outcome *o, const char *what) {
    Dl_info place = {0};
    if (++said > SAID_MOST)
        return false;
    dladdr(o->record.caller, &place);
    print_error("%s: allocation %d%s refused at %s+0x%lx: %s (status %d; error %d '%s'; %d not freed)\n",
                trial->name, plan.refused, plan.onward ? " and all that follow" : "",
                place.dli_fname ? place.dli_fname : "?",
                (unsigned long)((char *)o->record.caller - (char *)place.dli_fbase), what, o->status,
                o->error.status, o->error.message, o->record.live);
    return false;
}

static bool is_success(const memory_trial *trial, allocator_plan plan, const outcome *o, uint64_t hash) {
    if (o->status != NN_OK || o->error.status != NN_OK)
        return wrong(trial, plan, o, "should have succeeded");
    if (o->hash != hash)
        return wrong(trial, plan, o, "succeeded with another result");
    return o->record.live == 0 || wrong(trial, plan, o, "memory was not given back");
}

static bool is_refusal(const memory_trial *trial, allocator_plan plan, const outcome *o) {
    if (o->status != NN_EMEMORY || o->error.status != NN_EMEMORY)
        return wrong(trial, plan, o, "should have said that memory is missing");
    if (o->error.message[0] == '\0')
        return wrong(trial, plan, o, "has no message");
    return o->record.live == 0 || wrong(trial, plan, o, "memory was not given back");
}

/* Whether the operation did as it should with an allocation refused; counts the times it succeeded all the same. */
static bool survives(const memory_trial *trial, allocator_plan plan, uint64_t hash, int *without) {
    outcome o = run(trial, plan);
    if (o.record.refused == 0)
        return wrong(trial, plan, &o, "nothing was refused: the number of allocations varies");
    if (o.status != NN_OK)
        return is_refusal(trial, plan, &o);
    ++*without;
    if (o.record.needed > 0 && !trial->bears)
        return wrong(trial, plan, &o, "should have failed");
    return is_success(trial, plan, &o, hash);
}

void memory_try(memory_trial trial) {
    const allocator_plan nothing = {0};
    said = 0;
    outcome first = run(&trial, nothing); /* what is allocated once and for all is not counted as lost */
    test_ok(first.status, &first.error);
    outcome second = run(&trial, nothing);
    assert_true(is_success(&trial, nothing, &second, first.hash));
    int calls = second.record.calls, most = trial.most ? trial.most : MOST,
        stride = (calls + most - 1) / most;
    int tried = 0, without = 0, failed = 0;
    for (int n = 1; n <= calls; n += stride)
        for (int onward = 0; onward < 2; onward++, tried++)
            failed +=
                !survives(&trial, (allocator_plan){.refused = n, .onward = onward}, first.hash, &without);
    if (failed > 0)
        fail_msg("%s: %d of %d failures were not borne", trial.name, failed, tried);
    outcome last = run(&trial, nothing);
    assert_true(is_success(&trial, nothing, &last, first.hash));
    print_message("%-40s %5d allocations, %5d failures tried, %3d did without\n", trial.name, calls, tried,
                  without);
}
