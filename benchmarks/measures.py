"""Medians and rates of the raw measurements of ``benchmarks.run``."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.problems import PROBLEMS

Raw = dict[str, Any]
Record = dict[str, Any]
EVERYONE = ["finetti", "c", "nutpie", "numpyro"]
SAMPLERS = ["finetti", "nutpie", "numpyro"]


def median(values: Iterable[float]) -> float | None:
    """Median, or None of nothing."""
    kept = list(values)
    return statistics.median(kept) if kept else None


def quotient(top: float | None, bottom: float | None) -> float | None:
    """``top / bottom`` where both are known."""
    return None if top is None or not bottom else top / bottom


def rounds(raw: Raw, who: str, problem: str) -> list[Record]:
    """One record a round, without those that failed."""
    records = (record[problem] for record in raw["rounds"].get(who, []))
    return [record for record in records if "error" not in record]


def over_rounds(raw: Raw, who: str, problem: str, value: Callable[[Record], float]) -> float | None:
    """Median over the rounds of ``value(record)``."""
    return median(value(record) for record in rounds(raw, who, problem))


def runs(raw: Raw, who: str, problem: str) -> list[Record]:
    """One record a seed, with its smallest ESS and the round's gradient time."""
    kept = []
    for record in rounds(raw, who, problem):
        for run in record.get("runs", []):
            ess = raw["ess"].get(f"draws-{who}-{problem}-{run['seed']}")
            kept.append({**run, "ess": ess, "us": record["gradient"]["us"]})
    return kept


def over_runs(
    raw: Raw, who: str, problem: str, value: Callable[[Record], float], needs: str = "seed"
) -> float | None:
    """Median over the seeds of ``value(run)``, where the run has what it ``needs``."""
    kept = (run for run in runs(raw, who, problem) if run.get(needs) is not None)
    return median(value(run) for run in kept)


def gradient_us(raw: Raw, who: str, problem: str) -> float | None:
    """Microseconds a gradient."""
    return over_rounds(raw, who, problem, lambda r: r["gradient"]["us"])


def compile_ms(raw: Raw, who: str, problem: str, clock: str, part: str = "compile") -> float | None:
    """Milliseconds from model to callable; ``part="cached"``: with the code on disk already."""
    return over_rounds(raw, who, problem, lambda r: r[part][clock] * 1e3)


def cold(raw: Raw, who: str, problem: str, key: str) -> float | None:
    """Median of one quantity of the cold processes."""
    return median(r[key] for r in raw["cold"].get(who, {}).get(problem, []))


def all_steps(run: Record) -> int:
    """Leapfrog steps of a run, warm-up included."""
    return run["steps"] + run["warmup_steps"]


def overhead_us(raw: Raw, who: str, problem: str) -> float | None:
    """Microseconds of CPU of the sampler alone for each gradient, less the gradient itself."""
    return over_runs(
        raw, who, problem, lambda r: r["core"]["cpu"] / r["core"]["gradients"] * 1e6 - r["us"],
        needs="core",
    )  # fmt: skip


def overhead_excess(raw: Raw, problem: str) -> float | None:
    """finetti's overhead beyond the budget of 0.1 us and 1 ns a dimension."""
    value = overhead_us(raw, "finetti", problem)
    return None if value is None else value - 0.1 - 1e-3 * PROBLEMS[problem].size


def ess_rates(raw: Raw, who: str, problem: str) -> dict[str, float | None]:
    """The smallest bulk ESS, for each thing it costs."""

    def rate(cost: Callable[[Record], float], needs: str = "whole") -> float | None:
        kept = (r for r in runs(raw, who, problem) if r["ess"] and needs in r)
        return median(r["ess"] / cost(r) for r in kept)

    def share(run: Record) -> float:
        return run["steps"] / all_steps(run)

    values = {
        "ess": rate(lambda r: 1.0),
        "gradient": rate(lambda r: r["steps"] / 1e3),
        "gradient_all": rate(lambda r: all_steps(r) / 1e3),
        "whole_cpu": rate(lambda r: r["whole"]["cpu"]),
        "whole_wall": rate(lambda r: r["whole"]["wall"]),
    }
    for clock in ("cpu", "wall"):
        values[clock] = rate(lambda r, c=clock: r["core"][c] * share(r), needs="core")
        values[f"{clock}_all"] = rate(lambda r, c=clock: r["core"][c], needs="core")
    return values
