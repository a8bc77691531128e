"""How NumPyro spells distributions of vectors and matrices: one row each."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import constraints, graphs
from finetti.dialects.numpyro.distributions.tabled import Arg, Row
from finetti.dist import lkj, mvnormal
from finetti.ir import ops

C = constraints

LOC = Arg("loc", C.real_vector, 0.0)
NOTHING = ("cdf", "icdf", "entropy")
NO_CDF = ("cdf", "icdf")


def _rows(*names: str) -> Any:
    """The number of rows of whichever matrix was given."""

    def event(d: Any) -> tuple[int, ...]:
        for name in names:
            given = d.__dict__.get(name)
            if given is not None:
                return tuple(jnp.shape(given)[-1:])
        return ()

    return event


def _gram(chol: Any) -> Any:
    return ops.matmul(chol, ops.matrix_transpose(chol))


def _precision_of(chol: Any) -> Any:
    return ops.cho_solve(chol, ops.eye(int(chol.shape[-1])))


def _scale_tril(d: Any) -> Any:
    if d.covariance_matrix is not None and "covariance_matrix" in d.__dict__:
        return graphs.apply(_from_cov, d.covariance_matrix)
    return graphs.apply(_from_precision, d.precision_matrix)


def _from_cov(cov: Any) -> Any:
    return mvnormal.from_cov(cov)["chol"]


def _from_precision(tau: Any) -> Any:
    return mvnormal.from_tau(tau)["chol"]


MATRICES = {
    "scale_tril": _scale_tril,
    "covariance_matrix": lambda d: graphs.apply(_gram, d.scale_tril),
    "precision_matrix": lambda d: graphs.apply(_precision_of, d.scale_tril),
}
COVARIANCE = ("covariance_matrix", "precision_matrix", "scale_tril")
NORMAL = {
    "mu": "loc", "cov": "covariance_matrix", "tau": "precision_matrix", "chol": "scale_tril",
}  # fmt: skip


VECTORS = (
    Row("Dirichlet", "continuous", (Arg("concentration", C.independent(C.positive, 1)),),
        "Dirichlet", {"a": "concentration"}, C.simplex, "Proportions that sum to 1.",
        _rows("concentration"), missing=NO_CDF),
    Row("MultivariateNormal", "continuous",
        (LOC, Arg("covariance_matrix", C.positive_definite, None),
         Arg("precision_matrix", C.positive_definite, None),
         Arg("scale_tril", C.lower_cholesky, None)),
        "MvNormal", NORMAL, C.real_vector, "A vector of jointly normal numbers.",
        _rows(*COVARIANCE), one_of=COVARIANCE, derived=MATRICES, missing=NO_CDF),
    Row("LKJCholesky", "continuous",
        (Arg("dimension", None), Arg("concentration", C.positive, 1.0),
         Arg("sample_method", None, "onion")),
        lambda d: lkj.corr_of(int(d.dimension)), {"eta": "concentration"}, C.corr_cholesky,
        "The Cholesky factor of a correlation matrix.",
        lambda d: (int(d.dimension), int(d.dimension)), missing=NOTHING),
)  # fmt: skip
