// Kernels along the middle of three axes (outer, n, inner): order, positions, running products and recurrences.
//
// Positions are whole numbers held in doubles; negative ones count from the end, and those outside read NaN or write
// nothing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace finetti::along {

namespace detail {

// Whether x comes before y in order, NaN last.
inline bool before(double x, double y) noexcept { return x < y || (std::isnan(y) && !std::isnan(x)); }

// Whether x replaces y as the largest: the first NaN stays.
inline bool beats(double x, double y) noexcept { return x > y || (std::isnan(x) && !std::isnan(y)); }

// The place of a position among n, or n when it is outside.
inline std::size_t place(double position, std::size_t n) noexcept {
    const double length = static_cast<double>(n);
    if (position < 0) position += length;
    return position >= 0 && position < length ? static_cast<std::size_t>(position) : n;
}

}  // namespace detail

// The positions that sort each line, ties in their order; `work` holds 2 n doubles.
inline void argsort(std::size_t outer, std::size_t n, std::size_t inner, const double* x, double* out,
                    double* work) noexcept {
    struct Item {
        double value;
        std::uint64_t at;
    };
    static_assert(sizeof(Item) == 2 * sizeof(double));
    Item* items = reinterpret_cast<Item*>(work);
    for (std::size_t line = 0; line < outer * inner; ++line) {
        const std::size_t start = (line / inner) * n * inner + line % inner;
        for (std::size_t i = 0; i < n; ++i) items[i] = {x[start + i * inner], i};
        std::sort(items, items + n, [](const Item& a, const Item& b) {
            return detail::before(a.value, b.value) || (!detail::before(b.value, a.value) && a.at < b.at);
        });
        for (std::size_t i = 0; i < n; ++i) out[start + i * inner] = static_cast<double>(items[i].at);
    }
}

// The position of the largest element of each line: the first of equals, and of NaN.
inline void argmax(std::size_t outer, std::size_t n, std::size_t inner, const double* x, double* out) noexcept {
    for (std::size_t line = 0; line < outer * inner; ++line) {
        const double* from = x + (line / inner) * n * inner + line % inner;
        std::size_t best = 0;
        for (std::size_t i = 1; i < n; ++i)
            if (detail::beats(from[i * inner], from[best * inner])) best = i;
        out[line] = static_cast<double>(best);
    }
}

// For each element, the position of the largest so far.
inline void cumargmax(std::size_t outer, std::size_t n, std::size_t inner, const double* x, double* out) noexcept {
    for (std::size_t line = 0; line < outer * inner; ++line) {
        const std::size_t start = (line / inner) * n * inner + line % inner;
        std::size_t best = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (detail::beats(x[start + i * inner], x[start + best * inner])) best = i;
            out[start + i * inner] = static_cast<double>(best);
        }
    }
}

// Running products.
inline void cumprod(std::size_t outer, std::size_t n, std::size_t inner, const double* x, double* out) noexcept {
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < inner; ++j) {
                const std::size_t at = (o * n + i) * inner + j;
                out[at] = i == 0 ? x[at] : out[at - inner] * x[at];
            }
}

// out[i] = a[i] out[i - 1] + b[i], from out[0] = b[0].
inline void recurrence(std::size_t outer, std::size_t n, std::size_t inner, const double* a, const double* b,
                       double* out) noexcept {
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < inner; ++j) {
                const std::size_t at = (o * n + i) * inner + j;
                out[at] = i == 0 ? b[at] : a[at] * out[at - inner] + b[at];
            }
}

// out[o, i, j] = x[o, at[o, i, j], j] for m positions in lines of n.
inline void take(std::size_t outer, std::size_t n, std::size_t m, std::size_t inner, const double* x, const double* at,
                 double* out) noexcept {
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < m * inner; ++i) {
            const std::size_t k = o * m * inner + i, place = detail::place(at[k], n);
            out[k] = place < n ? x[(o * n + place) * inner + i % inner] : std::numeric_limits<double>::quiet_NaN();
        }
}

// Zeros, with g[o, i, j] added at [o, at[o, i, j], j].
inline void add(std::size_t outer, std::size_t n, std::size_t m, std::size_t inner, const double* g, const double* at,
                double* out) noexcept {
    std::fill_n(out, outer * n * inner, 0.0);
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < m * inner; ++i) {
            const std::size_t k = o * m * inner + i, place = detail::place(at[k], n);
            if (place < n) out[(o * n + place) * inner + i % inner] += g[k];
        }
}

// x, with v[o, i, j] written at [o, at[o, i, j], j]; the last of several writes stays.
inline void put(std::size_t outer, std::size_t n, std::size_t m, std::size_t inner, const double* x, const double* v,
                const double* at, double* out) noexcept {
    if (outer * n * inner > 0) std::memcpy(out, x, outer * n * inner * sizeof(double));
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < m * inner; ++i) {
            const std::size_t k = o * m * inner + i, place = detail::place(at[k], n);
            if (place < n) out[(o * n + place) * inner + i % inner] = v[k];
        }
}

}  // namespace finetti::along
