"""`numpyro.contrib.hsgp`: Gaussian processes as sums of few functions with random weights."""

from finetti.dialects.numpyro.contrib.hsgp import approximation, laplacian, spectral_densities

__all__ = ["approximation", "laplacian", "spectral_densities"]
