"""Smallest bulk effective sample size of saved draws, by arviz-stats for every competitor alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from arviz_stats.base import array_stats


def main() -> None:
    """``python -m benchmarks.ess FOLDER``: write ``ess.json``, {file stem: smallest bulk ESS}."""
    folder = Path(sys.argv[1])
    results = {}
    for file in sorted(folder.glob("draws-*.npy")):
        draws = np.moveaxis(np.load(file), 2, 0)
        results[file.stem] = float(np.min(array_stats.ess(draws, chain_axis=1, draw_axis=2)))
    (folder / "ess.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
