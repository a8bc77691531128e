// The No-U-Turn transition.
//
// Hoffman and Gelman (2014, JMLR 15) with the multinomial choice of Betancourt (2017, arXiv:1701.02434, appendix
// A): a trajectory is doubled, forwards or backwards, until it turns back on itself; the draw is one of its points,
// chosen with weight exp(-H). Within a subtree the choice is plain multinomial; between the old tree and a new one
// it is biased towards the new (progressive sampling). Turning is judged on a tree's ends in whitened space, and
// across the seam of its halves: without the latter, a step size in resonance with the period of a normal density
// goes round and round unnoticed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "finetti/hamiltonian.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/phase_point.hpp"
#include "finetti/policy.hpp"
#include "finetti/random.hpp"
#include "finetti/step_size.hpp"

namespace finetti {

/// What one transition did; the new state is the sampler's current point.
struct Transition {
    double energy_error = 0.0;      // of the draw
    double max_energy_error = 0.0;  // the largest in size along the trajectory
    std::int64_t depth = 0;         // doublings that entered the tree
    std::int64_t leapfrogs = 0;
    bool diverging = false;
    bool reached_max_depth = false;
    bool stopped = false;  // cut short by a stop request: no valid draw
    AcceptStatistic accept;
    PointRef divergence_start, divergence_end;
};

template <LogDensity Density>
class Nuts {
public:
    Nuts(Hamiltonian<Density>& hamiltonian, const NutsConfig& config, const std::atomic<bool>& stop)
        : hamiltonian_(hamiltonian),
          config_(config),
          pool_(PhasePool::points_for_depth(static_cast<std::size_t>(
                    std::max(config.max_treedepth, config.warmup_treedepth))),
                hamiltonian.dimension(), hamiltonian.vectors_of_point()),
          max_energy_error_(config.max_energy_error),
          stop_(stop),
          current_(pool_.take()) {}

    [[nodiscard]] const PhasePoint& current() const noexcept { return *current_; }
    [[nodiscard]] PhasePoint& current() noexcept { return *current_; }
    /// A free point, for whoever has to try a step outside a trajectory.
    [[nodiscard]] PointRef spare() noexcept { return pool_.take(); }

    /// Moves the current point by one trajectory.
    Transition transition(std::uint64_t seed, std::uint64_t chain, std::uint64_t draw, double step) {
        hamiltonian_.refresh_momentum(*current_, {seed, chain, draw, Purpose::momentum});
        const std::uint64_t directions = UniformStream({seed, chain, draw, Purpose::direction}).next_bits();
        uniforms_ = UniformStream({seed, chain, draw, Purpose::progress});
        initial_energy_ = current_->energy;
        const std::int64_t deepest = config_.treedepth_of(static_cast<std::int64_t>(draw));
        max_depth_ = hamiltonian_.dimension() == 0 ? 0 : static_cast<std::size_t>(deepest);
        result_ = {};

        Orbit main{current_, current_};
        PointRef chosen = current_;
        double weight = 1.0;
        Growth growth = Growth::going;
        while (growth == Growth::going && static_cast<std::size_t>(result_.depth) < max_depth_) {
            const bool forward = (directions >> result_.depth & 1) != 0;
            signed_step_ = forward ? step : -step;
            // In the order of integration: `from` is the end that grows, `behind` the far one.
            PointRef& from = forward ? main.right : main.left;
            PointRef& behind = forward ? main.left : main.right;
            Subtree other;
            growth = build(from, static_cast<std::size_t>(result_.depth), other);
            if (growth != Growth::going) break;
            if (uniforms_.next() * weight < other.weight) chosen = other.draw;  // min(1, new / old)
            if (turning(behind, from, other.first, other.last, result_.depth > 0)) growth = Growth::turned;
            weight += other.weight;
            from = std::move(other.last);
            ++result_.depth;
        }
        result_.leapfrogs = result_.accept.count();
        result_.stopped = growth == Growth::stopped;
        result_.diverging = growth == Growth::diverged;
        result_.reached_max_depth = growth == Growth::going && max_depth_ > 0;
        if (!result_.stopped) {
            result_.energy_error = chosen->energy - initial_energy_;
            current_ = std::move(chosen);
        }
        return std::move(result_);
    }

private:
    struct Orbit {
        PointRef left, right;
    };
    /// 2^depth consecutive points, in the order of integration.
    struct Subtree {
        PointRef first, last, draw;
        double weight = 0.0;  // sum of exp(E0 - E)
    };
    enum class Growth { going, turned, diverged, stopped };

    Growth build(const PointRef& from, std::size_t depth, Subtree& tree) {
        if (depth == 0) return leaf(from, tree);
        Growth growth = build(from, depth - 1, tree);
        if (growth != Growth::going) return growth;
        Subtree other;
        growth = build(tree.last, depth - 1, other);
        if (growth != Growth::going) return growth;
        if (turning(tree.first, tree.last, other.first, other.last, depth > 1)) return Growth::turned;
        tree.weight += other.weight;
        if (uniforms_.next() * tree.weight < other.weight) tree.draw = std::move(other.draw);
        tree.last = std::move(other.last);
        return Growth::going;
    }

    /// One leapfrog: the only place that evaluates the density.
    Growth leaf(const PointRef& from, Subtree& tree) {
        if (stop_.load(std::memory_order_relaxed)) return Growth::stopped;
        PointRef point = pool_.take();
        hamiltonian_.leapfrog(*from, *point, signed_step_);
        const double error = Hamiltonian<Density>::energy_error(*point, initial_energy_);
        if (std::fabs(error) > std::fabs(result_.max_energy_error)) result_.max_energy_error = error;
        if (error > max_energy_error_) {
            result_.accept.add_divergent();
            result_.divergence_start = from;
            result_.divergence_end = std::move(point);
            return Growth::diverged;
        }
        const double ratio = std::exp(std::fmin(-error, largest_log_weight));
        result_.accept.add(ratio);
        tree.weight = policy::invert_weights ? 1.0 / ratio : ratio;
        tree.first = point;
        tree.draw = point;
        tree.last = std::move(point);
        return Growth::going;
    }

    /// Joins a..b and c..d, in the order of integration: does the whole, or a step across the seam, turn back?
    [[nodiscard]] bool turning(const PointRef& a, const PointRef& b, const PointRef& c, const PointRef& d,
                               bool has_seam) const noexcept {
        const std::size_t n = padded(hamiltonian_.dimension());
        const double sign = signed_step_ > 0 ? 1.0 : -1.0;
        if (!has_seam || !policy::cross_checks) return detail::turning_dots(n, a.ends(), d.ends()).turning(sign);
        const detail::SeamDots dots = detail::seam_dots(n, a.ends(), b.ends(), c.ends(), d.ends());
        return dots.whole.turning(sign) || dots.first.turning(sign) || dots.last.turning(sign);
    }

    /// Weights are kept as they are, not as logarithms. A point so much likelier than its start that it meets this cap
    /// is reached with probability exp(-600) from the density itself; on the way in from a far start, it only matters
    /// that it is preferred. The sum of 2^30 such weights is still finite.
    static constexpr double largest_log_weight = 600.0;

    Hamiltonian<Density>& hamiltonian_;
    const NutsConfig& config_;
    PhasePool pool_;
    double max_energy_error_;
    const std::atomic<bool>& stop_;
    PointRef current_;

    // Of the transition in progress
    Transition result_;
    UniformStream uniforms_{{0, 0, 0, Purpose::progress}};
    std::size_t max_depth_ = 0;
    double initial_energy_ = 0.0;
    double signed_step_ = 0.0;
};

}  // namespace finetti
