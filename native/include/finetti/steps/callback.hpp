// A step written elsewhere: a function moves x.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "finetti/steps/step.hpp"

namespace finetti::steps {

struct CallbackStep : Step {
    using Step::Step;

    /// Fills `moved` with the new x [size] and the values of the named statistics.
    using Call = std::function<void(std::uint64_t chain, const Moment& moment, const double* x, double* moved,
                                    std::size_t size, double* stats)>;
    Call call;
    std::vector<std::string> names;  // of the statistics

    [[nodiscard]] const char* kind() const noexcept override { return "PythonStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override {
        std::vector<StatName> result;
        for (const std::string& stat : names) result.push_back({stat, StatKind::real});
        result.push_back({"tune", StatKind::flag});
        return result;
    }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override { require(static_cast<bool>(call), "call", "not set", "a function"); }
};

class CallbackKernel final : public Kernel {
public:
    CallbackKernel(const CallbackStep& step, const Place& place)
        : step_(step), chain_(place.chain), moved_(place.dimension), mine_(place.dimension, step.index.empty()) {
        for (const std::size_t i : step.index) mine_[i] = true;
    }

    void begin(double*) override {}
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return calls_; }

    bool step(const Moment& moment, double* x, double* stats) override {
        ++calls_;
        step_.call(chain_, moment, x, moved_.data(), moved_.size(), stats);
        for (std::size_t i = 0; i < moved_.size(); ++i) {
            const bool moves = x[i] != moved_[i] && !(std::isnan(x[i]) && std::isnan(moved_[i]));
            if (moves && !mine_[i])
                throw std::runtime_error("the call changed x[" + std::to_string(i) + "], which is not in its block");
            x[i] = moved_[i];
        }
        stats[step_.names.size()] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

private:
    const CallbackStep& step_;
    std::uint64_t chain_;
    std::vector<double> moved_;
    std::vector<bool> mine_;
    std::uint64_t calls_ = 0;
};

inline std::unique_ptr<Kernel> CallbackStep::kernel(const Place& place) const {
    return std::make_unique<CallbackKernel>(*this, place);
}

}  // namespace finetti::steps
