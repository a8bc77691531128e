"""matplotlib, when a plot asks for it."""

from __future__ import annotations

from typing import Any

from finetti.errors import optional_package


def pyplot() -> Any:
    """`matplotlib.pyplot`.

    Raises
    ------
    MissingPackageError
        When it is not installed.
    """
    return optional_package("matplotlib.pyplot", "plots", "finetti[plots]")
