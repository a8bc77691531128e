"""Turn the measurements of ``benchmarks.run`` into ``RESULTS.md``."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.measures import (
    EVERYONE,
    SAMPLERS,
    Raw,
    cold,
    compile_ms,
    ess_rates,
    gradient_us,
    median,
    over_rounds,
    over_runs,
    overhead_excess,
    overhead_us,
    quotient,
    rounds,
    runs,
)
from benchmarks.problems import CHAINS, CORES, DRAWS, PROBLEMS, SEEDS_PER_ROUND, TUNE

FINETTI_USED = "import finetti; finetti.Model; finetti.Normal; finetti.sample"
NAMES = {"finetti": "finetti", "c": "C", "nutpie": "PyMC + nutpie", "numpyro": "NumPyro"}
PEERS = ["nutpie", "numpyro"]
VERSUS = [f"{NAMES[who]} / finetti" for who in PEERS]
ESS_COLUMNS = {
    "ess": "min bulk ESS",
    "gradient": "per 1000 gradients",
    "gradient_all": "with warm-up",
    "cpu": "per CPU s",
    "cpu_all": "with warm-up",
    "wall": "per wall s",
    "wall_all": "with warm-up",
    "whole_cpu": "per CPU s of the call",
    "whole_wall": "per wall s of the call",
}


def number(value: float | None, digits: int = 3) -> str:
    """Significant digits without an exponent, or a dash."""
    if value is None:
        return "-"
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    if 0 < abs(value) < 1e-3:
        return f"{value:.4f}"
    return f"{value:.{digits}g}"


def ratio(top: float | None, bottom: float | None) -> str:
    """``top / bottom`` as text."""
    value = quotient(top, bottom)
    return "-" if value is None else number(value) + "x"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def check_agreement(raw: Raw) -> None:
    """Refuse to compare densities that are not the same function."""
    for problem in PROBLEMS:
        found = {who: rounds(raw, who, problem) for who in EVERYONE}
        values = {who: records[0]["gradient"] for who, records in found.items() if records}
        want = values["c"]
        for who, value in values.items():
            pairs = zip(
                [value["logp"], *value["dlogp"]], [want["logp"], *want["dlogp"]], strict=True
            )
            if any(abs(a - b) > 1e-7 * (1 + abs(b)) for a, b in pairs):
                raise SystemExit(f"{who} and C disagree on {problem}: {value} {want}")


def gradient_section(raw: Raw) -> str:
    """Microseconds a gradient."""
    rows = []
    for problem, info in PROBLEMS.items():
        us = {who: gradient_us(raw, who, problem) for who in EVERYONE}
        plain = over_rounds(raw, "c", problem, lambda r: r["plain_us"])
        rows.append([
            info.title, number(us["finetti"]), number(plain), number(us["c"]),
            *(number(us[who]) for who in PEERS),
            ratio(us["finetti"], plain), ratio(us["finetti"], us["c"]),
            *(ratio(us[who], us["finetti"]) for who in PEERS),
        ])  # fmt: skip
    header = ["problem", "finetti", "C", "C, best build", "PyMC (numba)", "NumPyro (XLA)",
              "finetti / C", "finetti / C, best build", *VERSUS]  # fmt: skip
    return table(header, rows)


def two_clocks(value: Callable[[str, str], float | None]) -> list[str]:
    """Cells "CPU / wall" of every sampler, and the peers' ratios to finetti."""
    times = {who: [value(who, clock) for clock in ("cpu", "wall")] for who in SAMPLERS}
    cells = [" / ".join(map(number, times[who])) for who in SAMPLERS]
    for who in PEERS:
        pairs = zip(times[who], times["finetti"], strict=True)
        cells.append(" / ".join(ratio(*pair) for pair in pairs))
    return cells


def compile_section(raw: Raw) -> str:
    """Milliseconds from model to callable."""
    rows = []
    for problem, info in PROBLEMS.items():
        cells = two_clocks(lambda who, clock, p=problem: compile_ms(raw, who, p, clock))
        cached = [compile_ms(raw, "finetti", problem, c, "cached") for c in ("cpu", "wall")]
        rows.append([info.title, cells[0], " / ".join(map(number, cached)), *cells[1:]])
    names = [NAMES[who] for who in PEERS]
    return table(["problem", "finetti", "finetti, code on disk", *names, *VERSUS], rows)


def cold_section(raw: Raw) -> str:
    """Seconds from start to printed summary."""
    rows = [
        [info.title, *two_clocks(lambda who, clock, p=problem: cold(raw, who, p, clock))]
        for problem, info in PROBLEMS.items()
    ]
    return table(["problem", *(NAMES[who] for who in SAMPLERS), *VERSUS], rows)


