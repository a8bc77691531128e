#include "density.h"

/* A line: intercept, slope, log sigma. data[0] = predictor, data[1] = y, data[2] = {rows} */
int regression(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict p = d[0], *restrict y = d[1];
    const size_t n = (size_t)d[2][0];
    const double a = x[0], b = x[1], sigma = exp(x[2]), w = exp(-2 * x[2]);
    double squares = 0, g0 = 0, g1 = 0;
    (void)size;
    for (size_t i = 0; i < n; i++) {
        double e = y[i] - a - b * p[i];
        squares += e * e;
        g0 += e;
        g1 += e * p[i];
    }
    const double scaled = sigma / 5;
    *lp = -0.5 * w * squares - (double)n * (x[2] + HALF_LOG_2PI)
        - (a * a + b * b) / 200 - 2 * (log(10) + HALF_LOG_2PI)
        - 0.5 * scaled * scaled + LOG_2 - log(5) - HALF_LOG_2PI + x[2];
    grad[0] = w * g0 - a / 100;
    grad[1] = w * g1 - b / 100;
    grad[2] = w * squares - (double)n - scaled * scaled + 1;
    return 0;
}
