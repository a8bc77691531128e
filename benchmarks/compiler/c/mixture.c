#include "density.h"

/* A mixture of K normal distributions: odds[K] (weights are their softmax), mean[K], log scale[K].
 * data[0] = y, data[1] = {rows}. Rows in blocks, so that the parts of a row stay beside each other. */
#ifndef K
#define K 2
#endif
enum { BLOCK = 32 };

int mixture(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict y = d[0];
    const size_t n = (size_t)d[1][0];
    const double *restrict odds = x, *restrict mean = x + K, *restrict log_scale = x + 2 * K;
    double whole = 0, top = odds[0], weight[K], inverse[K], level[K], fit = 0, prior = 0;
    double share[K] = {0}, first[K] = {0}, second[K] = {0};
    for (int k = 1; k < K; k++) top = fmax(top, odds[k]);
    for (int k = 0; k < K; k++) whole += weight[k] = exp(odds[k] - top);
    for (int k = 0; k < K; k++) {
        weight[k] /= whole;
        inverse[k] = exp(-log_scale[k]);
        level[k] = odds[k] - top - log(whole) - log_scale[k] - HALF_LOG_2PI;
    }
    for (size_t start = 0; start < n; start += BLOCK) {
        const int rows = n - start < BLOCK ? (int)(n - start) : BLOCK;
        double z[K][BLOCK], e[K][BLOCK], peak[BLOCK], total[BLOCK];
        for (int k = 0; k < K; k++)
            for (int i = 0; i < rows; i++) {
                z[k][i] = (y[start + i] - mean[k]) * inverse[k];
                e[k][i] = level[k] - 0.5 * z[k][i] * z[k][i];
            }
        for (int i = 0; i < rows; i++) peak[i] = e[0][i], total[i] = 0;
        for (int k = 1; k < K; k++)
            for (int i = 0; i < rows; i++) peak[i] = e[k][i] > peak[i] ? e[k][i] : peak[i];
        for (int k = 0; k < K; k++)
            for (int i = 0; i < rows; i++) total[i] += e[k][i] = exp(e[k][i] - peak[i]);
        for (int i = 0; i < rows; i++) {
            fit += peak[i] + log(total[i]);
            total[i] = 1 / total[i];
        }
        for (int k = 0; k < K; k++)
            for (int i = 0; i < rows; i++) {
                double p = e[k][i] * total[i], pz = p * z[k][i];
                share[k] += p, first[k] += pz, second[k] += pz * z[k][i];
            }
    }
    for (int k = 0; k < K; k++) {
        prior += odds[k] * odds[k] + mean[k] * mean[k] / 9 + log_scale[k] * log_scale[k];
        grad[k] = share[k] - (double)n * weight[k] - odds[k];
        grad[K + k] = first[k] * inverse[k] - mean[k] / 9;
        grad[2 * K + k] = second[k] - share[k] - log_scale[k];
    }
    *lp = fit - 0.5 * prior - 3 * K * HALF_LOG_2PI - K * LOG_3;
    return size != 3 * K;
}
