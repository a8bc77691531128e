"""Short axes taken apart: one loop over the rows, whatever the words."""

import numpy as np
import pytest
from tests.backends.test_random_graphs import compare_density

from finetti.backends.native import compile_density
from finetti.backends.native.plan import describe
from finetti.ir import ops

N = 300
rng = np.random.default_rng(17)
Y = 2.0 * rng.integers(0, 3, N) + rng.normal(size=N)
X = rng.normal(size=(N, 4))
GROUP = rng.integers(0, 7, N)
KIND = rng.integers(0, 3, N)


def terms(mean, log_scale):
    z = (Y[:, None] - mean) * ops.exp(-log_scale)
    return -0.5 * z * z - log_scale


def mixture(k):
    odds, mean, log_scale = (ops.new_input(name, (k,)) for name in ("odds", "mean", "scale"))
    total = ops.sum_(ops.logsumexp(ops.log_softmax(odds) + terms(mean, log_scale), -1))
    return total, [odds, mean, log_scale]


def of_list(k):
    """Parts one by one, put side by side."""
    mean, s = ops.new_input("mean", (k,)), ops.new_input("s", ())
    parts = [-ops.absolute(Y - mean[i]) * ops.exp(s) for i in range(k)]
    return ops.sum_(ops.logsumexp(ops.stack(parts, -1), -1)), [mean, s]


def first_axis(k):
    mean, s = ops.new_input("mean", (k,)), ops.new_input("s", ())
    parts = [-ops.absolute(Y - mean[i]) * ops.exp(s) for i in range(k)]
    return ops.sum_(ops.logsumexp(ops.stack(parts, 0), 0)), [mean, s]


def softmax_regression(k):
    b = ops.new_input("b", (4, k))
    logits = ops.matmul(ops.as_tensor(X), b)
    picked = ops.getitem(logits, (np.arange(N), KIND % k))
    return ops.sum_(picked - ops.logsumexp(logits, -1)), [b]


def effects(k):
    """A matrix of parameters, read by group; its gradient is put together again."""
    b, s = ops.new_input("b", (7, k)), ops.new_input("s", (k,))
    shares = ops.softmax(b[GROUP] + ops.as_tensor(X[:, :1]) * s, -1)
    return ops.sum_(ops.log(ops.sum_(shares * np.arange(1.0, k + 1), -1))), [b, s]


def rows_of_parameters(k):
    z, s = ops.new_input("z", (N, k)), ops.new_input("s", (k,))
    total = ops.sum_(ops.tanh(ops.sum_(z * ops.exp(s), -1)) * Y) - ops.sum_(z * z)
    return total, [z, s]


def extremes(k):
    mean = ops.new_input("mean", (k,))
    z = ops.sin(Y[:, None] * mean)
    return ops.sum_(ops.max_(z, -1) * Y) - ops.sum_(ops.min_(z, -1)), [mean]


def products(k):
    mean = ops.new_input("mean", (k,))
    z = ops.cos(Y[:, None] * mean)
    return ops.sum_(ops.exp(ops.prod(z, -1))), [mean]


def three_axes(k):
    z = ops.new_input("z", (5, 8, k))
    total = ops.sum_(ops.exp(-ops.sum_(ops.sin(z), -1)) * np.arange(8.0))
    return total + ops.sum_(ops.cos(ops.sum_(ops.tanh(z), (0, 1)))), [z]


def sum_within_sum(k):
    """Two short axes, one after the other."""
    z, s = ops.new_input("z", (20, k, 3)), ops.new_input("s", (3,))
    inner = ops.logsumexp(z * s, -1)
    return ops.sum_(ops.logsumexp(ops.transpose(inner), 0)), [z, s]


MODELS = [mixture, of_list, first_axis, softmax_regression, effects, rows_of_parameters, extremes,
          products, three_axes, sum_within_sum]  # fmt: skip


@pytest.mark.parametrize("k", [2, 3, 7, 13])
@pytest.mark.parametrize("model", MODELS)
def test_values_and_gradients(model, k):
    total, inputs = model(k)
    size = sum(tensor.node.type.size for tensor in inputs)
    compare_density(total, inputs, 0.4 * np.random.default_rng(k).normal(size=size))


@pytest.mark.parametrize("model", [mixture, of_list, first_axis, softmax_regression])
@pytest.mark.parametrize("k", [2, 3, 12])
def test_rows_are_walked_once(model, k):
    total, inputs = model(k)
    text = describe(compile_density(total.node, [x.node for x in inputs]).plan)
    assert text.count(f"loop over {N}:") == 1
    assert f"loop over {N * k}:" not in text


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("value", [-np.inf, np.inf, np.nan])
@pytest.mark.parametrize("everywhere", [False, True])
def test_infinite_terms(k, value, everywhere):
    """One part, or all parts, of a row without a finite term."""
    level = ops.new_input("level", (k,))
    fixed = np.zeros((N, k))
    fixed[5, slice(None) if everywhere else 0] = value
    total = ops.sum_(ops.logsumexp(level + fixed, -1))
    lp, _ = compile_density(total.node, [level.node])(np.full(k, 0.3))
    with np.errstate(all="ignore"):
        expected = np.logaddexp.reduce(0.3 + fixed, axis=1).sum()
    np.testing.assert_allclose(lp, expected, rtol=1e-14)


def test_a_pair_takes_one_exponential_and_no_logarithm():
    total, inputs = mixture(2)
    plan = compile_density(total.node, [x.node for x in inputs]).plan
    heavy = [node.op.name for node, _ in plan.computed if node.type.size == N]
    assert heavy.count("exp") == 1
    assert not {"log", "log_few", "log1p", "log1p_unit"} & set(heavy)


SHIFTS = {
    "some peaks": lambda peak, v: ops.where(v[:, :1] > 0.0, peak, 0.0),
    "all or none": lambda peak, v: ops.where(ops.sum_(v) > 1e9, peak, 0.0),
    "the least": lambda peak, v: ops.where(v[:, :1] > 0.0, peak, ops.min_(v, -1, keepdims=True)),
    "finite": lambda peak, v: ops.where(ops.isfinite(peak), peak, 1.0),
}


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("shift", SHIFTS)
def test_what_is_taken_off_need_not_be_the_peak(shift, k):
    """Exponentials of which none is 1, and sums of them of any size."""
    v = ops.new_input("v", (N, k))
    off = ops.stop_gradient(SHIFTS[shift](ops.max_(v, -1, keepdims=True), v))
    total = ops.sum_(ops.log(ops.sum_(ops.exp(v - off), -1)))
    compare_density(total, [v], 60.0 * np.random.default_rng(k).normal(size=N * k))
