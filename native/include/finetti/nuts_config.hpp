// Every knob of the NUTS run, written once: name, default, range.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace finetti {

struct NutsConfig {
    // How long
    std::int64_t draws = 1000;
    std::int64_t tune = 1000;
    bool store_warmup = false;

    // The trajectory
    std::int64_t max_treedepth = 10;
    std::int64_t warmup_treedepth = 0;  // the same of the warm-up; 0: no other one
    double max_energy_error = 1000.0;  // a larger error of the total energy is a divergence
    double step_size_jitter = 0.1;     // every draw uses step_size * U(1 - jitter, 1 + jitter)

    // The start: initial point + U(-init_jitter, init_jitter) until density and gradient are finite
    double init_jitter = 1.0;
    std::int64_t init_retries = 100;

    // Step size: search from initial_step, then dual averaging (Hoffman and Gelman 2014, section 3.2)
    bool adapt_step_size = true;  // false: keep the first one
    double initial_step = 0.1;
    double target_accept = 0.8;
    double max_step_size = 3.141592653589793;
    double dual_averaging_gamma = 0.05;
    double dual_averaging_t0 = 10.0;
    double dual_averaging_kappa = 0.75;

    // Metric windows (Seyboldt, Carlson and Carpenter 2026, arXiv:2603.18845)
    bool adapt_metric = true;            // false: the one given, or the identity
    double early_window = 0.3;           // fraction of tune with short windows
    double step_size_window = 0.15;      // fraction of tune at the end that adapts the step size only
    std::int64_t early_window_size = 10;
    std::int64_t window_size = 80;
    double window_growth = 1.5;

    // Sets of elements with a dense metric. Windows then grow from early_window_size on (dense_windows.hpp)
    std::vector<std::vector<std::size_t>> dense_blocks;
    bool regularize_dense = true;  // shrink the estimate towards the matrix of before

    // Divergences of the kept draws whose two points are stored, per chain
    std::int64_t max_stored_divergences = 200;

    [[nodiscard]] std::int64_t treedepth_of(std::int64_t draw) const noexcept {
        const std::int64_t deepest = draw < tune && warmup_treedepth > 0 ? warmup_treedepth : max_treedepth;
        return draw < early_dense_draws() ? std::min(deepest, early_dense_treedepth) : deepest;
    }
    /// Until there are some draws for every element of a dense block, long ways through an unknown geometry are not
    /// worth their cost: what the matrix is estimated from are positions and scores wherever they are.
    [[nodiscard]] std::int64_t early_dense_draws() const noexcept {
        std::size_t widest = 0;
        for (const auto& block : dense_blocks) widest = std::max(widest, block.size());
        const auto early = static_cast<std::int64_t>(early_window * static_cast<double>(tune));
        return adapt_metric ? std::min(2 * static_cast<std::int64_t>(widest), early) : 0;
    }
    static constexpr std::int64_t early_dense_treedepth = 6;

    void validate() const {
        require(draws >= 0, "draws", static_cast<double>(draws), "at least 0");
        require(tune >= 0, "tune", static_cast<double>(tune), "at least 0");
        const std::int64_t most = std::int64_t{1} << 31;  // draws have 32-bit addresses, see random.hpp
        require(draws < most, "draws", static_cast<double>(draws), "less than 2^31");
        require(tune < most, "tune", static_cast<double>(tune), "less than 2^31");
        require(max_treedepth >= 1 && max_treedepth <= 30, "max_treedepth", static_cast<double>(max_treedepth),
                "between 1 and 30");
        require(warmup_treedepth >= 0 && warmup_treedepth <= 30, "warmup_treedepth",
                static_cast<double>(warmup_treedepth), "between 0 and 30");
        require(max_energy_error > 0, "max_energy_error", max_energy_error, "positive");
        require(step_size_jitter >= 0 && step_size_jitter < 1, "step_size_jitter", step_size_jitter, "in [0, 1)");
        require(init_jitter >= 0 && std::isfinite(init_jitter), "init_jitter", init_jitter, "at least 0 and finite");
        require(init_retries >= 0, "init_retries", static_cast<double>(init_retries), "at least 0");
        require(initial_step > 0 && std::isfinite(initial_step), "initial_step", initial_step, "positive and finite");
        require(target_accept > 0 && target_accept < 1, "target_accept", target_accept, "in (0, 1)");
        require(max_step_size > 0, "max_step_size", max_step_size, "positive");
        require(dual_averaging_gamma > 0, "dual_averaging_gamma", dual_averaging_gamma, "positive");
        require(dual_averaging_t0 >= 0, "dual_averaging_t0", dual_averaging_t0, "at least 0");
        require(dual_averaging_kappa > 0.5 && dual_averaging_kappa <= 1, "dual_averaging_kappa", dual_averaging_kappa,
                "in (0.5, 1]");
        require(early_window >= 0 && early_window < 1, "early_window", early_window, "in [0, 1)");
        require(step_size_window >= 0 && step_size_window <= 1, "step_size_window", step_size_window, "in [0, 1]");
        require(early_window_size >= 1, "early_window_size", static_cast<double>(early_window_size), "at least 1");
        require(window_size >= 1, "window_size", static_cast<double>(window_size), "at least 1");
        require(window_growth >= 1, "window_growth", window_growth, "at least 1");
        require(max_stored_divergences >= 0, "max_stored_divergences", static_cast<double>(max_stored_divergences),
                "at least 0");
    }

    /// How many numbers the matrices of the dense blocks have.
    [[nodiscard]] std::size_t dense_size() const noexcept {
        std::size_t size = 0;
        for (const auto& block : dense_blocks) size += block.size() * block.size();
        return size;
    }

    /// The widest dense block: at 2000 elements a chain takes 0.25 GB, an estimate 5 seconds, a leapfrog 0.6
    /// milliseconds with a density that costs nothing.
    static constexpr std::size_t largest_block = 2000;

    /// For a density of n elements.
    void validate_blocks(std::size_t n) const {
        std::vector<bool> seen(n, false);
        for (const auto& block : dense_blocks) {
            require(!block.empty(), "dense_blocks", 0.0, "sets of at least one element");
            if (block.size() > largest_block)
                throw std::invalid_argument(
                    "a dense metric of " + std::to_string(block.size()) +
                    " elements is too wide: at 2000, the most there may be, every chain takes 0.25 GB, every estimate 5 s "
                    "and every leapfrog 0.6 ms for the metric alone. Make fewer elements dense together, or use the "
                    "diagonal metric");
            for (const std::size_t i : block) {
                require(i < n, "dense_blocks", static_cast<double>(i), "elements below " + std::to_string(n));
                require(!seen[i], "dense_blocks", static_cast<double>(i), "elements that come once");
                seen[i] = true;
            }
        }
    }

private:
    static void require(bool holds, const char* name, double value, const std::string& expected) {
        if (holds) return;
        std::string text = std::to_string(value);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        throw std::invalid_argument(std::string("NutsConfig.") + name + " is " + text + "; it must be " + expected);
    }
};

}  // namespace finetti
