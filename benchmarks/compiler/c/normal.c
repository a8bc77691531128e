#include "density.h"

/* A normal distribution with the inverse of its Cholesky factor by columns in data[0], and {log density at 0} in
 * data[1]: z = W x, and the gradient is -W^T z. */
#ifndef D
#define D 10
#endif

int normal(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict w = d[0];
    double z[D] = {0}, squares = 0;
    for (int j = 0; j < D; j++)
        for (int i = 0; i < D; i++) z[i] += w[j * D + i] * x[j];
    for (int j = 0; j < D; j++) {
        double sum = 0;
        for (int i = 0; i < D; i++) sum += w[j * D + i] * z[i];
        squares += z[j] * z[j];
        grad[j] = -sum;
    }
    *lp = d[1][0] - 0.5 * squares;
    return size != D;
}
