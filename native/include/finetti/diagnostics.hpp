// Convergence diagnostics of one scalar parameter: Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021),
// https://arxiv.org/abs/1903.08008, with the conventions of arviz-stats (what is NaN, which draws a split leaves out).
//
// `ParameterDiagnostics` sorts the draws once, and every rank, quantile and interval comes from that order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "finetti/beta_quantile.hpp"
#include "finetti/fft.hpp"
#include "finetti/order.hpp"
#include "finetti/special/normal.hpp"

namespace finetti {

namespace detail {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Sum of f(x) with eight running sums inside blocks and pairwise between them: fast, and the error grows as log(n).
template <class F>
double pairwise_sum(const double* values, std::size_t size, const F& f) noexcept {
    constexpr std::size_t width = 8, block = 128;
    if (size > block) {
        const std::size_t left = (size / 2) / width * width;
        return pairwise_sum(values, left, f) + pairwise_sum(values + left, size - left, f);
    }
    double sums[width] = {};
    std::size_t i = 0;
    for (; i + width <= size; i += width)
        for (std::size_t j = 0; j < width; ++j) sums[j] += f(values[i + j]);
    for (; i < size; ++i) sums[0] += f(values[i]);
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// The mean in two passes: equal values give exactly that value, so their variance is exactly zero.
inline double mean_of(const double* values, std::size_t size) noexcept {
    const double count = static_cast<double>(size);
    const double mean = pairwise_sum(values, size, [](double x) { return x; }) / count;
    if (!std::isfinite(mean)) return mean;
    return mean + pairwise_sum(values, size, [mean](double x) { return x - mean; }) / count;
}

// Sample variance (n - 1); NaN for fewer than two values.
inline double variance_of(const double* values, std::size_t size, double mean) noexcept {
    if (size < 2) return not_a_number;
    const double sum = pairwise_sum(values, size, [mean](double x) { return (x - mean) * (x - mean); });
    return sum / static_cast<double>(size - 1);
}

}  // namespace detail

class ParameterDiagnostics {
  public:
    ParameterDiagnostics(std::size_t chains, std::size_t draws)
        : chains_(chains), draws_(draws), half_(draws / 2), sort_(chains * draws), sorted_(chains * draws),
          order_(chains * draws), split_order_(2 * chains * half_), split_sorted_(2 * chains * half_),
          distances_(chains * draws), series_(chains * draws), bulk_(chains * draws), scores_(2 * chains * half_),
          half_means_(2 * chains), half_variances_(2 * chains), autocovariance_(half_), rho_(half_) {
        if (chains * draws > std::numeric_limits<std::uint32_t>::max())
            throw std::length_error("more than 2^32 draws of one parameter: thin them first");
        // a rank without ties is a whole number, so the normal scores are the same for every parameter
        for (std::size_t i = 0; i < scores_.size(); ++i) scores_[i] = normal_score(static_cast<double>(i + 1));
    }

    // `values` holds the draws chain after chain and must stay alive while the results are asked for.
    void load(const double* values) noexcept {
        values_ = values;
        has_nan_ = std::any_of(values, values + size(), [](double x) { return std::isnan(x); });
        is_sorted_ = is_split_ = has_bulk_ = false;
        mean_.reset();
        ess_mean_.reset();
        ess_sd_.reset();
        hdi_prob_.reset();
    }

    double mean() noexcept {
        if (!mean_) mean_ = size() == 0 ? detail::not_a_number : detail::mean_of(values_, size());
        return *mean_;
    }

    double sd() noexcept { return std::sqrt(detail::variance_of(values_, size(), mean())); }

    double quantile(double prob) noexcept {
        if (has_nan_ || size() == 0) return detail::not_a_number;
        sort();
        return sorted_quantile(sorted_, prob);
    }

    double median() noexcept { return quantile(0.5); }

