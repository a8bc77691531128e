#include "density.h"

/* Regression of 20 covariates: log local[D], log tau, raw[D], log precision.
 * data[0] = X by columns, data[1] = y. */
enum { N = 100, D = 20 };

int horseshoe(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict X = d[0], *restrict y = d[1], *restrict raw = x + D + 1;
    double local[D], slope[D], r[N], squares = 0, prior = 0, size_of = 0, drop = 0, scaled = 0;
    const double tau = exp(x[D]), precision = exp(x[2 * D + 1]);
    for (int j = 0; j < D; j++) {
        local[j] = exp(x[j]);
        slope[j] = tau * local[j] * raw[j];
        prior += x[j], size_of += raw[j] * raw[j];
        drop += log(1 + local[j] * local[j]);
    }
    for (int i = 0; i < N; i++) r[i] = y[i];
    for (int j = 0; j < D; j++)
        for (int i = 0; i < N; i++) r[i] -= X[j * N + i] * slope[j];
    for (int i = 0; i < N; i++) squares += r[i] * r[i];
    for (int j = 0; j < D; j++) {
        double dot = 0;
        for (int i = 0; i < N; i++) dot += X[j * N + i] * r[i];
        dot *= precision;
        scaled += dot * slope[j];
        grad[j] = dot * slope[j] + 1 - 2 * local[j] * local[j] / (1 + local[j] * local[j]);
        grad[D + 1 + j] = dot * tau * local[j] - raw[j];
    }
    grad[D] = scaled + 1 - 2 * tau * tau / (1 + tau * tau);
    grad[2 * D + 1] = 3 + 0.5 * N - precision - 0.5 * precision * squares;
    *lp = prior - drop + x[D] - log1p(tau * tau) + (D + 1) * (LOG_2 - LOG_PI) - 0.5 * size_of
        + 3 * x[2 * D + 1] - precision - LOG_2 + 0.5 * N * x[2 * D + 1] - 0.5 * precision * squares
        - (D + N) * HALF_LOG_2PI;
    return size != 2 * D + 2;
}
