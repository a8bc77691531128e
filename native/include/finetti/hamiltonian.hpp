// Hamiltonian dynamics on a log density: H(x, p) = -log p(x) + p' S p / 2, integrated by velocity Verlet. The inverse
// mass matrix S is diagonal but for dense blocks, where there are any.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "finetti/dense_metric.hpp"
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
    explicit Hamiltonian(Density& density, const std::vector<std::vector<std::size_t>>& dense = {})
        : density_(density), metric_(density.size()), blocks_(dense.begin(), dense.end()) {
        if (blocks_.empty()) return;
        work_.resize(padded(dimension()));
        std::vector<bool> in_block(dimension(), false);
        for (const DenseBlock& block : blocks_)
            for (const std::size_t i : block.index()) in_block[i] = true;
        for (std::size_t i = 0; i < dimension(); ++i)
            if (!in_block[i]) diagonal_.push_back(i);
    }

    [[nodiscard]] std::size_t dimension() const noexcept { return density_.size(); }
    [[nodiscard]] DiagonalMetric& metric() noexcept { return metric_; }
    [[nodiscard]] const DiagonalMetric& metric() const noexcept { return metric_; }
    [[nodiscard]] std::vector<DenseBlock>& blocks() noexcept { return blocks_; }
    [[nodiscard]] const std::vector<DenseBlock>& blocks() const noexcept { return blocks_; }
    /// Vectors of a phase point: with dense blocks, the velocity S p and S g follow x, p and g.
    [[nodiscard]] std::size_t vectors_of_point() const noexcept { return blocks_.empty() ? 3 : 5; }

    /// Log density and gradient at point.x.
    void evaluate(PhasePoint& point) { point.logp = density_.evaluate(point.x, point.g); }

    /// Momentum p = z / sigma, z standard normal; makes the point the start of a trajectory.
    void refresh_momentum(PhasePoint& point, const StreamAddress& address) const noexcept {
        const std::size_t n = dimension();
        fill_normals(address, point.p, n);
        if (!blocks_.empty()) return refresh_dense(point);
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
        if (!blocks_.empty()) return leapfrog_dense(from, to, epsilon, first);
        detail::kick_drift(n, first, epsilon, metric_.variance(), from.x, from.p, from.g, to.x, to.p);
        evaluate(to);
        const double second = policy::second_kick ? half : 0.0;
        const double kinetic = detail::kick_energy(n, second, metric_.variance(), to.g, to.p);
        to.energy = 0.5 * kinetic - to.logp;
        to.index = from.index + (epsilon > 0 ? 1 : -1);
    }

    /// |y + grad_y log p|^2 in whitened coordinates.
    [[nodiscard]] double fisher_distance(const PhasePoint& point) const noexcept {
        if (blocks_.empty()) return metric_.fisher_distance(point.x, point.g);
        multiply(point.g, work_.data());
        const auto of_element = [&](std::size_t i) {
            const double r = (point.x[i] - metric_.mean()[i] + work_[i]) * metric_.inverse_sigma()[i];
            return r * r;
        };
        double sum = 0.0;
        for (const std::size_t i : diagonal_) sum += of_element(i);
        for (const DenseBlock& block : blocks_) {
            if (block.is_set())
                sum += block.fisher_distance(point.x, work_.data());
            else
                for (const std::size_t i : block.index()) sum += of_element(i);
        }
        return sum;
    }

    /// Energy error of `point` against a start; +inf if the energy is no number (any infinity is one divergence).
    [[nodiscard]] static double energy_error(const PhasePoint& point, double initial_energy) noexcept {
        const double error = point.energy - initial_energy;
        return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
    }

private:
    /// out = S x.
    void multiply(const double* x, double* out) const noexcept {
        detail::scale_by(padded(dimension()), metric_.variance(), x, out);
        for (const DenseBlock& block : blocks_)
            if (block.is_set()) block.multiply(x, out);
    }
    [[nodiscard]] double* velocity(const PhasePoint& point) const noexcept {
        return point.g + padded(dimension());
    }
    [[nodiscard]] double* scaled_gradient(const PhasePoint& point) const noexcept {
        return point.g + 2 * padded(dimension());
    }

    /// The point's standard normals become momenta, and what belongs to them.
    void refresh_dense(PhasePoint& point) const noexcept {
        const std::size_t n = padded(dimension());
        double* z = scaled_gradient(point);  // for a moment
        std::copy_n(point.p, n, z);
        detail::scale_by(n, metric_.inverse_sigma(), z, point.p);
        detail::scale_by(n, metric_.variance(), point.p, velocity(point));
        for (const DenseBlock& block : blocks_)
            if (block.is_set()) block.refresh(z, point.p, velocity(point));
        point.energy = 0.5 * linalg::dot(n, z, z) - point.logp;
        point.index = 0;
        multiply(point.g, z);
    }

    void leapfrog_dense(const PhasePoint& from, PhasePoint& to, double epsilon, double first) {
        const std::size_t n = padded(dimension());
        detail::kick_drift_dense(n, first, epsilon, from.x, from.p, from.g, velocity(from), scaled_gradient(from),
                                 to.x, to.p, velocity(to));
        evaluate(to);
        multiply(to.g, scaled_gradient(to));
        const double second = policy::second_kick ? 0.5 * epsilon : 0.0;
        const double kinetic =
            detail::kick_energy_dense(n, second, to.g, scaled_gradient(to), to.p, velocity(to));
        to.energy = 0.5 * kinetic - to.logp;
        to.index = from.index + (epsilon > 0 ? 1 : -1);
    }

    Density& density_;
    DiagonalMetric metric_;
    std::vector<DenseBlock> blocks_;
    std::vector<std::size_t> diagonal_;  // elements in no block, where there are blocks
    mutable std::vector<double> work_;
};

}  // namespace finetti
