// The functions that compiled models may call, by name.
#pragma once

#include <array>
#include <string_view>

#include "finetti/along.hpp"
#include "finetti/dense.hpp"
#include "finetti/factor_adjoint.hpp"
#include "finetti/linalg.hpp"
#include "finetti/many.hpp"
#include "finetti/row_threads.hpp"
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
        Kernel{"finetti_betainc_d", address_of(&special::betainc_d)},
        Kernel{"finetti_betaincinv", address_of(&special::betaincinv)},
        Kernel{"finetti_digamma", address_of(&special::digamma)},
        Kernel{"finetti_erfcx", address_of(&special::erfcx)},
        Kernel{"finetti_erfinv", address_of(&special::erfinv)},
        Kernel{"finetti_gammainc", address_of(&special::gammainc)},
        Kernel{"finetti_gammainc_d", address_of(&special::gammainc_d)},
        Kernel{"finetti_gammaincc", address_of(&special::gammaincc)},
        Kernel{"finetti_gammaincinv", address_of(&special::gammaincinv)},
        Kernel{"finetti_gammaln", address_of(&special::gammaln)},
        Kernel{"finetti_i0e", address_of(&special::i0e)},
        Kernel{"finetti_i1e", address_of(&special::i1e)},
        Kernel{"finetti_ive", address_of(&special::ive)},
        Kernel{"finetti_log_ndtr", address_of(&special::log_ndtr)},
        Kernel{"finetti_ndtr", address_of(&special::ndtr)},
        Kernel{"finetti_ndtri", address_of(&special::ndtri)},
        Kernel{"finetti_polygamma", address_of(&special::polygamma)},
        Kernel{"finetti_trigamma", address_of(&special::trigamma)},
        Kernel{"finetti_cholesky", address_of(&linalg::cholesky)},
        Kernel{"finetti_cholesky_adjoint", address_of(&linalg::cholesky_adjoint)},
        Kernel{"finetti_cholesky_many", address_of(&many::cholesky)},
        Kernel{"finetti_matmul", address_of(&linalg::matmul)},
        Kernel{"finetti_matmul_many", address_of(&many::matmul)},
        Kernel{"finetti_matmul_nt", address_of(&linalg::matmul_nt)},
        Kernel{"finetti_matmul_tn", address_of(&linalg::matmul_tn)},
        Kernel{"finetti_matmul_tt", address_of(&linalg::matmul_tt)},
        Kernel{"finetti_solve_triangular", address_of(&linalg::solve_triangular)},
        Kernel{"finetti_solve_triangular_many", address_of(&many::solve_triangular)},
        Kernel{"finetti_eigh", address_of(&dense::eigh)},
        Kernel{"finetti_expm", address_of(&dense::expm)},
        Kernel{"finetti_slogdet", address_of(&dense::slogdet)},
        Kernel{"finetti_solve", address_of(&dense::solve)},
        Kernel{"finetti_add_along", address_of(&along::add)},
        Kernel{"finetti_argmax", address_of(&along::argmax)},
        Kernel{"finetti_argsort", address_of(&along::argsort)},
        Kernel{"finetti_cumargmax", address_of(&along::cumargmax)},
        Kernel{"finetti_cumprod", address_of(&along::cumprod)},
        Kernel{"finetti_put_along", address_of(&along::put)},
        Kernel{"finetti_recurrence", address_of(&along::recurrence)},
        Kernel{"finetti_take_along", address_of(&along::take)},
        Kernel{"finetti_add_chunks", address_of(&rows::add_chunks)},
        Kernel{"finetti_parallel_for", address_of(&rows::parallel_for)},
        Kernel{"finetti_cumsum", address_of(&sweeps::cumsum)},
        Kernel{"finetti_matvec", address_of(&sweeps::matvec)},
        Kernel{"finetti_vecmat", address_of(&sweeps::vecmat)},
    };
}

}  // namespace finetti
