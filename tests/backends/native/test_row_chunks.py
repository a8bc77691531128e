"""Long loops cut into chunks: the same bits on any number of threads, and nothing left hanging."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from finetti._core import row_threads

import finetti as pm
from finetti.backends.native import compile_density, compile_map, row_chunks
from finetti.backends.native.link import host_target
from finetti.backends.reference import evaluate
from finetti.ir import ops
from finetti.passes.grad import gradient

RNG = np.random.default_rng(3)


def logistic(n, k):
    b = ops.new_input("b", (k,))
    eta = ops.matmul(ops.as_tensor(RNG.normal(size=(n, k))), b)
    y = (RNG.random(n) < 0.5).astype(float)
    return ops.sum_(eta * y - ops.softplus(eta)) - 0.5 * ops.sum_(b * b), [b]


def grouped(n, groups, items):
    a, d = ops.new_input("a", (groups,)), ops.new_input("d", (items,))
    eta = a[RNG.integers(0, groups, n)] * RNG.normal(size=n) - d[RNG.integers(0, items, n)]
    return ops.sum_(ops.log1p(ops.exp(eta))) - ops.sum_(a * a) - ops.sum_(d * d), [a, d]


def rows(n):
    z, s = ops.new_input("z", (n,)), ops.new_input("s", ())
    r = (RNG.normal(size=n) - ops.exp(z)) * ops.exp(-s)
    total = ops.sum_(-0.5 * r * r - s) + ops.max_(ops.tanh(z)) + 0.1 * ops.min_(z * z + s)
    total = total + ops.where(ops.all_(z > -9.0), ops.prod(1.0 + 0.001 * z), s)
    return total + ops.sum_(ops.cumsum(ops.tanh(z))[::-1] ** 2) / n, [z, s]


def joined(n):
    z, w = ops.new_input("z", (n,)), ops.new_input("w", (n,))
    both = ops.stack([ops.exp(0.1 * z), w[::-1] * z], axis=1)
    return ops.sum_(ops.tanh(ops.cumsum(both, axis=0) * 0.01) * both), [z, w]


def wide_and_narrow(n):
    w, z = ops.new_input("w", (40,)), ops.new_input("z", (3,))
    eta = ops.matmul(ops.as_tensor(RNG.normal(size=(n, 40))), w[::-1])
    eta = eta + ops.matmul(ops.as_tensor(RNG.normal(size=(n, 3))), z)
    return ops.sum_(ops.tanh(eta)) + 0.1 * ops.max_(eta), [w, z]


MODELS = {
    "narrow": lambda: logistic(1000, 3),
    "narrow, a tail": lambda: logistic(1003, 10),
    "blocked": lambda: logistic(640, 30),
    "blocked, a tail": lambda: logistic(677, 33),
    "grouped": lambda: grouped(3000, 40, 1),
    "crossed": lambda: grouped(5000, 60, 11),
    "rows": lambda: rows(1000),
    "rows, a tail": lambda: rows(1001),
    "joined": lambda: joined(515),
    "wide and narrow": lambda: wide_and_narrow(333),
}


@pytest.fixture
def eager(monkeypatch):
    """Loops are cut however short they are."""
    monkeypatch.setattr(row_chunks, "LEAST_WORK", 500)


def compiled(name):
    total, inputs = MODELS[name]()
    nodes = [x.node for x in inputs]
    function = compile_density(total.node, nodes)
    point = 0.3 * np.random.default_rng(0).normal(size=function.n)
    return total, nodes, function, point


def on_threads(threads, function, point):
    """The bits of (log density, gradient)."""
    from_user = row_threads(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finetti.backends.native.compiled._available", lambda: threads)
        value, grad = function(point)
    assert row_threads(from_user) == 0
    return np.float64(value).tobytes() + grad.tobytes()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", MODELS)
def test_the_bits_do_not_depend_on_the_number_of_threads(name):
    total, nodes, function, point = compiled(name)
    assert function.is_cut
    one = on_threads(1, function, point)
    for threads in (2, 3, 16, 2):
        for _ in range(20):
            assert on_threads(threads, function, point) == one
    values, start = {}, 0
    for node in nodes:
        values[node] = point[start : start + node.type.size].reshape(node.shape)
        start += node.type.size
    lp, *grads = evaluate([total.node, *gradient(total.node, nodes)], values)
    want = np.concatenate([[lp], *(grad.ravel() for grad in grads)])
    scale = np.abs(want).max()
    np.testing.assert_allclose(np.frombuffer(one), want, rtol=1e-10, atol=1e-13 * scale)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", MODELS)
def test_bits_are_the_same_with_and_without_avx512(name, monkeypatch):
    total, nodes, function, point = compiled(name)
    narrow_target = host_target(without=("avx512",))
    monkeypatch.setattr("finetti.backends.native.compiled.host_target", lambda: narrow_target)
    narrow = compile_density(total.node, nodes)
    assert narrow.is_cut
    assert on_threads(2, narrow, point) == on_threads(3, function, point)


@pytest.mark.parametrize("name", MODELS)
def test_sums_outlive_the_function_that_they_were_made_in(name, monkeypatch):
    """A plan whose loops and scalars are functions keeps them in memory."""
    monkeypatch.setattr(row_chunks, "LEAST_WORK", 500)
    monkeypatch.setattr("finetti.backends.native.emit.worthwhile", lambda *_: True)
    monkeypatch.setattr("finetti.backends.native.emit.PART_LINES", 30)
    total, nodes, function, point = compiled(name)
    monkeypatch.undo()
    whole = compile_density(total.node, nodes)
    assert function.is_cut and not whole.is_cut
    (lp, grad), (expected, slope) = function(point), whole(point)
    np.testing.assert_allclose(lp, expected, rtol=1e-12)
    np.testing.assert_allclose(grad, slope, rtol=1e-11, atol=1e-13 * np.abs(slope).max())


@pytest.mark.usefixtures("eager")
def test_maps_are_cut_too():
    z = ops.new_input("z", (1001,))
    outputs = [ops.exp(z), z[::-1] * 2.0, z > 0.1]
    function = compile_map([out.node for out in outputs], [z.node])
    point = np.random.default_rng(0).normal(size=1001)
    assert function.is_cut
    got = function(point)
    np.testing.assert_allclose(got[0], np.exp(point), rtol=1e-15)
    np.testing.assert_array_equal(got[1], 2.0 * point[::-1])
    np.testing.assert_array_equal(got[2], point > 0.1)


def test_what_is_short_or_sums_into_many_groups_stays_whole():
    for total, inputs in (logistic(1000, 10), grouped(50_000, 20_000, 1)):
        function = compile_density(total.node, [x.node for x in inputs])
        assert not function.is_cut
        assert "finetti_parallel_for" not in function.ir
    total, inputs = logistic(5000, 100)
    assert compile_density(total.node, [x.node for x in inputs]).is_cut


@pytest.mark.usefixtures("eager")
def test_many_callers_share_the_pool():
    functions = [compiled(name)[2:] for name in ("blocked", "crossed", "rows")]
    wrong = []

    def call(function, point, block_threads):
        row_threads(block_threads)
        first = None
        for _ in range(200):
            value, grad = function(point)
            bits = np.float64(value).tobytes() + grad.tobytes()
            first = first or bits
            if bits != first:
                wrong.append(function)

    callers = [
        threading.Thread(target=call, args=(*pair, 1 + i)) for i, pair in enumerate(functions * 2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not wrong and not any(caller.is_alive() for caller in callers)


PROGRAM = """
import os, sys
import numpy as np
from finetti._core import row_threads
from finetti.backends.native import compile_density, compiled, row_chunks
from finetti.ir import ops

