// The estimate of dense blocks of the metric from draws and scores.
//
// The affine map that minimises the Fisher divergence to a standard normal (Seyboldt, Carlson and Carpenter 2026,
// arXiv:2603.18845) has the inverse mass matrix C_x # C_g^-1, the geometric mean of the draws' covariance and the
// scores' inverse one: for a normal density it is exact once there are more draws than elements, wherever they come
// from. Where there are fewer, the matrix of before fills the directions that the draws do not span.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "finetti/dense.hpp"
#include "finetti/dense_metric.hpp"
#include "finetti/linalg.hpp"
#include "finetti/nuts_config.hpp"

namespace finetti {

/// The draws of two overlapping windows of one block, as MetricWindows has their moments.
class DenseWindows {
public:
    DenseWindows(std::size_t size, bool regularize) : size_(size), regularize_(regularize) {}

    /// A matrix to begin with, which counts like a few draws until the first switch.
    void expect() noexcept { given_ = true; }

    void add(const DenseBlock& block, const double* x, const double* g) {
        rows_.resize(rows_.size() + 2 * size_);
        block.gather(x, rows_.data() + rows_.size() - 2 * size_);
        block.gather(g, rows_.data() + rows_.size() - size_);
    }
    /// The background becomes the foreground.
    void switch_windows() {
        rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(background_ * 2 * size_));
        background_ = count();
        fitted_ = 0;
        given_ = false;
    }
    [[nodiscard]] std::size_t count() const noexcept { return rows_.size() / (2 * size_); }
    /// Whether there is so much more than at the last estimate that another one is worth its cost; last: any more.
    [[nodiscard]] bool due(bool last) const noexcept {
        const double needed = last ? static_cast<double>(fitted_) + 1.0 : growth * static_cast<double>(fitted_);
        return count() >= fewest && static_cast<double>(count()) >= needed;
    }

    /// Sets the block's matrix; false where these draws give none.
    bool fit(DenseBlock& block) {
        const std::size_t n = size_;
        fitted_ = count();
        Values x(count() * n), g(count() * n), mean_x(n), mean_g(n), scale(n), matrix(n * n);
        if (!centre(x, g, mean_x, mean_g, scale)) return false;
        if (!geometric_mean(x, g, scale, block, matrix)) return false;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) matrix[i * n + j] *= scale[i] * scale[j];
        for (std::size_t i = 0; i < n; ++i) mean_x[i] += linalg::dot(n, matrix.data() + i * n, mean_g.data());
        return block.set(matrix.data(), mean_x.data());
    }

