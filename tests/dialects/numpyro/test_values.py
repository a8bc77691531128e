"""Models in NumPyro's spelling against NumPyro's stored numbers, in JAX and in finetti's graph."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from tests.dialects.numpyro.models import MODELS
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti as pm
import finetti.numpyro as numpyro
from finetti.backends import reference
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
# JAX's betaln, which NumPyro's counts take, is off by 1e-6 in 64 bits where ours is SciPy's
TOLERANCES = {"count_models": (1e-6, 1e-5)}


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def made(name):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return MODELS[name](numpyro, dist, jnp, rng)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_potential_energy_and_gradient_are_numpyros(name):
    # through from_jax, so that nothing is compiled by XLA: the import of jaxprs is tested with it
    model, kwargs = made(name)
    rows = STORED["models"][name]
    tol, slope_tol = TOLERANCES.get(name, (TOL, 1e-7))
    z = {n: new_input(n, np.shape(v)) for n, v in rows[0]["z"].items()}
    energy = pm.from_jax(lambda z: potential_energy(model, (), kwargs, z))(z)
    slopes = gradient(energy.node, [x.node for x in z.values()])
    for row in rows:
        values = {x.node: np.asarray(row["z"][n], float) for n, x in z.items()}
        value, *found = reference.evaluate([energy, *slopes], values)
        np.testing.assert_allclose(value, row["energy"], rtol=tol)
        for n, g in zip(z, found, strict=True):
            wanted = row["gradient"][n]
            np.testing.assert_allclose(g, wanted, rtol=slope_tol, atol=1e-8, err_msg=n)


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


@pytest.mark.parametrize("name", sorted(MODELS))
def test_graph_is_the_same_density(name):
    model, kwargs = made(name)
    translated = translate(model, (), kwargs)
    density = translated.model.density()
    compiled = compile_density(None, None, density)

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
        (whole,) = reference.evaluate([density.logp()], values)
        found, slope = compiled(compiled.layout.pack(point))
        np.testing.assert_allclose(found, float(whole), rtol=TOL)
        assert np.isfinite(slope).all()


def test_transforms_are_found_by_site():
    model, kwargs = made("eight_schools")
    found = get_transforms(model, (), kwargs, {"mu": 0.0, "tau": 1.0, "theta": np.zeros(8)})
    assert sorted(found) == ["mu", "tau", "theta"]
    assert float(found["tau"](0.0)) == 1.0
