"""JAX need not optimise what these tests compile."""

from tests.dialects.fast_jax import compile_fast

__all__ = ["compile_fast"]
