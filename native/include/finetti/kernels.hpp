// The functions that compiled models may call, by name.
#pragma once

#include <array>
#include <string_view>

#include "finetti/linalg.hpp"
#include "finetti/special.hpp"
#include "finetti/sweeps.hpp"

namespace finetti {

struct Kernel {
    std::string_view name;
    const void* address;
};

namespace detail {

template <class Function>
const void* address_of(Function* function) noexcept {
    return reinterpret_cast<const void*>(function);
}

}  // namespace detail

// Signatures: doubles in, a double out; linear algebra as declared in linalg.hpp.
inline auto kernel_table() noexcept {
    using detail::address_of;
    return std::array{
        Kernel{"finetti_betainc", address_of(&special::betainc)},
        Kernel{"finetti_digamma", address_of(&special::digamma)},
        Kernel{"finetti_erfcx", address_of(&special::erfcx)},
        Kernel{"finetti_erfinv", address_of(&special::erfinv)},
        Kernel{"finetti_gammainc", address_of(&special::gammainc)},
        Kernel{"finetti_gammaincc", address_of(&special::gammaincc)},
        Kernel{"finetti_gammaln", address_of(&special::gammaln)},
        Kernel{"finetti_i0e", address_of(&special::i0e)},
        Kernel{"finetti_i1e", address_of(&special::i1e)},
        Kernel{"finetti_log_ndtr", address_of(&special::log_ndtr)},
        Kernel{"finetti_ndtr", address_of(&special::ndtr)},
        Kernel{"finetti_ndtri", address_of(&special::ndtri)},
        Kernel{"finetti_polygamma", address_of(&special::polygamma)},
        Kernel{"finetti_trigamma", address_of(&special::trigamma)},
        Kernel{"finetti_cholesky", address_of(&linalg::cholesky)},
        Kernel{"finetti_matmul", address_of(&linalg::matmul)},
        Kernel{"finetti_matmul_nt", address_of(&linalg::matmul_nt)},
        Kernel{"finetti_matmul_tn", address_of(&linalg::matmul_tn)},
        Kernel{"finetti_matmul_tt", address_of(&linalg::matmul_tt)},
        Kernel{"finetti_solve_triangular", address_of(&linalg::solve_triangular)},
        Kernel{"finetti_cumsum", address_of(&sweeps::cumsum)},
        Kernel{"finetti_matvec", address_of(&sweeps::matvec)},
        Kernel{"finetti_vecmat", address_of(&sweeps::vecmat)},
    };
}

}  // namespace finetti
