// Random numbers by address: (seed, chain, draw, purpose, index) -> bits.
//
// Nothing here keeps a generator's state between draws, so results cannot depend on the number of threads, on
// the order of the chains, or on how many numbers another part of the sampler happened to use.
// Uniforms and normals use only IEEE operations that are exactly rounded: the bits are the same on any machine.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "finetti/philox.hpp"

namespace finetti {

/// What a stream of random numbers is for; the values are part of the meaning of a seed, so never renumber.
enum class Purpose : std::uint32_t {
    momentum = 1,   // velocities at the start of a trajectory
    direction = 2,  // which way each doubling goes
    progress = 3,   // multinomial choices within the tree
    step_jitter = 4,
    step_search = 5,  // velocities of the step-size search
    start_jitter = 6,
    // Steps of a compound: what is proposed, whether it is accepted, in which order elements move
    proposal = 7,
    acceptance = 8,
    order = 9,
};

/// The streams of one step of a compound: a chain's number with the step's above it.
constexpr std::uint64_t step_stream(std::uint64_t chain, std::uint64_t step) noexcept { return step << 32 | chain; }

/// The part of the address that is fixed for a chain's draw. A step's number goes above the purpose; the first is 0.
struct StreamAddress {
    std::uint64_t seed;
    std::uint32_t chain;
    std::uint32_t draw;
    std::uint32_t purpose;

    StreamAddress(std::uint64_t seed_, std::uint64_t chain_, std::uint64_t draw_, Purpose purpose_) noexcept
        : StreamAddress(seed_, chain_, draw_, static_cast<std::uint32_t>(purpose_)) {}
    StreamAddress(std::uint64_t seed_, std::uint64_t chain_, std::uint64_t draw_, std::uint32_t purpose_) noexcept
        : seed(seed_),
          chain(static_cast<std::uint32_t>(chain_)),
          draw(static_cast<std::uint32_t>(draw_)),
          purpose(purpose_ | static_cast<std::uint32_t>(chain_ >> 32) << 8) {}

    [[nodiscard]] PhiloxKey key() const noexcept {
        return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    }
    [[nodiscard]] PhiloxCounter counter(std::uint32_t index) const noexcept { return {index, draw, chain, purpose}; }
};

namespace detail {

/// 53 random bits in [0, 1).
constexpr double uniform_from_bits(std::uint64_t bits) noexcept { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// log(x) for normal positive x, from exactly rounded operations only: x = 2^e m, log m = 2 atanh((m-1)/(m+1)).
inline double portable_log(double x) noexcept {
    auto bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t sqrt_half = 0x3FE6A09E667F3BCDU;
    // The exponent with 2048 added: no signed shift and no conversion, so loops over it vectorise everywhere.
    const std::uint64_t raised = (bits - sqrt_half + (std::uint64_t{2048} << 52)) >> 52;
    const double e = std::bit_cast<double>(raised | 0x4330000000000000U) - (0x1p52 + 2048.0);
    const double m = std::bit_cast<double>(bits - ((raised - 2048) << 52));
    const double f = (m - 1.0) / (m + 1.0);
    const double s = f * f;
    double series = 1.0 / 23;
    for (int k = 21; k >= 3; k -= 2) series = series * s + 1.0 / k;
    return e * 0.693147180559945309417 + 2.0 * (f + f * s * series);
}

/// log(1 - u) of uniforms, in place.
FINETTI_MULTIVERSION inline void logs_of_uniforms(double* u, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) u[i] = portable_log(1.0 - u[i]);
}

inline constexpr auto inverse_factorials = [] {
    std::array<double, 14> values{1.0};
    double factorial = 1.0;
    for (std::size_t k = 1; k < values.size(); ++k) values[k] = 1.0 / (factorial *= static_cast<double>(k));
    return values;
}();

/// exp(x) for x <= 0, from exactly rounded operations only: x = n log 2 + r, exp r by its series. 0 below -708.
inline double portable_exp(double x) noexcept {
    const double shifter = 0x1.8p52;  // leaves the nearest whole number in the lowest bits
    const double shifted = x * 1.44269504088896340736 + shifter;
    const double n = shifted - shifter;
    const double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    double series = inverse_factorials[13];
    for (int k = 12; k >= 0; --k) series = series * r + inverse_factorials[k];
    const double power = std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023) << 52);
    return x < -708.0 ? 0.0 : series * power;
}

// Wichura (1988), Algorithm AS 241 (PPND16): the standard normal quantile to about 1e-16.
// Rational functions of r in three ranges, coefficients from the constant term up.
struct Rational {
    double numerator[8];
    double denominator[8];
    constexpr double operator()(double r) const noexcept {
        double p = numerator[7], q = denominator[7];
        for (int k = 6; k >= 0; --k) {
            p = p * r + numerator[k];
            q = q * r + denominator[k];
        }
        return p / q;
    }
};

inline constexpr Rational quantile_centre = {
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
    {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}};
inline constexpr Rational quantile_middle = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
inline constexpr Rational quantile_tail = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};
inline constexpr double quantile_split = 0.425;

/// The quantile of the far tails, beyond 6.7 standard deviations: u or 1 - u below exp(-25).
inline double normal_far(double u) noexcept {
    const bool lower = u < 0.5;
    const double z = quantile_tail(std::sqrt(-portable_log(lower ? u : 1.0 - u)) - 5.0);
    return lower ? -z : z;
}
inline constexpr double far_tail = 1.3887943864964021e-11;  // exp(-25)