    // Median absolute deviation from the median, unscaled.
    double mad() noexcept {
        const double centre = median();
        if (!std::isfinite(centre)) return detail::not_a_number;
        std::size_t filled = 0;
        by_distance(sorted_, centre, [&](std::size_t, double distance) { distances_[filled++] = distance; });
        return sorted_median(distances_);
    }

    // NaN draws make both ends NaN (arviz-stats leaves a meaningless number in the lower one).
    std::pair<double, double> hdi(double prob) noexcept {
        if (has_nan_ || size() == 0) return {detail::not_a_number, detail::not_a_number};
        if (hdi_prob_ != prob) {
            sort();
            hdi_ = sorted_hdi(sorted_, prob);
            hdi_prob_ = prob;
        }
        return hdi_;
    }

    // The larger of the bulk and the folded rank-normalised split R-hat; NaN for one chain or under four draws.
    double rhat() noexcept {
        if (!valid(2)) return detail::not_a_number;
        const double bulk = split_rhat(bulk_scores());
        const double tail = fold_into_series() ? split_rhat(series_.data()) : detail::not_a_number;
        return tail > bulk ? tail : bulk;
    }

    double ess_bulk() noexcept { return valid(1) ? effective_sample_size(bulk_scores()) : detail::not_a_number; }

    double ess_mean() noexcept {
        if (!valid(1)) return detail::not_a_number;
        if (!ess_mean_) ess_mean_ = effective_sample_size(values_);
        return *ess_mean_;
    }

    double ess_sd() noexcept {
        if (!valid(1)) return detail::not_a_number;
        if (!ess_sd_) {
            const double centre = mean();
            for (std::size_t i = 0; i < size(); ++i) series_[i] = (values_[i] - centre) * (values_[i] - centre);
            ess_sd_ = effective_sample_size(series_.data());
        }
        return *ess_sd_;
    }

    double ess_quantile(double prob) noexcept {
        if (!valid(1)) return detail::not_a_number;
        const double threshold = quantile(prob);
        for (std::size_t i = 0; i < size(); ++i) series_[i] = values_[i] <= threshold ? 1.0 : 0.0;
        return effective_sample_size(series_.data());
    }

    double ess_tail(double prob) noexcept {
        const double low = ess_quantile(std::min(prob, 1 - prob));
        const double high = ess_quantile(std::max(prob, 1 - prob));
        return high < low ? high : low;
    }

    double mcse_mean() noexcept { return valid(1) ? sd() / std::sqrt(ess_mean()) : detail::not_a_number; }

    double mcse_sd() noexcept {
        if (!valid(1)) return detail::not_a_number;
        const double centre = mean(), count = static_cast<double>(size());
        const auto square = [centre](double x) { return (x - centre) * (x - centre); };
        const double second = detail::pairwise_sum(values_, size(), square) / count;
        const double fourth =
            detail::pairwise_sum(values_, size(), [&](double x) { return square(x) * square(x); }) / count;
        return std::sqrt((fourth - second * second) / ess_sd() / second / 4);
    }

    double mcse_quantile(double prob) noexcept {
        if (!valid(1)) return detail::not_a_number;
        const double ess = ess_quantile(prob), count = static_cast<double>(size());
        const double a = ess * prob + 1, b = ess * (1 - prob) + 1;
        // the quantiles of the beta that lie one standard deviation of a normal from its middle
        const double low = beta_quantile(0.1586553, a, b) * count - 1;
        const double high = beta_quantile(0.8413447, a, b) * count - 1;
        const auto first = static_cast<std::size_t>(std::floor(std::fmax(low, 0.0)));
        const auto last = static_cast<std::size_t>(std::ceil(std::fmin(high, count - 1)));
        sort();
        return (sorted_[last] - sorted_[first]) / 2;
    }

  private:
    std::size_t size() const noexcept { return chains_ * draws_; }

