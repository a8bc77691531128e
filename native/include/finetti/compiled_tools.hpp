// Small services around a compiled function: evaluate it over rows, time it.
#pragma once

#include <cstddef>
#include <ctime>
#include <vector>

#include "finetti/density.hpp"

namespace finetti {

/// out[i] = function(x[i]) for every row; returns the first error code, or 0.
inline int map_rows(CompiledFunction function, void* data, const double* x, std::size_t rows, std::size_t n,
                    double* out, std::size_t m) {
    double lp = 0.0;
    for (std::size_t i = 0; i < rows; ++i) {
        const int status = function(n, x + i * n, out + i * m, &lp, data);
        if (status != 0) return status;
    }
    return 0;
}

/// Seconds of this thread's CPU time.
inline double thread_cpu_seconds() noexcept {
#ifdef CLOCK_THREAD_CPUTIME_ID
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
#else
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
#endif
}

/// Mean seconds per call over `repeats` calls in a native loop.
inline double time_density(CompiledFunction function, void* data, const double* x, std::size_t n,
                           std::size_t repeats) {
    std::vector<double> gradient(n + 1);
    double lp = 0.0;
    const double start = thread_cpu_seconds();
    for (std::size_t i = 0; i < repeats; ++i) function(n, x, gradient.data(), &lp, data);
    return (thread_cpu_seconds() - start) / static_cast<double>(repeats);
}

}  // namespace finetti
