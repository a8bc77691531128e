// Philox4x32-10, a counter-based random number generator.
//
// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). A block of four
// 32-bit numbers is a pure function of a counter and a key, so every random number of a run has an address
// and no state has to be carried, shared or saved.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "finetti/vectors.hpp"

namespace finetti {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

namespace detail {

inline constexpr std::uint32_t philox_m0 = 0xD2511F53U;
inline constexpr std::uint32_t philox_m1 = 0xCD9E8D57U;
inline constexpr std::uint32_t philox_w0 = 0x9E3779B9U;  // golden ratio
inline constexpr std::uint32_t philox_w1 = 0xBB67AE85U;  // sqrt(3) - 1
inline constexpr int philox_rounds = 10;

}  // namespace detail

/// One block: ten rounds of two 32x32 -> 64 bit products.
constexpr PhiloxCounter philox4x32(PhiloxCounter c, PhiloxKey key) noexcept {
    for (int round = 0; round < detail::philox_rounds; ++round) {
        const std::uint64_t a = std::uint64_t{detail::philox_m0} * c[0];
        const std::uint64_t b = std::uint64_t{detail::philox_m1} * c[2];
        c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(b),
             static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(a)};
        key[0] += detail::philox_w0;
        key[1] += detail::philox_w1;
    }
    return c;
}

namespace detail {

inline constexpr std::size_t philox_batch = 8;

/// Eight consecutive blocks (counter[0] = first, first + 1, ...) as 16 64-bit numbers, in vector lanes.
FINETTI_MULTIVERSION inline void philox_fill(const PhiloxCounter& counter, PhiloxKey key,
                                             std::uint64_t* bits) noexcept {
    std::uint64_t c0[philox_batch], c1[philox_batch], c2[philox_batch], c3[philox_batch];
    for (std::size_t k = 0; k < philox_batch; ++k) {
        c0[k] = static_cast<std::uint32_t>(counter[0] + k);
        c1[k] = counter[1];
        c2[k] = counter[2];
        c3[k] = counter[3];
    }
    constexpr std::uint64_t low = 0xFFFFFFFFU;
    for (int round = 0; round < philox_rounds; ++round) {
        const std::uint64_t k0 = key[0], k1 = key[1];
        for (std::size_t k = 0; k < philox_batch; ++k) {
            const std::uint64_t a = (c0[k] & low) * philox_m0;
            const std::uint64_t b = (c2[k] & low) * philox_m1;
            c0[k] = (b >> 32) ^ c1[k] ^ k0;
            c1[k] = b & low;
            c2[k] = (a >> 32) ^ c3[k] ^ k1;
            c3[k] = a & low;
        }
        key[0] += philox_w0;
        key[1] += philox_w1;
    }
    for (std::size_t k = 0; k < philox_batch; ++k) {
        bits[2 * k] = c0[k] | (c1[k] << 32);
        bits[2 * k + 1] = c2[k] | (c3[k] << 32);
    }
}

}  // namespace detail
}  // namespace finetti
