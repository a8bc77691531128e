"""`theano.tensor`'s names against NumPy and SciPy."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import scipy.linalg as sl
import scipy.special as ss

from finetti.dialects import importer
from finetti.errors import NotYetSupported

RNG = np.random.default_rng(1)
V = RNG.uniform(0.2, 0.9, 4)
W = RNG.uniform(0.2, 0.9, 4)
M = RNG.uniform(0.2, 0.9, (3, 4))
S = M @ M.T + np.eye(3)
L = np.linalg.cholesky(S)
T3 = RNG.uniform(0.2, 0.9, (2, 3, 4))
I = np.array([2, 0, 1])  # noqa: E741


@pytest.fixture(scope="module")
def tt():
    with importer.activated():
        yield importlib.import_module("theano.tensor")


def rows(*cases):
    return [pytest.param(*case, id=case[0]) for case in cases]


ELEMENTWISE = {
    "abs_": np.abs, "arccos": np.arccos, "arccosh": (np.arccosh, V + 1), "arcsin": np.arcsin,
    "arcsinh": np.arcsinh, "arctan": np.arctan, "arctanh": np.arctanh, "ceil": np.ceil,
    "cos": np.cos, "cosh": np.cosh, "deg2rad": np.deg2rad, "digamma": ss.psi, "erf": ss.erf,
    "erfc": ss.erfc, "erfcinv": ss.erfcinv, "erfcx": ss.erfcx, "erfinv": ss.erfinv,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "floor": np.floor, "gamma": ss.gamma,
    "gammaln": ss.gammaln, "i0": ss.i0, "i1": ss.i1, "inv": lambda x: 1 / x, "isinf": np.isinf,
    "isnan": np.isnan, "log": np.log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2,
    "log1pexp": lambda x: np.log1p(np.exp(x)), "neg": np.negative, "psi": ss.psi,
    "rad2deg": np.rad2deg, "round": np.round, "sgn": np.sign, "sigmoid": ss.expit, "sin": np.sin,
    "sinh": np.sinh, "softplus": lambda x: np.log1p(np.exp(x)), "sqr": np.square,
    "sqrt": np.sqrt, "tan": np.tan, "tanh": np.tanh, "tri_gamma": lambda x: ss.polygamma(1, x),
    "iround": lambda x: np.round(x).astype(int), "logit": ss.logit,
    "log1mexp": (lambda x: np.log1p(-np.exp(x)), -V), "reciprocal": lambda x: 1 / x,
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(tt, name):
    oracle = ELEMENTWISE[name]
    function, x = oracle if isinstance(oracle, tuple) else (oracle, V)
    np.testing.assert_allclose(getattr(tt, name)(x).eval(), function(x), rtol=1e-10)


BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "true_div": np.divide,
    "int_div": np.floor_divide, "mod": np.mod, "pow": np.power, "maximum": np.maximum,
    "minimum": np.minimum, "le": np.less_equal, "lt": np.less, "ge": np.greater_equal,
    "gt": np.greater, "eq": np.equal, "neq": np.not_equal, "arctan2": np.arctan2,
    "gammainc": ss.gammainc, "gammaincc": ss.gammaincc, "logaddexp": np.logaddexp,
    "betaln": ss.betaln, "chi2sf": lambda x, k: ss.gammaincc(k / 2, x / 2), "outer": np.outer,
    "dot": np.dot, "isclose": np.isclose, "allclose": np.allclose,
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
def test_binary(tt, name):
    result = getattr(tt, name)(V, W).eval()
    np.testing.assert_allclose(result, BINARY[name](V, W), rtol=1e-10)


REDUCTIONS = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "var": np.var, "std": np.std, "max": np.max,
    "min": np.min, "argmax": np.argmax, "argmin": np.argmin, "logsumexp": ss.logsumexp,
    "cumsum": np.cumsum, "cumprod": np.cumprod, "ptp": np.ptp, "sort": np.sort,
    "argsort": np.argsort,
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_reductions(tt, name, axis):
    result = getattr(tt, name)(M, axis=axis).eval()
    np.testing.assert_allclose(result, REDUCTIONS[name](M, axis=axis), rtol=1e-12)


CASES = rows(
    ("all", lambda t: t.all(M > 0.3, axis=0), (M > 0.3).all(0)),
    ("any", lambda t: t.any(M > 0.8), (M > 0.8).any()),
    ("sum keepdims", lambda t: t.sum(M, 1, keepdims=True), M.sum(1, keepdims=True)),
    ("sum dtype", lambda t: t.sum(M > 0.5, dtype="float64"), (M > 0.5).sum() * 1.0),
    ("and_", lambda t: t.and_(t.gt(V, 0.3), t.lt(V, 0.8)), (V > 0.3) & (V < 0.8)),
    ("or_", lambda t: t.or_(t.lt(V, 0.3), t.gt(V, 0.8)), (V < 0.3) | (V > 0.8)),
    ("switch", lambda t: t.switch(t.gt(V, 0.5), V, -W), np.where(V > 0.5, V, -W)),
    ("clip", lambda t: t.clip(V, 0.4, 0.6), V.clip(0.4, 0.6)),
    ("zeros", lambda t: t.zeros((2, 3)), np.zeros((2, 3))),
    ("zeros int", lambda t: t.zeros(3, dtype="int32"), np.zeros(3, int)),
    ("ones_like", lambda t: t.ones_like(M), np.ones_like(M)),
    ("zeros_like int", lambda t: t.zeros_like(I), np.zeros_like(I)),
    ("full", lambda t: t.full((2, 2), 7.0), np.full((2, 2), 7.0)),
    ("fill", lambda t: t.fill(M, 3.0), np.full_like(M, 3.0)),
    ("eye", lambda t: t.eye(3), np.eye(3)),
    ("eye off", lambda t: t.eye(3, 4, 1), np.eye(3, 4, 1)),
    ("alloc", lambda t: t.alloc(V, 3, 4), np.broadcast_to(V, (3, 4))),
    ("alloc tensor", lambda t: t.alloc(0.0, t.as_tensor_variable(M).shape[0]), np.zeros(3)),
    ("arange", lambda t: t.arange(5), np.arange(5)),
    ("arange steps", lambda t: t.arange(1, 9, 3), np.arange(1, 9, 3)),
    ("arange floats", lambda t: t.arange(0, 1, 0.25), np.arange(0, 1, 0.25)),
    ("constant", lambda t: t.constant(V), V),
    ("cast", lambda t: t.cast(V * 9, "int32"), (V * 9).astype(int)),
    ("as_tensor ndim", lambda t: t.as_tensor_variable(V, ndim=2), V[None]),
    ("stack", lambda t: t.stack([V, W]), np.stack([V, W])),
    ("stack axis", lambda t: t.stack([V, W], axis=1), np.stack([V, W], 1)),
    ("stack old", lambda t: t.stack(V, W), np.stack([V, W])),
    ("concatenate", lambda t: t.concatenate([V, W]), np.concatenate([V, W])),
    ("join", lambda t: t.join(1, M, M), np.concatenate([M, M], 1)),
    ("vertical_stack", lambda t: t.vertical_stack(M, M), np.vstack([M, M])),
    ("horizontal_stack", lambda t: t.horizontal_stack(M, M), np.hstack([M, M])),
    ("split", lambda t: t.split(V, [1, 3], 2)[1], V[1:]),
    ("tile", lambda t: t.tile(V, (2, 1)), np.tile(V, (2, 1))),
    ("repeat", lambda t: t.repeat(V, 2), V.repeat(2)),
    ("repeat each", lambda t: t.repeat(I, I), I.repeat(I)),
    ("flatten", lambda t: t.flatten(M), M.ravel()),
    ("flatten 2", lambda t: t.flatten(T3, 2), T3.reshape(2, -1)),
    ("reshape", lambda t: t.reshape(M, (4, 3)), M.reshape(4, 3)),
    ("padleft", lambda t: t.shape_padleft(V), V[None]),
    ("padright", lambda t: t.shape_padright(V, 2), V[:, None, None]),
    ("dimshuffle", lambda t: t.as_tensor_variable(M).dimshuffle(1, "x", 0), M.T[:, None]),
    ("dimshuffle drop", lambda t: t.as_tensor_variable(V[None]).dimshuffle(1), V),
    ("transpose", lambda t: t.transpose(M), M.T),
    ("swapaxes", lambda t: t.swapaxes(T3, 0, 2), T3.swapaxes(0, 2)),
    ("diag", lambda t: t.diag(V), np.diag(V)),
    ("diag of matrix", lambda t: t.diag(S), np.diag(S)),
    ("tril", lambda t: t.tril(S), np.tril(S)),
    ("tensordot", lambda t: t.tensordot(T3, M, axes=[[1, 2], [0, 1]]),
     np.tensordot(T3, M, [[1, 2], [0, 1]])),
    ("batched_dot", lambda t: t.batched_dot(T3, T3.swapaxes(1, 2)), T3 @ T3.swapaxes(1, 2)),
    ("batched_dot vectors", lambda t: t.batched_dot(M, M), (M * M).sum(1)),
    ("set_subtensor", lambda t: t.set_subtensor(t.zeros(4)[1:3], 5.0), [0, 5, 5, 0]),
    ("inc_subtensor", lambda t: t.inc_subtensor(t.ones(4)[[0, 0]], 2.0), [5, 1, 1, 1]),
    ("diff", lambda t: t.diff(M, 2, axis=1), np.diff(M, 2, axis=1)),
    ("to_one_hot", lambda t: t.extra_ops.to_one_hot(I, 4), np.eye(4)[I]),
    ("searchsorted", lambda t: t.searchsorted(np.sort(V), W), np.searchsorted(np.sort(V), W)),
    ("bincount", lambda t: t.extra_ops.bincount(I, minlength=4), np.bincount(I, minlength=4)),
    ("fill_diagonal", lambda t: t.fill_diagonal(S, 0.0), S - np.diag(np.diag(S))),
    ("max_and_argmax", lambda t: t.max_and_argmax(V)[1], V.argmax()),
    ("softmax", lambda t: t.nnet.softmax(M), ss.softmax(M, 1)),
    ("softmax vector", lambda t: t.nnet.softmax(V), ss.softmax(V)[None]),
    ("softmax pytensor", lambda t: t.special.softmax(M, axis=0), ss.softmax(M, 0)),
    ("nnet.sigmoid", lambda t: t.nnet.sigmoid(V), ss.expit(V)),
    ("relu", lambda t: t.nnet.relu(V - 0.5), np.maximum(V - 0.5, 0)),
    ("crossentropy", lambda t: t.nnet.binary_crossentropy(V, 1.0), -np.log(V)),
    ("matrix_inverse", lambda t: t.nlinalg.matrix_inverse(S), np.linalg.inv(S)),
    ("det", lambda t: t.nlinalg.det(S), np.linalg.det(S)),
    ("trace", lambda t: t.nlinalg.trace(S), np.trace(S)),
    ("eigh", lambda t: t.nlinalg.eigh(S)[0], np.linalg.eigh(S)[0]),
    ("matrix_dot", lambda t: t.nlinalg.matrix_dot(S, M, V), S @ M @ V),
    ("alloc_diag", lambda t: t.nlinalg.alloc_diag(V), np.diag(V)),
    ("cholesky", lambda t: t.slinalg.cholesky(S), L),
    ("Cholesky", lambda t: t.slinalg.Cholesky(lower=False)(S), L.T),
    ("solve", lambda t: t.slinalg.solve(S, V[:3]), np.linalg.solve(S, V[:3])),
    ("solve pos", lambda t: t.slinalg.solve(np.triu(S), V[:3], assume_a="pos"),
     np.linalg.solve(S, V[:3])),
    ("solve lower", lambda t: t.slinalg.solve_lower_triangular(L, V[:3]),
     sl.solve_triangular(L, V[:3], lower=True)),
    ("solve upper", lambda t: t.linalg.solve_triangular(L.T, V[:3]),
     sl.solve_triangular(L.T, V[:3])),
    ("kron", lambda t: t.slinalg.kron(S, S), np.kron(S, S)),
    ("expm", lambda t: t.slinalg.expm(S), sl.expm(S)),
)  # fmt: skip


@pytest.mark.parametrize(("name", "make", "want"), CASES)
def test_functions(tt, name, make, want):
    result = make(tt).eval()
    assert np.shape(result) == np.shape(want)
    np.testing.assert_allclose(result, want, rtol=1e-9)


@pytest.mark.parametrize(
    "name",
    """nonzero nlinalg.svd nlinalg.pinv nnet.conv2d sparse jv random OpFromGraph""".split(),
)
def test_what_is_refused_says_so(tt, name):
    with pytest.raises(NotYetSupported, match=name.rpartition(".")[2]):
        owner = tt
        for part in name.split("."):
            owner = getattr(owner, part)


def test_a_misspelt_name_gets_the_nearest(tt):
    with pytest.raises(AttributeError, match="theano.tensor has no 'swich'.*switch"):
        _ = tt.swich


def test_models_in_theanos_words_are_models(tt):
    import finetti as pm

    x = np.linspace(-1, 1, 20)
    with pm.Model() as model:
        a, b = pm.Normal("a"), pm.Normal("b", shape=2)
        mu = tt.dot(tt.stack([x, x**2], axis=1), b) + a
        pm.Normal("y", tt.switch(tt.gt(mu, 0), mu, tt.exp(mu) - 1), 1.0, observed=x)
    with pm.Model() as plain:
        a, b = pm.Normal("a"), pm.Normal("b", shape=2)
        mu = np.stack([x, x**2], 1) @ b + a
        pm.Normal("y", pm.math.where(mu > 0, mu, np.exp(mu) - 1), 1.0, observed=x)
    point = {"a": 0.3, "b": np.array([0.5, -0.2])}
    assert model.compile_logp()(point) == pytest.approx(plain.compile_logp()(point))
