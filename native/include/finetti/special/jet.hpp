// Numbers with derivatives: truncated Taylor expansions in two parameters, and continued fractions of them.
#pragma once

#include <algorithm>
#include <cmath>

namespace finetti::special::detail {

// A value with its first and second derivatives by two parameters.
struct Jet {
    double v = 0, a = 0, b = 0, aa = 0, ab = 0, bb = 0;

    friend Jet operator+(const Jet& x, const Jet& y) noexcept {
        return {x.v + y.v, x.a + y.a, x.b + y.b, x.aa + y.aa, x.ab + y.ab, x.bb + y.bb};
    }
    friend Jet operator*(const Jet& x, const Jet& y) noexcept {
        return {x.v * y.v,
                x.a * y.v + x.v * y.a,
                x.b * y.v + x.v * y.b,
                x.aa * y.v + 2 * x.a * y.a + x.v * y.aa,
                x.ab * y.v + x.a * y.b + x.b * y.a + x.v * y.ab,
                x.bb * y.v + 2 * x.b * y.b + x.v * y.bb};
    }
};

inline constexpr double smallest_divisor = 1e-300;

inline Jet inverse(const Jet& x) noexcept {
    const double r = 1 / (std::abs(x.v) < smallest_divisor ? smallest_divisor : x.v);
    const double square = r * r, cube = 2 * r * square;
    return {r,
            -square * x.a,
            -square * x.b,
            cube * x.a * x.a - square * x.aa,
            cube * x.a * x.b - square * x.ab,
            cube * x.b * x.b - square * x.bb};
}

// 1 / (first + c_1 / (b_1 + c_2 / (b_2 + ...))) by the modified Lentz method; next() gives c and b in turn.
template <class Next>
Jet continued_fraction(const Jet& first, Next next) noexcept {
    Jet d = inverse(first), c{1 / smallest_divisor}, h = d;
    for (int i = 1; i < 1000000; ++i) {
        const auto [numerator, b] = next(i);
        d = inverse(numerator * d + b);
        c = b + numerator * inverse(c);
        const Jet change = c * d;
        h = h * change;
        // how far each derivative still moves, relative to what it has become or to the value
        const double scale = std::abs(h.v);
        const auto moved = [&](double step, double now) { return std::abs(step) * scale / std::max(std::abs(now), scale); };
        const double steps = std::abs(change.v - 1) + moved(change.a, h.a) + moved(change.b, h.b) +
                             moved(change.aa, h.aa) + moved(change.ab, h.ab) + moved(change.bb, h.bb);
        if (!(steps > 4e-16)) break;
    }
    return h;
}

}  // namespace finetti::special::detail
