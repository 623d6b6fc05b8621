/* trained_run.h - the model that a run folder of ./train holds, and examples for it. */
#ifndef EXP_TRAINED_RUN_H
#define EXP_TRAINED_RUN_H

#include "classifier.h"

/* Which run, and on what data. */
typedef struct exp_run_request {
    const char *run;     /* folder of the run */
    const char *dataset; /* NULL: the run's own */
    const char *data;    /* --data, or "" */
    uint64_t examples;   /* the first so many of the test set; 0: all */
} exp_run_request;

/* Owned by the caller, released with exp_trained_run_close. */
typedef struct exp_trained_run {
    exp_train_options options;
    data_set set; /* with test examples; of training examples, as many as the run's --train-limit */
    exp_classifier classifier;
    float mean[DATA_CHANNELS_MAX],
        deviation[DATA_CHANNELS_MAX]; /* by which the model's images were normalised */
} exp_trained_run;

/* The run's options from config.ini, with the request's data set. */
nn_status exp_trained_run_options(const exp_run_request *request, exp_train_options *options,
                                  nn_error *error);

/* Builds the model by the options, which may differ from the run's in what does not touch its weights, and loads
 * those from model.safetensors. To be closed after a failure too. */
nn_status exp_trained_run_open(exp_trained_run *run, const exp_run_request *request,
                               const exp_train_options *options, exp_purpose purpose, nn_error *error);

/* The same without any data: of run->set there is the form only, as model.safetensors has it (and the names of the classes,
 * where an older one does not leave them out). For one example at a time. */
nn_status exp_trained_model_open(exp_trained_run *run, const char *folder, exp_purpose purpose,
                                 nn_error *error);

void exp_trained_run_close(exp_trained_run *run);

/* Writes such a model.safetensors: the weights, and in the metadata what a run needs of the data that they were trained on. */
nn_status exp_trained_model_save(const exp_classifier *classifier, const exp_train_options *options,
                                 const data_set *set, const char *path, nn_error *error);

/* A loader of the test examples, in order, normalised as in training. */
nn_status exp_trained_run_tests(const exp_trained_run *run, data_loader **loader, nn_error *error);

/* The same of any examples of the set's form: set.train (as they are, not augmented), a part of it, or those of another
 * set with images of the same size. The split must outlive the loader. NN_EARGUMENT where there are none. */
nn_status exp_trained_run_split(const exp_trained_run *run, const data_split *split, data_loader **loader,
                                nn_error *error);

/* The images first .. first + count - 1 of such a split, which must be there, in memory and without a loader: images,
 * [count][height][width][channels], normalised as in training. */
void exp_trained_run_images(const exp_trained_run *run, const data_split *split, int first, int count,
                            float *images);

#endif
