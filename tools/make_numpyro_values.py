"""Store NumPyro's potential energies and gradients of the models of the NumPyro dialect's tests.

    python tools/make_numpyro_values.py

Needs numpyro, which nothing else here does. Writes tests/data/numpyro_values.json.

JAX's `betaln` is off by 1e-6 in 64 bits where both arguments are large; NumPyro is given one that
is not. The tests compare the counts that depend on it with SciPy as well. Bessel functions, for
which it asks TensorFlow Probability, are integrals here.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zlib
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.contrib.control_flow
import numpyro.contrib.hsgp.spectral_densities
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro import diagnostics
from numpyro.distributions import conjugate, continuous
from numpyro.infer.util import initialize_model, potential_energy

from _repo import ROOT

sys.path.insert(0, str(ROOT / "tests/dialects/numpyro"))
from models import MODELS
from models_more import MORE
from models_words import WORDS


def exact_betaln(a: Any, b: Any) -> Any:
    """The logarithm of the beta function, to 1e-14 where JAX's own has 1e-6."""
    return gammaln(a) + gammaln(b) - gammaln(a + b)


for _module in (conjugate, continuous):
    _module.betaln = exact_betaln


def first_kind(v: Any, z: Any) -> Any:
    """The Bessel function I of whole orders, for which NumPyro asks TensorFlow Probability."""
    angle = (jnp.arange(400) + 0.5) * (jnp.pi / 400)
    v, z = (jnp.asarray(x)[..., None] for x in (v, z))
    return jnp.mean(jnp.exp(z * jnp.cos(angle)) * jnp.cos(v * angle), -1)


def second_kind(v: Any, z: Any) -> Any:
    """The Bessel function K."""
    t = jnp.linspace(0.0, 20.0, 20_001)
    v, z = (jnp.asarray(x)[..., None] for x in (v, z))
    return jnp.trapezoid(jnp.exp(-z * jnp.cosh(t)) * jnp.cosh(v * t), t, axis=-1)


numpyro.contrib.hsgp.spectral_densities.modified_bessel_first_kind = first_kind
numpyro.contrib.hsgp.spectral_densities.modified_bessel_second_kind = second_kind


def listed(tree: dict[str, Any]) -> dict[str, Any]:
    """Arrays as lists."""
    return {name: np.asarray(x).tolist() for name, x in sorted(tree.items())}


def values(name: str, maker: Any) -> list[dict[str, Any]]:
    """Two points of a model, its potential energy and the gradient there."""
    model, kwargs = maker(numpyro, dist, jnp, np.random.default_rng(zlib.crc32(name.encode())))
    info = initialize_model(jax.random.key(0), model, model_kwargs=kwargs)
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    energy = jax.value_and_grad(lambda z: potential_energy(model, (), kwargs, z))
    rows = []
    for width in (0.3, 1.0):
        z = {n: rng.normal(0.0, width, np.shape(x)) for n, x in sorted(info.param_info.z.items())}
        value, slope = energy(z)
        rows.append({"z": listed(z), "energy": float(value), "gradient": listed(slope)})
    return rows


def diagnosed() -> dict[str, Any]:
    """Diagnostics of seeded draws, and the table that is printed of them."""
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(3, 50, 2))
    x = np.concatenate([steps[:, :1], 0.6 * steps[:, :-1] + steps[:, 1:]], axis=1)[:, 1:]
    samples = {"b": x[..., 0] * 3 + 1, "a_longer_name": x}
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        diagnostics.print_summary(samples, prob=0.8)
    found = {
        name: np.asarray(getattr(diagnostics, name)(x)).tolist()
        for name in ("gelman_rubin", "split_gelman_rubin", "effective_sample_size")
    }
    found["hpdi"] = diagnostics.hpdi(x.reshape(-1, 2), 0.7).tolist()
    found["autocorrelation"] = diagnostics.autocorrelation(x, axis=1)[:, :5].tolist()
    found["autocovariance"] = diagnostics.autocovariance(x, axis=1, bias=False)[:, :5].tolist()
    return {"draws": x.tolist(), "table": text.getvalue(), "values": found}


def main() -> None:
    """Write the file."""
    found = {}
    for name, maker in {**MODELS, **MORE, **WORDS}.items():
        found[name] = values(name, maker)
        print(name, found[name][0]["energy"])
    contents = {
        "numpyro": numpyro.__version__, "models": found, "diagnostics": diagnosed()
    }  # fmt: skip
    path = ROOT / "tests/data/numpyro_values.json"
    path.write_text(json.dumps(contents) + "\n")


if __name__ == "__main__":
    main()
