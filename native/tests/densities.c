/* Log densities with known answers, in the C interface of every compiled function:
 *     int f(size_t n, const double* x, double* gradient, double* lp, void* data)
 * Compiled at test time and handed to the sampler by address. */
#include <math.h>
#include <stddef.h>

typedef const double* params;

/* Independent normals; data: n means, then n standard deviations. */
int normal(size_t n, const double* x, double* gradient, double* lp, void* data) {
    params mean = data, sd = mean + n;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
        const double z = (x[i] - mean[i]) / sd[i];
        gradient[i] = -z / sd[i];
        sum += z * z;
    }
    *lp = -0.5 * sum;
    return 0;
}

/* The standard normal, as cheap as a density can be; no data. */
int standard_normal(size_t n, const double* x, double* gradient, double* lp, void* data) {
    (void)data;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
        gradient[i] = -x[i];
        sum += x[i] * x[i];
    }
    *lp = -0.5 * sum;
    return 0;
}

/* A bivariate normal with unit variances; data: the correlation. */
int correlated(size_t n, const double* x, double* gradient, double* lp, void* data) {
    const double rho = *(params)data, q = 1 - rho * rho;
    (void)n;
    gradient[0] = -(x[0] - rho * x[1]) / q;
    gradient[1] = -(x[1] - rho * x[0]) / q;
    *lp = 0.5 * (x[0] * gradient[0] + x[1] * gradient[1]);
    return 0;
}

/* A normal around 0; data: the precision matrix. */
int precision(size_t n, const double* x, double* gradient, double* lp, void* data) {
    const double* matrix = data;
    *lp = 0.0;
    for (size_t i = 0; i < n; ++i) {
        double sum = 0.0;
        for (size_t j = 0; j < n; ++j) sum += matrix[i * n + j] * x[j];
        gradient[i] = -sum;
        *lp -= 0.5 * sum * x[i];
    }
    return 0;
}

/* Independent Student t; data: degrees of freedom. */
int student_t(size_t n, const double* x, double* gradient, double* lp, void* data) {
    const double nu = *(params)data;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
        gradient[i] = -(nu + 1) * x[i] / (nu + x[i] * x[i]);
        sum -= 0.5 * (nu + 1) * log1p(x[i] * x[i] / nu);
    }
    *lp = sum;
    return 0;
}

/* Beta-binomial posterior on the logit scale; data: a, b of the Beta posterior. */
int logit_beta(size_t n, const double* x, double* gradient, double* lp, void* data) {
    params ab = data;
    const double p = 1 / (1 + exp(-x[0]));
    (void)n;
    *lp = ab[0] * x[0] - (ab[0] + ab[1]) * (x[0] > 0 ? x[0] + log1p(exp(-x[0])) : log1p(exp(x[0])));
    gradient[0] = ab[0] - (ab[0] + ab[1]) * p;
    return 0;
}

/* Neal's funnel: v ~ N(0, 3), x_i ~ N(0, exp(v / 2)); it must diverge at large steps. */
int funnel(size_t n, const double* x, double* gradient, double* lp, void* data) {
    (void)data;
    const double v = x[0], precision = exp(-v);
    double squares = 0;
    for (size_t i = 1; i < n; ++i) {
        gradient[i] = -x[i] * precision;
        squares += x[i] * x[i];
    }
    const double m = (double)(n - 1);
    *lp = -v * v / 18 - 0.5 * m * v - 0.5 * squares * precision;
    gradient[0] = -v / 9 - 0.5 * m + 0.5 * squares * precision;
    return 0;
}

/* A standard normal cut off: what happens at x[0] > data[0] is data[1]:
 * 0: lp = -inf, 1: lp = nan, 2: gradient nan, 3: error code 7, 4: lp = +inf. */
int faulty(size_t n, const double* x, double* gradient, double* lp, void* data) {
    params p = data;
    standard_normal(n, x, gradient, lp, NULL);
    if (!(x[0] > p[0])) return 0;
    switch ((int)p[1]) {
        case 0: *lp = -INFINITY; break;
        case 1: *lp = NAN; break;
        case 2: gradient[0] = NAN; break;
        case 3: return 7;
        case 4: *lp = INFINITY; break;
    }
    return 0;
}

/* A flat density on the real line: constant, gradient zero. */
int flat(size_t n, const double* x, double* gradient, double* lp, void* data) {
    (void)x, (void)data;
    for (size_t i = 0; i < n; ++i) gradient[i] = 0;
    *lp = 0;
    return 0;
}

/* A standard normal that takes its time; data: loop turns per call. */
int slow(size_t n, const double* x, double* gradient, double* lp, void* data) {
    volatile double sink = 0;
    for (long i = 0; i < (long)*(params)data; ++i) sink += 1;
    return standard_normal(n, x, gradient, lp, NULL);
}

/* A map, not a density: out = (sum of x, product of x). */
int sum_and_product(size_t n, const double* x, double* out, double* lp, void* data) {
    (void)lp, (void)data;
    out[0] = 0;
    out[1] = 1;
    for (size_t i = 0; i < n; ++i) {
        out[0] += x[i];
        out[1] *= x[i];
    }
    return 0;
}
