"""Mistakes in programs: what is said, and that it names the site."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti.dialects.numpyro.contrib.control_flow import cond, scan
from finetti.dialects.numpyro.infer import MCMC, NUTS, reparam
from finetti.dialects.numpyro.translate import check_continuous, translate
from finetti.errors import NotYetSupported, ParameterError, ShapeError, SupportError

sample, plate, Normal = numpyro.sample, numpyro.plate, dist.Normal
Y = np.arange(5.0)


def run(model, *args):
    mcmc = MCMC(NUTS(model), num_warmup=10, num_samples=10, progress_bar=False)
    mcmc.run(jax.random.key(0), *args)
    return mcmc


def twice():
    with plate("N", 3):
        sample("x", Normal(0, 1))
    with plate("N", 4):
        sample("z", Normal(0, 1))


def misfit(size, obs):
    def model():
        with plate("N", size):
            sample("y", Normal(0, sample("s", dist.HalfNormal(1.0))), obs=obs)

    return model


def branching(one, two):
    return lambda: cond(sample("c", Normal(0, 1)) > 0, one, two, None)


def site(name, fn, **rest):
    return lambda _: sample(name, fn, **rest)


def looped(_):
    return scan(lambda c, x: (sample("w", Normal(c, 1)), None), 0.0, jnp.arange(3))[0]


def masked_by(value):
    return lambda _: numpyro.handlers.scale(lambda: sample("x", Normal(0, 1)), value)()


MISTAKES = {
    "one name, two plates": (twice, ParameterError, "plate 'N' has size 4 here and 3 before"),
    "data too long": (misfit(4, Y), ShapeError,
                      r"site 'y': the data have shape \(5,\).*N \(dim -1, size 4\)"),
    "order": (lambda: sample(Normal(0, 1), "x"), TypeError, "the name comes first"),
    "PyMC's words": (lambda: sample("x", Normal(mu=0, sigma=1)), TypeError,
                     r"Normal: got an unexpected keyword argument 'mu'; it takes \(loc=0.0"),
    "no data": (lambda: sample("y", dist.Poisson(1.0)), NotYetSupported, "`obs=` was None"),
    "NaN": (lambda: sample("y", Normal(sample("m", Normal(0, 1)), 1), obs=np.array([1, np.nan])),
            RuntimeError, "data of site 'y' are NaN in row 1"),
    "no start": (lambda: numpyro.factor("f", jnp.log(-1 - sample("x", Normal(0, 1)) ** 2)),
                 RuntimeError, "Cannot find valid initial.*by `init_to_value`"),
    "one branch only": (branching(site("x", Normal(0, 1)), lambda _: 0.0), ParameterError,
                        "site 'x' is in the true branch only"),
    "two kinds": (branching(site("x", Normal(0, 1)), site("x", dist.Laplace(0, 1))),
                  ParameterError, "site 'x' is Normal of shape .* and Laplace of shape"),
    "observed once": (branching(site("x", Normal(0, 1)), site("x", Normal(0, 1), obs=1.0)),
                      ParameterError, "site 'x' has is_observed=False in the true"),
    "scaled once": (branching(masked_by(2.0), masked_by(3.0)), ParameterError,
                    "site 'x' has scale=2.0 in the true"),
    "loop in a branch": (branching(looped, looped), NotYetSupported, "'w' is in a `scan`"),
    "two results": (branching(lambda _: 0.0, lambda _: (0.0, 1.0)), ParameterError,
                    "return different structures"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_explained(name):
    model, kind, words = MISTAKES[name]
    with pytest.raises(kind, match=words):
        run(model)


@pytest.mark.parametrize("use", [
    lambda x: float(x), lambda x: x if x > 0 else 0.0, lambda x: np.log(x), lambda x: f"{x:.2f}",
])  # fmt: skip
def test_values_that_are_no_numbers_yet(use):
    with pytest.raises(Exception) as caught:  # noqa: PT011, as JAX and Python raise them
        run(lambda: use(sample("x", Normal(0, 1))))
    assert any("finetti traces the model" in note for note in caught.value.__notes__)


WARNED = {
    "missing plate": (lambda: _missing(), "for batch dimension -2 at site 'x'"),
    "column": (misfit(5, Y[:, None]), "make 25 terms of shape (5, 5)"),
}


def _missing():
    with plate("N", 5):
        sample("x", Normal(jnp.zeros((3, 1)), 1))


@pytest.mark.parametrize("name", WARNED)
def test_doubtful_shapes_are_warned_of(name):
    model, words = WARNED[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_continuous(translate(model), "NUTS")
    assert any(words in str(one.message) for one in caught)


def test_right_shapes_are_not():
    def model():
        sample("v", Normal(jnp.zeros(4), 1))  # in no plate
        with plate("a", 3, dim=-2), plate("b", 5):
            sample("x", Normal(jnp.zeros((3, 1)), 1).expand([3, 5]))
            sample("m", dist.MultivariateNormal(jnp.zeros(2), jnp.eye(2)))
        sample("y", Normal(0, 1), obs=Y)

        def step(c, i):
            with plate("b", 5):
                return sample("w", Normal(c, 1)), None

        scan(step, jnp.zeros(5), jnp.arange(3))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_continuous(translate(model), "NUTS")


REFUSED = {
    "NeuTra": (lambda: reparam.NeuTraReparam(None, None), NotYetSupported, "guide"),
    "not real": (lambda: _written(dist.LogNormal(0, 1), reparam.LocScaleReparam(0)), SupportError,
                 "'x' has the support"),
    "no scale": (lambda: _written(dist.Logistic(0, 1), reparam.TransformReparam()),
                 ParameterError, "expected a TransformedDistribution"),
    "Haar of a number": (lambda: _written(Normal(0, 1), reparam.HaarReparam()), ParameterError,
                         "needs 1. Write `.to_event"),
    "no angle": (lambda: _written(Normal(0, 1), reparam.CircularReparam()), ParameterError,
                 "no angle"),
    "a plate's axis": (lambda: _in_plate(reparam.HaarReparam()), ParameterError, "to_event"),
    "centered": (lambda: reparam.LocScaleReparam(1.5), SupportError, "0 to 1"),
}  # fmt: skip


def _written(fn, strategy):
    model = numpyro.handlers.reparam(lambda: sample("x", fn), config={"x": strategy})
    return numpyro.handlers.seed(numpyro.handlers.trace(model), 0)()


def _in_plate(strategy):
    def model():
        with plate("N", 3):
            sample("x", Normal(0, 1))

    reparametrised = numpyro.handlers.reparam(model, config={"x": strategy})
    return numpyro.handlers.seed(numpyro.handlers.trace(reparametrised), 0)()


@pytest.mark.parametrize("name", REFUSED)
def test_reparametrisations_refuse(name):
    ask, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        ask()
