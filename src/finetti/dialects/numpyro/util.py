"""`numpyro.util`: switches of JAX, and what programs use of the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import jax

from finetti.dialects.numpyro.handlers import is_prng_key
from finetti.dialects.numpyro.loops import (
    cond,
    control_flow_prims_disabled,
    fori_collect,
    fori_loop,
    maybe_jit,
    nested_attrgetter,
    optional,
    soft_vmap,
    while_loop,
)
from finetti.dialects.numpyro.missing import explain
from finetti.errors import ParameterError

__all__ = [
    "cond", "control_flow_prims_disabled", "enable_x64", "fori_collect", "fori_loop",
    "format_shapes", "identity", "is_prng_key", "maybe_jit", "nested_attrgetter",
    "not_jax_tracer", "optional", "set_host_device_count", "set_platform", "set_rng_seed",
    "soft_vmap", "while_loop",
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
    # a row is a name, the axes of a batch with the bar, and the axes of an event
    rows: list[tuple[str, list[str], list[str]]] = [(title, [], []), ("Param Sites:", [], [])]
    for kinds, head in ((("param",), ""), (("sample", "plate"), "Sample Sites:")):
        if head:
            rows.append((head, [], []))
        for name, site in trace.items():
            if site["type"] in kinds:
                rows.extend(_shape_rows(name, site, compute_log_prob))
            if name == last_site:
                break
    return _table(rows)


def _shape_rows(name: str, site: Any, log_prob: Any) -> list[tuple[str, list[str], list[str]]]:
    def row(label: str, shape: Any, cut: int | None = None) -> tuple[str, list[str], list[str]]:
        cells = [str(size) for size in shape]
        return label, [*cells[:cut], "|"], [] if cut is None else cells[cut:]

    shape = tuple(getattr(site["value"], "shape", ()))
    if site["type"] == "param":
        return [(name, [str(size) for size in shape], [])]
    if site["type"] == "plate":
        return [row(f"{name} plate", shape)]
    fn = site["fn"]
    rows = [
        row(f"{name} dist", (*fn.batch_shape, *fn.event_shape), len(fn.batch_shape)),
        row("value", shape, len(shape) - fn.event_dim),
    ]
    if log_prob(site) if callable(log_prob) else log_prob:
        rows.append(row("log_prob", getattr(fn.log_prob(site["value"]), "shape", ())))
    return rows


def _table(rows: list[tuple[str, list[str], list[str]]]) -> str:
    """Rows whose bars stand below each other, every cell at the right of its column."""
    left = max(len(before) for _, before, _ in rows)
    right = max(len(after) for _, _, after in rows)
    cells = [
        [name, *[""] * (left - len(before)), *before, *after, *[""] * (right - len(after))]
        for name, before, after in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        " ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )


def __getattr__(name: str) -> Any:
    raise explain(f"util.{name}", __all__)
