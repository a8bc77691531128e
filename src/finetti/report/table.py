"""The table that `summary` returns: NumPy inside, pandas' ways of asking, and a plain print."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti.errors import ParameterError, did_you_mean
from finetti.report.digits import Rounding, format_cell, round_value

_MOST_ROWS = 60
_MARK = "!"


class LabelledValues(np.ndarray[Any, np.dtype[np.float64]]):
    """A row or a column of a table: an array whose values are also known by label.

    Methods of a pandas Series that NumPy lacks are passed on to one.
    """

    index: tuple[str, ...]

    def __new__(cls, values: npt.ArrayLike, index: Sequence[str]) -> LabelledValues:
        """Take `values` with one label each."""
        self = np.asarray(values, dtype=float).view(cls)
        self.index = tuple(index)
        return self

    def __array_finalize__(self, parent: Any) -> None:
        # labels survive only where the shape does: in arithmetic, not in a slice
        if parent is not None and getattr(parent, "shape", None) == self.shape:
            self.index = getattr(parent, "index", ())

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return float(np.ndarray.__getitem__(self, _position(self.index, key, "label")))
        if isinstance(key, list) and key and all(isinstance(part, str) for part in key):
            positions = [_position(self.index, part, "label") for part in key]
            return LabelledValues(self.values[positions], key)
        found = np.ndarray.__getitem__(np.asarray(self), key)
        if np.ndim(found) == 1 and len(self.index) == len(self):
            names = np.asarray(self.index, dtype=object)[key]
            return LabelledValues(found, names)
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "index":
            raise AttributeError(name)
        return getattr(self.to_series(), name)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The numbers alone."""
        return np.asarray(self)

    @property
    def loc(self) -> LabelledValues:
        """Access by label, as on a Series."""
        return self

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """The largest number, NaN left out as pandas does."""
        return np.nanmax(self.values, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """The smallest number, NaN left out as pandas does."""
        return np.nanmin(self.values, *args, **kwargs)

    def to_dict(self) -> dict[str, float]:
        """Label to number."""
        return dict(zip(self.index, self.values.tolist(), strict=True))

    def to_series(self) -> Any:
        """A pandas Series."""
        import pandas

        return pandas.Series(self.values, index=list(self.index))

    def __repr__(self) -> str:
        if self.ndim != 1 or len(self.index) != len(self):
            return repr(np.asarray(self))
        width = max((len(label) for label in self.index), default=0)
        return "\n".join(f"{k:<{width}}  {v:g}" for k, v in self.to_dict().items())

    __str__ = __repr__


class SummaryTable:
    """Numbers with named rows and columns.

    `table["mean"]`, `table.loc["mu"]`, `table.loc["mu", "mean"]`, `table.loc[["mu", "tau"]]`,
    `table.iloc[0]`, `table.index`, `table.columns`, `table.values`. What else a pandas DataFrame
    offers is passed on to one (`table.sort_values("r_hat")`).

    Parameters
    ----------
    values
        Shape `[row, column]`.
    index, columns
        The names.
    rounding
        Decimals; `"3g"` for significant digits; `"auto"` prints the digits that the standard error
        leaves certain and keeps the numbers whole; `"none"` prints them whole too.
    marked
        Rows that print with a mark.
    note
        What the mark means, printed under the table when a row has it.
    remark
        A sentence that is printed under the table.
    """

    def __init__(
        self,
        values: npt.ArrayLike,
        index: Sequence[str],
        columns: Sequence[str],
        *,
        rounding: Rounding = "auto",
        marked: npt.ArrayLike | None = None,
        note: str = "",
        remark: str = "",
    ) -> None:
        self._values = np.asarray(values, dtype=float).reshape(len(index), len(columns))
        self._rounding = rounding
        if rounding not in ("auto", "none"):
            rounded = [round_value(value, rounding) for value in self._values.ravel()]
            self._values = np.reshape(np.array(rounded, dtype=float), self._values.shape)
        self.index = list(index)
        self.columns = list(columns)
        self._marked = np.zeros(len(index), bool) if marked is None else np.asarray(marked, bool)
        self._note, self._remark = note, remark

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The numbers, `[row, column]`."""
        return self._values

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.index), len(self.columns)

    @property
    def marked(self) -> list[str]:
        """Names of the rows whose R-hat or ESS is not good enough."""
        return [name for name, mark in zip(self.index, self._marked, strict=True) if mark]

    @property
    def loc(self) -> _Locator:
        """Access by name: `loc[rows]` or `loc[rows, columns]`."""
        return _Locator(self, by_name=True)

    @property
    def iloc(self) -> _Locator:
        """Access by number: `iloc[rows]` or `iloc[rows, columns]`."""
        return _Locator(self, by_name=False)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.loc[:, key]
        if isinstance(key, list) and all(isinstance(part, str) for part in key):
            return self.loc[:, key]
        return self.loc[key]  # a mask or a slice picks rows, as in pandas

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.__dict__.get("columns", ()):
            return self[name]
        return getattr(self.to_dataframe(), name)

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self._values, dtype=dtype, copy=True if copy is None else copy)

    def keys(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)

    def round(self, decimals: int = 0) -> SummaryTable:
        """A copy whose numbers are rounded."""
        return self._like(self._values, self.index, self.columns, self._marked, decimals)

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Column to row to number, as pandas does it."""
        return {column: self[column].to_dict() for column in self.columns}

    def to_dataframe(self) -> Any:
        """A pandas DataFrame of the same numbers."""
        import pandas

        return pandas.DataFrame(self._values.copy(), index=self.index, columns=self.columns)

    def to_string(self) -> str:
        """The whole table as text, however long."""
        return self._text(len(self))

    def __repr__(self) -> str:
        return self._text(_MOST_ROWS)

    def _repr_html_(self) -> str:
        shown = _shown(len(self), _MOST_ROWS)
        columns = self._cells(shown)
        top = "".join(f"<th>{html.escape(column)}</th>" for column in self.columns)
        rows = [f"<tr><th></th>{top}<th></th></tr>"]
        for place, i in enumerate(shown):
            if i is None:
                rows.append(f"<tr><td colspan='{len(self.columns) + 2}'>...</td></tr>")
                continue
            numbers = "".join(f"<td>{html.escape(cells[place])}</td>" for cells in columns)
            mark = f"<td><b>{_MARK}</b></td>" if self._marked[i] else "<td></td>"
            rows.append(f"<tr><th>{html.escape(self.index[i])}</th>{numbers}{mark}</tr>")
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes(_MOST_ROWS))
        return f"<table style='text-align: right'>{''.join(rows)}</table>{notes}"

    def _like(
        self,
        values: npt.NDArray[np.float64],
        index: Sequence[str],
        columns: Sequence[str],
        marked: npt.ArrayLike,
        rounding: Rounding | None = None,
    ) -> SummaryTable:
        rounding = self._rounding if rounding is None else rounding
        return SummaryTable(
            values, index, columns, rounding=rounding, marked=marked, note=self._note,
            remark=self._remark,
        )  # fmt: skip

    def _cells(self, shown: Sequence[int | None]) -> list[list[str]]:
        """Text of the rows shown, column by column, with the decimal points in line."""
        rows = [
            dict(zip(self.columns, [] if i is None else self._values[i].tolist(), strict=False))
            for i in shown
        ]
        return [
            _aligned([format_cell(row, name, self._rounding) if row else "" for row in rows])
            for name in self.columns
        ]

    def _text(self, most: int) -> str:
        if not self.index:
            return f"Empty summary\nColumns: {self.columns}"
        shown = _shown(len(self), most)
        labels = ["", *("..." if i is None else self.index[i] for i in shown)]
        table = [labels]
        table += [[n, *cells] for n, cells in zip(self.columns, self._cells(shown), strict=True)]
        widths = [max(map(len, column)) for column in table]
        lines = []
        for place, i in enumerate([None, *shown]):
            cells = [table[0][place].ljust(widths[0])]
            cells += [c[place].rjust(w) for c, w in zip(table[1:], widths[1:], strict=True)]
            mark = f" {_MARK}" if i is not None and self._marked[i] else ""
            lines.append(("  ".join(cells) + mark).rstrip())
        return "\n".join([*lines, *self._notes(most)])

    def _notes(self, most: int) -> list[str]:
        notes = []
        if len(self) > most:
            notes.append(f"[{len(self)} rows; print(table.to_string()) shows them all]")
        if self._note and self._marked.any():
            notes.append(f"{_MARK} {self._note} ({int(self._marked.sum())} of {len(self)} rows)")
        if self._remark:
            notes.append(self._remark)
        return notes


