/* One timing loop for every compiled density: finetti's, nutpie's and the hand-written ones. */
#include <stddef.h>
#include <time.h>

typedef int (*density)(size_t n, const double *x, double *grad, double *lp, void *data);

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of this thread's CPU a call; each call waits for the one before, as in a sampler. */
double time_density(density f, void *data, size_t n, double *x, double *grad, size_t repeats) {
    double lp = 0, start = now();
    for (size_t i = 0; i < repeats; i++) {
        f(n, x, grad, &lp, data);
        x[0] += 1e-300 * grad[0];
    }
    return (now() - start) / (double)repeats;
}
