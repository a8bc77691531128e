// A run of several steps, one after another, on all chains.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "finetti/chain_output.hpp"
#include "finetti/chain_threads.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

/// One statistic of one step: [chains, draws] in its type.
struct StatArray {
    using Values = std::variant<std::shared_ptr<double[]>, std::shared_ptr<std::int64_t[]>, std::shared_ptr<bool[]>>;

    StatArray(const StatName& stat, std::size_t chains, std::size_t draws) : name(stat.name) {
        if (stat.kind == StatKind::real) values = zeroed<double>({chains, draws});
        if (stat.kind == StatKind::integer) values = zeroed<std::int64_t>({chains, draws});
        if (stat.kind == StatKind::flag) values = zeroed<bool>({chains, draws});
    }
    void set(std::size_t place, double value) const {
        std::visit(
            [&](const auto& array) {
                using T = std::remove_cvref_t<decltype(array[0])>;
                array[place] = static_cast<T>(value);
            },
            values);
    }

    std::string name;
    Values values;
};

/// Draws [chains, draws, dimension] and every step's statistics.
struct StepPhase {
    StepPhase(const std::vector<std::shared_ptr<const Step>>& steps, std::size_t chains, std::size_t draws_,
              std::size_t dimension_)
        : draws(draws_), dimension(dimension_), values(zeroed<double>({chains, draws_, dimension_})) {
        for (const auto& step : steps) {
            auto& arrays = stats.emplace_back();
            for (const StatName& stat : step->stats()) arrays.emplace_back(stat, chains, draws);
        }
    }

    /// stat_values: of all steps, one after another.
    void write(std::size_t chain, std::size_t draw, const double* x, const double* stat_values) const {
        const std::size_t place = chain * draws + draw;
        std::copy_n(x, dimension, values.get() + place * dimension);
        for (const auto& arrays : stats)
            for (const StatArray& array : arrays) array.set(place, *stat_values++);
    }

    std::size_t draws, dimension;
    std::shared_ptr<double[]> values;
    std::vector<std::vector<StatArray>> stats;
};

/// The kernels of one chain and where they are.
class StepChain {
public:
    StepChain(const std::vector<std::shared_ptr<const Step>>& steps, double* x) : steps_(steps), x_(x) {
        std::size_t count = 0;
        for (const auto& step : steps_) {
            starts_.push_back(count);
            count += step->stats().size();
        }
        stats_.resize(count);
    }

    /// place: of the chain; the steps' numbers are filled in.
    void begin(Place place) {
        for (place.step = 0; place.step < steps_.size(); ++place.step)
            said(place.step, [&] { kernels_.push_back(steps_[place.step]->kernel(place)); });
        for (std::size_t i = 0; i < kernels_.size(); ++i) said(i, [&] { kernels_[i]->begin(x_); });
    }

    /// One draw; false if it was cut short by a stop request, with x somewhere on the way.
    bool step(const Moment& moment) {
        if (!moment.tuning && tuning_) {
            tuning_ = false;
            for (const auto& kernel : kernels_) kernel->end_tuning();
        }
        const std::uint64_t before = evaluations();
        bool whole = true;
        for (std::size_t i = 0; i < kernels_.size() && whole; ++i)
            said(i, [&] { whole = kernels_[i]->step(moment, x_, stats_.data() + starts_[i]); }, moment.draw);
        latest_ = static_cast<std::int64_t>(evaluations() - before);
        return whole;
    }

    void end() noexcept {
        for (const auto& kernel : kernels_) kernel->end();
    }

