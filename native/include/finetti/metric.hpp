// The diagonal metric and its estimate from draws and scores.
//
// Seyboldt, Carlson and Carpenter (2026), arXiv:2603.18845: the affine map x = mu + sigma y that minimises the
// Fisher divergence E |y + grad log p(y)|^2 to a standard normal has, per dimension,
//     sigma^2 = sqrt(Var x / Var g),   mu = mean x + sigma^2 mean g,   g = gradient of log p at x.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "finetti/policy.hpp"
#include "finetti/vectors.hpp"

namespace finetti {

/// Diagonal metric in the user's coordinates: variance = sigma^2 is the inverse mass.
///
/// Sampling with inverse mass sigma^2 is sampling the whitened y = (x - mu) / sigma with identity mass; momenta
/// relate by p = v / sigma, so (y_b - y_a) . v = (x_b - x_a) . p and every test below is free of scale.
class DiagonalMetric {
public:
    explicit DiagonalMetric(std::size_t dimension) : dimension_(dimension), arena_(3, dimension) {
        for (std::size_t i = 0; i < dimension; ++i) set(i, 1.0, 0.0);  // the padding stays 0
    }

    [[nodiscard]] const double* variance() const noexcept { return arena_.vector(0); }
    [[nodiscard]] const double* inverse_sigma() const noexcept { return arena_.vector(1); }
    [[nodiscard]] const double* mean() const noexcept { return arena_.vector(2); }

    void set(std::size_t i, double variance_i, double mean_i) noexcept {
        arena_.vector(0)[i] = variance_i;
        arena_.vector(1)[i] = 1.0 / std::sqrt(variance_i);
        arena_.vector(2)[i] = mean_i;
    }

    /// A first guess from one gradient: the scale on which log p changes by one, sigma^2 = 1 / |g|.
    /// Components with a vanishing gradient borrow a thousandth of the typical size; no gradient at all gives 1.
    void initialise(const double* x, const double* g, double* scratch) noexcept {
        if (dimension_ == 0) return;
        for (std::size_t i = 0; i < dimension_; ++i) scratch[i] = std::fabs(g[i]);
        double* middle = scratch + dimension_ / 2;
        std::nth_element(scratch, middle, scratch + dimension_);
        const double typical = *middle > 0.0 ? *middle : *std::max_element(middle, scratch + dimension_);
        std::fill(scratch, scratch + dimension_, 0.0);
        for (std::size_t i = 0; i < dimension_; ++i) {
            const double size = std::fabs(g[i]) + 1e-3 * typical;
            const double variance_i = size > 0.0 ? std::clamp(1.0 / size, lower_limit, upper_limit) : 1.0;
            set(i, variance_i, x[i] + variance_i * g[i]);
        }
    }

    /// |y + grad_y log p|^2: about 0 for a normal density that the metric whitens exactly.
    [[nodiscard]] double fisher_distance(const double* x, const double* g) const noexcept {
        return distance(arena_.stride(), variance(), inverse_sigma(), mean(), x, g);
    }

    static constexpr double lower_limit = 1e-20;
    static constexpr double upper_limit = 1e20;

private:
    FINETTI_MULTIVERSION static double distance(std::size_t n, const double* variance, const double* inverse_sigma,
                                                const double* mean, const double* x, const double* g) noexcept {
        Lanes sum = repeat(0.0);
        for (std::size_t i = 0; i < n; i += lanes) {
            const Lanes centred = load(x + i) - load(mean + i);
            const Lanes r = (centred + load(variance + i) * load(g + i)) * load(inverse_sigma + i);
            sum += r * r;
        }
        return total(sum);
    }

    std::size_t dimension_;
    Arena arena_;
};

/// Running means and sums of squares of draws and scores (Welford 1962).
class ScoreMoments {
public:
    explicit ScoreMoments(std::size_t dimension) : arena_(4, dimension) {}

    void clear() noexcept {
        count_ = 0;
        std::fill_n(arena_.vector(0), 4 * arena_.stride(), 0.0);
    }

    /// Begins with a metric instead of nothing: it weighs as much as so many draws, which leave the means alone.
    void expect(const double* variance, std::size_t dimension, double weight) noexcept {
        for (std::size_t i = 0; i < dimension; ++i) {
            squares_x()[i] = weight * variance[i];
            squares_g()[i] = weight / variance[i];
        }
    }

    void add(const double* x, const double* g) noexcept {
        ++count_;
        const double weight = 1.0 / static_cast<double>(count_);
        accumulate(arena_.stride(), weight, x, mean_x(), squares_x());
        accumulate(arena_.stride(), weight, g, mean_g(), squares_g());
    }

    [[nodiscard]] std::int64_t count() const noexcept { return count_; }
    [[nodiscard]] double* mean_x() const noexcept { return arena_.vector(0); }
    [[nodiscard]] double* squares_x() const noexcept { return arena_.vector(1); }
    [[nodiscard]] double* mean_g() const noexcept { return arena_.vector(2); }
    [[nodiscard]] double* squares_g() const noexcept { return arena_.vector(3); }

    /// The Fisher-optimal metric of these moments; a dimension without a usable estimate keeps its old one.
    void fit(DiagonalMetric& metric, std::size_t dimension) const noexcept {
        for (std::size_t i = 0; i < dimension; ++i) {
            const double ratio = std::sqrt(squares_x()[i] / squares_g()[i]);
            if (!std::isfinite(ratio) || ratio <= 0.0) continue;
            const double variance = std::clamp(ratio, DiagonalMetric::lower_limit, DiagonalMetric::upper_limit);
            metric.set(i, variance, mean_x()[i] + variance * mean_g()[i]);
        }
    }

private:
    FINETTI_MULTIVERSION static void accumulate(std::size_t n, double weight, const double* __restrict value,
                                                double* __restrict mean, double* __restrict squares) noexcept {
        for (std::size_t i = 0; i < n; ++i) {
            const double from_old = value[i] - mean[i];
            const double updated = mean[i] + weight * from_old;
            mean[i] = updated;
            squares[i] += from_old * (policy::welford ? value[i] - updated : from_old);
        }
    }

    Arena arena_;
    std::int64_t count_ = 0;
};

/// Two overlapping windows: the foreground drives the metric, the background replaces it at a switch.
class MetricWindows {
public:
    explicit MetricWindows(std::size_t dimension)
        : dimension_(dimension), foreground_(dimension), background_(dimension) {}

    /// A metric to begin with; the first switch forgets it.
    void expect(const double* variance) noexcept { current_->expect(variance, dimension_, given_weight); }

    void add(const double* x, const double* g) noexcept {
        foreground_.add(x, g);
        background_.add(x, g);
    }
    void switch_windows() noexcept {
        std::swap(current_, next_);
        next_->clear();
    }
    [[nodiscard]] std::int64_t background_count() const noexcept { return next_->count(); }

    /// Refreshes the metric; false while the foreground is too short to say anything.
    bool fit(DiagonalMetric& metric) const noexcept {
        if (current_->count() < 3) return false;
        current_->fit(metric, dimension_);
        return true;
    }

private:
    static constexpr double given_weight = 10.0;  // draws; one early window

    std::size_t dimension_;
    ScoreMoments foreground_, background_;
    ScoreMoments* current_ = &foreground_;
    ScoreMoments* next_ = &background_;
};

}  // namespace finetti
