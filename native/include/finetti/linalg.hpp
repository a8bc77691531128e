// Small dense linear algebra on contiguous row-major doubles: products, Cholesky factors, triangular solves.
//
// Made for n up to a few hundred. Nothing is allocated (work space is on the stack), and the order of every sum depends
// on the sizes alone, so equal inputs give equal bits on any thread; built without contraction (-ffp-contract=off), on
// any processor too.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "finetti/simd.hpp"

namespace finetti::linalg {

// A matrix element is at data[i * row + j * column]: strides say whether it is read transposed.
struct View {
    const double* data;
    std::size_t row, column;

    double operator()(std::size_t i, std::size_t j) const noexcept { return data[i * row + j * column]; }
    View from(std::size_t i, std::size_t j) const noexcept { return {data + i * row + j * column, row, column}; }
    View transposed() const noexcept { return {data, column, row}; }
};

namespace detail {

inline constexpr std::size_t rows = 6;     // rows of a tile: 6 x 8 sums stay in registers
inline constexpr std::size_t depth = 256;  // inner length between two visits of the output
inline constexpr std::size_t block = 32;   // side of the triangles that are worked on without products

// c[R x width] += sign * a[R x k] packed[k x 8], the sums in registers.
template <std::size_t R>
FINETTI_INLINE void tile(const View& a, const Lanes* packed, std::size_t k, double sign, double* c, std::size_t c_row,
                         std::size_t width) noexcept {
    Lanes sums[R] = {};
    for (std::size_t p = 0; p < k; ++p) {
        FINETTI_UNROLL
        for (std::size_t i = 0; i < R; ++i) sums[i] += a(i, p) * packed[p];
    }
    FINETTI_UNROLL
    for (std::size_t i = 0; i < R; ++i)
        for (std::size_t j = 0; j < width; ++j) c[i * c_row + j] += sign * sums[i][j];
}

}  // namespace detail

// c[n x m] += sign * a[n x k] b[k x m]; c has row stride c_row.
FINETTI_MULTIVERSION inline void add_product(std::size_t n, std::size_t k, std::size_t m, double sign, View a, View b,
                                       double* c, std::size_t c_row) noexcept {
    using namespace detail;
    Lanes packed[depth];
    for (std::size_t j = 0; j < m; j += lanes) {
        const std::size_t width = std::min(lanes, m - j);
        for (std::size_t p = 0; p < k; p += depth) {
            const std::size_t length = std::min(depth, k - p);
            for (std::size_t q = 0; q < length; ++q)
                for (std::size_t l = 0; l < lanes; ++l) packed[q][l] = l < width ? b(p + q, j + l) : 0.0;
            std::size_t i = 0;
            for (; i + rows <= n; i += rows)
                tile<rows>(a.from(i, p), packed, length, sign, c + i * c_row + j, c_row, width);
            for (; i < n; ++i) tile<1>(a.from(i, p), packed, length, sign, c + i * c_row + j, c_row, width);
        }
    }
}

// The sum of x[i] y[i] in eight interleaved partial sums.
FINETTI_MULTIVERSION inline double dot(std::size_t n, const double* x, const double* y) noexcept {
    Lanes sums = repeat(0.0);
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) sums += load(x + i) * load(y + i);
    for (std::size_t l = 0; i < n; ++i, ++l) sums[l] += x[i] * y[i];
    return total(sums);
}

// y += factor * x.
FINETTI_MULTIVERSION inline void add_scaled(std::size_t n, double factor, const double* x, double* y) noexcept {
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) store(load(y + i) + factor * load(x + i), y + i);
    for (; i < n; ++i) y[i] += factor * x[i];
}

// out[n x m] = a[n x k] b[k x m], either factor read through strides.
inline void product(std::size_t n, std::size_t k, std::size_t m, View a, View b, double* out) noexcept {
    if (m == 1 && a.column == 1 && b.row == 1) {
        for (std::size_t i = 0; i < n; ++i) out[i] = dot(k, a.data + i * a.row, b.data);
        return;
    }
    std::fill_n(out, n * m, 0.0);
    if (m == 1 && a.row == 1) {
        for (std::size_t p = 0; p < k; ++p) add_scaled(n, b(p, 0), a.data + p * a.column, out);
    } else if (n == 1 && b.column == 1) {
        for (std::size_t p = 0; p < k; ++p) add_scaled(m, a(0, p), b.data + p * b.row, out);
    } else {
        add_product(n, k, m, 1.0, a, b, out, m);
    }
}

