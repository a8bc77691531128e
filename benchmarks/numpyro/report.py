"""Turn the measurements of ``benchmarks.numpyro`` into ``NUMPYRO.md``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from benchmarks.measures import median, quotient
from benchmarks.report import number, processor, ratio, table

Raw = dict[str, Any]
Value = Callable[[dict[str, Any]], float]

BOTH = ("finetti", "numpyro")
APART = 5.0  # standard errors; over 1000 means, once in 2000 runs by chance

# title, target, the measure of a round (more is better), by wall clock or CPU
Measure = Callable[[dict[str, Any], str], float]


def ess_rate(part: str, *path: str) -> Measure:
    """ESS a second of a part of the measurements."""

    def measure(run: dict[str, Any], clock: str) -> float:
        cost = run[part]
        for key in path:
            cost = cost[key] if key in cost else cost
        return run[f"{part} ess"] / cost[clock]

    return measure


TARGETS: list[tuple[str, float | None, Measure]] = [
    ("ESS per second of the first `run`", 10.0, ess_rate("first")),
    ("ESS per second in steady state: samplers alone", 2.0, ess_rate("steady", "core")),
    ("the same, finetti's second `run` in whole", None, ess_rate("steady")),
    ("runs of a whole process per second", 3.0, lambda run, clock: 1.0 / run["cold"][clock]),
]


def runs(raw: Raw, name: str, who: str) -> list[dict[str, Any]]:
    """One record a round, with its effective sizes."""
    kept = []
    for index, found in enumerate(raw["rounds"]):
        stem = f"{who}-{name}-{index + 1}"
        sizes = {f"{part} ess": raw["ess"][f"{part}-{stem}"] for part in ("first", "steady")}
        kept.append({**found[name][who], **sizes})
    return kept


def middle(raw: Raw, name: str, who: str, value: Value) -> float | None:
    """Median over the rounds."""
    return median(value(run) for run in runs(raw, name, who))


def advantage(raw: Raw, name: str, measure: Measure, clock: str) -> float | None:
    """finetti's measure over NumPyro's, of the medians."""
    values = [middle(raw, name, who, lambda r: measure(r, clock)) for who in BOTH]
    return quotient(*values)


def targets_section(raw: Raw) -> str:
    """Every target against the worst model and the median one."""
    rows = []
    for title, target, measure in TARGETS:
        for clock in ("wall", "cpu"):
            found = {n: advantage(raw, n, measure, clock) for n in raw["methods"]}
            worst = min(found, key=lambda n: found[n])
            reached = sum(target is None or value >= target for value in found.values())
            rows.append([
                f"{title}, {clock if clock == 'wall' else 'CPU'}",
                "-" if target is None else f"at least {target:g}x",
                number(median(found.values())) + "x", f"{number(found[worst])}x ({worst})",
                "" if target is None else f"{reached} of {len(found)}",
            ])  # fmt: skip
    return table(["finetti / NumPyro", "target", "median model", "worst model", "reached"], rows)


def pairs(raw: Raw, value: Measure, measure: Measure, digits: int = 3) -> list[list[str]]:
    """A row a model: both's values CPU / wall, and the advantage."""
    rows = []
    for name in raw["methods"]:
        cells = []
        for who in BOTH:
            both = (middle(raw, name, who, lambda r, c=c: value(r, c)) for c in ("cpu", "wall"))
            cells.append(" / ".join(number(v, digits) for v in both))
        gain = (advantage(raw, name, measure, c) for c in ("cpu", "wall"))
        rows.append([name, *cells, " / ".join(f"{number(g)}x" for g in gain)])
    return rows


def cold_section(raw: Raw) -> str:
    """Seconds of whole processes."""
    rows = pairs(raw, lambda r, c: r["cold"][c], lambda r, c: 1.0 / r["cold"][c])
    for row in rows:
        row.insert(3, raw["methods"][row[0]])
    return table(["model", "finetti", "NumPyro", "its chains", "NumPyro / finetti"], rows)


def first_section(raw: Raw) -> str:
    """The first call of run: seconds and ESS a second."""
    seconds = pairs(raw, lambda r, c: r["first"][c], ess_rate("first"))
    rates = pairs(raw, ess_rate("first"), ess_rate("first"))
    rows = [[name, *s, *cells] for (name, *s, _), (_, *cells) in zip(seconds, rates, strict=True)]
    return table(["model", "finetti, s", "NumPyro, s", "finetti, ESS/s", "NumPyro, ESS/s",
                  "finetti / NumPyro"], rows)  # fmt: skip


def steady_section(raw: Raw) -> str:
    """What is left when nothing is compiled."""
    rows = []
    core = ess_rate("steady", "core")
    for name in raw["methods"]:
        values = [
            [middle(raw, name, who, lambda r, c=c, m=m: m(r, c)) for c in ("cpu", "wall")]
            for who, m in (("finetti", core), ("finetti", ess_rate("steady")), ("numpyro", core))
        ]
        gains = [
            " / ".join(ratio(a, b) for a, b in zip(own, values[2], strict=True))
            for own in values[:2]
        ]
        rows.append([name, *(" / ".join(map(number, v)) for v in values), *gains])
    return table(["model", "finetti's sampler", "finetti's second `run`", "NumPyro's executable",
                  "sampler / NumPyro", "second `run` / NumPyro"], rows)  # fmt: skip


