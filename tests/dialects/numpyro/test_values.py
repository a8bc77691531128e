"""Models in NumPyro's spelling against NumPyro's stored numbers, in JAX and in finetti's graph."""

from __future__ import annotations

import json
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.dialects.numpyro.models import MODELS
from tests.dialects.numpyro.models_more import MORE
from tests.dialects.numpyro.models_words import WORDS
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti as pm
import finetti.numpyro as numpyro
from finetti.backends import reference
from finetti.dialects.jaxpr.boxes import CallsJaxWarning
from finetti.dialects.numpyro.infer import MCMC, NUTS
from finetti.dialects.numpyro.infer.util import (
    constrain_fn,
    get_transforms,
    log_density,
    potential_energy,
)
from finetti.dialects.numpyro.translate import translate
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input
from finetti.model.compile import compile_density
from finetti.model.logdensity import bijector_of
from finetti.passes.grad import gradient

STORED = json.loads((Path(__file__).parents[2] / "data" / "numpyro_values.json").read_text())
TOL = 1e-8  # relative; both sides add some hundred terms in 64 bits
ALL = {**MODELS, **MORE, **WORDS}


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def made(name):
    if name == "predator_and_prey":  # its equations are solved by JAX, which is said
        warnings.simplefilter("ignore", CallsJaxWarning)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return ALL[name](numpyro, dist, jnp, rng)


@pytest.mark.parametrize("name", sorted(ALL))
def test_potential_energy_and_gradient_are_numpyros(name):
    # through from_jax, so that nothing is compiled by XLA: the import of jaxprs is tested with it
    model, kwargs = made(name)
    rows = STORED["models"][name]
    z = {n: new_input(n, np.shape(v)) for n, v in rows[0]["z"].items()}
    energy = pm.from_jax(lambda z: potential_energy(model, (), kwargs, z))(z)
    slopes = gradient(energy.node, [x.node for x in z.values()])
    for row in rows:
        values = {x.node: np.asarray(row["z"][n], float) for n, x in z.items()}
        value, *found = reference.evaluate([energy, *slopes], values)
        np.testing.assert_allclose(value, row["energy"], rtol=TOL)
        for n, g in zip(z, found, strict=True):
            wanted = row["gradient"][n]
            np.testing.assert_allclose(g, wanted, rtol=TOL, atol=1e-8, err_msg=n)


def test_potential_energy_in_jax():
    model, kwargs = made("eight_schools")
    row = STORED["models"]["eight_schools"][0]
    energy = jax.jit(jax.value_and_grad(lambda z: potential_energy(model, (), kwargs, z)))
    value, slope = energy({n: jnp.asarray(v) for n, v in row["z"].items()})
    np.testing.assert_allclose(value, row["energy"], rtol=TOL)
    for n, g in row["gradient"].items():
        np.testing.assert_allclose(slope[n], g, rtol=1e-7, atol=1e-8, err_msg=n)


def engine_point(translated, density, constrained):
    """The engine's vector for values of the sites."""
    point = {}
    known = {}
    for value in density.values:
        rv = density.frozen.rv(value.name)
        site = translated.sites[value.name]
        name = value.name
        if site.hidden:
            name = name[1 : -len("_unconstrained")]
            x = np.asarray(site.transform.inv(constrained[name]))
        else:
            x = np.asarray(constrained[name], float)
        args = reference.evaluate(rv.node.args, known)
        params = dict(zip(rv.dist.params, map(ops.as_tensor, args), strict=True))
        bijector = bijector_of(rv, params)
        u = x if bijector is None else reference.evaluate([bijector.forward(ops.as_tensor(x))])[0]
        point[value.value_name] = u
        known[rv.node] = x
    return point


@pytest.mark.parametrize("name", sorted(ALL))
def test_graph_is_the_same_density(name):
    model, kwargs = made(name)
    translated = translate(model, (), kwargs)
    density = translated.model.density()
    compiled = compile_density(None, None, density)
    logp = density.logp().node

    def sites(z):
        constrained = constrain_fn(model, (), kwargs, z)
        return log_density(model, (), kwargs, constrained)[0], constrained

    rows = STORED["models"][name]
    z = {n: new_input(n, np.shape(v)) for n, v in rows[0]["z"].items()}
    total, outputs = pm.from_jax(sites)(z)
    for row in rows:
        given = {x.node: np.asarray(row["z"][n], float) for n, x in z.items()}
        wanted, *found = reference.evaluate([total, *outputs.values()], given)
        constrained = dict(zip(outputs, found, strict=True))
        point = engine_point(translated, density, constrained)
        values = {node: point[node.attrs[0]] for node in density.inputs}
        (plain,) = reference.evaluate([density.logp(jacobian=False)], values)
        # parts of transforms that stand among the terms, as NumPyro has them
        jacobians = [f.name for f in density.factors if f.name.endswith("_log_det")]
        extra = sum(float(np.sum(reference.evaluate([density.factor(n).term], values)[0]))
                    for n in jacobians)  # fmt: skip
        np.testing.assert_allclose(float(plain) - extra, float(wanted), rtol=TOL)
        whole, *slopes = reference.evaluate([logp, *gradient(logp, density.inputs)], values)
        value, slope = compiled(compiled.layout.pack(point))
        np.testing.assert_allclose(value, float(whole), rtol=TOL)
        np.testing.assert_allclose(slope, np.concatenate([np.ravel(g) for g in slopes]),
                                   rtol=1e-7, atol=1e-8)  # fmt: skip


@pytest.mark.parametrize("name", sorted(ALL))
def test_models_are_sampled(name):
    model, kwargs = made(name)
    kernel = NUTS(model, max_tree_depth=4)
    mcmc = MCMC(kernel, num_warmup=15, num_samples=5, progress_bar=False)
    mcmc.run(jax.random.key(1), **kwargs)
    draws = mcmc.get_samples()
    sites = [n[1:].removesuffix("_unconstrained") if n.endswith("_unconstrained") else n
             for n in STORED["models"][name][0]["z"]]  # fmt: skip
    assert set(sites) <= set(draws)
    for site, values in draws.items():
        assert len(values) == 5 and np.isfinite(values).all(), site
        moved = not np.array_equal(values[0], values[-1])
        assert moved, f"{site} has not moved"


def test_counts_are_scipys():
    model, kwargs = made("count_models")
    translated = translate(model, (), kwargs)
    y, k = kwargs["y"], kwargs["k"]
    for mean, conc, p in ((0.4, 0.7, 0.2), (3.0, 40.0, 0.9)):
        point = {"mean": mean, "conc": conc, "p": p}
        known = {translated.values[n].node: np.asarray(x) for n, x in point.items()}
        found = reference.evaluate([translated.terms["y"], translated.terms["k"]], known)
        wanted = (stats.nbinom.logpmf(y, conc, conc / (conc + mean)),
                  stats.betabinom.logpmf(k, 9, 1 + p, 2.0))  # fmt: skip
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=TOL)


def test_transforms_are_found_by_site():
    model, kwargs = made("eight_schools")
    found = get_transforms(model, (), kwargs, {"mu": 0.0, "tau": 1.0, "theta": np.zeros(8)})
    assert sorted(found) == ["mu", "tau", "theta"]
    assert float(found["tau"](0.0)) == 1.0
