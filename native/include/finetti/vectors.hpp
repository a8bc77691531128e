// Vectors of the sampler: one aligned arena, and the few loops that touch every dimension.
//
// Lengths are padded to whole groups of eight lanes with zeros, so loops have no remainder. Sums keep eight
// partial sums whatever the vector width, so a wider CPU gives the same bits, only sooner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "finetti/simd.hpp"

namespace finetti {

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
    Lanes sum = repeat(0.0);
    for (std::size_t i = 0; i < n; i += lanes) {
        const Lanes full = load(p + i) + h * load(g + i);
        store(full, p + i);
        sum += full * (load(v + i) * full);
    }
    return total(sum);
}

/// Half kick and drift with a metric that is not diagonal: v is the velocity M^-1 p, w = M^-1 g.
FINETTI_MULTIVERSION inline void kick_drift_dense(std::size_t n, double h, double e, const double* __restrict x,
                                                  const double* __restrict p, const double* __restrict g,
                                                  const double* __restrict v, const double* __restrict w,
                                                  double* __restrict x_new, double* __restrict p_new,
                                                  double* __restrict v_new) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        const double velocity = v[i] + h * w[i];
        p_new[i] = p[i] + h * g[i];
        v_new[i] = velocity;
        x_new[i] = x[i] + e * velocity;
    }
}

/// The second half kick of momentum and velocity in place; returns p' M^-1 p.
FINETTI_MULTIVERSION inline double kick_energy_dense(std::size_t n, double h, const double* __restrict g,
                                                     const double* __restrict w, double* __restrict p,
                                                     double* __restrict v) noexcept {
    Lanes sum = repeat(0.0);
    for (std::size_t i = 0; i < n; i += lanes) {
        const Lanes momentum = load(p + i) + h * load(g + i), velocity = load(v + i) + h * load(w + i);
        store(momentum, p + i);
        store(velocity, v + i);
        sum += momentum * velocity;
    }
    return total(sum);
}

/// out = v x, element by element.
FINETTI_MULTIVERSION inline void scale_by(std::size_t n, const double* __restrict v, const double* __restrict x,
                                          double* __restrict out) noexcept {
    for (std::size_t i = 0; i < n; ++i) out[i] = v[i] * x[i];
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
    Lanes at_a = repeat(0.0), at_b = at_a;
    for (std::size_t i = 0; i < n; i += lanes) {
        const Lanes step = load(b.x + i) - load(a.x + i);
        at_a += step * load(a.p + i);
        at_b += step * load(b.p + i);
    }
    return {total(at_a), total(at_b)};
}

/// The three tests of a merge in one pass: whole (a, d), and across the seam (a, c) and (b, d).
struct SeamDots {
    TurningDots whole, first, last;
};

FINETTI_MULTIVERSION inline SeamDots seam_dots(std::size_t n, Ends a, Ends b, Ends c, Ends d) noexcept {
    Lanes whole_a = repeat(0.0), whole_d = whole_a, first_a = whole_a, first_c = whole_a, last_b = whole_a,
          last_d = whole_a;
    for (std::size_t i = 0; i < n; i += lanes) {
        const Lanes a_x = load(a.x + i), d_x = load(d.x + i), a_p = load(a.p + i), d_p = load(d.p + i);
        const Lanes whole = d_x - a_x, first = load(c.x + i) - a_x, last = d_x - load(b.x + i);
        whole_a += whole * a_p;
        whole_d += whole * d_p;
        first_a += first * a_p;
        first_c += first * load(c.p + i);
        last_b += last * load(b.p + i);
        last_d += last * d_p;
    }
    return {{total(whole_a), total(whole_d)}, {total(first_a), total(first_c)}, {total(last_b), total(last_d)}};
}

}  // namespace detail
}  // namespace finetti
