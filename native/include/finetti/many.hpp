// Many small matrices at once, one in each lane.
//
// Row-major doubles, one matrix after another. What is too large or too few for lanes goes one by one through linalg.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "finetti/linalg.hpp"

namespace finetti::many {

inline constexpr std::size_t side = 12;  // of matrices that are worked on side by side

namespace detail {

using Matrix = Lanes[side * side];

// `count` neighbouring elements of eight matrices that are `stride` apart.
FINETTI_INLINE void gather(std::size_t count, std::size_t stride, const double* from, Lanes* to) noexcept {
    for (std::size_t l = 0; l < lanes; ++l)
        for (std::size_t i = 0; i < count; ++i) to[i][l] = from[l * stride + i];
}

FINETTI_INLINE void scatter(std::size_t count, std::size_t stride, const Lanes* from, double* to) noexcept {
    for (std::size_t l = 0; l < lanes; ++l)
        for (std::size_t i = 0; i < count; ++i) to[l * stride + i] = from[i][l];
}

FINETTI_INLINE Lanes inverse(const Lanes& x) noexcept {
    Lanes y;
    for (std::size_t l = 0; l < lanes; ++l) y[l] = 1 / x[l];
    return y;
}

// Eight factors; lanes that are not positive definite become NaN.
FINETTI_MULTIVERSION inline void factor_eight(std::size_t n, const double* a, double* out) noexcept {
    Matrix x, y;
    gather(n * n, n * n, a, x);
    for (std::size_t i = 0; i < n * n; ++i) y[i] = repeat(0.0);
    bool bad[lanes] = {};
    Lanes inverses[side];
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            Lanes rest = x[i * n + j];
            for (std::size_t q = 0; q < j; ++q) rest -= y[i * n + q] * y[j * n + q];
            if (i == j) {
                for (std::size_t l = 0; l < lanes; ++l) {
                    rest[l] = std::sqrt(rest[l]);
                    bad[l] |= !(rest[l] > 0 && std::isfinite(rest[l]));
                }
                inverses[i] = inverse(rest);
                y[i * n + i] = rest;
            } else {
                y[i * n + j] = rest * inverses[j];
            }
        }
    scatter(n * n, n * n, y, out);
    for (std::size_t l = 0; l < lanes; ++l)
        if (bad[l]) std::fill_n(out + l * n * n, n * n, std::numeric_limits<double>::quiet_NaN());
}

FINETTI_MULTIVERSION inline void solve_eight(std::size_t n, std::size_t m, const double* a, const double* b, double* out,
                                             bool lower, bool trans) noexcept {
    Matrix x;
    Lanes y[side], inverses[side];
    gather(n * n, n * n, a, x);
    const bool forward = lower != trans;
    const std::size_t row = trans ? 1 : n, column = trans ? n : 1;
    for (std::size_t i = 0; i < n; ++i) inverses[i] = inverse(x[i * n + i]);
    for (std::size_t c = 0; c < m; ++c) {
        for (std::size_t s = 0; s < n; ++s) {
            const std::size_t i = forward ? s : n - 1 - s;
            Lanes rest;
            for (std::size_t l = 0; l < lanes; ++l) rest[l] = b[l * n * m + i * m + c];
            for (std::size_t q = 0; q < s; ++q) {
                const std::size_t j = forward ? q : n - 1 - q;
                rest -= x[i * row + j * column] * y[j];
            }
            y[i] = rest * inverses[i];
            for (std::size_t l = 0; l < lanes; ++l) out[l * n * m + i * m + c] = y[i][l];
        }
    }
    for (std::size_t l = 0; l < lanes; ++l) {
        bool bad = false;
        for (std::size_t i = 0; i < n; ++i) bad |= x[i * n + i][l] == 0 || std::isnan(x[i * n + i][l]);
        if (bad) std::fill_n(out + l * n * m, n * m, std::numeric_limits<double>::quiet_NaN());
    }
}

FINETTI_MULTIVERSION inline void multiply_eight(std::size_t n, std::size_t k, std::size_t m, const double* a,
                                                const double* b, double* out) noexcept {
    Matrix x, y;
    gather(n * k, n * k, a, x);
    gather(k * m, k * m, b, y);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j) {
            Lanes sum = repeat(0.0);
            for (std::size_t q = 0; q < k; ++q) sum += x[i * k + q] * y[q * m + j];
            for (std::size_t l = 0; l < lanes; ++l) out[l * n * m + i * m + j] = sum[l];
        }
}

// Calls eight(first) for eights of matrices, of which the last may overlap the one before, or one(i) for each.
template <class Eight, class One>
FINETTI_INLINE void each(std::size_t batch, bool small, Eight eight, One one) noexcept {
    if (!small || batch < lanes) {
        for (std::size_t i = 0; i < batch; ++i) one(i);
        return;
    }
    for (std::size_t i = 0; i < batch; i += lanes) eight(std::min(i, batch - lanes));
}

}  // namespace detail

// Lower Cholesky factors, zeros above the diagonal; NaN for a matrix that is not positive definite.
inline void cholesky(std::size_t batch, std::size_t n, const double* a, double* out) noexcept {
    const std::size_t size = n * n;
    detail::each(
        batch, n <= side, [&](std::size_t i) { detail::factor_eight(n, a + i * size, out + i * size); },
        [&](std::size_t i) { linalg::cholesky(n, a + i * size, out + i * size); });
}

// op(a)^-1 b for triangular matrices a[n x n] and b[n x m].
inline void solve_triangular(std::size_t batch, std::size_t n, std::size_t m, const double* a, const double* b,
                             double* out, int lower, int trans) noexcept {
    const std::size_t size = n * n, right = n * m;
    detail::each(
        batch, n <= side,
        [&](std::size_t i) {
            detail::solve_eight(n, m, a + i * size, b + i * right, out + i * right, lower != 0, trans != 0);
        },
        [&](std::size_t i) {
            linalg::solve_triangular(n, m, a + i * size, b + i * right, out + i * right, lower, trans);
        });
}

// a b for a[n x k] and b[k x m].
inline void matmul(std::size_t batch, std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b,
                   double* out) noexcept {
    detail::each(
        batch, n * k <= side * side && k * m <= side * side && n <= side && m <= side,
        [&](std::size_t i) { detail::multiply_eight(n, k, m, a + i * n * k, b + i * k * m, out + i * n * m); },
        [&](std::size_t i) { linalg::matmul(n, k, m, a + i * n * k, b + i * k * m, out + i * n * m); });
}

}  // namespace finetti::many
