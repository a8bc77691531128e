#include "density.h"

/* Centred intercepts and slopes of 85 counties: mu_a, log sigma_a, mu_b, log sigma_b, log sigma, a[85], b[85].
 * data[0] = county, data[1] = floor, data[2] = y, data[3] = {rows} */
enum { J = 85 };

int radon(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const int *restrict county = (const int *)d[0];
    const double *restrict floor = d[1], *restrict y = d[2];
    const size_t n = (size_t)d[3][0];
    const double *restrict a = x + 5, *restrict b = x + 5 + J;
    double *restrict ga = grad + 5, *restrict gb = grad + 5 + J;
    const double wa = exp(-2 * x[1]), wb = exp(-2 * x[3]), w = exp(-2 * x[4]);
    double squares = 0, sa = 0, sb = 0, ra = 0, rb = 0;
    for (int j = 0; j < J; j++) {
        double u = a[j] - x[0], v = b[j] - x[2];
        sa += u * u, sb += v * v, ra += u, rb += v;
        ga[j] = -wa * u, gb[j] = -wb * v;
    }
    for (size_t i = 0; i < n; i++) {
        int j = county[i];
        double r = y[i] - a[j] - b[j] * floor[i];
        squares += r * r;
        ga[j] += w * r, gb[j] += w * r * floor[i];
    }
    *lp = -0.5 * (w * squares + wa * sa + wb * sb) - (double)n * x[4] - J * (x[1] + x[3])
        - (double)(n + 2 * J + 5) * HALF_LOG_2PI - (x[0] * x[0] + x[2] * x[2]) / 50 - 2 * log(5)
        - 0.5 * (x[1] * x[1] + x[3] * x[3] + x[4] * x[4]);
    grad[0] = wa * ra - x[0] / 25;
    grad[1] = wa * sa - J - x[1];
    grad[2] = wb * rb - x[2] / 25;
    grad[3] = wb * sb - J - x[3];
    grad[4] = w * squares - (double)n - x[4];
    return size != 5 + 2 * J;
}
