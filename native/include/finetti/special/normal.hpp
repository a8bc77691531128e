// The error function's relatives and the normal distribution.
#pragma once

#include <cmath>

#include "finetti/special/common.hpp"

namespace finetti::special {

// exp(x^2) erfc(x).
inline double erfcx(double x) noexcept {
    // (1 + 2 x) erfcx(x) as a polynomial in (x - 4) / (x + 4), x >= 0
    static constexpr double series[] = {
        9.655408225482863e-10,  1.5712153638319064e-09, -1.2544825403855518e-08, -1.6357383982124768e-08,
        1.0683442926744586e-07, 7.111912428010423e-08,  -8.218020654813044e-07,  2.980596055322769e-07,
        5.707239573693257e-06,  -1.1225140354449658e-05, -2.439811794207995e-05, 0.0001506231178516207,
        -0.00019925700412184815, -0.0007577737141838885, 0.005031970032548695,   -0.01619773397992426,
        0.0371675155318432,     -0.06633036582050367,    0.09373283499865172,    -0.10103906603585294,
        0.0680970542546862,     0.015379652102610162,    -0.1396211168405625,    1.2329951186255526};
    if (x < 0) {
        const double rest = x > -26.7 ? erfcx(-x) : 0.0;
        return 2 * exp_square(x) - rest;
    }
    if (x > 1e8) return 0.56418958354775628695 / x;
    return horner(series, (x - 4) / (x + 4)) / (1 + 2 * x);
}

namespace detail {

// Wichura (1988), algorithm AS 241: the quantile of p = 1/2 + q where |q| <= 0.425.
inline double central_normal_quantile(double q) noexcept {
    constexpr double top[] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
                              4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
                              1.3314166789178437745e2, 3.3871328727963666080e0};
    constexpr double bottom[] = {5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
                                 2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
                                 4.2313330701600911252e1, 1.0};
    const double r = 0.180625 - q * q;
    return q * horner(top, r) / horner(bottom, r);
}

// The same algorithm in the tail: how far out the upper tail has probability p < 0.075.
inline double tail_normal_quantile(double p) noexcept {
    constexpr double near_top[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                                   1.27045825245236838258e0,  3.64784832476320460504e0,  5.76949722146069140550e0,
                                   4.63033784615654529590e0,  1.42343711074968357734e0};
    constexpr double near_bottom[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                                      1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
                                      2.05319162663775882187e0,  1.0};
    constexpr double far_top[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                  2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
                                  5.46378491116411436990e0,  6.65790464350110377720e0};
    constexpr double far_bottom[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
                                     7.86869131145613259100e-4,  1.48753612908506148525e-2, 1.36929880922735805310e-1,
                                     5.99832206555887937690e-1,  1.0};
    const double r = std::sqrt(-std::log(p));
    if (r <= 5) return horner(near_top, r - 1.6) / horner(near_bottom, r - 1.6);
    return horner(far_top, r - 5) / horner(far_bottom, r - 5);
}

}  // namespace detail

// The inverse of the error function.
inline double erfinv(double x) noexcept {
    constexpr double sqrt_half = 0.70710678118654752440;
    const double size = std::abs(x);
    if (!(size < 1)) return size == 1 ? std::copysign(infinity, x) : not_a_number;
    if (size <= 0.85) return detail::central_normal_quantile(0.5 * x) * sqrt_half;
    return std::copysign(detail::tail_normal_quantile(0.5 * (1 - size)) * sqrt_half, x);
}

// The standard normal distribution function.
inline double ndtr(double x) noexcept { return 0.5 * std::erfc(-x * 0.70710678118654752440); }

// Its inverse.
inline double ndtri(double p) noexcept {
    if (!(p > 0 && p < 1)) return p == 0 ? -infinity : p == 1 ? infinity : not_a_number;
    if (std::abs(p - 0.5) <= 0.425) return detail::central_normal_quantile(p - 0.5);
    return p < 0.5 ? -detail::tail_normal_quantile(p) : detail::tail_normal_quantile(1 - p);
}

// Its logarithm, accurate in both tails.
inline double log_ndtr(double x) noexcept {
    constexpr double sqrt_half = 0.70710678118654752440;
    if (x > 1) return std::log1p(-0.5 * std::erfc(x * sqrt_half));
    if (x > -1) return std::log(0.5 * std::erfc(-x * sqrt_half));
    return std::log(0.5 * erfcx(-x * sqrt_half)) - 0.5 * x * x;
}

}  // namespace finetti::special
