"""The gradient of the gradient of every operation, against finite differences."""

import numpy as np
import pytest
from tests.ir.test_ops import CASES, build

from finetti.backends.reference import evaluate
from finetti.ir import FLOAT, Tensor, ops
from finetti.passes.grad import gradient

SYMMETRIC = {"cholesky", "eigh"}  # of which one triangle is read
# Their own second derivatives are third derivatives of the incomplete functions.
FIRST_ONLY = {"gammainc_d", "betainc_d"}


@pytest.mark.parametrize(
    ("op", "sample"),
    [c for c in CASES if c.values[0].vjp is not None and c.values[0].name not in FIRST_ONLY],
)
def test_second_derivative_against_finite_differences(op, sample):
    result, inputs, values = build(op, sample)
    if result.node.type.dtype != FLOAT or not inputs:
        return
    rng = np.random.default_rng(8)
    # A curved function of the result, so that linear operations are differentiated twice as well.
    weights = rng.normal(size=result.node.shape)
    total = ops.sum_(result * (weights + 0.3 * result))
    directions = {}
    for node in inputs:
        direction = rng.normal(size=node.shape)
        if op.name in SYMMETRIC:
            direction = direction + np.swapaxes(direction, -1, -2)
        directions[node] = direction
    slope = along(gradient(total.node, inputs), inputs, directions)
    curvature = along(gradient(slope.node, inputs), inputs, directions)

    def at(t):
        moved = {**values, **{n: values[n] + t * d for n, d in directions.items()}}
        return float(evaluate([slope], moved)[0])

    h = 1e-4
    numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    analytic = float(evaluate([curvature], values)[0])
    assert abs(numeric - analytic) <= 2e-6 * (1 + abs(analytic) + abs(at(0.0)))


def along(grads, inputs, directions):
    return sum(
        (ops.sum_(Tensor(g) * directions[n]) for g, n in zip(grads, inputs, strict=True)),
        ops.as_tensor(0.0),
    )
