// One pass over memory: a matrix times a vector from either side, and running sums.
//
// Matrices are row-major. Sums run in eight lanes whatever the processor, so that its width does not change a bit.
#pragma once

#include <cstddef>
#include <cstring>

#include "finetti/linalg.hpp"

namespace finetti::sweeps {

namespace detail {

#if defined(__GNUC__)
typedef double Eight __attribute__((vector_size(64), aligned(8)));
#else
struct Eight {
    double values[8];
    double& operator[](std::size_t i) noexcept { return values[i]; }
    friend Eight operator*(Eight x, const Eight& y) noexcept {
        for (std::size_t i = 0; i < 8; ++i) x.values[i] *= y.values[i];
        return x;
    }
    Eight& operator+=(const Eight& y) noexcept {
        for (std::size_t i = 0; i < 8; ++i) values[i] += y.values[i];
        return *this;
    }
};
#endif

FINETTI_INLINE Eight load(const double* from) noexcept {
    Eight x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

FINETTI_INLINE Eight repeat(double value) noexcept {
    Eight x;
    for (std::size_t i = 0; i < 8; ++i) x[i] = value;
    return x;
}

FINETTI_INLINE double total(Eight x) noexcept {
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

}  // namespace detail

// out[i] = sum_j a[i, j] x[j], for i < n and j < k.
FINETTI_CLONES inline void matvec(std::size_t n, std::size_t k, const double* a, const double* x,
                                  double* out) noexcept {
    using detail::Eight;
    for (std::size_t i = 0; i < n; ++i) {
        const double* row = a + i * k;
        Eight first = detail::repeat(0.0), second = first;
        std::size_t j = 0;
        for (; j + 16 <= k; j += 16) {
            first += detail::load(row + j) * detail::load(x + j);
            second += detail::load(row + j + 8) * detail::load(x + j + 8);
        }
        for (; j + 8 <= k; j += 8) first += detail::load(row + j) * detail::load(x + j);
        first += second;
        double sum = detail::total(first);
        for (; j < k; ++j) sum += row[j] * x[j];
        out[i] = sum;
    }
}

// out[j] = sum_i a[i, j] x[i], for i < n and j < k: the transposed matrix times a vector.
FINETTI_CLONES inline void vecmat(std::size_t n, std::size_t k, const double* a, const double* x,
                                  double* out) noexcept {
    using detail::Eight;
    for (std::size_t j = 0; j < k; ++j) out[j] = 0.0;
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const double* row = a + i * k;
        const Eight x0 = detail::repeat(x[i]), x1 = detail::repeat(x[i + 1]);
        const Eight x2 = detail::repeat(x[i + 2]), x3 = detail::repeat(x[i + 3]);
        std::size_t j = 0;
        for (; j + 8 <= k; j += 8) {
            Eight sum = detail::load(row + j) * x0;
            sum += detail::load(row + k + j) * x1;
            sum += detail::load(row + 2 * k + j) * x2;
            sum += detail::load(row + 3 * k + j) * x3;
            sum += detail::load(out + j);
            std::memcpy(out + j, &sum, sizeof sum);
        }
        for (; j < k; ++j)
            out[j] += ((row[j] * x[i] + row[k + j] * x[i + 1]) + row[2 * k + j] * x[i + 2]) + row[3 * k + j] * x[i + 3];
    }
    for (; i < n; ++i)
        for (std::size_t j = 0; j < k; ++j) out[j] += a[i * k + j] * x[i];
}

// Running sums along the middle of three axes (outer, n, inner).
inline void cumsum(std::size_t outer, std::size_t n, std::size_t inner, const double* x, double* out) noexcept {
    for (std::size_t o = 0; o < outer; ++o) {
        const double* from = x + o * n * inner;
        double* to = out + o * n * inner;
        for (std::size_t j = 0; j < inner && n > 0; ++j) to[j] = from[j];
        for (std::size_t i = 1; i < n; ++i)
            for (std::size_t j = 0; j < inner; ++j) to[i * inner + j] = to[(i - 1) * inner + j] + from[i * inner + j];
    }
}

}  // namespace finetti::sweeps
