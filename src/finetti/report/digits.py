"""How many digits of a number are worth printing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

Rounding: TypeAlias = int | str  # decimals, "3g" for significant digits, "auto" or "none"

RHAT_DECIMALS = 3  # two would print a marked 1.012 as 1.01
_SIGNIFICANT = 3
_MOST_DECIMALS = 6
_MOST_ZEROS = 5  # digits before the point that the error leaves uncertain


def is_ess(column: str) -> bool:
    """Whether a column counts draws."""
    return column.startswith("ess_")


def format_cell(row: Mapping[str, float], column: str, rounding: Rounding) -> str:
    """One cell of a summary as text.

    With `"auto"` an estimate ends at the digit that its standard error leaves uncertain, a standard
    error has two significant digits, the ends of an interval have the decimals of the centre.
    """
    value = row[column]
    if not math.isfinite(value):
        return str(value)
    if rounding == "none":
        return repr(float(value))
    if isinstance(rounding, int):
        return f"{value:.{max(rounding, 0)}f}"
    if rounding != "auto":
        return f"{value:#.{int(rounding[:-1])}g}".rstrip(".")
    if is_ess(column):
        return f"{math.floor(value):d}"
    if column == "r_hat":
        return f"{value:.{RHAT_DECIMALS}f}"
    if column.startswith("mcse_"):
        return _fixed(value, _decimals_for(value, 2))
    return _fixed(value, _auto_decimals(row, column))


def round_value(value: float, rounding: Rounding) -> float:
    """The number that a cell keeps: rounded only where the user asked for a number of digits."""
    if not math.isfinite(value) or rounding in ("auto", "none"):
        return value
    if isinstance(rounding, int):
        return round(value, rounding)
    return float(f"{value:.{int(str(rounding)[:-1])}g}")


def _auto_decimals(row: Mapping[str, float], column: str) -> int:
    centre, spread = ("median", "mad") if "median" in row else ("mean", "sd")
    # an interval has no standard error of its own here; its centre's is the smaller one
    own = column if f"mcse_{column}" in row else centre
    error = row.get(f"mcse_{own}", math.nan)
    if math.isfinite(error) and error > 0:
        return _decimals_for(2 * error, 1)
    width = row.get(spread, math.nan)
    if math.isfinite(width) and width > 0:
        return _decimals_for(width, _SIGNIFICANT)
    return _decimals_for(row[column], _SIGNIFICANT)


def _decimals_for(scale: float, significant: int) -> int:
    """Decimals that leave `significant` digits of a number as large as `scale`."""
    if scale == 0:
        return 0
    return significant - 1 - math.floor(math.log10(abs(scale)))


def _fixed(value: float, decimals: int) -> str:
    if not -_MOST_ZEROS <= decimals <= _MOST_DECIMALS:
        magnitude = math.floor(math.log10(abs(value))) if value else 0
        return f"{value:.{min(max(magnitude + decimals, 0), _MOST_DECIMALS)}e}"
    text = f"{value:.{max(decimals, 0)}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
