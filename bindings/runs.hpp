// What the bindings of all kinds of runs share.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "finetti/adapted.hpp"
#include "finetti/chain_threads.hpp"
#include "finetti/density.hpp"

namespace bindings {

namespace nb = nanobind;

using Point = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Points = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

inline finetti::CompiledFunction function_at(std::uintptr_t address) {
    if (address == 0) throw std::invalid_argument("the address of a compiled function is 0");
    return reinterpret_cast<finetti::CompiledFunction>(address);
}
inline void* pointer_at(std::uintptr_t address) { return reinterpret_cast<void*>(address); }
inline std::vector<void*> pointers_at(const std::vector<std::uintptr_t>& addresses) {
    std::vector<void*> result;
    for (const std::uintptr_t address : addresses) result.push_back(pointer_at(address));
    return result;
}

/// A NumPy array over memory that it keeps alive: no copy.
template <class T>
nb::object shared_array(const std::shared_ptr<T[]>& values, std::initializer_list<std::size_t> shape) {
    auto* keeper = new std::shared_ptr<T[]>(values);
    nb::capsule owner(keeper, [](void* p) noexcept { delete static_cast<std::shared_ptr<T[]>*>(p); });
    return nb::ndarray<nb::numpy, T>(values.get(), shape.size(), shape.begin(), owner).cast();
}

/// What a run was given to begin with, its shapes checked.
inline finetti::GivenAdaptation given_adaptation(const char* who, const std::optional<Points>& metric,
                                                 const std::optional<Points>& dense,
                                                 const std::optional<Point>& steps, std::size_t chains,
                                                 std::size_t n, std::size_t dense_size) {
    finetti::GivenAdaptation given;
    if (metric) {
        if (metric->shape(0) != chains || metric->shape(1) != n)
            throw std::invalid_argument(std::string(who) + ".metric has the shape (" +
                                        std::to_string(metric->shape(0)) + ", " + std::to_string(metric->shape(1)) +
                                        "); it must be (chains, n) = (" + std::to_string(chains) + ", " +
                                        std::to_string(n) + ")");
        given.metric.assign(metric->data(), metric->data() + metric->size());
    }
    if (steps) {
        if (steps->shape(0) != chains)
            throw std::invalid_argument(std::string(who) + ".steps has " + std::to_string(steps->shape(0)) +
                                        " entries; it must have " + std::to_string(chains) + ", one per chain");
        given.steps.assign(steps->data(), steps->data() + steps->size());
    }
    if (dense) given.dense.assign(dense->data(), dense->data() + dense->size());
    given.validate(who, chains, n, dense_size);
    return given;
}

/// start, poll, stop, join and what the threads leave behind.
template <class Run, class... Extra>
void bind_threads(nb::class_<Run, Extra...>& run) {
    using namespace nb::literals;
    run.def("start", &Run::start, "cores"_a, "Starts the chains on this many threads and returns at once.")
        .def(
            "poll",
            [](const Run& r) {
                std::vector<finetti::ChainProgress> result;
                for (std::size_t chain = 0; chain < r.chains(); ++chain) result.push_back(r.progress(chain));
                return result;
            },
            "Where every chain is.")
        .def("stop", &Run::stop, "Asks all chains to end; the draws so far are kept.")
        .def("join", &Run::join, "timeout_seconds"_a = -1.0, nb::call_guard<nb::gil_scoped_release>(),
             "Waits for the chains (negative: for ever); True if all are done.")
        .def_prop_ro(
            "finished",
            [](const Run& r) {
                std::vector<std::int64_t> result;
                for (std::size_t chain = 0; chain < r.chains(); ++chain) result.push_back(r.finished(chain));
                return result;
            },
            "Draws each chain has made, warm-up included.")
        .def_prop_ro("errors", [](const Run& r) { return r.errors(); }, "One message per chain; '' if it went well.");
}

}  // namespace bindings
