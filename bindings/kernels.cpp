// Addresses of the functions that compiled models may call.
#include <nanobind/nanobind.h>

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
}
