#include "density.h"

/* Two-parameter logistic: ability[P], hardness[I], log slope[I].
 * data[0] = person, data[1] = item, data[2] = right, data[3] = {rows}. Blocks of rows, so that what has no indices
 * is vectorised. */
enum { P = 2000, I = 60, BLOCK = 64 };

int item_response(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const int *restrict person = (const int *)d[0], *restrict item = (const int *)d[1];
    const double *restrict y = d[2];
    const size_t n = (size_t)d[3][0];
    const double *restrict ability = x, *restrict hardness = x + P, *restrict log_slope = x + P + I;
    double slope[I], gs[I] = {0}, gh[I] = {0}, fit = 0, squares = 0;
    for (int j = 0; j < I; j++) slope[j] = exp(log_slope[j]);
    for (int i = 0; i < P; i++) squares += ability[i] * ability[i], grad[i] = -ability[i];
    for (size_t start = 0; start < n; start += BLOCK) {
        const size_t rows = n - start < BLOCK ? n - start : BLOCK;
        double apart[BLOCK], steep[BLOCK], residual[BLOCK];
        for (size_t i = 0; i < rows; i++) {
            steep[i] = slope[item[start + i]];
            apart[i] = ability[person[start + i]] - hardness[item[start + i]];
        }
        for (size_t i = 0; i < rows; i++) {
            double eta = steep[i] * apart[i], t = exp(-fabs(eta));
            fit += y[start + i] * eta - fmax(eta, 0) - log(1 + t);
            residual[i] = y[start + i] - (eta < 0 ? t : 1) / (1 + t);
        }
        for (size_t i = 0; i < rows; i++) {
            double pull = residual[i] * steep[i];
            grad[person[start + i]] += pull;
            gh[item[start + i]] -= pull;
            gs[item[start + i]] += residual[i] * apart[i];
        }
    }
    double spread = 0;
    for (int j = 0; j < I; j++) {
        squares += hardness[j] * hardness[j], spread += log_slope[j] * log_slope[j];
        grad[P + j] = gh[j] - hardness[j];
        grad[P + I + j] = gs[j] * slope[j] - 4 * log_slope[j];
    }
    *lp = fit - 0.5 * squares - 2 * spread + I * LOG_2 - (P + 2 * I) * HALF_LOG_2PI;
    return size != P + 2 * I;
}