private:
    using Values = std::vector<double>;

    /// Draws and scores without their means, in units in which both have the same variance in every element.
    bool centre(Values& x, Values& g, Values& mean_x, Values& mean_g, Values& scale) const {
        const std::size_t n = size_, rows = count();
        const double weight = 1.0 / static_cast<double>(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            linalg::add_scaled(n, weight, rows_.data() + 2 * r * n, mean_x.data());
            linalg::add_scaled(n, weight, rows_.data() + (2 * r + 1) * n, mean_g.data());
        }
        Values squares_x(n), squares_g(n);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t i = 0; i < n; ++i) {
                const double of_x = x[r * n + i] = rows_[2 * r * n + i] - mean_x[i];
                const double of_g = g[r * n + i] = rows_[(2 * r + 1) * n + i] - mean_g[i];
                squares_x[i] += of_x * of_x;
                squares_g[i] += of_g * of_g;
            }
        for (std::size_t i = 0; i < n; ++i) {
            scale[i] = std::sqrt(std::sqrt(squares_x[i] / squares_g[i]));
            if (!std::isfinite(scale[i]) || scale[i] <= 0.0) return false;
        }
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t i = 0; i < n; ++i) {
                x[r * n + i] /= scale[i];
                g[r * n + i] *= scale[i];
            }
        return true;
    }

    /// A # B^-1 = F F' with B = R R', R' A R = Q diag(l) Q' and F = R^-T Q diag(l^1/4).
    bool geometric_mean(const Values& x, const Values& g, const Values& scale, const DenseBlock& block,
                        Values& matrix) const {
        const std::size_t n = size_, rows = count();
        Values a(n * n), b(n * n), work(n * (n + 1)), eigen(n * (n + 1));
        linalg::matmul_tn(n, rows, n, x.data(), x.data(), a.data());
        linalg::matmul_tn(n, rows, n, g.data(), g.data(), b.data());
        shrink(scale, block, a, b, work);
        linalg::cholesky(n, b.data(), b.data());
        if (!std::isfinite(b[n * n - 1])) return false;
        linalg::matmul(n, n, n, a.data(), b.data(), work.data());
        linalg::matmul_tn(n, n, n, b.data(), work.data(), a.data());
        dense::eigh(1, n, a.data(), eigen.data(), work.data());
        if (!(eigen[0] > 0.0)) return false;  // the smallest one; NaN where there are none
        for (std::size_t j = 0; j < n; ++j) eigen[j] = std::sqrt(std::sqrt(eigen[j]));
        for (std::size_t i = 1; i <= n; ++i)
            for (std::size_t j = 0; j < n; ++j) eigen[i * n + j] *= eigen[j];
        linalg::solve_triangular(n, n, b.data(), eigen.data() + n, a.data(), 1, 1);
        linalg::matmul_nt(n, n, n, a.data(), a.data(), matrix.data());
        return true;
    }

    /// Adds the metric of now, as if it were some draws: the block's matrix, or the diagonal one, which is 1 here.
    void shrink(const Values& scale, const DenseBlock& block, Values& a, Values& b, Values& work) const {
        const std::size_t n = size_;
        const double ridge = regularize_ ? per_draw * static_cast<double>(count()) + per_element * static_cast<double>(n)
                                         : 0.0;
        const double weight = given_ ? given_weight : ridge;
        if (weight == 0.0) return;
        if (!block.is_set()) {
            for (std::size_t i = 0; i < n * n; i += n + 1) {
                a[i] += weight;
                b[i] += weight;
            }
            return;
        }
        block.read(nullptr, work.data());
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) a[i * n + j] += weight * work[i * n + j] / (scale[i] * scale[j]);
        block.read_inverse(work.data());
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) b[i * n + j] += weight * work[i * n + j] * (scale[i] * scale[j]);
    }

    static constexpr std::size_t fewest = 10;     // draws, before the first estimate
    static constexpr double growth = 1.5;         // of the number of draws, before another one
    static constexpr double given_weight = 10.0;  // draws
    static constexpr double per_draw = 1e-5, per_element = 0.01;

    std::size_t size_;
    bool regularize_;
    Values rows_;                 // draw, score, draw, score, ...
    std::size_t background_ = 0;  // the row with which the background begins
    std::size_t fitted_ = 0;      // rows at the last estimate of this foreground
    bool given_ = false;
};

/// The same for all blocks.
class DenseAdaptation {
public:
    DenseAdaptation(const NutsConfig& config, std::vector<DenseBlock>& blocks) : blocks_(blocks) {
        for (std::size_t b = 0; b < blocks.size() && config.adapt_metric; ++b)
            windows_.emplace_back(blocks[b].size(), config.regularize_dense);
    }

    /// Matrices to begin with, one after another (nullptr: none).
    void start_with(const double* matrices) {
        std::size_t size = 0;
        for (const DenseBlock& block : blocks_) size += block.size() * block.size();
        if (matrices != nullptr) given_.assign(matrices, matrices + size);
    }
    /// Takes them, at the start.
    void use_given(const double* x, const double* g) {
        if (given_.empty()) return;
        const double* matrix = given_.data();
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            const std::size_t n = blocks_[b].size();
            std::vector<double> mean(n), slope(n);
            blocks_[b].gather(x, mean.data());
            blocks_[b].gather(g, slope.data());
            for (std::size_t i = 0; i < n; ++i) mean[i] += linalg::dot(n, matrix + i * n, slope.data());
            if (!blocks_[b].set(matrix, mean.data()))
                throw std::runtime_error("the matrix given for dense block " + std::to_string(b) +
                                         " is not positive definite");
            if (!windows_.empty()) windows_[b].expect();
            matrix += n * n;
        }
    }

    void add(const double* x, const double* g) {
        for (std::size_t b = 0; b < windows_.size(); ++b) windows_[b].add(blocks_[b], x, g);
    }
    void switch_windows() {
        for (DenseWindows& windows : windows_) windows.switch_windows();
    }
    /// New matrices where there are enough new draws (last: any); whether there is one.
    bool refresh(bool last) {
        bool changed = false;
        for (std::size_t b = 0; b < windows_.size(); ++b)
            if (windows_[b].due(last) && windows_[b].fit(blocks_[b])) changed = true;
        return changed;
    }

private:
    std::vector<DenseBlock>& blocks_;
    std::vector<DenseWindows> windows_;  // none where nothing is adapted
    std::vector<double> given_;
};

}  // namespace finetti
