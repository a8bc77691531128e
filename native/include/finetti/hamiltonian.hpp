// Hamiltonian dynamics on a log density: H(x, p) = -log p(x) + p' diag(v) p / 2, integrated by velocity Verlet.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "finetti/density.hpp"
#include "finetti/metric.hpp"
#include "finetti/phase_point.hpp"
#include "finetti/policy.hpp"
#include "finetti/random.hpp"
#include "finetti/vectors.hpp"

namespace finetti {

template <LogDensity Density>
class Hamiltonian {
public:
    explicit Hamiltonian(Density& density) : density_(density), metric_(density.size()) {}

    [[nodiscard]] std::size_t dimension() const noexcept { return density_.size(); }
    [[nodiscard]] DiagonalMetric& metric() noexcept { return metric_; }
    [[nodiscard]] const DiagonalMetric& metric() const noexcept { return metric_; }

    /// Log density and gradient at point.x.
    void evaluate(PhasePoint& point) { point.logp = density_.evaluate(point.x, point.g); }

    /// Momentum p = z / sigma, z standard normal; makes the point the start of a trajectory.
    void refresh_momentum(PhasePoint& point, const StreamAddress& address) const noexcept {
        const std::size_t n = dimension();
        fill_normals(address, point.p, n);
        double kinetic = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            const double z = point.p[i];
            if constexpr (policy::momentum_matches_metric) {
                point.p[i] = z * metric_.inverse_sigma()[i];
                kinetic += z * z;
            } else {
                kinetic += z * (metric_.variance()[i] * z);
            }
        }
        point.energy = 0.5 * kinetic - point.logp;
        point.index = 0;
    }

    /// One step of size epsilon (negative: backwards in time) from `from` to `to`: one gradient.
    void leapfrog(const PhasePoint& from, PhasePoint& to, double epsilon) {
        const std::size_t n = padded(dimension());
        const double half = 0.5 * epsilon;
        const double first = policy::second_kick ? half : epsilon;
        detail::kick_drift(n, first, epsilon, metric_.variance(), from.x, from.p, from.g, to.x, to.p);
        evaluate(to);
        const double second = policy::second_kick ? half : 0.0;
        const double kinetic = detail::kick_energy(n, second, metric_.variance(), to.g, to.p);
        to.energy = 0.5 * kinetic - to.logp;
        to.index = from.index + (epsilon > 0 ? 1 : -1);
    }

    /// Energy error of `point` against a start; +inf if the energy is no number (any infinity is one divergence).
    [[nodiscard]] static double energy_error(const PhasePoint& point, double initial_energy) noexcept {
        const double error = point.energy - initial_energy;
        return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
    }

private:
    Density& density_;
    DiagonalMetric metric_;
};

}  // namespace finetti
