// The steps of a compound and the run that goes through them. The GIL is taken for a Python step's call only.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bindings.hpp"
#include "finetti/steps/binary.hpp"
#include "finetti/steps/callback.hpp"
#include "finetti/steps/categorical.hpp"
#include "finetti/steps/de_metropolis.hpp"
#include "finetti/steps/hamiltonian.hpp"
#include "finetti/steps/metropolis.hpp"
#include "finetti/steps/run.hpp"
#include "finetti/steps/slice.hpp"
#include "runs.hpp"

namespace nb = nanobind;
namespace steps = finetti::steps;
using namespace nb::literals;
using bindings::Point;
using bindings::Points;
using bindings::shared_array;

namespace {

template <class T>
nb::class_<T, steps::Step> step_class(nb::module_& m, const char* name, const char* doc) {
    nb::class_<T, steps::Step> step(m, name, doc);
    step.def(
        "__init__",
        [](T* self, std::uintptr_t fn, const std::vector<std::uintptr_t>& data, std::vector<std::size_t> index) {
            new (self) T(reinterpret_cast<finetti::CompiledFunction>(fn), bindings::pointers_at(data),
                         std::move(index));
        },
        "fn"_a, "data"_a, "index"_a);
    return step;
}

/// A field whose values have names, as a string.
template <class T, class Holder, class Enum, std::size_t size>
void bind_choice(nb::class_<T, steps::Step>& step, const char* field, Enum Holder::*member,
                 const std::array<std::string_view, size>& names) {
    step.def_prop_rw(
        field, [member, &names](const T& self) { return std::string(names[static_cast<std::size_t>(self.*member)]); },
        [member, &names, field](T& self, const std::string& value) {
            const auto found = std::find(names.begin(), names.end(), value);
            if (found == names.end()) {
                std::string expected;
                for (const std::string_view name : names)
                    expected += (expected.empty() ? "" : ", ") + std::string(name);
                throw std::invalid_argument(std::string(self.kind()) + "." + field + " is '" + value +
                                            "'; it must be one of " + expected);
            }
            self.*member = static_cast<Enum>(found - names.begin());
        });
}

template <class T>
void bind_elements(nb::class_<T, steps::Step>& step) {
    step.def_rw("elementwise", &T::elementwise, "The function gives one log density per element.")
        .def_rw("colors", &T::colors, "Elements of one colour move at once; empty: all.");
}
template <class T>
void bind_order(nb::class_<T, steps::Step>& step) {
    step.def_rw("order", &T::order, "Of the elements; empty: shuffled at every draw.");
}

void bind_base(nb::module_& m) {
    nb::class_<steps::Step>(m, "Step", "What moves some elements of x, the others fixed.")
        .def_ro("index", &steps::Step::index)
        .def_rw("name", &steps::Step::name, "In messages.")
        .def("validate", &steps::Step::validate, "Raises ValueError with the first field out of range.");
}

void bind_metropolis(nb::module_& m) {
    using steps::MetropolisStep;
    auto step = step_class<MetropolisStep>(m, "MetropolisStep", "Random-walk Metropolis.");
    bind_elements(step);
    bind_choice(step, "proposal", &MetropolisStep::proposal, steps::proposal_names);
    step.def_rw("one_at_a_time", &MetropolisStep::one_at_a_time, "Elements move one after another, though joint.")
        .def_rw("scale", &MetropolisStep::scale, "Per element, or a lower Cholesky factor by rows; empty: 1.")
        .def_rw("scaling", &MetropolisStep::scaling)
        .def_rw("tune", &MetropolisStep::tune)
        .def_rw("tune_interval", &MetropolisStep::tune_interval)
        .def_rw("discrete", &MetropolisStep::discrete, "Whose steps are rounded; empty: none.");
}

void bind_binary(nb::module_& m) {
    using steps::BinaryGibbsStep;
    using steps::BinaryMetropolisStep;
    step_class<BinaryMetropolisStep>(m, "BinaryMetropolisStep", "Metropolis of a block of zeros and ones.")
        .def_rw("scaling", &BinaryMetropolisStep::scaling, "An element flips with probability 1 - 0.5^scaling.")
        .def_rw("tune", &BinaryMetropolisStep::tune)
        .def_rw("tune_interval", &BinaryMetropolisStep::tune_interval);
    auto gibbs = step_class<BinaryGibbsStep>(m, "BinaryGibbsStep", "Zeros and ones flip by themselves.");
    bind_elements(gibbs);
    bind_order(gibbs);
    gibbs.def_rw("transit_p", &BinaryGibbsStep::transit_p, "Probability of proposing to flip.");
}

void bind_categorical(nb::module_& m) {
    using steps::CategoricalGibbsStep;
    auto step = step_class<CategoricalGibbsStep>(m, "CategoricalGibbsStep", "Gibbs updates of whole numbers below K.");
    bind_elements(step);
    bind_order(step);
    bind_choice(step, "proposal", &CategoricalGibbsStep::proposal, steps::categorical_proposal_names);
    step.def_rw("categories", &CategoricalGibbsStep::categories, "K of every element.");
}

void bind_slice(nb::module_& m) {
    using steps::SliceStep;
    auto step = step_class<SliceStep>(m, "SliceStep", "Slice sampling of every element by itself.");
    bind_elements(step);
    step.def_rw("w", &SliceStep::w, "Widths of the first intervals, per element; empty: 1.")
        .def_rw("tune", &SliceStep::tune)
        .def_rw("max_steps", &SliceStep::max_steps, "Of stepping out; 0: any number.")
        .def_rw("iter_limit", &SliceStep::iter_limit, "More iterations are an error; 0: any number.");
}

template <class T>
nb::class_<T, steps::Step> differential_class(nb::module_& m, const char* name, const char* doc) {
    auto step = step_class<T>(m, name, doc);
    bind_choice(step, "tune", &T::tune, steps::tune_target_names);
    bind_choice(step, "proposal", &T::proposal, steps::proposal_names);
    step.def_rw("lamb", &T::lamb, "0: 2.38 / sqrt(2 size).")
        .def_rw("scaling", &T::scaling)
        .def_rw("scale", &T::scale, "Of epsilon.")
        .def_rw("tune_interval", &T::tune_interval);
    return step;
}

void bind_differential(nb::module_& m) {
    differential_class<steps::DEMetropolisStep>(m, "DEMetropolisStep", "Jumps along differences of other chains.");
    differential_class<steps::DEMetropolisZStep>(m, "DEMetropolisZStep", "Jumps along differences of the past.")
        .def_rw("tune_drop_fraction", &steps::DEMetropolisZStep::tune_drop_fraction);
}

void bind_hamiltonian(nb::module_& m) {
    using steps::HamiltonianStep;
    auto step = step_class<HamiltonianStep>(m, "HamiltonianStep", "NUTS, or HMC with a fixed path length.");
    step.def_prop_rw(
            "config", [](const HamiltonianStep& self) { return self.config; },
            [](HamiltonianStep& self, const finetti::NutsConfig& config) { self.set(config, std::move(self.given)); },
            "Its draws, tune and store_warmup are the run's; to be set before start_with.")
        .def_rw("static", &HamiltonianStep::static_path, "HMC with path_length and max_steps instead of NUTS.")
        .def_rw("path_length", &HamiltonianStep::path_length)
        .def_rw("max_steps", &HamiltonianStep::max_steps)
        .def(
            "start_with",
            [](HamiltonianStep& self, const std::optional<Points>& metric, const std::optional<Point>& sizes,
               const std::optional<Points>& dense) {
                self.given = bindings::given_adaptation("HamiltonianStep", metric, dense, sizes, self.data.size(),
                                                        self.size(), self.config.dense_size());
            },
            "metric"_a = nb::none(), "steps"_a = nb::none(), "dense"_a = nb::none(),
            "Variances [chains, size] and step sizes [chains] to begin with, as those of NutsRun.")
        .def_prop_ro("metric",
                     [](const HamiltonianStep& self) {
                         return shared_array(self.adapted.metric(), {self.data.size(), self.size()});
                     },
                     "float64[chains, size]: the variances at the end of the run.")
        .def_prop_ro("dense_metric",
                     [](const HamiltonianStep& self) {
                         return shared_array(self.adapted.dense(), {self.data.size(), self.adapted.dense_size()});
                     },
                     "float64[chains, sum of squares]: the matrices of the dense blocks at the end of the run.")
        .def_prop_ro("step_sizes",
                     [](const HamiltonianStep& self) {
                         return shared_array(self.adapted.steps(), {self.data.size()});
                     },
                     "float64[chains]: the step sizes at the end of the run, before jitter.");
}

/// call(chain, draw, tuning, x) -> x, or (x, {name: value}).
class PythonCall {
public:
    PythonCall(nb::callable call, const steps::CallbackStep& step) : call_(std::move(call)), step_(step) {}

