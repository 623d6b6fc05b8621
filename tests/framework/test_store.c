/* The store of parameters: declaring, laying out, initial values. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/support.h"

static nn_entry entry_named(const char *name, nn_entry_kind kind, nn_shape shape) {
    nn_entry entry = {.kind = kind, .shape = shape};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    return entry;
}

static int declare(nn_store *store, nn_entry entry) {
    nn_error error = {0};
    int index = -1;
    test_ok(nn_store_declare(store, entry, &index, &error), &error);
    return index;
}

static void freeze(nn_store *store) {
    nn_error error = {0};
    test_ok(nn_store_freeze(store, &error), &error);
}

/* Each kind lies in one array, in order of declaration, without gaps. */
static void test_layout(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    assert_int_equal(declare(&store, entry_named("a", NN_PARAMETER, NN_SHAPE2(3, 5))), 0);
    assert_int_equal(declare(&store, entry_named("m", NN_STATISTIC, NN_SHAPE1(7))), 1);
    assert_int_equal(declare(&store, entry_named("b", NN_PARAMETER, NN_SHAPE1(2))), 2);
    assert_int_equal(declare(&store, entry_named("v", NN_STATISTIC, NN_SHAPE1(4))), 3);
    assert_int_equal(declare(&store, entry_named("b", NN_PARAMETER, NN_SHAPE1(2))), 2); /* found again */
    assert_int_equal(store.parameter_count, 17);
    assert_int_equal(store.statistic_count, 11);
    freeze(&store);
    assert_ptr_equal(nn_store_values(&store, nn_store_find(&store, "a")), store.parameters);
    assert_ptr_equal(nn_store_values(&store, nn_store_find(&store, "b")), store.parameters + 15);
    assert_ptr_equal(nn_store_values(&store, nn_store_find(&store, "m")), store.statistics);
    assert_ptr_equal(nn_store_values(&store, nn_store_find(&store, "v")), store.statistics + 7);
    assert_null(nn_store_find(&store, "c"));
    assert_null(nn_store_find(&store, ""));
    for (int i = 0; i < 17; i++)
        assert_true(store.gradients[i] == 0);
    float *before = store.parameters;
    before[3] = 42;
    freeze(&store); /* again: nothing happens */
    assert_ptr_equal(store.parameters, before);
    assert_true(before[3] == 42);
    nn_store_free(&store);
    assert_null(store.parameters);
}

/* Many entries: the table grows. */
static void test_many_entries(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    char name[16];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "p%d", i);
        nn_entry entry = entry_named(name, NN_PARAMETER, NN_SHAPE1(i + 1));
        entry.init = (nn_init){.kind = NN_INIT_CONSTANT, .value = (float)i};
        assert_int_equal(declare(&store, entry), i);
    }
    freeze(&store);
    assert_int_equal(store.parameter_count, 500 * 501 / 2);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "p%d", i);
        const nn_entry *entry = nn_store_find(&store, name);
        const float *values = nn_store_values(&store, entry);
        assert_int_equal(entry->count, i + 1);
        assert_true(values[0] == (float)i && values[i] == (float)i);
    }
    nn_store_free(&store);
}

static void test_refusals(void **state) {
    (void)state;
    nn_store store;
    nn_error error = {0};
    int index;
    nn_store_begin(&store, 1);
    declare(&store, entry_named("a", NN_PARAMETER, NN_SHAPE2(3, 5)));
    test_fails(nn_store_declare(&store, entry_named("a", NN_PARAMETER, NN_SHAPE2(5, 3)), &index, &error),
               NN_ESHAPE, &error, "'a' is declared twice, as 3 x 5 and as 5 x 3");
    test_fails(nn_store_declare(&store, entry_named("a", NN_STATISTIC, NN_SHAPE2(3, 5)), &index, &error),
               NN_ESHAPE, &error, "'a' is declared twice, as a parameter and as a statistic");
    test_fails(nn_store_declare(&store, entry_named("z", NN_PARAMETER, NN_SHAPE2(3, 0)), &index, &error),
               NN_ESHAPE, &error, "'z' has a dimension that is not positive");
    test_fails(nn_store_declare(&store,
                                entry_named("z", NN_PARAMETER, NN_SHAPE4(1 << 20, 1 << 20, 1 << 20, 16)),
                                &index, &error),
               NN_ESHAPE, &error, "or is too large");
    freeze(&store);
    assert_int_equal(declare(&store, entry_named("a", NN_PARAMETER, NN_SHAPE2(3, 5))), 0);
    test_fails(nn_store_declare(&store, entry_named("late", NN_PARAMETER, NN_SHAPE1(1)), &index, &error),
               NN_EARGUMENT, &error, "'late' is new, but the store's memory is laid out already");
    nn_store_free(&store);
}

