// Differential evolution Metropolis: jumps along the difference of two other points of the posterior,
//
//   x' = x + lambda (a - b) + epsilon
//
// DEMetropolis   a and b are two other chains now (ter Braak 2006, Statistics and Computing 16)
// DEMetropolisZ  a and b are two points of the chain's own past (ter Braak and Vrugt 2008, Statistics and Computing 18)
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "finetti/steps/proposal.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

enum class TuneTarget { none, scaling, lambda };
inline constexpr std::array<std::string_view, 3> tune_target_names = {"none", "scaling", "lambda"};

/// What both have in common.
struct DifferentialStep : Step {
    using Step::Step;

    double lamb = 0.0;  // 0: 2.38 / sqrt(2 size), the best for normal densities
    double scaling = 0.001;
    TuneTarget tune = TuneTarget::scaling;
    std::int64_t tune_interval = 100;
    ProposalKind proposal = ProposalKind::normal;  // of epsilon
    std::vector<double> scale;                     // empty: 1

    [[nodiscard]] std::vector<StatName> stats() const override {
        return {{"accept", StatKind::real},
                {"accepted", StatKind::flag},
                {"scaling", StatKind::real},
                {"lambda", StatKind::real},
                {"tune", StatKind::flag}};
    }
    void validate() const override {
        Step::validate();
        const bool factor = proposal == ProposalKind::multivariate_normal;
        if (!scale.empty() || factor)
            require_length(scale.size(), factor ? size() * size() : size(), "scale",
                           factor ? "a row of the Cholesky factor per element" : "one per element");
        require(lamb >= 0 && std::isfinite(lamb), "lamb", lamb, "positive and finite, or 0 for 2.38 / sqrt(2 size)");
        require(scaling > 0 && std::isfinite(scaling), "scaling", scaling, "positive and finite");
        require(tune_interval >= 1, "tune_interval", static_cast<double>(tune_interval), "at least 1");
    }
};

struct DEMetropolisStep final : DifferentialStep {
    using DifferentialStep::DifferentialStep;
    [[nodiscard]] const char* kind() const noexcept override { return "DEMetropolisStep"; }
    [[nodiscard]] bool of_population() const noexcept override { return true; }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
};

struct DEMetropolisZStep final : DifferentialStep {
    using DifferentialStep::DifferentialStep;
    double tune_drop_fraction = 0.9;  // of the warm-up's points are forgotten at its end

    [[nodiscard]] const char* kind() const noexcept override { return "DEMetropolisZStep"; }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        DifferentialStep::validate();
        require(tune_drop_fraction >= 0 && tune_drop_fraction <= 1, "tune_drop_fraction", tune_drop_fraction,
                "between 0 and 1");
    }
};

/// Two different whole numbers below `limit`, which is at least 2.
inline std::pair<std::size_t, std::size_t> two_below(std::size_t limit, UniformBatches& uniforms) noexcept {
    const std::size_t first = uniforms.below(limit);
    const std::size_t second = uniforms.below(limit - 1);
    return {first, second < first ? second : second + 1};
}

class DifferentialKernel : public Kernel {
public:
    DifferentialKernel(const DifferentialStep& step, const Place& place)
        : place_(place),
          index_(step.index),
          density_(step, place, 1),
          clock_(step.tune != TuneTarget::none, step.tune_interval),
          target_(step.tune),
          epsilon_(step.proposal, step.scale.empty() ? std::vector<double>(step.size(), 1.0) : step.scale,
                   step.size()),
          lambda_(step.lamb > 0 ? step.lamb
                                : 2.38 / std::sqrt(2.0 * static_cast<double>(std::max<std::size_t>(step.size(), 1)))),
          scaling_(step.scaling),
          delta_(step.size()),
          before_(step.size()) {}

