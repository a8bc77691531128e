// Steps that update every element of their block by itself.
//
// The compiled function gives either one log density per element ("elementwise"), and then elements of one colour,
// which are independent given the rest, move at once; or one for the block, and then elements move one by one.
// Either way each group of elements is a valid update given everything else, so the sweep is one too.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "finetti/density.hpp"
#include "finetti/random.hpp"
#include "finetti/steps/step.hpp"

namespace finetti::steps {

/// Elements that move at once.
using Group = std::vector<std::size_t>;

struct ElementStep : Step {
    using Step::Step;

    bool elementwise = false;
    std::vector<std::int64_t> colors;  // one per element; empty: all of one colour
    std::vector<std::size_t> order;    // of the elements; empty: any

    void validate() const override {
        Step::validate();
        if (!colors.empty()) require_length(colors.size(), size(), "colors", "one per element");
        if (order.empty()) return;
        require_length(order.size(), size(), "order", "one per element");
        std::vector<bool> seen(size());
        for (const std::size_t element : order) {
            const bool fresh = element < size() && !seen[element];
            require(fresh, "order", "no permutation", "each of the elements 0, 1, ... once");
            seen[element] = true;
        }
    }

    /// By colour; along a given order, neighbours of one colour.
    [[nodiscard]] std::vector<Group> groups() const {
        std::vector<std::size_t> sequence(order);
        if (order.empty()) {
            sequence.resize(size());
            std::iota(sequence.begin(), sequence.end(), std::size_t{0});
            if (elementwise)
                std::stable_sort(sequence.begin(), sequence.end(),
                                 [this](std::size_t a, std::size_t b) { return color(a) < color(b); });
        }
        std::vector<Group> result;
        for (const std::size_t element : sequence) {
            const bool joins = elementwise && !result.empty() && color(result.back().back()) == color(element);
            if (!joins) result.emplace_back();
            result.back().push_back(element);
        }
        return result;
    }

private:
    [[nodiscard]] std::int64_t color(std::size_t element) const noexcept {
        return colors.empty() ? 0 : colors[element];
    }
};

/// The conditional log densities of elements: at the present x, and at the x last tried.
class ElementDensity {
public:
    ElementDensity(const ElementStep& step, const Place& place)
        : place_(place),
          elementwise_(step.elementwise),
          any_order_(step.order.empty()),
          index_(step.index),
          groups_(step.groups()),
          sequence_(groups_.size()),
          function_(step, place, step.elementwise ? step.size() : 1),
          present_(step.elementwise ? step.size() : 1) {
        std::iota(sequence_.begin(), sequence_.end(), std::size_t{0});
    }

    [[nodiscard]] double& value(double* x, std::size_t element) const noexcept { return x[index_[element]]; }
    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] bool elementwise() const noexcept { return elementwise_; }
    [[nodiscard]] const Group& group(std::size_t position) const noexcept { return groups_[sequence_[position]]; }
    [[nodiscard]] std::size_t groups() const noexcept { return groups_.size(); }
    [[nodiscard]] std::uint64_t evaluations() const noexcept { return function_.evaluations(); }
    [[nodiscard]] const Conditional& function() const noexcept { return function_; }

    /// Every element must be possible.
    void begin(const double* x) {
        if (size() == 0) return;
        know(x);
        for (std::size_t i = 0; i < present_.size(); ++i) check(i);
        begun_ = true;
    }
    /// A new draw: forgets what others may have changed, and shuffles the groups unless their order is given.
    void begin_draw(std::int64_t draw, bool shuffle) {
        if (!place_.alone) known_ = false;
        if (!shuffle || !any_order_ || groups_.size() < 2) return;
        UniformBatches uniforms(place_.address(draw, Purpose::order));
        for (std::size_t i = sequence_.size() - 1; i > 0; --i)
            std::swap(sequence_[i], sequence_[uniforms.below(i + 1)]);
    }
    /// Before a group is tried: makes present() right for its elements.
    void begin_group(const double* x, const Group& group) {
        if (known_) return;
        know(x);
        for (const std::size_t element : group) check(slot(element));
    }
    /// After it: the neighbours of what moved have other densities than before.
    void end_group() noexcept {
        if (elementwise_ && groups_.size() > 1) known_ = false;
    }

    void evaluate(const double* x) { function_.evaluate(x); }
    /// tried() of a group's elements, side by side.
    void gather_tried(const Group& group, double* out) const noexcept {
        if (elementwise_ && groups_.size() == 1 && any_order_) {
            std::copy_n(function_.out(), group.size(), out);
            return;
        }
        for (const std::size_t element : group) *out++ = tried(element);
    }
    [[nodiscard]] double tried(std::size_t element) const noexcept { return function_[slot(element)]; }
    [[nodiscard]] double present(std::size_t element) const noexcept { return present_[slot(element)]; }
    void set_present(std::size_t element, double value) noexcept { present_[slot(element)] = value; }

private:
    [[nodiscard]] std::size_t slot(std::size_t element) const noexcept { return elementwise_ ? element : 0; }
    void know(const double* x) {
        evaluate(x);
        std::copy_n(function_.out(), present_.size(), present_.begin());
        known_ = true;
    }
    void check(std::size_t slot) const {
        if (std::isfinite(present_[slot])) return;
        const std::string where = elementwise_ ? " for element " + std::to_string(slot) + " of the block" : "";
        throw StartError(log_density_is(present_[slot], begun_) + where);
    }

    Place place_;
    bool elementwise_, any_order_;
    std::vector<std::size_t> index_;
    std::vector<Group> groups_;
    std::vector<std::size_t> sequence_;
    Conditional function_;
    std::vector<double> present_;
    bool known_ = false, begun_ = false;
};

}  // namespace finetti::steps
