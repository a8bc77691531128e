// Modified Bessel functions of the first kind, scaled by exp(-|x|).
#pragma once

#include <cmath>

#include "finetti/special/common.hpp"
#include "finetti/special/incomplete.hpp"

namespace finetti::special {

namespace detail {

// exp(-x) I_order(x) for x >= 0: the power series, whose terms are all positive, or the asymptotic one.
template <int order>
inline double scaled_bessel_i(double x) noexcept {
    if (std::isinf(x)) return 0.0;
    if (x < 20) {
        const double quarter = 0.25 * x * x;
        double term = 1, sum = 1;
        for (int k = 1; term > sum * 1e-17; ++k) {
            term *= quarter / (k * (k + order));
            sum += term;
        }
        return std::exp(-x) * sum * (order == 1 ? 0.5 * x : 1.0);
    }
    double term = 1, sum = 1;
    for (int k = 1; k < 40 && std::abs(term) > 1e-17; ++k) {
        const double odd = 2 * k - 1;
        term *= (odd * odd - 4.0 * order * order) / (8 * k * x);
        sum += term;
    }
    // the square root in two, as 2 pi x may overflow
    return sum / std::sqrt(2 * pi) / std::sqrt(x);
}

}  // namespace detail

// exp(-|x|) I_0(x).
inline double i0e(double x) noexcept {
    return std::isnan(x) ? x : detail::scaled_bessel_i<0>(std::abs(x));
}

// exp(-|x|) I_1(x).
inline double i1e(double x) noexcept {
    return std::isnan(x) ? x : std::copysign(detail::scaled_bessel_i<1>(std::abs(x)), x);
}

namespace detail {

// The sum over k of the Poisson probabilities of k and of k + order at mean x / 2, from its largest term outwards.
inline double bessel_by_poisson(double order, double x) noexcept {
    const double mean = 0.5 * x;
    const double top = std::floor(0.5 * (std::sqrt(order * order + x * x) - order));
    const auto poisson = [=](double k) { return gamma_density(k + 1, mean) / mean; };
    const double largest = poisson(top) * poisson(top + order);
    double sum = largest;
    double term = largest;
    for (double k = top + 1; term > 1e-17 * sum; ++k) sum += term *= mean / k * (mean / (k + order));
    term = largest;
    for (double k = top; k >= 1 && term > 1e-17 * sum; --k) sum += term *= k / mean * ((k + order) / mean);
    return sum;
}

// The asymptotic series of DLMF 10.40.1, for x far above the square of the order.
inline double bessel_far(double order, double x) noexcept {
    double term = 1, sum = 1;
    for (int k = 1; k < 60; ++k) {
        const double odd = 2 * k - 1;
        term *= -(4 * order * order - odd * odd) / (8 * k * x);
        sum += term;
        if (std::abs(term) <= 1e-17 * std::abs(sum)) break;
    }
    return sum / std::sqrt(2 * pi) / std::sqrt(x);
}

}  // namespace detail

// exp(-|x|) I_order(x), for orders above -1 and whole ones; NaN for x < 0 unless the order is whole.
inline double ive(double order, double x) noexcept {
    if (std::isnan(order) || std::isnan(x)) return not_a_number;
    const bool whole = order == std::floor(order);
    if (whole) order = std::abs(order);
    if (order <= -1 || (x < 0 && !whole)) return not_a_number;
    const double sign = x < 0 && std::fmod(order, 2) == 1 ? -1 : 1;
    x = std::abs(x);
    if (x == 0) return order == 0 ? 1 : order > 0 ? 0.0 : infinity;
    if (std::isinf(x) || std::isinf(order)) return 0;
    if (x > 40 && x > 2 * order * order) return sign * detail::bessel_far(order, x);
    return sign * detail::bessel_by_poisson(order, x);
}

}  // namespace finetti::special
