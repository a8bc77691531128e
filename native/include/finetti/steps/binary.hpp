// Steps of variables with the values 0 and 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "finetti/steps/elements.hpp"
#include "finetti/steps/proposal.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

/// Throws where a start is neither 0 nor 1.
inline void check_binary(const std::vector<std::size_t>& index, const double* x) {
    for (std::size_t i = 0; i < index.size(); ++i)
        if (x[index[i]] != 0.0 && x[index[i]] != 1.0)
            throw StartError("element " + std::to_string(i) + " of the block starts at " +
                             std::to_string(x[index[i]]) + "; its values are 0 and 1");
}

/// Metropolis of the whole block: every element flips with probability p_jump = 1 - 0.5^scaling, all or none accepted.
struct BinaryMetropolisStep final : Step {
    using Step::Step;

    double scaling = 1.0;
    bool tune = true;
    std::int64_t tune_interval = 100;

    [[nodiscard]] const char* kind() const noexcept override { return "BinaryMetropolisStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override {
        return {{"accept", StatKind::real}, {"p_jump", StatKind::real}, {"tune", StatKind::flag}};
    }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        Step::validate();
        require(scaling > 0 && std::isfinite(scaling), "scaling", scaling, "positive and finite");
        require(tune_interval >= 1, "tune_interval", static_cast<double>(tune_interval), "at least 1");
    }
};

class BinaryMetropolisKernel final : public Kernel {
public:
    BinaryMetropolisKernel(const BinaryMetropolisStep& step, const Place& place)
        : place_(place),
          index_(step.index),
          density_(step, place, 1),
          clock_(step.tune, step.tune_interval),
          scaling_(step.scaling),
          most_(std::max(step.scaling, 1.0)),
          flips_(step.size()) {}

    void begin(double* x) override {
        check_binary(index_, x);
        know(x, false);
    }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }

    bool step(const Moment& moment, double* x, double* stats) override {
        if (clock_.strikes(moment)) tune();
        if (!place_.alone) know(x, true);
        const double p_jump = 1.0 - std::pow(0.5, scaling_);
        UniformBatches uniforms(place_.address(moment.draw, Purpose::proposal));
        for (std::size_t i = 0; i < index_.size(); ++i) flips_[i] = uniforms.next() < p_jump;
        flip(x);
        density_.evaluate(x);
        const double log_ratio = density_[0] - present_;
        if (accepts(log_ratio, uniforms)) {
            present_ = density_[0];
            accepted_ += 1.0;
        } else {
            flip(x);
        }
        stats[0] = std::isnan(log_ratio) ? 0.0 : std::exp(log_ratio);
        stats[1] = p_jump;
        stats[2] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

private:
    void know(const double* x, bool begun) {
        density_.evaluate(x);
        present_ = density_[0];
        if (!std::isfinite(present_)) throw StartError(log_density_is(present_, begun));
    }
    void flip(double* x) const noexcept {
        for (std::size_t i = 0; i < index_.size(); ++i)
            if (flips_[i]) x[index_[i]] = 1.0 - x[index_[i]];
    }
    /// Never beyond a fair coin: with p_jump near 1 the block would only alternate with its mirror image.
    void tune() noexcept {
        scaling_ = std::min(tuned(scaling_, accepted_ / clock_.interval()), most_);
        accepted_ = 0.0;
    }

    Place place_;
    std::vector<std::size_t> index_;
    Conditional density_;
    TuningClock clock_;
    double scaling_, most_;
    std::vector<bool> flips_;
    double present_ = 0.0, accepted_ = 0.0;
};

inline std::unique_ptr<Kernel> BinaryMetropolisStep::kernel(const Place& place) const {
    return std::make_unique<BinaryMetropolisKernel>(*this, place);
}

/// Metropolis within Gibbs: every element by itself proposes to flip with probability transit_p.
struct BinaryGibbsStep final : ElementStep {
    using ElementStep::ElementStep;

    double transit_p = 0.8;

    [[nodiscard]] const char* kind() const noexcept override { return "BinaryGibbsStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override { return {{"tune", StatKind::flag}}; }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        ElementStep::validate();
        require(transit_p > 0 && transit_p <= 1, "transit_p", transit_p, "in (0, 1]");
    }
};

class BinaryGibbsKernel final : public Kernel {
public:
    BinaryGibbsKernel(const BinaryGibbsStep& step, const Place& place)
        : place_(place), transit_p_(step.transit_p), index_(step.index), density_(step, place),
          logs_(step.size()) {}

    void begin(double* x) override {
        check_binary(index_, x);
        density_.begin(x);
    }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }

    bool step(const Moment& moment, double* x, double* stats) override {
        density_.begin_draw(moment.draw, true);
        UniformBatches uniforms(place_.address(moment.draw, Purpose::proposal));
        for (std::size_t position = 0; position < density_.groups(); ++position)
            move_group(density_.group(position), x, uniforms);
        stats[0] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

private:
    void move_group(const Group& group, double* x, UniformBatches& uniforms) {
        movers_.clear();
        for (const std::size_t i : group)
            if (uniforms.next() < transit_p_) movers_.push_back(i);
        if (movers_.empty()) return;
        density_.begin_group(x, group);
        for (const std::size_t i : movers_) flip(x, i);
        density_.evaluate(x);
        uniforms.fill_logs(logs_.data(), movers_.size());
        const double* log_uniform = logs_.data();
        for (const std::size_t i : movers_) {
            if (accepts(density_.tried(i) - density_.present(i), *log_uniform++))
                density_.set_present(i, density_.tried(i));
            else
                flip(x, i);
        }
        density_.end_group();
    }
    void flip(double* x, std::size_t element) const noexcept {
        double& value = density_.value(x, element);
        value = 1.0 - value;
    }

    Place place_;
    double transit_p_;
    std::vector<std::size_t> index_;
    ElementDensity density_;
    Group movers_;
    std::vector<double> logs_;
};

inline std::unique_ptr<Kernel> BinaryGibbsStep::kernel(const Place& place) const {
    return std::make_unique<BinaryGibbsKernel>(*this, place);
}

}  // namespace finetti::steps
