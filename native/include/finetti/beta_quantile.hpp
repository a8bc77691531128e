// Quantile of the beta distribution, for the standard errors of quantiles.
#pragma once

#include <cmath>
#include <limits>

#include "finetti/special/incomplete.hpp"

namespace finetti {

// The x with I_x(a, b) = p, by Newton steps kept inside a shrinking bracket. NaN parameters give NaN.
inline double beta_quantile(double p, double a, double b) noexcept {
    if (!(a > 0 && b > 0)) return std::numeric_limits<double>::quiet_NaN();
    double low = 0, high = 1, x = a / (a + b);
    for (int i = 0; i < 200; ++i) {
        const double error = special::betainc(a, b, x) - p;
        (error > 0 ? high : low) = x;
        const double step = error * x * (1 - x) / special::detail::beta_density(a, b, x, 1 - x);
        if (std::abs(step) <= 1e-15 * x || high - low <= 1e-15 * x) break;
        x -= step;
        if (!(x > low && x < high)) x = 0.5 * (low + high);
    }
    return x;
}

}  // namespace finetti
