// What every step of a compound has in common.
//
// A chain's state is x, all values of the model. A step moves the elements `index` of x with the others fixed, and
// asks one compiled function of the whole x for the conditional log density of what it moves.
#pragma once

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "finetti/density.hpp"
#include "finetti/random.hpp"

namespace finetti::steps {

enum class StatKind { real, integer, flag };
struct StatName {
    std::string name;
    StatKind kind;
};

/// Where a kernel runs.
struct Place {
    std::uint64_t seed, chain, step;
    std::int64_t tune, draws;
    std::size_t dimension;          // of the whole x
    bool alone;                     // nothing but this step moves x
    const std::atomic<bool>& stop;  // set: end soon
    const std::vector<const double*>& population;  // every chain's x, where the chains go in lockstep

    [[nodiscard]] StreamAddress address(std::int64_t draw, Purpose purpose) const noexcept {
        return {seed, step_stream(chain, step), static_cast<std::uint64_t>(draw), purpose};
    }
};

struct Moment {
    std::int64_t draw;  // from 0, warm-up first
    bool tuning;
};

/// A step at work in one chain.
class Kernel {
public:
    Kernel() = default;
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;
    virtual ~Kernel() = default;

    /// Before the first draw; throws StartError where x is impossible.
    virtual void begin(double* x) = 0;
    /// Moves x and fills in the statistics; false if it was cut short by a stop request.
    virtual bool step(const Moment& moment, double* x, double* stats) = 0;
    virtual void end_tuning() {}
    /// After the last draw, or where the chain failed.
    virtual void end() noexcept {}

    [[nodiscard]] virtual std::uint64_t evaluations() const noexcept = 0;
    [[nodiscard]] virtual bool diverged() const noexcept { return false; }
    [[nodiscard]] virtual double step_size() const noexcept { return 0.0; }
};

/// The settings of a step, the same for all chains; not to be changed once a run has been made of it.
struct Step {
    Step(CompiledFunction function_, std::vector<void*> data_, std::vector<std::size_t> index_)
        : function(function_), data(std::move(data_)), index(std::move(index_)) {}
    virtual ~Step() = default;

    CompiledFunction function;
    std::vector<void*> data;  // one block per chain
    std::vector<std::size_t> index;
    std::string name;  // in messages; the kind if empty

    [[nodiscard]] virtual const char* kind() const noexcept = 0;
    [[nodiscard]] virtual std::vector<StatName> stats() const = 0;
    [[nodiscard]] virtual std::unique_ptr<Kernel> kernel(const Place& place) const = 0;
    /// Whether the chains have to go in lockstep.
    [[nodiscard]] virtual bool of_population() const noexcept { return false; }
    /// Throws std::invalid_argument with the first field that will not do.
    virtual void validate() const { require(function != nullptr, "fn", "0", "the address of a compiled function"); }

    [[nodiscard]] std::size_t size() const noexcept { return index.size(); }
    [[nodiscard]] std::string label() const { return name.empty() ? kind() : name; }

protected:
    void require(bool holds, const char* field, const std::string& value, const std::string& expected) const {
        if (holds) return;
        throw std::invalid_argument(std::string(kind()) + "." + field + " is " + value + "; it must be " + expected);
    }
    void require(bool holds, const char* field, double value, const std::string& expected) const {
        if (!holds) require(false, field, plain(value), expected);
    }
    void require_length(std::size_t length, std::size_t expected, const char* field, const char* per) const {
        if (length == expected) return;
        throw std::invalid_argument(std::string(kind()) + "." + field + " has " + std::to_string(length) +
                                    " entries; it must have " + std::to_string(expected) + ", " + per);
    }

private:
    static std::string plain(double value) {
        std::string text = std::to_string(value);
        if (text.find('.') == std::string::npos) return text;
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        return text;
    }
};

/// In words, for messages. begun: not at the start of the chain.
inline std::string log_density_is(double value, bool begun) {
    return std::string("the log density ") + (begun ? "before the step" : "at the start") + " is " +
           (std::isnan(value) ? "nan" : std::to_string(value));
}

/// A step's compiled function in one chain.
class Conditional {
public:
    Conditional(const Step& step, const Place& place, std::size_t outputs)
        : function_(step.function), data_(step.data[place.chain]), dimension_(place.dimension), out_(outputs) {}

    void evaluate(const double* x) {
        double unused = 0.0;
        ++evaluations_;
        const int status = function_(dimension_, x, out_.data(), &unused, data_);
        if (status != 0) throw DensityError(status);
    }
    [[nodiscard]] double operator[](std::size_t i) const noexcept { return out_[i]; }
    [[nodiscard]] const double* out() const noexcept { return out_.data(); }
    [[nodiscard]] std::uint64_t evaluations() const noexcept { return evaluations_; }

private:
    CompiledFunction function_;
    void* data_;
    std::size_t dimension_;
    std::vector<double> out_;
    std::uint64_t evaluations_ = 0;
};

/// Metropolis: a finite log ratio is accepted with probability min(1, exp(ratio)).
inline bool accepts(double log_ratio, double log_uniform) noexcept {
    return std::isfinite(log_ratio) && log_ratio > log_uniform;
}
inline bool accepts(double log_ratio, UniformBatches& uniforms) noexcept {
    return accepts(log_ratio, -uniforms.exponential());
}

}  // namespace finetti::steps
