// Hamiltonian Monte Carlo with trajectories of a fixed length (Duane et al. 1987; Neal 2011).
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "finetti/hamiltonian.hpp"
#include "finetti/nuts.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/phase_point.hpp"
#include "finetti/random.hpp"

namespace finetti {

/// How far a trajectory goes: path_length / step leapfrogs, at least one and at most max_steps.
struct PathLength {
    double path_length;
    std::int64_t max_steps;

    [[nodiscard]] std::int64_t leapfrogs(double step) const noexcept {
        const double wanted = std::clamp(path_length / step, 1.0, static_cast<double>(max_steps));
        return static_cast<std::int64_t>(wanted);
    }
};

template <LogDensity Density>
class StaticHmc {
public:
    StaticHmc(Hamiltonian<Density>& hamiltonian, const NutsConfig& config, const std::atomic<bool>& stop,
              PathLength length)
        : hamiltonian_(hamiltonian),
          pool_(points, hamiltonian.dimension(), hamiltonian.vectors_of_point()),
          length_(length),
          max_energy_error_(config.max_energy_error),
          stop_(stop),
          current_(pool_.take()) {}

    [[nodiscard]] const PhasePoint& current() const noexcept { return *current_; }
    [[nodiscard]] PhasePoint& current() noexcept { return *current_; }
    /// A free point, for whoever has to try a step outside a trajectory.
    [[nodiscard]] PointRef spare() noexcept { return pool_.take(); }

    /// Moves the current point to the end of a trajectory, or leaves it.
    Transition transition(std::uint64_t seed, std::uint64_t chain, std::uint64_t draw, double step) {
        hamiltonian_.refresh_momentum(*current_, {seed, chain, draw, Purpose::momentum});
        const double initial_energy = current_->energy;
        Transition result;
        PointRef from, end = current_;
        double error = 0.0;
        const std::int64_t leapfrogs = hamiltonian_.dimension() > 0 ? length_.leapfrogs(step) : 0;
        while (result.leapfrogs < leapfrogs && !result.diverging) {
            if (stop_.load(std::memory_order_relaxed)) {
                result.stopped = true;
                return result;
            }
            from = std::move(end);
            end = pool_.take();
            hamiltonian_.leapfrog(*from, *end, step);
            ++result.leapfrogs;
            error = Hamiltonian<Density>::energy_error(*end, initial_energy);
            if (std::fabs(error) > std::fabs(result.max_energy_error)) result.max_energy_error = error;
            result.diverging = !std::isfinite(error) || (result.leapfrogs == leapfrogs && error > max_energy_error_);
        }
        if (result.diverging) {
            result.accept.add_divergent();
            result.divergence_start = std::move(from);
            result.divergence_end = std::move(end);
            return result;
        }
        const double ratio = std::exp(-error);
        result.accept.add(ratio);
        if (UniformStream({seed, chain, draw, Purpose::progress}).next() < ratio) {
            result.energy_error = error;
            current_ = std::move(end);
        }
        return result;
    }

private:
    /// The current point, the ends of a leapfrog, a spare one, and the divergent steps of this transition and the last.
    static constexpr std::size_t points = 12;

    Hamiltonian<Density>& hamiltonian_;
    PhasePool pool_;
    PathLength length_;
    double max_energy_error_;
    const std::atomic<bool>& stop_;
    PointRef current_;
};

}  // namespace finetti