inline constexpr std::size_t normal_batch = 2 * philox_batch;

/// Standard normals by inversion at u = (k + 1/2) 2^-52, k = 52 random bits: symmetric, never 0 or 1.
/// The central formula for every lane; the caller mends the 15 % in the tails.
FINETTI_MULTIVERSION inline void normal_centre(const std::uint64_t* bits, double* u, double* z) noexcept {
    for (std::size_t k = 0; k < normal_batch; ++k) {
        // bits >> 12 < 2^52 placed in the mantissa of 2^52: an exact conversion that vectorises everywhere
        const double integer = std::bit_cast<double>((bits[k] >> 12) | 0x4330000000000000U) - 0x1p52;
        u[k] = (integer + 0.5) * 0x1p-52;
        const double q = u[k] - 0.5;
        z[k] = q * quantile_centre(quantile_split * quantile_split - q * q);
    }
}

/// The quantile for 0.425 < |u - 1/2|, as far as the far tails.
FINETTI_MULTIVERSION inline void normal_tails(const double* u, double* z) noexcept {
    for (std::size_t k = 0; k < normal_batch; ++k) {
        const double tail = u[k] < 0.5 ? u[k] : 1.0 - u[k];
        const double size = quantile_middle(std::sqrt(-portable_log(tail)) - 1.6);
        z[k] = u[k] < 0.5 ? -size : size;
    }
}

/// Collects the draws that fall into the tails, so that they too are worked out side by side.
class TailBatch {
public:
    void add(double u, double* target) noexcept {
        u_[count_] = u;
        target_[count_] = target;
        if (++count_ == normal_batch) flush();
    }
    void flush() noexcept {
        double z[normal_batch];
        for (std::size_t k = count_; k < normal_batch; ++k) u_[k] = 0.01;
        normal_tails(u_, z);
        for (std::size_t k = 0; k < count_; ++k) {
            const bool far = u_[k] < far_tail || 1.0 - u_[k] < far_tail;
            *target_[k] = far ? normal_far(u_[k]) : z[k];
        }
        count_ = 0;
    }

private:
    double u_[normal_batch];
    double* target_[normal_batch];
    std::size_t count_ = 0;
};

}  // namespace detail

/// Standard normals 0, 1, ..., n - 1 of an address.
inline void fill_normals(const StreamAddress& address, double* out, std::size_t n) noexcept {
    std::uint64_t bits[detail::normal_batch];
    double u[detail::normal_batch], z[detail::normal_batch];
    detail::TailBatch tails;
    for (std::size_t i = 0; i < n; i += detail::normal_batch) {
        detail::philox_fill(address.counter(static_cast<std::uint32_t>(i / 2)), address.key(), bits);
        detail::normal_centre(bits, u, z);
        const std::size_t count = n - i < detail::normal_batch ? n - i : detail::normal_batch;
        for (std::size_t k = 0; k < count; ++k) {
            out[i + k] = z[k];
            if (std::fabs(u[k] - 0.5) > detail::quantile_split) tails.add(u[k], out + i + k);
        }
    }
    tails.flush();
}

/// Uniforms on [0, 1), one after the other; a block serves two.
class UniformStream {
public:
    explicit UniformStream(const StreamAddress& address) noexcept : address_(address) {}

    double next() noexcept { return detail::uniform_from_bits(next_bits()); }

    std::uint64_t next_bits() noexcept {
        if (spare_) {
            spare_ = false;
            return second_;
        }
        const PhiloxCounter c = philox4x32(address_.counter(index_++), address_.key());
        second_ = c[2] | (std::uint64_t{c[3]} << 32);
        spare_ = true;
        return c[0] | (std::uint64_t{c[1]} << 32);
    }

private:
    StreamAddress address_;
    std::uint32_t index_ = 0;
    bool spare_ = false;
    std::uint64_t second_ = 0;
};

/// The numbers of a UniformStream, worked out in batches: for steps that need many.
class UniformBatches {
public:
    explicit UniformBatches(const StreamAddress& address) noexcept : address_(address) {}

    double next() noexcept {
        if (position_ == size) refill();
        return detail::uniform_from_bits(bits_[position_++]);
    }
    /// A standard exponential.
    double exponential() noexcept { return -detail::portable_log(1.0 - next()); }
    /// Logarithms of the next uniforms.
    void fill_logs(double* out, std::size_t n) noexcept {
        for (std::size_t i = 0; i < n; ++i) out[i] = next();
        detail::logs_of_uniforms(out, n);
    }
    /// A whole number below `limit`.
    std::size_t below(std::size_t limit) noexcept {
        return static_cast<std::size_t>(next() * static_cast<double>(limit));
    }

private:
    static constexpr std::size_t size = 2 * detail::philox_batch;
    void refill() noexcept {
        detail::philox_fill(address_.counter(index_), address_.key(), bits_);
        index_ += detail::philox_batch;
        position_ = 0;
    }

    StreamAddress address_;
    std::uint32_t index_ = 0;
    std::size_t position_ = size;
    std::uint64_t bits_[size];
};

}  // namespace finetti
