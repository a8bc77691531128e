"""Words of NumPyro beside models against NumPyro's stored numbers and texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from tests.dialects.numpyro import words
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti.dialects.numpyro.contrib.hsgp import spectral_densities
from finetti.dialects.numpyro.contrib.render import render_model
from finetti.dialects.numpyro.distributions import util
from finetti.dialects.numpyro.infer.inspect import get_dependencies
from finetti.dialects.numpyro.ops.provenance import eval_provenance

DATA = Path(__file__).parents[2] / "data" / "numpyro_words.json"
STORED = json.loads(DATA.read_text())["values"]


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def compare(found, wanted, where):
    if isinstance(wanted, dict):
        # the order of some dicts is the order of a search
        assert sorted(found) == sorted(wanted), where
        for key, value in wanted.items():
            compare(found[key], value, f"{where}.{key}")
    elif isinstance(wanted, list) and any(isinstance(x, (dict, list, str)) for x in wanted):
        assert len(found) == len(wanted), where
        for i, value in enumerate(wanted):
            compare(found[i], value, f"{where}[{i}]")
    elif wanted is None or isinstance(wanted, (str, bool)):
        assert found == wanted, where
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12, err_msg=where)


@pytest.mark.parametrize("name", sorted(words.CASES))
def test_words_give_what_numpyros_give(name):
    compare(words.value(name, numpyro, jnp, jax.jit), STORED[name], name)


def test_inverse_functions_are_scipys():
    y = np.array([0.1, 0.7])
    np.testing.assert_allclose(util.betaincinv(2.0, 3.0, y), special.betaincinv(2.0, 3.0, y))
    np.testing.assert_allclose(util.gammaincinv(2.0, y), special.gammaincinv(2.0, y))


def test_updated_factor_is_that_of_the_sum():
    # NumPyro 0.22's is not: its update of the weights stands still
    factor, x = jnp.asarray(words._FACTOR), jnp.asarray(words._X)
    found = util.cholesky_update(factor, x, 0.7)
    wanted = words._SPD + 0.7 * words._X[:, :, None] * words._X[:, None, :]
    np.testing.assert_allclose(found @ found.swapaxes(-1, -2), wanted, rtol=1e-10)


def test_periodic_repeats():
    x = util.periodic_repeat(jnp.array([[0.0, 1.0], [2.0, 3.0]]), 5, 0)
    np.testing.assert_array_equal(x[:, 0], [0.0, 2.0, 0.0, 2.0, 0.0])


def test_draws_of_distributions_util():
    key, p = jax.random.key(0), jnp.array([0.2, 0.3, 0.5])
    assert np.isin(util.categorical(key, p, (50,)), [0, 1, 2]).all()
    assert (util.multinomial(key, p, 7, (4,)).sum(-1) == 7).all()
    assert util.binomial(key, p, 9).shape == (3,)
    assert (np.abs(util.von_mises_centered(key, p, (5, 3))) <= np.pi).all()


def test_second_kind_over_orders_and_arguments():
    v, z = np.meshgrid([0.0, 0.3, 1.0, 2.5, 40.0], [1e-4, 0.1, 1.0, 30.0, 400.0])
    found = spectral_densities._log_second_kind(jnp.asarray(v), jnp.asarray(z))
    wanted = np.log(special.kve(v, z)) - z
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_what_depends_on_a_point_depends_on_what_the_point_does():
    dist = numpyro.distributions

    def model():
        a = numpyro.sample("a", dist.Normal(0.0, 1.0))
        point = numpyro.sample("point", dist.Delta(a))
        numpyro.sample("y", dist.Normal(point, 1.0), obs=0.0)

    found = get_dependencies(model)
    assert found["prior_dependencies"] == {"a": {"a": set()}, "y": {"a": set(), "y": set()}}


def test_provenance_goes_through_calls_and_loops():
    def run(a, b, c):
        looped = jax.lax.fori_loop(0, 3, lambda i, x: x + b, a)
        return {"ab": looped, "c": jax.jit(lambda x, y: y)(a, c), "none": jnp.zeros(2)}

    one = jnp.array(1.0)
    found = eval_provenance(run, a=one, b=one, c=one)
    assert found == {"ab": {"a", "b"}, "c": {"c"}, "none": set()}


def test_drawings():
    models = words.graphs(numpyro, jnp)
    source = render_model(models["with_parameter"], render_distributions=True,
                          render_params=True).source  # fmt: skip
    for part in ('"a" -> "t"', '"s" -> "y"', '"s" [label="s" shape=plain]', 'label="N"',
                 r"y ~ Normal\l", "s ∈ Positive", '"t" [label="t" shape=box]'):  # fmt: skip
        assert part in source
    crossed = numpyro.render_model(models["crossed"]).source
    assert crossed.count("subgraph") == 3 and crossed.count('label="y"') == 2
    nested = numpyro.render_model(models["nested"]).source
    assert nested.index('label="c"') < nested.index('label="b"') < nested.index('label="a"')
