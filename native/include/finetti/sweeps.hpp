// One pass over memory: a matrix times a vector from either side, and running sums.
//
// Matrices are row-major. Sums run in eight lanes whatever the processor, so that its width does not change a bit.
#pragma once

#include <cstddef>

#include "finetti/simd.hpp"

namespace finetti::sweeps {

// out[i] = sum_j a[i, j] x[j], for i < n and j < k.
FINETTI_MULTIVERSION inline void matvec(std::size_t n, std::size_t k, const double* a, const double* x,
                                  double* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        const double* row = a + i * k;
        Lanes first = repeat(0.0), second = first;
        std::size_t j = 0;
        for (; j + 16 <= k; j += 16) {
            first += load(row + j) * load(x + j);
            second += load(row + j + 8) * load(x + j + 8);
        }
        for (; j + 8 <= k; j += 8) first += load(row + j) * load(x + j);
        first += second;
        double sum = total(first);
        for (; j < k; ++j) sum += row[j] * x[j];
        out[i] = sum;
    }
}

// out[j] = sum_i a[i, j] x[i], for i < n and j < k: the transposed matrix times a vector.
FINETTI_MULTIVERSION inline void vecmat(std::size_t n, std::size_t k, const double* a, const double* x,
                                  double* out) noexcept {
    for (std::size_t j = 0; j < k; ++j) out[j] = 0.0;
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const double* row = a + i * k;
        const Lanes x0 = repeat(x[i]), x1 = repeat(x[i + 1]);
        const Lanes x2 = repeat(x[i + 2]), x3 = repeat(x[i + 3]);
        std::size_t j = 0;
        for (; j + 8 <= k; j += 8) {
            Lanes sum = load(row + j) * x0;
            sum += load(row + k + j) * x1;
            sum += load(row + 2 * k + j) * x2;
            sum += load(row + 3 * k + j) * x3;
            sum += load(out + j);
            store(sum, out + j);
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
