#include "density.h"

/* Poisson with a random effect for each row: beta0, beta1, log s, r[n].
 * data[0] = group, data[1] = counts, data[2] = {-sum of log count!} */
int glmm(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict group = d[0], *restrict counts = d[1];
    const double *restrict r = x + 3;
    double *restrict g = grad + 3;
    const size_t n = size - 3;
    const double b0 = x[0], b1 = x[1], s = exp(x[2]), w = exp(-2 * x[2]);
    double fit = 0, squares = 0, g0 = 0, g1 = 0;
    for (size_t i = 0; i < n; i++) {
        double theta = b0 + b1 * group[i] + r[i];
        double mean = exp(theta);
        double residual = counts[i] - mean;
        fit += counts[i] * theta - mean;
        squares += r[i] * r[i];
        g0 += residual;
        g1 += residual * group[i];
        g[i] = residual - w * r[i];
    }
    *lp = d[2][0] + fit - 0.5 * w * squares - (double)n * (x[2] + HALF_LOG_2PI)
        - 0.5 * (b0 * b0 + b1 * b1) - 2 * HALF_LOG_2PI - s + x[2];
    grad[0] = g0 - b0;
    grad[1] = g1 - b1;
    grad[2] = w * squares - (double)n - s + 1;
    return 0;
}
