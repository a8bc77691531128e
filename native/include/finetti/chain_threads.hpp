// Chains on a queue of threads: start, watch, stop, join.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "finetti/row_threads.hpp"

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

    void begin() noexcept {
        start_time.store(now_seconds(), std::memory_order_relaxed);
        started.store(true, std::memory_order_release);
    }
    void end() noexcept {
        end_time.store(now_seconds(), std::memory_order_relaxed);
        done.store(true, std::memory_order_release);
    }
    void add_steps(std::int64_t steps) noexcept {
        latest_num_steps.store(steps, std::memory_order_relaxed);
        total_num_steps.fetch_add(steps, std::memory_order_relaxed);
    }
};

/// A snapshot of one chain.
struct ChainProgress {
    std::int64_t chain, finished_draws, total_draws;
    bool tuning, started, done;
    std::int64_t divergences, latest_num_steps, total_num_steps;
    double step_size, runtime_seconds;
};

/// The threads of a run. A kind of run says what one job is: by default, one chain.
///
/// A chain that fails leaves its message in errors() and the others go on. Whoever derives calls finish() in the
/// destructor: the threads use what is about to go.
class ChainThreads {
public:
    ChainThreads(std::size_t chains, std::int64_t tune, std::int64_t draws)
        : tune_(tune), total_(tune + draws), states_(chains), errors_(chains) {}
    ChainThreads(const ChainThreads&) = delete;
    ChainThreads& operator=(const ChainThreads&) = delete;

    void start(std::size_t cores) {
        if (!threads_.empty()) throw std::logic_error("start was called before; a run starts once");
        const std::size_t workers = std::clamp<std::size_t>(cores, 1, std::max<std::size_t>(jobs(), 1));
        const std::size_t present = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
        cores_ = std::min(cores, present);
        share(workers);
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
                total_,
                draws < tune_,
                started,
                done,
                state.divergences.load(std::memory_order_relaxed),
                state.latest_num_steps.load(std::memory_order_relaxed),
                state.total_num_steps.load(std::memory_order_relaxed),
                state.step_size.load(std::memory_order_relaxed),
                started ? to - from : 0.0};
    }

    [[nodiscard]] std::size_t chains() const noexcept { return states_.size(); }
    /// Draws of this chain so far, warm-up included.
    [[nodiscard]] std::int64_t finished(std::size_t chain) const noexcept {
        return states_[chain].finished_draws.load(std::memory_order_acquire);
    }
    /// Written by the chains: to be read when they are done.
    [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }

protected:
    ~ChainThreads() { finish(); }

    /// How many jobs there are, and one of them.
    [[nodiscard]] virtual std::size_t jobs() const noexcept { return chains(); }
    virtual void run_job(std::size_t job) noexcept = 0;

    /// Stops the chains and waits for them.
    void finish() noexcept {
        stop();
        for (std::thread& thread : threads_)
            if (thread.joinable()) thread.join();
    }

    [[nodiscard]] ChainState& state(std::size_t chain) noexcept { return states_[chain]; }
    [[nodiscard]] const std::atomic<bool>& stop_flag() const noexcept { return stop_; }
    [[nodiscard]] bool stopping() const noexcept { return stop_.load(std::memory_order_relaxed); }
    void fail(std::size_t chain, const std::exception& error) { errors_[chain] = error.what(); }

private:
    /// Cores that so many chains leave idle work on the rows of their densities.
    void share(std::size_t running) noexcept {
        row_threads_.store(std::max<std::size_t>(cores_ / running, 1), std::memory_order_relaxed);
    }

    void work() noexcept {
        rows::follow_limit(row_threads_);
        for (;;) {
            const std::size_t job = next_job_.fetch_add(1, std::memory_order_relaxed);
            if (job >= jobs()) break;
            run_job(job);
        }
        const std::lock_guard lock(mutex_);
        if (--running_ == 0)
            finished_.notify_all();
        else
            share(running_);
    }

    std::int64_t tune_, total_;
    std::vector<ChainState> states_;
    std::vector<std::string> errors_;
    std::atomic<bool> stop_{false};
    std::atomic<std::size_t> next_job_{0};
    std::mutex mutex_;
    std::condition_variable finished_;
    std::size_t running_ = 0, cores_ = 1;
    std::atomic<std::size_t> row_threads_{1};  // what one evaluation may use
    std::vector<std::thread> threads_;
};

}  // namespace finetti