def memory_section(raw: Raw) -> str:
    """Peak resident megabytes of the cold processes."""
    rows = []
    for problem, info in PROBLEMS.items():
        mb = {who: cold(raw, who, problem, "rss") for who in SAMPLERS}
        rows.append([
            info.title, *(number(mb[who]) for who in SAMPLERS),
            *(ratio(mb[who], mb["finetti"]) for who in PEERS),
        ])  # fmt: skip
    return table(["problem", *(NAMES[who] for who in SAMPLERS), *VERSUS], rows)


def import_section(raw: Raw) -> str:
    """CPU of imports."""
    rows = [
        [f"`{m}`", *(number(median(r[k] for r in each) * 1e3) for k in ("cpu", "wall"))]
        for m, each in raw["imports"].items()
    ]
    return table(["process", "CPU ms", "wall ms"], rows)


def sampling_section(raw: Raw) -> str:
    """Gradients, seconds, overhead a leapfrog step."""
    rows = []
    for problem, info in PROBLEMS.items():
        for who in SAMPLERS:
            if not runs(raw, who, problem):
                continue
            counts = [
                over_runs(raw, who, problem, lambda r, k=key: r[k])
                for key in ("warmup_steps", "steps", "divergences")
            ]
            seconds = [
                over_runs(raw, who, problem, lambda r, p=part, c=clock: r[p][c], needs=part)
                for part in ("core", "whole")
                for clock in ("cpu", "wall")
            ]
            rows.append([
                info.title, NAMES[who], *(number(c, 6) for c in counts), *map(number, seconds),
                number(overhead_us(raw, who, problem)),
            ])  # fmt: skip
    header = ["problem", "sampler", "gradients, warm-up", "gradients, draws", "divergences",
              "sampler, CPU s", "wall s", "whole call, CPU s", "wall s",
              "overhead, us a leapfrog"]  # fmt: skip
    return table(header, rows)


def ess_section(raw: Raw) -> str:
    """Effective sample sizes per gradient and per second."""
    rows = []
    for problem, info in PROBLEMS.items():
        rates = {w: ess_rates(raw, w, problem) for w in SAMPLERS if runs(raw, w, problem)}
        for who, values in rates.items():
            rows.append([info.title, NAMES[who], *(number(values[k]) for k in ESS_COLUMNS)])
        for who in PEERS:
            if who in rates and "finetti" in rates:
                cells = [ratio(rates["finetti"][k], rates[who][k]) for k in ESS_COLUMNS]
                rows.append(["", f"finetti / {NAMES[who]}", *cells])
    return table(["problem", "sampler", *ESS_COLUMNS.values()], rows)


def target_rows(raw: Raw) -> list[tuple[str, str, float | None, Callable[[float], bool]]]:
    """What the project set itself: what, how much, measured (worst problem), reached?"""
    names = list(PROBLEMS)

    def worst(pick: Callable[..., float], values: Iterable[float | None]) -> float | None:
        kept = [v for v in values if v is not None]
        return pick(kept) if kept else None

    def against_c(value: Callable[[str], float | None]) -> float | None:
        return worst(max, (quotient(gradient_us(raw, "finetti", p), value(p)) for p in names))

    ours = {p: ess_rates(raw, "finetti", p) for p in names}
    theirs = {p: ess_rates(raw, "nutpie", p) for p in names}

    def against_nutpie(key: str) -> float | None:
        return worst(min, (quotient(ours[p][key], theirs[p][key]) for p in names))

    imports = {m: median(r["cpu"] for r in each) * 1e3 for m, each in raw["imports"].items()}
    added = imports[FINETTI_USED] - imports["import numpy"] if FINETTI_USED in imports else None
    alone = imports.get("import finetti")
    bare = None if alone is None else alone - imports["import numpy"]
    cpu = {who: cold(raw, who, "ab", "cpu") for who in SAMPLERS}
    return [
        ("gradient / C", "at most 1.5",
         against_c(lambda p: over_rounds(raw, "c", p, lambda r: r["plain_us"])),
         lambda v: v <= 1.5),
        ("gradient / C, best build", "at most 1.5", against_c(lambda p: gradient_us(raw, "c", p)),
         lambda v: v <= 1.5),
        ("graph to callable, ms CPU", "under 25",
         worst(max, (compile_ms(raw, "finetti", p, "cpu") for p in names)), lambda v: v < 25),
        ("`import finetti` less `import numpy`, ms CPU", "under 60", bare, lambda v: v < 60),
        ("the same with all that a first model loads", "-", added, lambda v: True),
        ("cold A/B test to summary, CPU s", "under 1", cpu["finetti"], lambda v: v < 1),
        ("the same, PyMC / finetti", "at least 8", quotient(cpu["nutpie"], cpu["finetti"]),
         lambda v: v >= 8),
        ("ESS per CPU second / nutpie's, samplers alone", "at least 4",
         against_nutpie("cpu_all"), lambda v: v >= 4),
        ("ESS per CPU second / nutpie's, whole calls (finetti's compiles)", "-",
         against_nutpie("whole_cpu"), lambda v: True),
        ("ESS per gradient / nutpie's", "at least 0.95", against_nutpie("gradient"),
         lambda v: v >= 0.95),
        ("ESS per gradient / nutpie's, with warm-up", "at least 0.95",
         against_nutpie("gradient_all"), lambda v: v >= 0.95),
        ("overhead a leapfrog beyond 0.1 us + 1 ns a dimension, us", "at most 0",
         worst(max, (overhead_excess(raw, p) for p in names)), lambda v: v <= 0),
    ]  # fmt: skip


