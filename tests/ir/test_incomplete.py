"""Derivatives of the incomplete functions by their parameters, against mpmath."""

import mpmath as mp
import numpy as np
import pytest

from finetti.backends.native import compile_map
from finetti.backends.reference import evaluate
from finetti.errors import NotYetSupported
from finetti.ir import ops
from finetti.passes.grad import gradient

STEP = mp.mpf(10) ** -15


@pytest.fixture(autouse=True, scope="module")
def _digits():
    before, mp.mp.dps = mp.mp.dps, 50
    yield
    mp.mp.dps = before


def both(result, tensors, arrays):
    """Values on the reference backend and in native code, vectors and scalars."""
    inputs = [t.node for t in tensors]
    (reference,) = evaluate([result], dict(zip(inputs, arrays, strict=True)))
    (native,) = compile_map([result.node], inputs)(np.concatenate(arrays))
    return reference, native


def gamma_points(rng, count):
    a = np.exp(rng.uniform(-6, np.log(2e3), count))
    return a, a * np.exp(rng.normal(size=count) * (2 / np.sqrt(1 + a) + (a < 3)))


@pytest.mark.parametrize("order", [1, 2])
def test_incomplete_gamma(order):
    points = gamma_points(np.random.default_rng(0), 25)
    a, x = (ops.new_input(n, (25,)) for n in "ax")
    result = ops.incomplete.gammainc_d(a, x, order=order)
    expected = [
        float(mp.diff(lambda s, q=q: mp.gammainc(s, 0, mp.mpf(q), regularized=True), mp.mpf(p),
                      order, h=STEP))
        for p, q in zip(*points, strict=True)
    ]  # fmt: skip
    for got in both(result, (a, x), points):
        np.testing.assert_allclose(got, expected, rtol=1e-10)


@pytest.mark.parametrize("orders", [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)])
def test_incomplete_beta(orders):
    rng = np.random.default_rng(1)
    a, b = np.exp(rng.uniform(-4, np.log(300), (2, 12)))
    mean = a / (a + b)
    spread = np.sqrt(mean * (1 - mean) / (a + b + 1))
    x = np.clip(mean + rng.normal(size=12) * spread, 1e-6, 1 - 1e-6)
    tensors = [ops.new_input(n, (12,)) for n in "abx"]
    result = ops.incomplete.betainc_d(*tensors, i=orders[0], j=orders[1])
    expected = [
        float(mp.diff(lambda s, t, r=r: mp.betainc(s, t, 0, mp.mpf(r), regularized=True),
                      (mp.mpf(p), mp.mpf(q)), orders, h=STEP))
        for p, q, r in zip(a, b, x, strict=True)
    ]  # fmt: skip
    for got in both(result, tensors, (a, b, x)):
        np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_quantiles_native():
    special = pytest.importorskip("scipy.special")
    rng = np.random.default_rng(2)
    a, b = np.exp(rng.uniform(-3, 7, (2, 400)))
    p = np.concatenate([rng.uniform(0, 1, 300), 10.0 ** rng.uniform(-12, -1, 100)])
    tensors = [ops.new_input(n, (400,)) for n in "abp"]
    _, gamma = both(ops.gammaincinv(tensors[0], tensors[2]), tensors[::2], (a, p))
    _, beta = both(ops.betaincinv(*tensors), tensors, (a, b, p))
    big = gamma > 1e-290
    np.testing.assert_allclose(special.gammainc(a, gamma)[big], p[big], rtol=2e-11)
    # Where the answer is next to 1, its last bit moves the probability.
    inner = (beta > 1e-290) & (beta < 0.999)
    np.testing.assert_allclose(special.betainc(a, b, beta)[inner], p[inner], rtol=5e-10)


def test_bessel_of_any_order_native():
    special = pytest.importorskip("scipy.special")
    rng = np.random.default_rng(3)
    order = np.concatenate([rng.integers(0, 60, 300), rng.uniform(0, 90, 300)]) * 1.0
    x = np.exp(rng.uniform(-6, 12, 600))
    v, t = ops.new_input("v", (600,)), ops.new_input("x", (600,))
    _, got = both(ops.ive(v, t), (v, t), (order, x))
    np.testing.assert_allclose(got, special.ive(order, x), rtol=2e-11, atol=1e-290)
    _, negative = both(ops.ive(v, t), (v, t), (np.floor(order), -x))
    np.testing.assert_allclose(negative, special.ive(np.floor(order), -x), rtol=2e-11, atol=1e-290)


def test_third_derivatives_by_parameters_are_refused():
    a = ops.new_input("a", ())
    density = ops.gammainc(a, 2.0).node
    for _ in range(2):
        (density,) = gradient(density, [a.node])
    with pytest.raises(NotYetSupported, match="second derivative"):
        gradient(density, [a.node])


def test_the_gradient_by_an_order_is_refused():
    order = ops.new_input("v", ())
    with pytest.raises(NotYetSupported, match="parameters"):
        gradient(ops.ive(order, 2.0).node, [order.node])
