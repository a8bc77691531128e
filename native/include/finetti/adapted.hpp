// What a warm-up learns of each chain: the metric and the step size. It goes in, where a run starts with it, and out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "finetti/chain_output.hpp"
#include "finetti/dense_metric.hpp"
#include "finetti/metric.hpp"

namespace finetti {

/// Metrics and step sizes to start with, one per chain; an empty vector where none were given.
///
/// Without adaptation they are used as they are; with it, the metric counts like a few first draws, and the step size
/// takes the place of initial_step.
struct GivenAdaptation {
    std::vector<double> metric;  // [chains, n]: variances, the diagonal of the inverse mass matrix
    std::vector<double> dense;   // [chains, dense_size]: the matrices of the dense blocks, one after another
    std::vector<double> steps;   // [chains]

    [[nodiscard]] const double* variance(std::size_t chain, std::size_t n) const noexcept {
        return metric.empty() ? nullptr : metric.data() + chain * n;
    }
    [[nodiscard]] const double* matrices(std::size_t chain, std::size_t size) const noexcept {
        return dense.empty() ? nullptr : dense.data() + chain * size;
    }
    [[nodiscard]] double step(std::size_t chain, double otherwise) const noexcept {
        return steps.empty() ? otherwise : steps[chain];
    }

    void validate(const std::string& who, std::size_t chains, std::size_t n, std::size_t dense_size) const {
        length(who + ".metric", metric.size(), chains * n, "one variance per chain and element");
        length(who + ".dense", dense.size(), chains * dense_size, "the matrices of the dense blocks of every chain");
        length(who + ".steps", steps.size(), chains, "one per chain");
        for (std::size_t i = 0; i < metric.size(); ++i)
            if (!(metric[i] >= DiagonalMetric::lower_limit && metric[i] <= DiagonalMetric::upper_limit))
                throw std::invalid_argument(who + ".metric[" + std::to_string(i / n) + ", " + std::to_string(i % n) +
                                            "] is " + plain(metric[i]) + "; a variance must be between 1e-20 and 1e20");
        for (std::size_t i = 0; i < steps.size(); ++i)
            if (!(steps[i] > 0 && std::isfinite(steps[i])))
                throw std::invalid_argument(who + ".steps[" + std::to_string(i) + "] is " + plain(steps[i]) +
                                            "; it must be positive and finite");
    }

private:
    static void length(const std::string& what, std::size_t size, std::size_t expected, const char* per) {
        if (size == 0 || size == expected) return;
        throw std::invalid_argument(what + " has " + std::to_string(size) + " entries; it must have " +
                                    std::to_string(expected) + ", " + per);
    }
    static std::string plain(double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%g", value);
        return text;
    }
};

/// The same at the end of a run; 0 in chains that did not begin.
class FinalAdaptation {
public:
    FinalAdaptation(std::size_t chains, std::size_t n, std::size_t dense_size = 0)
        : n_(n),
          dense_size_(dense_size),
          metric_(zeroed<double>({chains, n})),
          dense_(zeroed<double>({chains, dense_size})),
          steps_(zeroed<double>({chains})) {}

    void write(std::size_t chain, const DiagonalMetric& metric, const std::vector<DenseBlock>& blocks,
               double step) const noexcept {
        double* variance = metric_.get() + chain * n_;
        double* matrix = dense_.get() + chain * dense_size_;
        std::copy_n(metric.variance(), n_, variance);
        for (const DenseBlock& block : blocks) {
            block.read(metric.variance(), matrix);
            for (std::size_t i = 0; i < block.size(); ++i) variance[block.index()[i]] = matrix[i * (block.size() + 1)];
            matrix += block.size() * block.size();
        }
        steps_[static_cast<std::ptrdiff_t>(chain)] = step;
    }
    [[nodiscard]] std::size_t dense_size() const noexcept { return dense_size_; }
    [[nodiscard]] const std::shared_ptr<double[]>& dense() const noexcept { return dense_; }
    [[nodiscard]] const std::shared_ptr<double[]>& metric() const noexcept { return metric_; }
    [[nodiscard]] const std::shared_ptr<double[]>& steps() const noexcept { return steps_; }

private:
    std::size_t n_, dense_size_;
    std::shared_ptr<double[]> metric_, dense_, steps_;
};

}  // namespace finetti
