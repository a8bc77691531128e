"""What some distributions make of their arguments before the record takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.distributions.util import is_concrete


def _correlation(d: Any) -> None:
    weighted = d.__dict__.pop("weighted_correlation", None)
    if weighted is not None:
        scale = jnp.sqrt(d.phi_concentration * d.psi_concentration)
        d.__dict__["correlation"] = weighted * scale


def _adjacency(d: Any) -> None:
    matrix = d.__dict__["adj_matrix"]
    if hasattr(matrix, "toarray"):
        if not d.is_sparse:
            raise AssertionError(
                "adj_matrix is a sparse matrix so please specify `is_sparse=True`."
            )
        matrix = d.__dict__["adj_matrix"] = matrix.toarray()
    if isinstance(matrix, np.ndarray):
        if not (matrix.sum(axis=-1) > 0).all():
            raise AssertionError("all sites in adjacency matrix must have neighbours")
        if not np.array_equal(matrix, np.swapaxes(matrix, -2, -1)):
            raise AssertionError("adjacency matrix must be symmetric")


def _whole(name: str, least: int) -> Callable[[Any], None]:
    def check(d: Any) -> None:
        n = d.__dict__[name]
        if not is_concrete(n) or not isinstance(n, (int, np.integer)) or n < least:
            raise ValueError(
                f"{type(d).__name__}: {name}={n!r}: expected a whole number >= {least}, known when "
                "the model is written."
            )

    return check


def _zero_sum(d: Any) -> None:
    d.__dict__["event_shape"] = tuple(d.__dict__["event_shape"])


def _method(d: Any) -> None:
    _whole("dimension", 2)(d)
    if d.sample_method not in ("onion", "cvine"):
        raise ValueError("`method` should be one of 'cvine' or 'onion'.")


def _vector_loc(d: Any) -> None:
    if np.ndim(d.__dict__["loc"]) == 0:  # one number for all elements
        names = ("covariance_matrix", "precision_matrix", "scale_tril")
        matrix = next(d.__dict__[name] for name in names if d.__dict__.get(name) is not None)
        d.__dict__["loc"] = jnp.broadcast_to(d.__dict__["loc"], jnp.shape(matrix)[-1:])


PREPARE: dict[str, Callable[[Any], None]] = {
    "CAR": _adjacency,
    "GaussianRandomWalk": _whole("num_steps", 1),
    "LKJCholesky": _method,
    "MultivariateNormal": _vector_loc,
    "MultivariateStudentT": _vector_loc,
    "SineBivariateVonMises": _correlation,
    "ZeroSumNormal": _zero_sum,
}
