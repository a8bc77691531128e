"""`numpyro.util`: switches of JAX, and what programs use of the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import jax

from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.handlers import is_prng_key
from finetti.errors import ParameterError

__all__ = [
    "enable_x64", "format_shapes", "is_prng_key", "not_jax_tracer", "set_host_device_count",
    "set_platform", "set_rng_seed",
]  # fmt: skip


def set_rng_seed(rng_seed: int | None = None) -> None:
    """Seed NumPy's and Python's global generators."""
    import random  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415

    random.seed(rng_seed)
    np.random.seed(rng_seed)


def enable_x64(use_x64: bool = True) -> None:
    """Have JAX compute with 64 bits; finetti's sampler always does."""
    if not use_x64:
        use_x64 = bool(os.getenv("JAX_ENABLE_X64", 0))
    jax.config.update("jax_enable_x64", bool(use_x64))


def set_platform(platform: str | None = None) -> None:
    """Have JAX compute on "cpu", "gpu" or "tpu"; finetti's sampler runs on the CPU."""
    if platform is None:
        platform = os.getenv("JAX_PLATFORM_NAME", "cpu")
    if platform not in ("cpu", "gpu", "tpu", "cuda", "rocm"):
        raise ParameterError(f"set_platform: {platform!r}, expected 'cpu', 'gpu' or 'tpu'.")
    jax.config.update("jax_platform_name", platform)


def set_host_device_count(n: int) -> None:
    """Tell JAX how many devices to make of the CPU; finetti's chains are threads anyway."""
    flags = re.sub(r"--xla_force_host_platform_device_count=\S+", "", os.getenv("XLA_FLAGS", ""))
    os.environ["XLA_FLAGS"] = " ".join(
        [f"--xla_force_host_platform_device_count={int(n)}", *flags.split()]
    )


def not_jax_tracer(x: Any) -> bool:
    """Whether something is no value that JAX is tracing."""
    return not isinstance(x, jax.core.Tracer)


def identity(x: Any, *args: Any, **kwargs: Any) -> Any:
    """The first argument."""
    return x


def format_shapes(
    trace: dict[str, Any],
    *,
    compute_log_prob: bool | Callable[[Any], bool] = False,
    title: str = "Trace Shapes:",
    last_site: str | None = None,
) -> str:
    """A table of the shapes of a trace's sites: batch axes, a bar, event axes.

    Parameters
    ----------
    trace : dict
        What `handlers.trace(...).get_trace(...)` returned.
    compute_log_prob : bool or callable
        With the shapes of log densities (of the sites for which the function holds).
    title : str
        The first line.
    last_site : str, optional
        The last site to show.
    """
    if not trace:
        return title
    rows: list[list[Any]] = [[title]]
    heads = {"param": "Param Sites:", "sample": "Sample Sites:", "plate": "Plates:"}
    sites = list(trace.items())
    for kind, head in heads.items():
        if kind == "param" or any(site["type"] == kind for _, site in sites):
            rows.append([head])
        for name, site in sites:
            if site["type"] != kind:
                continue
            rows.extend(_shape_rows(name, site, compute_log_prob))
            if name == last_site:
                break
    return _table(rows)


def _shape_rows(name: str, site: Any, log_prob: Any) -> list[list[Any]]:
    if site["type"] != "sample":
        return [[name, None, *map(str, getattr(site["value"], "shape", ()))]]
    fn = site["fn"]
    shape = tuple(getattr(site["value"], "shape", ()))
    cut = len(shape) - fn.event_dim
    rows = [
        [f"{name} dist", None, *map(str, fn.batch_shape), "|", *map(str, fn.event_shape)],
        ["value", None, *map(str, shape[:cut]), "|", *map(str, shape[cut:])],
    ]
    if log_prob(site) if callable(log_prob) else log_prob:
        own = handlers.jnp.shape(fn.log_prob(site["value"]))
        rows.append(["log_prob", None, *map(str, own), "|"])
    return rows


def _table(rows: list[list[Any]]) -> str:
    """Rows whose bars stand below each other."""
    body = [row for row in rows if len(row) > 1]
    name = max((len(row[0]) for row in body), default=0)

    def parts(row: list[Any]) -> tuple[list[str], list[str], bool]:
        cells = row[2:]
        at = cells.index("|") if "|" in cells else len(cells)
        return cells[:at], cells[at + 1 :], "|" in cells

    left = max((len(parts(row)[0]) for row in body), default=0)
    width = max((len(c) for row in body for c in row[2:]), default=1)
    lines = []
    for row in rows:
        if len(row) == 1:
            lines.append(row[0])
            continue
        before, after, bar = parts(row)
        cells = [""] * (left - len(before)) + before + (["|"] if bar else []) + after
        text = " ".join(f"{c:>{width}}" if c != "|" else c for c in cells)
        lines.append(f"{row[0]:>{name}} {text}".rstrip())
    return "\n".join(lines)
