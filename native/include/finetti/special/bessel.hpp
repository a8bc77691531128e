// Modified Bessel functions of the first kind of orders 0 and 1, scaled by exp(-|x|).
#pragma once

#include <cmath>

#include "finetti/special/common.hpp"

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

}  // namespace finetti::special
