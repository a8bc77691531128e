// Gibbs updates of variables with values 0 .. K-1, every element by itself.
//
//   exact         a draw from the full conditional: K evaluations, no rejection
//   proportional  the Metropolised Gibbs sampler of Liu (1996, Biometrika 83): proposes another value in proportion to
//                 its probability and accepts with min(1, (1 - p(present)) / (1 - p(proposed)))
//   uniform       proposes any other value, accepts by Metropolis: one evaluation
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "finetti/random.hpp"
#include "finetti/simd.hpp"
#include "finetti/steps/elements.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

enum class CategoricalProposal { uniform, proportional, exact };

inline constexpr std::array<std::string_view, 3> categorical_proposal_names = {"uniform", "proportional", "exact"};

struct CategoricalGibbsStep final : ElementStep {
    using ElementStep::ElementStep;

    std::vector<std::int64_t> categories;  // K of every element
    CategoricalProposal proposal = CategoricalProposal::uniform;

    [[nodiscard]] const char* kind() const noexcept override { return "CategoricalGibbsStep"; }
    [[nodiscard]] std::vector<StatName> stats() const override { return {{"tune", StatKind::flag}}; }
    [[nodiscard]] std::unique_ptr<Kernel> kernel(const Place& place) const override;
    void validate() const override {
        ElementStep::validate();
        require_length(categories.size(), size(), "categories", "one per element");
        for (const std::int64_t k : categories)
            require(k >= 1, "categories", static_cast<double>(k), "at least 1 for every element");
    }
};

namespace detail {

/// Log densities [values, elements] to weights with the largest 1, in place; what is not finite weighs nothing.
/// totals: the sums over values; 0 where no value has a density. largest: scratch.
FINETTI_MULTIVERSION inline void weigh(std::size_t values, std::size_t elements, double* __restrict table,
                                       double* __restrict totals, double* __restrict largest) noexcept {
    constexpr double least = std::numeric_limits<double>::lowest();
    for (std::size_t i = 0; i < elements; ++i) {
        largest[i] = least;
        totals[i] = 0.0;
    }
    for (std::size_t k = 0; k < values; ++k) {
        double* row = table + k * elements;
        for (std::size_t i = 0; i < elements; ++i) {
            row[i] = std::fabs(row[i]) <= std::numeric_limits<double>::max() ? row[i] : least;
            largest[i] = row[i] > largest[i] ? row[i] : largest[i];
        }
    }
    for (std::size_t k = 0; k < values; ++k) {
        double* row = table + k * elements;
        for (std::size_t i = 0; i < elements; ++i) {
            const double weight = finetti::detail::portable_exp(row[i] - largest[i]);
            row[i] = row[i] == least ? 0.0 : weight;
            totals[i] += row[i];
        }
    }
}

/// The value whose part of the stacked weights contains u times their total: how many parts end at or before it.
/// end: scratch.
FINETTI_MULTIVERSION inline void pick(std::size_t values, std::size_t elements, const double* __restrict weights,
                                      const double* __restrict totals, const double* __restrict uniforms,
                                      double* __restrict chosen, double* __restrict end) noexcept {
    for (std::size_t i = 0; i < elements; ++i) chosen[i] = end[i] = 0.0;
    for (std::size_t k = 0; k < values; ++k) {
        const double* row = weights + k * elements;
        for (std::size_t i = 0; i < elements; ++i) {
            end[i] += row[i];
            chosen[i] += end[i] <= uniforms[i] * totals[i] ? 1.0 : 0.0;
        }
    }
}

}  // namespace detail

class CategoricalGibbsKernel final : public Kernel {
public:
    CategoricalGibbsKernel(const CategoricalGibbsStep& step, const Place& place)
        : place_(place), proposal_(step.proposal), density_(step, place), before_(step.size()), logs_(step.size()) {
        for (const std::int64_t k : step.categories) categories_.push_back(static_cast<std::size_t>(k));
        std::size_t widest = 0;
        for (std::size_t g = 0; g < density_.groups(); ++g) widest = std::max(widest, density_.group(g).size());
        const std::size_t most = categories_.empty() ? 0 : *std::max_element(categories_.begin(), categories_.end());
        if (proposal_ == CategoricalProposal::uniform) return;
        table_.resize(most * widest);
        totals_.resize(widest);
        uniforms_.resize(widest);
        chosen_.resize(widest);
        scratch_.resize(widest);
    }

    void begin(double* x) override {
        for (std::size_t i = 0; i < density_.size(); ++i) {
            const double value = density_.value(x, i);
            const bool valid = value >= 0 && value < static_cast<double>(categories_[i]) && value == std::floor(value);
            if (!valid)
                throw StartError("element " + std::to_string(i) + " of the block starts at " + std::to_string(value) +
                                 "; its values are the whole numbers from 0 to " + std::to_string(categories_[i] - 1));
        }
        density_.begin(x);
    }
    [[nodiscard]] std::uint64_t evaluations() const noexcept override { return density_.evaluations(); }

