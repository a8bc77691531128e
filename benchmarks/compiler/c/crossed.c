#include "density.h"

/* Intercepts of 85 counties and 24 months: mu, slope, log sigmas[3], a[85], m[24].
 * data[0] = county, data[1] = month, data[2] = floor, data[3] = y, data[4] = {rows} */
enum { J = 85, M = 24 };

int crossed(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const int *restrict county = (const int *)d[0], *restrict month = (const int *)d[1];
    const double *restrict floor = d[2], *restrict y = d[3];
    const size_t n = (size_t)d[4][0];
    const double *restrict a = x + 5, *restrict m = x + 5 + J;
    double *restrict ga = grad + 5, *restrict gm = grad + 5 + J;
    const double wa = exp(-2 * x[2]), wm = exp(-2 * x[3]), w = exp(-2 * x[4]);
    double squares = 0, sa = 0, sm = 0, ra = 0, slope = 0;
    for (int j = 0; j < J; j++) {
        double u = a[j] - x[0];
        sa += u * u, ra += u, ga[j] = -wa * u;
    }
    for (int j = 0; j < M; j++) sm += m[j] * m[j], gm[j] = -wm * m[j];
    for (size_t i = 0; i < n; i++) {
        double r = y[i] - a[county[i]] - m[month[i]] - x[1] * floor[i];
        squares += r * r;
        slope += r * floor[i];
        ga[county[i]] += w * r, gm[month[i]] += w * r;
    }
    *lp = -0.5 * (w * squares + wa * sa + wm * sm) - (double)n * x[4] - J * x[2] - M * x[3]
        - (double)(n + J + M + 5) * HALF_LOG_2PI - (x[0] * x[0] + x[1] * x[1]) / 50 - 2 * log(5)
        - 0.5 * (x[2] * x[2] + x[3] * x[3] + x[4] * x[4]);
    grad[0] = wa * ra - x[0] / 25;
    grad[1] = w * slope - x[1] / 25;
    grad[2] = wa * sa - J - x[2];
    grad[3] = wm * sm - M - x[3];
    grad[4] = w * squares - (double)n - x[4];
    return size != 5 + J + M;
}
