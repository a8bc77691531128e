// The warm-up: when to learn what. The schedule is nutpie's (arXiv:2603.18845, section 4; nuts-rs 0.18).
//
//   first 30 % of tune   windows of 10 draws
//   up to 85 %           windows of 80, 120, 180, ... draws; the last one is as long as what is left
//   last 15 %            step size only
//
// The metric is refreshed after every draw. The step size is searched at the start and after the first refresh, and
// dual averaging then runs through all windows: it aims at the mean acceptance early on, and at the symmetric
// statistic once no window will be closed any more.
//
// With dense blocks, windows grow from the first one on, and new matrices are rarer (dense_windows.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "finetti/dense_windows.hpp"
#include "finetti/hamiltonian.hpp"
#include "finetti/metric.hpp"
#include "finetti/nuts.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/policy.hpp"
#include "finetti/random.hpp"
#include "finetti/step_size.hpp"

namespace finetti {

/// Which window a warm-up draw belongs to.
class WindowSchedule {
public:
    explicit WindowSchedule(const NutsConfig& config)
        : early_size_(config.early_window_size),
          size_(config.window_size),
          growth_(config.window_growth),
          early_end_(static_cast<std::int64_t>(config.early_window * static_cast<double>(config.tune))),
          metric_end_(config.tune -
                      static_cast<std::int64_t>(config.step_size_window * static_cast<double>(config.tune))) {
        if (config.dense_blocks.empty()) return;
        early_end_ = 0;  // a matrix needs many draws: windows grow from the first one on
        size_ = early_size_;
    }

    struct Decision {
        bool switch_windows;  // replace the foreground by the background
        bool is_late;         // no further window fits before the step-size phase
    };

    [[nodiscard]] bool learns_metric(std::int64_t draw) const noexcept { return draw < metric_end_; }

    /// background: draws in the background window, this one included.
    Decision decide(std::int64_t draw, std::int64_t background) noexcept {
        const bool early = draw < early_end_;
        if (draw == early_end_) size_ = std::max(size_, background);
        const std::int64_t needed = early ? early_size_ : size_;
        const std::int64_t next = early ? early_size_ : grown();
        const bool late = next + draw > metric_end_;
        const bool switch_now = background >= needed && !late;
        if (switch_now && !early) size_ = next;
        return {switch_now, late};
    }

private:
    [[nodiscard]] std::int64_t grown() const noexcept {
        return std::max(size_ + 1, static_cast<std::int64_t>(std::llround(static_cast<double>(size_) * growth_)));
    }

    std::int64_t early_size_, size_;
    double growth_;
    std::int64_t early_end_, metric_end_;
};

template <LogDensity Density, template <class> class Trajectory = Nuts>
class Warmup {
public:
    Warmup(const NutsConfig& config, Hamiltonian<Density>& hamiltonian, Trajectory<Density>& trajectory,
           std::uint64_t seed, std::uint64_t chain)
        : config_(config),
          hamiltonian_(hamiltonian),
          trajectory_(trajectory),
          seed_(seed),
          chain_(chain),
          schedule_(config),
          windows_(hamiltonian.dimension()),
          dense_(config, hamiltonian.blocks()),
          averaging_(config),
          initial_step_(config.initial_step),
          step_(config.initial_step) {}

    /// A metric (nullptr: none) and a step size to begin with; to be called before begin.
    void start_with(const double* variance, const double* dense, double step) {
        dense_.start_with(dense);
        if (variance != nullptr) given_variance_.assign(variance, variance + hamiltonian_.dimension());
        initial_step_ = step_ = step;
    }

    /// Before the first draw; the current point has been evaluated.
    void begin() {
        const PhasePoint& start = trajectory_.current();
        use_given_metric(start);
        if (config_.tune == 0) return;
        if (config_.adapt_metric) {
            if (given_variance_.empty()) {
                const PointRef scratch = trajectory_.spare();
                hamiltonian_.metric().initialise(start.x, start.g, scratch->x);
            } else {
                windows_.expect(given_variance_.data());
            }
            windows_.add(start.x, start.g);
            dense_.add(start.x, start.g);
        }
        if (config_.adapt_step_size) search_step_size(0);
    }

