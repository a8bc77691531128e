// Where a run's draws and statistics lie: allocated once, written in place, shared with whoever reads them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace finetti {

/// Zeroed memory for an array of this shape; pages that no chain reaches cost nothing.
template <class T>
std::shared_ptr<T[]> zeroed(std::initializer_list<std::size_t> shape) {
    std::size_t count = 1;
    for (const std::size_t size : shape) {
        if (size > 0 && count > std::numeric_limits<std::size_t>::max() / size) throw std::bad_alloc();
        count *= size;
    }
    void* memory = std::calloc(count > 0 ? count : 1, sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return std::shared_ptr<T[]>(static_cast<T*>(memory), [](T* p) { std::free(p); });
}

/// Per-draw statistics under PyMC's names.
struct DrawStats {
    double lp;                     // log density of the draw
    double energy;                 // Hamiltonian at the draw
    double energy_error;           // the same minus the start's
    double max_energy_error;       // largest in size on the trajectory
    double acceptance_rate;        // mean over all leapfrogs
    double step_size;              // used for this draw, jitter included
    double step_size_bar;          // dual averaging's average
    double fisher_distance;        // |y + grad log p(y)|^2 in whitened space
    double perf_counter_start;     // seconds of the monotonic clock
    double perf_counter_diff;
    std::int64_t tree_depth;
    std::int64_t n_steps;
    std::int64_t index_in_trajectory;
    bool reached_max_treedepth;
    bool diverging;
};

/// One array [chains, draws] per statistic.
class StatsTable {
public:
    template <class T>
    struct Column {
        std::string_view name;
        T DrawStats::*member;
        std::shared_ptr<T[]> values;
    };

    StatsTable(std::size_t chains, std::size_t draws) : chains_(chains), draws_(draws) {
        visit([&](auto& column) {
            using T = std::remove_reference_t<decltype(column.values[0])>;
            column.values = zeroed<T>({chains, draws});
        });
    }

    void write(std::size_t chain, std::size_t draw, const DrawStats& stats) noexcept {
        visit([&](auto& column) { column.values[chain * draws_ + draw] = stats.*column.member; });
    }

    template <class Visitor>
    void visit(Visitor&& visitor) {
        for (auto& column : reals_) visitor(column);
        for (auto& column : integers_) visitor(column);
        for (auto& column : flags_) visitor(column);
    }

    [[nodiscard]] std::size_t chains() const noexcept { return chains_; }
    [[nodiscard]] std::size_t draws() const noexcept { return draws_; }

private:
    std::size_t chains_, draws_;
    std::array<Column<double>, 10> reals_{{{"lp", &DrawStats::lp, {}},
                                           {"energy", &DrawStats::energy, {}},
                                           {"energy_error", &DrawStats::energy_error, {}},
                                           {"max_energy_error", &DrawStats::max_energy_error, {}},
                                           {"acceptance_rate", &DrawStats::acceptance_rate, {}},
                                           {"step_size", &DrawStats::step_size, {}},
                                           {"step_size_bar", &DrawStats::step_size_bar, {}},
                                           {"fisher_distance", &DrawStats::fisher_distance, {}},
                                           {"perf_counter_start", &DrawStats::perf_counter_start, {}},
                                           {"perf_counter_diff", &DrawStats::perf_counter_diff, {}}}};
    std::array<Column<std::int64_t>, 3> integers_{{{"tree_depth", &DrawStats::tree_depth, {}},
                                                   {"n_steps", &DrawStats::n_steps, {}},
                                                   {"index_in_trajectory", &DrawStats::index_in_trajectory, {}}}};
    std::array<Column<bool>, 2> flags_{{{"reached_max_treedepth", &DrawStats::reached_max_treedepth, {}},
                                        {"diverging", &DrawStats::diverging, {}}}};
};

/// Draws [chains, draws, dimension] and their statistics: one phase (warm-up or sampling) of a run.
struct Phase {
    Phase(std::size_t chains, std::size_t draws, std::size_t dimension_)
        : dimension(dimension_), values(zeroed<double>({chains, draws, dimension_})), stats(chains, draws) {}

    [[nodiscard]] double* row(std::size_t chain, std::size_t draw) const noexcept {
        return values.get() + (chain * stats.draws() + draw) * dimension;
    }

    std::size_t dimension;
    std::shared_ptr<double[]> values;
    StatsTable stats;
};

/// The two sides of the leapfrog step that diverged.
struct Divergence {
    std::int64_t draw;
    double energy_error;
    std::vector<double> start, end;
};

}  // namespace finetti
