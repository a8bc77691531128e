// Autocovariance of many series through one batched power-of-two FFT.
//
// Four complex transforms run side by side, one to a SIMD lane, and two real series share one complex transform, so a
// batch holds eight half-chains. The Stockham order needs no bit reversal; radix 4 with at most one radix-2 stage.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>
#include <vector>

namespace finetti {

namespace detail {

inline constexpr std::size_t lanes = 4;

struct alignas(32) ComplexLanes {
    double re[lanes];
    double im[lanes];
};

struct Twiddle {
    double re;
    double im;
};

// cos and -sin of 2 pi k / n. The argument is folded into the first octant, so that every entry has full accuracy.
inline Twiddle root_of_unity(std::size_t k, std::size_t n) {
    const std::size_t quadrant = (4 * k) / n;
    const std::size_t rest = 4 * k - quadrant * n;  // angle inside the quadrant = (pi / 2) * rest / n
    const double half_pi = std::numbers::pi / 2;
    double c, s;
    if (2 * rest <= n) {
        const double angle = half_pi * static_cast<double>(rest) / static_cast<double>(n);
        c = std::cos(angle);
        s = std::sin(angle);
    } else {
        const double angle = half_pi * static_cast<double>(n - rest) / static_cast<double>(n);
        c = std::sin(angle);
        s = std::cos(angle);
    }
    switch (quadrant % 4) {
        case 0: return {c, -s};
        case 1: return {-s, -c};
        case 2: return {-c, s};
        default: return {s, c};
    }
}

// Forward complex FFT of a fixed power-of-two length on every lane.
class LaneFft {
  public:
    explicit LaneFft(std::size_t length) : length_(length), roots_(length), scratch_(length) {
        for (std::size_t k = 0; k < length; ++k) roots_[k] = root_of_unity(k, length);
    }

    std::size_t length() const noexcept { return length_; }

    // exp(-2 pi i k / length) for 0 <= k < length
    const Twiddle& root(std::size_t k) const noexcept { return roots_[k]; }

    // Transforms `data`; the result lies in the vector that is returned (data itself or the scratch buffer).
    const ComplexLanes* transform(std::vector<ComplexLanes>& data) noexcept {
        ComplexLanes* from = data.data();
        ComplexLanes* to = scratch_.data();
        std::size_t stride = 1;
        for (std::size_t n = length_; n > 1;) {
            if (n == 2) {
                radix2(from, to, stride);
                n = 1;
            } else {
                radix4(from, to, n, stride);
                n /= 4;
                stride *= 4;
            }
            std::swap(from, to);
        }
        return from;
    }

  private:
    static void radix2(const ComplexLanes* x, ComplexLanes* y, std::size_t stride) noexcept {
        for (std::size_t q = 0; q < stride; ++q) {
            const ComplexLanes &a = x[q], &b = x[q + stride];
            ComplexLanes &sum = y[q], &difference = y[q + stride];
            for (std::size_t l = 0; l < lanes; ++l) {
                sum.re[l] = a.re[l] + b.re[l];
                sum.im[l] = a.im[l] + b.im[l];
                difference.re[l] = a.re[l] - b.re[l];
                difference.im[l] = a.im[l] - b.im[l];
            }
        }
    }

    void radix4(const ComplexLanes* x, ComplexLanes* y, std::size_t n, std::size_t stride) const noexcept {
        const std::size_t quarter = n / 4;
        for (std::size_t p = 0; p < quarter; ++p) {
            const Twiddle w1 = roots_[stride * p], w2 = roots_[stride * 2 * p], w3 = roots_[stride * 3 * p];
            for (std::size_t q = 0; q < stride; ++q)
                butterfly(x + q + stride * p, y + q + stride * 4 * p, stride * quarter, stride, w1, w2, w3);
        }
    }

