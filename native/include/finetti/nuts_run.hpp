// All chains of a run, on threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "finetti/chain.hpp"
#include "finetti/chain_output.hpp"
#include "finetti/density.hpp"
#include "finetti/nuts_config.hpp"

namespace finetti {

/// A snapshot of one chain.
struct ChainProgress {
    std::int64_t chain, finished_draws, total_draws;
    bool tuning, started, done;
    std::int64_t divergences, latest_num_steps, total_num_steps;
    double step_size, runtime_seconds;
};

/// Runs `chains` chains of one compiled density on a queue of threads.
///
/// Each chain has its own data block and its own random numbers, so nothing but the clock depends on the threads.
/// A chain that fails leaves its message in errors() and the others go on.
class NutsRun {
public:
    NutsRun(const NutsConfig& config, CompiledFunction function, std::vector<void*> data, std::vector<double> initial,
            std::size_t dimension, std::uint64_t seed)
        : config_(validated(config)),
          function_(function),
          data_(std::move(data)),
          initial_(std::move(initial)),
          dimension_(dimension),
          seed_(seed),
          warmup_(data_.size(), config.store_warmup ? static_cast<std::size_t>(config.tune) : 0, dimension),
          sampling_(data_.size(), static_cast<std::size_t>(config.draws), dimension),
          states_(data_.size()),
          errors_(data_.size()),
          gradients_(data_.size()),
          last_points_(zeroed<double>({data_.size(), dimension})),
          divergences_(data_.size()) {
        if (data_.empty()) throw std::invalid_argument("NutsRun got no chain; it needs one data block per chain");
        if (initial_.size() != chains() * dimension_)
            throw std::invalid_argument("NutsRun.initial must have one row per chain");
    }
    NutsRun(const NutsRun&) = delete;
    NutsRun& operator=(const NutsRun&) = delete;
    ~NutsRun() {
        stop();
        for (std::thread& thread : threads_) thread.join();
    }

    void start(std::size_t cores) {
        if (!threads_.empty()) throw std::logic_error("NutsRun.start was called before; a run starts once");
        const std::size_t workers = std::clamp<std::size_t>(cores, 1, chains());
        for (std::size_t i = 0; i < workers; ++i) {
            const std::lock_guard lock(mutex_);
            threads_.emplace_back([this] { work(); });
            ++running_;
        }
    }
    void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

    /// Waits until all chains are done, at most so long; true if they are.
    bool join(double timeout_seconds) {
        std::unique_lock lock(mutex_);
        const auto ready = [this] { return running_ == 0; };
        if (timeout_seconds < 0) {
            finished_.wait(lock, ready);
            return true;
        }
        return finished_.wait_for(lock, std::chrono::duration<double>(timeout_seconds), ready);
    }

    [[nodiscard]] ChainProgress progress(std::size_t chain) const noexcept {
        const ChainState& state = states_[chain];
        const bool started = state.started.load(std::memory_order_acquire);
        const bool done = state.done.load(std::memory_order_acquire);
        const std::int64_t draws = state.finished_draws.load(std::memory_order_acquire);
        const double from = state.start_time.load(std::memory_order_relaxed);
        const double to = done ? state.end_time.load(std::memory_order_relaxed) : now_seconds();
        return {static_cast<std::int64_t>(chain),
                draws,
                config_.tune + config_.draws,
                draws < config_.tune,
                started,
                done,
                state.divergences.load(std::memory_order_relaxed),
                state.latest_num_steps.load(std::memory_order_relaxed),
                state.total_num_steps.load(std::memory_order_relaxed),
                state.step_size.load(std::memory_order_relaxed),
                started ? to - from : 0.0};
    }

