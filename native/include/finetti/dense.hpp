// Dense linear algebra of general and symmetric matrices: elimination, the exponential, eigenvectors.
//
// Row-major doubles, `batch` matrices one after another, work space given by the caller. A matrix that cannot be worked
// on (singular, not finite) gives NaN.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "finetti/linalg.hpp"

namespace finetti::dense {

namespace detail {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline bool all_finite(std::size_t count, const double* x) noexcept {
    return std::all_of(x, x + count, [](double v) { return std::isfinite(v); });
}

// Gauss elimination with partial pivoting in place, the same row operations on the n x k matrix `b`. Returns the
// permutation's sign, or 0 when a pivot is zero.
inline int eliminate(std::size_t n, std::size_t k, double* a, double* b) noexcept {
    int sign = 1;
    for (std::size_t p = 0; p < n; ++p) {
        std::size_t best = p;
        for (std::size_t i = p + 1; i < n; ++i)
            if (std::abs(a[i * n + p]) > std::abs(a[best * n + p])) best = i;
        if (!(std::abs(a[best * n + p]) > 0)) return 0;
        if (best != p) {
            std::swap_ranges(a + p * n, a + (p + 1) * n, a + best * n);
            if (k > 0) std::swap_ranges(b + p * k, b + (p + 1) * k, b + best * k);
            sign = -sign;
        }
        for (std::size_t i = p + 1; i < n; ++i) {
            const double factor = a[i * n + p] / a[p * n + p];
            if (factor == 0) continue;
            linalg::add_scaled(n - p - 1, -factor, a + p * n + p + 1, a + i * n + p + 1);
            linalg::add_scaled(k, -factor, b + p * k, b + i * k);
        }
    }
    return sign;
}

// b := a^-1 b, destroying a; whether that was possible.
inline bool solve_in_place(std::size_t n, std::size_t k, double* a, double* b) noexcept {
    if (eliminate(n, k, a, b) == 0) return false;
    linalg::solve_triangular(n, k, a, b, b, 0, 0);
    return true;
}

}  // namespace detail

// out[n x k] = a^-1 b; `work` holds n n doubles.
inline void solve(std::size_t batch, std::size_t n, std::size_t k, const double* a, const double* b, double* out,
                  double* work) noexcept {
    if (n * k == 0) return;
    for (std::size_t m = 0; m < batch; ++m, a += n * n, b += n * k, out += n * k) {
        std::memcpy(work, a, n * n * sizeof(double));
        std::memcpy(out, b, n * k * sizeof(double));
        if (!detail::all_finite(n * n, a) || !detail::solve_in_place(n, k, work, out))
            std::fill_n(out, n * k, detail::not_a_number);
    }
}

// The determinant's sign and the logarithm of its absolute value; `work` holds n n doubles.
inline void slogdet(std::size_t batch, std::size_t n, const double* a, double* out, double* work) noexcept {
    for (std::size_t m = 0; m < batch; ++m, a += n * n, out += 2) {
        if (!detail::all_finite(n * n, a)) {
            out[0] = out[1] = detail::not_a_number;
            continue;
        }
        if (n > 0) std::memcpy(work, a, n * n * sizeof(double));
        double sign = detail::eliminate(n, 0, work, nullptr), sum = sign == 0 ? -std::numeric_limits<double>::infinity() : 0;
        for (std::size_t i = 0; i < n && sign != 0; ++i) {
            const double pivot = work[i * n + i];
            sign = pivot < 0 ? -sign : sign;
            sum += std::log(std::abs(pivot));
        }
        out[0] = sign;
        out[1] = sum;
    }
}

namespace detail {

// exp(a) by the Pade approximant of order 13 with scaling and squaring (Higham 2005); work holds 6 n n doubles.
inline bool exponential(std::size_t n, const double* a, double* out, double* work) noexcept {
    constexpr double pade[] = {64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
                               10559470521600,    670442572800,      33522128640,      1323241920,       40840800,
                               960960,            16380,             182,              1};
    const std::size_t size = n * n;
    double *s = work, *s2 = s + size, *s4 = s2 + size, *s6 = s4 + size, *u = s6 + size, *v = u + size;
    double norm = 0;
    for (std::size_t j = 0; j < n; ++j) {
        double column = 0;
        for (std::size_t i = 0; i < n; ++i) column += std::abs(a[i * n + j]);
        norm = std::max(norm, column);
    }
    if (!std::isfinite(norm)) return false;
    const int squarings = norm > 5.371920351148152 ? static_cast<int>(std::ceil(std::log2(norm / 5.371920351148152))) : 0;
    if (squarings > 1000) return false;
    for (std::size_t i = 0; i < size; ++i) s[i] = std::ldexp(a[i], -squarings);
    const auto times = [n](const double* x, const double* y, double* z) { linalg::matmul(n, n, n, x, y, z); };
    // odd and even powers: u = s (s6 (b13 s6 + b11 s4 + b9 s2) + b7 s6 + b5 s4 + b3 s2 + b1), v likewise
    const auto mix = [&](int high, double* z) {
        for (std::size_t i = 0; i < size; ++i)
            z[i] = pade[high] * s6[i] + pade[high - 2] * s4[i] + pade[high - 4] * s2[i];
    };
    const auto add = [&](int high, double* z) {
        for (std::size_t i = 0; i < size; ++i) z[i] += pade[high] * s6[i] + pade[high - 2] * s4[i] + pade[high - 4] * s2[i];
        for (std::size_t i = 0; i < n; ++i) z[i * n + i] += pade[high - 6];
    };
    times(s, s, s2);
    times(s2, s2, s4);
    times(s2, s4, s6);
    mix(13, out);
    times(s6, out, v);
    add(7, v);
    times(s, v, u);
    mix(12, out);
    times(s6, out, v);
    add(6, v);
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = v[i] + u[i];
        v[i] -= u[i];
    }
    if (!solve_in_place(n, n, v, out)) return false;
    for (int i = 0; i < squarings; ++i) {
        times(out, out, s);
        std::memcpy(out, s, size * sizeof(double));
    }
    return true;
}

}  // namespace detail

