// Chunks of rows on several threads: what one evaluation of a large density is cut into.
//
// The pool starts no thread until somebody who may use several of them meets a large model. Its threads spin for a
// moment after a job, since a sampler is soon back with the next, and then sleep. The pool is never taken down: its
// threads hold nothing, take no signals, and go with the process.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "finetti/simd.hpp"

#ifndef _WIN32
#include <csignal>
#include <pthread.h>
#include <unistd.h>
#endif

namespace finetti::rows {

/// One chunk of a job: what the compiler emits.
using Body = void (*)(void* context, std::size_t chunk);

namespace detail {

#ifdef _WIN32
inline long process() noexcept { return 0; }
class SignalsElsewhere {};
#else
inline long process() noexcept { return static_cast<long>(getpid()); }

/// Threads that begin while this lives leave signals to the others: Ctrl-C is Python's.
class SignalsElsewhere {
public:
    SignalsElsewhere() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsElsewhere() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsElsewhere(const SignalsElsewhere&) = delete;
    SignalsElsewhere& operator=(const SignalsElsewhere&) = delete;

private:
    sigset_t before_;
};
#endif

inline void pause_briefly() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

// Some tens of microseconds: as long as a wake-up would take.
inline constexpr int SPINS = 1000;

template <class Ready>
bool spin(Ready ready) noexcept {
    for (int i = 0; i < SPINS; ++i) {
        if (ready()) return true;
        pause_briefly();
    }
    return ready();
}

struct Job {
    Body body;
    void* context;
    std::size_t chunks;
    std::size_t seats;                   // for helpers who have not come yet; the pool's mutex guards it
    std::atomic<std::size_t> next{0};    // the first chunk that nobody has taken
    std::atomic<std::size_t> helpers{0};  // at work; they leave under the mutex

    void work() noexcept {
        for (;;) {
            const std::size_t chunk = next.fetch_add(1, std::memory_order_relaxed);
            if (chunk >= chunks) return;
            body(context, chunk);
        }
    }
};

class Pool {
public:
    const long owner = process();

    void run(Job& job) noexcept {
        const std::size_t seats = job.seats;
        {
            const std::lock_guard lock(mutex_);
            wanted_ += seats;
            if (!hire() || !post(job)) job.seats = 0;
            open_.fetch_add(job.seats, std::memory_order_release);
        }
        for (std::size_t i = 0; i < seats; ++i) work_.notify_one();
        job.work();
        {
            const std::lock_guard lock(mutex_);
            wanted_ -= seats;
            open_.fetch_sub(job.seats, std::memory_order_relaxed);
            jobs_.erase(std::remove(jobs_.begin(), jobs_.end(), &job), jobs_.end());
        }
        const auto alone = [&job] { return job.helpers.load(std::memory_order_acquire) == 0; };
        if (spin(alone)) return;
        std::unique_lock lock(mutex_);
        left_.wait(lock, alone);
    }

private:
    /// As many threads as all present jobs want together; whether there are any.
    bool hire() noexcept {
        try {
            const SignalsElsewhere here;
            for (; threads_ < wanted_; ++threads_) std::thread([this] { serve(); }).detach();
        } catch (const std::system_error&) {
            // The callers do the work of those who could not be had.
        }
        return threads_ > 0;
    }

    bool post(Job& job) noexcept {
        try {
            jobs_.push_back(&job);
            return true;
        } catch (const std::bad_alloc&) {
            return false;
        }
    }

    void serve() noexcept {
        for (;;) {
            spin([this] { return open_.load(std::memory_order_acquire) > 0; });
            std::unique_lock lock(mutex_);
            work_.wait(lock, [this] { return !jobs_.empty(); });
            Job& job = *jobs_.back();
            job.helpers.fetch_add(1, std::memory_order_relaxed);
            open_.fetch_sub(1, std::memory_order_relaxed);
            if (--job.seats == 0) jobs_.pop_back();
            lock.unlock();
            job.work();
            lock.lock();
            // Whoever sees the last one gone may forget the job: it is not touched after this.
            if (job.helpers.fetch_sub(1, std::memory_order_release) == 1) left_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable work_, left_;
    std::vector<Job*> jobs_;              // those with free seats
    std::atomic<std::size_t> open_{0};    // free seats of all jobs, for those who spin
    std::size_t threads_ = 0, wanted_ = 0;  // helpers there are, and helpers that present jobs ask for
};

/// This process's pool. A process that forked begins anew: its threads stayed with the parent.
inline Pool* pool() noexcept {
    static std::atomic<Pool*> shared{nullptr};
    Pool* present = shared.load(std::memory_order_acquire);
    while (present == nullptr || present->owner != process()) {
        Pool* fresh = new (std::nothrow) Pool;
        if (fresh == nullptr) return nullptr;
        if (shared.compare_exchange_strong(present, fresh, std::memory_order_acq_rel)) return fresh;
        delete fresh;
    }
    return present;
}

// What was said of this thread alone, 0 for nothing, and what its run says of all of its threads.
inline thread_local std::size_t own_limit = 0;
inline thread_local const std::atomic<std::size_t>* run_limit = nullptr;

}  // namespace detail

/// How many threads an evaluation on this thread may use, itself included; one unless somebody said otherwise.
[[nodiscard]] inline std::size_t limit() noexcept {
    if (detail::own_limit > 0) return detail::own_limit;
    return detail::run_limit == nullptr ? 1 : detail::run_limit->load(std::memory_order_relaxed);
}

/// Says how many threads evaluations on this thread may use, 0 for nothing; what was said before.
inline std::size_t set_limit(std::size_t threads) noexcept {
    const std::size_t before = detail::own_limit;
    detail::own_limit = threads;
    return before;
}

/// Lets this thread follow its run's number, which may change from now to its end.
inline void follow_limit(const std::atomic<std::size_t>& threads) noexcept { detail::run_limit = &threads; }

/// body(context, i) for every i < chunks, in any order and at the same time.
inline void parallel_for(Body body, void* context, std::size_t chunks) noexcept {
    const std::size_t threads = std::min(limit(), chunks);
    detail::Pool* pool = threads > 1 ? detail::pool() : nullptr;
    if (pool == nullptr) {
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
        return;
    }
    detail::Job job{body, context, chunks, threads - 1};
    pool->run(job);
}

/// out[i] = the sum of partial[c * stride + i] over the chunks c in their order.
FINETTI_MULTIVERSION inline void add_chunks(std::size_t size, std::size_t chunks, std::size_t stride,
                                            const double* partial, double* out) noexcept {
    for (std::size_t i = 0; i < size; ++i) out[i] = partial[i];
    for (std::size_t c = 1; c < chunks; ++c)
        for (std::size_t i = 0; i < size; ++i) out[i] += partial[c * stride + i];
}

}  // namespace finetti::rows
