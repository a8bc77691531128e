// finetti._core: the native half of finetti.
#include "bindings.hpp"

NB_MODULE(_core, m) {
    m.doc() = "Samplers, diagnostics and numerical kernels in C++.";
    // A thread that still runs at exit keeps what it uses: nothing that a user could or should mend.
    nanobind::set_leak_warnings(false);
    m.def("warn_of_leaks", &nanobind::set_leak_warnings, nanobind::arg("on"),
          "Whether to list at exit what was not released; for tests.");
    bind_sampler(m);
    bind_steps(m);
    bind_diagnostics(m);
    bind_kernels(m);
    bind_cpu(m);
}
