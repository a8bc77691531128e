#include "density.h"

/* A latent path p[t] = rho p[t - 1] + s z[t]: rho = tanh x[0], log s, log noise, z[T].
 * data[0] = y */
enum { T = 500 };

int state_space(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *restrict y = *(const double *const *)data;
    const double *restrict z = x + 3;
    double *restrict g = grad + 3;
    const double rho = tanh(x[0]), s = exp(x[1]), w = exp(-2 * x[2]);
    double path[T], r[T], last = 0, fit = 0, squares = 0, back = 0, g_rho = 0, g_s = 0;
    for (int t = 0; t < T; t++) path[t] = last = rho * last + s * z[t];
    for (int t = 0; t < T; t++) {
        r[t] = y[t] - path[t];
        fit += r[t] * r[t], squares += z[t] * z[t];
    }
    for (int t = T - 1; t >= 0; t--) {
        back = w * r[t] + rho * back;
        r[t] = back;
    }
    for (int t = 1; t < T; t++) g_rho += r[t] * path[t - 1];
    for (int t = 0; t < T; t++) {
        g_s += r[t] * z[t];
        g[t] = s * r[t] - z[t];
    }
    *lp = -0.5 * (w * fit + squares + x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) - T * x[2] - (2 * T + 3) * HALF_LOG_2PI;
    grad[0] = g_rho * (1 - rho * rho) - x[0];
    grad[1] = g_s * s - x[1];
    grad[2] = w * fit - T - x[2];
    return size != T + 3;
}
