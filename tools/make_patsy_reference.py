"""Write ``tests/data/patsy_reference.json``: names and columns that patsy gives formulas.

Run it with the Python of an environment that has patsy::

    python tools/make_patsy_reference.py [output.json]

``data``: the columns of the frame; ``formulas``: formula -> {name: column}, in patsy's order.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from patsy import dmatrices

DATA = {
    "x": [0.1, -0.4, 0.8, 1.5, 0.3, -1.2],
    "z": [1.0, 2.0, 3.0, 4.0, 5.0, 6.5],
    "g": ["a", "b", "a", "c", "b", "c"],
    "h": ["u", "v", "v", "u", "u", "v"],
    "b": [True, False, True, True, False, False],
    "y": [0.2, -0.5, 1.1, 2.0, 0.1, -1.0],
}
RIGHT = """
    x; 0 + x; x - 1; g; 0 + g; g - 1; x + g; 0 + x + g; 0 + g + h; 0 + h + g; g:x; x:g; 0 + g:x;
    x + g:x; x*g; 0 + x*g; g*h; 0 + g*h; 0 + g:h; g:h; g + g:h; b; 0 + b; b + x; b:x; b*x; C(g);
    0 + C(g); C(g) + x:z; I(x**2) + np.exp(x); x:z; g:x:z; 0 + b:g; C(z > 3)
"""


def main() -> None:
    target = Path(__file__).parents[1] / "tests" / "data" / "patsy_reference.json"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else target
    frame, found = pd.DataFrame(DATA), {}
    for right in RIGHT.split(";"):
        formula = f"y ~ {right.strip()}"
        _, matrix = dmatrices(formula, frame)
        names = matrix.design_info.column_names
        found[formula] = dict(zip(names, np.asarray(matrix).T.tolist(), strict=True))
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    target.write_text(f'{{\n"data": {json.dumps(DATA)},\n"formulas": {{\n{rows}\n}}\n}}\n')


if __name__ == "__main__":
    main()
