"""The problems by name, with what the hand-written C needs to know about them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import problems
from benchmarks.compiler import mixed, models, steps
from benchmarks.problems import ROOT, _models

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Problem:
    """A model, and its twin in C if there is one.

    Parameters
    ----------
    title : str
    size : int
        The number of unconstrained values.
    build : callable
        ``build(pm)`` makes the model.
    c : str, optional
        The C source, relative to ``benchmarks``; its function has the file's name.
    c_data : callable, optional
        The arrays that the C function reads.
    defines : tuple of str
        Of the C compiler.
    matrix_bytes : int
        Of the matrix that every evaluation has to read, where that is the limit.
    """

    title: str
    size: int
    build: Callable[[ModuleType], Any]
    c: str | None = None
    c_data: Callable[[], Arrays] | None = None
    defines: tuple[str, ...] = ()
    matrix_bytes: int = 0


def _logistic(n: int, k: int) -> Problem:
    """Rows in blocks, the last filled up with rows of zeros."""

    def data() -> Arrays:
        X, y = _models.logistic_data(n, k)
        spare = -n % 32
        X = np.vstack([X, np.zeros((spare, k))]).reshape(-1, 32, k).transpose(0, 2, 1)
        y = np.concatenate([y, np.full(spare, 0.5)])
        return [X, y, np.array([float(len(y))]), np.array([float(spare)])]

    return Problem(
        f"logistic regression, {n:,} x {k}",
        k,
        lambda pm: _models.logistic_regression(pm, *_models.logistic_data(n, k)),
        "compiler/c/logistic.c",
        data,
        (f"K={k}",),
        8 * n * k,
    )


def _normal(d: int) -> Problem:
    def data() -> Arrays:
        chol = np.linalg.cholesky(models.covariance(d))
        constant = -np.log(np.diag(chol)).sum() - 0.5 * d * math.log(2 * math.pi)
        return [np.linalg.inv(chol).T, np.array([constant])]

    return Problem(
        f"multivariate normal, d = {d}",
        d,
        lambda pm: models.normal(pm, d),
        "compiler/c/normal.c",
        data,
        (f"D={d}",),
    )


def _indices(*arrays: np.ndarray) -> Arrays:
    return [np.asarray(array, np.int32) for array in arrays]


def _radon_c() -> Arrays:
    data = _models.radon_data()
    return [*_indices(data.county), data.floor, data.log_radon, np.array([len(data.floor) * 1.0])]


def _crossed_c() -> Arrays:
    data = models.crossed_data()
    rows = np.array([len(data.y) * 1.0])
    return [*_indices(data.county, data.month), data.floor, data.y, rows]


def _answers_c() -> Arrays:
    data = models.answers()
    rows = np.array([len(data.right) * 1.0])
    return [*_indices(data.person, data.item), data.right.astype(float), rows]


def _mixture(parts: int) -> Problem:
    return Problem(
        f"mixture of {parts} normals, {mixed.ROWS} rows",
        3 * parts,
        lambda pm: mixed.mixture(pm, parts),
        "compiler/c/mixture.c",
        lambda: [mixed.mixed_data(parts), np.array([mixed.ROWS * 1.0])],
        (f"K={parts}",),
    )


def _hidden_markov(states: int) -> Problem:
    return Problem(
        f"hidden Markov chain, {states} states, {steps.STEPS} steps",
        states * (states + 1),
        lambda pm: steps.hidden_markov(pm, states),
        "compiler/c/hidden_markov.c",
        lambda: [steps.visits(states)],
        (f"K={states}",),
    )


def _ordinal_c() -> Arrays:
    data = mixed.grades()
    order = np.argsort(data.grade, kind="stable")
    edges = np.searchsorted(data.grade[order], np.arange(mixed.CUTS + 2)).astype(float)
    return [data.X[order].T, np.array([len(order) * 1.0]), edges]


def _horseshoe_c() -> Arrays:
    data = mixed.sparse()
    return [data.X.T, data.y]


def _known(name: str) -> Problem:
    """A problem that the other benchmark has too."""
    problem = problems.PROBLEMS[name]
    return Problem(problem.title, problem.size, problem.build, f"c/{name}.c", problem.c_data)


PROBLEMS = {
    "ab": _known("ab"),
    "schools": _known("schools"),
    "glmm": _known("glmm"),
    "logistic": _logistic(1000, 10),
    "radon": Problem(
        "radon, 85 counties, centred", 175, models.radon, "compiler/c/radon.c", _radon_c
    ),
    "crossed": Problem(
        "radon, counties x 24 months", 114, models.crossed, "compiler/c/crossed.c", _crossed_c
    ),
    "logistic_wide": _logistic(10_000, 100),
    "logistic_long": _logistic(1_000_000, 10),
    "normal10": _normal(10),
    "normal100": _normal(100),
    "state_space": Problem(
        "state space, 500 steps", 503, models.state_space, "compiler/c/state_space.c",
        lambda: [models.series()],
    ),
    "garch": Problem(
        f"GARCH, {steps.STEPS} steps", 4, steps.garch, "compiler/c/garch.c",
        lambda: [steps.returns()],
    ),
    "markov3": _hidden_markov(3),
    "markov10": _hidden_markov(10),
    "gp": Problem("Gaussian process, N = 200", 3, models.gaussian_process),
    "irt": Problem(
        "item response, 100,000 rows", 2120, models.item_response, "compiler/c/item_response.c",
        _answers_c,
    ),
    "mixture2": _mixture(2),
    "mixture3": _mixture(3),
    "ordinal": Problem(
        "five ordered categories, 400 rows", 7, mixed.ordinal, "compiler/c/ordinal.c", _ordinal_c
    ),
    "grid": Problem(
        "item response, a grid of 150 x 20", 190, mixed.answers_of_all, "compiler/c/grid.c",
        lambda: [mixed.grid().astype(float)],
    ),
    "horseshoe": Problem(
        "horseshoe regression, 100 x 20", 42, mixed.horseshoe, "compiler/c/horseshoe.c",
        _horseshoe_c,
    ),
    "many": Problem(
        "150 random variables", 2100, models.many_parts, "compiler/c/many_parts.c",
        lambda: [models.part_data()],
    ),
}  # fmt: skip

__all__ = ["PROBLEMS", "ROOT", "Problem"]
