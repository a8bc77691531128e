#include "density.h"

/* Bernoulli with K weights. data[0] = X in blocks of 32 rows, each by columns, data[1] = y, data[2] = {rows};
 * rows past the last have X = 0 and y = 1/2, which adds log 2 to be taken off: data[3] = {rows added}.
 * A block's residuals stay in the first-level cache between the two products. */
#ifndef K
#define K 10
#endif
enum { BLOCK = 32 };

int logistic(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict y = d[1];
    const size_t n = (size_t)d[2][0];
    double fit = d[3][0] * LOG_2, squares = 0, sums[K][8] = {{0}};
    for (size_t start = 0; start < n; start += BLOCK) {
        const double *restrict block = d[0] + start * K;
        double eta[BLOCK] = {0}, residual[BLOCK];
        for (int j = 0; j < K; j++)
            for (int i = 0; i < BLOCK; i++) eta[i] += block[j * BLOCK + i] * x[j];
        for (int i = 0; i < BLOCK; i++) {
            double t = exp(-fabs(eta[i]));
            fit += y[start + i] * eta[i] - fmax(eta[i], 0) - log(1 + t);
            residual[i] = y[start + i] - (eta[i] < 0 ? t : 1) / (1 + t);
        }
        for (int j = 0; j < K; j++)
            for (int l = 0; l < 8; l++)
                sums[j][l] += block[j * BLOCK + l] * residual[l] + block[j * BLOCK + 8 + l] * residual[8 + l]
                    + block[j * BLOCK + 16 + l] * residual[16 + l] + block[j * BLOCK + 24 + l] * residual[24 + l];
    }
    for (int j = 0; j < K; j++) {
        double sum = 0;
        for (int l = 0; l < 8; l++) sum += sums[j][l];
        squares += x[j] * x[j];
        grad[j] = sum - x[j];
    }
    *lp = fit - 0.5 * squares - K * HALF_LOG_2PI;
    return size != K;
}