    void operator()(std::uint64_t chain, const steps::Moment& moment, const double* x, double* moved,
                    std::size_t size, double* stats) const {
        const nb::gil_scoped_acquire gil;
        try {
            const auto copy = finetti::zeroed<double>({size});
            std::copy_n(x, size, copy.get());
            nb::object result = call_(chain, moment.draw, moment.tuning, shared_array(copy, {size}));
            std::fill_n(stats, step_.names.size(), std::numeric_limits<double>::quiet_NaN());
            if (nb::isinstance<nb::tuple>(result)) {
                const auto pair = nb::cast<std::pair<nb::object, nb::dict>>(result);
                read_stats(pair.second, stats);
                result = pair.first;
            }
            const auto point = nb::cast<bindings::Point>(result);
            if (point.shape(0) != size)
                throw std::runtime_error("the call returned " + std::to_string(point.shape(0)) +
                                         " values; x has " + std::to_string(size));
            std::copy_n(point.data(), size, moved);
        } catch (const nb::python_error& error) {
            throw std::runtime_error(error.what());  // the traceback as text: no Python object leaves the GIL
        } catch (const nb::cast_error&) {
            throw std::runtime_error("the call must return x as float64[" + std::to_string(size) +
                                     "], or a tuple of x and a dict of statistics");
        }
    }

private:
    void read_stats(const nb::dict& values, double* stats) const {
        for (const auto& [key, value] : values) {
            const auto name = nb::cast<std::string>(key);
            const auto found = std::find(step_.names.begin(), step_.names.end(), name);
            if (found == step_.names.end())
                throw std::runtime_error("the call returned a statistic '" + name +
                                         "' that PythonStep.stats does not list");
            stats[found - step_.names.begin()] = nb::cast<double>(nb::float_(value));
        }
    }

