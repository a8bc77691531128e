// The topics of finetti._core. Each is one file bindings/<topic>.cpp.
#pragma once

#include <nanobind/nanobind.h>

void bind_sampler(nanobind::module_& m);
void bind_steps(nanobind::module_& m);
void bind_diagnostics(nanobind::module_& m);
void bind_kernels(nanobind::module_& m);
void bind_cpu(nanobind::module_& m);
