// What the processor says of itself.
#include <nanobind/nanobind.h>

#include <string>

#include "bindings.hpp"
#include "finetti/cpu.hpp"

namespace nb = nanobind;

void bind_cpu(nb::module_& m) {
    m.def(
        "cpu_identity",
        [] {
            const std::string bytes = finetti::cpu::identity();
            return nb::bytes(bytes.data(), bytes.size());
        },
        "Bytes equal only on processors that code may be exchanged between; empty if unknown.");
    m.def("cpu_has_fma", &finetti::cpu::has_fma,
          "Whether fused multiply-add is an instruction here (meaningful where the identity is known).");
}
