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
    x = np.array(x)  # a copy: JAX may keep the memory it is given
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    if x.dtype.kind in "iu" and dtype != x.dtype:  # JAX would keep the lower half of the bits
        x = np.clip(x, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
    with np.errstate(over="ignore"):  # a number too large for 32 bits is infinite
        return jax.device_put(x.astype(dtype, copy=False))