def gradients_section(raw: Raw) -> str:
    """ESS a gradient, and what a gradient costs with the sampler around it."""
    rows = []
    for name in raw["methods"]:
        per: dict[str, list[float | None]] = {}
        for who in BOTH:
            per[who] = [
                middle(raw, name, who, lambda r: r["first"]["steps"]),
                runs(raw, name, who)[0]["warmup_steps"],
                middle(raw, name, who, lambda r: r["first ess"]),
                middle(raw, name, who, lambda r: 1e3 * r["first ess"] / r["first"]["steps"]),
                microseconds(runs(raw, name, who)),
                middle(raw, name, who, lambda r: r["first"]["divergences"]),
            ]
        cells = [" / ".join(number(per[who][k], 4) for who in BOTH) for k in range(6)]
        gain = ratio(per["finetti"][3], per["numpyro"][3])
        cost = ratio(per["numpyro"][4], per["finetti"][4])
        rows.append([name, *cells[:4], gain, cells[4], cost, cells[5]])
    return table(["model", "gradients, draws", "gradients, warm-up", "ESS", "ESS / 1000 gradients",
                  "finetti / NumPyro", "us a gradient", "NumPyro / finetti", "divergences"],
                 rows)  # fmt: skip


def microseconds(found: list[dict[str, Any]]) -> float | None:
    """CPU of the steady state's samplers for each gradient, with the warm-up of the first run."""
    warmup = found[0]["warmup_steps"]
    steady = [run["steady"] for run in found]
    return median(1e6 * s.get("core", s)["cpu"] / (s["steps"] + warmup) for s in steady)


def agreement_section(raw: Raw) -> str:
    """How far the posterior means are apart."""
    rows = []
    for name, found in raw["means"].items():
        verdict = "agree" if found["largest"] < APART else "**differ**"
        rows.append([name, str(found["parameters"]), number(found["largest"]), verdict])
    return table(["model", "parameters", "largest difference, standard errors", ""], rows)


def imports_section(raw: Raw) -> str:
    """Imports alone."""
    rows = [
        [label, " / ".join(number(median(r[c] for r in each)) for c in ("cpu", "wall"))]
        for label, each in raw["imports"].items()
    ]
    return table(["process", "seconds"], rows)


def machine(raw: Raw) -> str:
    """Where and with what."""
    first = next(iter(raw["rounds"][0].values()))
    versions = {**first["finetti"]["versions"], **first["numpyro"]["versions"]}
    listed = ", ".join(f"{k} {v}" for k, v in versions.items())
    before, after = raw["load"]
    return (
        f"{processor()}, {os.cpu_count()} cores, load average {before:.1f} at the start and "
        f"{after:.1f} at the end; {listed}. Rounds: {len(raw['rounds'])}; "
        f"{raw['minutes']:.0f} minutes."
    )


def render(raw: Raw) -> str:
    """The whole file."""
    return f"""# NumPyro programs under finetti and under NumPyro

Written by `python -m benchmarks.numpyro`: the two take turns; every figure is a median over the
rounds. Both run the same source file (`numpyro/programs.py`), with 64-bit numbers, 4 chains of
1000 + 1000 draws on 2 cores; ESS is the smallest bulk ESS over the parameters. CPU seconds count
all threads of a process; pairs are CPU / wall. On a machine with other work the CPU seconds are the
steadier ones.

{machine(raw)}

## Targets

{targets_section(raw)}

## A whole process

Seconds from the start of Python to the end of `mcmc.print_summary()`. Neither has anything compiled
by an earlier process (finetti's cache is empty, JAX's is off). NumPyro's chains run by the fastest
of its three methods, which a first pass over all of them found ("parallel" with
`set_host_device_count(4)`).

{cold_section(raw)}

Imports alone, interpreter included:

{imports_section(raw)}

## The first `mcmc.run`

All of the call, tracing and compiling included, after the script's imports.

{first_section(raw)}

## Steady state

Smallest bulk ESS per second when nothing is compiled. NumPyro's: a whole chain (start, warm-up,
draws) as one executable, compiled before and called once for each of four keys by two threads,
which is better than any call of its `run` (each of which compiles again). finetti's: its sampler
within the second `run`, and that `run` in whole, which traces the model again and loads its code.

{steady_section(raw)}

## Gradients

finetti / NumPyro, of the first `run`; microseconds are the steady state's CPU for each gradient of
warm-up and draws, with everything that the samplers do around them.

{gradients_section(raw)}

## Agreement

Means of all draws of all rounds: the largest difference in standard errors (MCSE of both).

{agreement_section(raw)}
"""