/* Under the address sanitizer, too, memory that cannot be had is NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

static void test_no_memory(void **state) {
    (void)state;
    nn_store store;
    nn_error error = {0};
    nn_store_begin(&store, 1);
    declare(&store, entry_named("huge", NN_PARAMETER, NN_SHAPE2(1 << 24, 1 << 24))); /* 2^50 bytes */
    test_fails(nn_store_freeze(&store, &error), NN_EMEMORY, &error, "not enough memory for the parameters");
    assert_false(store.frozen);
    nn_store_free(&store);
}

static nn_entry with_init(const char *name, nn_init_kind kind, int in, int out, int count) {
    nn_entry entry = entry_named(name, NN_PARAMETER, NN_SHAPE1(count));
    entry.init = (nn_init){.kind = kind, .fan_in = in, .fan_out = out};
    return entry;
}

/* Within five standard errors of mean 0 and of the stated variance. */
static void expect_moments(const nn_store *store, const char *name, double variance, double fourth) {
    const nn_entry *entry = nn_store_find(store, name);
    const float *x = nn_store_values(store, entry);
    double n = (double)entry->count, sum = 0, squares = 0;
    for (size_t i = 0; i < entry->count; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
    }
    assert_true(fabs(sum / n) < 5 * sqrt(variance / n));
    assert_true(fabs(squares / n - variance) < 5 * variance * sqrt((fourth - 1) / n));
}

static void test_initial_values(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    declare(&store, with_init("he", NN_INIT_HE, 50, 7, 100000));
    declare(&store, with_init("xavier", NN_INIT_XAVIER, 50, 30, 100000));
    freeze(&store);
    expect_moments(&store, "he", 2.0 / 50, 3);
    expect_moments(&store, "xavier", 2.0 / 80, 9.0 / 5);
    const nn_entry *xavier = nn_store_find(&store, "xavier");
    for (size_t i = 0; i < xavier->count; i++)
        assert_true(fabsf(nn_store_values(&store, xavier)[i]) <= 0.27387f); /* sqrt(6 / 80) */
    nn_store_free(&store);
}

/* Values depend on the seed and the name, not on what else there is nor on the order. */
static void test_initial_values_are_independent(void **state) {
    (void)state;
    nn_entry a = with_init("a", NN_INIT_HE, 5, 5, 33), b = with_init("b", NN_INIT_HE, 5, 5, 33);
    nn_store one, two, other;
    nn_store_begin(&one, 1);
    nn_store_begin(&two, 1);
    nn_store_begin(&other, 2);
    declare(&one, a);
    declare(&one, b);
    declare(&two, b);
    declare(&two, with_init("more", NN_INIT_HE, 5, 5, 10));
    declare(&two, a);
    declare(&other, a);
    freeze(&one);
    freeze(&two);
    freeze(&other);
    size_t bytes = 33 * sizeof(float);
    const float *values = one.parameters;
    test_same_bits("a", values, nn_store_values(&two, nn_store_find(&two, "a")), bytes);
    test_same_bits("b", values + 33, nn_store_values(&two, nn_store_find(&two, "b")), bytes);
    assert_memory_not_equal(values, values + 33, bytes);
    assert_memory_not_equal(values, other.parameters, bytes);
    nn_store_free(&one);
    nn_store_free(&two);
    nn_store_free(&other);
}

static void test_check(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    nn_store store;
    nn_error error = {0};
    nn_store_begin(&store, 1);
    declare(&store, with_init("first", NN_INIT_HE, 5, 5, 33));
    declare(&store, with_init("second", NN_INIT_HE, 5, 5, 21));
    declare(&store, entry_named("statistic", NN_STATISTIC, NN_SHAPE1(3)));
    freeze(&store);
    for (int k = 0; k < 3; k++)
        for (size_t at = 33; at < 54; at++) {
            store.parameters[at] = bad[k];
            test_fails(nn_store_check(&store, false, &error), NN_ENUMERIC, &error,
                       "parameter 'second' has values that are NaN or infinite");
            test_ok(nn_store_check(&store, true, &error), &error);
            store.parameters[at] = 1;
            store.gradients[at] = bad[k];
            test_fails(nn_store_check(&store, true, &error), NN_ENUMERIC, &error, "the gradient of 'second'");
            test_ok(nn_store_check(&store, false, &error), &error);
            store.gradients[at] = 3e38f;
            test_ok(nn_store_check(&store, true, &error), &error);
        }
    nn_store_free(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),         cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_initial_values), cmocka_unit_test(test_initial_values_are_independent),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
