// One chain: find a start, warm up, draw.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "finetti/chain_output.hpp"
#include "finetti/density.hpp"
#include "finetti/hamiltonian.hpp"
#include "finetti/nuts.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/random.hpp"
#include "finetti/warmup.hpp"

namespace finetti {

/// Seconds of the monotonic clock.
inline double now_seconds() noexcept {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What other threads may read while a chain runs. One cache line of its own per chain.
struct alignas(64) ChainState {
    std::atomic<std::int64_t> finished_draws{0};  // warm-up included
    std::atomic<std::int64_t> divergences{0};     // of the kept draws
    std::atomic<std::int64_t> latest_num_steps{0};
    std::atomic<std::int64_t> total_num_steps{0};
    std::atomic<double> step_size{0.0};
    std::atomic<double> start_time{0.0};
    std::atomic<double> end_time{0.0};
    std::atomic<bool> started{false};
    std::atomic<bool> done{false};
};

/// No start with finite density and gradient was found.
class StartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

template <LogDensity Density>
class Chain {
public:
    Chain(const NutsConfig& config, Density& density, std::uint64_t seed, std::uint64_t chain,
          const std::atomic<bool>& stop)
        : config_(config),
          seed_(seed),
          chain_(chain),
          hamiltonian_(density),
          nuts_(hamiltonian_, static_cast<std::size_t>(config.max_treedepth), config.max_energy_error, stop),
          warmup_(config, hamiltonian_, nuts_, seed, chain) {}

    /// Finds a start around `initial` and prepares the warm-up; throws StartError.
    void begin(const double* initial) {
        find_start(initial);
        warmup_.begin();
    }

    /// The point last tried or drawn.
    [[nodiscard]] const double* position() const noexcept { return nuts_.current().x; }

    /// One draw; false if it was cut short by a stop request.
    bool step(std::int64_t draw, DrawStats& stats) {
        const double step = jittered_step(draw);
        transition_ = nuts_.transition(seed_, chain_, static_cast<std::uint64_t>(draw), step);
        if (transition_.stopped) return false;
        const PhasePoint& point = nuts_.current();
        stats.lp = point.logp;
        stats.energy = point.energy;
        stats.energy_error = transition_.energy_error;
        stats.max_energy_error = transition_.max_energy_error;
        stats.acceptance_rate = transition_.accept.plain();
        stats.step_size = step;
        stats.fisher_distance = hamiltonian_.metric().fisher_distance(point.x, point.g);
        stats.tree_depth = transition_.depth;
        stats.n_steps = transition_.accept.count();
        stats.index_in_trajectory = point.index;
        stats.reached_max_treedepth = transition_.reached_max_depth;
        stats.diverging = transition_.diverging;
        warmup_.learn(draw, transition_);
        stats.step_size_bar = warmup_.averaged_step();
        return true;
    }

    [[nodiscard]] const Transition& last_transition() const noexcept { return transition_; }
    [[nodiscard]] const DiagonalMetric& metric() const noexcept { return hamiltonian_.metric(); }

private:
    [[nodiscard]] double jittered_step(std::int64_t draw) const noexcept {
        const StreamAddress address(seed_, chain_, static_cast<std::uint64_t>(draw), Purpose::step_jitter);
        const double u = UniformStream(address).next();
        return warmup_.step() * (1.0 + config_.step_size_jitter * (2.0 * u - 1.0));
    }

    void find_start(const double* initial) {
        const std::size_t n = hamiltonian_.dimension();
        PhasePoint& point = nuts_.current();
        const std::int64_t attempts = config_.init_jitter > 0 ? config_.init_retries + 1 : 1;
        for (std::int64_t attempt = 0; attempt < attempts; ++attempt) {
            UniformStream uniforms({seed_, chain_, static_cast<std::uint64_t>(attempt), Purpose::start_jitter});
            for (std::size_t i = 0; i < n; ++i)
                point.x[i] = initial[i] + config_.init_jitter * (2.0 * uniforms.next() - 1.0);
            hamiltonian_.evaluate(point);
            const auto finite = [](double value) { return std::isfinite(value); };
            if (finite(point.logp) && std::all_of(point.g, point.g + n, finite)) return;
        }
        const std::string tries = ", after " + std::to_string(attempts) + (attempts == 1 ? " try" : " tries");
        if (std::isfinite(point.logp)) throw StartError("the gradient at the start is not finite" + tries);
        const std::string value = std::isnan(point.logp) ? "nan" : std::to_string(point.logp);
        throw StartError("the log density at the start is " + value + tries);
    }

    const NutsConfig& config_;
    std::uint64_t seed_, chain_;
    Hamiltonian<Density> hamiltonian_;
    Nuts<Density> nuts_;
    Warmup<Density> warmup_;
    Transition transition_;
};

}  // namespace finetti