    [[nodiscard]] const double* x() const noexcept { return x_; }
    [[nodiscard]] const double* stats() const noexcept { return stats_.data(); }
    [[nodiscard]] std::int64_t latest_evaluations() const noexcept { return latest_; }
    [[nodiscard]] std::uint64_t evaluations() const noexcept {
        std::uint64_t sum = 0;
        for (const auto& kernel : kernels_) sum += kernel->evaluations();
        return sum;
    }
    [[nodiscard]] bool diverged() const noexcept {
        return std::any_of(kernels_.begin(), kernels_.end(), [](const auto& kernel) { return kernel->diverged(); });
    }
    /// Of the first step that has one.
    [[nodiscard]] double step_size() const noexcept {
        for (const auto& kernel : kernels_)
            if (kernel->step_size() > 0.0) return kernel->step_size();
        return 0.0;
    }

private:
    /// Says in errors which step it was, and when.
    template <class Action>
    void said(std::size_t step, Action action, std::int64_t draw = -1) const {
        try {
            action();
        } catch (const std::exception& error) {
            std::string where = "step " + std::to_string(step) + " (" + steps_[step]->label() + ")";
            if (draw >= 0) where += ", draw " + std::to_string(draw);
            throw std::runtime_error(where + ": " + error.what());
        }
    }

    const std::vector<std::shared_ptr<const Step>>& steps_;
    double* x_;
    std::vector<std::unique_ptr<Kernel>> kernels_;
    std::vector<std::size_t> starts_;
    std::vector<double> stats_;
    std::int64_t latest_ = 0;
    bool tuning_ = true;
};

/// How long, and from which seed.
struct RunLength {
    std::int64_t draws, tune;
    bool store_warmup;
    std::uint64_t seed;
};

/// Every draw, every step moves its part of x. A population goes in lockstep, one chain after another on one thread:
/// a chain may look at the others only where they stand still.
class StepRun : public ChainThreads {
public:
    /// initial: one row per chain.
    StepRun(std::vector<std::shared_ptr<const Step>> steps, const RunLength& length, std::vector<double> initial,
            std::size_t chains, std::size_t dimension)
        : ChainThreads(chains, validated(length).tune, length.draws),
          steps_(validated(std::move(steps), chains, dimension)),
          length_(length),
          dimension_(dimension),
          in_lockstep_(std::any_of(steps_.begin(), steps_.end(), [](const auto& s) { return s->of_population(); })),
          warmup_(steps_, chains, length.store_warmup ? static_cast<std::size_t>(length.tune) : 0, dimension),
          sampling_(steps_, chains, static_cast<std::size_t>(length.draws), dimension),
          evaluations_(chains),
          points_(zeroed<double>({chains, dimension})) {
        std::copy(initial.begin(), initial.end(), points_.get());
        if (!in_lockstep_) return;
        if (chains < 3)
            throw std::invalid_argument("StepRun got " + std::to_string(chains) +
                                        " chains for a population step; it needs at least 3");
        for (std::size_t chain = 0; chain < chains; ++chain) population_.push_back(x(chain));
    }
    ~StepRun() { finish(); }

