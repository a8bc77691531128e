"""The compiler's benchmark: gradients of finetti, hand-written C, XLA and numba side by side."""
