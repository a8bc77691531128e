"""How NumPyro spells distributions of vectors and matrices: one row each."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.distributions import constraints, graphs
from finetti.dialects.numpyro.distributions import transforms as T
from finetti.dialects.numpyro.distributions.tabled import Arg, Row
from finetti.dist import lkj, mvmore, mvnormal, zerosum
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


LOC_NEEDED = Arg("loc", C.real_vector)
WISHART_SCALES = ("scale_matrix", "rate_matrix", "scale_tril")
WISHART = (
    Arg("concentration", C.dependent(is_discrete=False, event_dim=0)),
    Arg("scale_matrix", C.positive_definite, None),
    Arg("rate_matrix", C.positive_definite, None),
    Arg("scale_tril", C.lower_cholesky, None),
)
WISHART_PARAMS = {
    "nu": "concentration", "scale_matrix": "scale_matrix", "rate_matrix": "rate_matrix",
    "chol": "scale_tril",
}  # fmt: skip


def _square(*names: str) -> Any:
    return lambda d: 2 * _rows(*names)(d)


def _wishart_tril(d: Any) -> Any:
    if "scale_matrix" in d.__dict__:
        return graphs.apply(_from_cov, d.scale_matrix)
    return graphs.apply(_from_precision, d.rate_matrix)


SCALES = {
    "scale_tril": _wishart_tril,
    "scale_matrix": lambda d: graphs.apply(_gram, d.scale_tril),
    "rate_matrix": lambda d: graphs.apply(_precision_of, d.scale_tril),
}


def _wide_scale(d: Any) -> Any:
    """A scale for each event, with an axis for each one of it."""
    return jnp.reshape(d.scale, (*jnp.shape(d.scale), *(1,) * len(d.event_shape)))


def _zero_sum_parts(d: Any) -> Any:
    axes = len(d.event_shape)
    scale = jnp.broadcast_to(_wide_scale(d), (*d.batch_shape, *(n - 1 for n in d.event_shape)))
    return d._classes["Normal"](0.0, scale).to_event(axes), [T.ZeroSumTransform(axes)]


def _circulant(d: Any) -> Any:
    return mvmore.Circulant if "covariance_row" in d.__dict__ else mvmore.CirculantSpectrum


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
    Row("MultivariateStudentT", "continuous",
        (Arg("df", C.positive), LOC, Arg("scale_tril", C.lower_cholesky, None)), "MvStudentT",
        {"nu": "df", "mu": "loc", "chol": "scale_tril"}, C.real_vector,
        "A vector of numbers with heavy tails.", _rows("scale_tril"), derived=MATRICES,
        one_of=("scale_tril",), missing=NOTHING),
    Row("LowRankMultivariateNormal", "continuous",
        (Arg("loc", C.real_vector), Arg("cov_factor", C.independent(C.real, 2)),
         Arg("cov_diag", C.independent(C.positive, 1))), "mvmore.LowRank",
        {"mu": "loc", "factor": "cov_factor", "diagonal": "cov_diag"}, C.real_vector,
        "A vector of normal numbers that share a few factors.", _rows("cov_diag"),
        missing=NO_CDF),
    Row("CirculantNormal", "continuous",
        (Arg("loc", C.real_vector),
         Arg("covariance_row", C.positive_definite_circulant_vector, None),
         Arg("covariance_rfft", C.independent(C.positive, 1), None)), _circulant,
        {"mu": "loc", "row": "covariance_row", "spectrum": "covariance_rfft"}, C.real_vector,
        "A vector of normal numbers, correlated the same all around a circle.", _rows("loc"),
        one_of=("covariance_row", "covariance_rfft"), missing=NO_CDF,
        parent="TransformedDistribution"),
    Row("GaussianRandomWalk", "continuous", (Arg("scale", C.positive, 1.0),
         Arg("num_steps", None, 1)), "walks.StepsFromZero",
        {"sigma": "scale", "time": lambda d: np.zeros(int(d.num_steps))}, C.real_vector,
        "A series whose steps are normal, from 0.", lambda d: (int(d.num_steps),),
        missing=NOTHING),
    Row("ZeroSumNormal", "continuous", (Arg("scale", C.positive), Arg("event_shape", None)),
        lambda d: zerosum.zero_sum_of(len(d.event_shape)),
        {"sigma": _wide_scale, "where": lambda d: np.zeros(d.event_shape)},
        lambda d: C.zero_sum(len(d.event_shape)),
        "Normal numbers that sum to zero along their axes.",
        lambda d: tuple(d.__dict__["event_shape"]), parent="TransformedDistribution",
        missing=NOTHING, mapped=_zero_sum_parts),
    Row("CAR", "continuous",
        (LOC_NEEDED, Arg("correlation", C.open_interval(-1, 1)),
         Arg("conditional_precision", C.positive),
         Arg("adj_matrix", C.dependent(is_discrete=False, event_dim=2)),
         Arg("is_sparse", None, False, keyword_only=True)), "CAR",
        {"mu": "loc", "rho": "correlation", "tau": "conditional_precision",
         "adjacency": "adj_matrix"}, C.real_vector,
        "Numbers at the sites of a graph, near the mean of their neighbours.",
        _rows("adj_matrix"), missing=("cdf", "icdf", "entropy", "variance")),
    Row("MatrixNormal", "continuous",
        (Arg("loc", C.real_matrix), Arg("scale_tril_row", C.lower_cholesky),
         Arg("scale_tril_column", C.lower_cholesky)), "MatrixNormal",
        {"mu": "loc", "row": "scale_tril_row", "column": "scale_tril_column"}, C.real_matrix,
        "A normal matrix with correlated rows and columns.",
        lambda d: tuple(jnp.shape(d.loc)[-2:]), missing=("cdf", "icdf", "entropy", "variance")),
    *(
        Row(name, "continuous", WISHART, name, WISHART_PARAMS, C.lower_cholesky,
            summary, _square(*WISHART_SCALES), one_of=WISHART_SCALES, derived=SCALES,
            differentiable=WISHART_SCALES, missing=NOTHING)
        for name, summary in (
            ("WishartCholesky", "The Cholesky factor of a Wishart matrix."),
            ("InverseWishartCholesky", "The Cholesky factor of an inverse Wishart matrix."),
        )
    ),
    Row("ProjectedNormal", "directional", (Arg("concentration", C.real_vector),),
        "ProjectedNormal", {"mu": "concentration"}, C.sphere,
        "A direction: a normal vector, scaled to length 1.", _rows("concentration"),
        missing=("cdf", "icdf", "entropy", "variance")),
    Row("SineBivariateVonMises", "directional",
        (Arg("phi_loc", C.circular), Arg("psi_loc", C.circular),
         Arg("phi_concentration", C.positive), Arg("psi_concentration", C.positive),
         Arg("correlation", C.real, None), Arg("weighted_correlation", None, None)),
        "SineBivariateVonMises",
        {"mu1": "phi_loc", "mu2": "psi_loc", "kappa1": "phi_concentration",
         "kappa2": "psi_concentration", "weight": "correlation"}, C.independent(C.circular, 1),
        "A pair of angles that depend on each other.", lambda d: (2,),
        one_of=("correlation", "weighted_correlation"), differentiable=(),
        missing=("cdf", "icdf", "entropy", "variance")),
    Row("LKJCholesky", "continuous",
        (Arg("dimension", None), Arg("concentration", C.positive, 1.0),
         Arg("sample_method", None, "onion")),
        lambda d: lkj.corr_of(int(d.dimension)), {"eta": "concentration"}, C.corr_cholesky,
        "The Cholesky factor of a correlation matrix.",
        lambda d: (int(d.dimension), int(d.dimension)), missing=NOTHING),
)  # fmt: skip
