"""Time one model. NumPyro runs this file, and so does finetti (``finetti run measure.py ...``).

``python measure.py NAME METHOD SEED FOLDER`` writes ``FOLDER/<who>-NAME-SEED.json`` and draws.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpyro
from numpyro.infer import MCMC, NUTS
from programs import CHAINS, DERIVED, DRAWS, PROGRAMS, WARMUP

CORES = 2
WHO = "finetti" if numpyro.__version__.endswith("+finetti") else "numpyro"


class Clock:
    """CPU seconds of all threads and wall seconds of a block."""

    def __enter__(self) -> Clock:
        self._start = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        cpu, wall = self._start
        self.spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def sampler(name: str, method: str, chains: int = CHAINS) -> MCMC:
    """As a user makes it."""
    return MCMC(NUTS(PROGRAMS[name][0]), num_warmup=WARMUP, num_samples=DRAWS, num_chains=chains,
                chain_method=method, progress_bar=False)  # fmt: skip


def save(file: Path, samples: dict[str, Any]) -> None:
    """Draws [chain, draw, parameter] of the latent sites, in the order of their names."""
    kept = [np.asarray(samples[name]) for name in sorted(samples) if name not in DERIVED]
    np.save(file, np.concatenate([x.reshape(*x.shape[:2], -1) for x in kept], axis=2))


def record(file: Path, samples: Any, fields: Any, spent: dict[str, float]) -> dict[str, Any]:
    """Draws into a file; what they cost."""
    save(file, samples)
    return {
        **spent,
        "steps": int(np.sum(fields["num_steps"])),
        "divergences": int(np.sum(fields["diverging"])),
    }


def whole_call(mcmc: MCMC, data: dict[str, Any], seed: int, file: Path) -> dict[str, Any]:
    """One ``run``, all of it."""
    key = jax.block_until_ready(jax.random.PRNGKey(seed))
    with Clock() as clock:
        mcmc.run(key, **data, extra_fields=("num_steps",))
        jax.block_until_ready(mcmc.get_samples())
    fields = mcmc.get_extra_fields()
    return record(file, mcmc.get_samples(group_by_chain=True), fields, clock.spent)


def warmup_steps(mcmc: MCMC, data: dict[str, Any], seed: int) -> int:
    """The gradients that the warm-up of a run took."""
    key = jax.random.PRNGKey(seed)
    mcmc.warmup(key, **data, extra_fields=("num_steps",), collect_warmup=True)
    return int(np.sum(mcmc.get_extra_fields()["num_steps"]))


def compiled_chains(name: str, data: dict[str, Any], seed: int, file: Path) -> dict[str, Any]:
    """NumPyro's steady state: a whole chain as one executable, called for each key, by threads."""

    def chain(key: Any) -> Any:
        mcmc = sampler(name, "sequential", 1)
        mcmc.run(key, **data, extra_fields=("num_steps",))
        return mcmc.get_samples(), mcmc.get_extra_fields()

    executable = jax.jit(chain).lower(jax.random.PRNGKey(0)).compile()

    def call(key: Any) -> Any:
        return jax.block_until_ready(executable(key))

    call(jax.random.PRNGKey(0))
    keys = jax.random.split(jax.random.PRNGKey(seed), CHAINS)
    with ThreadPoolExecutor(CORES) as pool, Clock() as clock:
        chains = list(pool.map(call, keys))
    stacked = [
        {name: np.stack([np.asarray(c[part][name]) for c in chains]) for name in chains[0][part]}
        for part in (0, 1)
    ]
    return record(file, *stacked, clock.spent)


def again(name: str, mcmc: MCMC, data: dict[str, Any], seed: int, file: Path) -> dict[str, Any]:
    """finetti's steady state: the next ``run`` in whole, and its sampler alone."""
    from finetti.dialects.numpyro.infer import running

    clocks, inner = [], running.run_nuts

    def timed(*args: Any) -> Any:
        with Clock() as clock:
            drawn = inner(*args)
        clocks.append(clock.spent)
        return drawn

    running.run_nuts = timed
    found = whole_call(mcmc, data, seed, file)
    running.run_nuts = inner
    return {**found, "core": clocks[0]}


def main() -> None:
    """First call, steady state, the warm-up's gradients."""
    name, method, seed, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    numpyro.enable_x64()
    if method == "parallel":
        numpyro.set_host_device_count(CHAINS)
    data, stem = PROGRAMS[name][1](), f"{WHO}-{name}-{seed}"
    mcmc = sampler(name, method)
    found = {"first": whole_call(mcmc, data, seed, folder / f"first-{stem}.npy")}
    steady = folder / f"steady-{stem}.npy"
    if WHO == "finetti":
        found["steady"] = again(name, mcmc, data, seed + 500, steady)
    else:
        found["steady"] = compiled_chains(name, data, seed + 500, steady)
    if seed == 1:
        found["warmup_steps"] = warmup_steps(sampler(name, method), data, seed)
    found["versions"] = {WHO: numpyro.__version__, f"jax of {WHO}": jax.__version__}
    (folder / f"{stem}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
