"""Effective sizes and means of saved draws, by arviz-stats for both alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from arviz_stats.base import array_stats

AXES = {"chain_axis": 1, "draw_axis": 2}


def moving(draws: np.ndarray) -> np.ndarray:
    """[parameter, chain, draw] without what is constant, e.g. a Cholesky factor's zeros."""
    draws = np.moveaxis(draws, 2, 0)
    return draws[draws.std(axis=(1, 2)) > 0]


def smallest_ess(file: Path) -> float:
    """Smallest bulk ESS over the parameters of one run."""
    return float(np.min(array_stats.ess(moving(np.load(file)), **AXES)))


def distance(files: dict[str, list[Path]]) -> dict[str, Any]:
    """How far the means of the two are apart: the largest difference in standard errors."""
    draws = {who: moving(np.concatenate([*map(np.load, f)])) for who, f in files.items()}
    means = [x.mean(axis=(1, 2)) for x in draws.values()]
    errors = [array_stats.mcse(x, method="mean", **AXES) for x in draws.values()]
    far = np.abs(means[0] - means[1]) / np.hypot(*errors)
    return {"parameters": len(far), "largest": float(far.max())}


def main() -> None:
    """``python judge.py FOLDER``: write ``judged.json``."""
    folder = Path(sys.argv[1])
    files = sorted(folder.glob("*.npy"))
    grouped: dict[str, dict[str, list[Path]]] = {}
    for file in files:
        _, who, name, _ = file.stem.split("-")
        grouped.setdefault(name, {}).setdefault(who, []).append(file)
    judged = {
        "ess": {file.stem: smallest_ess(file) for file in files},
        "means": {name: distance(each) for name, each in grouped.items() if len(each) == 2},
    }
    (folder / "judged.json").write_text(json.dumps(judged))


if __name__ == "__main__":
    main()
