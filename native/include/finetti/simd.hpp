// Eight doubles at a time, on any processor.
//
// Sums are kept in eight lanes whatever the width of the machine's vectors, and folded in one order, so that a wider
// processor gives the same bits, only sooner.
#pragma once

#include <cstddef>
#include <cstring>

// The same function for several instruction sets; the loader picks the widest that runs here.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(FINETTI_NO_MULTIVERSION)
#define FINETTI_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FINETTI_MULTIVERSION
#endif

#if defined(__GNUC__)
#define FINETTI_INLINE [[gnu::always_inline]] inline
#define FINETTI_UNROLL _Pragma("GCC unroll 8")
#else
#define FINETTI_INLINE inline
#define FINETTI_UNROLL
#endif

namespace finetti {

inline constexpr std::size_t lanes = 8;

constexpr std::size_t padded(std::size_t n) noexcept { return (n + lanes - 1) / lanes * lanes; }

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi"  // lanes cross no boundary: every function that takes them is inlined
typedef double Lanes __attribute__((vector_size(64)));
#else
struct Lanes {
    double values[lanes];
    double& operator[](std::size_t i) noexcept { return values[i]; }
    double operator[](std::size_t i) const noexcept { return values[i]; }
#define FINETTI_LANES(op)                                                              \
    Lanes& operator op##=(const Lanes& y) noexcept {                                   \
        for (std::size_t i = 0; i < lanes; ++i) values[i] op## = y.values[i];          \
        return *this;                                                                  \
    }                                                                                  \
    friend Lanes operator op(Lanes x, const Lanes& y) noexcept { return x op## = y; }  \
    friend Lanes operator op(double s, const Lanes& y) noexcept {                      \
        Lanes x;                                                                       \
        for (double& v : x.values) v = s;                                              \
        return x op## = y;                                                             \
    }
    FINETTI_LANES(+)
    FINETTI_LANES(-)
    FINETTI_LANES(*)
#undef FINETTI_LANES
};
#endif

/// Eight neighbours; any address.
FINETTI_INLINE Lanes load(const double* from) noexcept {
    Lanes x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

FINETTI_INLINE void store(const Lanes& x, double* to) noexcept { std::memcpy(to, &x, sizeof x); }

FINETTI_INLINE Lanes repeat(double value) noexcept {
    Lanes x;
    for (std::size_t i = 0; i < lanes; ++i) x[i] = value;
    return x;
}

/// The lanes' sum, in a fixed tree.
FINETTI_INLINE double total(const Lanes& x) noexcept {
    return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

}  // namespace finetti
