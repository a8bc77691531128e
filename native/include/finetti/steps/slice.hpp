// Slice sampling of every element by itself: Neal (2003, Annals of Statistics 31), stepping out and shrinkage.
//
// Below the log density at the present point lies a height y = log p - Exp(1). An interval of width w around the point
// steps out until both ends are below y; points are drawn from it, and it shrinks to them, until one is above y.
// The elements of a group go through this side by side, each in its own state: one evaluation serves all of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "finetti/steps/elements.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

struct SliceStep final : ElementStep {
    using ElementStep::ElementStep;

    std::vector<double> w;  // widths; empty: 1
    bool tune = true;       // the width becomes the mean of the intervals during the warm-up
    std::int64_t max_steps = 100;  // of stepping out, as a multiple of w; 0: any number
    std::int64_t iter_limit = 0;   // more iterations of one loop are an error; 0: any number

    [[nodiscard]] const char* kind() const noexcept override { return "SliceStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override {
        return {{"nstep_out", StatKind::integer}, {"nstep_in", StatKind::integer}, {"tune", StatKind::flag}};
    }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        ElementStep::validate();
        if (!w.empty()) require_length(w.size(), size(), "w", "one per element");
        for (const double width : w) require(width > 0 && std::isfinite(width), "w", width, "positive and finite");
        require(max_steps >= 0, "max_steps", static_cast<double>(max_steps), "at least 0");
        require(iter_limit >= 0, "iter_limit", static_cast<double>(iter_limit), "at least 0");
    }
};

class SliceKernel final : public Kernel {
public:
    SliceKernel(const SliceStep& step, const Place& place)
        : place_(place),
          density_(step, place),
          tune_(step.tune),
          max_steps_(step.max_steps > 0 ? step.max_steps : unlimited),
          iter_limit_(step.iter_limit > 0 ? step.iter_limit : unlimited),
          width_(step.w.empty() ? std::vector<double>(step.size(), 1.0) : step.w),
          searches_(step.size()) {}

    void begin(double* x) override { density_.begin(x); }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }

    bool step(const Moment& moment, double* x, double* stats) override {
        density_.begin_draw(moment.draw, false);
        UniformBatches uniforms(place_.address(moment.draw, Purpose::proposal));
        steps_out_ = steps_in_ = 0;
        for (std::size_t position = 0; position < density_.groups(); ++position)
            move_group(density_.group(position), x, uniforms);
        if (tune_ && moment.tuning) tune();
        stats[0] = static_cast<double>(steps_out_);
        stats[1] = static_cast<double>(steps_in_);
        stats[2] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

private:
    enum class Stage { left, right, shrink, done };
    /// One element's way to its new value.
    struct Search {
        Stage stage;
        double start, height, left, right;
        std::int64_t steps_left, steps_right, iterations;
    };

    void move_group(const Group& group, double* x, UniformBatches& uniforms) {
        density_.begin_group(x, group);
        for (const std::size_t i : group) {
            begin_search(i, density_.value(x, i), uniforms);
            density_.value(x, i) = next_point(searches_[i], i, uniforms);
        }
        active_ = group;
        while (!active_.empty()) {
            density_.evaluate(x);
            std::size_t kept = 0;
            for (const std::size_t i : active_) {
                judge(i, density_.value(x, i));
                if (searches_[i].stage == Stage::done) continue;
                density_.value(x, i) = next_point(searches_[i], i, uniforms);
                active_[kept++] = i;
            }
            active_.resize(kept);
        }
        density_.end_group();
    }

    void begin_search(std::size_t i, double start, UniformBatches& uniforms) {
        Search& s = searches_[i];
        s.start = start;
        s.height = density_.present(i) - uniforms.exponential();
        s.left = start - width_[i] * uniforms.next();
        s.right = s.left + width_[i];
        // The budget is divided at random: the transition would not be reversible otherwise.
        const bool limited = max_steps_ != unlimited;
        s.steps_left = limited ? static_cast<std::int64_t>(uniforms.below(static_cast<std::size_t>(max_steps_)))
                               : unlimited;
        s.steps_right = limited ? max_steps_ - 1 - s.steps_left : unlimited;
        s.iterations = 0;
        s.stage = Stage::left;
    }

    /// Where the density is needed next.
    double next_point(Search& s, std::size_t i, UniformBatches& uniforms) const {
        if (s.stage == Stage::left && s.steps_left == 0) enter(s, Stage::right);
        if (s.stage == Stage::right && s.steps_right == 0) enter(s, Stage::shrink);
        if (s.iterations > iter_limit_)
            throw std::runtime_error("element " + std::to_string(i) + " of the block took more than iter_limit=" +
                                     std::to_string(iter_limit_) + " iterations to find its slice");
        if (s.stage == Stage::left) return s.left;
        if (s.stage == Stage::right) return s.right;
        return s.left + uniforms.next() * (s.right - s.left);
    }

    /// What the density at the point last asked for means. A NaN is below any height.
    void judge(std::size_t i, double point) noexcept {
        Search& s = searches_[i];
        const bool inside = density_.tried(i) >= s.height;
        if (s.stage == Stage::shrink) {
            if (inside || point == s.start) {
                if (inside) density_.set_present(i, density_.tried(i));
                s.stage = Stage::done;
                return;
            }
            (point > s.start ? s.right : s.left) = point;
            ++s.iterations;
            ++steps_in_;
            return;
        }
        if (!inside) {
            enter(s, s.stage == Stage::left ? Stage::right : Stage::shrink);
            return;
        }
        if (s.stage == Stage::left) {
            s.left -= width_[i];
            --s.steps_left;
        } else {
            s.right += width_[i];
            --s.steps_right;
        }
        ++s.iterations;
        ++steps_out_;
    }

    static void enter(Search& s, Stage stage) noexcept {
        s.stage = stage;
        s.iterations = 0;
    }

    void tune() noexcept {
        for (std::size_t i = 0; i < width_.size(); ++i) {
            const double length = searches_[i].right - searches_[i].left;
            width_[i] = width_[i] * (tunes_ / (tunes_ + 1.0)) + length / (tunes_ + 1.0);
        }
        tunes_ += 1.0;
    }

    static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

    Place place_;
    ElementDensity density_;
    bool tune_;
    std::int64_t max_steps_, iter_limit_;
    std::vector<double> width_;
    std::vector<Search> searches_;
    Group active_;
    double tunes_ = 0.0;
    std::int64_t steps_out_ = 0, steps_in_ = 0;
};

inline std::unique_ptr<Kernel> SliceStep::kernel(const Place& place) const {
    return std::make_unique<SliceKernel>(*this, place);
}

}  // namespace finetti::steps