    [[nodiscard]] std::size_t chains() const noexcept { return data_.size(); }
    [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
    [[nodiscard]] const NutsConfig& config() const noexcept { return config_; }
    /// Draws of this chain so far, warm-up included.
    [[nodiscard]] std::int64_t finished(std::size_t chain) const noexcept {
        return states_[chain].finished_draws.load(std::memory_order_acquire);
    }

    // Written by the chains: to be read when they are done.
    [[nodiscard]] Phase& warmup() noexcept { return warmup_; }
    [[nodiscard]] Phase& sampling() noexcept { return sampling_; }
    [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }
    [[nodiscard]] const std::vector<std::uint64_t>& gradients() const noexcept { return gradients_; }
    [[nodiscard]] const std::shared_ptr<double[]>& last_points() const noexcept { return last_points_; }
    [[nodiscard]] const std::vector<std::vector<Divergence>>& divergences() const noexcept { return divergences_; }

private:
    static const NutsConfig& validated(const NutsConfig& config) {
        config.validate();
        return config;
    }

    void work() noexcept {
        for (;;) {
            const std::size_t chain = next_chain_.fetch_add(1, std::memory_order_relaxed);
            if (chain >= chains()) break;
            run_chain(chain);
        }
        const std::lock_guard lock(mutex_);
        if (--running_ == 0) finished_.notify_all();
    }

    void run_chain(std::size_t index) noexcept {
        ChainState& state = states_[index];
        if (stop_.load(std::memory_order_relaxed)) {
            state.done.store(true, std::memory_order_release);
            return;
        }
        state.start_time.store(now_seconds(), std::memory_order_relaxed);
        state.started.store(true, std::memory_order_release);
        CompiledDensity density(function_, data_[index], dimension_);
        try {
            Chain<CompiledDensity> chain(config_, density, seed_, index, stop_);
            try {
                chain.begin(initial_.data() + index * dimension_);
                draw_all(index, chain);
            } catch (const std::exception& error) {
                errors_[index] = error.what();
            }
            std::copy_n(chain.position(), dimension_, last_points_.get() + index * dimension_);
        } catch (const std::exception& error) {
            errors_[index] = error.what();
        }
        gradients_[index] = density.gradients();
        state.end_time.store(now_seconds(), std::memory_order_relaxed);
        state.done.store(true, std::memory_order_release);
    }

    void draw_all(std::size_t index, Chain<CompiledDensity>& chain) {
        ChainState& state = states_[index];
        DrawStats stats{};
        double clock = now_seconds();
        const std::int64_t total = config_.tune + config_.draws;
        for (std::int64_t draw = 0; draw < total && !stop_.load(std::memory_order_relaxed); ++draw) {
            if (!chain.step(draw, stats)) return;
            stats.perf_counter_start = clock;
            clock = now_seconds();
            stats.perf_counter_diff = clock - stats.perf_counter_start;
            store(index, draw, chain, stats);
            state.latest_num_steps.store(stats.n_steps, std::memory_order_relaxed);
            state.total_num_steps.fetch_add(stats.n_steps, std::memory_order_relaxed);
            state.step_size.store(stats.step_size, std::memory_order_relaxed);
            state.finished_draws.store(draw + 1, std::memory_order_release);
        }
    }

    void store(std::size_t index, std::int64_t draw, const Chain<CompiledDensity>& chain, const DrawStats& stats) {
        const bool tuning = draw < config_.tune;
        if (!tuning && stats.diverging) {
            states_[index].divergences.fetch_add(1, std::memory_order_relaxed);
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

    Phase warmup_, sampling_;
    std::vector<ChainState> states_;
    std::vector<std::string> errors_;
    std::vector<std::uint64_t> gradients_;
    std::shared_ptr<double[]> last_points_;
    std::vector<std::vector<Divergence>> divergences_;

    std::atomic<bool> stop_{false};
    std::atomic<std::size_t> next_chain_{0};
    std::mutex mutex_;
    std::condition_variable finished_;
    std::size_t running_ = 0;
    std::vector<std::thread> threads_;
};

}  // namespace finetti
