// All chains of a NUTS run.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "finetti/adapted.hpp"
#include "finetti/chain.hpp"
#include "finetti/chain_output.hpp"
#include "finetti/chain_threads.hpp"
#include "finetti/density.hpp"
#include "finetti/nuts_config.hpp"

namespace finetti {

/// Runs `chains` chains of one compiled density on a queue of threads.
///
/// Each chain has its own data block and its own random numbers, so nothing but the clock depends on the threads.
class NutsRun : public ChainThreads {
public:
    NutsRun(const NutsConfig& config, CompiledFunction function, std::vector<void*> data, std::vector<double> initial,
            std::size_t dimension, std::uint64_t seed, GivenAdaptation given = {})
        : ChainThreads(data.size(), validated(config, dimension).tune, config.draws),
          config_(config),
          function_(function),
          data_(std::move(data)),
          initial_(std::move(initial)),
          dimension_(dimension),
          seed_(seed),
          given_(std::move(given)),
          adapted_(data_.size(), dimension, config.dense_size()),
          warmup_(data_.size(), config.store_warmup ? static_cast<std::size_t>(config.tune) : 0, dimension),
          sampling_(data_.size(), static_cast<std::size_t>(config.draws), dimension),
          gradients_(data_.size()),
          last_points_(zeroed<double>({data_.size(), dimension})),
          divergences_(data_.size()) {
        if (data_.empty()) throw std::invalid_argument("NutsRun got no chain; it needs one data block per chain");
        if (initial_.size() != chains() * dimension_)
            throw std::invalid_argument("NutsRun.initial must have one row per chain");
        given_.validate("NutsRun", chains(), dimension_, config.dense_size());
    }
    ~NutsRun() { finish(); }

    [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
    [[nodiscard]] const NutsConfig& config() const noexcept { return config_; }

    // Written by the chains: to be read when they are done.
    [[nodiscard]] Phase& warmup() noexcept { return warmup_; }
    [[nodiscard]] Phase& sampling() noexcept { return sampling_; }
    [[nodiscard]] const std::vector<std::uint64_t>& gradients() const noexcept { return gradients_; }
    [[nodiscard]] const std::shared_ptr<double[]>& last_points() const noexcept { return last_points_; }
    [[nodiscard]] const FinalAdaptation& adapted() const noexcept { return adapted_; }
    [[nodiscard]] const std::vector<std::vector<Divergence>>& divergences() const noexcept { return divergences_; }

private:
    static const NutsConfig& validated(const NutsConfig& config, std::size_t dimension) {
        config.validate();
        config.validate_blocks(dimension);
        return config;
    }

    void run_job(std::size_t index) noexcept override {
        if (stopping()) {
            state(index).done.store(true, std::memory_order_release);
            return;
        }
        state(index).begin();
        CompiledDensity density(function_, data_[index], dimension_);
        try {
            Chain<CompiledDensity> chain(config_, density, seed_, index, stop_flag());
            chain.start_with(given_.variance(index, dimension_), given_.matrices(index, adapted_.dense_size()),
                             given_.step(index, config_.initial_step));
            try {
                chain.begin(initial_.data() + index * dimension_);
                draw_all(index, chain);
            } catch (const std::exception& error) {
                fail(index, error);
            }
            std::copy_n(chain.position(), dimension_, last_points_.get() + index * dimension_);
            adapted_.write(index, chain.hamiltonian().metric(), chain.hamiltonian().blocks(), chain.step_size());
        } catch (const std::exception& error) {
            fail(index, error);
        }
        gradients_[index] = density.gradients();
        state(index).end();
    }

    void draw_all(std::size_t index, Chain<CompiledDensity>& chain) {
        ChainState& shared = state(index);
        DrawStats stats{};
        double clock = now_seconds();
        const std::int64_t total = config_.tune + config_.draws;
        for (std::int64_t draw = 0; draw < total && !stopping(); ++draw) {
            if (!chain.step(draw, stats)) return;
            stats.perf_counter_start = clock;
            clock = now_seconds();
            stats.perf_counter_diff = clock - stats.perf_counter_start;
            store(index, draw, chain, stats);
            shared.add_steps(stats.n_steps);
            shared.step_size.store(stats.step_size, std::memory_order_relaxed);
            shared.finished_draws.store(draw + 1, std::memory_order_release);
        }
    }

    void store(std::size_t index, std::int64_t draw, const Chain<CompiledDensity>& chain, const DrawStats& stats) {
        const bool tuning = draw < config_.tune;
        if (!tuning && stats.diverging) {
            state(index).divergences.fetch_add(1, std::memory_order_relaxed);
            store_divergence(index, draw - config_.tune, chain.last_transition());
        }
        if (tuning && !config_.store_warmup) return;
        Phase& phase = tuning ? warmup_ : sampling_;
        const auto row = static_cast<std::size_t>(tuning ? draw : draw - config_.tune);
        std::copy_n(chain.position(), dimension_, phase.row(index, row));
        phase.stats.write(index, row, stats);
    }

    void store_divergence(std::size_t index, std::int64_t draw, const Transition& transition) {
        auto& list = divergences_[index];
        if (list.size() >= static_cast<std::size_t>(config_.max_stored_divergences)) return;
        const double* start = transition.divergence_start->x;
        const double* end = transition.divergence_end->x;
        list.push_back({draw, transition.max_energy_error, {start, start + dimension_}, {end, end + dimension_}});
    }

    NutsConfig config_;
    CompiledFunction function_;
    std::vector<void*> data_;
    std::vector<double> initial_;
    std::size_t dimension_;
    std::uint64_t seed_;

    GivenAdaptation given_;
    FinalAdaptation adapted_;
    Phase warmup_, sampling_;
    std::vector<std::uint64_t> gradients_;
    std::shared_ptr<double[]> last_points_;
    std::vector<std::vector<Divergence>> divergences_;
};

}  // namespace finetti
