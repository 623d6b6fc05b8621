/* named_numbers.h - the numbers of a JSON file, by name. */
#ifndef EXP_STUDY_NAMED_NUMBERS_H
#define EXP_STUDY_NAMED_NUMBERS_H

#include "framework/error.h"

enum { EXP_NUMBER_NAME_MAX = 320 };

typedef struct exp_named_number {
    char name[EXP_NUMBER_NAME_MAX];
    double value;
} exp_named_number;

typedef struct exp_named_numbers {
    int count;
    exp_named_number *items; /* [count], in the file's order */
} exp_named_numbers;

/* Reads the numbers of the object in file `path`. A number inside others has a name with dots: "outliers.noise.auroc". In a
 * list an object goes by its texts and its `epsilon`, joined by ':' ({"method": "fgsm", "epsilon": 0.1, ...} is fgsm:0.1),
 * else by its `step`; lists of plain numbers and of objects that have none of these, as bins of a histogram, are left out. NN_EFILE, NN_EFORMAT. Freed with
 * exp_named_numbers_free, also after a failure. */
nn_status exp_named_numbers_read(exp_named_numbers *numbers, const char *path, nn_error *error);
void exp_named_numbers_free(exp_named_numbers *numbers);

/* NaN where there is none of that name. */
double exp_named_number_find(const exp_named_numbers *numbers, const char *name);

#endif
