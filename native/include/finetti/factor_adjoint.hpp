// The derivative of a Cholesky factor, backwards.
//
// Given the adjoint of the factor, the adjoint of the matrix; block by block from the last to the first, as products of
// matrices (Murray 2016, arXiv:1602.07527, section 3.3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "finetti/linalg.hpp"

namespace finetti::linalg {

namespace detail {

// x := x l^-1 for the `count` rows of x, eight rows at a time as lanes; x and l have row stride l_row.
FINETTI_MULTIVERSION inline void solve_rows_back(std::size_t count, std::size_t width, const double* l, double* x,
                                                 std::size_t l_row) noexcept {
    Lanes columns[block];
    for (std::size_t i = 0; i < count; i += lanes) {
        const std::size_t height = std::min(lanes, count - i);
        double* rows_of_x = x + i * l_row;
        for (std::size_t j = width; j-- > 0;) {
            Lanes rest = {};
            for (std::size_t r = 0; r < height; ++r) rest[r] = rows_of_x[r * l_row + j];
            for (std::size_t q = j + 1; q < width; ++q) rest += -l[q * l_row + j] * columns[q];
            columns[j] = (1 / l[j * l_row + j]) * rest;
            for (std::size_t r = 0; r < height; ++r) rows_of_x[r * l_row + j] = columns[j][r];
        }
    }
}

// One block: `a` holds the adjoint of the factor `l` in its lower triangle, and then that of the matrix.
FINETTI_MULTIVERSION inline void factor_block_back(std::size_t width, const double* l, double* a,
                                                   std::size_t row) noexcept {
    constexpr std::size_t pieces = block / lanes;
    Lanes factor[block][pieces] = {}, adjoint[block][pieces] = {};
    for (std::size_t i = 0; i < width; ++i) {
        std::memcpy(&factor[i], l + i * row, (i + 1) * sizeof(double));
        std::memcpy(&adjoint[i], a + i * row, (i + 1) * sizeof(double));
    }
    for (std::size_t j = width; j-- > 0;) {
        const std::size_t at = j / lanes, lane = j % lanes, used = at + 1;
        const double inverse = 1 / factor[j][at][lane];
        double own = adjoint[j][at][lane], below[block];
        for (std::size_t i = j + 1; i < width; ++i) own -= factor[i][at][lane] * adjoint[i][at][lane] * inverse;
        own *= inverse;
        Lanes left[pieces], sums[pieces];  // row j of the factor before the diagonal
        for (std::size_t v = 0; v < used; ++v) {
            left[v] = factor[j][v];
            for (std::size_t k = v * lanes == at * lanes ? lane : lanes; k < lanes; ++k) left[v][k] = 0;
            sums[v] = own * left[v];
        }
        for (std::size_t i = j + 1; i < width; ++i) {
            below[i] = adjoint[i][at][lane] * inverse;
            adjoint[i][at][lane] = below[i];
            for (std::size_t v = 0; v < used; ++v) {
                sums[v] += below[i] * factor[i][v];
                adjoint[i][v] -= below[i] * left[v];
            }
        }
        for (std::size_t k = lane; k < lanes; ++k) sums[at][k] = 0;
        for (std::size_t v = 0; v < used; ++v) adjoint[j][v] -= sums[v];
        adjoint[j][at][lane] = own / 2;
    }
    for (std::size_t i = 0; i < width; ++i) std::memcpy(a + i * row, &adjoint[i], (i + 1) * sizeof(double));
}

// The adjoint of the lower triangle of one matrix, in place of that of its factor.
inline void factor_back(std::size_t n, const double* l, double* a) noexcept {
    const std::size_t blocks = (n + block - 1) / block;
    double both[block * block];
    for (std::size_t step = blocks; step-- > 0;) {
        const std::size_t first = step * block, width = std::min(block, n - first), next = first + width;
        const std::size_t below = n - next;
        double *corner = a + first * n + first, *under = a + next * n + first;
        const View beside{l + first * n, n, 1}, beneath{l + next * n, n, 1};
        solve_rows_back(below, width, l + first * n + first, under, n);
        const View turned = View{under, n, 1}.transposed();
        add_product(below, width, first, -1.0, {under, n, 1}, beside, a + next * n, n);
        add_product(width, below, width, -1.0, turned, beneath.from(0, first), corner, n);
        factor_block_back(width, l + first * n + first, corner, n);
        for (std::size_t i = 0; i < width; ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                both[i * width + j] = corner[i * n + j];
                both[j * width + i] = i == j ? 2 * corner[i * n + j] : corner[i * n + j];
            }
        add_product(width, below, first, -1.0, turned, beneath, a + first * n, n);
        add_product(width, width, first, -1.0, {both, width, 1}, beside, a + first * n, n);
    }
}

}  // namespace detail

// The symmetric adjoint of matrices from that of their lower Cholesky factors l: g is read below and on the diagonal.
inline void cholesky_adjoint(std::size_t batch, std::size_t n, const double* g, const double* l, double* out) noexcept {
    for (std::size_t m = 0; m < batch; ++m, g += n * n, l += n * n, out += n * n) {
        for (std::size_t i = 0; i < n; ++i) {
            std::memcpy(out + i * n, g + i * n, (i + 1) * sizeof(double));
            std::fill(out + i * n + i + 1, out + (i + 1) * n, 0.0);
        }
        detail::factor_back(n, l, out);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < i; ++j) out[i * n + j] = out[j * n + i] = 0.5 * out[i * n + j];
    }
}

}  // namespace finetti::linalg
