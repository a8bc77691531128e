// finetti._core: the native half of finetti.
#include "bindings.hpp"

NB_MODULE(_core, m) {
    m.doc() = "Samplers, diagnostics and numerical kernels in C++.";
    bind_sampler(m);
    bind_steps(m);
    bind_diagnostics(m);
    bind_kernels(m);
    bind_cpu(m);
}
