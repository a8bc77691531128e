"""Write docs/stability.md: errors of formulas as users write them, plain and by finetti.

Usage: python tools/make_stability.py
"""

from __future__ import annotations

import sys

from _repo import ROOT

sys.path.insert(0, str(ROOT))

import numpy as np
from tests.passes import exact
from tests.passes.stable_forms import FORMS, Form

HEAD = """# Formulas that keep their digits

Users write formulas as the mathematics has them. Evaluated step by step, many lose all digits in
the tails, overflow, or give NaN gradients that stop a sampler. finetti rewrites them when it
compiles a model (`passes/simplify/stable.py`), so none needs special functions in the model's text.

The table gives the largest relative error of the value over a few points, most of them far out,
against 800 digits: evaluated by NumPy as written, compiled by finetti, and the worst of finetti's
gradient. "lost" means that no digit is right, or infinity or NaN where there is a number. What
errors finetti leaves are those of the formula's own conditioning (a rounding of the argument 35
already moves its normal tail by 1e-13).

| formula | as written | finetti | its gradient |
|---|---|---|---|
"""


def worst(form: Form) -> tuple[float, float, float]:
    """The largest errors over the points: plain, ours, our gradient's."""
    ours = exact.Ours(form)
    plain_error = our_error = slope_error = 0.0
    for point in form.points:
        value, slopes = exact.exact(form, point)
        got, got_slopes = ours(point)
        plain_error = max(plain_error, exact.error(exact.plain(form, point), value))
        our_error = max(our_error, exact.error(got, value))
        pairs = zip(got_slopes, slopes, strict=True)
        slope_error = max(
            slope_error, *(exact.error(a, b) for a, b in pairs if abs(b) > 1e-16), 0.0
        )
    return plain_error, our_error, slope_error


def shown(error: float) -> str:
    """An error by its order of magnitude."""
    if error > 0.5 or np.isinf(error):
        return "lost"
    return "exact" if error < 5e-16 else f"{error:.0e}"


def main() -> int:
    """Write the page."""
    rows = []
    for form in FORMS:
        plain_error, our_error, slope_error = worst(form)
        rows.append(
            f"| `{form.name}` | {shown(plain_error)} | {shown(our_error)} | {shown(slope_error)} |"
        )
    (ROOT / "docs" / "stability.md").write_text(HEAD + "\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
