/* gan.h - a generator and a discriminator (Goodfellow et al., "Generative Adversarial Nets", 2014), after Radford,
 * Metz and Chintala's DCGAN (2016), and how they are trained against each other.
 *
 *   latent -- generator --> images -- discriminator --> logit, positive for what it takes for real
 *
 * An optimizer moves a whole store, and the two learn from different losses: each network has a store, a graph and
 * plans of its own. What joins them is an array of numbers, d loss / d images. A training step:
 *
 *   1. model_generator_run          images = G(z)
 *   2. model_discriminator_learn    D's gradients of  BCE(D(real), 1) + BCE(D(images), 0);  then D's optimizer
 *   3. model_discriminator_judge    d/d images of  BCE(D(images), 1),  the non-saturating loss
 *   4. model_generator_learn        G's gradients by the chain rule from d loss / d images;  then G's optimizer
 *
 * The images are computed once, in 1, whose activations 4 goes back through. G does not know where a gradient of
 * its images comes from: it may be D's, that of the soft nearest neighbor loss between real and generated examples,
 * or a sum. For this G's loss is the inner product <images, given>, given an input: its gradient with respect to G's
 * parameters is what the chain rule makes of d loss / d images = given.
 *
 * Real and generated images pass through D apart from each other, each with the statistics of its own batch. In 3 D's
 * parameters are constants: what 2 has left in its store's gradients stays. */
#ifndef MODEL_GAN_H
#define MODEL_GAN_H

#include "../framework/framework.h"

NN_API_BEGIN

typedef struct model_gan_options {
    int batch, latent; /* latent: coordinates of z */
    int height, width,
        channels;  /* of images: sides are multiples of 4; 1 x 1 makes points with `channels` coordinates */
    int filters;   /* even: see generator.c and discriminator.c */
    uint64_t seed; /* of the initial values of both networks */
} model_gan_options;

/* NN_EARGUMENT where there is no such pair of networks. */
nn_status model_gan_check(const model_gan_options *options, nn_error *error);

/* generator.c: [B, latent] -> [B,H,W,C] from -1 to 1, or points without bounds */
nn_node *model_build_generator(nn_node *latent, int height, int width, int channels, int filters);

/* discriminator.c: [B,H,W,C] -> logits [B, 1]. May be built several times in a graph: the parameters are the same. */
nn_node *model_build_discriminator(nn_node *images, int filters);

/* --- generator ------------------------------------------------------------------------------------------- */

typedef struct model_generator {
    nn_store store;
    nn_graph *graph;
    nn_node *latent, *images, *given, *loss;
    nn_plan *training, *evaluation; /* by the statistics of the batch; by running ones */
    size_t row;                     /* numbers of an image */
} model_generator;

/* To be released with model_generator_end, after a failure too; begin and end zero what they do not fill. */
nn_status model_generator_begin(model_generator *generator, const model_gan_options *options,
                                nn_error *error);
void model_generator_end(model_generator *generator);

/* 1. Runs the training plan on z [batch][latent]. *images, [batch][row], last until the next run. */
nn_status model_generator_run(model_generator *generator, const float *z, const float **images,
                              nn_error *error);

/* 4. After a run: the parameters' gradients from gradient [batch][row] with respect to its images. */
nn_status model_generator_learn(model_generator *generator, const float *gradient, nn_error *error);

/* Images [count][row] of any number of z [count][latent] by the running statistics: each image depends on its own z
 * alone. */
nn_status model_generator_sample(model_generator *generator, const float *z, int count, float *images,
                                 nn_error *error);

/* --- discriminator --------------------------------------------------------------------------------------- */

typedef struct model_discriminator {
    nn_store store;
    nn_graph *graph;
    nn_node *real, *generated;             /* images */
    nn_node *real_targets, *false_targets; /* of learning */
    nn_node *wanted_targets;               /* of judging */
    nn_node *real_logits, *generated_logits, *learning_loss, *judging_loss;
    nn_plan *learning, *judging;
    int batch;
    size_t row;
} model_discriminator;

/* What a batch came out as. */
typedef struct model_discriminator_result {
    double loss;                              /* of learning: of both parts together */
    double real_accuracy, generated_accuracy; /* shares that were told right */
} model_discriminator_result;

/* real_target, above 0.5 to 1: what D is to say of real images; below 1 is one-sided label smoothing (Salimans et
 * al. 2016). To be released with model_discriminator_end, after a failure too. */
nn_status model_discriminator_begin(model_discriminator *discriminator, const model_gan_options *options,
                                    double real_target, nn_error *error);
void model_discriminator_end(model_discriminator *discriminator);

/* 2. Sets the parameters' gradients for real and generated images, [batch][row] each. */
nn_status model_discriminator_learn(model_discriminator *discriminator, const float *real,
                                    const float *generated, model_discriminator_result *result,
                                    nn_error *error);

/* 3. *loss is the generator's, *gradient [batch][row] its gradient with respect to the images; valid until the next
 * judgement. */
nn_status model_discriminator_judge(model_discriminator *discriminator, const float *generated, double *loss,
                                    const float **gradient, nn_error *error);

NN_API_END

#endif
