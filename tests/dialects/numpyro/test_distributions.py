"""NumPyro's distributions, constraints and transforms against stored values of NumPyro.

`tools/make_numpyro_reference.py` wrote the values. What a graph means is asked of the reference
backend here (`graphs` is told to), which costs no compilation: that JAX computes the same is the
business of `tests/backends/test_jax.py`, and of the second half of this file.

Draws have fixed keys; each moment is within 6 of its standard errors, so that all of them together
raise a false alarm once in 10^6 changes of key.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from tests.dist.helpers import decode
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import jax.numpy as jnp

from finetti.backends.reference import evaluate
from finetti.dialects.numpyro import distributions as d
from finetti.dialects.numpyro.distributions import graphs
from finetti.dist.composed import made as record_of
from finetti.errors import NotYetSupported
from finetti.ir import ops

DATA = Path(__file__).parents[2] / "data" / "numpyro_dist_reference.json"
REFERENCE = json.loads(DATA.read_text())
ROWS = REFERENCE["distributions"]
by_row = pytest.mark.parametrize("row", ROWS, ids=[row["expr"] for row in ROWS])
# JAX's betaln and the difference of its gammaln lose digits, ours do not: `tests/dist` has SciPy's.
BETALN = ("BetaBinomial", "BetaNegative", "GammaPoisson", "NegativeBinomial", "DirichletMulti")


@pytest.fixture(autouse=True)
def in_64_bits():
    with jax.enable_x64(True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def by_reference(monkeypatch):
    """Graphs are evaluated by the reference backend."""

    def function(build: Any, static: Any, kinds: Any, precision: bool) -> Any:
        inputs = graphs._inputs(kinds)
        nodes = [x.node for x in inputs]
        output = ops.as_tensor(build(static, *inputs)).node
        return lambda *arrays: jnp.asarray(
            evaluate([output], dict(zip(nodes, map(np.asarray, arrays), strict=True)))[0]
        )

    monkeypatch.setattr(graphs, "_function", function)


def made(expr: str) -> Any:
    """The object of an expression."""
    names = {"d": d, "T": d.transforms, "C": d.constraints, "np": np}
    return eval(expr, {**names, "a": lambda x: jnp.asarray(np.asarray(x, float))})  # noqa: S307


def close(got: Any, expected: Any, rtol: float = 1e-10, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(np.asarray(got), decode(expected), rtol=rtol, atol=atol)


# -- what graphs mean ----------------------------------------------------------------------------


@by_row
def test_log_prob_and_shapes(by_reference: None, row: dict[str, Any]) -> None:
    dist = made(row["expr"])
    assert list(dist.batch_shape) == row["batch_shape"]
    assert list(dist.event_shape) == row["event_shape"]
    assert dist.shape((3,)) == (3, *row["batch_shape"], *row["event_shape"])
    assert dist.has_rsample == row["has_rsample"]
    if row["discrete"] is not None:
        assert dist.support.is_discrete == row["discrete"]
    lossy = any(name in row["expr"] for name in BETALN)
    close(dist.log_prob(decode(row["values"])), row["log_prob"], 1e-5 if lossy else 1e-10)


def negative_binomial(mean: Any, concentration: Any) -> Any:
    return stats.nbinom(concentration, concentration / (concentration + np.asarray(mean)))


# Where NumPyro's own numbers lose digits, SciPy's stand beside them.
EXACT = {
    "d.BetaBinomial(2.0, 3.0, 8)": stats.betabinom(8, 2.0, 3.0),
    "d.BetaBinomial(a([0.7, 4.0]), 1.5, 20)": stats.betabinom(20, [0.7, 4.0], 1.5),
    "d.GammaPoisson(2.0, 3.0)": stats.nbinom(2.0, 3.0 / 4.0),
    "d.GammaPoisson(a([0.7, 4.0]), 0.2)": stats.nbinom([0.7, 4.0], 0.2 / 1.2),
    "d.NegativeBinomial2(4.0, 3.0)": negative_binomial(4.0, 3.0),
    "d.NegativeBinomial2(a([0.7, 14.0]), 0.8)": negative_binomial([0.7, 14.0], 0.8),
    "d.NegativeBinomial(4.0, 0.3)": stats.nbinom(4.0, 0.7),
    "d.NegativeBinomial(a([0.7, 14.0]), 0.6)": stats.nbinom([0.7, 14.0], 0.4),
    "d.NegativeBinomial(4.0, logits=0.3)": stats.nbinom(4.0, special.expit(-0.3)),
    "d.NegativeBinomial(a([0.7, 14.0]), logits=-0.6)": stats.nbinom(
        [0.7, 14.0], special.expit(0.6)
    ),
}


@pytest.mark.parametrize("expr", EXACT)
def test_counts_have_all_digits(by_reference: None, expr: str) -> None:
    (values,) = (decode(row["values"]) for row in ROWS if row["expr"] == expr)
    np.testing.assert_allclose(
        np.asarray(made(expr).log_prob(values)), EXACT[expr].logpmf(values), rtol=1e-11
    )


def test_dirichlet_multinomial_has_all_digits(by_reference: None) -> None:
    got = made("d.DirichletMultinomial(a([0.7, 3.0, 1.5]), 8)").log_prob(jnp.array([2, 5, 1]))
    want = stats.dirichlet_multinomial([0.7, 3.0, 1.5], 8).logpmf([2, 5, 1])
    np.testing.assert_allclose(float(got), want, rtol=1e-11)


@by_row
def test_moments_and_probabilities(by_reference: None, row: dict[str, Any]) -> None:
    dist = made(row["expr"])
    for name in ("mean", "variance"):
        if row[name] is not None:
            got = np.asarray(getattr(dist, name))
            expected = np.broadcast_to(decode(row[name]), got.shape)
            np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)
    if row["entropy"] is not None:
        got = np.asarray(dist.entropy())
        expected = np.broadcast_to(decode(row["entropy"]), got.shape)
        lossy = row["expr"].startswith("d.StudentT")  # JAX's betaln again
        np.testing.assert_allclose(got, expected, rtol=1e-6 if lossy else 1e-8)
    if row["cdf"] is not None:
        close(dist.cdf(decode(row["values"])), row["cdf"], 1e-9)
    # NumPyro's quantiles of whole numbers are not whole.
    if row["icdf"] is not None and not row["discrete"]:
        close([dist.icdf(q) for q in (0.01, 0.3, 0.9)], row["icdf"], 1e-8)
    if row["enumerate"] is not None:
        close(dist.enumerate_support(), row["enumerate"])


@by_row
def test_as_a_tree_and_lowered(by_reference: None, row: dict[str, Any]) -> None:
    dist, values = made(row["expr"]), decode(row["values"])
    again = jax.tree.unflatten(jax.tree.structure(dist), jax.tree.leaves(dist))
    assert again.shape() == dist.shape()
    lowered = dist._lower()
    if lowered is None or lowered.mask is not None:
        return
    given = {name: ops.as_tensor(np.asarray(x)) for name, x in lowered.params.items()}
    record, params = record_of(lowered.record, given)
    total = record.logp(values, inside=True, **params)
    batch = total.shape[: total.ndim - lowered.event_dims_reinterpreted]
    summed = evaluate([ops.sum_(total)])[0]
    expected = np.asarray(decode(row["log_prob"]))
    if batch == expected.shape:
        np.testing.assert_allclose(summed, expected.sum(), rtol=1e-6)


@pytest.mark.parametrize("case", REFERENCE["transforms"], ids=lambda case: case["expr"])
def test_transforms(by_reference: None, case: dict[str, Any]) -> None:
    way, x = made(case["expr"]), jnp.asarray(decode(case["x"]))
    y = way(x)
    close(y, case["y"])
    close(way.log_abs_det_jacobian(x, y), case["log_det"])
    close(way.inv(y), case["back"], 1e-9)
    assert list(way.forward_shape(x.shape)) == case["forward_shape"]
    assert list(way.inverse_shape(y.shape)) == case["inverse_shape"]
    assert (way.domain.event_dim, way.codomain.event_dim) == (case["domain"], case["codomain"])
    assert way == made(case["expr"]) and way != d.transforms.AbsTransform()
    again = jax.tree.unflatten(jax.tree.structure(way), jax.tree.leaves(way))
    close(again(x), case["y"])


@pytest.mark.parametrize("case", REFERENCE["constraints"], ids=lambda case: case["expr"])
def test_constraints(by_reference: None, case: dict[str, Any]) -> None:
    constraint, members = made(case["expr"]), np.asarray(decode(case["members"]))
    np.testing.assert_array_equal(constraint(members), case["inside"])
    np.testing.assert_array_equal(constraint(jnp.asarray(members)), case["inside"])
    assert constraint.is_discrete == case["discrete"]
    assert constraint.event_dim == case["event_dim"]
    assert repr(constraint) == case["repr"]
    assert constraint == made(case["expr"])
    if case["feasible"] is not None:
        close(constraint.feasible_like(members), case["feasible"])
        assert np.all(constraint(constraint.feasible_like(jnp.asarray(members))))
    if case["free"] is not None:
        way, u = d.biject_to(constraint), jnp.asarray(decode(case["free"]))
        close(way(u), case["value"])
        close(way.log_abs_det_jacobian(u, way(u)), case["log_det"])
        close(way.inv(way(u)), case["free"], 1e-8, 1e-8)


@pytest.mark.parametrize("case", REFERENCE["kl"], ids=lambda case: case["p"])
def test_divergences(by_reference: None, case: dict[str, Any]) -> None:
    close(d.kl_divergence(made(case["p"]), made(case["q"])), case["kl"], 1e-8)


def test_every_name_is_there_or_refused_by_name() -> None:
    for name in REFERENCE["names"]:
        try:
            assert getattr(d, name) is not None
        except NotYetSupported as error:
            assert name in str(error) and name in d.MISSING
    with pytest.raises(AttributeError, match="no attribute 'Norml'"):
        d.Norml  # noqa: B018
    from finetti.dialects.numpyro.distributions.continuous import Normal

    assert Normal is d.Normal and d.discrete.Poisson is d.Poisson


# -- in JAX --------------------------------------------------------------------------------------

FREQUENT = (
    "d.Normal(a([0.0, -3.0, 2.0]), a([[1.0], [0.3]]))",
    "d.HalfNormal(a([0.2, 3.0]))",
    "d.Gamma(a([0.7, 5.0]), a([[1.0], [2.0]]))",
    "d.Bernoulli(logits=a([-2.0, 4.0]))",
    "d.Binomial(10, 0.3)",
    "d.Categorical(logits=a([[0.2, 0.3, 0.5], [2.6, -0.3, 0.1]]))",
    "d.Dirichlet(a([[0.7, 3.0], [2.0, 2.0]]))",
    "d.MultivariateNormal(a([[0.3, -1.0], [2.0, 0.0]]), scale_tril=a([[1.2, 0.0], [0.3, 0.8]]))",
    "d.TruncatedNormal(0.5, 2.0, low=0.0)",
    "d.MixtureSameFamily(d.Categorical(a([0.2, 0.8])), d.Normal(a([0.0, 3.0]), 1.0))",
)
by_frequent = pytest.mark.parametrize(
    "row", [row for row in ROWS if row["expr"] in FREQUENT], ids=lambda row: row["expr"]
)


@by_frequent
def test_under_jit_vmap_and_grad(row: dict[str, Any]) -> None:
    dist, values = made(row["expr"]), decode(row["values"])
    expected = np.asarray(decode(row["log_prob"]))
    leaves, tree = jax.tree.flatten(dist)

    def logp(parts: list[Any], x: Any) -> Any:
        return jax.tree.unflatten(tree, parts).log_prob(x)

    def total(parts: list[Any]) -> Any:
        return logp(parts, values).sum()

    @jax.jit
    def both(parts: list[Any]) -> Any:
        mapped = jax.vmap(logp, (None, 0))(parts, jnp.asarray(values))
        return mapped, *jax.value_and_grad(total)(parts)

    floats = [jnp.asarray(x, float) for x in leaves]
    mapped, _, slopes = both(floats)
    np.testing.assert_allclose(mapped, expected, rtol=1e-10, atol=1e-10)
    for k, slope in enumerate(slopes):
        if "Multivariate" in row["expr"] and k:  # what is above the diagonal does not count
            slope = np.tril(slope)
        # Alternating, so that probabilities still sum to 1.
        step = 1e-5 * (1.0 - 2.0 * (np.indices(slope.shape).sum(0) % 2)) * (slope != 0)
        up, down = (
            both([*floats[:k], floats[k] + s * step, *floats[k + 1 :]])[1] for s in (1.0, -1.0)
        )
        np.testing.assert_allclose(np.sum(slope * step), (up - down) / 2.0, rtol=2e-6, atol=1e-10)


@by_frequent
def test_draws_have_the_moments(row: dict[str, Any]) -> None:
    many = 4000
    dist = made(row["expr"])
    drawn = np.asarray(jax.jit(lambda key: dist.sample(key, (many,)))(jax.random.key(7)), float)
    assert drawn.shape == dist.shape((many,))
    assert np.all(dist.support(drawn))
    if row["mean"] is None or "nan" in str(row["mean"]):
        return
    mean, variance = (np.asarray(decode(row[name])) for name in ("mean", "variance"))
    np.testing.assert_array_less(abs(drawn.mean(0) - mean), 6.0 * np.sqrt(variance / many) + 1e-12)
    square = (drawn - mean) ** 2
    error = square.std(0) / np.sqrt(many)
    np.testing.assert_array_less(abs(square.mean(0) - variance), 6.0 * error + 1e-12)


def test_old_keys_and_draws_that_can_be_differentiated() -> None:
    old = d.Poisson(3.0).sample(jax.random.PRNGKey(0), (2,))
    assert old.shape == (2,)
    slope = jax.grad(lambda s: d.Normal(1.0, s).rsample(jax.random.key(1)))(2.0)
    z = (d.Normal(1.0, 2.0).sample(jax.random.key(1)) - 1.0) / 2.0
    np.testing.assert_allclose(slope, z, rtol=1e-12)
    with pytest.raises(NotImplementedError):
        d.Bernoulli(0.3).rsample(jax.random.key(1))


def test_second_derivatives() -> None:
    got = jax.hessian(lambda v: d.Normal(v[0], v[1]).log_prob(0.7))(jnp.array([0.2, 1.5]))
    z = 0.5 / 1.5
    expected = np.array([[-1.0, -2.0 * z], [-2.0 * z, 1.0 - 3.0 * z * z]]) / 1.5**2
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_32_bits_give_32_bits() -> None:
    with jax.enable_x64(False):
        got = d.Gamma(2.0, 3.0).log_prob(0.5)
        assert got.dtype == jnp.float32
        np.testing.assert_allclose(got, 2 * np.log(3.0) + np.log(0.5) - 1.5, atol=1e-6)
        assert d.Poisson(3.0).sample(jax.random.key(0), (2,)).dtype == jnp.int32


# -- behaviour -----------------------------------------------------------------------------------


def test_parameters_are_checked_in_numpyros_words() -> None:
    with pytest.raises(ValueError, match="Normal distribution got invalid scale parameter."):
        d.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="BernoulliProbs distribution got invalid probs"):
        d.Bernoulli(jnp.array([0.3, 1.3]))
    d.Normal(0.0, -1.0, validate_args=False)
    with d.validation_enabled(False):
        d.Normal(0.0, -1.0)
    jax.jit(lambda s: d.Normal(0.0, s).loc)(-1.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'sd'"):
        d.Normal(0.0, sd=1.0)
    with pytest.raises(ValueError, match="One and only one of"):
        d.MultivariateNormal(jnp.zeros(2))


def test_values_outside_are_minus_infinity_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="Out-of-support values"):
        assert d.HalfNormal(1.0).log_prob(-1.0) == -np.inf
    assert jax.jit(lambda x: d.HalfNormal(1.0).log_prob(x))(-1.0) == -np.inf


def test_a_distribution_of_the_users_own() -> None:
    class Shell(d.Distribution):
        support = d.constraints.real_vector
        arg_constraints = {"radius": d.constraints.positive}

        def __init__(self, radius: Any, validate_args: Any = None) -> None:
            self.radius = radius
            super().__init__(jnp.shape(radius), (2,), validate_args=validate_args)

        def log_prob(self, value: Any) -> Any:
            return -((jnp.linalg.norm(value, axis=-1) - self.radius) ** 2)

    shell = Shell(2.0).expand((3,)).to_event(1)
    assert shell.event_shape == (3, 2) and shell._lower() is None
    assert shell.log_prob(jnp.zeros((3, 2))) == -12.0
    assert jax.tree.leaves(Shell(2.0)) == [2.0]
    with pytest.raises(ValueError, match="Shell distribution got invalid radius"):
        Shell(-1.0)
    with pytest.raises(NotYetSupported, match="component Shell has no record"):
        mixing = d.Categorical(jnp.array([0.5, 0.5]))
        d.MixtureSameFamily(mixing, Shell(jnp.ones(2))).log_prob(jnp.zeros(2))


def test_wrappers_lower_to_one_record() -> None:
    mask = np.array([True, False, True])
    lowered = d.Normal(0.0, 1.0).expand((3, 2)).to_event(1).mask(mask)._lower()
    assert lowered.record.key == "Normal" and lowered.expand_shape == (3, 2)
    assert lowered.event_dims_reinterpreted == 1 and lowered.mask.shape == (3, 1)
    assert d.TruncatedNormal(0.0, 1.0, low=0.0)._lower().record.key == "TruncatedNormal"
    assert d.ImproperUniform(d.constraints.real, (), (2,))._lower().record.key == "Flat"
    assert set(d.Bernoulli(logits=0.3)._lower().params) == {"logit_p"}


@pytest.mark.parametrize(
    "expr",
    [
        "d.LogNormal(a([0.0, 1.0]), 0.5)",
        "d.InverseGamma(a([2.5, 6.0]), 1.5)",
        "d.LogUniform(0.5, a([4.0, 9.0]))",
        "d.Pareto(a([0.4, 1.0]), 3.0)",
        "d.ZeroSumNormal(0.7, (4,))",
    ],
)
def test_some_are_transformed_distributions_too(by_reference: None, expr: str) -> None:
    dist = made(expr)
    assert isinstance(dist, d.TransformedDistribution)
    parts = d.TransformedDistribution(dist.base_dist, dist.transforms)
    x = dist.sample(jax.random.key(3), (3,))
    np.testing.assert_allclose(parts.log_prob(x), dist.log_prob(x), rtol=1e-9)
    assert parts.shape() == dist.shape()
