// The NUTS run, random numbers by address, and services around compiled functions. Nothing here holds the GIL while
// a compiled function runs.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "finetti/compiled_tools.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/nuts_run.hpp"
#include "finetti/philox.hpp"
#include "finetti/random.hpp"
#include "runs.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using bindings::function_at;
using bindings::given_adaptation;
using bindings::Point;
using bindings::pointer_at;
using bindings::Points;
using bindings::pointers_at;
using bindings::shared_array;

/// A run and the Python object that owns the compiled code and its data.
class Run : public finetti::NutsRun {
public:
    Run(const finetti::NutsConfig& config, std::uintptr_t function, const std::vector<std::uintptr_t>& data,
        const Points& initial, std::uint64_t seed, nb::object keep, const std::optional<Points>& metric,
        const std::optional<Point>& steps, const std::optional<Points>& dense)
        : NutsRun(config, function_at(function), pointers_at(data), rows(initial, data.size()), initial.shape(1),
                  seed,
                  given_adaptation("NutsRun", metric, dense, steps, data.size(), initial.shape(1),
                                   config.dense_size())),
          keep_(std::move(keep)) {}
    ~Run() {
        const nb::gil_scoped_release release;
        finish();
    }

private:
    static std::vector<double> rows(const Points& initial, std::size_t chains) {
        if (initial.shape(0) != chains)
            throw std::invalid_argument("NutsRun got " + std::to_string(initial.shape(0)) + " initial points for " +
                                        std::to_string(chains) + " data blocks; both are one per chain");
        return {initial.data(), initial.data() + initial.size()};
    }

    nb::object keep_;
};

nb::object draws_array(const Run& run, const finetti::Phase& phase) {
    return shared_array(phase.values, {run.chains(), phase.stats.draws(), run.dimension()});
}

nb::dict stats_dict(finetti::StatsTable& stats) {
    nb::dict result;
    stats.visit([&](const auto& column) {
        result[nb::str(column.name.data(), column.name.size())] =
            shared_array(column.values, {stats.chains(), stats.draws()});
    });
    return result;
}

nb::dict divergences_dict(const Run& run) {
    std::size_t count = 0;
    for (const auto& list : run.divergences()) count += list.size();
    const std::size_t n = run.dimension();
    const auto chain = finetti::zeroed<std::int64_t>({count});
    const auto draw = finetti::zeroed<std::int64_t>({count});
    const auto error = finetti::zeroed<double>({count});
    const auto start = finetti::zeroed<double>({count, n});
    const auto end = finetti::zeroed<double>({count, n});
    std::size_t row = 0;
    for (std::size_t c = 0; c < run.chains(); ++c)
        for (const finetti::Divergence& divergence : run.divergences()[c]) {
            chain[row] = static_cast<std::int64_t>(c);
            draw[row] = divergence.draw;
            error[row] = divergence.energy_error;
            std::copy_n(divergence.start.data(), n, start.get() + row * n);
            std::copy_n(divergence.end.data(), n, end.get() + row * n);
            ++row;
        }
    nb::dict result;
    result["chain"] = shared_array(chain, {count});
    result["draw"] = shared_array(draw, {count});
    result["energy_error"] = shared_array(error, {count});
    result["start"] = shared_array(start, {count, n});
    result["end"] = shared_array(end, {count, n});
    return result;
}