    void begin(double* x) override { know(x, false); }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }

    bool step(const Moment& moment, double* x, double* stats) override {
        if (clock_.strikes(moment)) tune();
        if (!place_.alone) know(x, true);
        epsilon_.fill(place_.address(moment.draw, Purpose::proposal), delta_.data());
        for (double& d : delta_) d *= scaling_;
        UniformBatches uniforms(place_.address(moment.draw, Purpose::acceptance));
        add_difference(uniforms);
        for (std::size_t i = 0; i < index_.size(); ++i) {
            before_[i] = x[index_[i]];
            x[index_[i]] += delta_[i];
        }
        density_.evaluate(x);
        const double log_ratio = density_[0] - present_;
        const bool accepted = accepts(log_ratio, uniforms);
        if (accepted) {
            present_ = density_[0];
            accepted_ += 1.0;
        } else {
            for (std::size_t i = 0; i < index_.size(); ++i) x[index_[i]] = before_[i];
        }
        remember(x);
        stats[0] = std::isnan(log_ratio) ? 0.0 : std::exp(log_ratio);
        stats[1] = accepted ? 1.0 : 0.0;
        stats[2] = scaling_;
        stats[3] = lambda_;
        stats[4] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

protected:
    /// Adds lambda (a - b) to delta.
    virtual void add_difference(UniformBatches& uniforms) = 0;
    virtual void remember(const double*) {}

    Place place_;
    std::vector<std::size_t> index_;

    [[nodiscard]] double lambda() const noexcept { return lambda_; }
    [[nodiscard]] std::vector<double>& delta() noexcept { return delta_; }

private:
    void know(const double* x, bool begun) {
        density_.evaluate(x);
        present_ = density_[0];
        if (!std::isfinite(present_)) throw StartError(log_density_is(present_, begun));
    }
    void tune() noexcept {
        double& tuned_one = target_ == TuneTarget::scaling ? scaling_ : lambda_;
        tuned_one = tuned(tuned_one, accepted_ / clock_.interval());
        accepted_ = 0.0;
    }

    Conditional density_;
    TuningClock clock_;
    TuneTarget target_;
    Proposal epsilon_;
    double lambda_, scaling_;
    std::vector<double> delta_, before_;
    double present_ = 0.0, accepted_ = 0.0;
};

class DEMetropolisKernel final : public DifferentialKernel {
public:
    using DifferentialKernel::DifferentialKernel;

private:
    void add_difference(UniformBatches& uniforms) override {
        const auto [a, b] = two_below(place_.population.size() - 1, uniforms);
        const double* first = other(a);
        const double* second = other(b);
        for (std::size_t i = 0; i < index_.size(); ++i)
            delta()[i] += lambda() * (first[index_[i]] - second[index_[i]]);
    }
    /// The chains but this one.
    [[nodiscard]] const double* other(std::size_t i) const noexcept {
        return place_.population[i < place_.chain ? i : i + 1];
    }
};

class DEMetropolisZKernel final : public DifferentialKernel {
public:
    DEMetropolisZKernel(const DEMetropolisZStep& step, const Place& place)
        : DifferentialKernel(step, place), drop_(step.tune_drop_fraction) {}
    void end_tuning() override {
        const auto points = static_cast<double>(count());
        const auto dropped = static_cast<std::size_t>(drop_ * points) * index_.size();
        past_.erase(past_.begin(), past_.begin() + static_cast<std::ptrdiff_t>(dropped));
    }

private:
    [[nodiscard]] std::size_t count() const noexcept { return index_.empty() ? 0 : past_.size() / index_.size(); }
    void add_difference(UniformBatches& uniforms) override {
        if (count() < 2) return;
        const auto [a, b] = two_below(count(), uniforms);
        const double* first = past_.data() + a * index_.size();
        const double* second = past_.data() + b * index_.size();
        for (std::size_t i = 0; i < index_.size(); ++i) delta()[i] += lambda() * (first[i] - second[i]);
    }
    void remember(const double* x) override {
        for (const std::size_t i : index_) past_.push_back(x[i]);
    }

    double drop_;
    std::vector<double> past_;  // one point after another
};

inline std::unique_ptr<Kernel> DEMetropolisStep::kernel(const Place& place) const {
    return std::make_unique<DEMetropolisKernel>(*this, place);
}
inline std::unique_ptr<Kernel> DEMetropolisZStep::kernel(const Place& place) const {
    return std::make_unique<DEMetropolisZKernel>(*this, place);
}

}  // namespace finetti::steps
