// The gamma function's logarithm and its derivatives.
#pragma once

#include <cmath>
#include <cstddef>

#include "finetti/special/common.hpp"

namespace finetti::special {

// log |Gamma(x)|; +inf at the poles.
inline double gammaln(double x) noexcept {
    if (x == -infinity) return -infinity;
#if defined(_WIN32)
    return std::lgamma(x);
#else
    // the C library's plain lgamma writes a global variable
    int sign = 0;
    return ::lgamma_r(x, &sign);
#endif
}

// The error of Stirling's formula: log Gamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2), for x > 0.
inline double stirling_error(double x) noexcept {
    if (x < 8) return gammaln(x) - ((x - 0.5) * std::log(x) - x + half_log_two_pi);
    constexpr double series[] = {-0.0016526004455595122, 0.0008372834512071336, -0.0005952025951802712,
                                 0.0007936506649488252,  -0.002777777777606244, 0.0833333333333333};
    const double r = 1 / x;
    return r * horner(series, r * r);
}

// log Gamma(1 + x) for |x| <= 1/2, accurate near zero.
inline double gammaln1p(double x) noexcept {
    // (-1)^k (zeta(k) - 1) / k, k = 29 ... 2
    static constexpr double zeta_minus_one[] = {
        1.8626597235130490064e-9, 3.7253340247884570548e-9, 7.450711789835429492e-9,  1.4901554828365041235e-8,
        2.9803503514652280186e-8, 5.9608189051259479612e-8, 1.1921992596531107307e-7, 2.3845050272773299e-7,
        4.7693298678780646312e-7, 9.5396203387279611315e-7, 1.9082127165539389257e-6, 3.8172932649998398565e-6,
        7.6371976378997622736e-6, 0.000015282259408651871733, 0.000030588236307020493552, 0.000061248135058704829259,
        0.00012271334757848914675, 0.00024608655330804829864, 0.0004941886041194645587, 0.00099457512781808533715,
        0.0020083928260822144179, 0.0040773561979443393787, 0.0083492773819228268398, 0.017343061984449139715,
        0.036927755143369926331, 0.082323233711138191516, 0.2020569031595942854, 0.64493406684822643647};
    double sum = 0;
    int k = 29;
    for (const double value : zeta_minus_one) {
        sum = sum * -x + value / k;
        --k;
    }
    constexpr double one_minus_euler = 0.42278433509846713939;
    return x * (one_minus_euler + x * sum) - std::log1p(x);
}

// pi cot(pi x), with x brought near zero first.
inline double pi_cot_pi(double x) noexcept { return pi / std::tan(pi * (x - std::nearbyint(x))); }

// The derivative of log Gamma; as scipy, -inf at +0, +inf at -0, NaN at the negative integers.
inline double digamma(double x) noexcept {
    if (x == 0) return std::copysign(infinity, -x);
    if (x < 0) {
        if (x == std::floor(x)) return not_a_number;
        return digamma(1 - x) - pi_cot_pi(x);
    }
    double shift = 0;
    if (x < 8) {
        // 1/x + ... + 1/(x+7), the terms paired: t = x (x + 7), (x+1)(x+6) = t + 6, ...
        const double t = x * (x + 7);
        const double numerator = ((4 * t + 84) * t + 504) * t + 720;
        shift = (2 * x + 7) * numerator / (t * (t + 6) * (t + 10) * (t + 12));
        x += 8;
    }
    constexpr double series[] = {-0.017711160415846534, 0.007519088230747095,  -0.004166217650696842,
                                 0.003968252342841619,  -0.008333333331168558, 0.08333333333333287};
    const double r = 1 / x, r2 = r * r;
    return std::log(x) - 0.5 * r - r2 * horner(series, r2) - shift;
}

// The second derivative of log Gamma.
inline double trigamma(double x) noexcept {
    if (x <= 0) {
        if (x == std::floor(x)) return infinity;
        const double sine = std::sin(pi * (x - std::nearbyint(x)));
        return pi * pi / (sine * sine) - trigamma(1 - x);
    }
    double sum = 0;
    for (; x < 10; x += 1) sum += 1 / (x * x);
    // Bernoulli numbers B_2 ... B_16, from the highest down
    constexpr double bernoulli[] = {-7.0921568627450980392, 1.1666666666666666667,  -0.25311355311355311355,
                                    0.075757575757575757576, -0.033333333333333333333, 0.023809523809523809524,
                                    -0.033333333333333333333, 0.16666666666666666667};
    const double r = 1 / x, r2 = r * r;
    return sum + r + 0.5 * r2 + r * r2 * horner(bernoulli, r2);
}

// The Hurwitz zeta function, sum over k >= 0 of (q + k)^-s, for s > 1, by Euler-Maclaurin summation.
inline double hurwitz_zeta(double s, double q) noexcept {
    if (!(s > 1) || std::isnan(q)) return s == 1 ? infinity : not_a_number;
    if (q <= 0) {
        if (q == std::floor(q)) return infinity;
        // negative bases have real powers for whole exponents only
        if (s != std::floor(s) || q < -1e6) return not_a_number;
    }
    double sum = 0;
    // the expansion below needs q large against s
    while (q < 12 + s) {
        const double term = std::pow(q, -s);
        sum += term;
        if (q > 0 && term < sum * 1e-18) return sum;
        q += 1;
    }
    // B_2j / (2j)!
    constexpr double ratios[] = {8.3333333333333333333e-2, -1.3888888888888888889e-3, 3.3068783068783068783e-5,
                                 -8.2671957671957671958e-7, 2.0876756987868098979e-8, -5.2841901386874931848e-10,
                                 1.3382536530684678833e-11, -3.3896802963225828668e-13, 8.5860620562778445641e-15,
                                 -2.1748686985580618730e-16, 5.5090028283602295153e-18, -1.3954464685812523341e-19};
    const double power = std::pow(q, -s);
    sum += power * q / (s - 1) + 0.5 * power;
    double factor = s * power / q;
    double order = s;
    for (const double ratio : ratios) {
        const double term = ratio * factor;
        sum += term;
        if (std::abs(term) < std::abs(sum) * 1e-17) break;
        factor *= (order + 1) * (order + 2) / (q * q);
        order += 2;
    }
    return sum;
}

// The n-th derivative of digamma, n a whole number >= 0.
inline double polygamma(double n, double x) noexcept {
    if (!(n >= 0) || n != std::floor(n)) return not_a_number;
    if (n == 0) return digamma(x);
    if (n == 1) return trigamma(x);
    const double magnitude = std::exp(gammaln(n + 1)) * hurwitz_zeta(n + 1, x);
    return std::fmod(n, 2) == 0 ? -magnitude : magnitude;
}

}  // namespace finetti::special
