// The regularised incomplete gamma and beta functions.
//
// Both are a density times a series or a continued fraction. The densities are written with deviances (Loader 2000,
// "Fast and accurate computation of binomial probabilities"), so that nothing large cancels for large parameters.
#pragma once

#include <cmath>

#include "finetti/special/common.hpp"
#include "finetti/special/gamma.hpp"

namespace finetti::special {

namespace detail {

// x log(x / m) + m - x, accurate where x is near m; x > 0.
inline double deviance(double x, double m) noexcept {
    const double gap = x - m;
    if (std::abs(gap) >= 0.1 * (x + m)) return x * std::log(x / m) + m - x;
    const double v = gap / (x + m), v2 = v * v;
    double sum = gap * v, power = 2 * x * v;
    for (int k = 3;; k += 2) {
        power *= v2;
        const double next = sum + power / k;
        if (next == sum) return sum;
        sum = next;
    }
}

// x^a exp(-x) / Gamma(a).
inline double gamma_density(double a, double x) noexcept {
    if (a < 1) return std::exp(a * std::log(x) - x - gammaln(a));
    return std::sqrt(a / (2 * pi)) * std::exp(-deviance(a, x) - stirling_error(a));
}

// P(a, x) by its power series, for x not much above a.
inline double gamma_series(double a, double x) noexcept {
    double term = 1, sum = 1, n = a;
    while (term > sum * 1e-17) {
        n += 1;
        term *= x / n;
        sum += term;
    }
    return gamma_density(a, x) * sum / a;
}

// Q(a, x) by its continued fraction (Lentz), for x above a.
inline double gamma_fraction(double a, double x) noexcept {
    constexpr double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
    for (int i = 1; i < 1000000; ++i) {
        const double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = 1 / (std::abs(d) < tiny ? tiny : d);
        c = b + an / c;
        if (std::abs(c) < tiny) c = tiny;
        const double change = c * d;
        h *= change;
        if (std::abs(change - 1) < epsilon) break;
    }
    return gamma_density(a, x) * h;
}

// Q(a, x) for small a and x, where 1 - P would cancel.
inline double gamma_upper_small(double a, double x) noexcept {
    double term = 1, sum = 0;
    for (int n = 1; n < 200; ++n) {
        term *= -x / n;
        const double next = term / (a + n);
        sum += next;
        if (std::abs(next) <= epsilon * std::abs(sum)) break;
    }
    const double log_power = a * std::log(x) - (a <= 0.5 ? gammaln1p(a) : gammaln(1 + a));
    return -std::expm1(log_power) - a * std::exp(log_power) * sum;
}

// Q(a, x) for a > 1e6 by Temme's uniform expansion (DLMF 8.12), two terms, near the transition; elsewhere 0 or 1.
inline double gamma_upper_large(double a, double x) noexcept {
    const double half_square = deviance(a, x) / a;  // eta^2 / 2
    const double eta = std::copysign(std::sqrt(2 * half_square), x - a);
    if (half_square * a > 800) return x > a ? 0.0 : 1.0;
    constexpr double first[] = {3.91926317852243778e-5,  -1.78755144032921811e-4, 3.527336860670194e-4,
                                1.15740740740740741e-3,  -1.48148148148148148e-2, 8.33333333333333333e-2,
                                -3.33333333333333333e-1};
    constexpr double second[] = {-9.90226337448559671e-4, 2.6455026455026455e-3, -3.47222222222222222e-3,
                                 -1.85185185185185185e-3};
    const double correction = horner(first, eta) + horner(second, eta) / a;
    return 0.5 * std::erfc(eta * std::sqrt(0.5 * a)) +
           std::exp(-a * half_square) / std::sqrt(2 * pi * a) * correction;
}

}  // namespace detail

// The upper regularised incomplete gamma function Q(a, x).
inline double gammaincc(double a, double x) noexcept;

// The lower regularised incomplete gamma function P(a, x).
inline double gammainc(double a, double x) noexcept {
    if (!(a >= 0 && x >= 0)) return not_a_number;
    if (a == 0) return x > 0 ? 1.0 : not_a_number;
    if (x == 0) return 0.0;
    if (std::isinf(a)) return std::isinf(x) ? not_a_number : 0.0;
    if (std::isinf(x)) return 1.0;
    if (x > a || a > 1e6) return 1 - gammaincc(a, x);
    return detail::gamma_series(a, x);
}

inline double gammaincc(double a, double x) noexcept {
    if (!(a >= 0 && x >= 0)) return not_a_number;
    if (a == 0) return x > 0 ? 0.0 : not_a_number;
    if (x == 0) return 1.0;
    if (std::isinf(a)) return std::isinf(x) ? not_a_number : 1.0;
    if (std::isinf(x)) return 0.0;
    if (a > 1e6) return detail::gamma_upper_large(a, x);
    if (x <= 1.1 && a < 1.5) return detail::gamma_upper_small(a, x);
    if (x <= a) return 1 - detail::gamma_series(a, x);
    return detail::gamma_fraction(a, x);
}

namespace detail {

// x^a y^b / B(a, b) with y = 1 - x.
inline double beta_density(double a, double b, double x, double y) noexcept {
    const double n = a + b;
    const double exponent = deviance(a, n * x) + deviance(b, n * y);
    const double stirling = stirling_error(n) - stirling_error(a) - stirling_error(b);
    return std::sqrt(a / n * b / (2 * pi)) * std::exp(stirling - exponent);
}

// The continued fraction of DLMF 8.17.22 by the modified Lentz method.
inline double beta_continued_fraction(double a, double b, double x) noexcept {
    constexpr double tiny = 1e-300;
    const auto keep = [](double v) { return std::abs(v) < tiny ? tiny : v; };
    double c = 1, d = 1 / keep(1 - (a + b) * x / (a + 1)), h = d;
    for (int i = 1; i < 1000000; ++i) {
        const double m = i;
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / keep(1 + even * d);
        c = keep(1 + even / c);
        h *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / keep(1 + odd * d);
        c = keep(1 + odd / c);
        const double change = d * c;
        h *= change;
        if (std::abs(change - 1) < epsilon) break;
    }
    return h;
}

}  // namespace detail

// The regularised incomplete beta function I_x(a, b).
inline double betainc(double a, double b, double x) noexcept {
    if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return not_a_number;
    if (x == 0 || x == 1) return x;
    const double y = 1 - x;
    const double density = detail::beta_density(a, b, x, y);
    if (x > (a + 1) / (a + b + 2)) {
        const double upper = density * detail::beta_continued_fraction(b, a, y) / b;
        // where the difference cancels the other fraction does not; near x = 1 it would be too slow
        if (upper < 0.9 || x > 0.95) return 1 - upper;
    }
    return density * detail::beta_continued_fraction(a, b, x) / a;
}

}  // namespace finetti::special