    bool valid(std::size_t least_chains) const noexcept {
        return !has_nan_ && chains_ >= least_chains && draws_ >= 4;
    }

    // Where half-chain h starts in an array laid out as the draws are. An odd number of draws loses its middle one.
    std::size_t half_start(std::size_t h) const noexcept {
        return h < chains_ ? h * draws_ : (h - chains_) * draws_ + draws_ - half_;
    }

    double normal_score(double rank) const noexcept {
        constexpr double offset = 3.0 / 8.0;  // Blom (1958)
        return special::ndtri((rank - offset) / (static_cast<double>(split_order_.size()) - 2 * offset + 1));
    }

    void sort() noexcept {
        if (is_sorted_) return;
        sort_(values_, sorted_.data(), order_.data());
        is_sorted_ = true;
    }

    void split() noexcept {
        if (is_split_) return;
        sort();
        std::size_t kept = 0;
        for (std::size_t i = 0; i < size(); ++i) {
            if (draws_ % 2 && order_[i] % draws_ == half_) continue;
            split_order_[kept] = order_[i];
            split_sorted_[kept++] = sorted_[i];
        }
        is_split_ = true;
    }

    // The score of the average rank of the places `first` to `last` (0-based, the last one exclusive).
    double tied_score(std::size_t first, std::size_t last) const noexcept {
        return last - first == 1 ? scores_[first] : normal_score(0.5 * static_cast<double>(first + 1 + last));
    }

    const double* bulk_scores() noexcept {
        if (has_bulk_) return bulk_.data();
        split();
        const std::size_t count = split_order_.size();
        for (std::size_t first = 0, last; first < count; first = last) {
            for (last = first + 1; last < count && split_sorted_[last] == split_sorted_[first];) ++last;
            const double score = tied_score(first, last);
            for (std::size_t i = first; i < last; ++i) bulk_[split_order_[i]] = score;
        }
        has_bulk_ = true;
        return bulk_.data();
    }

    // Writes the normal scores of |x - median| to series_; false where the median is not finite.
    bool fold_into_series() noexcept {
        split();
        const double centre = sorted_median(split_sorted_);
        if (!std::isfinite(centre)) return false;
        std::size_t filled = 0;
        // the order array is free once its split copy exists, so it holds the folded order
        by_distance(split_sorted_, centre, [&](std::size_t i, double distance) {
            distances_[filled] = distance;
            order_[filled++] = split_order_[i];
        });
        for (std::size_t first = 0, last; first < filled; first = last) {
            for (last = first + 1; last < filled && distances_[last] == distances_[first];) ++last;
            const double score = tied_score(first, last);
            for (std::size_t i = first; i < last; ++i) series_[order_[i]] = score;
        }
        return true;
    }

    double split_rhat(const double* values) noexcept {
        const std::size_t halves = 2 * chains_;
        for (std::size_t h = 0; h < halves; ++h) {
            const double* start = values + half_start(h);
            half_means_[h] = detail::mean_of(start, half_);
            half_variances_[h] = detail::variance_of(start, half_, half_means_[h]);
        }
        const double count = static_cast<double>(half_);
        const double centre = detail::mean_of(half_means_.data(), halves);
        const double between = count * detail::variance_of(half_means_.data(), halves, centre);
        const double within = detail::mean_of(half_variances_.data(), halves);
        return std::sqrt((between / within + count - 1) / count);
    }

