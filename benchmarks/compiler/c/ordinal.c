#include "density.h"

/* Five ordered categories: slope[3], first cut, log steps[3] to the other cuts. Rows sorted by category.
 * data[0] = X by columns, data[1] = {rows}, data[2] = where the rows of each category begin, and the end.
 * log(sigmoid(high) - sigmoid(low)) = log(1 - exp(low - high)) - log(1 + exp(-high)) - log(1 + exp(low)). */
enum { D = 3, CUTS = 4 };

int ordinal(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const size_t n = (size_t)d[1][0];
    const double *restrict X = d[0], *restrict X1 = X + n, *restrict X2 = X + 2 * n;
    double cut[CUTS], step[CUTS], gc[CUTS] = {0}, fit = 0, prior = x[3] * x[3] / 9;
    double g0 = 0, g1 = 0, g2 = 0;
    cut[0] = x[3];
    for (int j = 1; j < CUTS; j++) {
        step[j] = exp(x[3 + j]);
        cut[j] = cut[j - 1] + step[j];
        prior += x[3 + j] * x[3 + j];
    }
    for (int c = 0; c <= CUTS; c++) {
        const size_t start = (size_t)d[2][c], end = (size_t)d[2][c + 1];
        const double low = c > 0 ? cut[c - 1] : -INFINITY, high = c < CUTS ? cut[c] : INFINITY;
        double below = 0, above = 0;
        if (c > 0 && c < CUTS) {
            const double apart = exp(low - high), weight = (double)(end - start) * apart / (1 - apart);
            fit += (double)(end - start) * log1p(-apart);
            gc[c] += weight, gc[c - 1] -= weight;
        }
        if (c == 0 || c == CUTS) {
            const double sign = c ? 1 : -1, edge = c ? low : high;
            for (size_t i = start; i < end; i++) {
                double eta = x[0] * X[i] + x[1] * X1[i] + x[2] * X2[i], u = sign * (edge - eta);
                double t = exp(-fabs(u)), r = (u >= 0 ? 1 : t) / (1 + t);
                fit -= fmax(u, 0) + log(1 + t);
                below += r;
                g0 += sign * r * X[i], g1 += sign * r * X1[i], g2 += sign * r * X2[i];
            }
            if (c) gc[CUTS - 1] -= below;
            else gc[0] += below;
            continue;
        }
        for (size_t i = start; i < end; i++) {
            double eta = x[0] * X[i] + x[1] * X1[i] + x[2] * X2[i], u = low - eta, v = eta - high;
            double t = exp(-fabs(u)), s = exp(-fabs(v));
            double r = (u >= 0 ? 1 : t) / (1 + t), q = (v >= 0 ? 1 : s) / (1 + s), pull = r - q;
            fit -= fmax(u, 0) + fmax(v, 0) + log((1 + t) * (1 + s));
            below += r, above += q;
            g0 += pull * X[i], g1 += pull * X1[i], g2 += pull * X2[i];
        }
        gc[c - 1] -= below, gc[c] += above;
    }
    grad[0] = g0 - x[0], grad[1] = g1 - x[1], grad[2] = g2 - x[2];
    double rest = 0;
    for (int j = CUTS - 1; j > 0; j--) {
        rest += gc[j];
        grad[3 + j] = rest * step[j] - x[3 + j];
    }
    grad[3] = rest + gc[0] - x[3] / 9;
    prior += x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
    *lp = fit - 0.5 * prior - (D + CUTS) * HALF_LOG_2PI - LOG_3;
    return size != D + CUTS;
}
