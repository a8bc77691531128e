#include "density.h"

enum { K = 10, BLOCK = 64 };

/* Bernoulli with ten weights. data[0] = X by columns, data[1] = y, data[2] = {rows}.
 * Blocks of rows keep the residuals in the first-level cache between the two products. */
int logistic(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict X = d[0], *restrict y = d[1];
    const size_t n = (size_t)d[2][0];
    double fit = 0, squares = 0, residual[BLOCK], g[K] = {0};
    (void)size;
    for (size_t start = 0; start < n; start += BLOCK) {
        const size_t rows = n - start < BLOCK ? n - start : BLOCK;
        const double *restrict block = X + start;
        for (size_t i = 0; i < rows; i++) {
            double eta = 0;
            for (int j = 0; j < K; j++) eta += block[j * n + i] * x[j];
            double t = exp(-fabs(eta));
            double inverse = 1 / (1 + t);
            fit += y[start + i] * eta - fmax(eta, 0) - log(1 + t);
            residual[i] = y[start + i] - (eta < 0 ? t : 1) * inverse;
        }
        for (int j = 0; j < K; j++) {
            double sum = 0;
            for (size_t i = 0; i < rows; i++) sum += block[j * n + i] * residual[i];
            g[j] += sum;
        }
    }
    for (int j = 0; j < K; j++) {
        squares += x[j] * x[j];
        grad[j] = g[j] - x[j];
    }
    *lp = fit - 0.5 * squares - K * HALF_LOG_2PI;
    return 0;
}
