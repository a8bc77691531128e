#include "density.h"

/* Two rates with flat priors. data[0] = {n, k_a, k_b, log C(n, k_a) + log C(n, k_b)} */
int ab(size_t size, const double *x, double *grad, double *lp, void *data) {
    const double *d = *(const double *const *)data;
    double sum = d[3];
    (void)size;
    for (int i = 0; i < 2; i++) {
        double t = exp(-fabs(x[i]));
        double tail = log(1 + t);
        double log_p = x[i] < 0 ? x[i] - tail : -tail;
        double log_q = x[i] < 0 ? -tail : -x[i] - tail;
        double p = (x[i] < 0 ? t : 1) / (1 + t);
        double k = d[1 + i] + 1, m = d[0] - d[1 + i] + 1; /* +1: the Jacobian p (1 - p) */
        sum += k * log_p + m * log_q;
        grad[i] = k - (k + m) * p;
    }
    *lp = sum;
    return 0;
}
