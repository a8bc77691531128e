// The core behind a C interface, without Python: what the tests need to look inside it, and to compile it broken.
//     g++ -std=c++20 -O2 -shared -fPIC -Inative/include [-DFINETTI_MUTATE_...] native/tests/harness.cpp
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "finetti/dense_windows.hpp"
#include "finetti/hamiltonian.hpp"
#include "finetti/metric.hpp"
#include "finetti/nuts_run.hpp"
#include "finetti/phase_point.hpp"
#include "finetti/warmup.hpp"

using finetti::CompiledDensity;
using finetti::CompiledFunction;

struct SampleRequest {
    CompiledFunction function;
    void* data;
    std::size_t dimension, chains, cores;
    std::uint64_t seed;
    std::int64_t draws, tune;
    double step;  // > 0: fixed step size and identity metric
    double step_size_jitter;
};

extern "C" {

/// Runs NUTS from `initial`, without jitter of the start; fills draws, and leapfrogs and step sizes per draw.
int harness_sample(const SampleRequest* request, const double* initial, double* draws, std::int64_t* steps,
                   double* step_sizes) {
    finetti::NutsConfig config;
    config.draws = request->draws;
    config.tune = request->tune;
    config.init_jitter = 0.0;
    config.step_size_jitter = request->step_size_jitter;
    if (request->step > 0) {
        config.initial_step = request->step;
        config.adapt_step_size = config.adapt_metric = false;
    }
    const std::size_t n = request->dimension, chains = request->chains;
    finetti::NutsRun run(config, request->function, std::vector<void*>(chains, request->data),
                         {initial, initial + chains * n}, n, request->seed);
    run.start(request->cores);
    run.join(-1);
    const std::size_t rows = chains * static_cast<std::size_t>(config.draws);
    std::copy_n(run.sampling().values.get(), rows * n, draws);
    run.sampling().stats.visit([&](const auto& column) {
        if (column.name == "n_steps") std::memcpy(steps, column.values.get(), rows * sizeof *steps);
        if (column.name == "step_size") std::memcpy(step_sizes, column.values.get(), rows * sizeof *step_sizes);
    });
    const auto failed = [](const std::string& error) { return !error.empty(); };
    return static_cast<int>(std::count_if(run.errors().begin(), run.errors().end(), failed));
}

/// `steps` leapfrogs of size epsilon with inverse mass `variance`; x and p in place, energies[steps + 1] out.
void harness_leapfrog(CompiledFunction function, void* data, std::size_t n, const double* variance, double epsilon,
                      std::size_t steps, double* x, double* p, double* energies) {
    CompiledDensity density(function, data, n);
    finetti::Hamiltonian<CompiledDensity> hamiltonian(density);
    for (std::size_t i = 0; i < n; ++i) hamiltonian.metric().set(i, variance[i], 0.0);
    finetti::PhasePool pool(3, n);
    finetti::PointRef from = pool.take(), to = pool.take();
    std::copy_n(x, n, from->x);
    std::copy_n(p, n, from->p);
    hamiltonian.evaluate(*from);
    double kinetic = 0.0;
    for (std::size_t i = 0; i < n; ++i) kinetic += 0.5 * variance[i] * p[i] * p[i];
    energies[0] = kinetic - from->logp;
    for (std::size_t step = 1; step <= steps; ++step) {
        hamiltonian.leapfrog(*from, *to, epsilon);
        energies[step] = to->energy;
        std::swap(from, to);
    }
    std::copy_n(from->x, n, x);
    std::copy_n(from->p, n, p);
}

/// The same there and back with a dense block, from a momentum of its own: x in place; start and end are x and p of the
/// first point and of the last one.
void harness_dense_leapfrog(CompiledFunction function, void* data, std::size_t n, const double* variance,
                            std::size_t size, const std::size_t* index, const double* matrix, double epsilon,
                            std::size_t steps, const double* x, double* start, double* end, double* energies) {
    CompiledDensity density(function, data, n);
    finetti::Hamiltonian<CompiledDensity> hamiltonian(density, {{index, index + size}});
    for (std::size_t i = 0; i < n; ++i) hamiltonian.metric().set(i, variance[i], 0.0);
    hamiltonian.blocks()[0].set(matrix, nullptr);
    finetti::PhasePool pool(3, n, hamiltonian.vectors_of_point());
    finetti::PointRef from = pool.take(), to = pool.take();
    std::copy_n(x, n, from->x);
    hamiltonian.evaluate(*from);
    hamiltonian.refresh_momentum(*from, {1, 0, 0, finetti::Purpose::momentum});
    const auto copy = [n](const finetti::PhasePoint& point, double* where) {
        std::copy_n(point.x, n, where);
        std::copy_n(point.p, n, where + n);
    };
    copy(*from, start);
    energies[0] = from->energy;
    for (std::size_t step = 1; step <= 2 * steps; ++step) {
        hamiltonian.leapfrog(*from, *to, step <= steps ? epsilon : -epsilon);
        energies[step] = to->energy;
        std::swap(from, to);
    }
    copy(*from, end);
}

/// The matrix of a dense block by rows of draws and scores; 0 where they give none.
int harness_dense_fit(std::size_t rows, std::size_t n, const double* x, const double* g, int regularize,
                      double* matrix) {
    std::vector<std::size_t> index(n);
    for (std::size_t i = 0; i < n; ++i) index[i] = i;
    finetti::DenseBlock block(index);
    finetti::DenseWindows windows(n, regularize != 0);
    for (std::size_t r = 0; r < rows; ++r) windows.add(block, x + r * n, g + r * n);
    if (!windows.fit(block)) return 0;
    block.read(nullptr, matrix);
    return 1;
}

/// `rows` momenta of a dense block.
void harness_dense_momenta(std::size_t n, const double* matrix, std::size_t rows, double* p, double* v) {
    std::vector<std::size_t> index(n);
    for (std::size_t i = 0; i < n; ++i) index[i] = i;
    finetti::DenseBlock block(index);
    block.set(matrix, nullptr);
    std::vector<double> z(n);
    for (std::size_t r = 0; r < rows; ++r) {
        finetti::fill_normals({1, 0, r, finetti::Purpose::momentum}, z.data(), n);
        block.refresh(z.data(), p + r * n, v + r * n);
    }
}

/// Moments of rows of draws and scores, and the metric they give.
void harness_moments(std::size_t rows, std::size_t n, const double* x, const double* g, double* mean_x,
                     double* squares_x, double* variance, double* mean) {
    finetti::ScoreMoments moments(n);
    // Rows of a user's array are not padded, the sampler's are.
    finetti::Arena padded_row(2, n);
    for (std::size_t r = 0; r < rows; ++r) {
        std::copy_n(x + r * n, n, padded_row.vector(0));
        std::copy_n(g + r * n, n, padded_row.vector(1));
        moments.add(padded_row.vector(0), padded_row.vector(1));
    }
    finetti::DiagonalMetric metric(n);
    moments.fit(metric, n);
    std::copy_n(moments.mean_x(), n, mean_x);
    std::copy_n(moments.squares_x(), n, squares_x);
    std::copy_n(metric.variance(), n, variance);
    std::copy_n(metric.mean(), n, mean);
}

/// The metric's first guess at a point with this gradient.
void harness_initial_metric(std::size_t n, const double* x, const double* g, double* variance) {
    finetti::DiagonalMetric metric(n);
    finetti::Arena scratch(1, n);
    metric.initialise(x, g, scratch.vector(0));
    std::copy_n(metric.variance(), n, variance);
}

/// For each warm-up draw: 1 if the windows switch there, + 2 if it is late; every draw counts. -1 after the end.
void harness_schedule(std::int64_t tune, std::int32_t* decisions) {
    finetti::NutsConfig config;
    config.tune = tune;
    finetti::WindowSchedule schedule(config);
    std::int64_t background = 1;  // the start
    for (std::int64_t draw = 0; draw < tune; ++draw) {
        if (!schedule.learns_metric(draw)) {
            decisions[draw] = -1;
            continue;
        }
        const auto decision = schedule.decide(draw, ++background);
        if (decision.switch_windows) background = 0;
        decisions[draw] = (decision.switch_windows ? 1 : 0) + (decision.is_late ? 2 : 0);
    }
}

/// Dual averaging against a made-up acceptance exp(-step / scale): the averaged step after `updates`.
double harness_dual_averaging(double target, double scale, std::int64_t updates) {
    finetti::NutsConfig config;
    config.target_accept = target;
    finetti::DualAveraging averaging(config);
    for (std::int64_t i = 0; i < updates; ++i) averaging.update(std::exp(-averaging.step() / scale));
    return averaging.averaged();
}

}  // extern "C"
