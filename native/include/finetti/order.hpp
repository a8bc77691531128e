// Order statistics: one radix argsort, then ranks, quantiles and highest-density intervals in linear time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace finetti {

// Sorts doubles (no NaN) by their bits, eight at a time; -0.0 counts as 0.0 and ties keep their order.
class ArgSort {
  public:
    explicit ArgSort(std::size_t size) : items_(size), other_(size) {}

    // Writes the sorted values and where each one came from.
    void operator()(const double* values, double* sorted, std::uint32_t* order) noexcept {
        const std::size_t size = items_.size();
        for (auto& counts : histogram_) counts.fill(0);
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint64_t key = to_key(values[i]);
            items_[i] = {key, static_cast<std::uint32_t>(i)};
            for (int digit = 0; digit < 8; ++digit) ++histogram_[digit][(key >> (8 * digit)) & 255];
        }
        for (int digit = 0; digit < 8; ++digit) {
            auto& counts = histogram_[digit];
            if (size == 0 || counts[(items_[0].key >> (8 * digit)) & 255] == size) continue;  // all equal here
            std::uint32_t start = 0;
            for (auto& count : counts) start += std::exchange(count, start);
            for (const Item& item : items_) other_[counts[(item.key >> (8 * digit)) & 255]++] = item;
            items_.swap(other_);
        }
        for (std::size_t i = 0; i < size; ++i) {
            order[i] = items_[i].index;
            sorted[i] = values[order[i]];
        }
    }

  private:
    struct Item {
        std::uint64_t key;
        std::uint32_t index;
    };

    static std::uint64_t to_key(double value) noexcept {
        const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
        constexpr std::uint64_t sign = std::uint64_t{1} << 63;
        return bits & sign ? ~bits : bits | sign;
    }

    std::vector<Item> items_, other_;
    std::array<std::array<std::uint32_t, 256>, 8> histogram_;
};

// Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, NumPy's default).
inline double sorted_quantile(std::span<const double> sorted, double prob) noexcept {
    const double position = static_cast<double>(sorted.size() - 1) * prob;
    const double below = std::floor(position);
    const auto index = static_cast<std::size_t>(below);
    if (index + 1 >= sorted.size()) return sorted.back();
    const double low = sorted[index], high = sorted[index + 1], weight = position - below;
    const double gap = high - low;
    // from the nearer end, as NumPy does: the result stays monotone in prob
    return weight < 0.5 ? low + gap * weight : high - gap * (1 - weight);
}

inline double sorted_median(std::span<const double> sorted) noexcept {
    const std::size_t middle = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

// The narrowest interval between two draws that lie floor(prob * n) places apart; the first one of several.
inline std::pair<double, double> sorted_hdi(std::span<const double> sorted, double prob) noexcept {
    const auto size = sorted.size();
    const auto wanted = static_cast<std::size_t>(std::floor(prob * static_cast<double>(size)));
    const std::size_t inside = wanted < size ? wanted : size - 1;
    std::size_t best = 0;
    double narrowest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i + inside < size; ++i) {
        const double width = sorted[i + inside] - sorted[i];
        if (std::isnan(width)) {  // both ends infinite: argmin of NumPy stops here too
            best = i;
            break;
        }
        if (width < narrowest) {
            narrowest = width;
            best = i;
        }
    }
    return {sorted[best], sorted[best + inside]};
}

// Walks sorted values outwards from `centre`, merging its two sides.
// `visit(i, distance)` is called in ascending order of distance with i an index into `sorted`.
template <class Visit>
void by_distance(std::span<const double> sorted, double centre, Visit&& visit) {
    auto right = static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), centre) - sorted.begin());
    std::size_t left = right;  // one past the next value to the left
    while (left > 0 || right < sorted.size()) {
        const double to_left = left > 0 ? std::abs(sorted[left - 1] - centre) : std::numeric_limits<double>::infinity();
        const double to_right =
            right < sorted.size() ? std::abs(sorted[right] - centre) : std::numeric_limits<double>::infinity();
        if (right == sorted.size() || (left > 0 && to_left <= to_right)) {
            visit(--left, to_left);
        } else {
            visit(right++, to_right);
        }
    }
}

}  // namespace finetti
