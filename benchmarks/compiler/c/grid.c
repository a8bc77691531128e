#include "density.h"

/* Two-parameter logistic, everybody answered everything: ability[P], hardness[I], log slope[I].
 * data[0] = right[P][I]. */
enum { P = 150, I = 20 };

int grid(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *restrict right = *(const double *const *)data;
    const double *restrict ability = x, *restrict hardness = x + P, *restrict log_slope = x + P + I;
    double slope[I], gs[I] = {0}, gh[I] = {0}, fit = 0, squares = 0, spread = 0;
    for (int j = 0; j < I; j++) slope[j] = exp(log_slope[j]);
    for (int p = 0; p < P; p++) {
        const double *restrict y = right + p * I;
        double pulls = 0;
        for (int j = 0; j < I; j++) {
            double apart = ability[p] - hardness[j], eta = slope[j] * apart, t = exp(-fabs(eta));
            double residual = y[j] - (eta < 0 ? t : 1) / (1 + t), pull = residual * slope[j];
            fit += y[j] * eta - fmax(eta, 0) - log(1 + t);
            pulls += pull;
            gh[j] -= pull;
            gs[j] += residual * apart;
        }
        squares += ability[p] * ability[p];
        grad[p] = pulls - ability[p];
    }
    for (int j = 0; j < I; j++) {
        squares += hardness[j] * hardness[j], spread += log_slope[j] * log_slope[j];
        grad[P + j] = gh[j] - hardness[j];
        grad[P + I + j] = gs[j] * slope[j] - 4 * log_slope[j];
    }
    *lp = fit - 0.5 * squares - 2 * spread + I * LOG_2 - (P + 2 * I) * HALF_LOG_2PI;
    return size != P + 2 * I;
}