def threads():
    return len(os.listdir("/proc/self/task"))

row_chunks.LEAST_WORK = 500
z = ops.new_input("z", (5000,))
function = compile_density(ops.sum_(ops.tanh(z) * np.arange(5000.0)).node, [z.node])
assert function.is_cut
point, before = np.linspace(-1, 1, 5000), threads()
compiled._available = lambda: 1
alone = function(point)
assert threads() == before
compiled._available = lambda: 4
for _ in range(100):
    assert function(point)[0] == alone[0]
assert threads() == before + 3
child = os.fork()
for _ in range(100):
    assert function(point)[0] == alone[0]
assert threads() >= 4
if child:
    _, status = os.waitpid(child, 0)
    assert status == 0
print("done")
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Linux tells its threads there")
def test_the_pool_begins_when_needed_survives_a_fork_and_ends_with_the_process():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("done\n")


@pytest.mark.usefixtures("eager")
def test_draws_do_not_depend_on_cores_that_chains_leave():
    x = np.random.default_rng(0).normal(size=(700, 20))
    with pm.Model() as model:
        b = pm.Normal("b", 0.0, 1.0, shape=20)
        pm.Normal("y", x @ b, 1.0, observed=x.sum(1))
    options = dict(draws=20, tune=50, chains=1, random_seed=1, progressbar=False, quiet=True)
    draws = [
        pm.sample(model=model, cores=cores, **options).posterior["b"].values for cores in (1, 2, 8)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[0], draws[2])
