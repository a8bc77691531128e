// NUTS, or Hamiltonian Monte Carlo with a fixed path length, on a block of the whole x.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "finetti/adapted.hpp"
#include "finetti/chain.hpp"
#include "finetti/chain_output.hpp"
#include "finetti/chain_threads.hpp"
#include "finetti/hmc.hpp"
#include "finetti/nuts.hpp"
#include "finetti/nuts_config.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

struct HamiltonianStep final : Step {
    using Step::Step;

    NutsConfig config;         // draws and tune are the run's
    bool static_path = false;  // HMC instead of NUTS
    double path_length = 2.0;
    std::int64_t max_steps = 1024;
    GivenAdaptation given;                            // of the block
    FinalAdaptation adapted{data.size(), index.size()};  // written when the chains end

    /// The configuration and what to begin with.
    void set(const NutsConfig& with, GivenAdaptation begin) {
        config = with;
        given = std::move(begin);
        adapted = FinalAdaptation(data.size(), index.size(), config.dense_size());
    }

    [[nodiscard]] const char* kind() const noexcept override { return "HamiltonianStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override;
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        Step::validate();
        config.validate();
        config.validate_blocks(size());
        given.validate(kind(), data.size(), size(), config.dense_size());
        require(path_length > 0 && std::isfinite(path_length), "path_length", path_length, "positive and finite");
        require(max_steps >= 1, "max_steps", static_cast<double>(max_steps), "at least 1");
    }
};

/// The block's log density, given the rest of x.
class BlockDensity {
public:
    BlockDensity(const Step& step, const Place& place)
        : function_(step.function), data_(step.data[place.chain]), index_(step.index), x_(place.dimension) {}

    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] std::uint64_t evaluations() const noexcept { return evaluations_; }

    /// Takes the rest of x as it is now, and returns the block.
    const double* read(const double* x, std::vector<double>& block) {
        std::copy_n(x, x_.size(), x_.begin());
        for (std::size_t i = 0; i < index_.size(); ++i) block[i] = x[index_[i]];
        return block.data();
    }
    void write(const double* block, double* x) const noexcept {
        for (std::size_t i = 0; i < index_.size(); ++i) x[index_[i]] = block[i];
    }

    double evaluate(const double* block, double* gradient) {
        write(block, x_.data());
        double lp = 0.0;
        ++evaluations_;
        const int status = function_(x_.size(), x_.data(), gradient, &lp, data_);
        if (status != 0) throw DensityError(status);
        return lp;
    }

private:
    CompiledFunction function_;
    void* data_;
    std::vector<std::size_t> index_;
    std::vector<double> x_;
    std::uint64_t evaluations_ = 0;
};

template <template <class> class Trajectory>
class HamiltonianKernel final : public Kernel {
public:
    template <class... Length>
    HamiltonianKernel(const HamiltonianStep& step, const Place& place, Length... length)
        : alone_(place.alone),
          static_path_(step.static_path),
          path_length_(step.path_length),
          number_(place.chain),
          adapted_(step.adapted),
          config_(of_run(step.config, place)),
          density_(step, place),
          block_(step.size()),
          chain_(config_, density_, place.seed, step_stream(place.chain, place.step), place.stop, length...) {
        chain_.start_with(step.given.variance(place.chain, step.size()),
                          step.given.matrices(place.chain, adapted_.dense_size()),
                          step.given.step(place.chain, step.config.initial_step));
    }

    void begin(double* x) override {
        try {
            chain_.begin(density_.read(x, block_));
        } catch (...) {
            density_.write(chain_.position(), x);
            throw;
        }
        density_.write(chain_.position(), x);
    }
    void end() noexcept override { 
        adapted_.write(number_, chain_.hamiltonian().metric(), chain_.hamiltonian().blocks(), chain_.step_size());
    }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }
    [[nodiscard]] bool diverged() const noexcept override { return stats_.diverging; }
    [[nodiscard]] double step_size() const noexcept override { return stats_.step_size; }

    bool step(const Moment& moment, double* x, double* stats) override {
        const double began = now_seconds();
        if (!alone_) chain_.go_on_from(density_.read(x, block_));
        if (!chain_.step(moment.draw, stats_)) return false;
        density_.write(chain_.position(), x);
        stats_.perf_counter_start = began;
        stats_.perf_counter_diff = now_seconds() - began;
        names_.visit([&](const auto& column) { *stats++ = static_cast<double>(stats_.*column.member); });
        if (static_path_) {
            *stats++ = path_length_;
            *stats++ = chain_.position_is_new() ? 1.0 : 0.0;
        }
        return true;
    }

private:
    static NutsConfig of_run(NutsConfig config, const Place& place) {
        config.tune = place.tune;
        config.draws = place.draws;
        return config;
    }

    bool alone_, static_path_;
    double path_length_;
    std::size_t number_;  // of the chain
    FinalAdaptation adapted_;
    NutsConfig config_;
    BlockDensity density_;
    std::vector<double> block_;
    Chain<BlockDensity, Trajectory> chain_;
    DrawStats stats_{};
    StatsTable names_{0, 0};
};

inline std::vector<StatName> HamiltonianStep::stats() const {
    std::vector<StatName> result;
    StatsTable(0, 0).visit([&](const auto& column) {
        using T = std::remove_cvref_t<decltype(column.values[0])>;
        const StatKind kind = std::is_same_v<T, bool>     ? StatKind::flag
                              : std::is_same_v<T, double> ? StatKind::real
                                                          : StatKind::integer;
        result.push_back({std::string(column.name), kind});
    });
    if (static_path) {
        result.push_back({"path_length", StatKind::real});
        result.push_back({"accepted", StatKind::flag});
    }
    return result;
}

inline std::unique_ptr<Kernel> HamiltonianStep::kernel(const Place& place) const {
    if (static_path)
        return std::make_unique<HamiltonianKernel<StaticHmc>>(*this, place, PathLength{path_length, max_steps});
    return std::make_unique<HamiltonianKernel<Nuts>>(*this, place);
}

}  // namespace finetti::steps
