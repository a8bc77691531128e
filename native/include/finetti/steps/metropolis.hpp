// Random-walk Metropolis (Metropolis et al. 1953): of the whole block at once, or of every element by itself.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "finetti/steps/elements.hpp"
#include "finetti/steps/proposal.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

struct MetropolisStep final : ElementStep {
    using ElementStep::ElementStep;

    bool one_at_a_time = false;  // with one log density for the block: elements one after another, not at once
    ProposalKind proposal = ProposalKind::normal;
    std::vector<double> scale;  // empty: 1
    double scaling = 1.0;
    bool tune = true;
    std::int64_t tune_interval = 100;
    std::vector<bool> discrete;  // steps of these elements are rounded; empty: none

    [[nodiscard]] const char* kind() const noexcept override { return "MetropolisStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override {
        return {{"accept", StatKind::real},
                {"accepted", StatKind::real},
                {"scaling", StatKind::real},
                {"tune", StatKind::flag}};
    }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        ElementStep::validate();
        const bool factor = proposal == ProposalKind::multivariate_normal;
        if (!scale.empty() || factor)
            require_length(scale.size(), factor ? size() * size() : size(), "scale",
                           factor ? "a row of the Cholesky factor per element" : "one per element");
        // Accepted one by one, elements that were proposed together would leave the target unless independent.
        require(!factor || (!elementwise && !one_at_a_time), "proposal", "multivariate_normal",
                "another one where elements are accepted by themselves");
        require(scaling > 0 && std::isfinite(scaling), "scaling", scaling, "positive and finite");
        require(tune_interval >= 1, "tune_interval", static_cast<double>(tune_interval), "at least 1");
        if (!discrete.empty()) require_length(discrete.size(), size(), "discrete", "one per element");
    }
};

class MetropolisKernel final : public Kernel {
public:
    MetropolisKernel(const MetropolisStep& step, const Place& place)
        : place_(place),
          at_once_(!step.elementwise && !step.one_at_a_time),
          density_(step, place),
          proposal_(step.proposal, step.scale.empty() ? std::vector<double>(step.size(), 1.0) : step.scale,
                    step.size()),
          clock_(step.tune, step.tune_interval),
          discrete_(step.discrete.empty() ? std::vector<bool>(step.size()) : step.discrete),
          delta_(step.size()),
          before_(step.size()),
          logs_(step.size()),
          scaling_(at_once_ ? 1 : step.size(), step.scaling),
          accepted_(scaling_.size()) {}

    void begin(double* x) override { density_.begin(x); }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }

    bool step(const Moment& moment, double* x, double* stats) override {
        if (clock_.strikes(moment)) tune();
        propose(moment.draw);
        density_.begin_draw(moment.draw, true);
        UniformBatches uniforms(place_.address(moment.draw, Purpose::acceptance));
        accept_sum_ = accepted_sum_ = 0.0;
        if (at_once_) {
            move_block(x, uniforms);
        } else {
            for (std::size_t position = 0; position < density_.groups(); ++position)
                move_group(density_.group(position), x, uniforms);
        }
        const auto count = static_cast<double>(std::max<std::size_t>(scaling_.size(), 1));
        double scaling = 0.0;
        for (const double s : scaling_) scaling += s;
        stats[0] = accept_sum_ / count;
        stats[1] = accepted_sum_ / count;
        stats[2] = scaling / count;
        stats[3] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

private:
    void tune() noexcept {
        for (std::size_t i = 0; i < scaling_.size(); ++i)
            scaling_[i] = tuned(scaling_[i], accepted_[i] / clock_.interval());
        std::fill(accepted_.begin(), accepted_.end(), 0.0);
    }

    void propose(std::int64_t draw) {
        proposal_.fill(place_.address(draw, Purpose::proposal), delta_.data());
        for (std::size_t i = 0; i < delta_.size(); ++i) {
            delta_[i] *= scaling_[at_once_ ? 0 : i];
            if (discrete_[i]) delta_[i] = std::nearbyint(delta_[i]);
        }
    }

    void move(std::size_t element, double* x) noexcept {
        double& value = density_.value(x, element);
        before_[element] = value;
        value += delta_[element];
    }
    bool decide(std::size_t unit, double log_ratio, double log_uniform) noexcept {
        const bool accepted = accepts(log_ratio, log_uniform);
        accept_sum_ += std::isnan(log_ratio) ? 0.0 : std::exp(log_ratio);
        accepted_sum_ += accepted ? 1.0 : 0.0;
        accepted_[unit] += accepted ? 1.0 : 0.0;
        return accepted;
    }

    void move_block(double* x, UniformBatches& uniforms) {
        if (density_.size() == 0) return;
        density_.begin_group(x, density_.group(0));
        for (std::size_t i = 0; i < density_.size(); ++i) move(i, x);
        density_.evaluate(x);
        if (decide(0, density_.tried(0) - density_.present(0), -uniforms.exponential())) {
            density_.set_present(0, density_.tried(0));
            return;
        }
        for (std::size_t i = 0; i < density_.size(); ++i) density_.value(x, i) = before_[i];
    }

    void move_group(const Group& group, double* x, UniformBatches& uniforms) {
        density_.begin_group(x, group);
        for (const std::size_t i : group) move(i, x);
        density_.evaluate(x);
        uniforms.fill_logs(logs_.data(), group.size());
        const double* log_uniform = logs_.data();
        for (const std::size_t i : group) {
            if (decide(i, density_.tried(i) - density_.present(i), *log_uniform++))
                density_.set_present(i, density_.tried(i));
            else
                density_.value(x, i) = before_[i];
        }
        density_.end_group();
    }

    Place place_;
    bool at_once_;
    ElementDensity density_;
    Proposal proposal_;
    TuningClock clock_;
    std::vector<bool> discrete_;
    std::vector<double> delta_, before_, logs_;
    std::vector<double> scaling_, accepted_;  // per decision: one for the block, or one per element
    double accept_sum_ = 0.0, accepted_sum_ = 0.0;
};

inline std::unique_ptr<Kernel> MetropolisStep::kernel(const Place& place) const {
    return std::make_unique<MetropolisKernel>(*this, place);
}

}  // namespace finetti::steps
