// Addresses of the functions that compiled models may call.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "bindings.hpp"
#include "finetti/kernels.hpp"

namespace nb = nanobind;

void bind_kernels(nb::module_& m) {
    m.def(
        "kernel_addresses",
        [] {
            nb::dict addresses;
            for (const auto& [name, address] : finetti::kernel_table())
                addresses[nb::str(name.data(), name.size())] = reinterpret_cast<std::uintptr_t>(address);
            return addresses;
        },
        "Addresses of the special functions and small linear algebra, by symbol.");
    m.def("row_threads", &finetti::rows::set_limit, nb::arg("threads"),
          "How many threads evaluations on this thread may use for their rows, 0 to say nothing; what was said before.");
    m.def(
        "apply_unary",
        [](std::uintptr_t address, nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu> x,
           nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu> out) {
            const auto function = reinterpret_cast<double (*)(double)>(address);
            for (std::size_t i = 0; i < x.shape(0); ++i) out(i) = function(x(i));
        },
        nb::arg("address"), nb::arg("x"), nb::arg("out"),
        "Fill `out` with a kernel of one double applied to every element of `x`.");
}
