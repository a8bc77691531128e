"""Turn the measurements of ``benchmarks.run`` into ``RESULTS.md``."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.problems import CHAINS, CORES, DRAWS, PROBLEMS, TUNE

NAMES = {"finetti": "finetti", "c": "C", "nutpie": "PyMC + nutpie", "numpyro": "NumPyro"}
SAMPLERS = ["finetti", "nutpie", "numpyro"]
CLOCKS = ["cpu", "wall"]
Raw = dict[str, Any]


def median(values: Iterable[float]) -> float | None:
    """Median, or None of nothing."""
    kept = list(values)
    return statistics.median(kept) if kept else None


def rounds(raw: Raw, who: str, problem: str) -> list[dict[str, Any]]:
    """The records of one competitor and problem that did not fail, each with its smallest ESS."""
    kept = []
    for record in raw["rounds"].get(who, []):
        if "error" not in record[problem]:
            ess = raw["ess"].get(f"draws-{who}-{problem}-{record['seed']}")
            kept.append({**record[problem], "ess": ess})
    return kept


def over(raw: Raw, who: str, problem: str, value: Callable[[Any], float]) -> float | None:
    """Median over the rounds of ``value(record)``."""
    return median(value(entry) for entry in rounds(raw, who, problem))


def with_ess(raw: Raw, who: str, problem: str, value: Callable[[Any], float]) -> float | None:
    """The same over the rounds whose effective sample size is known."""
    return median(value(r) for r in rounds(raw, who, problem) if r["ess"])


def number(value: float | None, digits: int = 3) -> str:
    """Significant digits without an exponent, or a dash."""
    if value is None:
        return "-"
    if value != 0 and abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def ratio(top: float | None, bottom: float | None) -> str:
    """``top / bottom`` as text."""
    return "-" if not top or not bottom else number(top / bottom) + "x"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def check_agreement(raw: Raw) -> None:
    """Refuse to compare densities that are not the same function."""
    for problem in PROBLEMS:
        values = {
            who: entries[0]["gradient"] for who in NAMES if (entries := rounds(raw, who, problem))
        }
        for who, value in values.items():
            want = values["c"]
            pairs = zip(
                [value["logp"], *value["dlogp"]], [want["logp"], *want["dlogp"]], strict=True
            )
            if any(abs(a - b) > 1e-7 * (1 + abs(b)) for a, b in pairs):
                raise SystemExit(f"{who} and C disagree on {problem}: {value} {want}")


def gradient_section(raw: Raw) -> str:
    """Microseconds a gradient."""
    rows = []
    for problem, info in PROBLEMS.items():
        us = {w: over(raw, w, problem, lambda r: r["gradient"]["us"]) for w in NAMES}
        plain = over(raw, "c", problem, lambda r: r["plain_us"])
        rows.append(
            [
                info.title,
                *(number(us[w]) for w in NAMES),
                number(plain),
                ratio(us["finetti"], us["c"]),
                ratio(us["finetti"], plain),
                ratio(us["nutpie"], us["finetti"]),
                ratio(us["numpyro"], us["finetti"]),
            ]
        )
    header = [
        "problem",
        "finetti",
        "C, best build",
        "PyMC (numba)",
        "NumPyro (XLA)",
        "C, plain",
        "finetti / C best",
        "finetti / C plain",
        "PyMC / finetti",
        "NumPyro / finetti",
    ]
    return table(header, rows)


def compile_section(raw: Raw) -> str:
    """Milliseconds from model to callable."""
    rows = []
    for problem, info in PROBLEMS.items():
        ms = {
            w: [over(raw, w, problem, lambda r, k=k: r["compile"][k] * 1e3) for k in CLOCKS]
            for w in SAMPLERS
        }
        rows.append(
            [
                info.title,
                *(f"{number(c)} / {number(t)}" for c, t in ms.values()),
                ratio(ms["nutpie"][0], ms["finetti"][0]),
                ratio(ms["numpyro"][0], ms["finetti"][0]),
            ]
        )
    header = ["problem", *(NAMES[w] for w in SAMPLERS), "PyMC / finetti", "NumPyro / finetti"]
    return table(header, rows)


def cold(raw: Raw, who: str, problem: str, key: str) -> float | None:
    """Median of one quantity of the cold processes."""
    return median(r[key] for r in raw["cold"].get(who, {}).get(problem, []))


def cold_section(raw: Raw) -> str:
    """Seconds from start to printed summary."""
    rows = []
    for problem, info in PROBLEMS.items():
        value = {w: [cold(raw, w, problem, k) for k in CLOCKS] for w in SAMPLERS}
        rows.append(
            [
                info.title,
                *(f"{number(c)} / {number(t)}" for c, t in value.values()),
                *(
                    f"{ratio(value[w][0], value['finetti'][0])} / "
                    f"{ratio(value[w][1], value['finetti'][1])}"
                    for w in ("nutpie", "numpyro")
                ),
            ]
        )
    header = ["problem", *(NAMES[w] for w in SAMPLERS), "PyMC / finetti", "NumPyro / finetti"]
    return table(header, rows)


def memory_section(raw: Raw) -> str:
    """Peak resident megabytes of the cold processes."""
    rows = []
    for problem, info in PROBLEMS.items():
        mb = {w: cold(raw, w, problem, "rss") for w in SAMPLERS}
        rows.append(
            [
                info.title,
                *(number(mb[w]) for w in SAMPLERS),
                ratio(mb["nutpie"], mb["finetti"]),
                ratio(mb["numpyro"], mb["finetti"]),
            ]
        )
    header = ["problem", *(NAMES[w] for w in SAMPLERS), "PyMC / finetti", "NumPyro / finetti"]
    return table(header, rows)


def gradients(record: dict[str, Any]) -> int:
    """Leapfrog steps of a run, warm-up included."""
    return record["steps"] + record["warmup_steps"]


def overhead(record: dict[str, Any]) -> float:
    """Microseconds of CPU a leapfrog step beyond the gradient itself."""
    return record["sampling"]["cpu"] / gradients(record) * 1e6 - record["gradient"]["us"]


def sampling_section(raw: Raw) -> str:
    """Gradients, seconds, overhead a leapfrog step."""
    rows = []
    for problem, info in PROBLEMS.items():
        for who in SAMPLERS:
            if not rounds(raw, who, problem):
                continue
            rows.append(
                [
                    info.title,
                    NAMES[who],
                    number(over(raw, who, problem, lambda r: r["warmup_steps"]), 6),
                    number(over(raw, who, problem, lambda r: r["steps"]), 6),
                    number(over(raw, who, problem, lambda r: r["sampling"]["cpu"])),
                    number(over(raw, who, problem, lambda r: r["sampling"]["wall"])),
                    "-" if who == "numpyro" else number(over(raw, who, problem, overhead)),
                    number(over(raw, who, problem, lambda r: r["divergences"])),
                ]
            )
    header = [
        "problem",
        "sampler",
        "gradients, warm-up",
        "gradients, draws",
        "CPU s",
        "wall s",
        "overhead, us a leapfrog",
        "divergences",
    ]
    return table(header, rows)


def ess_values(raw: Raw, who: str, problem: str) -> dict[str, float | None]:
    """The four rates of the smallest bulk ESS."""
    values = {
        "ess": with_ess(raw, who, problem, lambda r: r["ess"]),
        "grad": with_ess(raw, who, problem, lambda r: 1e3 * r["ess"] / r["steps"]),
        "grad_all": with_ess(raw, who, problem, lambda r: 1e3 * r["ess"] / gradients(r)),
    }
    for clock in CLOCKS:
        values[f"{clock}_all"] = with_ess(
            raw, who, problem, lambda r, c=clock: r["ess"] / r["sampling"][c]
        )
        values[clock] = with_ess(
            raw,
            who,
            problem,
            lambda r, c=clock: r["ess"] / (r["sampling"][c] * r["steps"] / gradients(r)),
        )
    return values


ESS_COLUMNS = {
    "ess": "min bulk ESS",
    "grad": "per 1000 gradients",
    "grad_all": "with warm-up",
    "cpu": "per CPU s",
    "cpu_all": "with warm-up",
    "wall": "per wall s",
    "wall_all": "with warm-up",
}


def ess_section(raw: Raw) -> str:
    """Effective sample sizes per gradient and per second."""
    rows = []
    for problem, info in PROBLEMS.items():
        rates = {w: ess_values(raw, w, problem) for w in SAMPLERS if rounds(raw, w, problem)}
        for who, values in rates.items():
            rows.append([info.title, NAMES[who], *(number(values[k]) for k in ESS_COLUMNS)])
        for who in ("nutpie", "numpyro"):
            if who in rates and "finetti" in rates:
                rows.append(
                    [
                        "",
                        f"finetti / {NAMES[who]}",
                        *(ratio(rates["finetti"][k], rates[who][k]) for k in ESS_COLUMNS),
                    ]
                )
    return table(["problem", "sampler", *ESS_COLUMNS.values()], rows)


def import_section(raw: Raw) -> str:
    """CPU of imports."""
    rows = [
        [f"`import {m}`", *(number(median(r[k] for r in runs) * 1e3) for k in CLOCKS)]
        for m, runs in raw["imports"].items()
    ]
    return table(["process", "CPU ms", "wall ms"], rows)


def targets_section(raw: Raw) -> str:
    """What the project set itself, worst problem first."""

    def worst(values: Iterable[float | None], pick: Callable[..., float]) -> float | None:
        kept = [v for v in values if v is not None]
        return pick(kept) if kept else None

    def quotient(a: float | None, b: float | None) -> float | None:
        return None if a is None or not b else a / b

    names = list(PROBLEMS)
    us = {w: [over(raw, w, p, lambda r: r["gradient"]["us"]) for p in names] for w in NAMES}
    plain = [over(raw, "c", p, lambda r: r["plain_us"]) for p in names]
    ms = [over(raw, "finetti", p, lambda r: r["compile"]["cpu"] * 1e3) for p in names]
    extra = [overhead_excess(raw, p) for p in names]
    rates = {w: [ess_values(raw, w, p) for p in names] for w in ("finetti", "nutpie")}
    both = list(zip(rates["finetti"], rates["nutpie"], strict=True))
    imports = {m: median(r["cpu"] for r in runs) for m, runs in raw["imports"].items()}
    added = None
    if "finetti" in imports:
        added = (imports["finetti"] - imports["numpy"]) * 1e3
    cpu = {w: cold(raw, w, "ab", "cpu") for w in SAMPLERS}
    rows = [
        (
            "gradient / C at -O3, worst problem",
            "at most 1.5",
            worst(map(quotient, us["finetti"], plain), max),
            lambda v: v <= 1.5,
        ),
        (
            "gradient / C's best build, worst problem",
            "(no target)",
            worst(map(quotient, us["finetti"], us["c"]), max),
            lambda v: True,
        ),
        ("graph to callable, ms CPU, worst problem", "under 25", worst(ms, max), lambda v: v < 25),
        ("import beyond numpy, ms CPU", "under 60", added, lambda v: v < 60),
        ("cold A/B test to summary, CPU s", "under 1", cpu["finetti"], lambda v: v < 1),
        (
            "the same, PyMC / finetti",
            "at least 8",
            quotient(cpu["nutpie"], cpu["finetti"]),
            lambda v: v >= 8,
        ),
        (
            "ESS per CPU second / nutpie's, worst problem",
            "at least 4",
            worst((quotient(f["cpu_all"], n["cpu_all"]) for f, n in both), min),
            lambda v: v >= 4,
        ),
        (
            "ESS per gradient / nutpie's, worst problem",
            "at least 0.95",
            worst((quotient(f["grad"], n["grad"]) for f, n in both), min),
            lambda v: v >= 0.95,
        ),
        (
            "overhead a leapfrog beyond 0.1 us + 1 ns a dimension, us, worst problem",
            "at most 0",
            worst(extra, max),
            lambda v: v <= 0,
        ),
    ]
    return table(
        ["what", "target", "measured", ""],
        (
            [what, target, number(v), "-" if v is None else "reached" if test(v) else "**missed**"]
            for what, target, v, test in rows
        ),
    )


def overhead_excess(raw: Raw, problem: str) -> float | None:
    """Overhead beyond the budget of DESIGN: 0.1 us and 1 ns a dimension."""
    value = over(raw, "finetti", problem, overhead)
    return None if value is None else value - 0.1 - 1e-3 * PROBLEMS[problem].size


def machine(raw: Raw) -> str:
    """Where and with what."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    versions = {"python": platform.python_version()}
    for entries in raw["rounds"].values():
        for record in entries[:1]:
            versions.update(record["versions"])
    compiler = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=False)
    listed = ", ".join(f"{k} {v}" for k, v in versions.items())
    return (
        f"{model}, {os.cpu_count()} cores; {listed}; {compiler.stdout.splitlines()[0]}. "
        f"{len(raw['rounds']['finetti'])} rounds, {raw['minutes']:.0f} minutes."
    )


