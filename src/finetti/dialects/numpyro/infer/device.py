"""NumPy's arrays as JAX's."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

__all__: list[str] = []


def to_jax(x: Any) -> Any:
    """An array of JAX's with the same numbers, in the precision that JAX is set to.

    `jax.numpy.asarray` compiles a copy for every new shape, which costs 10 ms each time.
    """
    if isinstance(x, jax.Array):
        return x
    return jax.device_put(np.array(x))  # a copy: JAX may keep the memory it is given
