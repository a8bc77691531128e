#include "density.h"

/* Fifty times: mean, log scale, effect[40] with one observation each. data[0] = y[50][40] */
enum { PARTS = 50, N = 40 };

int many_parts(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *restrict y = *(const double *const *)data;
    double total = 0;
    for (int p = 0; p < PARTS; p++, x += N + 2, grad += N + 2, y += N) {
        const double mean = x[0], scale = exp(x[1]), w = exp(-2 * x[1]);
        double squares = 0, pull = 0, fit = 0;
        for (int i = 0; i < N; i++) {
            double u = x[2 + i] - mean, r = y[i] - x[2 + i];
            squares += u * u, pull += u, fit += r * r;
            grad[2 + i] = r - w * u;
        }
        total += -0.5 * (w * squares + fit + mean * mean + scale * scale) - (N - 1) * x[1];
        grad[0] = w * pull - mean;
        grad[1] = w * squares - N - scale * scale + 1;
    }
    *lp = total - PARTS * ((2 * N + 2) * HALF_LOG_2PI - LOG_2);
    return size != PARTS * (N + 2);
}