def targets_section(raw: Raw) -> str:
    """The targets as a table; of several problems the worst counts."""
    rows = []
    for what, target, value, reached in target_rows(raw):
        verdict = "" if value is None or target == "-" else "**missed**"
        if verdict and reached(value):
            verdict = "reached"
        rows.append([what, target, number(value), verdict])
    return table(["what (worst problem)", "target", "measured", ""], rows)


def processor() -> str:
    """The processor's name."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return model


def machine(raw: Raw) -> str:
    """Where and with what."""
    versions = {"python": platform.python_version()}
    for records in raw["rounds"].values():
        for record in records[:1]:
            versions.update(record["versions"])
    compiler = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=False)
    listed = ", ".join(f"{k} {v}" for k, v in versions.items())
    done = ", ".join(f"{NAMES[who]} {len(each)}" for who, each in raw["rounds"].items())
    return (
        f"{processor()}, {os.cpu_count()} cores, load average {raw['load']:.1f} at the start; "
        f"{listed}; {compiler.stdout.splitlines()[0]}. "
        f"Rounds: {done}; {raw['minutes']:.0f} minutes."
    )


def render(raw: Raw) -> str:
    """The whole file."""
    return f"""# Benchmarks

Written by `python -m benchmarks`: one run in which the competitors took turns; every figure is a
median over its rounds or seeds. CPU seconds count all threads of a process.

{machine(raw)}

## Targets

{targets_section(raw)}

## One gradient

Microseconds of CPU for the log density and its gradient in a native loop (`benchmarks/c/driver.c`
for finetti, C and PyMC, `lax.fori_loop` for XLA), float64, one thread. The hand-written C is
compiled with `-O3 -march=native -ffast-math`; "best build" is the faster of this and of one with
`-funroll-loops -fvariable-expansion-in-unroller`. finetti keeps the IEEE meaning of infinities and
NaN, the C does not. All agree on value and gradient to 1e-7 (PyMC's literals are float32).

{gradient_section(raw)}

## Model to callable

Milliseconds, CPU / wall, in a warm process: finetti's `compile_density`
without and with its cache on disk; `nutpie.compile_pymc_model` with PyTensor's cache warm; the
first call of a jitted `value_and_grad` in JAX.

{compile_section(raw)}

## Cold process to printed summary

Seconds, CPU / wall: start Python, import, build, {CHAINS} chains of {TUNE} + {DRAWS} draws on
{CORES} cores, print the summary; caches on disk are warm.

{cold_section(raw)}

Peak resident memory of the same processes, MB:

{memory_section(raw)}

Imports (interpreter included; finetti loads its parts on first use):

{import_section(raw)}

## Sampling

{CHAINS} chains of {TUNE} + {DRAWS} draws, target acceptance 0.8, {CORES} cores,
{SEEDS_PER_ROUND} seeds a round (NumPyro one). "Sampler" is finetti's C++ core and
`nutpie.sample(return_raw_trace=True)` on a compiled model; "whole call" is `pm.sample`, its compile
without cache included, `nutpie.sample` on a compiled model, and NumPyro's `run` with the compile
that every `run` repeats. Overhead: the sampler's CPU a gradient less the gradient of the first
table.

{sampling_section(raw)}

## Effective sample size

Smallest bulk ESS over the free variables, by arviz-stats for all; seconds are the sampler's, or the
whole call's where it says so. Seconds without warm-up are the run's in proportion to the gradients
of the draws.

{ess_section(raw)}
"""