// The matrix exponential; `work` holds 6 n n doubles.
inline void expm(std::size_t batch, std::size_t n, const double* a, double* out, double* work) noexcept {
    for (std::size_t m = 0; m < batch && n > 0; ++m, a += n * n, out += n * n)
        if (!detail::exponential(n, a, out, work)) std::fill_n(out, n * n, detail::not_a_number);
}

namespace detail {

// A matrix held by columns, so that the inner loops below run along memory.
struct Columns {
    double* data;
    std::size_t n;
    double& operator()(std::size_t row, std::size_t column) const noexcept { return data[column * n + row]; }
    double* column(std::size_t j) const noexcept { return data + j * n; }
};

// Householder reduction of a symmetric matrix to tridiagonal form (Bowdler, Martin, Reinsch and Wilkinson 1968:
// tred2): the diagonal in d, what stands beside it in e[1 ... n - 1], the transformation in v.
inline void tridiagonal(std::size_t n, Columns v, double* d, double* e) noexcept {
    for (std::size_t j = 0; j < n; ++j) d[j] = v(n - 1, j);
    for (std::size_t i = n - 1; i > 0; --i) {
        double scale = 0, h = 0;
        for (std::size_t k = 0; k < i; ++k) scale += std::abs(d[k]);
        if (scale == 0) {
            e[i] = d[i - 1];
            for (std::size_t j = 0; j < i; ++j) {
                d[j] = v(i - 1, j);
                v(i, j) = v(j, i) = 0;
            }
        } else {
            for (std::size_t k = 0; k < i; ++k) {
                d[k] /= scale;
                h += d[k] * d[k];
            }
            const double f = d[i - 1], g = f > 0 ? -std::sqrt(h) : std::sqrt(h);
            e[i] = scale * g;
            h -= f * g;
            d[i - 1] = f - g;
            std::fill_n(e, i, 0.0);
            for (std::size_t j = 0; j < i; ++j) {
                v(j, i) = d[j];
                double sum = e[j] + v(j, j) * d[j];
                for (std::size_t k = j + 1; k < i; ++k) {
                    sum += v(k, j) * d[k];
                    e[k] += v(k, j) * d[j];
                }
                e[j] = sum;
            }
            double product = 0;
            for (std::size_t j = 0; j < i; ++j) {
                e[j] /= h;
                product += e[j] * d[j];
            }
            for (std::size_t j = 0; j < i; ++j) e[j] -= product / (h + h) * d[j];
            for (std::size_t j = 0; j < i; ++j) {
                for (std::size_t k = j; k < i; ++k) v(k, j) -= d[j] * e[k] + e[j] * d[k];
                d[j] = v(i - 1, j);
                v(i, j) = 0;
            }
        }
        d[i] = h;
    }
    for (std::size_t i = 0; i + 1 < n; ++i) {
        v(n - 1, i) = v(i, i);
        v(i, i) = 1;
        const double h = d[i + 1];
        for (std::size_t k = 0; k <= i && h != 0; ++k) d[k] = v(k, i + 1) / h;
        for (std::size_t j = 0; j <= i && h != 0; ++j)
            linalg::add_scaled(i + 1, -linalg::dot(i + 1, v.column(i + 1), v.column(j)), d, v.column(j));
        for (std::size_t k = 0; k <= i; ++k) v(k, i + 1) = 0;
    }
    for (std::size_t j = 0; j < n; ++j) {
        d[j] = v(n - 1, j);
        v(n - 1, j) = 0;
    }
    v(n - 1, n - 1) = 1;
    e[0] = 0;
}

// One implicit QL step on the block l ... m, the rotations applied to the columns of v.
inline double ql_step(std::size_t l, std::size_t m, std::size_t n, Columns v, double* d, double* e) noexcept {
    const double g = d[l], ratio = (d[l + 1] - g) / (2 * e[l]), root = std::copysign(std::hypot(ratio, 1.0), ratio);
    d[l] = e[l] / (ratio + root);
    d[l + 1] = e[l] * (ratio + root);
    const double next = d[l + 1], shift = g - d[l], beside = e[l + 1];
    for (std::size_t i = l + 2; i < n; ++i) d[i] -= shift;
    double p = d[m], c = 1, c2 = 1, c3 = 1, s = 0, s2 = 0;
    for (std::size_t i = m; i-- > l;) {
        c3 = c2;
        c2 = c;
        s2 = s;
        const double left = c * e[i], h = c * p, r = std::hypot(p, e[i]);
        e[i + 1] = s * r;
        s = e[i] / r;
        c = p / r;
        p = c * d[i] - s * left;
        d[i + 1] = h + s * (c * left + s * d[i]);
        double *x = v.column(i), *y = v.column(i + 1);
        for (std::size_t k = 0; k < n; ++k) {
            const double old = y[k];
            y[k] = s * x[k] + c * old;
            x[k] = c * x[k] - s * old;
        }
    }
    p = -s * s2 * c3 * beside * e[l] / next;
    e[l] = s * p;
    d[l] = c * p;
    return shift;
}

// Eigenvalues and eigenvectors of a symmetric tridiagonal matrix by implicit QL steps (tql2).
inline bool diagonalise(std::size_t n, Columns v, double* d, double* e) noexcept {
    for (std::size_t i = 1; i < n; ++i) e[i - 1] = e[i];
    e[n - 1] = 0;
    double shift = 0, largest = 0;
    for (std::size_t l = 0; l < n; ++l) {
        largest = std::max(largest, std::abs(d[l]) + std::abs(e[l]));
        const double negligible = std::numeric_limits<double>::epsilon() * largest;
        std::size_t m = l;
        while (m + 1 < n && std::abs(e[m]) > negligible) ++m;
        for (int i = 0; m > l; ++i) {
            if (i == 100) return false;
            shift += ql_step(l, m, n, v, d, e);
            if (!(std::abs(e[l]) > negligible)) break;
        }
        d[l] += shift;
        e[l] = 0;
    }
    return all_finite(n, d);
}

// Eigenvalues in rising order into out[0], and as columns below them the eigenvectors, their first element that is not
// rounding noise positive; `work` holds n (n + 1) doubles.
inline bool eigenvectors(std::size_t n, const double* a, double* out, double* work) noexcept {
    const Columns v{work, n};
    double *d = out, *e = work + n * n;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            if (!std::isfinite(a[i * n + j])) return false;
            v(i, j) = v(j, i) = a[i * n + j];
        }
    tridiagonal(n, v, d, e);
    if (!diagonalise(n, v, d, e)) return false;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t least = static_cast<std::size_t>(std::min_element(d + i, d + n) - d);
        std::swap(d[i], d[least]);
        if (least != i) std::swap_ranges(v.column(i), v.column(i) + n, v.column(least));
        std::size_t first = 0;
        while (first + 1 < n && !(std::abs(v(first, i)) > 1e-9)) ++first;
        const double sign = v(first, i) < 0 ? -1 : 1;
        for (std::size_t k = 0; k < n; ++k) out[(k + 1) * n + i] = sign * v(k, i);
    }
    return true;
}

}  // namespace detail

// out[n + 1 x n] holds the eigenvalues of a symmetric matrix, of which the lower triangle is read, and its eigenvectors.
inline void eigh(std::size_t batch, std::size_t n, const double* a, double* out, double* work) noexcept {
    for (std::size_t m = 0; m < batch && n > 0; ++m, a += n * n, out += (n + 1) * n)
        if (!detail::eigenvectors(n, a, out, work)) std::fill_n(out, (n + 1) * n, detail::not_a_number);
}

}  // namespace finetti::dense
