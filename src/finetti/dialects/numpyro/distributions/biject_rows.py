"""The rows of `biject_to`, as NumPyro chooses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from finetti.dialects.numpyro.distributions import constraints as C
from finetti.dialects.numpyro.distributions import transforms as T
from finetti.dialects.numpyro.distributions.biject import biject_to


def _always(kind: type, *more: Any) -> Callable[[Any], Any]:
    return lambda constraint: kind(*more)


def _compose(*parts: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda constraint: T.ComposeTransform([part() for part in parts])


def _interval(c: Any) -> Any:
    width = c.upper_bound - c.lower_bound
    scaled = T.AffineTransform(c.lower_bound, width, domain=C.unit_interval)
    return T.ComposeTransform([T.SigmoidTransform(), scaled])


def _one_sided(c: Any, bound: Any, sign: int) -> Any:
    moved = T.AffineTransform(bound, sign, domain=C.positive)
    return T.ComposeTransform([T.ExpTransform(), moved])


def _independent(c: Any) -> Any:
    return T.IndependentTransform(biject_to(c.base_constraint), c.reinterpreted_batch_ndims)


ROWS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (C.real, _always(T.IdentityTransform)),
    (C.positive, _always(T.ExpTransform)),
    (C.nonnegative, _always(T.ExpTransform)),
    (C.softplus_positive, _always(T.SoftplusTransform)),
    (C.greater_than, lambda c: _one_sided(c, c.lower_bound, 1)),
    (C.greater_than_eq, lambda c: _one_sided(c, c.lower_bound, 1)),
    (C.less_than, lambda c: _one_sided(c, c.upper_bound, -1)),
    (C.less_than_eq, lambda c: _one_sided(c, c.upper_bound, -1)),
    (C.unit_interval, _always(T.SigmoidTransform)),
    (C.interval, _interval),
    (C.open_interval, _interval),
    (C.circular, _interval),
    (C.independent, _independent),
    (C.real_vector, _independent),
    (C.real_matrix, _independent),
    (C.simplex, _always(T.StickBreakingTransform)),
    (C.ordered_vector, _always(T.OrderedTransform)),
    (C.positive_ordered_vector, _compose(T.OrderedTransform, T.ExpTransform)),
    (C.l1_ball, _always(T.L1BallTransform)),
    (C.zero_sum, lambda c: T.ZeroSumTransform(c.event_dim)),
    (C.complex, _always(T.ComplexTransform)),
    (C.lower_cholesky, _always(T.LowerCholeskyTransform)),
    (C.scaled_unit_lower_cholesky, _always(T.ScaledUnitLowerCholeskyTransform)),
    (C.softplus_lower_cholesky, _always(T.SoftplusLowerCholeskyTransform)),
    (C.corr_cholesky, _always(T.CorrCholeskyTransform)),
    (C.corr_matrix,
     _compose(T.CorrCholeskyTransform, lambda: T.CorrMatrixCholeskyTransform().inv)),
    (C.positive_definite,
     _compose(T.LowerCholeskyTransform, lambda: T.CholeskyTransform().inv)),
    (C.positive_semidefinite,
     _compose(T.LowerCholeskyTransform, lambda: T.CholeskyTransform().inv)),
    (C.cat, lambda c: T.CatTransform([biject_to(x) for x in c.cseq], c.dim, c.lengths)),
)  # fmt: skip

for _constraint, _factory in ROWS:
    biject_to.register(_constraint, _factory)