    [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
    // Written by the chains: to be read when they are done.
    [[nodiscard]] const StepPhase& warmup() const noexcept { return warmup_; }
    [[nodiscard]] const StepPhase& sampling() const noexcept { return sampling_; }
    /// Evaluations of all steps' functions, per chain.
    [[nodiscard]] const std::vector<std::uint64_t>& evaluations() const noexcept { return evaluations_; }
    /// Where the chains are.
    [[nodiscard]] const std::shared_ptr<double[]>& points() const noexcept { return points_; }

private:
    static const RunLength& validated(const RunLength& length) {
        const std::int64_t most = std::int64_t{1} << 31;  // draws have 32-bit addresses, see random.hpp
        for (const std::int64_t draws : {length.draws, length.tune, length.draws + length.tune})
            if (draws < 0 || draws >= most)
                throw std::invalid_argument("StepRun got draws=" + std::to_string(length.draws) +
                                            " and tune=" + std::to_string(length.tune) +
                                            "; both must be at least 0, and less than 2^31 together");
        return length;
    }

    static std::vector<std::shared_ptr<const Step>> validated(std::vector<std::shared_ptr<const Step>> steps,
                                                              std::size_t chains, std::size_t dimension) {
        if (steps.empty()) throw std::invalid_argument("StepRun got no steps");
        if (chains == 0) throw std::invalid_argument("StepRun got no chain; it needs one initial point per chain");
        for (const auto& step : steps) {
            step->validate();
            if (step->data.size() != chains)
                throw std::invalid_argument("StepRun got " + std::to_string(chains) + " initial points, and " +
                                            step->label() + " " + std::to_string(step->data.size()) +
                                            " data blocks; both are one per chain");
            std::vector<bool> seen(dimension);
            for (const std::size_t i : step->index) {
                if (i >= dimension || seen[i])
                    throw std::invalid_argument(step->label() + ".index has " + std::to_string(i) +
                                                (i >= dimension ? ", beyond the end of x" : " twice"));
                seen[i] = true;
            }
        }
        return steps;
    }

    [[nodiscard]] double* x(std::size_t chain) const noexcept { return points_.get() + chain * dimension_; }
    [[nodiscard]] Place place(std::size_t chain) const noexcept {
        return {length_.seed, chain,       0,          length_.tune, length_.draws, dimension_, steps_.size() == 1,
                stop_flag(),  population_};
    }
    [[nodiscard]] std::int64_t total() const noexcept { return length_.tune + length_.draws; }

    [[nodiscard]] std::size_t jobs() const noexcept override { return in_lockstep_ ? 1 : chains(); }
    void run_job(std::size_t job) noexcept override {
        if (in_lockstep_)
            run_chains(0, chains());
        else
            run_chains(job, job + 1);
    }

    /// The chains from first up to last, in lockstep; a failure ends them all.
    void run_chains(std::size_t first, std::size_t last) noexcept {
        if (stopping()) {
            for (std::size_t i = first; i < last; ++i) state(i).done.store(true, std::memory_order_release);
            return;
        }
        std::vector<std::unique_ptr<StepChain>> running;
        std::size_t now = first;  // the chain that is at work
        try {
            for (; now < last; ++now) {
                state(now).begin();
                running.push_back(std::make_unique<StepChain>(steps_, x(now)));
                running.back()->begin(place(now));
            }
            bool going = true;
            for (std::int64_t draw = 0; draw < total() && going; ++draw)
                for (now = first; now < last && going; ++now)
                    going = !stopping() && draw_one(now, draw, *running[now - first]);
        } catch (const std::exception& error) {
            fail(now, error);
        }
        for (std::size_t i = 0; i < running.size(); ++i) {
            running[i]->end();
            evaluations_[first + i] = running[i]->evaluations();
        }
        for (std::size_t i = first; i < last; ++i) state(i).end();
    }

    bool draw_one(std::size_t index, std::int64_t draw, StepChain& chain) {
        const Moment moment{draw, draw < length_.tune};
        if (!chain.step(moment)) return false;
        ChainState& shared = state(index);
        if (!moment.tuning && chain.diverged()) shared.divergences.fetch_add(1, std::memory_order_relaxed);
        if (!moment.tuning)
            sampling_.write(index, static_cast<std::size_t>(draw - length_.tune), chain.x(), chain.stats());
        else if (length_.store_warmup)
            warmup_.write(index, static_cast<std::size_t>(draw), chain.x(), chain.stats());
        shared.add_steps(chain.latest_evaluations());
        shared.step_size.store(chain.step_size(), std::memory_order_relaxed);
        shared.finished_draws.store(draw + 1, std::memory_order_release);
        return true;
    }

    std::vector<std::shared_ptr<const Step>> steps_;
    RunLength length_;
    std::size_t dimension_;
    bool in_lockstep_;
    StepPhase warmup_, sampling_;
    std::vector<std::uint64_t> evaluations_;
    std::shared_ptr<double[]> points_;
    std::vector<const double*> population_;
};

}  // namespace finetti::steps
