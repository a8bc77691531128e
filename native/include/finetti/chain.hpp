// One Hamiltonian chain: find a start, warm up, draw.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "finetti/chain_output.hpp"
#include "finetti/density.hpp"
#include "finetti/hamiltonian.hpp"
#include "finetti/nuts.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/random.hpp"
#include "finetti/warmup.hpp"

namespace finetti {

/// Trajectory: Nuts, or anything else that moves a current point by leapfrogs.
template <LogDensity Density, template <class> class Trajectory = Nuts>
class Chain {
public:
    /// length: what the trajectory wants to know beyond the configuration.
    template <class... Length>
    Chain(const NutsConfig& config, Density& density, std::uint64_t seed, std::uint64_t chain,
          const std::atomic<bool>& stop, Length... length)
        : config_(config),
          seed_(seed),
          chain_(chain),
          hamiltonian_(density, config.dense_blocks),
          trajectory_(hamiltonian_, config, stop, length...),
          warmup_(config, hamiltonian_, trajectory_, seed, chain) {}

    /// A metric (nullptr: none) and a step size to begin with; to be called before begin.
    void start_with(const double* variance, const double* dense, double step) {
        warmup_.start_with(variance, dense, step);
    }

    /// Finds a start around `initial` and prepares the warm-up; throws StartError.
    void begin(const double* initial) {
        find_start(initial);
        warmup_.begin();
    }

    /// Goes on from x, where something else has put the chain.
    void go_on_from(const double* x) {
        PhasePoint& point = trajectory_.current();
        std::copy_n(x, hamiltonian_.dimension(), point.x);
        hamiltonian_.evaluate(point);
        if (!finite(point)) throw StartError(complaint(point));
    }

    /// The point last tried or drawn.
    [[nodiscard]] const double* position() const noexcept { return trajectory_.current().x; }

    /// One draw; false if it was cut short by a stop request.
    bool step(std::int64_t draw, DrawStats& stats) {
        const double step = jittered_step(draw);
        transition_ = trajectory_.transition(seed_, chain_, static_cast<std::uint64_t>(draw), step);
        if (transition_.stopped) return false;
        const PhasePoint& point = trajectory_.current();
        stats.lp = point.logp;
        stats.energy = point.energy;
        stats.energy_error = transition_.energy_error;
        stats.max_energy_error = transition_.max_energy_error;
        stats.acceptance_rate = transition_.accept.plain();
        stats.step_size = step;
        stats.fisher_distance = hamiltonian_.fisher_distance(point);
        stats.tree_depth = transition_.depth;
        stats.n_steps = transition_.leapfrogs;
        stats.index_in_trajectory = point.index;
        stats.reached_max_treedepth = transition_.reached_max_depth;
        stats.diverging = transition_.diverging;
        warmup_.learn(draw, transition_);
        stats.step_size_bar = warmup_.averaged_step();
        return true;
    }

    /// Whether the last trajectory led to another point than its start.
    [[nodiscard]] bool position_is_new() const noexcept { return trajectory_.current().index != 0; }
    [[nodiscard]] const Transition& last_transition() const noexcept { return transition_; }
    /// The step size before jitter.
    [[nodiscard]] double step_size() const noexcept { return warmup_.step(); }
    [[nodiscard]] const Hamiltonian<Density>& hamiltonian() const noexcept { return hamiltonian_; }

private:
    [[nodiscard]] double jittered_step(std::int64_t draw) const noexcept {
        const StreamAddress address(seed_, chain_, static_cast<std::uint64_t>(draw), Purpose::step_jitter);
        const double u = UniformStream(address).next();
        return warmup_.step() * (1.0 + config_.step_size_jitter * (2.0 * u - 1.0));
    }

    void find_start(const double* initial) {
        const std::size_t n = hamiltonian_.dimension();
        PhasePoint& point = trajectory_.current();
        const std::int64_t attempts = config_.init_jitter > 0 ? config_.init_retries + 1 : 1;
        for (std::int64_t attempt = 0; attempt < attempts; ++attempt) {
            UniformStream uniforms({seed_, chain_, static_cast<std::uint64_t>(attempt), Purpose::start_jitter});
            for (std::size_t i = 0; i < n; ++i)
                point.x[i] = initial[i] + config_.init_jitter * (2.0 * uniforms.next() - 1.0);
            hamiltonian_.evaluate(point);
            if (finite(point)) return;
        }
        const std::string tries = std::to_string(attempts) + (attempts == 1 ? " try" : " tries");
        throw StartError(complaint(point) + ", after " + tries);
    }

    [[nodiscard]] bool finite(const PhasePoint& point) const noexcept {
        const auto is_finite = [](double value) { return std::isfinite(value); };
        return is_finite(point.logp) && std::all_of(point.g, point.g + hamiltonian_.dimension(), is_finite);
    }
    static std::string complaint(const PhasePoint& point) {
        if (std::isfinite(point.logp)) return "the gradient at the start is not finite";
        return "the log density at the start is " + (std::isnan(point.logp) ? "nan" : std::to_string(point.logp));
    }

    const NutsConfig& config_;
    std::uint64_t seed_, chain_;
    Hamiltonian<Density> hamiltonian_;
    Trajectory<Density> trajectory_;
    Warmup<Density, Trajectory> warmup_;
    Transition transition_;
};

}  // namespace finetti
