"""Store what NumPyro's functions beside models give, for the tests of the NumPyro dialect.

    python tools/make_numpyro_words.py

Needs numpyro, which nothing else here does. Writes tests/data/numpyro_words.json.

Two Bessel functions, for which NumPyro asks TensorFlow Probability, are SciPy's here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro.contrib.hsgp import spectral_densities
from scipy import special

from _repo import ROOT

sys.path.insert(0, str(ROOT / "tests/dialects/numpyro"))
import words


def by_scipy(function: Any) -> Any:
    """A function of SciPy's of two arguments for traced arrays."""

    def call(v: Any, z: Any) -> Any:
        v, z = jnp.broadcast_arrays(jnp.asarray(v, float), jnp.asarray(z, float))
        kind = jax.ShapeDtypeStruct(v.shape, v.dtype)
        return jax.pure_callback(lambda *x: function(*map(np.asarray, x)), kind, v, z,
                                 vmap_method="broadcast_all")  # fmt: skip

    return call


spectral_densities.modified_bessel_first_kind = by_scipy(special.iv)
spectral_densities.modified_bessel_second_kind = by_scipy(special.kv)


def main() -> None:
    """Write the file."""
    found = {name: words.value(name, numpyro, jnp) for name in words.CASES}
    contents = {"numpyro": numpyro.__version__, "values": found}
    path = ROOT / "tests/data/numpyro_words.json"
    path.write_text(json.dumps(contents) + "\n")


if __name__ == "__main__":
    main()
