#include "density.h"

/* v[t] = base + a (y[t - 1] - mean)^2 + b v[t - 1], from y[-1] = 0 and v[-1] = 1: mean, log base,
 * logits of a and b. data[0] = y */
enum { T = 500 };

int garch(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *restrict y = *(const double *const *)data;
    const double mean = x[0], base = exp(x[1]), a = 1 / (1 + exp(-x[2])), b = 1 / (1 + exp(-x[3]));
    double r[T + 1], v[T + 1], g[T], fit = 0, g_mean = 0, g_base = 0, g_a = 0, g_b = 0, back = 0;
    r[0] = -mean, v[0] = 1;
    for (int t = 0; t < T; t++) r[t + 1] = y[t] - mean;
    for (int t = 0; t < T; t++) g[t] = base + a * r[t] * r[t];
    for (int t = 0; t < T; t++) v[t + 1] = g[t] + b * v[t];
    for (int t = 0; t < T; t++) {
        const double w = 1 / v[t + 1], q = r[t + 1] * w;
        fit += r[t + 1] * q + log(v[t + 1]);
        g_mean += q;
        g[t] = 0.5 * (q * q - w);
    }
    for (int t = T - 1; t >= 0; t--) g[t] = back = g[t] + b * back;
    for (int t = 0; t < T; t++) {
        g_base += g[t];
        g_a += g[t] * r[t] * r[t];
        g_b += g[t] * v[t];
        g_mean -= 2 * a * g[t] * r[t];
    }
    *lp = -0.5 * (fit + x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3]) - (T + 4) * HALF_LOG_2PI;
    grad[0] = g_mean - x[0];
    grad[1] = g_base * base - x[1];
    grad[2] = g_a * a * (1 - a) - x[2];
    grad[3] = g_b * b * (1 - b) - x[3];
    return size != 4;
}
