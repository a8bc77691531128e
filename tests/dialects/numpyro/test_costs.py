"""What a run must not cost: nothing compiled by JAX, no loop of quadratic length."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import finetti.numpyro.distributions as dist

import finetti.numpyro as numpyro
from finetti.dialects.numpyro.contrib.control_flow import scan
from finetti.dialects.numpyro.infer.device import to_jax
from finetti.dialects.numpyro.translate import translate
from finetti.ir import topological
from finetti.ir.ops.control import body_of, scan_op
from finetti.passes import pipeline

Y = np.sin(np.arange(60.0))


def levels(y: Any) -> None:
    """A local level whose latent sites are in a loop."""
    drift = numpyro.sample("drift", dist.HalfNormal(1.0))

    def step(level: Any, now: Any) -> Any:
        level = numpyro.sample("level", dist.Normal(0.9 * level, drift))
        numpyro.sample("y", dist.Normal(level, 0.5), obs=now)
        return level, level

    scan(step, 0.0, y)


def test_values_of_latent_sites_in_loops_are_walked_not_looked_up() -> None:
    density = translate(levels, (Y,)).model.density()
    outputs = pipeline.density(density.logp().node, density.inputs)
    for node in topological(outputs):
        if node.op is scan_op:
            inner = topological(body_of(node).outputs)
            assert all(part.op.name not in ("index", "index_add") for part in inner)


def test_jax_compiles_nothing_for_a_run(caplog: pytest.LogCaptureFixture) -> None:
    key = jax.random.PRNGKey(0)
    mcmc = numpyro.infer.MCMC(numpyro.infer.NUTS(levels), num_warmup=20, num_samples=23,
                              num_chains=2, progress_bar=False)  # fmt: skip
    with jax.log_compiles(), caplog.at_level(logging.DEBUG):
        mcmc.run(key, Y, extra_fields=("num_steps",))
        mcmc.get_samples(), mcmc.get_extra_fields(group_by_chain=True)
        mcmc.print_summary()
    compiled = [r.getMessage() for r in caplog.records if "XLA compilation" in r.getMessage()]
    assert not compiled


@pytest.mark.parametrize("dtype", [float, int, bool])
def test_arrays_for_jax_are_copies_in_its_precision(dtype: type) -> None:
    own = np.ones((3, 5), dtype)
    given = to_jax(own)
    own[:] = 0
    assert isinstance(given, jax.Array) and np.asarray(given).all()
    assert given.dtype == jax.numpy.zeros(0, dtype).dtype