// out = a b with a[n x k] and b[k x m]; `tn`: a is stored as [k x n]; `nt`: b is stored as [m x k].
inline void matmul(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b, double* out) noexcept {
    product(n, k, m, {a, k, 1}, {b, m, 1}, out);
}

inline void matmul_tn(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b,
                      double* out) noexcept {
    product(n, k, m, {a, 1, n}, {b, m, 1}, out);
}

inline void matmul_nt(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b,
                      double* out) noexcept {
    product(n, k, m, {a, k, 1}, {b, 1, k}, out);
}

inline void matmul_tt(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b,
                      double* out) noexcept {
    product(n, k, m, {a, 1, n}, {b, 1, k}, out);
}

namespace detail {

// The Cholesky factor of a few rows, in place; whether it is positive definite.
inline bool factor_few(std::size_t width, double* l, std::size_t l_row) noexcept {
    for (std::size_t i = 0; i < width; ++i) {
        double* row = l + i * l_row;
        for (std::size_t j = 0; j <= i; ++j) {
            const double* other = l + j * l_row;
            double rest = row[j];
            for (std::size_t q = 0; q < j; ++q) rest -= row[q] * other[q];
            row[j] = i == j ? std::sqrt(rest) : rest / other[j];
        }
        if (!(row[i] > 0 && std::isfinite(row[i]))) return false;
    }
    return true;
}

// The same for one block. The columns of what is left are held as vectors, from which each finished column is taken.
FINETTI_MULTIVERSION inline bool factor_block(std::size_t width, double* l, std::size_t l_row) noexcept {
    constexpr std::size_t pieces = block / lanes;
    Lanes columns[block][pieces] = {};
    for (std::size_t i = 0; i < width; ++i)
        for (std::size_t j = 0; j <= i; ++j) columns[j][i / lanes][i % lanes] = l[i * l_row + j];
    const std::size_t used = (width + lanes - 1) / lanes;
    for (std::size_t j = 0; j < width; ++j) {
        double top[block];
        const double pivot = std::sqrt(columns[j][j / lanes][j % lanes]);
        if (!(pivot > 0 && std::isfinite(pivot))) return false;
        const double inverse = 1 / pivot;
        for (std::size_t v = j / lanes; v < used; ++v) {
            columns[j][v] = inverse * columns[j][v];
            store(columns[j][v], top + v * lanes);
        }
        columns[j][j / lanes][j % lanes] = pivot;
        for (std::size_t q = j + 1; q < width; ++q)
            for (std::size_t v = q / lanes; v < used; ++v) columns[q][v] -= top[q] * columns[j][v];
    }
    for (std::size_t i = 0; i < width; ++i)
        for (std::size_t j = 0; j <= i; ++j) l[i * l_row + j] = columns[j][i / lanes][i % lanes];
    return true;
}

// x := x l^-T for the `count` rows of x, eight rows at a time as lanes; x and l have row stride l_row.
FINETTI_MULTIVERSION inline void solve_rows(std::size_t count, std::size_t width, const double* l, double* x,
                                      std::size_t l_row) noexcept {
    Lanes columns[block];
    for (std::size_t i = 0; i < count; i += lanes) {
        const std::size_t height = std::min(lanes, count - i);
        double* rows_of_x = x + i * l_row;
        for (std::size_t j = 0; j < width; ++j) {
            Lanes rest = {};
            for (std::size_t r = 0; r < height; ++r) rest[r] = rows_of_x[r * l_row + j];
            for (std::size_t q = 0; q < j; ++q) rest += -l[j * l_row + q] * columns[q];
            columns[j] = (1 / l[j * l_row + j]) * rest;
            for (std::size_t r = 0; r < height; ++r) rows_of_x[r * l_row + j] = columns[j][r];
        }
    }
}

// x := op(a)^-1 x for one right-hand side.
inline void solve_vector(std::size_t n, const double* a, double* x, bool lower, bool trans) noexcept {
    for (std::size_t step = 0; step < n; ++step) {
        const std::size_t i = lower != trans ? step : n - 1 - step;
        const double* row = a + i * n;
        // the stored part of row i beside the diagonal: [begin, begin + count)
        const std::size_t begin = lower ? 0 : i + 1, count = lower ? i : n - 1 - i;
        if (trans) {
            x[i] /= row[i];
            add_scaled(count, -x[i], row + begin, x + begin);
        } else {
            x[i] = (x[i] - dot(count, row + begin, x + begin)) / row[i];
        }
    }
}

}  // namespace detail

