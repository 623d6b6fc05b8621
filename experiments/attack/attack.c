#include "attack.h"

#include <math.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/random.h"

const char *const exp_attack_methods[] = {"fgsm", "bim", "pgd", NULL};
const char *const exp_attack_titles[] = {"FGSM", "BIM", "PGD"};

double exp_attack_step(const exp_attack *a) {
    if (a->method == EXP_FGSM)
        return a->epsilon;
    return a->step > 0 ? a->step : fmin(a->epsilon, 2.5 * a->epsilon / a->iterations);
}

/* The pixel nearest to y that is within epsilon of x, and in 0..1 if x is. The nearest float to x + epsilon may lie
 * outside: then the next one towards x does not. */
static float project(float x, double y, double epsilon) {
    float limited = (float)fmin(fmax(y, fmax(x - epsilon, 0)), fmin(x + epsilon, 1));
    while (fabs((double)limited - x) > epsilon)
        limited = nextafterf(limited, x);
    return limited;
}

/* Even within the ball. Image i of all has the random numbers i size ... of its stream. */
static void start_at_random(const exp_attack *a, const exp_attack_batch *b, float *x) {
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < b->count; i++) {
        nn_stream stream = nn_stream_named(a->seed, "attack/start");
        stream.position = (b->first + (uint64_t)i) * b->size;
        for (size_t k = (size_t)i * b->size; k < (size_t)(i + 1) * b->size; k++) {
            double away = 2.0 * nn_random_uniform(&stream) - 1;
            x[k] = project(b->images[k], b->images[k] + a->epsilon * away, a->epsilon);
        }
    }
}

/* One step along the gradient's sign, or against it; pixels without a gradient stay. */
static void move(const exp_attack *a, const exp_attack_batch *b, const float *gradient, float *x) {
    double step = a->targeted ? -exp_attack_step(a) : exp_attack_step(a);
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < b->count; i++)
        for (size_t k = (size_t)i * b->size; k < (size_t)(i + 1) * b->size; k++) {
            double sign = (gradient[k] > 0) - (gradient[k] < 0);
            x[k] = project(b->images[k], x[k] + step * sign, a->epsilon);
        }
}

nn_status exp_attack_images(const exp_attack *a, exp_attack_gradient compute, void *context,
                            const exp_attack_batch *b, float *adversarial, float *gradient, nn_error *error) {
    int iterations = a->method == EXP_FGSM ? 1 : a->iterations;
    if (a->method == EXP_PGD)
        start_at_random(a, b, adversarial);
    else
        memcpy(adversarial, b->images, (size_t)b->count * b->size * sizeof *adversarial);
    for (int t = 0; t < iterations && !(b->stop && *b->stop); t++) {
        nn_status status = compute(context, b->count, adversarial, b->classes, gradient, error);
        if (status != NN_OK)
            return status;
        move(a, b, gradient, adversarial);
    }
    return NN_OK;
}
