"""Formulas: the package formulae reads them; names and order of the columns are patsy's."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from finetti.errors import ParameterError, did_you_mean

_LEVEL = re.compile(r"^(.*)\[([^\[\]]*)\]$")


def design(formula: str, data: Any) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Response, names of the columns as PyMC3 (patsy) has them, and the matrix of a formula.

    Parameters
    ----------
    formula : str
        ``"y ~ x + g"``.
    data : DataFrame or mapping
        Its columns.
    """
    try:
        import formulae
        import pandas
    except ImportError as error:
        raise ParameterError(
            f"glm: formulas need the package {error.name}: `pip install finetti[formula]`, or give "
            "the matrix: `pm.glm.GLM(x, y, labels=[...])`."
        ) from None
    columns = pandas.DataFrame(data)
    for name in _flags(formula, columns):
        words = np.where(columns[name], "True", "False")
        columns[name] = pandas.Categorical(words, categories=["False", "True"])
    try:
        matrices = formulae.design_matrices(formula, columns)
    except KeyError as error:
        name = str(error.args[0])
        raise ParameterError(
            f"glm: {formula!r}: the data have no column {name!r}. "
            f"{did_you_mean(name, [str(column) for column in columns])}"
        ) from None
    if matrices.response is None or matrices.common is None:
        raise ParameterError(f"glm: {formula!r}: expected 'y ~ terms', with terms on both sides.")
    if matrices.group is not None:
        raise ParameterError(f"glm: {formula!r}: group-specific terms (x | g) were not PyMC3's.")
    matrix = np.asarray(matrices.common.design_matrix, float)
    order, labels = _as_patsy(matrices.common.terms)
    return np.asarray(matrices.response.design_matrix), labels, matrix[:, order]


def _flags(formula: str, columns: Any) -> list[str]:
    """Columns of True and False on the right side: categories to patsy, numbers to formulae."""
    right = formula.partition("~")[2]
    return [
        str(name)
        for name in columns
        if columns[name].dtype == bool
        and re.search(rf"\b{re.escape(str(name))}\b", right)
        and not re.search(rf"\w\([^)]*\b{re.escape(str(name))}\b", right)  # in a function
    ]


def _as_patsy(terms: Any) -> tuple[list[int], list[str]]:
    """Where patsy's columns are among those of formulae, and patsy's names for them.

    Terms without numbers come first, then those of each set of numbers, each by their degree; the
    levels of the first factor change fastest.
    """
    kinds: list[frozenset[str]] = [frozenset()]
    rows: list[tuple[tuple[int, int], list[tuple[int, str]]]] = []
    start = 0
    for name, term in terms.items():
        parts = list(getattr(term, "components", []))
        names = list(getattr(term, "labels", [name])) if parts else [name]
        kind = frozenset(part.name for part in parts if part.kind == "numeric")
        if kind not in kinds:
            kinds.append(kind)
        columns = [(start + k, _label(label, parts)) for k, label in enumerate(names)]
        rows.append(((kinds.index(kind), len(parts)), _fastest_first(columns, parts)))
        start += len(names)
    listed = [column for _, columns in sorted(rows, key=lambda row: row[0]) for column in columns]
    return [place for place, _ in listed], [label for _, label in listed]


def _label(label: str, parts: list[Any]) -> str:
    """`g[b]` is a level among all; one that is a difference to the first is `g[T.b]` to patsy."""
    pieces = label.split(":")
    if len(pieces) != len(parts):
        return label
    for place, part in enumerate(parts):
        found = _LEVEL.match(pieces[place])
        if part.kind == "categoric" and found and not part.spans_intercept:
            pieces[place] = f"{found[1]}[T.{found[2]}]"
    return ":".join(pieces)


def _fastest_first(columns: list[tuple[int, str]], parts: list[Any]) -> list[tuple[int, str]]:
    """Columns of a term, of which formulae changes the last factor fastest, in patsy's order."""
    counts = [
        1 if part.kind != "categoric" else len(part.levels) - (not part.spans_intercept)
        for part in parts
    ]
    if int(np.prod(counts, dtype=int)) != len(columns):
        return columns
    places = np.arange(len(columns)).reshape(counts or [1]).ravel(order="F")
    return [columns[place] for place in places]
