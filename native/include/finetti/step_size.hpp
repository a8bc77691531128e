// Step-size adaptation by dual averaging.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "finetti/nuts_config.hpp"

namespace finetti {

/// Nesterov's dual averaging on log step size (Hoffman and Gelman 2014, equation 6 and algorithm 6).
class DualAveraging {
public:
    explicit DualAveraging(const NutsConfig& config)
        : gamma_(config.dual_averaging_gamma),
          t0_(config.dual_averaging_t0),
          kappa_(config.dual_averaging_kappa),
          target_(config.target_accept),
          log_max_(std::log(config.max_step_size)) {
        restart(config.initial_step);
    }

    void restart(double step) noexcept {
        log_step_ = std::min(std::log(step), log_max_);
        log_average_ = log_step_;
        mu_ = std::log(10.0) + log_step_;  // aims high: a large step is cheaper to try
        shortfall_ = 0.0;
        count_ = 1;
    }

    void update(double accept) noexcept {
        const auto t = static_cast<double>(count_);
        const double weight = 1.0 / (t + t0_);
        shortfall_ = (1.0 - weight) * shortfall_ + weight * (target_ - accept);
        log_step_ = std::min(mu_ - shortfall_ * std::sqrt(t) / gamma_, log_max_);
        const double decay = std::pow(t, -kappa_);
        log_average_ = decay * log_step_ + (1.0 - decay) * log_average_;
        ++count_;
    }

    [[nodiscard]] double step() const noexcept { return std::exp(log_step_); }
    [[nodiscard]] double averaged() const noexcept { return std::exp(log_average_); }

private:
    double gamma_, t0_, kappa_, target_, log_max_;
    double log_step_ = 0.0, log_average_ = 0.0, mu_ = 0.0, shortfall_ = 0.0;
    std::int64_t count_ = 1;
};

/// Mean acceptance over every leapfrog of a trajectory, in the two forms that drive the step size.
class AcceptStatistic {
public:
    void clear() noexcept { *this = {}; }

    /// ratio: exp(E0 - E), density of the new point over the start's; a divergent step accepts nothing.
    void add(double ratio) noexcept {
        const double accept = std::min(1.0, ratio);
        plain_ += accept;
        symmetric_ += 2.0 * accept / (1.0 + ratio);
        ++count_;
    }
    void add_divergent() noexcept { ++count_; }

    [[nodiscard]] std::int64_t count() const noexcept { return count_; }
    /// Mean of min(1, ratio).
    [[nodiscard]] double plain() const noexcept { return mean(plain_); }
    /// Mean of 2 min(1, ratio) / (1 + ratio): punishes energy gained and lost alike.
    [[nodiscard]] double symmetric() const noexcept { return mean(symmetric_); }

private:
    [[nodiscard]] double mean(double sum) const noexcept {
        return count_ > 0 ? sum / static_cast<double>(count_) : 1.0;
    }
    double plain_ = 0.0, symmetric_ = 0.0;
    std::int64_t count_ = 0;
};

}  // namespace finetti
