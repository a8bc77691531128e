"""Write ``tests/data/numpyro_dist_reference.json``: what NumPyro says about its distributions.

Run it with the Python of an environment that has NumPyro::

    python tools/make_numpyro_reference.py [output.json]

Encoding: as in `make_dist_reference.py`; what NumPyro has not written is null, and what it answers
with an error too. The cases are those of `numpyro_cases.py`; values are drawn with fixed keys, so
that all lie in the support.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as d

from numpyro_cases import CONSTRAINTS, DISTRIBUTIONS, KL, TRANSFORMS

jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore")
OUTPUT = Path(__file__).parents[1] / "tests" / "data" / "numpyro_dist_reference.json"
QUANTILES = [0.01, 0.3, 0.9]


def array(values: Any) -> Any:
    return jnp.asarray(np.asarray(values, float))


NAMES = {"d": d, "T": d.transforms, "C": d.constraints, "a": array, "np": np}


def encode(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [encode(v) for v in x]
    if isinstance(x, (bool, int)):
        return x
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)
    return encode(np.asarray(x).tolist())


def ask(function: Any) -> Any:
    """What a function gives; null where NumPyro has none."""
    try:
        return encode(function())
    except Exception:  # noqa: BLE001 - whatever it is, there is no value
        return None


def values_of(dist: Any, number: int) -> Any:
    """Draws, or numbers between 0 and 1 where NumPyro cannot draw."""
    try:
        drawn = np.asarray(dist.sample(jax.random.key(number), (4,)))
    except ImportError:  # a quantile that needs another package
        shape = (4, *dist.batch_shape, *dist.event_shape)
        drawn = np.random.default_rng(number).uniform(0.1, 0.9, shape)
    return drawn.astype(float) if drawn.dtype.kind == "f" else drawn


def distribution(expr: str, number: int) -> dict[str, Any]:
    dist = eval(expr, NAMES)  # noqa: S307
    values = values_of(dist, number)
    discrete = ask(lambda: bool(dist.support.is_discrete))
    row = {
        "expr": expr,
        "values": encode(values),
        "log_prob": encode(dist.log_prob(values)),
        "batch_shape": list(dist.batch_shape),
        "event_shape": list(dist.event_shape),
        "discrete": discrete,
        "support": repr(dist.support).replace("dtype=float64", ""),
        "mean": ask(lambda: dist.mean),
        "variance": ask(lambda: dist.variance),
        "entropy": ask(dist.entropy),
        "cdf": None if dist.event_shape else ask(lambda: dist.cdf(values)),
        "icdf": None,
        "has_rsample": bool(dist.has_rsample),
        "enumerate": ask(dist.enumerate_support),
    }
    if not dist.event_shape:
        row["icdf"] = ask(lambda: [dist.icdf(q) for q in QUANTILES])
    return row


def transform(expr: str, x: Any) -> dict[str, Any]:
    way = eval(expr, NAMES)  # noqa: S307
    x = array(x)
    y = way(x)
    return {
        "expr": expr,
        "x": encode(x),
        "y": encode(y),
        "log_det": encode(way.log_abs_det_jacobian(x, y)),
        "back": encode(way.inv(y)),
        "forward_shape": list(way.forward_shape(x.shape)),
        "inverse_shape": list(way.inverse_shape(y.shape)),
        "domain": way.domain.event_dim,
        "codomain": way.codomain.event_dim,
    }


def constraint(expr: str, members: Any, free: Any) -> dict[str, Any]:
    c = eval(expr, NAMES)  # noqa: S307
    x = np.asarray([[float(v) if isinstance(v, str) else v for v in row] for row in members])
    row = {
        "expr": expr,
        "members": encode(x.astype(float)),
        "inside": encode(c(x.astype(float))),
        "discrete": c.is_discrete,
        "event_dim": c.event_dim,
        "repr": repr(c),
        "feasible": ask(lambda: c.feasible_like(x.astype(float))),
        "free": None,
    }
    if free is not None:
        way, u = d.biject_to(c), array(free)
        y = way(u)
        row |= {
            "free": encode(u),
            "value": encode(y),
            "log_det": encode(way.log_abs_det_jacobian(u, y)),
        }
    return row


def main(output: Path) -> None:
    rows = {
        "distributions": [distribution(expr, k) for k, expr in enumerate(DISTRIBUTIONS)],
        "transforms": [transform(*case) for case in TRANSFORMS],
        "constraints": [constraint(*case) for case in CONSTRAINTS],
        "kl": [
            {"p": p, "q": q, "kl": encode(d.kl_divergence(eval(p, NAMES), eval(q, NAMES)))}  # noqa: S307
            for p, q in KL
        ],
        "names": sorted(n for n in dir(d) if not n.startswith("_")),
    }
    output.write_text(json.dumps(rows, indent=0, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
