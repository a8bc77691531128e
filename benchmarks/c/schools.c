#include "density.h"

/* Eight schools, non-centred: mu, log tau, z[8].
 * data[0] = effects, data[1] = 1 / error, data[2] = {sum of the constants} */
int schools(size_t size, const double *restrict x, double *restrict grad, double *lp, void *data) {
    const double *const *d = data;
    const double *restrict y = d[0], *restrict w = d[1];
    const double mu = x[0], tau = exp(x[1]);
    double squares = 0, g_mu = 0, g_tau = 0;
    (void)size;
    for (int i = 0; i < 8; i++) {
        double z = x[2 + i];
        double e = (y[i] - mu - tau * z) * w[i];
        double pull = e * w[i];
        squares += e * e + z * z;
        g_mu += pull;
        g_tau += pull * z;
        grad[2 + i] = tau * pull - z;
    }
    double ratio = tau * tau / 25;
    *lp = d[2][0] - 0.5 * squares - mu * mu / 50 - log(1 + ratio) + x[1];
    grad[0] = g_mu - mu / 25;
    grad[1] = g_tau * tau - 2 * ratio / (1 + ratio) + 1;
    return 0;
}
