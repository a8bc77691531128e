"""Tables of the compiler's benchmark."""

from __future__ import annotations

import os
import statistics
from typing import Any

import numpy as np

from benchmarks.compiler.problems import PROBLEMS

Results = dict[str, list[Any]]


def figure(results: Results, who: str, name: str, key: str) -> float | None:
    """The median over rounds of one figure."""
    found = [
        record[name][key]
        for record in results.get(who, ())
        if record.get(name) and record[name].get(key) is not None
    ]
    return statistics.median(found) if found else None


def text(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(a: float | None, b: float | None) -> str:
    """Two digits of a quotient."""
    return "-" if a is None or b is None else f"{a / b:.2f}"


def render(results: Results, names: list[str]) -> str:
    """The report as Markdown."""
    speed, build = [], []
    for name in names:
        title = PROBLEMS[name].title
        ours, c, xla, numba = (
            figure(results, who, name, "us") for who in ("finetti", "c", "xla", "numba")
        )
        calls = figure(results, "xla", name, "call_us")
        cells = [text(ours), text(c), text(xla), text(calls), text(numba)]
        ratios = [ratio(ours, c), ratio(ours, xla), ratio(ours, numba)]
        speed.append(f"| {title} | {' | '.join(cells + ratios)} |")
        ms = [figure(results, who, name, "ms") for who in ("finetti", "c", "xla", "numba")]
        sizes = [figure(results, "finetti", name, key) for key in ("bytes", "data_bytes")]
        cells = [*map(text, ms), ratio(ms[3], ms[0]), *map(text, sizes)]
        build.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join([
        "# The compiler",
        "",
        "Written by `python -m benchmarks.compiler`: one log density with its gradient, in one run "
        "on one machine; medians over the rounds.",
        "",
        "## Microseconds a gradient",
        "",
        "CPU, everybody on one thread; finetti and C in one native loop. C: the best of "
        "`gcc -O3 -march=native` with and without `-ffast-math` and unrolling. XLA: "
        "`value_and_grad` in float64, in a `fori_loop` inside one `jit`, and by single calls. "
        "numba: calls of PyMC's `logp_dlogp_function`.",
        "",
        "| model | finetti | C | XLA | XLA, calls | numba | / C | / XLA | / numba |",
        "|---|---|---|---|---|---|---|---|---|",
        *speed,
        *_memory(results, names),
        *_threads(results, names),
        "",
        "## Milliseconds to a callable, and bytes",
        "",
        "From the model to the compiled function, nothing cached: CPU of all threads and children; "
        "for XLA and numba up to the first value. Without its cache numba compiles some functions "
        "more than once: a first run with the cache on took a quarter of these times or more.",
        "",
        "| model | finetti | C | XLA | numba | numba / finetti | code, bytes | data, bytes |",
        "|---|---|---|---|---|---|---|---|",
        *build,
        "",
        _versions(results),
        "",
    ])  # fmt: skip


def _memory(results: Results, names: list[str]) -> list[str]:
    """How long reading the long matrix alone takes."""
    name = "logistic_long"
    read = figure(results, "c", name, "read_us") if name in names else None
    if read is None:
        return []
    ours = figure(results, "finetti", name, "us")
    return [
        "",
        f"Reading the matrix of {PROBLEMS[name].title} once takes {text(read)} us: finetti's "
        f"gradient takes {ratio(ours, read)} times that.",
    ]


def _threads(results: Results, names: list[str]) -> list[str]:
    """What a second thread gains where rows are shared out."""
    rows = []
    for name in names:
        one, two = (figure(results, "finetti", name, key) for key in ("one_us", "two_us"))
        if two is not None:
            cells = [PROBLEMS[name].title, text(one), text(two), ratio(one, two)]
            rows.append(f"| {' | '.join(cells)} |")
    if not rows:
        return []
    return [
        "",
        "Wall microseconds where two threads share the rows, the best of many calls; the bits are "
        "the same. Other work on the machine counts here.",
        "",
        "| model | one thread | two threads | times faster |",
        "|---|---|---|---|",
        *rows,
    ]


def _versions(results: Results) -> str:
    known: dict[str, str] = {}
    for records in results.values():
        for record in records:
            known.update(record["versions"])
    listed = ", ".join(f"{name} {version}" for name, version in sorted(known.items()))
    return f"{os.cpu_count()} cores. {listed}."


def check_agreement(results: Results, names: list[str]) -> None:
    """Everybody must have computed the same gradient."""
    for name in names:
        found = {
            who: np.array(records[0][name]["dlogp"])
            for who, records in results.items()
            if records and records[0].get(name) and "dlogp" in records[0][name]
        }
        if "finetti" not in found:
            print(f"{name}: no result of finetti")
            continue
        ours = found.pop("finetti")
        for who, gradient in found.items():
            error = np.abs(gradient - ours).max() / max(1.0, np.abs(ours).max())
            if not error < 1e-8:
                print(f"{name}: the gradient of {who} differs from finetti's by {error:.2g}")