class _Locator:
    """`table.loc` and `table.iloc`."""

    def __init__(self, table: SummaryTable, by_name: bool) -> None:
        self._table = table
        self._by_name = by_name

    def __getitem__(self, key: Any) -> Any:
        table = self._table
        rows, columns = key if isinstance(key, tuple) and len(key) == 2 else (key, slice(None))
        i = self._resolve(rows, table.index, "row")
        j = self._resolve(columns, table.columns, "column")
        if isinstance(i, int) and isinstance(j, int):
            return float(table.values[i, j])
        if isinstance(i, int):
            return LabelledValues(table.values[i, j], [table.columns[p] for p in j])
        names = [table.index[p] for p in i]
        if isinstance(j, int):
            return LabelledValues(table.values[i, j], names)
        picked = table.values[np.ix_(i, j)]
        columns_kept = [table.columns[p] for p in j]
        return table._like(picked, names, columns_kept, table._marked[i])

    def _resolve(self, key: Any, names: Sequence[str], what: str) -> Any:
        """One position, or a list of them."""
        find: Callable[[Any], int]
        if self._by_name:
            find = lambda name: _position(names, name, what)  # noqa: E731
        else:
            find = lambda number: range(len(names))[number]  # noqa: E731
        if isinstance(key, slice):
            if not self._by_name:
                return list(range(len(names)))[key]
            start = None if key.start is None else find(key.start)
            stop = None if key.stop is None else find(key.stop) + 1  # both ends, as in pandas
            return list(range(len(names)))[start : stop : key.step]
        if isinstance(key, str) or np.ndim(key) == 0:
            return find(key)
        flat = np.asarray(key)
        if flat.dtype == bool:
            if flat.shape != (len(names),):
                raise ParameterError(
                    f"summary table: a mask of shape {flat.shape} came for {len(names)} {what}s"
                )
            return np.flatnonzero(flat).tolist()
        return [find(part) for part in flat.tolist()]


def _position(names: Sequence[str], name: Any, what: str) -> int:
    try:
        return list(names).index(name)
    except ValueError:
        raise KeyError(
            f"summary table: no {what} {name!r}. {did_you_mean(str(name), names)}"
        ) from None


def _shown(count: int, most: int) -> list[int | None]:
    """Rows to print; None stands for those left out in the middle."""
    if count <= most:
        return list(range(count))
    half = most // 2
    return [*range(half), None, *range(count - half, count)]


def _aligned(cells: Sequence[str]) -> list[str]:
    """Pad on the right so that decimal points stand under one another."""
    after = [len(cell) - cell.index(".") if "." in cell else 0 for cell in cells]
    widest = max(after, default=0)
    return [cell + " " * (widest - n) for cell, n in zip(cells, after, strict=True)]