// The lower Cholesky factor of a symmetric matrix, of which the lower triangle is read; zeros above the diagonal.
// All NaN when the matrix is not positive definite. `out` may be `a`.
inline void cholesky(std::size_t n, const double* a, double* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        if (out != a) std::memcpy(out + i * n, a + i * n, (i + 1) * sizeof(double));
        std::fill(out + i * n + i + 1, out + (i + 1) * n, 0.0);
    }
    bool definite = true;
    for (std::size_t first = 0; first < n && definite; first += detail::block) {
        const std::size_t width = std::min(detail::block, n - first), below = n - first - width;
        const View left{out + first * n, n, 1};
        double* corner = out + first * n + first;
        // the product fills whole blocks, so the part above the diagonal is put back to zero
        add_product(n - first, first, width, -1.0, left, left.transposed(), corner, n);
        for (std::size_t i = 0; i < width; ++i) std::fill(corner + i * n + i + 1, corner + i * n + width, 0.0);
        definite = width <= lanes ? detail::factor_few(width, corner, n) : detail::factor_block(width, corner, n);
        detail::solve_rows(below, width, corner, corner + width * n, n);
    }
    if (!definite) std::fill_n(out, n * n, std::numeric_limits<double>::quiet_NaN());
}

// out[n x m] = op(a)^-1 b for a triangular a[n x n], op the transposition if `trans`; only the triangle named by `lower`
// is read. All NaN when the diagonal has a zero or a NaN. `out` may be `b`.
inline void solve_triangular(std::size_t n, std::size_t m, const double* a, const double* b, double* out, int lower,
                             int trans) noexcept {
    if (out != b) std::memcpy(out, b, n * m * sizeof(double));
    for (std::size_t i = 0; i < n; ++i) {
        if (a[i * n + i] == 0 || std::isnan(a[i * n + i])) {
            std::fill_n(out, n * m, std::numeric_limits<double>::quiet_NaN());
            return;
        }
    }
    if (m == 1) return detail::solve_vector(n, a, out, lower != 0, trans != 0);
    const View whole{a, n, 1};
    const View t = trans ? whole.transposed() : whole;
    const bool forward = (lower != 0) != (trans != 0);
    const std::size_t blocks = (n + detail::block - 1) / detail::block;
    for (std::size_t step = 0; step < blocks; ++step) {
        const std::size_t first = (forward ? step : blocks - 1 - step) * detail::block;
        const std::size_t last = std::min(first + detail::block, n);
        // what the blocks already solved contribute
        const std::size_t known = forward ? 0 : last, count = forward ? first : n - last;
        add_product(last - first, count, m, -1.0, t.from(first, known), {out + known * m, m, 1}, out + first * m, m);
        for (std::size_t s = 0; s < last - first; ++s) {
            const std::size_t i = forward ? first + s : last - 1 - s;
            double* row = out + i * m;
            for (std::size_t q = 0; q < s; ++q) {
                const std::size_t j = forward ? first + q : last - 1 - q;
                add_scaled(m, -t(i, j), out + j * m, row);
            }
            const double pivot = t(i, i);
            for (std::size_t c = 0; c < m; ++c) row[c] /= pivot;
        }
    }
}

}  // namespace finetti::linalg
