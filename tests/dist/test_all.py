"""Every distribution against SciPy, driven by the records' `scipy` and `samples`.

The statistical tests have fixed seeds. Each passes with probability above 1 - 1e-6 for a correct
distribution, so that about 200 of them raise a false alarm once in 5000 changes of seed.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from tests.dist import twins
from tests.dist.helpers import evaluate, value_of

from finetti.dist import DISTRIBUTIONS, Distribution, bijector_for, make_rv, parameter_names
from finetti.dist.functions import logp
from finetti.ir import FLOAT, ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.grad import gradient

SEED = 20260301
ALARM = 1e-6
CASES = [
    pytest.param(dist, i, id=f"{key}-{i}")
    for key, dist in DISTRIBUTIONS.items()
    for i in range(len(dist.samples))
]
PROPER = [key for key, dist in DISTRIBUTIONS.items() if dist.samples]
UNIVARIATE = [case for case in CASES if case.values[0].event_ndim == 0]
each = pytest.mark.parametrize(("dist", "row"), CASES)
each_univariate = pytest.mark.parametrize(("dist", "row"), UNIVARIATE)
# Where a density is infinite at the edge of its support, we follow PyMC: 0 counts as outside.
EDGES = {"ChiSquared": [0.0], "Gamma": [0.0]}


def params_of(dist: Distribution, row: int) -> dict[str, np.ndarray]:
    return {name: np.asarray(x) for name, x in dist.samples[row].items()}


def twin(dist: Distribution, params: dict[str, np.ndarray]) -> Any:
    """SciPy's distribution."""
    names = {"stats": scipy.stats, "special": scipy.special, "np": np, "twins": twins, **params}
    return eval(dist.scipy, names)  # noqa: S307 - an expression of the record


def batch_shape(dist: Distribution, params: dict[str, np.ndarray]) -> tuple[int, ...]:
    shapes = (x.shape[: x.ndim - dist.params[name].ndim] for name, x in params.items())
    return np.broadcast_shapes(*shapes)


