"""Parametrisations, shapes, and what is said when they are wrong."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from tests.dist.helpers import value_of

import finetti as faces
from finetti.dialects.pymc.names import ROWS
from finetti.dist import (
    DISTRIBUTIONS,
    bad_parameters,
    check_data,
    make_rv,
    parameter_names,
    resolve,
)
from finetti.dist.functions import icdf, logp
from finetti.errors import (
    DtypeError,
    FinettiError,
    NotYetSupported,
    ParameterError,
    ShapeError,
    SupportError,
)  # fmt: skip
from finetti.ir import ops

COV = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]])
CHOL = np.linalg.cholesky(COV)
# A distribution, a parametrisation, the record's own parameters, and a value.
EQUAL: list[tuple[str, dict[str, Any], dict[str, Any], Any]] = [
    ("Normal", {"mu": 1.0, "tau": 4.0}, {"mu": 1.0, "sigma": 0.5}, 0.3),
    ("Normal", {"tau": [4.0, 0.25]}, {"mu": 0.0, "sigma": [0.5, 2.0]}, [0.3, -1.0]),
    ("HalfNormal", {"tau": 0.25}, {"sigma": 2.0}, 0.3),
    ("LogNormal", {"tau": 4.0}, {"mu": 0.0, "sigma": 0.5}, 0.3),
    ("StudentT", {"nu": 3.0, "lam": 4.0}, {"nu": 3.0, "mu": 0.0, "sigma": 0.5}, 0.3),
    ("Exponential", {"scale": 4.0}, {"lam": 0.25}, 0.3),
    ("Gamma", {"mu": 3.0, "sigma": 1.5}, {"alpha": 4.0, "beta": 4.0 / 3.0}, 0.3),
    ("Beta", {"mu": 0.25, "nu": 12.0}, {"alpha": 3.0, "beta": 9.0}, 0.3),
    ("Beta", {"mu": 0.25, "sigma": np.sqrt(0.25 * 0.75 / 13.0)}, {"alpha": 3.0, "beta": 9.0}, 0.3),
    ("Bernoulli", {"logit_p": np.log(3.0)}, {"p": 0.75}, 1),
    ("Binomial", {"n": 10, "logit_p": np.log(3.0)}, {"n": 10, "p": 0.75}, 4),
    ("Categorical", {"logit_p": np.log([2.0, 3.0, 5.0])}, {"p": [0.2, 0.3, 0.5]}, 2),
    ("NegativeBinomial", {"n": 4.5, "p": 0.35}, {"mu": 4.5 * 0.65 / 0.35, "alpha": 4.5}, 3),
    ("NegativeBinomial", {"alpha": 4.5, "p": 0.35}, {"mu": 4.5 * 0.65 / 0.35, "alpha": 4.5}, 3),
    ("NegativeBinomial", {"mu": 8.0, "n": 4.5}, {"mu": 8.0, "alpha": 4.5}, 3),
    ("HalfStudentT", {"nu": 3.0, "lam": 4.0}, {"nu": 3.0, "sigma": 0.5}, 0.3),
    ("InverseGamma", {"mu": 3.0, "sigma": 1.5}, {"alpha": 6.0, "beta": 15.0}, 0.3),
    ("InverseGamma", {"alpha": 3.0}, {"alpha": 3.0, "beta": 1.0}, 0.3),
    ("AsymmetricLaplace", {"q": 0.8, "mu": 1.0, "b": 2.0}, {"kappa": 2.0, "mu": 1.0, "b": 2.0}, 1),
    ("LogitNormal", {"tau": 4.0}, {"mu": 0.0, "sigma": 0.5}, 0.3),
    ("Wald", {"mu": 2.0}, {"mu": 2.0, "lam": 1.0, "alpha": 0.0}, 0.3),
    ("Wald", {"mu": 2.0, "phi": 3.0}, {"mu": 2.0, "lam": 6.0, "alpha": 0.0}, 0.3),
    ("Wald", {"lam": 6.0, "phi": 3.0}, {"mu": 2.0, "lam": 6.0, "alpha": 0.0}, 0.3),
    ("SkewNormal", {"tau": 4.0}, {"alpha": 1.0, "mu": 0.0, "sigma": 0.5}, 0.3),
    ("Rice", {"nu": 2.0}, {"nu": 2.0, "sigma": 1.0}, 0.3),
    ("Rice", {"b": 2.0}, {"nu": 2.0, "sigma": 1.0}, 0.3),
    ("Rice", {"b": 2.0, "sigma": 3.0}, {"nu": 6.0, "sigma": 3.0}, 0.3),
    (
        "TruncatedNormal",
        {"tau": 4.0, "lower": 0.0},
        {"mu": 0.0, "sigma": 0.5, "lower": 0.0, "upper": np.inf},
        0.3,
    ),
    (
        "ZeroInflatedNegativeBinomial",
        {"psi": 0.7, "n": 4.5, "p": 0.35},
        {"psi": 0.7, "mu": 4.5 * 0.65 / 0.35, "alpha": 4.5},
        3,
    ),
    (
        "ZeroInflatedNegativeBinomial",
        {"psi": 0.7, "alpha": 4.5, "p": 0.35},
        {"psi": 0.7, "mu": 4.5 * 0.65 / 0.35, "alpha": 4.5},
        0,
    ),
    (
        "ZeroInflatedNegativeBinomial",
        {"psi": 0.7, "mu": 8.0, "n": 4.5},
        {"psi": 0.7, "mu": 8.0, "alpha": 4.5},
        3,
    ),
    (
        "NormalMixture",
        {"w": [0.3, 0.7], "mu": [0.0, 1.0], "tau": 4.0},
        {"w": [0.3, 0.7], "mu": [0.0, 1.0], "sigma": 0.5},
        0.3,
    ),
    *(
        ("MvStudentT", {"nu": 4.0, **scale}, {"nu": 4.0, "mu": 0.0, "chol": CHOL}, [1.0, 0.0, 2.0])
        for scale in (
            {"scale": COV},
            {"Sigma": COV},
            {"cov": COV},
            {"tau": np.linalg.inv(COV)},
            {"chol": CHOL.T, "lower": False},
        )
    ),
    *(
        (name, {"nu": 6.5, **scale}, {"nu": 6.5, "chol": CHOL}, CHOL)
        for name in ("WishartCholesky", "InverseWishartCholesky")
        for scale in ({"scale_matrix": COV}, {"rate_matrix": np.linalg.inv(COV)})
    ),
    ("Geometric(failures)", {"logit_p": np.log(0.3 / 0.7)}, {"p": 0.3}, 2),
    ("MvNormal", {"cov": COV}, {"mu": 0.0, "chol": CHOL}, [1.0, 0.0, 2.0]),
    ("MvNormal", {"tau": np.linalg.inv(COV)}, {"mu": 0.0, "chol": CHOL}, [1.0, 0.0, 2.0]),
    ("MvNormal", {"chol": CHOL.T, "lower": False}, {"mu": 0.0, "chol": CHOL}, [1.0, 0.0, 2.0]),
    ("MvNormal", {"chol": CHOL, "lower": True}, {"mu": 0.0, "chol": CHOL}, [1.0, 0.0, 2.0]),
]


@pytest.mark.parametrize(("name", "given", "own", "value"), EQUAL)
def test_parametrisations_agree(name: str, given: Any, own: Any, value: Any) -> None:
    dist = DISTRIBUTIONS[name]
    record, params = resolve(dist, given)
    expected = value_of(dist.logp(value, **own))
    np.testing.assert_allclose(value_of(record.logp(value, **params)), expected, rtol=1e-12)
    shape = make_rv(record, params).shape
    start = value_of(record.start(shape, **params))
    np.testing.assert_allclose(start, value_of(dist.start(shape, **own)), atol=1e-12)
    for moment in ("mean", "var"):
        got = value_of(ops.as_tensor(getattr(record, moment)(**as_tensors(params))))
        reference = value_of(ops.as_tensor(getattr(dist, moment)(**as_tensors(own))))
        np.testing.assert_allclose(got, reference, rtol=1e-10)


def as_tensors(params: dict[str, Any]) -> dict[str, Any]:
    return {name: ops.as_tensor(x) for name, x in params.items()}


def test_every_alternative_is_tested() -> None:
    tried = {(name, frozenset(given)) for name, given, _, _ in EQUAL}
    for name, dist in DISTRIBUTIONS.items():
        for alternative in dist.alternatives:
            names = set(alternative.names)
            assert any(n == name and names <= g for n, g in tried), names


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_name_every_parameter(row: Any) -> None:
    assert set((*row.order, *row.keyword_only)) == set(parameter_names(row.record))
    face = getattr(faces, row.name)
    assert list(face.__signature__.parameters)[1 : len(row.order) + 1] == list(row.order)
    assert row.name == face.__name__
    assert row.summary in face.__doc__


def test_parameters_of_numbers_are_numbers() -> None:
    """So that tau=4 and sigma=0.5 are the same graph."""
    one, two = faces.Normal.dist(0, tau=4), faces.Normal.dist(0.0, 0.5)
    assert one.node.args == two.node.args


def test_precision_of_negative_parameters_stays_invalid() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value_of(logp(faces.Normal.dist(0, tau=-1.0), 0.3)) == -np.inf
        assert value_of(logp(faces.Gamma.dist(mu=1.0, sigma=-1.0), 0.3)) == -np.inf


# -- shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: faces.Normal.dist(), ()),
        (lambda: faces.Normal.dist(shape=3), (3,)),
        (lambda: faces.Normal.dist([0.0, 1.0], shape=(4, 2)), (4, 2)),
        (lambda: faces.Normal.dist([[0.0], [1.0]], [1.0, 2.0, 3.0]), (2, 3)),
        (lambda: faces.Normal.dist(size=(2, 3)), (2, 3)),
        (lambda: faces.Dirichlet.dist([1.0, 1.0, 2.0]), (3,)),
        (lambda: faces.Dirichlet.dist(np.ones((4, 3))), (4, 3)),
        (lambda: faces.Dirichlet.dist([1.0, 1.0, 2.0], size=5), (5, 3)),
        (lambda: faces.Dirichlet.dist([1.0, 1.0, 2.0], shape=(5, 3)), (5, 3)),
        (lambda: faces.MvNormal.dist(0.0, COV), (3,)),
        (lambda: faces.MvNormal.dist(np.zeros((5, 3)), COV), (5, 3)),
        (lambda: faces.MvNormal.dist(0.0, np.stack([COV] * 4)), (4, 3)),
        (lambda: faces.Categorical.dist(np.full((4, 3), 1 / 3)), (4,)),
        (lambda: faces.Categorical.dist([0.2, 0.8], shape=7), (7,)),
        (lambda: faces.Binomial.dist([3, 4], [[0.1], [0.2]]), (2, 2)),
    ],
)
def test_shapes(make: Any, shape: tuple[int, ...]) -> None:
    rv = make()
    assert rv.shape == shape
    dist, events = rv.node.attrs[0], rv.node.attrs[0].event_ndim
    drawn = value_of(
        dist.draw(shape, **dict(zip(dist.params, map(ops.as_tensor, rv.node.args), strict=True))),
        np.random.default_rng(1),
    )
    assert drawn.shape == shape
    assert value_of(logp(rv, drawn)).shape == shape[: len(shape) - events]


def test_batches_of_categories() -> None:
    """Leading axes of the probabilities broadcast with those of the value."""
    p = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    value = np.array([[0, 0], [2, 1], [1, 2], [5, -1]])
    got = value_of(logp(faces.Categorical.dist(p, shape=(4, 2)), value))
    expected = [[0.2, 0.6], [0.5, 0.3], [0.3, 0.1], [0.0, 0.0]]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(got, np.log(expected))


def test_batches_of_covariances() -> None:
    covs = np.stack([COV, 2.0 * COV])
    x = np.random.default_rng(3).normal(size=(5, 2, 3))
    got = value_of(logp(faces.MvNormal.dist(np.ones(3), covs, shape=(5, 2, 3)), x))
    for i in range(5):
        for j in range(2):
            one = value_of(logp(faces.MvNormal.dist(np.ones(3), covs[j]), x[i, j]))
            np.testing.assert_allclose(got[i, j], one, rtol=1e-12)


# -- numbers that go wrong easily ----------------------------------------------------------------


def test_logits_far_out() -> None:
    far = faces.Bernoulli.dist(logit_p=[40.0, -800.0, 800.0])
    tiny = -4.248354255291589e-18
    np.testing.assert_allclose(value_of(logp(far, [1, 0, 0])), [tiny, 0.0, -800.0])
    np.testing.assert_allclose(value_of(logp(far, [0, 1, 1])), [-40.0, -800.0, 0.0])


def test_counts_of_nearly_poisson() -> None:
    """With a large size the negative binomial is the Poisson distribution, to all digits."""
    k = np.array([0, 1, 7, 40])
    expected = value_of(logp(faces.Poisson.dist(12.5), k))
    for alpha in (1e12, 1e15, 1e300):
        got = value_of(logp(faces.NegativeBinomial.dist(12.5, alpha), k))
        np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_rising_factorial_is_continuous() -> None:
    """The expansion and the difference of log gammas meet."""
    k = 30
    alpha = 1e6 * (k + 1.0) * np.array([1.0 - 1e-9, 1.0 + 1e-9])
    low, high = value_of(logp(faces.NegativeBinomial.dist(12.5, alpha), k))
    assert abs(low - high) < 1e-7


def test_normal_tails() -> None:
    import scipy.stats

    x = np.array([-400.0, -30.0001, -29.999, -8.0, 0.0, 5.0, 9.0])
    got = value_of(faces.Normal.dist().node.attrs[0].logcdf(x, mu=0.0, sigma=1.0))
    np.testing.assert_allclose(got, scipy.stats.norm.logcdf(x), rtol=1e-13)
    q = np.array([1e-300, 1e-20, 0.3, 0.999])
    np.testing.assert_allclose(value_of(icdf(faces.Normal.dist(), q)), scipy.stats.norm.ppf(q))


# -- messages ------------------------------------------------------------------------------------

N, D = faces.Normal, faces.Dirichlet
WRONG: list[tuple[Any, type[FinettiError], list[str]]] = [
    (lambda: N.dist(0, sd=2), ParameterError, ["Normal.dist", "sd=2", "Write sigma= instead"]),
    (lambda: N("x", 0, 1, testval=3), ParameterError, ["Normal 'x'", "testval=3", "initval="]),
    (lambda: N("x", 0, sigam=1), ParameterError, ["Normal 'x'", "sigam", "Did you mean 'sigma'"]),
    (lambda: N("x", 0, 1, obs=3), ParameterError, ["obs=3", "observed="]),
    (lambda: faces.Poisson.dist(lam=3), ParameterError, ["Poisson", "lam=3", "mu="]),
    (lambda: N.dist(0, 1, 2), ParameterError, ["got sigma, tau", "(sigma) or (tau)"]),
    (lambda: N.dist(0, 1, tau=2), ParameterError, ["got sigma, tau"]),
    (lambda: faces.Beta("p", 1), ParameterError, ["Beta 'p'", "got alpha", "(mu, nu)"]),
    (lambda: faces.Beta("p"), ParameterError, ["got none", "(alpha, beta)"]),
    (lambda: faces.Cauchy.dist(1.0), ParameterError, ["parameter beta is missing", "alpha, beta"]),
    (lambda: faces.Binomial.dist(p=0.5), ParameterError, ["parameter n is missing"]),
    (lambda: faces.MvNormal.dist(0.0), ParameterError, ["MvNormal", "(cov)", "(tau)"]),
    (lambda: faces.MvNormal.dist(0, chol=COV, lower=3), ParameterError, ["lower=3"]),
    (lambda: N(0, 1), ParameterError, ["forget the name", "pm.Normal('x', 0, 1)", ".dist(0, 1)"]),
    (lambda: N(), ParameterError, ["has no name"]),
    (lambda: N(mu=3), ParameterError, ["pm.Normal('x', ...)", "pm.Normal.dist(mu=3)"]),
    (lambda: N.dist("x"), ParameterError, ["got the name 'x'"]),
    (lambda: N.dist(mu=N), ParameterError, ["mu=pm.Normal", "pm.Normal.dist(...)"]),
    (lambda: N.dist(1, 2, 3, 4), ParameterError, ["4 positional", "mu, sigma, tau"]),
    (lambda: N.dist(1, mu=2), ParameterError, ["got mu twice"]),
    (lambda: N.dist(0, 1, observed=2), ParameterError, ["keyword observed", "without a model"]),
    (lambda: N.dist(shape=2, size=2), ParameterError, ["shape=2", "size=2", "one of them"]),
    (lambda: N.dist(shape="city"), ParameterError, ["Did you mean dims='city'"]),
    (lambda: N.dist(shape=N.dist()), ParameterError, ["is a tensor"]),
    (lambda: N.dist(shape=(2, ...)), NotYetSupported, ["Ellipsis", "number"]),
    (lambda: N.dist(shape=2.5), FinettiError, ["2.5"]),
    (lambda: N.dist(shape=-1), ShapeError, ["-1"]),
    (lambda: N("x", rng=3), NotYetSupported, ["rng=3", "random_seed"]),
    (lambda: N("x", total_size=3), NotYetSupported, ["total_size=3"]),
    (lambda: N.dist(["a"]), DtypeError, ["Normal.dist", "mu=['a']"]),
    (lambda: N.dist([[1.0], [1.0, 2.0]]), ShapeError, ["mu=", "different lengths"]),
    (lambda: N.dist([0, 1, 2], [1, 2]), ShapeError, ["mu (3,)", "sigma (2,)"]),
    (lambda: N.dist([0, 1, 2], shape=2), ShapeError, ["shape=2", "mu (3,)"]),
    (lambda: D.dist([1, 1, 1], shape=(2, 2)), ShapeError, ["(2, 2)", "a (3,)"]),
    (lambda: D.dist(1.0), ShapeError, ["a has shape ()", "a=[1, 1, 1]"]),
    (lambda: faces.Categorical.dist(0.3), ShapeError, ["p has shape ()"]),
    (lambda: faces.Categorical.dist([0.5, -0.5, 1]), ParameterError, ["negative"]),
    (lambda: faces.MvNormal.dist(0, [1.0, 1.0]), ShapeError, ["cov has shape (2,)", "pm.Normal"]),
    (lambda: faces.MvNormal.dist([0.0, 0.0], COV), ShapeError, ["mu (2,)", "(3, 3)"]),
    (lambda: logp(3.0, 1.0), ParameterError, ["logp got 3.0"]),
    (lambda: logp(N.dist() + 1, 1.0), NotYetSupported, ["random variables themselves"]),
    (lambda: icdf(faces.Poisson.dist(2.0), 0.5), NotYetSupported, ["icdf of Poisson"]),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_messages(wrong: Any, error: type[FinettiError], words: list[str]) -> None:
    with pytest.raises(error) as caught:
        wrong()
    for word in words:
        assert word in str(caught.value)


def test_unknown_numbers_of_rescaled_probabilities() -> None:
    with pytest.warns(UserWarning, match="instead of 1.0"):
        rv = faces.Categorical.dist([1.0, 1.0, 2.0])
    np.testing.assert_allclose(value_of(logp(rv, [0, 2])), np.log([0.25, 0.5]))


# -- data ----------------------------------------------------------------------------------------

OUTSIDE: list[tuple[Any, Any, list[str]]] = [
    (faces.Poisson.dist(2.0), [1, 2, -3, -4], ["row 2 is -3", "whole numbers >= 0", "2 of 4"]),
    (faces.Poisson.dist(2.0), [1.0, 2.5], ["row 1 is 2.5"]),
    (faces.Binomial.dist(10, 0.5), [3, 11], ["row 1 is 11", "from 0 to 10"]),
    (faces.Binomial.dist([10, 20], 0.5), [12, 12], ["row 0 is 12"]),
    (faces.Bernoulli.dist(0.5), [0, 1, 2], ["row 2 is 2", "0 and 1"]),
    (faces.Categorical.dist([0.5, 0.5]), [0, 2], ["row 1 is 2", "from 0 to 1"]),
    (faces.Beta.dist(1.0, 1.0), [[0.2, 0.3], [0.1, 1.2]], ["row 1 (at [1, 1]) is 1.2"]),
    (faces.Gamma.dist(1.0, 1.0), -2.0, ["the value is -2"]),
    (faces.LogNormal.dist(), [0.0], ["positive"]),
    (faces.Uniform.dist(-1, 2), [-2.0], ["from -1 to 2"]),
    (faces.Normal.dist(), [np.inf], ["row 0 is inf", "real"]),
    (faces.Dirichlet.dist([1, 1]), [[0.5, 0.5], [0.5, 0.6]], ["row 1 is [0.5 0.6]", "sum to 1"]),
    (faces.Normal.dist(), ["a"], ["dtype <U1"]),
]


@pytest.mark.parametrize(("rv", "data", "words"), OUTSIDE, ids=range(len(OUTSIDE)))
def test_data_outside_the_support(rv: Any, data: Any, words: list[str]) -> None:
    with pytest.raises(SupportError) as caught:
        check_data(rv, data, "y")
    for word in ["'y'", *words]:
        assert word in str(caught.value)


def test_data_inside_the_support() -> None:
    counts = check_data(faces.Poisson.dist(2.0), [1.0, 3.0], "y")
    assert counts.dtype == np.int64
    assert check_data(faces.Normal.dist(), [1, 3], "y").dtype == np.float64
    assert check_data(faces.Bernoulli.dist(0.5), [True, False], "y").dtype == np.int64


def test_bounds_that_are_random_do_not_decide() -> None:
    n = faces.Poisson.dist(5.0)
    assert check_data(faces.Binomial.dist(n, 0.5), [3, 100], "y").tolist() == [3, 100]
    with pytest.raises(SupportError, match="row 0 is -3"):
        check_data(faces.Binomial.dist(n, 0.5), [-3, 100], "y")
    with pytest.raises(SupportError, match="row 1 is 5"):
        check_data(faces.Uniform.dist(faces.Normal.dist(), 4.0), [3.0, 5.0], "y")


def test_missing_data() -> None:
    with pytest.raises(NotYetSupported, match="1 missing values.*row 2"):
        check_data(faces.Normal.dist(), [1.0, 2.0, np.nan], "y")


def test_bad_parameters_are_named() -> None:
    dist = DISTRIBUTIONS["Normal"]
    assert bad_parameters(dist, {"mu": 0.0, "sigma": 1.0}) == []  # type: ignore[dict-item]
    (sentence,) = bad_parameters(dist, {"mu": np.zeros(2), "sigma": np.array([1.0, -2.0])})
    assert "sigma is -2" in sentence and "positive" in sentence
