// Quantiles of the gamma and beta distributions.
//
// Newton's method on the logarithm of the smaller tail as a function of log x (gamma) or log x / (1 - x) (beta). There
// both tails are log-concave, so that from the second step on the iterates approach the root from one side.
#pragma once

#include <algorithm>
#include <cmath>

#include "finetti/special/common.hpp"
#include "finetti/special/gamma.hpp"
#include "finetti/special/incomplete.hpp"
#include "finetti/special/normal.hpp"

namespace finetti::special {

namespace detail {

// The u with tail(u) = p, where tail(u) gives the tail's probability and its derivative by u.
template <class Tail>
double tail_quantile(double u, double p, Tail tail) noexcept {
    const double goal = std::log(p);
    for (int i = 0; i < 200; ++i) {
        const auto [value, slope] = tail(u);
        double step = (std::log(value) - goal) * value / slope;
        // where the tail has vanished: back towards the middle
        if (!std::isfinite(step)) step = slope < 0 ? 1.0 : -1.0;
        step = std::clamp(step, -8.0, 8.0);
        u -= step;
        if (std::abs(step) <= 1e-15 * std::max(1.0, std::abs(u))) break;
    }
    return u;
}

struct Tail {
    double value, slope;
};

}  // namespace detail

// The x with P(a, x) = p.
inline double gammaincinv(double a, double p) noexcept {
    if (!(a > 0 && p >= 0 && p <= 1)) return not_a_number;
    if (p == 0) return 0;
    if (p == 1) return infinity;
    // Wilson and Hilferty's cube for the start, the first term of the series for small answers
    const double cube = 1 - 1 / (9 * a) + ndtri(p) / (3 * std::sqrt(a));
    const double small = (std::log(p) + gammaln(a + 1)) / a;
    const double start = cube > 0.3 && a > 0.3 ? std::log(a) + 3 * std::log(cube) : std::min(small, std::log(a + 1));
    const bool lower = p <= 0.5;
    return std::exp(detail::tail_quantile(start, lower ? p : 1 - p, [=](double u) {
        const double x = std::exp(u), density = detail::gamma_density(a, x);
        return detail::Tail{lower ? gammainc(a, x) : gammaincc(a, x), lower ? density : -density};
    }));
}

// The x with I_x(a, b) = p.
inline double betaincinv(double a, double b, double p) noexcept {
    if (!(a > 0 && b > 0 && p >= 0 && p <= 1)) return not_a_number;
    if (p == 0 || p == 1) return p;
    const bool lower = p <= 0.5;
    const double u = detail::tail_quantile(std::log(a / b), lower ? p : 1 - p, [=](double at) {
        const double x = 1 / (1 + std::exp(-at)), y = 1 / (1 + std::exp(at));
        const double density = detail::beta_density(a, b, x, y);
        return detail::Tail{lower ? betainc(a, b, x) : betainc(b, a, y), lower ? density : -density};
    });
    return 1 / (1 + std::exp(-u));
}

}  // namespace finetti::special
