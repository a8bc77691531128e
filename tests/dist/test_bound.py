"""Records of PyMC3 alone: Bound, the vector of correlations, and the walk along the first axis."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

import finetti as pm
from finetti import dist
from finetti.dist.base import make_rv
from finetti.dist.bound import bound
from finetti.dist.firstaxis import walk
from finetti.dist.lkjvector import lkj_vector
from finetti.model.frozen import freeze

# record, parameters, bounds, value, log density there; None: outside
BOUNDED = [
    (dist.Normal, {"mu": 1.0, "sigma": 2.0}, (0.0, None), 0.5, stats.norm(1, 2).logpdf(0.5)),
    (dist.Normal, {"mu": 1.0, "sigma": 2.0}, (0.0, None), -0.5, -np.inf),
    (dist.Normal, {"mu": 1.0, "sigma": 2.0}, (None, 0.0), -0.5, stats.norm(1, 2).logpdf(-0.5)),
    (dist.Normal, {"mu": 1.0, "sigma": 2.0}, (-1.0, 1.0), 1.5, -np.inf),
    (dist.Normal, {"mu": 1.0, "sigma": 2.0}, (-np.inf, 1.0), -9.0, stats.norm(1, 2).logpdf(-9.0)),
    (dist.Gamma, {"alpha": 2.0, "beta": 1.0}, (None, 3.0), -0.1, -np.inf),
    (dist.Gamma, {"alpha": 2.0, "beta": 1.0}, (None, 3.0), 2.0, stats.gamma(2).logpdf(2.0)),
    (dist.Poisson, {"mu": 3.0}, (1, 5), 0, -np.inf),
    (dist.Poisson, {"mu": 3.0}, (1, 5), 1, stats.poisson(3).logpmf(1)),
    (dist.Uniform, {"lower": 0.0, "upper": 2.0}, (1.0, 5.0), 1.5, np.log(0.5)),
    (dist.Uniform, {"lower": 0.0, "upper": 2.0}, (1.0, 5.0), 2.5, -np.inf),
]


@pytest.mark.parametrize(("record", "params", "bounds", "value", "want"), BOUNDED)
def test_density_is_cut_off_and_not_rescaled(record, params, bounds, value, want):
    made, given = bound(record, params, *bounds, "here")
    got = float(made.logp(value, **given).eval())
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_no_bounds_are_the_distribution_itself():
    params = {"mu": 1.0, "sigma": 2.0}
    assert bound(dist.Normal, params, None, np.inf, "here") == (dist.Normal, params)


@pytest.mark.parametrize("bounds", [(0.5, None), (None, 0.5), (-0.5, 0.5)])
def test_draws_are_inside(bounds):
    x = pm.draw(make_rv(*bound(dist.Normal, {"mu": 0.0, "sigma": 1.0}, *bounds, "here")), 2000, 1)
    low, high = (infinity if b is None else b for b, infinity in zip(bounds, (-9, 9), strict=True))
    twin = stats.truncnorm(low, high)
    # 4 standard errors of the mean: one false alarm in 16 000 seeds
    assert abs(x.mean() - twin.mean()) < 4 * twin.std() / 2000**0.5
    assert x.min() >= low
    assert x.max() <= high


def test_vectors_are_refused():
    with pytest.raises(pm.ParameterError, match="single numbers"):
        bound(dist.Dirichlet, {"a": np.ones(3)}, 0.0, None, "here")


@pytest.mark.parametrize("eta", [1.0, 2.5])
def test_correlations_have_a_density(eta):
    record, params = lkj_vector(eta, 2, "here")

    def density(r):
        return float(np.exp(record.logp(np.array([r]), **params).eval()))

    assert integrate.quad(density, -1, 1)[0] == pytest.approx(1.0, rel=1e-7)


def test_correlations_of_three():
    record, params = lkj_vector(2.0, 3, "here")
    inside, outside = np.array([0.2, 0.3, -0.4]), np.array([0.9, 0.9, -0.9])
    matrix = np.array([[1, 0.2, 0.3], [0.2, 1, -0.4], [0.3, -0.4, 1]])
    zero = float(record.logp(np.zeros(3), **params).eval())
    got = float(record.logp(inside, **params).eval())
    np.testing.assert_allclose(got - zero, np.log(np.linalg.det(matrix)), rtol=1e-12)
    assert float(record.logp(outside, **params).eval()) == -np.inf
    drawn = pm.draw(make_rv(record, params), 3000, 2)
    assert drawn.shape == (3000, 3)
    # each correlation is 2 Beta(5/2, 5/2) - 1; KS at one false alarm in a million
    for column in drawn.T:
        assert stats.kstest(column, stats.beta(2.5, 2.5, -1, 2).cdf).pvalue > 3e-7


def test_walk_along_the_first_axis():
    init = pm.Normal.dist(0.0, 3.0)
    record, params = walk(0.5, np.array([1.0, 2.0]), init, (4, 2), "here")
    x = np.arange(8.0).reshape(4, 2) ** 1.5
    want = stats.norm(0, 3).logpdf(x[0]).sum()
    want += stats.norm(0.5, [1.0, 2.0]).logpdf(np.diff(x, axis=0)).sum()
    (node,) = freeze([record.logp(x, **params).node])
    np.testing.assert_allclose(float(type(init)(node).eval()), want, rtol=1e-13)
    with pytest.raises(NotImplementedError, match="Normal"):
        pm.draw(make_rv(record, params, (4, 2)))


def test_flat_walks_are_drawn_from_zero():
    record, params = walk(10.0, 1e-9, pm.Flat.dist(), (4, 2), "here")
    drawn = pm.draw(make_rv(record, params, (4, 2)), 3)
    np.testing.assert_allclose(drawn, np.broadcast_to(10.0 * np.arange(4.0)[:, None], (3, 4, 2)))
