"""Distributions made of others, and vectors: native code, draws, and how they are spelled.

The statistical tests have fixed seeds and pass with probability above 1 - 1e-6.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.stats
from tests.dist.helpers import decode, value_of
from tests.dist.test_reference import CASES, density, make

import finetti as faces
import finetti as pm
from finetti.backends.native import compile_density
from finetti.backends.reference import evaluate
from finetti.dist import bijector_for, rv_params
from finetti.dist.base import known
from finetti.dist.bijectors import ordered
from finetti.errors import FinettiError, NotYetSupported, ParameterError, ShapeError
from finetti.ir import FLOAT, ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.grad import gradient

SEED, ALARM, MANY = 20260301, 1e-6, 20000
COMPOSED = [key for key, case in CASES.items() if make(case).node.attrs[0].made_by]
N01 = faces.Normal.dist(0.5, 2.0)


def draws(rv: Any, count: int = MANY) -> np.ndarray:
    return pm.draw(rv, draws=count, random_seed=SEED)


@pytest.mark.parametrize("key", [k for k in COMPOSED if make(CASES[k]).node.type.dtype == FLOAT])
def test_native_equals_reference(key: str) -> None:
    _, _, u, total = density(make(CASES[key]))
    (compiled,) = (compile_density(total.node, [u.node]),)
    for point in CASES[key]["free"]["points"]:
        values = {u.node: np.asarray(decode(point), float)}
        expected, slope = evaluate([total.node, *gradient(total.node, [u.node])], values)
        logp, grad = compiled(values[u.node].ravel())
        np.testing.assert_allclose(logp, expected, rtol=1e-11)
        np.testing.assert_allclose(grad, slope.ravel(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("key", COMPOSED)
def test_records_are_made_again(key: str) -> None:
    rv = make(CASES[key])
    record, params = rv_params(rv)
    assert pickle.loads(pickle.dumps(record)) is record
    some = draws(rv, 5)
    assert some.shape == (5, *rv.shape)
    support = record.support(**{name: known(x) for name, x in params.items()})
    assert support.check(some).all()
    logp = value_of(record.logp(some, **params))
    assert np.isfinite(logp).all() and logp.shape == (5, *rv.shape[: rv.ndim - record.event_ndim])
    start = value_of(record.start(rv.shape, **params))
    assert support.check(start).all()


@pytest.mark.parametrize("key", [k for k in COMPOSED if k[:3] in ("LKJ", "Zer")])
def test_bijectors_go_both_ways(key: str) -> None:
    rv = make(CASES[key])
    record, params = rv_params(rv)
    bijector = bijector_for(record.support(**params))
    assert bijector is not None
    u = np.random.default_rng(SEED).normal(size=bijector.unconstrained_shape(rv.shape))
    again = value_of(bijector.forward(bijector.backward(ops.as_tensor(u))))
    np.testing.assert_allclose(again, u, rtol=1e-10, atol=1e-12)


# -- draws ---------------------------------------------------------------------------------------


def ks(values: np.ndarray, expected: Any) -> None:
    assert scipy.stats.kstest(values, expected.cdf).pvalue > ALARM


@pytest.mark.parametrize("n", [2, 4])
def test_correlations(n: int) -> None:
    chol = draws(faces.LKJCorr.dist(n, 1.7))
    corr = chol @ np.swapaxes(chol, -1, -2)
    np.testing.assert_allclose(np.diagonal(corr, axis1=-2, axis2=-1), 1.0)
    marginal = scipy.stats.beta(1.7 - 1 + n / 2, 1.7 - 1 + n / 2, loc=-1, scale=2)
    for i, j in zip(*np.tril_indices(n, -1), strict=True):
        ks(corr[:, i, j], marginal)


def test_covariances() -> None:
    scale = faces.HalfNormal.dist([0.5, 1.0, 2.0])
    chol, corr, stds = draws(faces.LKJCholeskyCov.dist(2.0, 3, scale))
    np.testing.assert_allclose((chol**2).sum(-1), stds**2)
    for k, sigma in enumerate((0.5, 1.0, 2.0)):
        ks(stds[:, k], scipy.stats.halfnorm(scale=sigma))
    ks(corr[:, 2, 0], scipy.stats.beta(2.5, 2.5, loc=-1, scale=2))


def test_series() -> None:
    walk = draws(faces.GaussianRandomWalk.dist([0.1, 2.0], 0.7, init_dist=N01, shape=(2, 4)), 5000)
    for k, mu in enumerate((0.1, 2.0)):
        ks(walk[:, k, 0], scipy.stats.norm(0.5, 2.0))
        ks(np.diff(walk[:, k]).ravel(), scipy.stats.norm(mu, 0.7))
    x = draws(faces.AR.dist([1.0, 0.5, -0.3], 0.7, init_dist=N01, steps=5, constant=True), 5000)
    rest = x[:, 2:] - 1.0 - 0.5 * x[:, 1:-1] + 0.3 * x[:, :-2]
    ks(rest.ravel(), scipy.stats.norm(0.0, 0.7))
    ks(x[:, :2].ravel(), scipy.stats.norm(0.5, 2.0))


def test_zero_sums() -> None:
    x = draws(faces.ZeroSumNormal.dist(1.5, shape=(3, 4), n_zerosum_axes=2))
    np.testing.assert_allclose(x.sum(-1), 0.0, atol=1e-12)
    np.testing.assert_allclose(x.sum(-2), 0.0, atol=1e-12)
    ks(x[:, 1, 2], scipy.stats.norm(0.0, 1.5 * np.sqrt(2 / 3 * 3 / 4)))


def test_mixtures() -> None:
    parts = [scipy.stats.norm(0, 1), scipy.stats.expon(scale=0.5)]
    rv = faces.Mixture.dist([0.3, 0.7], [faces.Normal.dist(0, 1), faces.Exponential.dist(2.0)])
    x = draws(rv)
    total = lambda v: 0.3 * parts[0].cdf(v) + 0.7 * parts[1].cdf(v)  # noqa: E731
    assert scipy.stats.kstest(x, total).pvalue > ALARM
    vectors = faces.Mixture.dist([0.2, 0.8], faces.MvNormal.dist([[-9.0, 0], [9.0, 1]], np.eye(2)))
    y = draws(vectors)
    assert abs((y[:, 0] > 0).mean() - 0.8) < 5 * np.sqrt(0.16 / MANY)
    ks(y[y[:, 0] > 0, 1], scipy.stats.norm(1, 1))


def test_counts_in_categories() -> None:
    p, a = np.array([0.2, 0.3, 0.5]), np.array([0.5, 2.0, 3.0])
    for rv, twin in (
        (faces.Multinomial.dist(12, p), scipy.stats.multinomial(12, p)),
        (faces.DirichletMultinomial.dist(12, a), scipy.stats.dirichlet_multinomial(a, 12)),
    ):
        x = draws(rv)
        assert (x.sum(-1) == 12).all()
        cov = twin.cov()
        bound = 6.0 * np.sqrt(np.diag(cov) / MANY)
        assert (abs(x.mean(0) - twin.mean()) < bound).all()
        np.testing.assert_allclose(np.cov(x.T), cov, atol=0.1 * cov.max())


def test_multivariate_student() -> None:
    chol = np.array([[1.4, 0.0], [0.4, 0.9]])
    x = draws(faces.MvStudentT.dist(5.0, mu=[1.0, 2.0], chol=chol))
    z = np.linalg.solve(chol, (x - [1.0, 2.0]).T)
    ks((z**2).sum(0) / 2.0, scipy.stats.f(2, 5.0))


def test_a_flat_distribution_has_no_draws() -> None:
    with pytest.raises(NotYetSupported, match="no draws"):
        pm.draw(faces.Flat.dist())


# -- spelling ------------------------------------------------------------------------------------


def test_names_in_a_model() -> None:
    with pm.Model(coords={"day": range(5)}) as model:
        chol, corr, stds = pm.LKJCholeskyCov("c", eta=2, n=3, sd_dist=pm.Exponential.dist(1.0))
        packed = pm.LKJCholeskyCov("d", 2, 3, pm.Exponential.dist(1.0), compute_corr=False)
        pm.GaussianRandomWalk("walk", sigma=0.1, init_dist=pm.Normal.dist(), dims="day")
        pm.AR("ar", 0.5, 1.0, init_dist=pm.Normal.dist(), observed=np.zeros(7))
        pm.ZeroSumNormal("z", 1.0, dims="day")
        pm.OrderedLogistic("o", 0.0, [-1.0, 1.0], observed=[0, 2])
        pm.Mixture("m", [0.5, 0.5], [pm.HalfNormal.dist(), pm.Exponential.dist()], shape=2)
    assert [value.name for value in model.value_vars] == [
        "c_cholesky-cov-packed__", "d_cholesky-cov-packed__", "walk", "z_zerosum__", "m_log__",
    ]  # fmt: skip
    assert [x.name for x in model.deterministics] == ["c_corr", "c_stds", "o_probs"]
    assert (chol.shape, corr.shape, stds.shape, packed.shape) == ((3, 3), (3, 3), (3,), (6,))
    assert model["walk"].shape == (5,) and model["ar"].shape == (7,)
    assert model.initial_point()["z_zerosum__"].shape == (4,)
    assert np.isfinite(model.compile_logp()(model.initial_point()))


def test_series_follow_their_data() -> None:
    with pm.Model() as model:
        y = pm.Data("y", np.zeros(4))
        pm.GaussianRandomWalk("walk", init_dist=pm.Normal.dist(), shape=y.shape[0])
        pm.AR("ar", 0.5, 1.0, init_dist=pm.Normal.dist(), observed=y)
    assert model.initial_point()["walk"].shape == (4,)
    with model:
        pm.set_data({"y": np.zeros(9)})
    point = model.initial_point()
    assert point["walk"].shape == (9,)
    assert np.isfinite(model.compile_logp()(point))


def test_warnings() -> None:
    with pytest.warns(UserWarning, match="Initial distribution not specified"):
        faces.GaussianRandomWalk.dist(steps=3)
    parts = [faces.Normal.dist(), faces.Beta.dist(1, 1)]
    with pm.Model(), pytest.warns(UserWarning, match="different supports"):
        pm.Mixture("m", [0.5, 0.5], parts)
    with pm.Model():  # data need no map
        pm.Mixture("m", [0.5, 0.5], parts, observed=[0.5, 2.0])
    with pytest.warns(UserWarning, match="single component"):
        faces.Mixture.dist([0.5, 0.5], [faces.Normal.dist([0, 1], 1)])


WRONG: list[tuple[Any, type[FinettiError], str]] = [
    (lambda: faces.Mixture.dist([0.5, 0.5], [1.0, 2.0]), ParameterError, "pm.Normal.dist"),
    (lambda: faces.Mixture.dist([0.5, 0.5], []), ParameterError, "empty"),
    (lambda: faces.Mixture.dist([0.5, 0.5], [N01, faces.Poisson.dist(1)]), ParameterError, "mixed"),
    (lambda: faces.Mixture.dist([0.2, 0.3, 0.5], [N01, N01]), ShapeError, "2 components"),
    (lambda: faces.Mixture.dist([0.5, 0.5]), ParameterError, "comp_dists is missing"),
    (lambda: faces.LKJCholeskyCov.dist(1, 2.5, N01), ParameterError, "n=2.5"),
    (lambda: faces.LKJCholeskyCov.dist(1, 2, 1.0), ParameterError, "sd_dist=1.0"),
    (lambda: faces.GaussianRandomWalk.dist(init_dist=N01), ParameterError, "how long"),
    (lambda: faces.AR.dist([], init_dist=N01, steps=3), ParameterError, "order"),
    (lambda: faces.AR.dist([1.0, 2.0], init_dist=N01, steps=3, ar_order=1), ShapeError, "rho has"),
    (lambda: faces.ZeroSumNormal.dist(), ParameterError, "how long"),
    (lambda: faces.ZeroSumNormal.dist([1.0, 2.0], shape=2), ShapeError, "length 1"),
    (lambda: faces.Multinomial.dist(3, 0.5), ShapeError, "p has shape"),
    (lambda: faces.Interpolated.dist([0, 1], [1, 2, 3]), ShapeError, "equal length"),
    (lambda: faces.OrderedLogistic.dist(0.0, 1.0), ShapeError, "cutpoints has shape"),
]


@pytest.mark.parametrize(("wrong", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_messages(wrong: Any, error: type[FinettiError], words: str) -> None:
    with pytest.raises(error, match=words):
        wrong()


def test_a_registered_variable_is_no_component() -> None:
    with pm.Model():
        x = pm.Normal("x", 0, 1)
        with pytest.raises(ParameterError, match="the model's variable 'x'"):
            pm.Mixture("m", [0.5, 0.5], [x, N01])


# -- maps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("ascending", [False, True])
def test_ordered(positive: bool, ascending: bool) -> None:
    bijector = ordered(positive, ascending)
    u = new_input("u", (2, 3))
    point = np.random.default_rng(SEED).normal(size=(2, 3))
    back, again, log_det = evaluate(
        [bijector.backward(u), bijector.forward(bijector.backward(u)), bijector.log_det(u)],
        {u.node: point},
    )
    steps = np.diff(back, axis=-1)
    assert (steps > 0).all() if ascending else (steps < 0).all()
    assert not positive or (back > 0).all()
    np.testing.assert_allclose(again, point, rtol=1e-12)
    np.testing.assert_allclose(log_det, (point if positive else point[:, 1:]).sum(-1))


def test_ordered_in_a_model() -> None:
    with pm.Model() as model:
        pm.Normal("x", 0, 1, shape=3, transform=pm.transforms.ordered, initval=[-1.0, 0.0, 1.0])
    assert [value.name for value in model.value_vars] == ["x_ordered__"]
    np.testing.assert_allclose(model.initial_point()["x_ordered__"], [-1.0, 0.0, 0.0])
    assert np.isfinite(model.compile_logp()(model.initial_point()))


def test_car_is_pymcs_but_for_its_constant() -> None:
    """PyMC leaves out what does not depend on alpha, tau and the value."""
    graph = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    rv = pm.CAR.dist(np.arange(4.0) / 3, graph, 0.3, 2.0)
    value = value_of(rv.node.attrs[0].logp([0.3, 1.0, -2.0, 0.1], **rv_params(rv)[1]))
    constant = 0.5 * np.log(2.0) * 4 - 2.0 * np.log(2 * np.pi)
    np.testing.assert_allclose(value, -15.24063875 + constant, rtol=1e-9)
    # the precision, as NumPy has it
    precision = 2.0 * (2.0 * np.eye(4) - 0.3 * graph)
    exact = scipy.stats.multivariate_normal(np.arange(4.0) / 3, np.linalg.inv(precision))
    np.testing.assert_allclose(value, exact.logpdf([0.3, 1.0, -2.0, 0.1]), rtol=1e-12)


@pytest.mark.parametrize(
    ("mu", "graph", "error", "words"),
    [
        (0.0, [[0, 1], [0, 0]], ParameterError, "symmetric"),
        (0.0, [[0, 1, 0], [1, 0, 0], [0, 0, 0]], ParameterError, "site 2 has no neighbours"),
        (np.zeros(3), [[0, 1], [1, 0]], ShapeError, r"mu has shape \(3,\), W is a matrix of 2"),
    ],
)
def test_wrong_car(mu, graph, error, words) -> None:
    with pytest.raises(error, match=words):
        pm.CAR.dist(mu, graph, 0.3, 2.0)
