// Convergence diagnostics on float64[chains, draws, parameters]; the GIL is released while they are computed.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "finetti/describe.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Draws = nb::ndarray<const double, nb::ndim<3>, nb::device::cpu>;
using Energies = nb::ndarray<const double, nb::ndim<2>, nb::device::cpu>;
using Requests = std::vector<finetti::MeasureRequest>;

finetti::DrawsView view_of(const Draws& draws) {
    return {draws.data(),    draws.shape(0),  draws.shape(1), draws.shape(2),
            draws.stride(0), draws.stride(1), draws.stride(2)};
}

nb::object as_numpy(std::unique_ptr<double[]> values, std::vector<std::size_t> shape) {
    nb::capsule owner(values.get(), [](void* p) noexcept { delete[] static_cast<double*>(p); });
    double* data = values.release();
    return nb::ndarray<nb::numpy, double>(data, shape.size(), shape.data(), owner).cast();
}

std::unique_ptr<double[]> compute(const Draws& draws, const Requests& requests, std::size_t threads) {
    const finetti::DrawsView view = view_of(draws);
    auto out = std::make_unique<double[]>(std::max<std::size_t>(1, requests.size() * view.parameters));
    nb::gil_scoped_release released;
    finetti::describe(view, requests, threads, out.get());
    return out;
}

nb::object describe(const Draws& draws, const std::vector<std::pair<std::string, double>>& names, std::size_t threads) {
    Requests requests;
    for (const auto& [name, prob] : names) requests.push_back(finetti::request(name, prob));
    return as_numpy(compute(draws, requests, threads), {requests.size(), draws.shape(2)});
}

nb::object bfmi(const Energies& energy) {
    const std::size_t chains = energy.shape(0);
    auto out = std::make_unique<double[]>(std::max<std::size_t>(1, chains));
    for (std::size_t c = 0; c < chains; ++c)
        out[c] = finetti::bfmi(energy.data() + static_cast<std::ptrdiff_t>(c) * energy.stride(0), energy.shape(1),
                               energy.stride(1));
    return as_numpy(std::move(out), {chains});
}

}  // namespace

void bind_diagnostics(nb::module_& m) {
    m.def("describe", &describe, "draws"_a, "measures"_a, "threads"_a = 0,
          "Several (name, prob) measures of every parameter: float64[measures, parameters].");
    m.def(
        "measures",
        [] {
            std::vector<std::pair<std::string, bool>> rows;
            for (const auto& measure : finetti::measures) rows.emplace_back(measure.name, measure.takes_prob);
            return rows;
        },
        "The names that `describe` knows, and whether each one takes a probability.");
    m.def("bfmi", &bfmi, "energy"_a, "E-BFMI of every chain of float64[chains, draws].");

    // every measure is also a function of its own: float64[chains, draws, parameters] -> float64[parameters]
    for (const auto& measure : finetti::measures) {
        const auto* row = &measure;
        if (measure.takes_prob) {
            m.def(
                measure.name.data(),
                [row](const Draws& draws, double prob, std::size_t threads) {
                    return as_numpy(compute(draws, {finetti::request(row->name, prob)}, threads), {draws.shape(2)});
                },
                "draws"_a, "prob"_a, "threads"_a = 0);
        } else {
            m.def(
                measure.name.data(),
                [row](const Draws& draws, std::size_t threads) {
                    return as_numpy(compute(draws, {{row, 0.0}}, threads), {draws.shape(2)});
                },
                "draws"_a, "threads"_a = 0);
        }
    }
}
