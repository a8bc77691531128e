// Any set of diagnostics for every parameter of an array of draws, in one call.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "finetti/diagnostics.hpp"

namespace finetti {

// Draws of `parameters` scalars; strides count doubles, so a slice of the sampler's array needs no copy.
struct DrawsView {
    const double* data;
    std::size_t chains, draws, parameters;
    std::ptrdiff_t chain_stride, draw_stride, parameter_stride;
};

// One row of the table of measures; `prob` is ignored by those that take none.
struct Measure {
    std::string_view name;
    bool takes_prob;
    double (*value)(ParameterDiagnostics&, double prob);
};

inline constexpr std::array measures = {
    Measure{"mean", false, [](ParameterDiagnostics& d, double) { return d.mean(); }},
    Measure{"sd", false, [](ParameterDiagnostics& d, double) { return d.sd(); }},
    Measure{"median", false, [](ParameterDiagnostics& d, double) { return d.median(); }},
    Measure{"mad", false, [](ParameterDiagnostics& d, double) { return d.mad(); }},
    Measure{"quantile", true, [](ParameterDiagnostics& d, double prob) { return d.quantile(prob); }},
    Measure{"hdi_lower", true, [](ParameterDiagnostics& d, double prob) { return d.hdi(prob).first; }},
    Measure{"hdi_upper", true, [](ParameterDiagnostics& d, double prob) { return d.hdi(prob).second; }},
    Measure{"rhat", false, [](ParameterDiagnostics& d, double) { return d.rhat(); }},
    Measure{"ess_bulk", false, [](ParameterDiagnostics& d, double) { return d.ess_bulk(); }},
    Measure{"ess_tail", true, [](ParameterDiagnostics& d, double prob) { return d.ess_tail(prob); }},
    Measure{"ess_mean", false, [](ParameterDiagnostics& d, double) { return d.ess_mean(); }},
    Measure{"ess_sd", false, [](ParameterDiagnostics& d, double) { return d.ess_sd(); }},
    Measure{"ess_median", false, [](ParameterDiagnostics& d, double) { return d.ess_quantile(0.5); }},
    Measure{"ess_quantile", true, [](ParameterDiagnostics& d, double prob) { return d.ess_quantile(prob); }},
    Measure{"mcse_mean", false, [](ParameterDiagnostics& d, double) { return d.mcse_mean(); }},
    Measure{"mcse_sd", false, [](ParameterDiagnostics& d, double) { return d.mcse_sd(); }},
    Measure{"mcse_median", false, [](ParameterDiagnostics& d, double) { return d.mcse_quantile(0.5); }},
    Measure{"mcse_quantile", true, [](ParameterDiagnostics& d, double prob) { return d.mcse_quantile(prob); }},
};

struct MeasureRequest {
    const Measure* measure;
    double prob;
};

inline MeasureRequest request(std::string_view name, double prob) {
    const auto* found = std::find_if(measures.begin(), measures.end(), [&](const Measure& m) { return m.name == name; });
    if (found == measures.end()) {
        std::string known;
        for (const Measure& m : measures) known += (known.empty() ? "" : ", ") + std::string(m.name);
        throw std::invalid_argument("unknown diagnostic '" + std::string(name) + "'; known: " + known);
    }
    if (found->takes_prob && !(prob >= 0 && prob <= 1))
        throw std::invalid_argument(std::string(name) + ": prob must lie in [0, 1], got " + std::to_string(prob));
    return {found, prob};
}

namespace detail {

// Parameters are gathered eight at a time: in C order those eight share the cache lines that are read.
inline constexpr std::size_t gather_width = 8;

class DescribeWorker {
  public:
    explicit DescribeWorker(const DrawsView& view)
        : view_(view), block_(std::min(gather_width, view.parameters) * view.chains * view.draws),
          diagnostics_(view.chains, view.draws) {}

    void block(std::size_t first, std::span<const MeasureRequest> requests, double* out) noexcept {
        const std::size_t width = std::min(gather_width, view_.parameters - first);
        gather(first, width);
        for (std::size_t p = 0; p < width; ++p) {
            diagnostics_.load(block_.data() + p * view_.chains * view_.draws);
            for (std::size_t i = 0; i < requests.size(); ++i)
                out[i * view_.parameters + first + p] = requests[i].measure->value(diagnostics_, requests[i].prob);
        }
    }

  private:
    void gather(std::size_t first, std::size_t width) noexcept {
        const std::size_t size = view_.chains * view_.draws;
        std::size_t row = 0;
        for (std::size_t c = 0; c < view_.chains; ++c) {
            for (std::size_t d = 0; d < view_.draws; ++d, ++row) {
                const double* from = view_.data + static_cast<std::ptrdiff_t>(c) * view_.chain_stride +
                                     static_cast<std::ptrdiff_t>(d) * view_.draw_stride +
                                     static_cast<std::ptrdiff_t>(first) * view_.parameter_stride;
                for (std::size_t p = 0; p < width; ++p)
                    block_[p * size + row] = from[static_cast<std::ptrdiff_t>(p) * view_.parameter_stride];
            }
        }
    }

    DrawsView view_;
    std::vector<double> block_;
    ParameterDiagnostics diagnostics_;
};

}  // namespace detail

// Writes out[request][parameter]. `threads` = 0 takes one a core, but never more than there are blocks of parameters.
inline void describe(const DrawsView& view, std::span<const MeasureRequest> requests, std::size_t threads, double* out) {
    const std::size_t blocks = (view.parameters + detail::gather_width - 1) / detail::gather_width;
    if (blocks == 0 || requests.empty()) return;
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    threads = std::min(threads, blocks);

    std::vector<std::unique_ptr<detail::DescribeWorker>> workers;  // all memory is taken before a thread starts
    for (std::size_t i = 0; i < threads; ++i) workers.push_back(std::make_unique<detail::DescribeWorker>(view));
    std::atomic<std::size_t> next{0};
    const auto work = [&](detail::DescribeWorker& worker) noexcept {
        for (std::size_t b; (b = next.fetch_add(1)) < blocks;) worker.block(b * detail::gather_width, requests, out);
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work, std::ref(*workers[i]));
    work(*workers[0]);
}

}  // namespace finetti
