// Vectors of the sampler: one aligned arena, and the few loops that touch every dimension.
//
// Lengths are padded to whole groups of eight lanes with zeros, so loops have no remainder. Sums keep eight
// partial sums whatever the vector width, so a wider CPU gives the same bits, only sooner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

// The same function for several instruction sets, chosen when the library is loaded.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(FINETTI_NO_MULTIVERSION)
#define FINETTI_MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FINETTI_MULTIVERSION
#endif

namespace finetti {

inline constexpr std::size_t lanes = 8;

constexpr std::size_t padded(std::size_t n) noexcept { return (n + lanes - 1) / lanes * lanes; }

/// Zeroed vectors of one padded length, 64-byte aligned, allocated at once; untouched ones cost no memory.
class Arena {
public:
    Arena(std::size_t vectors, std::size_t dimension) : stride_(padded(dimension)) {
        const std::size_t bytes = vectors * stride_ * sizeof(double) + alignment;
        memory_ = std::calloc(bytes, 1);
        if (memory_ == nullptr) throw std::bad_alloc();
        const auto address = reinterpret_cast<std::uintptr_t>(memory_);
        first_ = reinterpret_cast<double*>((address + alignment - 1) / alignment * alignment);
    }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { std::free(memory_); }

    [[nodiscard]] double* vector(std::size_t i) const noexcept { return first_ + i * stride_; }
    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }

private:
    static constexpr std::size_t alignment = 64;
    void* memory_ = nullptr;
    double* first_ = nullptr;
    std::size_t stride_;
};

namespace detail {

struct LaneSum {
    double lane[lanes] = {};
    [[nodiscard]] double total() const noexcept {
        return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
    }
};

/// Half kick and drift: p' = p + h g,  x' = x + e v p'  (v: inverse mass; n is padded in all loops).
FINETTI_MULTIVERSION inline void kick_drift(std::size_t n, double h, double e, const double* __restrict v,
                                            const double* __restrict x, const double* __restrict p,
                                            const double* __restrict g, double* __restrict x_new,
                                            double* __restrict p_new) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        const double half = p[i] + h * g[i];
        p_new[i] = half;
        x_new[i] = x[i] + e * (v[i] * half);
    }
}

/// Half kick p += h g in place; returns p' diag(v) p.
FINETTI_MULTIVERSION inline double kick_energy(std::size_t n, double h, const double* __restrict v,
                                               const double* __restrict g, double* __restrict p) noexcept {
    LaneSum sum;
    for (std::size_t i = 0; i < n; i += lanes)
        for (std::size_t k = 0; k < lanes; ++k) {
            const double full = p[i + k] + h * g[i + k];
            p[i + k] = full;
            sum.lane[k] += full * (v[i + k] * full);
        }
    return sum.total();
}

/// One end of a piece of trajectory.
struct Ends {
    const double* x;
    const double* p;
};

/// (b - a) . p_a and (b - a) . p_b, the two sides of the turning test.
struct TurningDots {
    double at_a;
    double at_b;
    [[nodiscard]] bool turning(double sign) const noexcept { return sign * at_a < 0.0 || sign * at_b < 0.0; }
};

FINETTI_MULTIVERSION inline TurningDots turning_dots(std::size_t n, Ends a, Ends b) noexcept {
    LaneSum at_a, at_b;
    for (std::size_t i = 0; i < n; i += lanes)
        for (std::size_t k = 0; k < lanes; ++k) {
            const double step = b.x[i + k] - a.x[i + k];
            at_a.lane[k] += step * a.p[i + k];
            at_b.lane[k] += step * b.p[i + k];
        }
    return {at_a.total(), at_b.total()};
}

/// The three tests of a merge in one pass: whole (a, d), and across the seam (a, c) and (b, d).
struct SeamDots {
    TurningDots whole, first, last;
};

FINETTI_MULTIVERSION inline SeamDots seam_dots(std::size_t n, Ends a, Ends b, Ends c, Ends d) noexcept {
    LaneSum whole_a, whole_d, first_a, first_c, last_b, last_d;
    for (std::size_t i = 0; i < n; i += lanes)
        for (std::size_t k = 0; k < lanes; ++k) {
            const std::size_t j = i + k;
            const double whole = d.x[j] - a.x[j], first = c.x[j] - a.x[j], last = d.x[j] - b.x[j];
            whole_a.lane[k] += whole * a.p[j];
            whole_d.lane[k] += whole * d.p[j];
            first_a.lane[k] += first * a.p[j];
            first_c.lane[k] += first * c.p[j];
            last_b.lane[k] += last * b.p[j];
            last_d.lane[k] += last * d.p[j];
        }
    return {{whole_a.total(), whole_d.total()}, {first_a.total(), first_c.total()}, {last_b.total(), last_d.total()}};
}

}  // namespace detail
}  // namespace finetti