    bool step(const Moment& moment, double* x, double* stats) override {
        density_.begin_draw(moment.draw, true);
        UniformBatches uniforms(place_.address(moment.draw, Purpose::proposal));
        for (std::size_t position = 0; position < density_.groups(); ++position) {
            const Group& group = density_.group(position);
            if (proposal_ == CategoricalProposal::uniform)
                move_uniformly(group, x, uniforms);
            else
                move_by_weight(group, x, uniforms);
        }
        stats[0] = moment.tuning ? 1.0 : 0.0;
        return true;
    }

private:
    void move_uniformly(const Group& group, double* x, UniformBatches& uniforms) {
        density_.begin_group(x, group);
        for (const std::size_t i : group) {
            double& value = density_.value(x, i);
            before_[i] = value;
            if (categories_[i] < 2) continue;
            const auto other = static_cast<double>(uniforms.below(categories_[i] - 1));
            value = other >= value ? other + 1.0 : other;
        }
        density_.evaluate(x);
        uniforms.fill_logs(logs_.data(), group.size());
        const double* log_uniform = logs_.data();
        for (const std::size_t i : group) {
            if (accepts(density_.tried(i) - density_.present(i), *log_uniform++))
                density_.set_present(i, density_.tried(i));
            else
                density_.value(x, i) = before_[i];
        }
        density_.end_group();
    }

    void move_by_weight(const Group& group, double* x, UniformBatches& uniforms) {
        const std::size_t values = tabulate(group, x);
        detail::weigh(values, group.size(), table_.data(), totals_.data(), scratch_.data());
        for (std::size_t j = 0; j < group.size(); ++j) {
            if (totals_[j] > 0.0) continue;
            throw std::runtime_error("no value of element " + std::to_string(group[j]) +
                                     " of the block has a finite log density");
        }
        if (proposal_ == CategoricalProposal::exact) {
            for (std::size_t j = 0; j < group.size(); ++j) uniforms_[j] = uniforms.next();
            detail::pick(values, group.size(), table_.data(), totals_.data(), uniforms_.data(), chosen_.data(),
                         scratch_.data());
        } else {
            for (std::size_t j = 0; j < group.size(); ++j) chosen_[j] = another(group, j, uniforms);
        }
        for (std::size_t j = 0; j < group.size(); ++j) density_.value(x, group[j]) = chosen_[j];
    }

    /// Log densities of all values of a group's elements, [value, element]; returns the most values of an element.
    /// Leaves the elements at some value.
    std::size_t tabulate(const Group& group, double* x) {
        std::size_t values = 0;
        for (const std::size_t i : group) {
            before_[i] = density_.value(x, i);
            values = std::max(values, categories_[i]);
        }
        double* row = table_.data();
        for (std::size_t k = 0; k < values; ++k, row += group.size()) {
            for (const std::size_t i : group)
                if (k < categories_[i]) density_.value(x, i) = static_cast<double>(k);
            density_.evaluate(x);
            density_.gather_tried(group, row);
            for (std::size_t j = 0; j < group.size(); ++j)
                if (k >= categories_[group[j]]) row[j] = -std::numeric_limits<double>::infinity();
        }
        return values;
    }

    /// Another value in proportion to its weight, if accepted.
    double another(const Group& group, std::size_t j, UniformBatches& uniforms) noexcept {
        const std::size_t i = group[j], count = categories_[i];
        const auto weight = [&](std::size_t k) { return table_[k * group.size() + j]; };
        const auto present = static_cast<std::size_t>(before_[i]);
        double others = 0.0;  // added up, not subtracted: a rare value's neighbours must not be lost in the present's
        for (std::size_t k = 0; k < count; ++k)
            if (k != present) others += weight(k);
        double mark = uniforms.next() * others;
        const double uniform = uniforms.next();
        if (others == 0.0) return before_[i];
        std::size_t chosen = present;
        for (std::size_t k = 0; k < count && (chosen == present || mark >= 0.0); ++k) {
            if (k == present || weight(k) == 0.0) continue;
            chosen = k;
            mark -= weight(k);
        }
        double not_chosen = 0.0;
        for (std::size_t k = 0; k < count; ++k)
            if (k != chosen) not_chosen += weight(k);
        return uniform * not_chosen < others ? static_cast<double>(chosen) : before_[i];
    }

    Place place_;
    CategoricalProposal proposal_;
    ElementDensity density_;
    std::vector<std::size_t> categories_;
    std::vector<double> before_, logs_;
    std::vector<double> table_, totals_, uniforms_, chosen_, scratch_;  // of one group at a time
};

inline std::unique_ptr<Kernel> CategoricalGibbsStep::kernel(const Place& place) const {
    return std::make_unique<CategoricalGibbsKernel>(*this, place);
}

}  // namespace finetti::steps