    /// After draw number `draw` (from 0; warm-up draws first).
    void learn(std::int64_t draw, const Transition& transition) {
        if (draw >= config_.tune && policy::freeze_after_warmup) return;
        bool is_late = true;
        bool first_metric = false;
        if (schedule_.learns_metric(draw) || !policy::freeze_after_warmup) {
            const PhasePoint& point = trajectory_.current();
            if (counts(point, transition)) {
                windows_.add(point.x, point.g);
                dense_.add(point.x, point.g);
            }
            const auto decision = schedule_.decide(draw, windows_.background_count());
            is_late = decision.is_late;
            if (decision.switch_windows) {
                windows_.switch_windows();
                dense_.switch_windows();
            }
            if (config_.adapt_metric && windows_.fit(hamiltonian_.metric())) {
                first_metric = !metric_learned_;
                metric_learned_ = true;
            }
            // a new matrix is another geometry: its step size is searched again
            if (dense_.refresh(!schedule_.learns_metric(draw + 1))) first_metric = true;
        }
        if (!config_.adapt_step_size) return;
        if (first_metric) {
            search_step_size(draw + 1);
            return;
        }
        averaging_.update(is_late ? transition.accept.symmetric() : transition.accept.plain());
        step_ = draw + 1 >= config_.tune && policy::freeze_after_warmup ? averaging_.averaged() : averaging_.step();
    }

    /// The step size before jitter.
    [[nodiscard]] double step() const noexcept { return step_; }
    [[nodiscard]] double averaged_step() const noexcept {
        return config_.adapt_step_size && config_.tune > 0 ? averaging_.averaged() : step_;
    }

private:
    /// A draw that did not move says nothing new; after a divergence it must have come from some way off.
    static bool counts(const PhasePoint& point, const Transition& transition) noexcept {
        return transition.diverging ? std::llabs(point.index) > 4 : point.index != 0;
    }

    void use_given_metric(const PhasePoint& start) {
        for (std::size_t i = 0; i < given_variance_.size(); ++i)
            hamiltonian_.metric().set(i, given_variance_[i], start.x[i] + given_variance_[i] * start.g[i]);
        dense_.use_given(start.x, start.g);
    }

    /// Doubles or halves from the initial step until one leapfrog's acceptance crosses the target.
    void search_step_size(std::int64_t draw) {
        PhasePoint& start = trajectory_.current();
        hamiltonian_.refresh_momentum(start, {seed_, chain_, static_cast<std::uint64_t>(draw), Purpose::step_search});
        step_ = initial_step_;
        const bool grow = accepts(start, step_);
        for (int attempt = 0; attempt < search_attempts; ++attempt) {
            step_ = grow ? step_ * 2.0 : step_ * 0.5;
            if (accepts(start, step_) != grow || step_ > largest_step || step_ < smallest_step) break;
        }
        averaging_.restart(step_);
        step_ = averaging_.step();
    }
    bool accepts(const PhasePoint& start, double step) {
        const PointRef end = trajectory_.spare();
        hamiltonian_.leapfrog(start, *end, step);
        const double error = Hamiltonian<Density>::energy_error(*end, start.energy);
        return std::fmin(1.0, std::exp(-error)) > config_.target_accept;
    }
    static constexpr int search_attempts = 100;
    static constexpr double largest_step = 1e5, smallest_step = 1e-10;

    const NutsConfig& config_;
    Hamiltonian<Density>& hamiltonian_;
    Trajectory<Density>& trajectory_;
    std::uint64_t seed_, chain_;
    WindowSchedule schedule_;
    MetricWindows windows_;
    DenseAdaptation dense_;
    DualAveraging averaging_;
    double initial_step_, step_;
    std::vector<double> given_variance_;
    bool metric_learned_ = false;
};

}  // namespace finetti