void bind_config(nb::module_& m) {
    using finetti::NutsConfig;
    nb::class_<NutsConfig>(m, "NutsConfig", "Every knob of a NUTS run; see native/include/finetti/nuts_config.hpp.")
        .def(nb::init<>())
        .def_rw("draws", &NutsConfig::draws)
        .def_rw("tune", &NutsConfig::tune)
        .def_rw("store_warmup", &NutsConfig::store_warmup)
        .def_rw("max_treedepth", &NutsConfig::max_treedepth)
        .def_rw("max_energy_error", &NutsConfig::max_energy_error)
        .def_rw("step_size_jitter", &NutsConfig::step_size_jitter)
        .def_rw("init_jitter", &NutsConfig::init_jitter)
        .def_rw("init_retries", &NutsConfig::init_retries)
        .def_rw("adapt_step_size", &NutsConfig::adapt_step_size)
        .def_rw("initial_step", &NutsConfig::initial_step)
        .def_rw("target_accept", &NutsConfig::target_accept)
        .def_rw("max_step_size", &NutsConfig::max_step_size)
        .def_rw("dual_averaging_gamma", &NutsConfig::dual_averaging_gamma)
        .def_rw("dual_averaging_t0", &NutsConfig::dual_averaging_t0)
        .def_rw("dual_averaging_kappa", &NutsConfig::dual_averaging_kappa)
        .def_rw("adapt_metric", &NutsConfig::adapt_metric)
        .def_rw("early_window", &NutsConfig::early_window)
        .def_rw("step_size_window", &NutsConfig::step_size_window)
        .def_rw("early_window_size", &NutsConfig::early_window_size)
        .def_rw("window_size", &NutsConfig::window_size)
        .def_rw("window_growth", &NutsConfig::window_growth)
        .def_rw("warmup_treedepth", &NutsConfig::warmup_treedepth)
        .def_rw("dense_blocks", &NutsConfig::dense_blocks)
        .def_rw("regularize_dense", &NutsConfig::regularize_dense)
        .def_rw("max_stored_divergences", &NutsConfig::max_stored_divergences)
        .def("validate", &NutsConfig::validate, "Raises ValueError with the first field out of range.");
}

void bind_progress(nb::module_& m) {
    using finetti::ChainProgress;
    nb::class_<ChainProgress>(m, "ChainProgress", "A snapshot of one chain.")
        .def_ro("chain", &ChainProgress::chain)
        .def_ro("finished_draws", &ChainProgress::finished_draws, "Warm-up included.")
        .def_ro("total_draws", &ChainProgress::total_draws, "Warm-up included.")
        .def_ro("tuning", &ChainProgress::tuning)
        .def_ro("started", &ChainProgress::started)
        .def_ro("done", &ChainProgress::done)
        .def_ro("divergences", &ChainProgress::divergences, "Of the kept draws.")
        .def_ro("latest_num_steps", &ChainProgress::latest_num_steps)
        .def_ro("total_num_steps", &ChainProgress::total_num_steps)
        .def_ro("step_size", &ChainProgress::step_size)
        .def_ro("runtime_seconds", &ChainProgress::runtime_seconds);
}

void bind_run(nb::module_& m) {
    nb::class_<Run> run(m, "NutsRun", "All chains of a NUTS run on threads; starts once.");
    run.def(nb::init<const finetti::NutsConfig&, std::uintptr_t, const std::vector<std::uintptr_t>&, const Points&,
                     std::uint64_t, nb::object, const std::optional<Points>&, const std::optional<Point>&,
                     const std::optional<Points>&>(),
            "config"_a, "fn"_a, "data"_a, "initial"_a, "seed"_a, "keep"_a = nb::none(), "metric"_a = nb::none(),
            "steps"_a = nb::none(), "dense"_a = nb::none(),
            "metric: float64[chains, n], variances of x (the diagonal of the inverse mass matrix); steps: "
            "float64[chains]; dense: float64[chains, sum of squares], the matrices of config.dense_blocks one after "
            "another. Kept where nothing is adapted, and where adaptation begins otherwise.")
        .def_prop_ro("draws", [](Run& run) { return draws_array(run, run.sampling()); },
                     "float64[chains, draws, n], shared with the chains.")
        .def_prop_ro("warmup_draws", [](Run& run) { return draws_array(run, run.warmup()); },
                     "float64[chains, tune, n]; no rows unless store_warmup.")
        .def_prop_ro("stats", [](Run& run) { return stats_dict(run.sampling().stats); })
        .def_prop_ro("warmup_stats", [](Run& run) { return stats_dict(run.warmup().stats); })
        .def_prop_ro("divergences", &divergences_dict,
                     "Of the kept draws: chain, draw, energy_error, and the points start and end of the step.")
        .def_prop_ro("last_points",
                     [](const Run& run) { return shared_array(run.last_points(), {run.chains(), run.dimension()}); },
                     "float64[chains, n]: the point last drawn, or tried if no start was found.")
        .def_prop_ro("metric",
                     [](const Run& run) {
                         return shared_array(run.adapted().metric(), {run.chains(), run.dimension()});
                     },
                     "float64[chains, n]: the variances at the end; 0 in chains that did not begin.")
        .def_prop_ro("dense_metric",
                     [](const Run& run) {
                         return shared_array(run.adapted().dense(), {run.chains(), run.adapted().dense_size()});
                     },
                     "float64[chains, sum of squares]: the matrices of the dense blocks at the end.")
        .def_prop_ro("step_sizes",
                     [](const Run& run) { return shared_array(run.adapted().steps(), {run.chains()}); },
                     "float64[chains]: the step sizes at the end, before jitter.")
        .def_prop_ro("gradients", [](const Run& run) { return run.gradients(); },
                     "Gradients each chain has taken: start, search, warm-up and draws.");
    bindings::bind_threads(run);
    bindings::bind_threads(run);
}

