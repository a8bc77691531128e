#include "density.h"

/* The forward algorithm in logarithms, K states: level[K], logits[K][K]. data[0] = y */
enum { T = 500 };

int hidden_markov(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *restrict y = *(const double *const *)data, *restrict level = x, *restrict logits = x + K;
    static _Thread_local double w[T][K][K];
    double rate[K][K], share[K][K], a[K], b[K], g[K] = {0}, g_rate[K][K] = {{0}}, total = 0, square = 0;
    for (int i = 0; i < K; i++) {
        double most = -INFINITY, sum = 0;
        for (int j = 0; j < K; j++) most = fmax(most, logits[i * K + j]);
        for (int j = 0; j < K; j++) sum += exp(logits[i * K + j] - most);
        for (int j = 0; j < K; j++) rate[i][j] = logits[i * K + j] - most - log(sum);
        for (int j = 0; j < K; j++) share[i][j] = exp(rate[i][j]);
    }
    for (int j = 0; j < K; j++) a[j] = -0.5 * (y[0] - level[j]) * (y[0] - level[j]) - log(K);
    for (int t = 1; t < T; t++) {
        double most[K], sum[K] = {0};
        for (int j = 0; j < K; j++) most[j] = a[0] + rate[0][j];
        for (int i = 1; i < K; i++)
            for (int j = 0; j < K; j++) {
                const double v = a[i] + rate[i][j];
                most[j] = v > most[j] ? v : most[j];
            }
        for (int i = 0; i < K; i++)
            for (int j = 0; j < K; j++) {
                w[t][i][j] = exp(a[i] + rate[i][j] - most[j]);
                sum[j] += w[t][i][j];
            }
        for (int j = 0; j < K; j++) {
            a[j] = most[j] + log(sum[j]) - 0.5 * (y[t] - level[j]) * (y[t] - level[j]);
            sum[j] = 1 / sum[j];
        }
        for (int i = 0; i < K; i++)
            for (int j = 0; j < K; j++) w[t][i][j] *= sum[j];
    }
    double most = -INFINITY;
    for (int j = 0; j < K; j++) most = fmax(most, a[j]);
    for (int j = 0; j < K; j++) total += b[j] = exp(a[j] - most);
    for (int j = 0; j < K; j++) b[j] /= total;
    for (int t = T - 1; t > 0; t--) {
        double before[K];
        for (int j = 0; j < K; j++) g[j] += b[j] * (y[t] - level[j]);
        for (int i = 0; i < K; i++) {
            double sum = 0;
            for (int j = 0; j < K; j++) {
                const double v = w[t][i][j] * b[j];
                g_rate[i][j] += v;
                sum += v;
            }
            before[i] = sum;
        }
        for (int j = 0; j < K; j++) b[j] = before[j];
    }
    for (int i = 0; i < K * (K + 1); i++) square += x[i] * x[i];
    *lp = most + log(total) - 0.5 * square - (T + K * (K + 1)) * HALF_LOG_2PI;
    for (int j = 0; j < K; j++) grad[j] = g[j] + b[j] * (y[0] - level[j]) - level[j];
    for (int i = 0; i < K; i++) {
        double sum = 0;
        for (int j = 0; j < K; j++) sum += g_rate[i][j];
        for (int j = 0; j < K; j++)
            grad[K + i * K + j] = g_rate[i][j] - share[i][j] * sum - logits[i * K + j];
    }
    return size != K * (K + 1);
}
