#include "schedule.h"

#include <math.h>

double nn_schedule_rate(const nn_schedule *s, uint64_t step) {
    if (step < s->warmup)
        return s->rate * (double)(step + 1) / (double)s->warmup;
    uint64_t span = s->steps > s->warmup ? s->steps - s->warmup : 1;
    double progress = fmin(1, (double)(step - s->warmup) / (double)span);
    switch (s->kind) {
    case NN_SCHEDULE_STEP:
        return s->rate * (progress < 0.5 ? 1 : progress < 0.75 ? 0.1 : 0.01);
    case NN_SCHEDULE_COSINE:
        return s->rate * 0.5 * (1 + cos(3.141592653589793 * progress));
    case NN_SCHEDULE_EXPONENTIAL:
        return s->rate * pow(1e-3, progress);
    case NN_SCHEDULE_CONSTANT:
        break;
    }
    return s->rate;
}
