"""Counts in several categories: the multinomial and the Dirichlet-multinomial distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import dirichlet, support
from finetti.dist.base import Distribution, Param
from finetti.dist.respell import respelled
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def logp(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    terms = ops.xlogy(value, p) - ops.gammaln(value + 1.0)
    return ops.gammaln(n + 1.0) + ops.sum_(terms, -1)


def draw(shape: Any, n: Tensor, p: Tensor) -> Tensor:
    return ops.random.multinomial(n, p, shape=shape)


def _wide(n: Tensor) -> Tensor:
    return ops.expand_dims(n, -1)


def center(n: Tensor, p: Tensor) -> Tensor:
    """PyMC's: rounded means, and what is missing in the largest category.

    Where that would be negative (PyMC refuses it) means are rounded down instead.
    """
    mean = _wide(n) * p
    largest = ops.expand_dims(ops.argmax(mean, -1), -1)
    at_largest = ops.equal(ops.arange(mean.shape[-1]), largest)

    def completed(counts: Tensor) -> Tensor:
        rest = _wide(n) - ops.sum_(counts, -1, keepdims=True)
        return ops.where(at_largest, counts + rest, counts)

    near = completed(ops.round_(mean))
    valid = ops.expand_dims(ops.all_(near >= 0.0, -1), -1)
    return ops.where(valid, near, completed(ops.floor(mean)))


def var(n: Tensor, p: Tensor) -> Tensor:
    return _wide(n) * p * (1.0 - p)


def _counts_of(n: Any, length: int) -> support.Support:
    def test(value: Any) -> Any:
        total = value.sum(-1)
        # The total is not known (NaN) when it is random.
        known = (total == n) | np.isnan(n) if isinstance(n, np.ndarray) else total == n
        return (value >= 0).all(-1) & known

    words = f"vectors of {length} whole numbers >= 0 that sum to n"
    return support.Support("count_vector", words, test, event_ndim=1, discrete=True)


def event_shape(n: Shape, **shares: Shape) -> Shape:
    ((name, shape),) = shares.items()
    if not shape:
        raise ShapeError(
            f"{name} has shape (): expected its last axis to run over the categories, e.g. "
            f"{name}=[0.2, 0.3, 0.5]."
        )
    return shape[-1:]


def compound_logp(value: Tensor, n: Tensor, a: Tensor) -> Tensor:
    total = ops.sum_(a, -1)
    norm = ops.gammaln(n + 1.0) + ops.gammaln(total) - ops.gammaln(n + total)
    terms = ops.gammaln(value + a) - ops.gammaln(value + 1.0) - ops.gammaln(a)
    return norm + ops.sum_(terms, -1)


def compound_draw(shape: Any, n: Tensor, a: Tensor) -> Tensor:
    return draw(shape, n, dirichlet.draw(shape, a))


def _shares(a: Tensor) -> Tensor:
    return a / ops.sum_(a, -1, keepdims=True)


def compound_var(n: Tensor, a: Tensor) -> Tensor:
    total = ops.sum_(a, -1, keepdims=True)
    return var(n, _shares(a)) * (_wide(n) + total) / (1.0 + total)


_columns: dict[str, Any] = dict(
    discrete=True,
    event_ndim=1,
    event_shape=event_shape,
    tol=1e-10,
    notes={"cdf": "PyMC has none either", "quantile": "not defined for vectors"},
)

Multinomial = Distribution(
    "Multinomial",
    params={"n": Param(support.counts), "p": Param(support.probabilities, ndim=1)},
    support=lambda n, p: _counts_of(n, p.shape[-1]),
    density=logp,
    draw=draw,
    center=center,
    mean=lambda n, p: _wide(n) * p,
    var=var,
    scipy="stats.multinomial(n, p)",
    samples=({"n": 10, "p": [0.2, 0.3, 0.5]}, {"n": 3, "p": [0.25, 0.25, 0.25, 0.25]}),
    **_columns,
)


def _logits_logp(value: Tensor, n: Tensor, logit_p: Tensor) -> Tensor:
    terms = value * logit_p - ops.gammaln(value + 1.0)
    return ops.gammaln(n + 1.0) + ops.sum_(terms, -1) - n * ops.logsumexp(logit_p, -1)


ByLogits = respelled(
    Multinomial,
    "Multinomial(logit_p)",
    {"n": Param(support.counts), "logit_p": Param(support.real, ndim=1)},
    lambda n, logit_p: {"n": n, "p": ops.softmax(logit_p)},
    density=_logits_logp,
    scipy="stats.multinomial(n, special.softmax(logit_p))",
    samples=({"n": 10, "logit_p": [0.2, -1.0, 1.5]},),
)

DirichletMultinomial = Distribution(
    "DirichletMultinomial",
    params={"n": Param(support.counts), "a": Param(support.positive, ndim=1)},
    support=lambda n, a: _counts_of(n, a.shape[-1]),
    density=compound_logp,
    draw=compound_draw,
    center=lambda n, a: center(n, _shares(a)),
    mean=lambda n, a: _wide(n) * _shares(a),
    var=compound_var,
    scipy="stats.dirichlet_multinomial(a, n)",
    samples=({"n": 10, "a": [0.2, 3.0, 0.5]}, {"n": 3, "a": [25.0, 2.0]}),
    **_columns,
)
