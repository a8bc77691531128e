// Constants and polynomial evaluation shared by the special functions.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

namespace finetti::special {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double epsilon = std::numeric_limits<double>::epsilon();
inline constexpr double pi = 3.14159265358979323846;
inline constexpr double half_log_two_pi = 0.918938533204672741780;

// A polynomial in x, coefficients from the highest power down.
template <std::size_t N>
inline double horner(const double (&coefficients)[N], double x) noexcept {
    double value = coefficients[0];
    for (std::size_t i = 1; i < N; ++i) value = value * x + coefficients[i];
    return value;
}

// exp(-x^2) with the rounding error of x^2 taken into account.
inline double exp_minus_square(double x) noexcept {
    const double square = x * x;
    if (!(square < 800)) return std::isnan(x) ? x : 0.0;
    return std::exp(-square) * (1 - std::fma(x, x, -square));
}

// The same for exp(x^2).
inline double exp_square(double x) noexcept {
    const double square = x * x;
    if (!(square < 800)) return std::isnan(x) ? x : infinity;
    return std::exp(square) * (1 + std::fma(x, x, -square));
}

}  // namespace finetti::special