void bind_random(nb::module_& m) {
    m.def("philox4x32", &finetti::philox4x32, "counter"_a, "key"_a, "One block of Philox4x32-10.");
    m.def(
        "uniforms",
        [](std::uint64_t seed, std::uint64_t chain, std::uint64_t draw, std::uint32_t purpose, std::size_t n) {
            const auto values = finetti::zeroed<double>({n});
            finetti::UniformStream stream({seed, chain, draw, purpose});
            for (std::size_t i = 0; i < n; ++i) values[i] = stream.next();
            return shared_array(values, {n});
        },
        "seed"_a, "chain"_a, "draw"_a, "purpose"_a, "n"_a, "Uniforms on [0, 1) of an address.");
    m.def(
        "normals",
        [](std::uint64_t seed, std::uint64_t chain, std::uint64_t draw, std::uint32_t purpose, std::size_t n) {
            const auto values = finetti::zeroed<double>({n});
            finetti::fill_normals({seed, chain, draw, purpose}, values.get(), n);
            return shared_array(values, {n});
        },
        "seed"_a, "chain"_a, "draw"_a, "purpose"_a, "n"_a, "Standard normals of an address.");
}

void bind_tools(nb::module_& m) {
    m.def(
        "map_rows",
        [](std::uintptr_t fn, std::uintptr_t data, const Points& x, std::size_t size) {
            const std::size_t rows = x.shape(0);
            const auto out = finetti::zeroed<double>({rows, size});
            int status = 0;
            {
                const nb::gil_scoped_release release;
                status = finetti::map_rows(function_at(fn), pointer_at(data), x.data(), rows, x.shape(1), out.get(),
                                           size);
            }
            if (status != 0)
                throw std::runtime_error("a compiled function returned the error code " + std::to_string(status));
            return shared_array(out, {rows, size});
        },
        "fn"_a, "data"_a, "x"_a, "size"_a, "A compiled map over the rows of x: float64[rows, size].");
    m.def(
        "evaluate",
        [](std::uintptr_t fn, std::uintptr_t data, const Point& x) {
            const std::size_t n = x.shape(0);
            const auto gradient = finetti::zeroed<double>({n});
            double lp = 0.0;
            int status = 0;
            {
                const nb::gil_scoped_release release;
                status = function_at(fn)(n, x.data(), gradient.get(), &lp, pointer_at(data));
            }
            return nb::make_tuple(status, lp, shared_array(gradient, {n}));
        },
        "fn"_a, "data"_a, "x"_a, "(status, log density, gradient) of a compiled density.");
    m.def(
        "time_density",
        [](std::uintptr_t fn, std::uintptr_t data, const Point& x, std::size_t repeats) {
            if (repeats == 0) throw std::invalid_argument("time_density got repeats=0; it must be at least 1");
            const nb::gil_scoped_release release;
            return finetti::time_density(function_at(fn), pointer_at(data), x.data(), x.shape(0), repeats);
        },
        "fn"_a, "data"_a, "x"_a, "repeats"_a, "Seconds of CPU per call, in a native loop.");
}

}  // namespace

void bind_sampler(nb::module_& m) {
    bind_config(m);
    bind_progress(m);
    bind_run(m);
    bind_random(m);
    bind_tools(m);
}