def render(raw: Raw) -> str:
    """The whole file."""
    return f"""# Benchmarks

Written by `python -m benchmarks`; every figure is a median over the rounds of one run in which the
competitors took turns. CPU seconds count all threads of a process.

{machine(raw)}

## Targets

{targets_section(raw)}

## One gradient

Microseconds of CPU for the log density and its gradient in a native loop (`benchmarks/c/driver.c`
for finetti, C and PyMC, `lax.fori_loop` for XLA), float64, one thread. The hand-written C is
compiled with `-O3 -march=native -ffast-math` (plain) and also with unrolled accumulators
(`-funroll-loops -fvariable-expansion-in-unroller`); "best" is the faster of the two. finetti keeps
the IEEE meaning of infinities and NaN, the C does not. All agree on value and gradient to 1e-7.

{gradient_section(raw)}

## Model to callable

Milliseconds, CPU / wall, in a warm process: finetti's compile of log density and gradient;
`nutpie.compile_pymc_model` with PyTensor's cache on disk warm; the first call of a jitted
`value_and_grad` in JAX.

{compile_section(raw)}

## Cold process to printed summary

Seconds, CPU / wall: start Python, import, build, {CHAINS} chains of {TUNE} + {DRAWS} draws on
{CORES} cores, print the summary; caches on disk are warm. Ratios CPU / wall.

{cold_section(raw)}

Peak resident memory of the same processes, MB:

{memory_section(raw)}

Imports (interpreter included):

{import_section(raw)}

## Sampling

{CHAINS} chains of {TUNE} + {DRAWS} draws, target acceptance 0.8, {CORES} cores. finetti's seconds
are those of `pm.sample` (its compile included, from a warm process), nutpie's those of
`nutpie.sample` on a compiled model; NumPyro's hold XLA's compile, which every `run` repeats.
Overhead: CPU a leapfrog step less the gradient of the first table.

{sampling_section(raw)}

## Effective sample size

Smallest bulk ESS over the free variables, by arviz-stats for all. Seconds without warm-up are the
run's seconds in proportion to the gradients of the draws.

{ess_section(raw)}
"""
