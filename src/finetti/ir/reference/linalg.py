"""Dense linear algebra by NumPy and SciPy, where a failure is a value and not an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg


def _each(function: Callable[..., np.ndarray], shape: tuple[int, ...], *stacks: Any) -> np.ndarray:
    """Apply to each matrix of a stack; NaN where NumPy refuses one."""
    batch = np.broadcast_shapes(*(np.shape(stack)[:-2] for stack in stacks))
    result = np.empty((*batch, *shape))
    whole = [np.broadcast_to(stack, (*batch, *np.shape(stack)[-2:])) for stack in stacks]
    for at in np.ndindex(batch):
        matrices = [np.asarray(stack[at], float) for stack in whole]
        try:
            result[at] = (
                function(*matrices) if all(np.isfinite(m).all() for m in matrices) else np.nan
            )
        except np.linalg.LinAlgError:
            result[at] = np.nan
    return result


def solve(a: Any, b: Any) -> np.ndarray:
    """a^-1 b; NaN when `a` is singular."""
    return _each(np.linalg.solve, np.shape(b)[-2:], a, b)


def slogdet(a: Any) -> np.ndarray:
    """Sign and logarithm of the determinant along a last axis of length 2."""
    return np.stack(np.linalg.slogdet(np.asarray(a, float)), -1)


def _eigh(a: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(a)
    if values.size:
        # The sign is free: the first element that is not rounding noise is made positive.
        first = np.argmax(np.abs(vectors) > 1e-9, axis=0)
        vectors = vectors * np.where(np.take_along_axis(vectors, first[None], 0) < 0, -1.0, 1.0)
    return np.concatenate([values[None], vectors])


def eigh(a: Any) -> np.ndarray:
    """Eigenvalues in the first row, below them the eigenvectors as columns."""
    n = np.shape(a)[-1]
    return _each(_eigh, (n + 1, n), a)


def expm(a: Any) -> np.ndarray:
    """The matrix exponential."""
    return _each(lambda m: linalg.expm(m) if m.size else m, np.shape(a)[-2:], a)
