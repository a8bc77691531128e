// What this processor is and can do, as it says of itself (x86: CPUID and XCR0).
//
// Compiled code is kept on disk. An entry may be used only where the processor that it was made for
// would be made out again, so what identifies a processor here is everything that LLVM reads to name it
// and its features: a superset of both, and found without LLVM.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#if defined(__x86_64__) || defined(_M_X64)
#define FINETTI_X86_64 1
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace finetti::cpu {

struct Words {
    std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

#ifdef FINETTI_X86_64

// One leaf of CPUID; zeros where the processor does not have it.
inline Words cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) noexcept {
    Words words;
#ifdef _MSC_VER
    int found[4];
    __cpuid(found, static_cast<int>(leaf & 0x80000000u));
    if (static_cast<std::uint32_t>(found[0]) < leaf) return words;
    __cpuidex(found, static_cast<int>(leaf), static_cast<int>(subleaf));
    words.a = found[0], words.b = found[1], words.c = found[2], words.d = found[3];
#else
    __get_cpuid_count(leaf, subleaf, &words.a, &words.b, &words.c, &words.d);
#endif
    return words;
}

// The register states that the operating system saves: without them wide registers cannot be used.
inline std::uint64_t saved_states() noexcept {
    constexpr std::uint32_t osxsave = 1u << 27;
    if (!(cpuid(1).c & osxsave)) return 0;
#ifdef _MSC_VER
    return _xgetbv(0);
#else
    std::uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return static_cast<std::uint64_t>(high) << 32 | low;
#endif
}

// Bytes that are equal only on processors for which LLVM generates equal code.
inline std::string identity() {
    // leaf 1's b (number of this core) and the sizes in leaf 0xd differ between equal cores
    const Words vendor = cpuid(0), basic = cpuid(1), extended = cpuid(0x80000001u);
    const Words wide = cpuid(7), wider = cpuid(7, 1), widest = cpuid(7, 2);
    const std::uint64_t states = saved_states();
    const std::array<std::uint32_t, 28> words{
        vendor.b, vendor.c, vendor.d, basic.a, basic.c, basic.d,
        wide.b, wide.c, wide.d, wider.a, wider.b, wider.c, wider.d, widest.d,
        cpuid(0xd, 1).a, cpuid(0x14).b, cpuid(0x19).b, cpuid(0x1e, 1).a, cpuid(0x24).b, cpuid(0x29).b,
        extended.b, extended.c, extended.d, cpuid(0x80000007u).d, cpuid(0x80000008u).b,
        cpuid(0x80000021u).a,
        static_cast<std::uint32_t>(states), static_cast<std::uint32_t>(states >> 32)};
    return {reinterpret_cast<const char*>(words.data()), sizeof words};
}

// Whether fused multiply-add is an instruction that may be used.
inline bool has_fma() noexcept {
    constexpr std::uint32_t fma = 1u << 12, avx = 1u << 28, fma4 = 1u << 16;
    constexpr std::uint64_t ymm = 0x6;
    const std::uint32_t basic = cpuid(1).c;
    if (!(basic & avx) || (saved_states() & ymm) != ymm) return false;
    return (basic & fma) || (cpuid(0x80000001u).c & fma4);
}

#else  // nothing is known: ask LLVM

inline std::string identity() { return {}; }
inline bool has_fma() noexcept { return false; }

#endif

}  // namespace finetti::cpu
