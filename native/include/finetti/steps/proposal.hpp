// Symmetric proposals and how their scale is tuned.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "finetti/random.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

enum class ProposalKind { normal, uniform, cauchy, laplace, poisson, multivariate_normal };

inline constexpr std::array<std::string_view, 6> proposal_names = {"normal",  "uniform", "cauchy",
                                                                   "laplace", "poisson", "multivariate_normal"};

/// Zero-mean steps of a block. scale: one per element, or the lower Cholesky factor of a covariance, row by row.
class Proposal {
public:
    Proposal(ProposalKind kind, std::vector<double> scale, std::size_t size)
        : kind_(kind), scale_(std::move(scale)), size_(size), numbers_(2 * size) {}

    void fill(const StreamAddress& address, double* delta) {
        switch (kind_) {
            case ProposalKind::normal:
                fill_normals(address, delta, size_);
                for (std::size_t i = 0; i < size_; ++i) delta[i] *= scale_[i];
                break;
            case ProposalKind::cauchy:  // a ratio of normals
                fill_normals(address, numbers_.data(), 2 * size_);
                for (std::size_t i = 0; i < size_; ++i) delta[i] = numbers_[2 * i] / numbers_[2 * i + 1] * scale_[i];
                break;
            case ProposalKind::multivariate_normal:
                fill_normals(address, numbers_.data(), size_);
                for (std::size_t i = 0; i < size_; ++i) {
                    delta[i] = 0.0;
                    for (std::size_t j = 0; j <= i; ++j) delta[i] += scale_[i * size_ + j] * numbers_[j];
                }
                break;
            default: fill_from_uniforms(address, delta);
        }
    }

private:
    void fill_from_uniforms(const StreamAddress& address, double* delta) {
        UniformBatches uniforms(address);
        for (std::size_t i = 0; i < size_; ++i) {
            if (kind_ == ProposalKind::uniform) {
                delta[i] = scale_[i] * (2.0 * uniforms.next() - 1.0);
            } else if (kind_ == ProposalKind::laplace) {
                const double up = uniforms.exponential();
                delta[i] = scale_[i] * (up - uniforms.exponential());
            } else {
                // Poisson(s) - s leans to one side; with a random sign the acceptance needs no correction. Within
                // half a unit it is smeared: multiples of a tuned scale alone would not reach all whole numbers.
                const double step = poisson(scale_[i], uniforms) - scale_[i] + uniforms.next() - 0.5;
                delta[i] = uniforms.next() < 0.5 ? step : -step;
            }
        }
    }

    /// Arrivals of a Poisson process of rate 1 before `mean`.
    static double poisson(double mean, UniformBatches& uniforms) {
        double count = -1.0;
        for (double time = 0.0; time <= mean; time += uniforms.exponential()) ++count;
        return count;
    }

    ProposalKind kind_;
    std::vector<double> scale_;
    std::size_t size_;
    std::vector<double> numbers_;
};

/// PyMC's table: the scale after an interval in which this fraction of the proposals was accepted.
inline double tuned(double scale, double accepted) noexcept {
    if (accepted < 0.001) return scale * 0.1;
    if (accepted < 0.05) return scale * 0.5;
    if (accepted < 0.2) return scale * 0.9;
    if (accepted > 0.95) return scale * 10.0;
    if (accepted > 0.75) return scale * 2.0;
    if (accepted > 0.5) return scale * 1.1;
    return scale;
}

/// Whether a draw begins with tuning: after every full interval of the warm-up.
class TuningClock {
public:
    TuningClock(bool on, std::int64_t interval) : on_(on), interval_(interval) {}
    bool strikes(const Moment& moment) const noexcept {
        return on_ && moment.tuning && moment.draw > 0 && moment.draw % interval_ == 0;
    }
    [[nodiscard]] double interval() const noexcept { return static_cast<double>(interval_); }

private:
    bool on_;
    std::int64_t interval_;
};

}  // namespace finetti::steps