    static void butterfly(const ComplexLanes* x, ComplexLanes* y, std::size_t in, std::size_t out, Twiddle w1,
                          Twiddle w2, Twiddle w3) noexcept {
        const ComplexLanes &a = x[0], &b = x[in], &c = x[2 * in], &d = x[3 * in];
        for (std::size_t l = 0; l < lanes; ++l) {
            const double sum_ac_re = a.re[l] + c.re[l], sum_ac_im = a.im[l] + c.im[l];
            const double dif_ac_re = a.re[l] - c.re[l], dif_ac_im = a.im[l] - c.im[l];
            const double sum_bd_re = b.re[l] + d.re[l], sum_bd_im = b.im[l] + d.im[l];
            const double dif_bd_re = b.re[l] - d.re[l], dif_bd_im = b.im[l] - d.im[l];
            y[0].re[l] = sum_ac_re + sum_bd_re;
            y[0].im[l] = sum_ac_im + sum_bd_im;
            // minus i (b - d) = (im, -re)
            const double r1 = dif_ac_re + dif_bd_im, i1 = dif_ac_im - dif_bd_re;
            const double r2 = sum_ac_re - sum_bd_re, i2 = sum_ac_im - sum_bd_im;
            const double r3 = dif_ac_re - dif_bd_im, i3 = dif_ac_im + dif_bd_re;
            y[out].re[l] = w1.re * r1 - w1.im * i1;
            y[out].im[l] = w1.re * i1 + w1.im * r1;
            y[2 * out].re[l] = w2.re * r2 - w2.im * i2;
            y[2 * out].im[l] = w2.re * i2 + w2.im * r2;
            y[3 * out].re[l] = w3.re * r3 - w3.im * i3;
            y[3 * out].im[l] = w3.re * i3 + w3.im * r3;
        }
    }

    std::size_t length_;
    std::vector<Twiddle> roots_;
    std::vector<ComplexLanes> scratch_;
};

}  // namespace detail

// The autocovariances of several centred series of one length, summed over the series.
//
// Usage: clear(), add() for every series, finish(), then lag(t). `add` takes values that already have mean zero.
class SummedAutocovariance {
  public:
    explicit SummedAutocovariance(std::size_t draws)
        : draws_(draws), padded_(std::max<std::size_t>(4, std::bit_ceil(2 * draws))), forward_(padded_),
          backward_(padded_ / 4), batch_(padded_), spectrum_(padded_), folded_(padded_ / 4) {}

    void clear() noexcept {
        std::fill(spectrum_.begin(), spectrum_.end(), 0.0);
        clear_batch();
    }

    void add(const double* series, double mean) noexcept {
        const std::size_t lane = held_ / 2;
        if (held_ % 2 == 0) {
            for (std::size_t i = 0; i < draws_; ++i) batch_[i].re[lane] = series[i] - mean;
        } else {
            for (std::size_t i = 0; i < draws_; ++i) batch_[i].im[lane] = series[i] - mean;
        }
        if (++held_ == 2 * detail::lanes) absorb();
    }

    // The inverse transform of the real spectrum: four interleaved quarter-length transforms, one to a lane.
    // `lag` joins them with one butterfly, and only for the lags that are asked for.
    void finish() noexcept {
        if (held_ > 0) absorb();
        for (std::size_t k = 0; k < padded_ / 4; ++k) {
            for (std::size_t l = 0; l < detail::lanes; ++l) {
                folded_[k].re[l] = spectrum_[4 * k + l];
                folded_[k].im[l] = 0.0;
            }
        }
        result_ = backward_.transform(folded_);
    }

    // sum over series and i of x[i] x[i + t], for 0 <= t < draws
    double lag(std::size_t t) const noexcept {
        const detail::ComplexLanes& f = result_[t % (padded_ / 4)];
        double total = 0;
        for (std::size_t r = 0; r < 4; ++r) {
            const detail::Twiddle& w = forward_.root((r * t) % padded_);
            total += w.re * f.re[r] - w.im * f.im[r];
        }
        return total / static_cast<double>(padded_);
    }

  private:
    void clear_batch() noexcept {
        // the transform uses batch_ as a work area, so the padding has to be cleared too
        std::fill(batch_.begin(), batch_.end(), detail::ComplexLanes{});
        held_ = 0;
    }

    // |FFT(a + i b)|^2 is the sum of both power spectra plus an odd part that the real part of the inverse drops.
    void absorb() noexcept {
        const detail::ComplexLanes* transformed = forward_.transform(batch_);
        for (std::size_t k = 0; k < padded_; ++k) {
            double power = 0;
            for (std::size_t l = 0; l < detail::lanes; ++l)
                power += transformed[k].re[l] * transformed[k].re[l] + transformed[k].im[l] * transformed[k].im[l];
            spectrum_[k] += power;
        }
        clear_batch();
    }

    std::size_t draws_;
    std::size_t padded_;
    std::size_t held_ = 0;
    detail::LaneFft forward_;
    detail::LaneFft backward_;
    std::vector<detail::ComplexLanes> batch_;
    std::vector<double> spectrum_;
    std::vector<detail::ComplexLanes> folded_;
    const detail::ComplexLanes* result_ = nullptr;
};

}  // namespace finetti