    nb::callable call_;
    const steps::CallbackStep& step_;
};

void bind_python(nb::module_& m) {
    using steps::CallbackStep;
    auto step = step_class<CallbackStep>(m, "PythonStep", "call(chain, draw, tuning, x) -> x, or (x, statistics).");
    step.def_prop_rw(
            "call", [](const CallbackStep& self) { return static_cast<bool>(self.call); },
            [](CallbackStep& self, nb::callable call) { self.call = PythonCall(std::move(call), self); },
            "The function; reads as whether there is one.")
        .def_rw("stats", &CallbackStep::names, "Names of the statistics that call returns; floats.");
}

/// A run and the Python object that owns the compiled code and its data. (Bound types need names of their own.)
class CompoundRun : public steps::StepRun {
public:
    CompoundRun(const std::vector<std::shared_ptr<steps::Step>>& list, std::int64_t draws, std::int64_t tune,
        bool store_warmup, const Points& initial, std::uint64_t seed, nb::object keep)
        : StepRun({list.begin(), list.end()}, {draws, tune, store_warmup, seed},
                  {initial.data(), initial.data() + initial.size()}, initial.shape(0), initial.shape(1)),
          keep_(std::move(keep)) {}
    ~CompoundRun() {
        const nb::gil_scoped_release release;
        finish();
    }

private:
    nb::object keep_;
};

nb::object draws_array(const CompoundRun& run, const steps::StepPhase& phase) {
    return shared_array(phase.values, {run.chains(), phase.draws, run.dimension()});
}

nb::list stats_list(const CompoundRun& run, const steps::StepPhase& phase) {
    nb::list result;
    for (const auto& arrays : phase.stats) {
        nb::dict stats;
        for (const steps::StatArray& array : arrays)
            stats[nb::str(array.name.c_str())] = std::visit(
                [&](const auto& values) { return shared_array(values, {run.chains(), phase.draws}); }, array.values);
        result.append(stats);
    }
    return result;
}

void bind_run(nb::module_& m) {
    nb::class_<CompoundRun> run(m, "StepRun", "All chains of a run of several steps on threads; starts once.");
    run.def(nb::init<const std::vector<std::shared_ptr<steps::Step>>&, std::int64_t, std::int64_t, bool,
                     const Points&, std::uint64_t, nb::object>(),
            "steps"_a, "draws"_a, "tune"_a, "store_warmup"_a, "initial"_a, "seed"_a, "keep"_a = nb::none())
        .def_prop_ro("draws", [](const CompoundRun& r) { return draws_array(r, r.sampling()); },
                     "float64[chains, draws, n], shared with the chains.")
        .def_prop_ro("warmup_draws", [](const CompoundRun& r) { return draws_array(r, r.warmup()); },
                     "float64[chains, tune, n]; no rows unless store_warmup.")
        .def_prop_ro("stats", [](const CompoundRun& r) { return stats_list(r, r.sampling()); },
                     "Per step: name -> array[chains, draws].")
        .def_prop_ro("warmup_stats", [](const CompoundRun& r) { return stats_list(r, r.warmup()); })
        .def_prop_ro("last_points",
                     [](const CompoundRun& r) { return shared_array(r.points(), {r.chains(), r.dimension()}); },
                     "float64[chains, n]: where the chains are, or were when they failed.")
        .def_prop_ro("gradients", [](const CompoundRun& r) { return r.evaluations(); },
                     "Evaluations of all steps' functions, per chain.");
    bindings::bind_threads(run);
}

}  // namespace

void bind_steps(nb::module_& m) {
    bind_base(m);
    bind_metropolis(m);
    bind_binary(m);
    bind_categorical(m);
    bind_slice(m);
    bind_differential(m);
    bind_hamiltonian(m);
    bind_python(m);
    bind_run(m);
}
