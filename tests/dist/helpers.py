"""What the tests of distributions share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finetti.backends.reference import evaluate
from finetti.ir import Tensor

REFERENCE = Path(__file__).parents[1] / "data" / "dist_reference.json"
MORE = REFERENCE.with_name("dist_reference_more.json")


def decode(value: Any) -> Any:
    """Turn the lists of the stored file into arrays, and its three strings into floats."""
    if isinstance(value, list):
        return np.array([decode(item) for item in value])
    return float(value) if value in ("inf", "-inf", "nan") else value


def reference() -> dict[str, Any]:
    """The stored values of PyMC; `tools/make_dist_reference.py` describes the two files."""
    result: dict[str, Any] = json.loads(REFERENCE.read_text())
    result["cases"] += json.loads(MORE.read_text())["cases"]
    return result


def value_of(x: Tensor, rng: np.random.Generator | None = None) -> np.ndarray:
    """The value of a tensor without inputs."""
    return evaluate([x], rng=rng)[0]


def values_of(xs: Sequence[Tensor], rng: np.random.Generator | None = None) -> list[np.ndarray]:
    """The values of several tensors without inputs."""
    return evaluate(list(xs), rng=rng)
