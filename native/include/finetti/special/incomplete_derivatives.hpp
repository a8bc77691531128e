// Derivatives of the incomplete gamma and beta functions by their parameters, to second order.
//
// The series and continued fractions of incomplete.hpp, differentiated term by term (Moore 1982, algorithm AS 187; Boik
// and Robison-Cox 1998).
#pragma once

#include <cmath>
#include <utility>

#include "finetti/special/common.hpp"
#include "finetti/special/gamma.hpp"
#include "finetti/special/incomplete.hpp"
#include "finetti/special/jet.hpp"

namespace finetti::special {

namespace detail {

// The derivative of P(a, x) by its power series, for x up to a + 1.
inline double gamma_lower_derivative(bool second, double a, double x) noexcept {
    double term = gamma_density(a, x) / a, total = 0;
    double slope = std::log(x) - digamma(a + 1), curve = trigamma(a + 1);
    for (int n = 1; n < 1000000; ++n) {
        total += term * (second ? slope * slope - curve : slope);
        if (!(term * (1 + slope * slope) > 1e-18 * std::abs(total))) break;
        const double r = 1 / (a + n);
        term *= x * r;
        slope -= r;
        curve -= r * r;
    }
    return total;
}

// The derivative of Q(a, x) by its continued fraction, for x above a + 1.
inline double gamma_upper_derivative(bool second, double a, double x) noexcept {
    const Jet h = continued_fraction({x + 1 - a, -1}, [=](int i) {
        return std::pair{Jet{-i * (i - a), double(i)}, Jet{x + 1 - a + 2.0 * i, -1}};
    });
    const double slope = std::log(x) - digamma(a), density = gamma_density(a, x);
    if (!second) return density * (slope * h.v + h.a);
    return density * ((slope * slope - trigamma(a)) * h.v + 2 * slope * h.a + h.aa);
}

// The derivative of I_x(a, b), i times by a and j times by b, where x is below the mean; y = 1 - x.
inline double beta_lower_derivative(int i, int j, double a, double b, double x, double y) noexcept {
    const Jet pa{a, 1}, pb{b, 0, 1}, one{1};
    const Jet h = continued_fraction(one, [=](int step) {
        const double m = step / 2, k = 2 * m;  // DLMF 8.17.22
        if (step % 2 == 1) {
            const Jet below = inverse((pa + Jet{k}) * (pa + Jet{k + 1}));
            return std::pair{Jet{-x} * (pa + Jet{m}) * (pa + pb + Jet{m}) * below, Jet{1}};
        }
        const Jet below = inverse((pa + Jet{k - 1}) * (pa + Jet{k}));
        return std::pair{Jet{m * x} * (pb + Jet{-m}) * below, Jet{1}};
    });
    const double front = beta_density(a, b, x, y) / a, both = digamma(a + b);
    const double p = std::log(x) - digamma(a + 1) + both, q = std::log(y) - digamma(b) + both;
    if (i + j == 1) return front * (i == 1 ? p * h.v + h.a : q * h.v + h.b);
    const double bend = trigamma(a + b);
    if (i == j) return front * ((p * q + bend) * h.v + p * h.b + q * h.a + h.ab);
    if (i == 2) return front * ((p * p + bend - trigamma(a + 1)) * h.v + 2 * p * h.a + h.aa);
    return front * ((q * q + bend - trigamma(b)) * h.v + 2 * q * h.b + h.bb);
}

}  // namespace detail

// The derivative of P(a, x) by a, of order 1 or 2.
inline double gammainc_d(double order, double a, double x) noexcept {
    if (!(a > 0 && x >= 0) || std::isinf(a) || !(order == 1 || order == 2)) return not_a_number;
    if (x == 0 || std::isinf(x)) return 0;
    if (x <= a + 1) return detail::gamma_lower_derivative(order == 2, a, x);
    return -detail::gamma_upper_derivative(order == 2, a, x);
}

// The derivative of I_x(a, b), i times by a and j times by b; i + j is 1 or 2.
inline double betainc_d(double i, double j, double a, double b, double x) noexcept {
    if (!(a > 0 && b > 0 && x >= 0 && x <= 1) || std::isinf(a) || std::isinf(b)) return not_a_number;
    if (!(i + j == 1 || i + j == 2)) return not_a_number;
    if (x == 0 || x == 1) return 0;
    if (x <= (a + 1) / (a + b + 2)) return detail::beta_lower_derivative(int(i), int(j), a, b, x, 1 - x);
    return -detail::beta_lower_derivative(int(j), int(i), b, a, 1 - x, x);
}

}  // namespace finetti::special