    // Effective sample size of the mean of the split chains, by Geyer's initial monotone sequence.
    double effective_sample_size(const double* values) noexcept {
        const std::size_t halves = 2 * chains_, n = half_;
        const double total = static_cast<double>(halves * n), count = static_cast<double>(n);
        double least = std::numeric_limits<double>::infinity(), most = -least;
        bool finite = true;
        for (std::size_t h = 0; h < halves; ++h) {
            const double* start = values + half_start(h);
            for (std::size_t i = 0; i < n; ++i) {
                least = std::min(least, start[i]);
                most = std::max(most, start[i]);
                finite = finite && std::isfinite(start[i]);
            }
        }
        if (!finite) return detail::not_a_number;
        if (most - least < 1e-15) return total;  // constant: every draw counts
        autocovariance_.clear();
        for (std::size_t h = 0; h < halves; ++h) {
            const double* start = values + half_start(h);
            half_means_[h] = detail::mean_of(start, n);
            autocovariance_.add(start, half_means_[h]);
        }
        autocovariance_.finish();
        const double mean_variance = autocovariance_.lag(0) / total * count / (count - 1);
        const double between =
            detail::variance_of(half_means_.data(), halves, detail::mean_of(half_means_.data(), halves));
        const double tau = integrated_time(mean_variance, mean_variance * (count - 1) / count + between, total);
        return total / tau;
    }

    // -1 + 2 * (sum of the autocorrelations up to the cut), bounded below; NaN when an autocorrelation is.
    double integrated_time(double mean_variance, double pooled_variance, double total) noexcept {
        const auto n = static_cast<std::ptrdiff_t>(half_);
        const auto autocorrelation = [&](std::ptrdiff_t t) {
            return 1 - (mean_variance - autocovariance_.lag(static_cast<std::size_t>(t)) / total) / pooled_variance;
        };
        double even = 1, odd = autocorrelation(1);
        if (std::isnan(odd)) return detail::not_a_number;
        std::fill(rho_.begin(), rho_.end(), 0.0);
        rho_[0] = even;
        rho_[1] = odd;
        std::ptrdiff_t t = 1;
        for (; t < n - 3 && even + odd > 0; t += 2) {
            even = autocorrelation(t + 1);
            odd = autocorrelation(t + 2);
            if (even + odd >= 0) {
                rho_[t + 1] = even;
                rho_[t + 2] = odd;
            }
        }
        const std::ptrdiff_t cut = t - 2;
        if (even > 0) rho_[cut + 1] = even;
        for (t = 1; t <= cut - 2; t += 2) {
            if (rho_[t + 1] + rho_[t + 2] > rho_[t - 1] + rho_[t])
                rho_[t + 1] = rho_[t + 2] = (rho_[t - 1] + rho_[t]) / 2;
        }
        double sum = 0;
        for (std::ptrdiff_t i = 0; i <= cut; ++i) sum += rho_[i];
        const double tau = -1 + 2 * sum + rho_[cut + 1];
        const double least = 1 / std::log10(total);
        return least > tau ? least : tau;
    }

    std::size_t chains_, draws_, half_;
    ArgSort sort_;
    std::vector<double> sorted_;
    std::vector<std::uint32_t> order_, split_order_;
    std::vector<double> split_sorted_, distances_, series_, bulk_, scores_, half_means_, half_variances_;
    SummedAutocovariance autocovariance_;
    std::vector<double> rho_;

    const double* values_ = nullptr;
    bool has_nan_ = false, is_sorted_ = false, is_split_ = false, has_bulk_ = false;
    std::optional<double> mean_, ess_mean_, ess_sd_, hdi_prob_;
    std::pair<double, double> hdi_;
};

// Estimated Bayesian fraction of missing information of one chain's energies.
inline double bfmi(const double* energy, std::size_t draws, std::ptrdiff_t stride) {
    if (draws < 2) return detail::not_a_number;
    std::vector<double> chain(draws);
    double steps = 0;
    for (std::size_t i = 0; i < draws; ++i) {
        chain[i] = energy[static_cast<std::ptrdiff_t>(i) * stride];
        if (i > 0) steps += (chain[i] - chain[i - 1]) * (chain[i] - chain[i - 1]);
    }
    const double variance = detail::variance_of(chain.data(), draws, detail::mean_of(chain.data(), draws));
    return steps / static_cast<double>(draws - 1) / variance;
}

}  // namespace finetti
