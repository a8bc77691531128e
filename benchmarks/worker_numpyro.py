"""Time NumPyro (XLA, float64). Run by ``benchmarks.run`` in the peers' environment."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpyro

numpyro.enable_x64()
numpyro.set_host_device_count(4)

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpyro.infer import MCMC, NUTS
from numpyro.infer.util import initialize_model

from benchmarks import worker
from benchmarks.native import Clock
from benchmarks.numpyro_models import MODELS, arguments
from benchmarks.problems import CHAINS, DRAWS, PROBLEMS, TUNE, flatten, test_point


def versions() -> dict[str, str]:
    return {"numpyro": numpyro.__version__, "jax": jax.__version__}


def log_density(name: str, data: tuple[Any, ...]) -> Any:
    """log density of a flat unconstrained vector in the order of ``Problem.variables``."""
    info = initialize_model(jax.random.PRNGKey(0), MODELS[name], model_args=data)
    values = {v: info.param_info.z[v] for v in PROBLEMS[name].variables}
    sizes = [int(np.size(values[v])) for v in values]
    stops = np.cumsum(sizes)[:-1]

    def function(x: Any) -> Any:
        parts = jnp.split(x, stops)
        named = {v: p.reshape(jnp.shape(values[v])) for v, p in zip(values, parts, strict=True)}
        return -info.potential_fn(named)

    return function


def time_gradient(function: Any, size: int) -> tuple[dict[str, Any], Clock]:
    """First jitted call, then microseconds a gradient inside ``lax.fori_loop``."""
    x = jnp.asarray(test_point(size))
    value_and_grad = jax.jit(jax.value_and_grad(function))
    with Clock() as compiling:
        value, slope = value_and_grad(x)
        value.block_until_ready()

    @jax.jit
    def loop(n: Any, x: Any) -> Any:
        def body(_: Any, carry: Any) -> Any:
            x, total = carry
            value, slope = jax.value_and_grad(function)(x)
            return x + 1e-12 * slope, total + value

        return jax.lax.fori_loop(0, n, body, (x, 0.0))

    def seconds(n: int) -> float:
        start = time.process_time()
        ravel_pytree(loop(n, x))[0].block_until_ready()
        return (time.process_time() - start) / n

    seconds(10)
    repeats = max(200, int(8e-3 / seconds(500)))
    us = statistics.median(seconds(repeats) for _ in range(15)) * 1e6
    return {"us": us, "logp": float(value), "dlogp": np.asarray(slope).tolist()}, compiling


def sample(name: str, data: tuple[Any, ...], seed: int) -> tuple[dict[str, Any], MCMC]:
    """Time one ``run`` as users call it: it compiles, every time anew."""

    def sampler() -> MCMC:
        return MCMC(
            NUTS(MODELS[name]),
            num_warmup=TUNE,
            num_samples=DRAWS,
            num_chains=CHAINS,
            chain_method="parallel",
            progress_bar=False,
        )

    warm = sampler()  # only to count the warm-up's gradients
    warm.warmup(jax.random.PRNGKey(seed), *data, extra_fields=("num_steps",), collect_warmup=True)
    mcmc = sampler()
    with Clock() as timed:
        mcmc.run(jax.random.PRNGKey(seed), *data, extra_fields=("num_steps", "diverging"))
        jax.block_until_ready(mcmc.get_samples())
    return {
        "seed": seed,
        "warmup_steps": int(warm.get_extra_fields()["num_steps"].sum()),
        "steps": int(mcmc.get_extra_fields()["num_steps"].sum()),
        "whole": {"cpu": timed.cpu, "wall": timed.wall},
        "divergences": int(mcmc.get_extra_fields()["diverging"].sum()),
    }, mcmc


def measure(name: str, folder: Path, number: int) -> dict[str, Any]:
    """Compile, time the gradient, sample (one seed a round: each run compiles for seconds)."""
    data = arguments(name)
    gradient, compiling = time_gradient(log_density(name, data), PROBLEMS[name].size)
    seed = worker.seeds(number)[0]
    run, mcmc = sample(name, data, seed)
    draws = flatten(PROBLEMS[name], mcmc.get_samples(group_by_chain=True))
    np.save(folder / f"draws-numpyro-{name}-{seed}.npy", draws)
    return {
        "compile": {"cpu": compiling.cpu, "wall": compiling.wall},
        "gradient": gradient,
        "runs": [run],
    }


if __name__ == "__main__":
    worker.main(measure, versions)