def values_for(dist: Distribution, params: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Values across the distribution, its edges, and beyond them."""
    if dist.event_ndim:
        rng = np.random.default_rng(SEED)
        rv = make_rv(dist, params, (6, *make_rv(dist, params).shape))
        return list(value_of(dist.draw(rv.shape, **as_tensors(params)), rng))
    scipy_dist = twin(dist, params)
    shape = batch_shape(dist, params)
    quantiles = [1e-6, 1e-3, 0.05, 0.3, 0.5, 0.9, 0.999]
    values = [np.broadcast_to(scipy_dist.ppf(q), shape) for q in quantiles]
    extra = [-2, -1, 0, 1, 2, 7] if dist.discrete else [-3.0, -0.5, 0.0, 0.5, 1.0, 1.5, 30.0]
    values += [np.full(shape, x) for x in extra if x not in EDGES.get(dist.name, ())]
    return [v.astype(dist.dtype) for v in values if np.isfinite(v).all()]


def as_tensors(params: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: ops.as_tensor(x) for name, x in params.items()}


@each
def test_logp(dist: Distribution, row: int) -> None:
    params = params_of(dist, row)
    scipy_dist = twin(dist, params)
    for value in values_for(dist, params):
        got = value_of(dist.logp(value, **params))
        name = "logpmf" if dist.discrete else "logpdf"
        with np.errstate(all="ignore"):
            expected = getattr(scipy_dist, name)(value.T if dist.event_ndim else value)
        np.testing.assert_allclose(got, expected, rtol=dist.tol, atol=1e-9 * dist.tol / 1e-12)
        assert got.shape == batch_shape(dist, params)


@each_univariate
def test_logcdf_and_icdf(dist: Distribution, row: int) -> None:
    params = params_of(dist, row)
    if dist.cdf is None:
        return
    scipy_dist = twin(dist, params)
    for value in values_for(dist, params):
        with np.errstate(all="ignore"):
            expected = scipy_dist.logcdf(value)
        got = value_of(dist.logcdf(value, **params))
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-13)
    if dist.quantile is not None:
        for q in (0.0, 1e-5, 0.2, 0.5, 0.97, 1.0):
            got = value_of(dist.icdf(q, **params))
            if dist.name == "Bernoulli":  # SciPy's quantiles of 0 and 1 are not minimal
                expected = np.where(scipy_dist.cdf(0) >= q, 0, 1)
            elif dist.name == "DiscreteUniform":
                expected = np.maximum(scipy_dist.ppf(q), np.floor(params["lower"]))
            else:
                expected = scipy_dist.ppf(q)
            np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-13)
        for q in (-0.1, 1.1):
            assert np.isnan(value_of(dist.icdf(q, **params))).all()


@each_univariate
def test_draws_follow_the_cdf(dist: Distribution, row: int) -> None:
    params = params_of(dist, row)
    shape = batch_shape(dist, params)
    draws = value_of(dist.draw((20000, *shape), **as_tensors(params)), np.random.default_rng(SEED))
    assert draws.dtype == dist.dtype
    assert draws.shape == (20000, *shape)
    for place in np.ndindex(shape):
        one = {
            name: x if dist.params[name].ndim else np.broadcast_to(x, shape)[place]
            for name, x in params.items()
        }
        column = draws[(slice(None), *place)]
        if dist.discrete:
            assert chi2_p(column, twin(dist, one)) > ALARM
        else:
            assert scipy.stats.kstest(column, twin(dist, one).cdf).pvalue > ALARM


def chi2_p(draws: np.ndarray, expected: Any) -> float:
    """p-value of a chi-square test over about 30 cells of at least 5 expected draws."""
    edges = np.unique(expected.ppf(np.linspace(0.0, 1.0, 32)[1:-1]))
    mass = np.diff(np.concatenate([[0.0], expected.cdf(edges), [1.0]]))
    cells = np.searchsorted(edges, draws)
    counts = np.bincount(cells, minlength=len(mass))
    keep = mass * len(draws) >= 5.0
    assert counts[mass < 1e-15].sum() == 0
    if keep.sum() < 2:
        return 1.0
    counts, mass = counts[keep], mass[keep] / mass[keep].sum()
    return float(scipy.stats.chisquare(counts, mass * counts.sum()).pvalue)


@each
def test_mean_and_var(dist: Distribution, row: int) -> None:
    params = params_of(dist, row)
    scipy_dist = twin(dist, params)
    mean = value_of(ops.as_tensor(dist.mean(**as_tensors(params))))
    var = value_of(ops.as_tensor(dist.var(**as_tensors(params))))
    if dist.name == "MvNormal":
        expected_mean, expected_var = scipy_dist.mean, np.diag(scipy_dist.cov)
    elif dist.name == "Multinomial":
        expected_mean, expected_var = scipy_dist.mean(), np.diag(scipy_dist.cov())
    elif dist.name == "MvStudentT":
        nu = params["nu"]
        expected_mean = params["mu"]
        expected_var = np.diag(params["chol"] @ params["chol"].T) * nu / (nu - 2.0)
    else:
        expected_mean = scipy_dist.mean()
        expected_var = scipy_dist.var()
    if dist.name == "Cauchy":
        assert np.isnan(mean).all() and np.isnan(var).all()
        return
    if dist.name == "HalfCauchy":
        assert np.isinf(mean).all() and np.isinf(var).all()
        return
    if dist.name == "StudentT":  # SciPy calls the mean infinite where there is none
        expected_mean = np.where(params["nu"] > 1, expected_mean, np.nan)
        expected_var = np.where(params["nu"] > 1, expected_var, np.nan)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(var, expected_var, rtol=1e-9, atol=1e-12)


@each
def test_start_is_in_the_support(dist: Distribution, row: int) -> None:
    params = params_of(dist, row)
    rv = make_rv(dist, params)
    start = value_of(dist.start(rv.shape, **params))
    assert start.dtype == dist.dtype
    assert start.shape == rv.shape
    assert dist.support(**params).check(start).all()
    larger = value_of(dist.start((3, *rv.shape), **params))
    assert larger.shape == (3, *rv.shape)


@each
def test_bijector(dist: Distribution, row: int) -> None:
    params = params_of(dist, row)
    rv = make_rv(dist, params)
    bijector = bijector_for(dist.support(**as_tensors(params)))
    if bijector is None:
        return
    rng = np.random.default_rng(SEED)
    shape = bijector.unconstrained_shape(rv.shape)
    u = new_input("u", shape)
    point = rng.normal(0.0, 2.0, shape)
    back, again, log_det = evaluate(
        [bijector.backward(u), bijector.forward(bijector.backward(u)), bijector.log_det(u)],
        {u.node: point},
    )
    assert dist.support(**params).check(back).all()
    np.testing.assert_allclose(again, point, rtol=1e-9, atol=1e-10)
    jacobian = numeric_jacobian(lambda x: evaluate([bijector.backward(u)], {u.node: x})[0], point)
    if bijector.event_ndim:  # the last element follows from the others
        jacobian = jacobian.reshape(*back.shape, -1)[..., :-1, :].reshape(point.size, point.size)
        # By PyMC's convention the volume is that of the centred log ratios.
        expected = np.linalg.slogdet(jacobian)[1]
    else:
        expected = np.log(np.abs(np.diag(jacobian))).sum()
    np.testing.assert_allclose(log_det.sum(), expected, rtol=1e-6, atol=1e-6)


def numeric_jacobian(function: Any, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    columns = []
    for place in np.ndindex(x.shape):
        delta = np.zeros_like(x)
        delta[place] = step
        columns.append((function(x + delta) - function(x - delta)).ravel() / (2.0 * step))
    return np.stack(columns, -1)


@each
def test_gradients(dist: Distribution, row: int) -> None:
    """With respect to every real parameter and the value, against central differences."""
    params = params_of(dist, row)
    inputs = {
        name: new_input(name, x.shape)
        for name, x in params.items()
        if not dist.params[name].constraint.discrete and inner(dist, name, x)
    }
    value = (
        value_of(dist.mean(**as_tensors(params)))
        if dist.name == "Dirichlet"
        else (values_for(dist, params)[3])
    )
    free = new_input("value", value.shape, dist.dtype)
    total = ops.sum_(dist.logp(free, **{**as_tensors(params), **inputs}))
    values = {free.node: value, **{x.node: params[n].astype(float) for n, x in inputs.items()}}
    wrt = [x.node for x in inputs.values()] + ([free.node] if free.node.type.dtype == FLOAT else [])
    slopes = evaluate(gradient(total.node, wrt), values)
    for node, slope in zip(wrt, slopes, strict=True):
        at = np.asarray(values[node], float)
        step = 1e-6 * max(1e-2, float(np.abs(at).min()))
        numeric = numeric_jacobian(
            lambda x, node=node: evaluate([total], {**values, node: x})[0], at, step
        )
        scale = max(1.0, float(np.abs(numeric).max()))
        mask = np.tri(*at.shape[-2:]).ravel() if node is inputs.get("chol") else 1.0
        np.testing.assert_allclose(slope.ravel() * mask, numeric.ravel() * mask, atol=2e-5 * scale)


def inner(dist: Distribution, name: str, x: np.ndarray) -> bool:
    """Whether a small step stays inside the valid parameters (a step of one p leaves sum = 1)."""
    if dist.key in ("Categorical", "DiscreteUniform", "Multinomial"):
        return False
    if not np.isfinite(x).all():
        return False
    nudged = dist.params[name].constraint
    return bool(nudged.check(x * (1 + 1e-4)).all() and nudged.check(x * (1 - 1e-4) - 1e-9).all())


# -- vectors -------------------------------------------------------------------------------------


def test_dirichlet_draws() -> None:
    dist = DISTRIBUTIONS["Dirichlet"]
    for row in range(len(dist.samples)):
        a = params_of(dist, row)["a"]
        drawn = dist.draw((20000, len(a)), a=ops.as_tensor(a))
        draws = value_of(drawn, np.random.default_rng(SEED))
        np.testing.assert_allclose(draws.sum(-1), 1.0, rtol=1e-12)
        for k in range(len(a)):
            marginal = scipy.stats.beta(a[k], a.sum() - a[k])
            assert scipy.stats.kstest(draws[:, k], marginal.cdf).pvalue > ALARM
        # covariance of two proportions, with a bound of 5 standard errors
        product = (draws[:, 0] - draws[:, 0].mean()) * (draws[:, 1] - draws[:, 1].mean())
        expected = -a[0] * a[1] / (a.sum() ** 2 * (a.sum() + 1.0))
        assert abs(product.mean() - expected) < 5.0 * product.std() / np.sqrt(len(product))


def test_mvnormal_draws() -> None:
    dist = DISTRIBUTIONS["MvNormal"]
    for row in range(len(dist.samples)):
        params = params_of(dist, row)
        n = len(params["chol"])
        drawn = dist.draw((20000, n), **as_tensors(params))
        draws = value_of(drawn, np.random.default_rng(SEED))
        z = np.linalg.solve(params["chol"], (draws - params["mu"]).T)
        for k in range(n):
            assert scipy.stats.kstest(z[k], scipy.stats.norm.cdf).pvalue > ALARM
        np.testing.assert_allclose(np.cov(z), np.eye(n), atol=5.0 * np.sqrt(2.0 / 20000))


def test_small_shapes_do_not_underflow() -> None:
    rng = np.random.default_rng(SEED)
    a = ops.as_tensor(np.full(4, 1e-3))
    draws = value_of(DISTRIBUTIONS["Dirichlet"].draw((2000, 4), a=a), rng)
    assert np.isfinite(draws).all()
    small = ops.as_tensor(1e-3)
    beta = value_of(DISTRIBUTIONS["Beta"].draw((2000,), alpha=small, beta=small), rng)
    assert np.isfinite(beta).all()
    assert abs(beta.mean() - 0.5) < 5.0 * 0.5 / np.sqrt(2000)


@pytest.mark.parametrize("key", PROPER)
def test_draws_take_leading_axes(key: str) -> None:
    """Parameters that differ from draw to draw, as in posterior predictive sampling."""
    dist = DISTRIBUTIONS[key]
    params = params_of(dist, 0)
    rows = {name: np.stack([x] * 5) for name, x in params.items()}
    shape = make_rv(dist, params).shape
    draws = value_of(dist.draw((5, *shape), **as_tensors(rows)), np.random.default_rng(SEED))
    assert draws.shape == (5, *shape)
    density = value_of(dist.logp(draws, **rows))
    single = [value_of(dist.logp(draw, **params)) for draw in draws]
    np.testing.assert_allclose(density, np.stack(single), rtol=1e-12)
    assert np.isfinite(density).all()


# -- records -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(DISTRIBUTIONS))
def test_record_is_complete(key: str) -> None:
    dist = DISTRIBUTIONS[key]
    for column in ("cdf", "quantile"):
        assert (getattr(dist, column) is None) == (column in dist.notes), column
    assert pickle.loads(pickle.dumps(dist)) is dist
    for alternative in dist.alternatives:
        assert set(alternative.replaces) <= set(dist.params)
        assert set(alternative.names) <= set(parameter_names(dist))


def test_random_variables_are_distinct() -> None:
    one, two = (
        make_rv(DISTRIBUTIONS["Normal"], {"mu": 0, "sigma": 1}),
        make_rv(DISTRIBUTIONS["Normal"], {"mu": 0.0, "sigma": 1.0}),
    )
    assert one.node is not two.node
    assert one.node.args == two.node.args
    assert logp(one, 0.5).node is logp(two, 0.5).node


def test_checks_of_constants_cost_nothing() -> None:
    """A density of valid constants holds no comparison."""
    rv = make_rv(DISTRIBUTIONS["Normal"], {"mu": 0, "sigma": 1})
    from finetti.ir import topological

    assert "where" not in {node.op.name for node in topological([logp(rv, 0.5).node])}
