"""Every density and its gradient on the native backend against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from tests.dist.helpers import value_of
from tests.dist.test_all import as_tensors, each, params_of

from finetti.backends.native import compile_density
from finetti.backends.reference import evaluate
from finetti.dist import DISTRIBUTIONS, Distribution, bijector_for, make_rv
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.grad import gradient

REAL_PARAMS = {"mu", "logit_p"}


def unconstrained(dist: Distribution, row: int) -> tuple[object, list[object], list[np.ndarray]]:
    """The density of values and real parameters, over the reals, with inputs and a point."""
    params = params_of(dist, row)
    rv = make_rv(dist, params, (7, *make_rv(dist, params).shape))
    tensors = as_tensors(params)
    inputs, point = [], []
    for name in sorted(REAL_PARAMS & set(params)):
        if dist.name != "NegativeBinomial" and dist.name != "Poisson":
            tensors[name] = new_input(name, params[name].shape)
            inputs.append(tensors[name])
            point.append(params[name] + 0.1)
    drawn = value_of(dist.draw(rv.shape, **as_tensors(params)), np.random.default_rng(4))
    if dist.discrete:
        return ops.sum_(dist.logp(drawn, **tensors)), inputs, point
    bijector = bijector_for(dist.support(**tensors))
    if bijector is None:
        u = new_input("u", rv.shape)
        total = ops.sum_(dist.logp(u, **tensors))
        start = drawn
    else:
        u = new_input("u", bijector.unconstrained_shape(rv.shape))
        total = ops.sum_(dist.logp(bijector.backward(u), **tensors)) + ops.sum_(bijector.log_det(u))
        start = value_of(bijector.forward(drawn))
    return total, [*inputs, u], [*point, np.clip(start, -30.0, 30.0)]


@each
def test_native_equals_reference(dist: Distribution, row: int) -> None:
    total, inputs, point = unconstrained(dist, row)
    if not inputs:  # counts of fixed parameters: nothing to differentiate
        u = new_input("u", ())
        total, inputs, point = total + 0.0 * u, [u], [np.asarray(0.5)]
    nodes = [x.node for x in inputs]
    values = dict(zip(nodes, point, strict=True))
    expected, *slopes = evaluate([total.node, *gradient(total.node, nodes)], values)
    x = np.concatenate([p.ravel() for p in point])
    logp, grad = compile_density(total.node, nodes)(x)
    flat = np.concatenate([s.ravel() for s in slopes])
    np.testing.assert_allclose(logp, expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(grad, flat, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "key", ["Normal", "HalfNormal", "Exponential", "Gamma", "LogNormal", "Beta"]
)
def test_native_refuses_invalid_values(key: str) -> None:
    """Outside the support the compiled density is -inf, not NaN and not an error."""
    dist = DISTRIBUTIONS[key]
    u = new_input("u", (3,))
    params = as_tensors(params_of(dist, 0))
    if key == "Normal":
        params["sigma"] = u
        total, point = ops.sum_(dist.logp(np.zeros(3), **params)), np.array([1.0, -1.0, 2.0])
    else:
        total, point = ops.sum_(dist.logp(u, **params)), np.array([0.5, -1.0, 0.25])
    logp, _ = compile_density(total.node, [u.node])(point)
    assert logp == -np.inf
