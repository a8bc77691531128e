// Dense blocks of the metric: sets of elements that share a full inverse mass matrix; all others stay diagonal.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "finetti/linalg.hpp"
#include "finetti/simd.hpp"

namespace finetti {

namespace detail {

// Sums of one panel: out[8 R] = the matrix's columns in this panel, weighed with x; rows lie one after another.
template <std::size_t R>
FINETTI_INLINE const double* panel_product(std::size_t n, const double* panel, const double* x, double* out) noexcept {
    Lanes sums[R] = {};
    for (std::size_t j = 0; j < n; ++j, panel += R * lanes) {
        FINETTI_UNROLL
        for (std::size_t r = 0; r < R; ++r) sums[r] += x[j] * load(panel + r * lanes);
    }
    FINETTI_UNROLL
    for (std::size_t r = 0; r < R; ++r) store(sums[r], out + r * lanes);
    return panel;
}

inline constexpr std::size_t panel_lanes = 4;

/// out = a x for a symmetric matrix in panels of 32 columns (the last one is narrower); out is padded.
FINETTI_MULTIVERSION inline void panels_product(std::size_t n, const double* panels, const double* x,
                                                double* out) noexcept {
    const std::size_t width = padded(n);
    std::size_t j = 0;
    for (; j + panel_lanes * lanes <= width; j += panel_lanes * lanes)
        panels = panel_product<panel_lanes>(n, panels, x, out + j);
    switch ((width - j) / lanes) {
        case 3: panel_product<3>(n, panels, x, out + j); break;
        case 2: panel_product<2>(n, panels, x, out + j); break;
        case 1: panel_product<1>(n, panels, x, out + j); break;
        default: break;
    }
}

}  // namespace detail

/// Some elements of the point and their inverse mass matrix; until it is set, these elements are diagonal as well.
class DenseBlock {
public:
    explicit DenseBlock(std::vector<std::size_t> index)
        : index_(std::move(index)), mean_(size()), in_(padded(size())), out_(padded(size())) {}

    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] bool is_set() const noexcept { return !factor_.empty(); }

    /// Takes a symmetric matrix, rows one after another, and a mean (nullptr: 0); false, and no change, where the
    /// matrix has no Cholesky factor.
    bool set(const double* matrix, const double* mean) {
        const std::size_t n = size();
        std::vector<double> factor(n * n);
        linalg::cholesky(n, matrix, factor.data());
        const auto finite = [](double value) { return std::isfinite(value); };
        if (!std::all_of(factor.begin(), factor.end(), finite)) return false;
        factor_ = std::move(factor);
        panels_.assign(n * padded(n), 0.0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) panels_[place(i, j)] = matrix[j <= i ? i * n + j : j * n + i];
        for (std::size_t i = 0; i < n; ++i) mean_[i] = mean != nullptr ? mean[i] : 0.0;
        return true;
    }

    /// The matrix; the diagonal one of `variance` (of all elements) where it has not been set.
    void read(const double* variance, double* matrix) const noexcept {
        const std::size_t n = size();
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
                matrix[i * n + j] = is_set() ? panels_[place(i, j)] : i == j ? variance[index_[i]] : 0.0;
    }
    /// The inverse of the matrix that has been set.
    void read_inverse(double* matrix) const noexcept {
        const std::size_t n = size();
        std::fill_n(matrix, n * n, 0.0);
        for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] = 1.0;
        linalg::solve_triangular(n, n, factor_.data(), matrix, matrix, 1, 0);
        linalg::solve_triangular(n, n, factor_.data(), matrix, matrix, 1, 1);
    }
    [[nodiscard]] double variance(std::size_t i) const noexcept { return panels_[place(i, i)]; }
    [[nodiscard]] const std::vector<std::size_t>& index() const noexcept { return index_; }

    void gather(const double* from, double* to) const noexcept {
        for (std::size_t i = 0; i < size(); ++i) to[i] = from[index_[i]];
    }
    void scatter(const double* from, double* to) const noexcept {
        for (std::size_t i = 0; i < size(); ++i) to[index_[i]] = from[i];
    }

    /// out = matrix x, these elements only.
    void multiply(const double* x, double* out) const noexcept {
        gather(x, in_.data());
        detail::panels_product(size(), panels_.data(), in_.data(), out_.data());
        scatter(out_.data(), out);
    }

    /// From standard normals z, momenta p = L^-T z and velocities v = matrix p = L z, L the Cholesky factor.
    void refresh(const double* z, double* p, double* v) const noexcept {
        const std::size_t n = size();
        gather(z, in_.data());
        for (std::size_t i = 0; i < n; ++i) out_[i] = linalg::dot(i + 1, factor_.data() + i * n, in_.data());
        scatter(out_.data(), v);
        linalg::solve_triangular(n, 1, factor_.data(), in_.data(), out_.data(), 1, 1);
        scatter(out_.data(), p);
    }

    /// |y + grad_y log p|^2 of these elements, y the whitened x; step = matrix g of all elements.
    [[nodiscard]] double fisher_distance(const double* x, const double* step) const noexcept {
        for (std::size_t i = 0; i < size(); ++i) in_[i] = x[index_[i]] - mean_[i] + step[index_[i]];
        linalg::solve_triangular(size(), 1, factor_.data(), in_.data(), out_.data(), 1, 0);
        return linalg::dot(size(), out_.data(), out_.data());
    }

private:
    /// Where element (i, j) lies in the panels.
    [[nodiscard]] std::size_t place(std::size_t i, std::size_t j) const noexcept {
        const std::size_t wide = detail::panel_lanes * lanes, panel = j / wide;
        const std::size_t width = std::min(wide, padded(size()) - panel * wide);
        return panel * wide * size() + i * width + j % wide;
    }

    std::vector<std::size_t> index_;
    std::vector<double> panels_, factor_, mean_;
    mutable std::vector<double> in_, out_;  // work space
};

}  // namespace finetti
