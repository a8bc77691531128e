// The one interface of every compiled function, and what the sampler asks of a log density.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace finetti {

/// x: n inputs. A density writes its gradient to out and its value to lp; a map writes its outputs to out.
/// Returns 0; anything else is an error that sampling cannot survive (an impossible point is lp = -inf instead).
using CompiledFunction = int (*)(std::size_t n, const double* x, double* out, double* lp, void* data);

/// A function object that evaluates log density and gradient together.
template <class D>
concept LogDensity = requires(D& density, const double* x, double* gradient) {
    { density.size() } -> std::convertible_to<std::size_t>;
    { density.evaluate(x, gradient) } -> std::same_as<double>;
};

class DensityError : public std::runtime_error {
public:
    explicit DensityError(int status)
        : std::runtime_error("the log density returned the error code " + std::to_string(status)) {}
};

/// No start with finite density and gradient was found.
class StartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A compiled log density with its data block; counts every gradient.
class CompiledDensity {
public:
    CompiledDensity(CompiledFunction function, void* data, std::size_t size) noexcept
        : function_(function), data_(data), size_(size) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t gradients() const noexcept { return gradients_; }

    double evaluate(const double* x, double* gradient) {
        double lp = 0.0;
        ++gradients_;
        const int status = function_(size_, x, gradient, &lp, data_);
        if (status != 0) throw DensityError(status);
        return lp;
    }

private:
    CompiledFunction function_;
    void* data_;
    std::size_t size_;
    std::uint64_t gradients_ = 0;
};

}  // namespace finetti
