"""Benchmarks against hand-written C, PyMC with nutpie, and NumPyro: ``python -m benchmarks``."""
